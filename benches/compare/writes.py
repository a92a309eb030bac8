"""Writes: tables routed to shards by the MD5 of their keys, and records one by one."""

import polars as pl

import shardstream as ss
from compare.contest import OURS, Contest, Work
from compare.events import Events, with_dictionaries

PUTS = 500_000


def write(contest: Contest, name: str, events: Events, shards: int) -> None:
    """A table written to a stream, beside DuckDB that only says each row's shard."""
    contest.run(name, events.rows, {OURS: writer(events.polars, shards), "duckdb": route(events, shards)})
    check_routes(events, shards)


def write_dictionaries(contest: Contest, name: str, events: Events, shards: int) -> None:
    """The same where keys are Arrow dictionaries, as pyarrow holds them; polars makes some anew at every export."""
    coded = Events(with_dictionaries(events.polars), events.threads)
    table = coded.polars.to_arrow()
    contest.run(name, events.rows, {OURS: writer(table, shards), "duckdb": route(coded, shards)})


def writer(table: object, shards: int) -> Work:
    """Writes a table to a stream of its own."""

    def work() -> None:
        with ss.Engine() as engine:
            engine.create_stream("events", shards=shards).write(table, key="user_id")

    return work


def route(events: Events, shards: int) -> Work:
    """Each row's shard in SQL: the first 16 bits of its key's MD5, whose bytes DuckDB gives the other way round."""
    query = (
        "select (((md5_number_upper(user_id) & 255) * 256 + ((md5_number_upper(user_id) >> 8) & 255)) "
        f"* {shards} // 65536)::usmallint as shard from t"
    )
    connection = events.duckdb
    return lambda: connection.sql(query).to_arrow_table()


def check_routes(events: Events, shards: int) -> None:
    """Fail unless DuckDB found the shards that we did."""
    with ss.Engine() as engine:
        report = engine.create_stream("events", shards=shards).write(events.polars, key="user_id")
    theirs = pl.from_arrow(route(events, shards)()).group_by("shard").len()
    found = {f"shardId-{shard:012}": count for shard, count in theirs.iter_rows()}
    assert found == {shard: count for shard, count in report.per_shard.items() if count}, "routes differ"


def put(contest: Contest, name: str, _events: Events) -> None:
    """Single records from a Python loop."""
    data, keys = b"x" * 100, [f"user-{i % 1000}" for i in range(PUTS)]

    def loop() -> None:
        with ss.Engine() as engine:
            store = engine.create_stream("puts", shards=4).put
            for key in keys:
                store(data, key)

    contest.run(name, PUTS, {OURS: loop})


def put_many(contest: Contest, name: str, _events: Events) -> None:
    """A list of records in one call."""
    data = b"x" * 100
    pairs = [(data, f"user-{i % 1000}") for i in range(PUTS)]

    def many() -> None:
        with ss.Engine() as engine:
            engine.create_stream("puts", shards=4).put_many(pairs)

    contest.run(name, PUTS, {OURS: many})
