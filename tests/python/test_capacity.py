"""What shards took and what made them hot, beside polars and beside streams with limits."""

import datetime
import json

import numpy as np
import polars as pl
import pytest

import shardstream as ss

START = datetime.datetime(2026, 1, 1, 9, tzinfo=datetime.UTC)
ROWS = 20_000


def table(rows: int = ROWS, seed: int = 7) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.integers(0, 10_000, rows))
    users = rng.zipf(1.4, rows) % 500
    return pl.DataFrame(
        {
            "user": [f"user-{number}" for number in users],
            "amount": rng.integers(0, 1_000, rows),
            "at": [START + datetime.timedelta(milliseconds=int(each)) for each in seconds],
        }
    ).with_columns(pl.col("at").cast(pl.Datetime("ms", "UTC")))


@pytest.fixture(params=["memory", "folder"])
def clicks(request, tmp_path):
    path = None if request.param == "memory" else tmp_path / "events"
    with ss.Engine(path, clock=ss.ManualClock(START), durability="commit") as engine:
        stream = engine.create_stream("clicks", shards=3)
        stream.write(table(), key="user", time="at")
        if path is not None:
            stream.seal()
        yield stream


def measured(stream):
    """Each record's shard, size and time, by polars."""
    rows = pl.DataFrame(stream.read())
    size = pl.col("data").bin.size() + pl.col("partition_key").str.len_bytes()
    return rows.with_columns(bytes=size.cast(pl.Int64))


def test_traffic_when_measured_then_polars_counts_the_same_by_shard(clicks):
    traffic = clicks.traffic()
    expected = (
        measured(clicks)
        .group_by("shard_id")
        .agg(
            records=pl.len().cast(pl.Int64),
            bytes=pl.col("bytes").sum(),
            first_arrival=pl.col("arrival_time").min(),
            last_arrival=pl.col("arrival_time").max(),
        )
    )
    found = pl.DataFrame(traffic.shards).select(expected.columns)
    assert found.sort("shard_id").equals(expected.sort("shard_id").cast(found.schema))
    assert (traffic.records, traffic.surveyed, traffic.stream) == (ROWS, ROWS, "clicks")


def test_traffic_when_by_a_column_then_bins_hold_what_polars_puts_there(clicks):
    traffic = clicks.traffic(time="at")
    assert traffic.bin == datetime.timedelta(milliseconds=200)
    payload = pl.DataFrame(clicks.read().rows()).select("at")
    expected = (
        pl.concat([measured(clicks), payload], how="horizontal")
        .group_by("shard_id", time=pl.col("at").dt.truncate("200ms"))
        .agg(records=pl.len().cast(pl.Int64), bytes=pl.col("bytes").sum())
    )
    found = pl.DataFrame(traffic.history).select(expected.columns)
    assert found.sort(found.columns[:2]).equals(expected.sort(found.columns[:2]).cast(found.schema))
    assert traffic.start == START
    assert traffic.end == START + datetime.timedelta(seconds=10)


def test_traffic_when_of_the_newest_then_the_others_are_left_out(clicks):
    traffic = clicks.traffic(newest=100)
    assert (traffic.records, traffic.surveyed) == (ROWS, 100)
    newest = measured(clicks).tail(100)
    assert sum(traffic.shards.column("records")) == 100
    assert sum(traffic.shards.column("bytes")) == newest["bytes"].sum()
    assert repr(traffic) == "Traffic('clicks', 100 of 20,000 records on 3 shards)"


def test_traffic_when_limits_refuse_then_they_are_counted_where_they_were_refused():
    clock = ss.ManualClock(START)
    stream = ss.Engine(clock=clock, limits="aws").create_stream("clicks", shards=1)
    for second in range(3):
        stream.put_many([(b"page", f"user-{number}") for number in range(1_000 + 100 * second)])
        clock.advance("1s")
    traffic = stream.traffic()
    history = pl.DataFrame(traffic.history)
    assert traffic.shards.column("throttled") == [300]
    assert traffic.shards.column("over_limit") == [0]
    assert history["throttled"].sum() == 300
    assert history.filter(pl.col("time") < START + datetime.timedelta(seconds=1))["throttled"].sum() == 0


def test_traffic_when_json_has_the_time_then_it_is_read_there():
    stream = ss.Engine(clock=ss.ManualClock(START)).create_stream("clicks", shards=1)
    times = [START + datetime.timedelta(seconds=each) for each in (0, 0, 7)]
    stream.put_many([(json.dumps({"at": each.isoformat()}).encode(), "user-42") for each in times])
    stream.put(b'{"at": null}', key="user-42")
    traffic = stream.traffic(time="at")
    assert traffic.shards.to_pylist()[0]["records"] == 4  # one of them at no time
    assert traffic.shards.column("last_arrival") == [times[-1]]
    assert sum(traffic.history.column("records")) == 3


def test_traffic_when_nothing_came_then_it_is_empty():
    traffic = ss.Engine().create_stream("clicks").traffic()
    assert (len(traffic.shards), len(traffic.history), traffic.start, traffic.end) == (0, 0, None, None)


def test_traffic_when_shards_are_many_then_each_has_its_own():
    stream = ss.Engine().create_stream("clicks", shards=10_000)
    stream.write(table(), key="user")
    shards = pl.DataFrame(stream.traffic().shards)
    assert shards["records"].sum() == ROWS
    assert len(shards) == pl.DataFrame(stream.read())["shard_id"].n_unique()


def test_hot_report_when_made_then_its_keys_are_those_that_polars_finds(clicks):
    report = clicks.explain_hot(top=3, time="at")
    assert (
        next(shard.shard_id for shard in report.shards)
        == max(clicks.traffic(time="at").shards.to_pylist(), key=lambda row: (row["over_limit"], row["records"]))[
            "shard_id"
        ]
    )
    keys = (
        measured(clicks)
        .group_by("shard_id", "partition_key")
        .agg(records=pl.len().cast(pl.Int64), bytes=pl.col("bytes").sum())
        .with_columns(share=pl.col("records") / pl.col("records").sum().over("shard_id"))
        .sort("records", "partition_key", descending=[True, False])
    )
    for shard in report.shards:
        assert shard.limit == "records"
        expected = keys.filter(pl.col("shard_id") == shard.shard_id).head(3)
        found = pl.DataFrame(report.keys).filter(pl.col("shard_id") == shard.shard_id)
        assert found.equals(expected.select(found.columns))
        assert (shard.top_key, shard.top_share) == (expected["partition_key"][0], expected["share"][0])
        assert shard.keys == len(keys.filter(pl.col("shard_id") == shard.shard_id))
    assert sum(shard.share for shard in report.shards) == pytest.approx(1)


def test_hot_report_when_threads_differ_then_it_is_the_same():
    def facts(threads):
        stream = ss.Engine(clock=ss.ManualClock(START), threads=threads).create_stream("clicks", shards=3)
        stream.write(table(100_000), key="user")
        report = stream.explain_hot(time="at")
        return (
            str(report),
            report.keys.to_pylist(),
            report.splitting,
            report.salting,
            [shard.split and shard.split.at for shard in report.shards],
        )

    assert facts(1) == facts(2) == facts(5)


def limited(rows, *, split_at=None, salt=None):
    """How many rows a limited stream refuses that is prepared so."""
    clock = ss.ManualClock(START)
    stream = ss.Engine(clock=clock, limits="aws").create_stream("clicks", shards=2)
    for shard_id, at in (split_at or {}).items():
        stream.split_shard(shard_id, at)
    keys, sub_keys = salt or ((), 1)
    turns = dict.fromkeys(keys, 0)
    named = []
    for key in rows["user"]:
        if key in turns:
            named.append(f"{key}-{turns[key] % sub_keys}")
            turns[key] += 1
        else:
            named.append(key)
    salted = rows.with_columns(user=pl.Series(named))
    return ss.replay(salted, stream, key="user", time="at").throttled


def test_remedies_when_done_to_a_limited_stream_then_it_refuses_what_was_said():
    rows = table(30_000)
    stream = ss.Engine(clock=ss.ManualClock(START)).create_stream("clicks", shards=2)
    ss.replay(rows, stream, key="user", time="at")
    report = stream.explain_hot()
    assert report.throttled == limited(rows) > 0
    hot = [shard for shard in report.shards if shard.throttled]
    assert report.splitting == limited(rows, split_at={shard.shard_id: shard.split.at for shard in hot})
    keys = [key for shard in hot for key in shard.salted_keys]
    assert report.salting == {count: limited(rows, salt=(keys, count)) for count in (2, 4, 8)}
    assert sum(shard.throttled for shard in hot) == report.throttled


def put_each(shares, *, shards, count):
    """A stream that took `count` records at once, of keys in turn by their shares."""
    stream = ss.Engine(clock=ss.ManualClock(START)).create_stream("clicks", shards=shards)
    stream.put_many([(b"page", shares[number % len(shares)].format(number)) for number in range(count)])
    return stream


def test_hot_report_when_one_key_is_loud_then_salting_helps_and_a_split_does_not():
    report = put_each(["tenant-42"] * 3 + ["user-{}"], shards=4, count=2_000).explain_hot()
    loud = report.shards[0]
    assert (loud.cause, loud.top_key, loud.split_helps, loud.sub_keys) == ("key", "tenant-42", False, 4)
    assert loud.worst_second == START
    assert loud.worst_second_throttled == loud.throttled == report.throttled
    assert loud.explanation.startswith(f"Key `tenant-42` is {loud.top_share:.0%} of {loud.shard_id}, which took ")
    assert "does not help" in loud.explanation
    assert "Salting `tenant-42` into 4 sub-keys helps" in loud.explanation
    assert str(report) == loud.explanation


def test_hot_report_when_many_keys_are_loud_then_a_split_helps():
    report = put_each(["user-{}"], shards=1, count=1_900).explain_hot()
    (shard,) = report.shards
    assert (shard.cause, shard.throttled, shard.split.throttled) == ("keys", 900, 0)
    assert "helps: nothing would have been throttled" in str(report)


def test_hot_report_when_there_is_one_key_then_a_split_cannot_help():
    report = put_each(["alone"], shards=1, count=1_500).explain_hot()
    assert report.shards[0].split is None
    assert "cannot help: the shard has one key alone" in str(report)


def test_hot_report_when_nothing_was_too_much_then_it_says_so():
    report = put_each(["user-{}"], shards=4, count=100).explain_hot()
    assert (report.throttled, report.salting, {shard.cause for shard in report.shards}) == (0, {}, {"none"})
    assert str(report).startswith("No shard of clicks was over its limits.")
    assert repr(report) == "HotReport('clicks', 100 records, 0 hot shards, throttled=0)"


def test_hot_report_when_nothing_came_then_it_says_so():
    assert str(ss.Engine().create_stream("clicks").explain_hot()) == "clicks: there are no records."


def test_hot_report_when_keys_are_without_number_then_the_heavy_one_is_found():
    rng = np.random.default_rng(7)
    rows = 600_000
    keys = np.where(rng.random(rows) < 0.2, "tenant-42", np.char.add("user-", np.arange(rows).astype(str)))
    stream = ss.Engine(clock=ss.ManualClock(START)).create_stream("clicks", shards=1)
    stream.write(pl.DataFrame({"key": keys}), key="key")
    (shard,) = stream.explain_hot().shards
    assert shard.uncounted > 0
    assert shard.top_key == "tenant-42"
    assert shard.top_share == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda stream: stream.traffic(7), "bins: an int from 8 to 10,000, not 7"),
        (lambda stream: stream.traffic(True), "bins: an int from 8 to 10,000, not True"),
        (lambda stream: stream.traffic(newest=0), "newest: a number of records from 1 on"),
        (lambda stream: stream.explain_hot(0), "top: an int from 1 to 10,000, not 0"),
        (lambda stream: stream.explain_hot(newest="all"), "newest: a number of records from 1 on"),
    ],
)
def test_arguments_when_out_of_range_then_the_error_says_what_is_in_it(call, said):
    stream = ss.Engine().create_stream("clicks")
    with pytest.raises(ss.errors.InvalidArgumentException, match=said):
        call(stream)


def test_time_when_it_is_no_column_or_no_time_then_the_error_names_it(clicks):
    with pytest.raises(ss.errors.ColumnNotFoundError, match="when"):
        clicks.traffic(time="when")
    with pytest.raises(ss.errors.ColumnTypeError, match="amount"):
        clicks.explain_hot(time="amount")
