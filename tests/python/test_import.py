"""What importing costs: no heavy module is loaded before it is needed."""

import statistics
import subprocess
import sys

HEAVY = [
    "altair",
    "numpy",
    "polars",
    "pandas",
    "pyarrow",
    "duckdb",
    "matplotlib",
    "tqdm",
    "typing",
    "argparse",
    "decimal",
    "asyncio",
    "shardstream.plots",
]


def in_a_fresh_interpreter(program, *options):
    command = [sys.executable, "-I", *options, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)


def test_import_when_in_a_fresh_interpreter_then_loads_no_heavy_module():
    program = f"""
import sys
before = set(sys.modules)
import shardstream
print(sorted(set({HEAVY!r}) & (set(sys.modules) - before)))
"""
    assert in_a_fresh_interpreter(program).stdout.strip() == "[]"


def test_put_and_read_when_done_then_numpy_is_still_not_loaded():
    program = """
import sys, shardstream as ss
stream = ss.Engine().create_stream("clicks")
stream.put(b"page", key="user-42")
assert stream.read()[0].data == b"page"
print("numpy" in sys.modules)
"""
    assert in_a_fresh_interpreter(program).stdout.strip() == "False"


def test_import_when_timed_several_times_then_is_quick():
    def milliseconds():
        said = in_a_fresh_interpreter("import shardstream", "-X", "importtime").stderr.splitlines()
        (line,) = [each for each in said if each.split("|")[-1].strip() == "shardstream"]
        return int(line.split("|")[1]) / 1_000

    assert statistics.median(milliseconds() for _ in range(5)) < 150
