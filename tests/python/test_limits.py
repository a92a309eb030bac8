"""Throttling as Amazon does it: records and bytes a second, reads a second."""

import datetime

import polars as pl
import pytest

import shardstream as ss
from shardstream import errors

MEBIBYTE = 2**20


def a_limited_stream(shards=1):
    clock = ss.ManualClock()
    return clock, ss.Engine(clock=clock, limits="aws").create_stream("clicks", shards=shards)


def test_put_when_a_shard_had_1_000_records_this_second_then_is_refused():
    _, stream = a_limited_stream()
    for _ in range(1_000):
        stream.put(b"", key="user-42")
    with pytest.raises(errors.ProvisionedThroughputExceededException, match=r"Rate exceeded for shard shardId-0{12} "):
        stream.put(b"", key="user-42")
    assert len(stream) == 1_000


def test_put_when_the_second_is_over_then_is_taken_again():
    clock, stream = a_limited_stream()
    stream.put_many((b"", "user-42") for _ in range(1_001))
    clock.advance("1s")
    assert stream.put_many((b"", "user-42") for _ in range(1_001)).failed_record_count == 1


def test_put_when_limits_are_off_then_nothing_is_refused():
    stream = ss.Engine(clock=ss.ManualClock()).create_stream("clicks", shards=1)
    assert stream.put_many((b"", "user-42") for _ in range(5_000)).failed_record_count == 0


def test_put_when_one_shard_is_full_then_others_take_records():
    _, stream = a_limited_stream(2)
    stream.put_many((b"", "user-42", 0) for _ in range(1_001))
    assert stream.put(b"", key="user-42", explicit_hash_key=2**128 - 1).shard_id == "shardId-000000000001"


def test_put_when_keys_and_data_fill_a_mebibyte_then_the_next_byte_is_refused():
    _, stream = a_limited_stream()
    key = "k" * 256
    for _ in range(4):
        stream.put(bytes(MEBIBYTE // 4 - 256), key=key)
    with pytest.raises(errors.ProvisionedThroughputExceededException):
        stream.put(b"", key=key)
    assert len(stream) == 4


def test_put_many_when_capacity_ends_midway_then_each_record_says_for_itself():
    _, stream = a_limited_stream(2)
    records = [(b"%d" % i, "user-42", (i % 3 == 0) * (2**128 - 1)) for i in range(2_000)]
    results = stream.put_many(records)
    stored = {int(record.data) for record in stream.read()}
    for i, result in enumerate(results):
        assert isinstance(result, ss.PutResult if i in stored else ss.PutError)
    refused = [result for result in results if isinstance(result, ss.PutError)]
    assert len(refused) == results.failed_record_count == 2_000 - len(stored)
    assert {error.code for error in refused} == {"ProvisionedThroughputExceededException"}
    assert all(error.message.startswith("Rate exceeded for shard") for error in refused)
    assert len(stored) == 1_000 + 667


def send_by_write(frame, stream):
    return stream.write(frame, key="key")


def send_by_replay(frame, stream):
    return ss.replay(frame, stream, key="key")


@pytest.mark.parametrize("send", [send_by_write, send_by_replay])
def test_table_when_throttled_then_failed_rows_are_exactly_those_not_stored(send):
    _, stream = a_limited_stream(3)
    frame = pl.DataFrame({"key": [f"user-{i % 11}" for i in range(5_000)], "row": range(5_000)})
    report = send(frame, stream)
    stored = set(pl.DataFrame(stream.read().rows())["row"].to_list())
    assert set(report.failed_rows) == set(range(5_000)) - stored
    assert (report.records, report.throttled, report.rows) == (len(stored), 5_000 - len(stored), 5_000)
    assert 0 < len(stored) <= 3_000


def test_replay_when_its_time_is_slow_enough_then_nothing_is_throttled():
    _, stream = a_limited_stream()
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    times = [start + datetime.timedelta(milliseconds=2 * i) for i in range(5_000)]
    frame = pl.DataFrame({"key": ["user-42"] * 5_000, "at": times})
    report = ss.replay(frame, stream, key="key", time="at")
    assert (report.records, report.throttled) == (5_000, 0)


def test_pairs_when_throttled_then_report_counts_them():
    _, stream = a_limited_stream()
    report = ss.replay((("user-42", b"%d" % i) for i in range(1_200)), stream)
    assert (report.records, report.throttled) == (1_000, 200)
    assert set(report.failed_rows) == set(range(1_200)) - {int(record.data) for record in stream.read()}


def test_read_when_a_shard_was_read_five_times_this_second_then_is_refused():
    clock, stream = a_limited_stream(2)
    for _ in range(5):
        stream.read(shard_id="shardId-000000000000")
    with pytest.raises(errors.ProvisionedThroughputExceededException):
        stream.read(shard_id="shardId-000000000000")
    stream.read(shard_id="shardId-000000000001")
    clock.advance("1s")
    stream.read(shard_id="shardId-000000000000")


def test_update_shard_count_when_more_than_doubled_or_less_than_halved_then_refuses():
    _, stream = a_limited_stream(4)
    for target in (9, 1):
        with pytest.raises(errors.InvalidArgumentException, match="double"):
            stream.update_shard_count(target)
    stream.update_shard_count(8)
    stream.update_shard_count(4)


def test_update_shard_count_when_done_ten_times_today_then_refuses_till_tomorrow():
    clock, stream = a_limited_stream(2)
    for i in range(10):
        stream.update_shard_count(3 if i % 2 == 0 else 2)
    with pytest.raises(errors.LimitExceededException, match="10 times"):
        stream.update_shard_count(3)
    clock.advance("24h1ms")
    stream.update_shard_count(3)
