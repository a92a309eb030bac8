"""Peak memory, each piece of work in a process of its own; and a pass over a file that is never whole in memory."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from compare.contest import Contest
from compare.events import DAY_US, day_of_events

COMMAND = Path(__file__).parent / "peak.py"
# A day of events is written again and again, each copy a day later.
DAY_ROWS_MOST = 10_000_000


def of_table(contest: Contest, name: str, rows: int, what: str) -> None:
    """Peak memory of `write` or `query` above what was held before, and over the size of the table."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/events.parquet"
        day_of_events(rows).write_parquet(file)
        print(f"{name:<42}{rows:>11,}   {measured(contest, what, file)}", flush=True)


def of_file(contest: Contest, name: str, rows: int) -> None:
    """Rate and peak memory of Q1 in one pass over a Parquet file."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/events.parquet"
        write_days(file, rows)
        size = Path(file).stat().st_size / 2**20
        print(f"{name:<42}{rows:>11,}   a file of {size:,.0f} MiB", flush=True)
        for what in ("shardstream", "polars-streaming", "duckdb", "datafusion"):
            print(f"{'':<42}{'':>11}   {what:<17}{measured(contest, what, file)}", flush=True)


def write_days(file: str, rows: int) -> None:
    """A file of several days, written without holding more than one."""
    day = day_of_events(min(rows, DAY_ROWS_MOST))
    copies = -(-rows // day.height)
    days = [day.lazy().with_columns(pl.col("ts") + pl.duration(microseconds=DAY_US * copy)) for copy in range(copies)]
    pl.concat(days).head(rows).sink_parquet(file, maintain_order=True)


def measured(contest: Contest, what: str, file: str) -> str:
    """What a process of its own says of one piece of work."""
    command = [sys.executable, str(COMMAND), what, file, str(contest.settings.threads)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def environment(threads: int) -> dict[str, str]:
    """The environment that bounds the threads of all."""
    bounds = dict.fromkeys(("POLARS_MAX_THREADS", "SHARDSTREAM_THREADS", "TOKIO_WORKER_THREADS"), str(threads))
    return os.environ | bounds
