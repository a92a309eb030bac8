.DEFAULT_GOAL := all
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Python's own arguments to pytest, as in `make py PYTEST="-k window"`.
PYTEST ?=
# Seconds for each fuzz target, as in `make fuzz FUZZ_SECONDS=600`, and the targets, all unless some are named.
FUZZ_SECONDS ?= 60
FUZZ ?= $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
# With SANITIZER=address a nightly compiler looks for faults of memory, too.
SANITIZER ?= none
# Seconds of simulated crashes, as in `make sim SECONDS=600`, and the first seed, a new one unless it is given.
SECONDS ?= 60
SEED ?=
# Notebooks to run anew, all unless some are named.
NOTEBOOKS ?=
# More arguments to the comparison, as in `make bench BENCH="--only Q1"`.
BENCH ?=

.PHONY: all
all: fmt lint core dev py  ## Everything a commit needs

.PHONY: demo
demo: $(VENV)/.demo  ## Replay real flights through a stream and draw what came of it
	@echo "Building the release extension: some minutes the first time ..."
	$(BIN)/maturin develop --release --quiet
	$(BIN)/python notebooks/demo.py

.PHONY: test
test: core dev py notebooks  ## Build what the tests need and run all of them

.PHONY: core
core:  ## Rust tests, without Python
	cargo test --no-default-features

.PHONY: dev
dev: $(VENV)/.test  ## Build the extension into the virtual environment
	$(BIN)/maturin develop --quiet

.PHONY: py
py: $(VENV)/.test  ## Python tests, doctests, types, stubs against the binary
	$(BIN)/python -m pytest -n auto --maxprocesses=8 --doctest-modules python/shardstream tests/python $(PYTEST)
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy.stubtest shardstream._core --allowlist tests/python/typing/stubtest-allowlist.txt

.PHONY: notebooks
notebooks: $(VENV)/.test  ## Run the notebooks: they show what is committed
	$(BIN)/python -m pytest -n 2 tests/notebooks $(PYTEST)

.PHONY: notebooks-save
notebooks-save: $(VENV)/.test  ## Run the notebooks, or some (NOTEBOOKS=notebooks/02_sensors.ipynb), and write down what they show
	$(BIN)/python tests/notebooks/save.py $(NOTEBOOKS)

.PHONY: looks
looks: $(VENV)/.test  ## Look at notebooks and reprs in headless Chromium, light and dark (needs chromium); see target/looks/index.html
	$(BIN)/python -m pytest -n 2 tests/looks $(PYTEST)

.PHONY: clients
clients: $(VENV)/.clients dev  ## AWS's clients in other versions and languages at the endpoint (needs node, jq, a JDK and Debian's Go)
	$(BIN)/python -m pytest tests/clients

.PHONY: examples
examples: $(VENV)/.clients dev  ## The suites of the examples
	$(BIN)/python -m pytest examples/producer examples/consumer
	PYTHONPATH=$(VENV)/aiobotocore $(BIN)/python -m pytest examples/async_consumer

.PHONY: fuzz
fuzz: target/tools/bin/cargo-fuzz  ## Give parsers bytes that no client sends, a minute each, after some minutes of building
	@set -e; export PATH="$(CURDIR)/target/tools/bin:$$PATH"; for target in $(FUZZ); do \
		echo "== $$target, $(FUZZ_SECONDS) s"; mkdir -p fuzz/corpus/$$target; \
		cargo $(if $(filter-out none,$(SANITIZER)),+nightly) fuzz run --sanitizer $(SANITIZER) --target-dir target/fuzz $$target \
			fuzz/corpus/$$target fuzz/seeds/$$target -- -dict=fuzz/dictionary -max_len=4096 \
			-max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1; \
	done

.PHONY: sim
sim:  ## Crash random workloads on a simulated disk at each step, for a minute once built (SECONDS=600 SEED=7)
	SIM_SECONDS=$(SECONDS) SIM_SEED=$(SEED) cargo test --profile sim --no-default-features --test sim \
		random_lives -- --nocapture

.PHONY: lint
lint: $(VENV)/.test  ## What continuous integration refuses
	cargo fmt --check
	cargo clippy --all-targets --no-default-features -- -D warnings
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --no-default-features --quiet
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: fmt
fmt: $(VENV)/.test  ## Format and fix what can be fixed
	cargo fmt
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

.PHONY: bench
bench: $(VENV)/.bench  ## Measure beside polars, DuckDB and DataFusion: two minutes once built (BENCH="--only Q1")
	$(BIN)/maturin develop --release --quiet
	$(BIN)/python benches/compare.py --rows 1000000 --rounds 3 --patience 0.5 $(BENCH)
	$(BIN)/python benches/store.py --rows 2000000 --gigabytes 1

.PHONY: bench-full
bench-full: $(VENV)/.bench  ## Measure 10 and 50 million rows, and draw docs/performance.png: half an hour
	$(BIN)/maturin develop --release --quiet
	$(BIN)/python benches/compare.py --full $(BENCH)
	$(BIN)/python benches/plot.py

.PHONY: bench-rust
bench-rust:  ## Measure each floor by itself with criterion, built without link-time optimisation
	cargo bench --profile quick --no-default-features --bench '*'

.PHONY: bench-store
bench-store: $(VENV)/.bench  ## Measure folders: puts that wait for the disk, tables, openings, windows over segments
	cargo bench --profile quick --no-default-features --bench store
	$(BIN)/maturin develop --release --quiet
	$(BIN)/python benches/store.py --gigabytes 10

.PHONY: bench-http
bench-http: $(VENV)/.test  ## Measure the endpoint with prepared requests on one connection and eight, and with boto3
	cargo bench --profile quick --no-default-features --bench http
	$(BIN)/maturin develop --release --quiet
	$(BIN)/python benches/boto3_http.py

.PHONY: clean
clean:  ## Remove what was built
	cargo clean
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis python/shardstream/*.so

.PHONY: help
help:  ## Print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

target/tools/bin/cargo-fuzz:
	cargo install cargo-fuzz --locked --quiet --root target/tools

# One environment: the demo needs less of it than the tests.
$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1" "maturin>=1.9.4,<2"
	@touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --group demo
	@touch $@

$(VENV)/.bench: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

$(VENV)/.clients: $(VENV)/.test tests/clients/package.json tests/clients/requirements-java.txt $(wildcard tests/clients/rust/* tests/clients/rust/src/*)
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/boto3-1.34 "boto3==1.34.*"
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/aiobotocore aiobotocore async-kinesis
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/moto "moto[dynamodb]==5.*" flask flask-cors
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/java --no-deps -r tests/clients/requirements-java.txt
	cd tests/clients && npm install --silent --no-audit --no-fund --no-package-lock
	cargo build --quiet --locked --manifest-path tests/clients/rust/Cargo.toml --target-dir target/clients
	@touch $@

$(VENV)/.test: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --group test --group demo
	@touch $@
