"""What a type checker says of the public face; mypy reads this file, nothing runs it."""

import datetime
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any, Literal, assert_type

import pandas as pd
import polars as pl
from numpy.typing import NDArray

import shardstream as ss

clock = ss.ManualClock("2026-01-01T00:00:00Z")
assert_type(clock, ss.ManualClock)
assert_type(clock.now(), datetime.datetime)
assert_type(clock.advance("24h"), datetime.datetime)
assert_type(clock.advance(datetime.timedelta(hours=1)), datetime.datetime)
assert_type(clock.set("2026-02-01T00:00:00Z"), datetime.datetime)

engine = ss.Engine(clock=clock, limits="aws", region="eu-west-1", account_id="123456789012", seed=7)
assert_type(engine, ss.Engine)
assert_type(engine.clock, ss.ManualClock | ss.SystemClock)
assert_type(engine.closed, bool)
assert_type(engine.list_streams(), list[str])
with ss.Engine() as entered:
    assert_type(entered, ss.Engine)

stream = engine.create_stream("clicks", shards=4, retention="24h", mode="PROVISIONED", tags={"team": "web"})
assert_type(stream, ss.Stream)
assert_type(engine.stream("clicks"), ss.Stream)
assert_type(stream.name, str)
assert_type(stream.arn, str)
assert_type(stream.mode, Literal["PROVISIONED", "ON_DEMAND"])
assert_type(stream.tags, dict[str, str])
assert_type(stream.retention, datetime.timedelta)
assert_type(stream.created, datetime.datetime)
assert_type(len(stream), int)

put = stream.put(b"data", key="user-42", explicit_hash_key=None)
assert_type(put, ss.PutResult)
assert_type(put.shard_id, str)
assert_type(put.sequence_number, str)
stream.put(bytearray(b"data"), key="user-42", explicit_hash_key=2**127)
stream.put(memoryview(b"data"), "user-42", "0")

many = stream.put_many([(b"data", "user-42"), (b"data", "user-43")])
assert_type(many, ss.PutManyResult)
assert_type(many.failed_record_count, int)
assert_type(many[0], ss.PutResult | ss.PutError)
for each in many:
    if isinstance(each, ss.PutError):
        assert_type(each.code, str)
        assert_type(each.message, str)
stream.put_many((b"data", key, 0) for key in ("user-42", "user-43"))
stream.put_many([(b"data", "user-42"), (b"data", "user-43", 2**100)])

frame = pl.DataFrame({"user_id": ["user-42"], "ts": [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)]})
written = stream.write(frame, key="user_id", time="ts")
assert_type(written, ss.WriteReport)
assert_type(written.records, int)
assert_type(written.rows, int)
assert_type(written.bytes, int)
assert_type(written.per_shard, dict[str, int])
assert_type(written.throttled, int)
assert_type(written.failed_rows, list[int])
stream.write(pd.DataFrame({"user_id": ["user-42"]}), key="user_id", data="user_id", null_key="nobody")

records = stream.read(start="TRIM_HORIZON", end=None, shard_id=None, limit=None)
assert_type(records, ss.Records)
assert_type(records[0], ss.Record)
assert_type(records[1:], Sequence[ss.Record])
assert_type(records.select("data", "shard_id"), ss.Table)
assert_type(records[0].data, bytes)
assert_type(records[0].partition_key, str)
assert_type(records[0].sequence_number, str)
assert_type(records[0].shard_id, str)
assert_type(records[0].arrival_time, datetime.datetime)
assert_type([record.data for record in records], list[bytes])
assert_type(len(records), int)
assert_type(records.rows(), ss.Table)
assert_type(records.to_numpy("arrival_time"), NDArray[Any])
assert_type(pl.DataFrame(records), pl.DataFrame)
stream.read(records[0])
stream.read(put, end=("AFTER_SEQUENCE_NUMBER", put.sequence_number))
stream.read("15m", end=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
stream.read(datetime.timedelta(minutes=15))
assert_type(stream.follow(start="LATEST", timeout="10s"), Iterator[ss.Record])
assert_type(stream.follow_async(start="LATEST", timeout="10s"), AsyncGenerator[ss.Record, None])

shard = stream.shards()[0]
assert_type(shard, ss.Shard)
assert_type(shard.shard_id, str)
assert_type(shard.parent_shard_id, str | None)
assert_type(shard.adjacent_parent_shard_id, str | None)
assert_type(shard.starting_hash_key, int)
assert_type(shard.ending_hash_key, int)
assert_type(shard.starting_sequence_number, str)
assert_type(shard.ending_sequence_number, str | None)
assert_type(shard.is_open, bool)
stream.split_shard(shard.shard_id, at=2**100)
stream.merge_shards("shardId-000000000001", "shardId-000000000002")
stream.update_shard_count(8)
stream.increase_retention("48h")
stream.decrease_retention(datetime.timedelta(hours=24))

report = ss.replay("flights.parquet", stream, key="carrier", time="scheduled", speed="max")
assert_type(report, ss.ReplayReport)
assert_type(report.records, int)
assert_type(report.rows, int)
assert_type(report.bytes, int)
assert_type(report.per_shard, dict[str, int])
assert_type(report.throttled, int)
assert_type(report.failed_rows, list[int])
assert_type(report.elapsed, float)
assert_type(report.events_per_second, float)
assert_type(report.first_event_time, datetime.datetime | None)
replaying = ss.replay("flights.parquet", stream, key="carrier", background=True)
assert_type(replaying.result("10s"), ss.ReplayReport)
assert_type(replaying.stop(), ss.ReplayReport)
assert_type(replaying.done, bool)
assert_type(replaying.rows, int)
ss.replay([("user-42", b"data")], stream, progress=lambda rows: None, limit=10)
ss.replay(frame, stream, key="user_id", time="ts", speed=60, delay="5s", progress=True)

query = stream.window(ss.tumble("1m"), time="ts", watermark="5s", allowed_lateness="0s").by("region")
assert_type(query, ss.WindowQuery)
query = query.agg(
    ss.mean("amount"),
    n=ss.count(),
    total=ss.sum("amount"),
    p99=ss.quantile("amount", 0.99),
)
assert_type(query, ss.WindowQuery)
result = query.collect(order="arrival")
assert_type(result, ss.WindowResult)
assert_type(result.late, ss.Table)
assert_type(result.malformed, ss.Table)
assert_type(result.stats, ss.QueryStats)
assert_type(result.stats.late_rows, int)
assert_type(result.stats.watermark, datetime.datetime | None)
assert_type(result.stats.max_lateness, datetime.timedelta | None)
assert_type(result.keys, tuple[str, ...])
assert_type(result.window, ss.Window | None)
result.plot("total", by="region", kind="step", backend="altair")
stream.plot(time="ts")
stream.plot("lineage", backend="matplotlib")
report.plot()
assert_type(result.column_names, list[str])
assert_type(result.schema, dict[str, str])
assert_type(result.shape, tuple[int, int])
assert_type(result.to_pylist(), list[dict[str, Any]])
assert_type(result.column("n"), list[Any])
assert_type(pl.DataFrame(result), pl.DataFrame)
assert_type(query.follow(emit="final"), Iterator[ss.WindowResult])
assert_type(query.follow(emit="changes", timeout="1s"), Iterator[ss.WindowResult])
assert_type(query.follow_async(emit="changes", timeout="1s"), AsyncGenerator[ss.WindowResult, None])
with stream.live(query, every="250ms", rows=10, timeout="1m", start="TRIM_HORIZON", end="LATEST") as view:
    assert_type(view.windows, list[dict[str, Any]])
    assert_type(view.is_live, bool)
    assert_type(view.wait("1s"), bool)
assert_type(ss.window(frame, ss.hop(size="5m", slide="1m"), time="ts").by("region"), ss.WindowQuery)

for window in (
    ss.tumble("1m", offset="10s"),
    ss.hop(size="5m", slide="1m"),
    ss.session("30m"),
    ss.cumulate(size="1d", step="1h"),
    ss.rolling(datetime.timedelta(minutes=10)),
):
    assert_type(window, ss.Window)
for aggregate in (
    ss.count("amount"),
    ss.min("amount"),
    ss.max("amount"),
    ss.first("amount", ignore_nulls=True),
    ss.last("amount"),
    ss.var("amount", ddof=0),
    ss.std("amount"),
    ss.count_distinct("amount"),
    ss.approx_count_distinct("amount"),
    ss.median("amount"),
    ss.quantile("amount", 0.5, interpolation="lower"),
    ss.top_k("amount", 3),
):
    assert_type(aggregate, ss.Aggregate)

try:
    engine.stream("nowhere")
except ss.errors.ShardstreamError as error:
    assert_type(error.code, str)

with ss.testing.mock_kinesis(limits="aws") as mocked:
    assert_type(mocked, ss.Engine)


@ss.testing.mock_kinesis()
def counted(number: int) -> int:
    return number


@ss.testing.mock_kinesis
async def awaited() -> str:
    return ""


assert_type(counted(1), int)
fault = engine.faults.throttle("PutRecord", times=2, shard_id="shardId-000000000000", required=False)
assert_type(fault, ss.testing.Fault)
assert_type(fault.fired, int)
assert_type(engine.faults.fired, list[ss.testing.Fired])
ss.testing.assert_no_loss([b"page"], [b"page"], allow_duplicates=False)
