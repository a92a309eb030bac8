"""Measures what README claims, beside polars and DuckDB on the same data in the same run.

`python benches/compare.py [--rows 5000000] [--rounds 5]`. Each figure is the median of the rounds, ours and the peers'
taken in turn; answers are compared before anything is timed. Peers use the threads they choose; ours use one.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet

import shardstream as ss

FLIGHTS = Path(__file__).parent.parent / "notebooks" / "data" / "flights.parquet"
DAY_US = 86_400_000_000
PUTS = 500_000


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory-of", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        memory(*options.memory_of)
        return
    print(
        f"shardstream {ss.__version__}, polars {pl.__version__} ({pl.thread_pool_size()} threads), "
        f"duckdb {duckdb.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; median of {options.rounds}\n"
    )
    print(f"{'work':<44}{'rows':>12}{'shardstream':>14}{'polars':>12}{'duckdb':>12}   ratio to the best peer")
    flights(options.rounds)
    events(options.rows, options.rounds)
    puts(options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/events.parquet"
        day_of_events(options.rows).write_parquet(file)
        for what in ("write", "query"):
            subprocess.run([sys.executable, __file__, "--memory-of", what, file], check=True)


def flights(rounds: int) -> None:
    """The demo's query, over the stream that the flights were written to."""
    table = pl.read_parquet(FLIGHTS)
    connection = duckdb.connect()
    with ss.Engine() as engine:
        stream = engine.create_stream("flights", shards=4)
        stream.write(table, key="tailnum", null_key="unknown")
        query = (
            stream.window(ss.tumble("1d"), time="scheduled")
            .by("origin")
            .agg(n=ss.count(), mean=ss.mean("dep_delay"), p95=ss.quantile("dep_delay", 0.95))
        )
        by_polars = (
            table.lazy()
            .group_by(pl.col("scheduled").dt.truncate("1d").alias("window_start"), "origin")
            .agg(
                pl.len().alias("n"),
                pl.col("dep_delay").mean().alias("mean"),
                pl.col("dep_delay").quantile(0.95, "linear").alias("p95"),
            )
        )
        sql = (
            "select time_bucket(interval 1 day, scheduled) w, origin, count(*), avg(dep_delay), "
            "quantile_cont(dep_delay, 0.95) from t group by all"
        )
        connection.register("t", table.to_arrow())
        agree(query.collect(), by_polars.collect(), ["n", "mean", "p95"], ["window_start", "origin"])
        row(
            "demo query: day by origin, count mean p95",
            len(table),
            rounds,
            query.collect,
            by_polars.collect,
            lambda: connection.sql(sql).to_arrow_table(),
        )


def events(rows: int, rounds: int) -> None:
    """Writes and windows over generated events: a day, 100,000 users, 20 regions, 5 s out of order."""
    table = day_of_events(rows)
    connection = duckdb.connect()
    connection.register("t", table.to_arrow())
    with ss.Engine() as engine:

        def write() -> None:
            engine.create_stream("written", shards=4).write(table, key="user_id")
            engine.delete_stream("written")

        row("write: route 4 shards by MD5 of user_id", rows, rounds, write)
        stream = engine.create_stream("events", shards=4)
        stream.write(table, key="user_id")
        minute = pl.col("ts").dt.truncate("1m").alias("window_start")
        amount = pl.col("amount")
        sums = [amount.sum().alias("total"), amount.mean().alias("mean"), amount.min().alias("least")]

        query = (
            stream.window(ss.tumble("1m"), time="ts")
            .by("region")
            .agg(
                n=ss.count(),
                total=ss.sum("amount"),
                mean=ss.mean("amount"),
                least=ss.min("amount"),
                most=ss.max("amount"),
            )
        )
        by_polars = table.lazy().group_by(minute, "region").agg(pl.len().alias("n"), *sums, amount.max().alias("most"))
        agree(query.collect(), by_polars.collect(), ["n", "total", "mean", "least", "most"], ["window_start", "region"])
        sql = (
            "select time_bucket(interval 1 minute, ts), region, count(*), sum(amount), avg(amount), min(amount), "
            "max(amount) from t group by all"
        )
        row(
            "Q1: minute by region, count sum mean min max",
            rows,
            rounds,
            query.collect,
            by_polars.collect,
            lambda: connection.sql(sql).to_arrow_table(),
        )
        query = stream.window(ss.tumble("1m"), time="ts").by("user_id").agg(n=ss.count(), total=ss.sum("amount"))
        by_polars = table.lazy().group_by(minute, "user_id").agg(pl.len().alias("n"), amount.sum().alias("total"))
        agree(query.collect(), by_polars.collect(), ["n", "total"], ["window_start", "user_id"])
        sql = "select time_bucket(interval 1 minute, ts), user_id, count(*), sum(amount) from t group by all"
        row(
            "Q2: minute by user, count sum",
            rows,
            rounds,
            query.collect,
            by_polars.collect,
            lambda: connection.sql(sql).to_arrow_table(),
        )


def puts(rounds: int) -> None:
    """Single records from a Python loop, and many in one call."""
    data, keys = b"x" * 100, [f"user-{i % 1000}" for i in range(PUTS)]
    pairs = [(data, key) for key in keys]

    def loop() -> None:
        with ss.Engine() as engine:
            put = engine.create_stream("puts", shards=4).put
            for key in keys:
                put(data, key)

    def many() -> None:
        with ss.Engine() as engine:
            engine.create_stream("puts", shards=4).put_many(pairs)

    row("put(100 bytes, key) in a Python loop", PUTS, rounds, loop)
    row("put_many of a list of tuples", PUTS, rounds, many)


def row(name: str, rows: int, rounds: int, ours: Callable[[], object], *peers: Callable[[], object]) -> None:
    """Time ours and each peer in turn, and print rows a second."""
    seconds: list[list[float]] = [[] for _ in range(1 + len(peers))]
    for _ in range(rounds):
        for times, work in zip(seconds, (ours, *peers), strict=True):
            began = perf_counter()
            work()
            times.append(perf_counter() - began)
    rates = [rows / statistics.median(times) for times in seconds]
    shown = "".join(f"{rate / 1e6:>10.2f} M/s"[-12:] for rate in rates[1:])
    ratio = f"{rates[0] / max(rates[1:]):>9.2f} x" if peers else ""
    print(f"{name:<44}{rows:>12,}{rates[0] / 1e6:>10.2f} M/s{shown:<24}{ratio}", flush=True)


def agree(ours: ss.WindowResult, theirs: pl.DataFrame, values: list[str], keys: list[str]) -> None:
    """Fail unless both computed the same."""
    mine = pl.DataFrame(ours).select(keys + values).sort(keys)
    theirs = theirs.select(keys + values).sort(keys)
    assert mine.height == theirs.height, (mine.height, theirs.height)
    for value in values:
        apart = (mine[value].cast(pl.Float64) - theirs[value].cast(pl.Float64)).abs()
        worst = (apart / theirs[value].cast(pl.Float64).abs().clip(1.0)).max()
        assert worst is None or worst < 1e-9, f"{value}: {worst}"


def day_of_events(rows: int) -> pl.DataFrame:
    """Events in order of arrival, up to 5 s out of event order."""
    random = np.random.default_rng(7)
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
    times = start + np.sort(random.integers(0, DAY_US, rows)) - random.integers(0, 5_000_000, rows)
    users = np.minimum(random.zipf(1.2, rows), 100_000)
    return pl.DataFrame(
        {
            "ts": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            "user_id": "user-" + pl.Series(users).cast(pl.String),
            "region": "region-" + pl.Series(random.integers(0, 20, rows)).cast(pl.String),
            "amount": random.random(rows) * 100,
        }
    ).rechunk()


def memory(what: str, file: str) -> None:
    """Print the peak memory of one piece of work, over the size of its input; in a process of its own."""
    # In memory of its own, aligned, from an allocator that gives back at once what is freed.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    table = pyarrow.parquet.read_table(file, pre_buffer=False).combine_chunks()
    rows, size = len(table), table.nbytes
    with ss.Engine() as engine:
        stream = engine.create_stream("events", shards=4)
        if what == "query":
            stream.write(table, key="user_id")
        before = peak_since_reset()
        if what == "write":
            stream.write(table, key="user_id")
        else:
            stream.window(ss.tumble("1m"), time="ts").by("region").agg(n=ss.count(), total=ss.sum("amount")).collect()
        peak = status("VmHWM") - before
    name = "peak memory of write" if what == "write" else "peak memory of Q1"
    print(f"{name:<44}{rows:>12,}  {peak / 2**20:,.0f} MiB above {size / 2**20:,.0f} MiB of input: {peak / size:.2f} x")


def peak_since_reset() -> int:
    """Forget the peak so far (Linux), and return what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def status(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    message = f"{name} is not in /proc/self/status: memory is measured on Linux"
    raise SystemExit(message)


if __name__ == "__main__":
    main()
