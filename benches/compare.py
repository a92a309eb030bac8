"""Measures ours beside polars, DuckDB, DataFusion and numpy, on the same data in the same process.

`python benches/compare.py [--rows 10000000] [--rounds 5] [--threads 1 2] [--only Q1] [--best] [--full]`. The answers
are compared before anything is timed; then ours and the peers take turns, each with as many threads as the others.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from compare import live, memory, records, windows, writes
from compare.contest import Contest, Settings
from compare.events import Events, day_of_events

Row = Callable[[Contest, str, Events], None]

ROWS: dict[str, Row] = {
    "write into 4 shards": partial(writes.write, shards=4),
    "write into 64 shards": partial(writes.write, shards=64),
    "write into 1,024 shards": partial(writes.write, shards=1024),
    "write dictionaries into 4 shards": partial(writes.write_dictionaries, shards=4),
    "write dictionaries into 64 shards": partial(writes.write_dictionaries, shards=64),
    "write dictionaries into 1,024 shards": partial(writes.write_dictionaries, shards=1024),
    "Q1 tumble by region": windows.q1,
    "Q1 over a table": windows.q1_over_table,
    "Q1 over dictionaries": windows.q1_over_dictionaries,
    "Q2 tumble by user": windows.q2,
    "Q3 hop by region": windows.q3,
    "Q4 session by user": windows.q4,
    "Q5 rolling by region": windows.q5,
    "Q6 approximate distinct and p99": windows.q6,
    "Q1 as a stream, followed": live.q1_live,
    "Q1 as a stream, collected": live.q1_arrival,
    "write and Q1 as a stream": live.write_and_q1_live,
    "write and Q1": live.write_and_q1,
    "Q1 over JSON records": records.q1_over_json,
    "JSON of rows": records.json_of_rows,
    "put in a loop": writes.put,
    "put_many": writes.put_many,
    "Q1 small and warm": windows.q1_small,
}
LARGE = {"50M: Q1 tumble by region": windows.q1, "50M: write into 4 shards": partial(writes.write, shards=4)}
LARGE_ROWS = 50_000_000


def main() -> None:
    """Measure in a process for each number of threads."""
    options = parsed()
    if options.part:
        part(options)
    else:
        for threads in options.threads:
            for which in ("usual", "large") if options.full else ("usual",):
                command = [sys.executable, *sys.argv, "--threads", str(threads), "--part", which]
                subprocess.run(command, env=memory.environment(threads), check=True)


def parsed() -> argparse.Namespace:
    """The command line."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, cores}))
    parser.add_argument("--only", default="", metavar="NAME", help="rows with this in their name")
    parser.add_argument(
        "--best", action="store_true", help="of the rounds, the best and not the median: on busy machines"
    )
    parser.add_argument("--processor", action="store_true", help="processor time: for one thread on busy machines")
    parser.add_argument("--patience", type=float, default=2.0, help="seconds; whoever takes longer runs once")
    parser.add_argument("--full", action="store_true", help="50 million rows too")
    parser.add_argument("--report", type=Path, metavar="FILE", help="append every time taken, as lines of JSON")
    parser.add_argument("--part", choices=("usual", "large"), help=argparse.SUPPRESS)
    return parser.parse_args()


def part(options: argparse.Namespace) -> None:
    """Measure in this process, whose environment bounds the threads."""
    settings = Settings(
        rows=LARGE_ROWS if options.part == "large" else options.rows,
        rounds=options.rounds,
        threads=options.threads[0],
        patience=options.patience,
        best=options.best,
        processor=options.processor,
        report=options.report,
    )
    contest = Contest(settings)
    rows = LARGE if options.part == "large" else ROWS
    chosen = {name: row for name, row in rows.items() if options.only in name}
    if chosen:
        contest.header()
        events = Events(day_of_events(settings.rows), settings.threads)
        for name, row in chosen.items():
            row(contest, name, events)
    if options.part == "usual":
        peaks(contest, options)


def peaks(contest: Contest, options: argparse.Namespace) -> None:
    """Peaks of writing, of querying, and of a pass over a file."""
    works = {
        "peak memory of write": partial(memory.of_table, rows=options.rows, what="write"),
        "peak memory of Q1": partial(memory.of_table, rows=options.rows, what="query"),
        "one pass over Parquet": partial(memory.of_file, rows=LARGE_ROWS if options.full else options.rows),
    }
    for name, work in works.items():
        if options.only in name:
            work(contest, name)


if __name__ == "__main__":
    main()
