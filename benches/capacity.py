"""What explaining hot shards and measuring traffic cost: ten million records on eight shards, and all of them on one.

    .venv/bin/python benches/capacity.py --rows 10000000 --rounds 5

Records are rows of a table with a plain string key (100,000 users, Zipf) and two numbers; polars counts keys by shard
beside us, on the same rows, which is the smallest part of what explaining does.
"""

import argparse
import statistics
from time import perf_counter

import numpy as np
import polars as pl

import shardstream as ss


def seconds(work, rounds: int) -> float:
    """The median of some rounds."""
    took = []
    for _ in range(rounds):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return statistics.median(took)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    rng = np.random.default_rng(7)
    users = rng.zipf(1.3, asked.rows) % 100_000
    start = np.datetime64("2026-01-01T00:00:00", "ms")
    table = pl.DataFrame(
        {
            "user": pl.Series(users.astype(str)),
            "amount": rng.integers(1, 1000, asked.rows),
            "at": start + np.sort(rng.integers(0, 86_400_000, asked.rows)).astype("timedelta64[ms]"),
        }
    )
    print(f"{asked.rows:,} records, medians of {asked.rounds} rounds")
    for shards in (8, 1):
        with ss.Engine() as engine:
            stream = engine.create_stream("clicks", shards=shards)
            stream.write(table, key="user", time="at")
            hot = seconds(stream.explain_hot, asked.rounds)
            by_time = seconds(lambda: stream.explain_hot(time="at"), asked.rounds)  # noqa: B023 - called at once
            traffic = seconds(stream.traffic, asked.rounds)
            newest = seconds(lambda: stream.traffic(newest=1_000_000), asked.rounds)  # noqa: B023 - called at once
            shown = seconds(stream._repr_html_, asked.rounds)
        print(
            f"{shards} shards: explain_hot {hot:.2f} s, explain_hot(time=) {by_time:.2f} s, traffic {traffic:.2f} s, "
            f"traffic(newest=1M) {newest:.3f} s, shown in a notebook {shown:.3f} s"
        )
    counted = seconds(lambda: table.group_by("user").agg(pl.len()).sort("len", descending=True).head(10), asked.rounds)
    print(f"polars counting keys alone: {counted:.2f} s")


if __name__ == "__main__":
    main()
