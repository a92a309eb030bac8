"""The events that all work on, in the form that each likes best."""

from datetime import UTC, datetime
from functools import cached_property

import datafusion
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

import shardstream as ss

DAY_US = 86_400_000_000
# What DataFusion's own readers hand over at once.
BATCH_ROWS = 8_192


def day_of_events(rows: int, users_most: int = 100_000) -> pl.DataFrame:
    """Events in order of arrival, up to 5 s out of event order."""
    random = np.random.default_rng(7)
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
    times = start + np.sort(random.integers(0, DAY_US, rows)) - random.integers(0, 5_000_000, rows)
    users = np.minimum(random.zipf(1.2, rows), users_most)
    return pl.DataFrame(
        {
            "ts": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            "user_id": "user-" + pl.Series(users).cast(pl.String),
            "region": "region-" + pl.Series(random.integers(0, 20, rows)).cast(pl.String),
            "amount": random.random(rows) * 100,
        }
    ).rechunk()


class Events:
    """One table of events in the hands of each contestant; made when first asked for."""

    def __init__(self, table: pl.DataFrame, threads: int) -> None:
        self.polars = table
        self.threads = threads
        self.engine = ss.Engine()

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.polars.height

    @cached_property
    def lazy(self) -> pl.LazyFrame:
        """The table as polars' users query it."""
        return self.polars.lazy()

    @cached_property
    def arrow(self) -> pa.Table:
        """The same memory as Arrow: polars hands views of strings over as they are."""
        return self.polars.to_arrow(compat_level=pl.CompatLevel.newest())

    @cached_property
    def stream(self) -> ss.Stream:
        """Our stream that the table was written to."""
        stream = self.engine.create_stream(f"events-{id(self)}", shards=4)
        stream.write(self.polars, key="user_id")
        return stream

    @cached_property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """A connection with the table `t` in its own storage, times without a zone, which are its fastest."""
        connection = duckdb.connect()
        connection.execute(f"set threads = {self.threads}; set TimeZone = 'UTC'; set enable_progress_bar = false")
        connection.register("arrow", self.arrow)
        connection.execute("create table t as select * replace (ts at time zone 'UTC' as ts) from arrow")
        connection.unregister("arrow")
        return connection

    @cached_property
    def datafusion(self) -> datafusion.SessionContext:
        """A context with the table `t` as Arrow batches in as many partitions as threads."""
        settings = datafusion.SessionConfig().with_target_partitions(self.threads)
        context = datafusion.SessionContext(settings)
        share = -(-self.rows // self.threads)
        parts = [self.arrow.slice(start, share) for start in range(0, self.rows, share)]
        context.register_record_batches("t", [part.to_batches(max_chunksize=BATCH_ROWS) for part in parts])
        return context

    def sql(self, query: str) -> dict[str, object]:
        """A query for both engines of SQL, its result as Arrow."""
        connection, context = self.duckdb, self.datafusion
        return {
            "duckdb": lambda: connection.sql(query).to_arrow_table(),
            "datafusion": lambda: context.sql(query).to_arrow_table(),
        }

    def lazily(self, query: pl.LazyFrame) -> dict[str, object]:
        """A query for both engines of polars."""
        return {
            "polars": lambda: query.collect(engine="in-memory"),
            "polars-streaming": lambda: query.collect(engine="streaming"),
        }


def with_dictionaries(table: pl.DataFrame) -> pl.DataFrame:
    """The same events with keys that are dictionaries."""
    return table.with_columns(pl.col("user_id", "region").cast(pl.Categorical)).rechunk()
