"""One piece of work and its peak memory, in a process that imports nothing else: `peak.py WHAT FILE THREADS`."""

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

Q1_OF_FILE = "select {} as window_start, region, count(*) as n, sum(amount) as total from {} group by 1, 2"


def main() -> None:
    """Do one piece of work and print its peak memory."""
    what, file, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if what in ("write", "query"):
        report_of_table(what, file)
        return
    work = passes(file, threads)[what]()
    before = peak_since_reset()
    began = perf_counter()
    work()
    took = perf_counter() - began
    peak = status("VmHWM")
    import pyarrow.parquet

    rows = pyarrow.parquet.ParquetFile(file).metadata.num_rows
    print(
        f"{rows / took / 1e6:>8.2f} million rows a second, peak {peak / 2**20:>7,.0f} MiB, "
        f"{(peak - before) / 2**20:>7,.0f} MiB of them for the query"
    )


def passes(file: str, threads: int) -> dict[str, Callable[[], Callable[[], object]]]:
    """Q1 over a file by each engine: what imports it, and then what runs."""

    def ours() -> Callable[[], object]:
        import shardstream as ss

        query = ss.window(file, ss.tumble("1m"), time="ts").by("region").agg(n=ss.count(), total=ss.sum("amount"))
        return query.collect

    def polars() -> Callable[[], object]:
        import polars as pl

        minute = pl.col("ts").dt.truncate("1m").alias("window_start")
        sums = [pl.len().alias("n"), pl.col("amount").sum().alias("total")]
        return lambda: pl.scan_parquet(file).group_by(minute, "region").agg(sums).collect(engine="streaming")

    def duckdb() -> Callable[[], object]:
        import duckdb

        connection = duckdb.connect()
        connection.execute(f"set threads = {threads}; set enable_progress_bar = false")
        # Truncating times that have a zone is six times as slow.
        minute = "make_timestamp(epoch_us(ts) // 60000000 * 60000000)"
        return lambda: connection.sql(Q1_OF_FILE.format(minute, f"'{file}'")).to_arrow_table()

    def datafusion() -> Callable[[], object]:
        import datafusion

        context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads))
        context.register_parquet("events", file)
        query = Q1_OF_FILE.format("date_trunc('minute', ts)", "events")
        return lambda: context.sql(query).to_arrow_table()

    return {"shardstream": ours, "polars-streaming": polars, "duckdb": duckdb, "datafusion": datafusion}


def report_of_table(what: str, file: str) -> None:
    """Peak memory of our write, or of our query over what was written."""
    import pyarrow as pa
    import pyarrow.parquet

    import shardstream as ss

    # In memory of its own, aligned, from an allocator that gives back at once what is freed.
    pa.set_memory_pool(pa.system_memory_pool())
    table = pyarrow.parquet.read_table(file, pre_buffer=False).combine_chunks()
    size = table.nbytes
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
    print(f"{peak / 2**20:,.0f} MiB above {size / 2**20:,.0f} MiB of input: {peak / size:.2f} x")


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
