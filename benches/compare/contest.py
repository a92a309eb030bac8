"""A contest: the same work done by several, checked to agree, then timed in turn."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time

import datafusion
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

import shardstream as ss

OURS = "shardstream"
PEERS = ("polars", "polars-streaming", "duckdb", "datafusion")

Work = Callable[[], object]


@dataclass
class Settings:
    """How hard to measure."""

    rows: int
    rounds: int
    threads: int
    # Seconds: whoever takes longer once is not asked again.
    patience: float
    only: str = ""
    best: bool = False
    processor: bool = False
    report: Path | None = None


@dataclass
class Agreement:
    """What answers have in common: columns that name a row, and columns of values with how far they may be apart."""

    keys: Sequence[str]
    values: dict[str, float] = field(default_factory=dict)
    # Rows that a peer is known to leave out, as a condition on those that it may not.
    but: pl.Expr | None = None


class Contest:
    """Prints a row for each piece of work, and keeps what it measured."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def header(self) -> None:
        """Say what is measured, where."""
        settings = self.settings
        which = ("best" if settings.best else "median") + " processor time" * settings.processor
        print(
            f"\n{settings.threads} thread{'s' * (settings.threads > 1)} each, {which} of {settings.rounds} rounds: "
            f"shardstream {ss.__version__}, polars {pl.__version__} ({pl.thread_pool_size()}), "
            f"duckdb {duckdb.__version__}, datafusion {datafusion.__version__}, numpy {np.__version__}, "
            f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        named = "".join(f"{name:>17}" for name in PEERS)
        print(f"{'million rows a second':<42}{'rows':>11}{OURS:>13}{named}   to the best peer", flush=True)

    def run(
        self,
        name: str,
        rows: int,
        works: dict[str, Work],
        agreement: Agreement | None = None,
        *,
        milliseconds: bool = False,
    ) -> None:
        """Check that all answer the same, time them in turn, and print a row."""
        seconds = {each: [] for each in works}
        processor = {each: [] for each in works}
        answers = {}
        for each, work in works.items():
            began, began_processor = perf_counter(), process_time()
            answers[each] = work()
            took = perf_counter() - began
            if took > self.settings.patience:
                seconds[each].append(took)
                processor[each].append(process_time() - began_processor)
        if agreement is not None:
            check(name, answers, agreement)
        answers.clear()
        for _ in range(self.settings.rounds):
            for each, work in works.items():
                if seconds[each] and max(seconds[each]) > self.settings.patience:
                    continue
                began, began_processor = perf_counter(), process_time()
                answer = work()
                seconds[each].append(perf_counter() - began)
                processor[each].append(process_time() - began_processor)
                del answer
        self._print(name, rows, processor if self.settings.processor else seconds, milliseconds=milliseconds)
        if self.settings.report:
            facts = {
                "name": name,
                "rows": rows,
                "threads": self.settings.threads,
                "seconds": seconds,
                "processor": processor,
                "load": os.getloadavg()[0],
            }
            with self.settings.report.open("a") as report:
                report.write(json.dumps(facts) + "\n")

    def _print(self, name: str, rows: int, seconds: dict[str, list[float]], *, milliseconds: bool) -> None:
        summary = min if self.settings.best else statistics.median
        took = {each: summary(times) for each, times in seconds.items()}
        shown = {
            each: f"{time * 1e3:.2f} ms" if milliseconds else f"{rows / time / 1e6:.2f}" for each, time in took.items()
        }
        peers = {each: time for each, time in took.items() if each != OURS}
        ratio = f"{min(peers.values()) / took[OURS]:>8.2f} x" if peers and OURS in took else ""
        others = "".join(f"   {each} {shown[each]}" for each in peers if each not in PEERS)
        columns = "".join(f"{shown.get(each, ''):>17}" for each in PEERS)
        print(f"{name:<42}{rows:>11,}{shown.get(OURS, ''):>13}{columns}{ratio:<11}{others}", flush=True)


def check(name: str, answers: dict[str, object], agreement: Agreement) -> None:
    """Fail unless all computed the same."""
    reference = normal(frame(answers[OURS]), agreement)
    for each, answer in answers.items():
        if each == OURS:
            continue
        theirs, ours = normal(frame(answer), agreement), reference
        if theirs.height != ours.height and agreement.but is not None:
            theirs, ours = theirs.filter(agreement.but), ours.filter(agreement.but)
        assert theirs.height == ours.height, f"{name}: {each} has {theirs.height} rows, not {ours.height}"
        for key in agreement.keys:
            assert (ours[key] == theirs[key]).all(), f"{name}: {each} has other {key}"
        for value, most in agreement.values.items():
            expected = ours[value].cast(pl.Float64)
            apart = (expected - theirs[value].cast(pl.Float64)).abs() / expected.abs().clip(1.0)
            worst = apart.max()
            assert worst is None or worst <= most, f"{name}: {value} of {each} is {worst:.2g} off"


def frame(answer: object) -> pl.DataFrame:
    """Any answer as a DataFrame."""
    if isinstance(answer, pl.DataFrame):
        return answer
    if isinstance(answer, list):
        return pl.concat(frame(part) for part in answer)
    if isinstance(answer, pa.Table):
        return pl.from_arrow(answer)
    return pl.DataFrame(answer)


def normal(answer: pl.DataFrame, agreement: Agreement) -> pl.DataFrame:
    """The columns to compare, of one type everywhere, in one order."""
    instants = pl.selectors.datetime().cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    texts = pl.selectors.categorical().cast(pl.String)
    columns = answer.select(*agreement.keys, *agreement.values).with_columns(instants, texts)
    return columns.sort(*agreement.keys, *agreement.values)
