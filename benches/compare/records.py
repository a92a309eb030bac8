"""Records as JSON: read for a query, and made from rows that were written as columns."""

import io
from collections.abc import Callable
from functools import partial

import duckdb
import polars as pl
import pyarrow as pa

import shardstream as ss
from compare.contest import OURS, Contest
from compare.events import Events
from compare.windows import FIVE_BY_SQL, Q1_AGREES, q1_by_polars, q1_of

FIELDS = {"ts": pl.String, "user_id": pl.String, "region": pl.String, "amount": pl.Float64}
TIME = pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")


def json_texts(events: Events) -> pl.DataFrame:
    """A row's key and its JSON, a fifth of the events."""
    some = events.polars.head(max(events.rows // 5, 1))
    with ss.Engine() as engine:
        stream = engine.create_stream("typed", shards=1)
        stream.write(some, key="user_id")
        records = pl.DataFrame(stream.read()).select(pl.col("partition_key").alias("user_id"), "data")
    return records.with_columns(pl.col("data").cast(pl.String)).rechunk()


def q1_over_json(contest: Contest, name: str, events: Events) -> None:
    """Q1 where records are JSON."""
    texts = json_texts(events)
    blob = "\n".join(texts["data"]).encode()
    decoded = texts.lazy().select(pl.col("data").str.json_decode(pl.Struct(FIELDS))).unnest("data")
    with ss.Engine() as engine:
        stream = engine.create_stream("texts", shards=4)
        stream.write(texts, key="user_id", data="data")
        works = {
            OURS: q1_of(stream).collect,
            "polars": lambda: read_ndjson(blob).collect(),
            "polars-streaming": lambda: read_ndjson(blob).collect(engine="streaming"),
            "duckdb": by_duckdb(texts, events.threads),
            "polars-json_decode": partial(q1_by_polars(decoded.with_columns(TIME)).collect, engine="streaming"),
        }
        contest.run(name, texts.height, works, Q1_AGREES)


def read_ndjson(blob: bytes) -> pl.LazyFrame:
    """Q1 over one buffer of lines."""
    lines = pl.scan_ndjson(io.BytesIO(blob), schema=FIELDS)
    return q1_by_polars(lines.with_columns(TIME))


def by_duckdb(texts: pl.DataFrame, threads: int) -> Callable[[], object]:
    """Q1 over a column of JSON, each text parsed once."""
    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}; set TimeZone = 'UTC'; set enable_progress_bar = false")
    connection.register("texts", texts.to_arrow(compat_level=pl.CompatLevel.newest()))
    connection.execute("create table t as select data::json as data from texts")
    shape = '{"ts": "TIMESTAMP", "region": "VARCHAR", "amount": "DOUBLE"}'
    query = (
        f"select date_trunc('minute', row.ts) as window_start, row.region as region, "
        f"{FIVE_BY_SQL.replace('amount', 'row.amount')} "
        f"from (select from_json(data, '{shape}') as row from t) group by 1, 2"
    )
    return lambda: connection.sql(query).to_arrow_table()


def json_of_rows(contest: Contest, name: str, events: Events) -> None:
    """The JSON of rows that were written as columns, as a column of texts or a buffer of lines."""
    some = Events(events.polars.head(max(events.rows // 5, 1)).rechunk(), events.threads)
    records = some.stream.read()
    connection = some.duckdb

    def ours() -> pa.Table:
        return pa.table(records.select("data"))

    def lines() -> io.BytesIO:
        buffer = io.BytesIO()
        some.polars.write_ndjson(buffer)
        return buffer

    works = {
        OURS: ours,
        "polars": lines,
        "duckdb": lambda: connection.sql("select to_json(t)::varchar as data from t").to_arrow_table(),
        "polars-json_encode": lambda: some.polars.select(pl.struct(pl.all()).struct.json_encode()),
    }
    check_texts(ours()["data"], lines(), some)
    contest.run(name, some.rows, works)
    # The shard, the sequence number, the time of arrival and the key beside it; peers write JSON alone.
    contest.run(f"{name} as whole records", some.rows, works | {OURS: lambda: pa.table(records)})


def check_texts(ours: pa.ChunkedArray, theirs: io.BytesIO, events: Events) -> None:
    """Fail unless both texts say the rows that they were made of."""
    texts = pl.from_arrow(ours).cast(pl.String)
    wanted = events.polars.select("user_id", "region", "amount")
    read = texts.str.json_decode(pl.Struct(FIELDS)).struct.unnest()
    assert read.select("user_id", "region", "amount").equals(wanted), "the JSON of rows is not the rows"
    theirs.seek(0)
    assert pl.read_ndjson(theirs, schema=FIELDS).select("user_id", "region", "amount").equals(wanted)
