"""Measures a folder of streams: tables written, openings, and windows over its segments beside DuckDB and polars.

`python benches/store.py [--rows 10000000] [--rounds 3] [--gigabytes 2] [--folder target]`. The disk's own rate, plain
writes of as many bytes and one fdatasync, is taken in the same run, before and after. Cold means that the operating
system was told to forget the files (posix_fadvise); warm, that they were read just before.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from compare.events import day_of_events
from compare.windows import FIVE_BY_SQL, q1_by_polars, q1_of

import shardstream as ss

MEGABYTE = 1_000_000
Q1 = f"select date_trunc('minute', ts) as window_start, region, {FIVE_BY_SQL} from events group by 1, 2"


def main() -> None:
    """Measure, and print a table."""
    options = parsed()
    root = Path(tempfile.mkdtemp(prefix="bench-store-", dir=options.folder))
    try:
        disk = disk_rate(root, options.rounds)
        print(f"{'the disk: 1 GB of plain writes and fdatasync':<58}{disk:>9.0f} MB/s")
        for name, table, column in tables():
            rate = statistics.median(written(root, table, column) for _ in range(options.rounds))
            print(f"{'durable write of 1 GB, ' + name:<58}{rate:>9.0f} MB/s = {rate / disk:.2f} x of the disk")
        disk = disk_rate(root, options.rounds)
        print(f"{'the disk again':<58}{disk:>9.0f} MB/s")
        opened(root, options.gigabytes)
        queries(root, options.rows, options.rounds)
    finally:
        shutil.rmtree(root)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the events that windows are computed over")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gigabytes", type=float, default=2, help="of the store that is opened")
    parser.add_argument("--folder", default="target", help="where the stores are made")
    return parser.parse_args()


def disk_rate(root: Path, rounds: int) -> float:
    """Megabytes a second that the disk takes."""
    block, rates = os.urandom(MEGABYTE), []
    for _ in range(rounds):
        path = root / "plain"
        began = time.perf_counter()
        with path.open("wb", buffering=0) as file:
            for _ in range(1000):
                file.write(block)
            os.fdatasync(file.fileno())
        rates.append(1000 / (time.perf_counter() - began))
        path.unlink()
    return statistics.median(rates)


def tables() -> list[tuple[str, pa.Table, str | None]]:
    """Tables of a gigabyte: of records of two sizes, and of rows."""
    rng, made = np.random.default_rng(7), []
    for size in (1000, 100):
        count = 1_000 * MEGABYTE // size
        data = pa.Array.from_buffers(
            pa.large_binary(),
            count,
            [None, pa.py_buffer(np.arange(count + 1, dtype=np.int64) * size), pa.py_buffer(rng.bytes(count * size))],
        )
        keys = pl.Series(rng.integers(0, 100_000, count)).cast(pl.String).to_arrow()
        made.append((f"records of {size:,} B", pa.table({"key": keys, "data": data}), "data"))
    return made


def written(root: Path, table: pa.Table, column: str | None) -> float:
    """Megabytes a second at which a table is on stable storage."""
    path = root / "written"
    with ss.Engine(path) as engine:
        stream = engine.create_stream("bench", shards=4)
        began = time.perf_counter()
        stream.write(table, key="key", data=column)
        took = time.perf_counter() - began
    shutil.rmtree(path)
    return table.nbytes / MEGABYTE / took


def opened(root: Path, gigabytes: float) -> None:
    """How long a store takes to open that was closed."""
    path = root / "opened"
    _, table, column = tables()[0]
    with ss.Engine(path) as engine:
        stream = engine.create_stream("bench", shards=4)
        for _ in range(max(1, round(gigabytes))):
            stream.write(table, key="key", data=column)
    bytes_kept = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    times = []
    for _ in range(5):
        began = time.perf_counter()
        engine = ss.Engine(path)
        stream = engine.stream("bench")
        times.append(time.perf_counter() - began)
        engine.close()
    print(f"{f'opening {bytes_kept / 1e9:.1f} GB that were closed':<58}{statistics.median(times) * 1e3:>9.1f} ms")
    shutil.rmtree(path)


def queries(root: Path, rows: int, rounds: int) -> None:
    """Q1 over sealed segments, from a folder that is opened anew, beside others on the same files."""
    path = root / "queries"
    with ss.Engine(path) as engine:
        engine.create_stream("events", shards=4).write(day_of_events(rows), key="user_id")
    files = sorted(str(file) for file in (path / "events").glob("*/*.arrow"))
    bytes_kept = sum(Path(file).stat().st_size for file in files)
    print(f"\nQ1 over {rows:,} events in {len(files)} segments, {bytes_kept / 1e9:.2f} GB; seconds, cold | warm")
    contestants: dict[str, Callable[[], int]] = {
        "shardstream, opened and replayed": lambda: ours(path),
        "duckdb over the segments (pyarrow dataset)": lambda: with_duckdb(files),
        "polars over the segments (scan_ipc, streaming)": lambda: with_polars(files),
    }
    answers = {name: work() for name, work in contestants.items()}
    if len(set(answers.values())) != 1:
        message = f"the answers differ: {answers}"
        raise RuntimeError(message)
    for name, work in contestants.items():
        cold = statistics.median(timed(work, files, is_cold=True) for _ in range(rounds))
        warm = statistics.median(timed(work, files, is_cold=False) for _ in range(rounds))
        print(f"  {name:<50}{cold:>8.3f} | {warm:.3f}   {rows / warm / 1e6:.0f} M rows/s warm")


def timed(work: Callable[[], int], files: list[str], *, is_cold: bool) -> float:
    """Seconds that a piece of work takes."""
    if is_cold:
        for file in files:
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ours(path: Path) -> int:
    """Windows of Q1 by shardstream."""
    with ss.Engine(path, read_only=True) as engine:
        result = q1_of(engine.stream("events")).collect()
    return len(pl.DataFrame(result))


def with_duckdb(files: list[str]) -> int:
    """Windows of Q1 by DuckDB."""
    events = ds.dataset(files, format="ipc")  # noqa: F841 - the query names it
    return duckdb.sql(Q1).arrow().read_all().num_rows


def with_polars(files: list[str]) -> int:
    """Windows of Q1 by polars."""
    return q1_by_polars(pl.scan_ipc(files)).collect(engine="streaming").height


if __name__ == "__main__":
    main()
