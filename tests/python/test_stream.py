"""Streams: where records go, and how they are read again."""

import datetime
import hashlib
import threading

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shardstream as ss
from shardstream import errors

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
RING = 2**128
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)


def a_stream(shards=4, *, clock=None, **options):
    engine = ss.Engine(clock=clock or ss.ManualClock(NEW_YEAR), **options)
    return engine.create_stream("clicks", shards=shards)


def a_stream_over_ten_minutes():
    """Records "0" to "9", a minute apart, the first at the new year."""
    clock = ss.ManualClock(NEW_YEAR)
    stream = a_stream(2, clock=clock)
    results = []
    for minute in range(10):
        results.append(stream.put(str(minute).encode(), key=f"user-{minute}"))
        clock.advance("1m")
    return stream, results


def data_of(records):
    return [record.data for record in records]


def owner(stream, hash_key):
    """The open shard whose range holds a hash key."""
    (shard,) = [s for s in stream.shards() if s.is_open and s.starting_hash_key <= hash_key <= s.ending_hash_key]
    return shard.shard_id


@given(keys=st.lists(KEYS, min_size=1, max_size=20), shards=st.integers(1, 300))
def test_put_when_key_is_any_text_then_its_md5_picks_the_shard(keys, shards):
    stream = a_stream(shards)
    for key in keys:
        md5 = int.from_bytes(hashlib.md5(key.encode()).digest())
        assert stream.put(b"", key=key).shard_id == owner(stream, md5)


@given(keys=st.lists(KEYS, min_size=1, max_size=50), shards=st.integers(1, 300))
def test_write_when_keys_are_any_text_then_routes_as_put_does(keys, shards):
    stream = a_stream(shards)
    stream.write(pl.DataFrame({"key": keys}), key="key")
    for record in stream.read():
        md5 = int.from_bytes(hashlib.md5(record.partition_key.encode()).digest())
        assert record.shard_id == owner(stream, md5)


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 1_000])
def test_shards_when_new_then_cut_the_ring_as_kinesis_does(shards):
    width = RING // shards
    ranges = [(shard.starting_hash_key, shard.ending_hash_key) for shard in a_stream(shards).shards()]
    expected = [(i * width, (i + 1) * width - 1) for i in range(shards)]
    expected[-1] = (expected[-1][0], RING - 1)
    assert ranges == expected


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_put_when_explicit_hash_key_at_the_edges_of_a_shard_then_goes_there(shards):
    stream = a_stream(shards)
    for shard in stream.shards():
        for edge in (shard.starting_hash_key, shard.ending_hash_key):
            assert stream.put(b"", key="user-42", explicit_hash_key=edge).shard_id == shard.shard_id
            assert stream.put(b"", key="user-42", explicit_hash_key=str(edge)).shard_id == shard.shard_id


def test_put_when_explicit_hash_key_given_then_record_keeps_its_own_key():
    stream = a_stream()
    stream.put(b"", key="user-42", explicit_hash_key=0)
    assert stream.read()[0].partition_key == "user-42"


@pytest.mark.parametrize("hash_key", [-1, RING, "-1", "", "abc", "01", " 1", True, 1.0, b"1", "\ud800", "\u0661"])
def test_put_when_explicit_hash_key_is_none_then_refuses_and_stores_nothing(hash_key):
    stream = a_stream()
    with pytest.raises(errors.ShardstreamError, match=r"(?i)explicit ?hash ?key"):
        stream.put(b"", key="user-42", explicit_hash_key=hash_key)
    assert len(stream) == 0


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_put_when_data_is_bytes_of_any_kind_then_reads_the_same(kind):
    stream = a_stream()
    every_byte = bytes(range(256))
    stream.put(kind(every_byte), key="user-42")
    assert stream.read()[0].data == every_byte


def test_put_when_bytearray_changes_afterwards_then_record_does_not():
    stream = a_stream()
    data = bytearray(b"before")
    stream.put(data, key="user-42")
    data[:] = b"after!"
    assert stream.read()[0].data == b"before"


@pytest.mark.parametrize("data", ["text", None, 5, [1], {"a": 1}])
def test_put_when_data_is_no_bytes_then_error_says_how_to_make_some(data):
    stream = a_stream()
    with pytest.raises(errors.SerializationException, match=r"data is bytes, not .*encode"):
        stream.put(data, key="user-42")
    assert len(stream) == 0


@pytest.mark.parametrize("key", ["", "k" * 257, "\u00fc" * 257])
def test_put_when_key_too_short_or_long_then_validation_error(key):
    stream = a_stream()
    with pytest.raises(errors.ValidationException, match="1 to 256 characters"):
        stream.put(b"", key=key)
    assert len(stream) == 0


def test_put_when_key_has_256_wide_characters_then_takes_it():
    stream = a_stream()
    stream.put(b"", key="\U0001f600" * 256)
    assert stream.read()[0].partition_key == "\U0001f600" * 256


@pytest.mark.parametrize("key", [None, 5, b"user-42", "\ud800"])
def test_put_when_key_is_no_text_then_serialization_error(key):
    stream = a_stream()
    with pytest.raises(errors.SerializationException, match="partition key is text"):
        stream.put(b"", key=key)
    assert len(stream) == 0


def test_put_when_record_is_exactly_one_mebibyte_with_its_key_then_takes_it():
    stream = a_stream()
    stream.put(bytes(2**20 - 7), key="user-42")
    assert len(stream.read()[0].data) == 2**20 - 7


def test_put_when_record_is_a_byte_over_one_mebibyte_then_refuses():
    stream = a_stream()
    with pytest.raises(errors.ValidationException, match=r"at most 1048576 bytes.*has 1048577"):
        stream.put(bytes(2**20 - 6), key="user-42")
    assert len(stream) == 0


def test_put_when_stream_allows_larger_records_then_takes_them():
    stream = ss.Engine().create_stream("clicks", max_record_size=10 * 2**20)
    stream.put(bytes(10 * 2**20 - 7), key="user-42")
    assert len(stream) == 1


def test_put_when_done_then_result_names_shard_and_number_of_the_record():
    stream = a_stream()
    result = stream.put(b"page", key="user-42")
    record = stream.read()[0]
    assert (result.shard_id, result.sequence_number) == (record.shard_id, record.sequence_number)
    assert len(result.sequence_number) == 56


def test_put_many_when_done_then_results_are_in_the_order_given():
    stream = a_stream()
    results = stream.put_many((str(i).encode(), f"user-{i}") for i in range(100))
    assert len(results) == 100
    assert results.failed_record_count == 0
    for i, result in enumerate(results):
        assert stream.read(result, limit=1, shard_id=result.shard_id)[0].data == str(i).encode()


def test_put_many_when_explicit_hash_keys_given_then_they_route():
    stream = a_stream(2)
    results = stream.put_many([(b"", "user-42", 0), (b"", "user-42", RING - 1), (b"", "user-42", None)])
    shards = [result.shard_id for result in results]
    assert shards[:2] == ["shardId-000000000000", "shardId-000000000001"]
    assert shards[2] == stream.put(b"", key="user-42").shard_id


def test_put_many_result_when_indexed_then_behaves_as_a_sequence():
    results = a_stream().put_many([(b"", "a"), (b"", "b"), (b"", "c")])
    each = list(results)
    assert [results[i] for i in range(-3, 3)] == each + each
    for beyond in (3, -4):
        with pytest.raises(IndexError):
            results[beyond]


@pytest.mark.parametrize(
    "bad",
    [
        (b"x", ""),
        (b"x", "k" * 257),
        ("x", "user-42"),
        (b"x",),
        (b"x", "user-42", RING),
        b"xy",
        None,
        (bytes(2**20), "k"),
    ],
    ids=lambda bad: repr(bad)[:20],
)
def test_put_many_when_one_record_can_never_be_stored_then_stores_none(bad):
    stream = a_stream()
    with pytest.raises(errors.ShardstreamError):
        stream.put_many([(b"x", "user-42"), bad])
    assert len(stream) == 0


def test_put_many_when_key_is_wrong_then_error_names_the_record():
    with pytest.raises(errors.ValidationException, match="record 2"):
        a_stream().put_many([(b"x", "a"), (b"x", "b"), (b"x", "")])


@pytest.mark.parametrize("records", [5, None])
def test_put_many_when_given_no_iterable_then_serialization_error(records):
    with pytest.raises(errors.SerializationException, match="iterable"):
        a_stream().put_many(records)


def test_put_many_when_the_users_generator_raises_then_its_error_comes_through():
    stream = a_stream()
    with pytest.raises(ZeroDivisionError):
        stream.put_many((b"x", str(1 // (3 - i))) for i in range(5))
    assert len(stream) == 0


def test_read_when_nothing_said_then_gives_all_in_order_of_arrival():
    stream, _ = a_stream_over_ten_minutes()
    assert data_of(stream.read()) == [b"%d" % i for i in range(10)]


@pytest.mark.parametrize(
    ("start", "first"),
    [
        (lambda _results: "TRIM_HORIZON", 0),
        (lambda _results: "LATEST", 10),
        (lambda results: results[3], 3),
        (lambda results: results[3].sequence_number, 3),
        (lambda results: ("AT_SEQUENCE_NUMBER", results[3].sequence_number), 3),
        (lambda results: ("AFTER_SEQUENCE_NUMBER", results[3].sequence_number), 4),
        (lambda results: ("AFTER_SEQUENCE_NUMBER", results[3]), 4),
        (lambda _results: NEW_YEAR + datetime.timedelta(minutes=3), 3),
        (lambda _results: NEW_YEAR + datetime.timedelta(minutes=3, milliseconds=1), 4),
        (lambda _results: "2026-01-01T00:03:00Z", 3),
        (lambda _results: "2026-01-01T01:03:00+01:00", 3),
        (lambda _results: ("AT_TIMESTAMP", "2026-01-01T00:03:00Z"), 3),
        (lambda _results: "2025-12-31T00:00:00Z", 0),
        (lambda _results: "7m", 3),
        (lambda _results: datetime.timedelta(minutes=7), 3),
        (lambda _results: "10000d", 0),
    ],
)
def test_read_when_start_given_then_begins_there_and_as_end_stops_before_it(start, first):
    stream, results = a_stream_over_ten_minutes()
    every = [b"%d" % i for i in range(10)]
    assert data_of(stream.read(start(results))) == every[first:]
    if start(results) != "TRIM_HORIZON":
        assert data_of(stream.read(end=start(results))) == every[:first]


def test_read_when_start_is_a_record_then_begins_with_it():
    stream, _ = a_stream_over_ten_minutes()
    assert data_of(stream.read(stream.read()[6])) == [b"6", b"7", b"8", b"9"]


def test_read_when_limit_given_then_gives_the_first_so_many():
    stream, _ = a_stream_over_ten_minutes()
    assert data_of(stream.read(limit=3)) == [b"0", b"1", b"2"]
    assert data_of(stream.read("5m", limit=2**80)) == [b"5", b"6", b"7", b"8", b"9"]


def test_read_when_a_shard_is_named_then_gives_its_records_only():
    stream, results = a_stream_over_ten_minutes()
    for shard in stream.shards():
        its_own = [b"%d" % i for i, result in enumerate(results) if result.shard_id == shard.shard_id]
        assert data_of(stream.read(shard_id=shard.shard_id)) == its_own


@pytest.mark.parametrize(
    "position",
    [
        "nope",
        "",
        "trim_horizon",
        "12345",
        "1" * 56,
        "9" * 5_000,
        "\u00b2",
        5,
        None,
        ("NOPE", "1"),
        ("AT_SEQUENCE_NUMBER",),
        ("AT_SEQUENCE_NUMBER", None),
        ("AFTER_SEQUENCE_NUMBER", "x"),
        ("AT_TIMESTAMP", "2026-01-01"),
        ("AT_TIMESTAMP", 5),
        ([], "1"),
        datetime.datetime(2026, 1, 1),  # noqa: DTZ001 - a time without a timezone is what is refused
        datetime.timedelta(days=-1),
        "2027-01-01T00:00:00Z",
        "99999999999999999999h",
    ],
    ids=lambda position: repr(position)[:30],
)
def test_read_when_start_is_no_position_then_says_so(position):
    stream, _ = a_stream_over_ten_minutes()
    with pytest.raises((errors.InvalidArgumentException, errors.SerializationException)):
        stream.read(position)


def test_read_when_number_is_of_another_shard_then_error_names_both():
    stream = a_stream(2)
    result = stream.put(b"", key="user-42", explicit_hash_key=0)
    with pytest.raises(errors.InvalidArgumentException, match=r"encodes shardId-0{12} .* shardId-0{11}1"):
        stream.read(result, shard_id="shardId-000000000001")


@pytest.mark.parametrize("limit", [0, -1, True, "5", 1.5])
def test_read_when_limit_is_no_count_then_refuses(limit):
    with pytest.raises(errors.InvalidArgumentException, match="limit"):
        a_stream().read(limit=limit)


@pytest.mark.parametrize("shard_id", ["shardId-000000000009", "", "nope", "shardId-9"])
def test_read_when_shard_is_unknown_then_not_found(shard_id):
    with pytest.raises(errors.ResourceNotFoundException, match=f"Shard {shard_id} in stream clicks"):
        a_stream().read(shard_id=shard_id)


def test_retention_when_clock_passes_it_then_records_are_gone():
    clock = ss.ManualClock(NEW_YEAR)
    stream = a_stream(clock=clock)
    stream.put(b"old", key="user-42")
    clock.advance("1h")
    stream.put(b"new", key="user-42")
    clock.advance("22h59m59s999ms")
    assert data_of(stream.read()) == [b"old", b"new"]
    clock.advance("1ms")
    assert data_of(stream.read()) == [b"new"]
    assert len(stream) == 1


def test_retention_when_increased_then_records_stay_longer_but_do_not_come_back():
    clock = ss.ManualClock(NEW_YEAR)
    stream = a_stream(clock=clock)
    stream.put(b"gone", key="user-42")
    clock.advance("25h")
    stream.put(b"kept", key="user-42")
    stream.increase_retention("48h")
    clock.advance("47h")
    assert data_of(stream.read()) == [b"kept"]


def test_retention_when_decreased_then_older_records_go_at_once():
    clock = ss.ManualClock(NEW_YEAR)
    stream = a_stream(clock=clock)
    stream.increase_retention("72h")
    stream.put(b"old", key="user-42")
    clock.advance("30h")
    stream.put(b"new", key="user-42")
    stream.decrease_retention("24h")
    assert data_of(stream.read()) == [b"new"]


def test_retention_when_moved_the_other_way_than_named_then_says_what_to_use():
    stream = a_stream()
    stream.increase_retention("48h")
    with pytest.raises(errors.InvalidArgumentException, match="48 hours"):
        stream.increase_retention("24h")
    with pytest.raises(errors.InvalidArgumentException, match="48 hours"):
        stream.decrease_retention("72h")
    assert stream.retention == datetime.timedelta(hours=48)


def test_retention_when_set_to_what_it_is_then_succeeds():
    stream = a_stream()
    stream.increase_retention("24h")
    stream.decrease_retention("24h")
    assert stream.retention == datetime.timedelta(hours=24)


def numbers_of_a_run(seed):
    clock = ss.ManualClock(NEW_YEAR)
    stream = a_stream(3, clock=clock, seed=seed)
    numbers = [result.sequence_number for result in stream.put_many((b"x", str(i)) for i in range(50))]
    clock.advance("1h")
    stream.update_shard_count(5)
    stream.write(pl.DataFrame({"key": [str(i) for i in range(50)]}), key="key")
    return numbers + [record.sequence_number for record in stream.read()]


def test_sequence_numbers_when_seed_clock_and_input_are_the_same_then_are_the_same():
    assert numbers_of_a_run(7) == numbers_of_a_run(7)


def test_sequence_numbers_when_read_by_shard_then_strictly_increase():
    stream = a_stream(3)
    stream.put_many((b"x", str(i)) for i in range(300))
    for shard in stream.shards():
        numbers = [record.sequence_number for record in stream.read(shard_id=shard.shard_id)]
        assert numbers == sorted(set(numbers))


def test_put_when_threads_put_together_then_loses_nothing_and_keeps_each_threads_order():
    stream = a_stream(3)

    def put(thread):
        for i in range(500):
            if i % 10:
                stream.put(b"%d" % i, key=f"thread-{thread}")
            else:
                stream.put_many([(b"%d" % i, f"thread-{thread}")])

    threads = [threading.Thread(target=put, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_key = {}
    for record in stream.read():
        by_key.setdefault(record.partition_key, []).append(int(record.data))
    assert by_key == {f"thread-{thread}": list(range(500)) for thread in range(8)}


def test_follow_when_records_come_then_gives_those_after_the_call():
    stream, _ = a_stream_over_ten_minutes()
    following = stream.follow(timeout="1s")
    stream.put(b"new", key="user-42")
    assert data_of(following) == [b"new"]


def test_follow_when_from_the_start_then_gives_all_and_ends_on_a_manual_clock():
    stream, _ = a_stream_over_ten_minutes()
    assert data_of(stream.follow("TRIM_HORIZON", timeout="1d")) == [b"%d" % i for i in range(10)]


def test_follow_when_stream_is_deleted_then_ends():
    engine = ss.Engine()
    stream = engine.create_stream("clicks")
    stream.put(b"page", key="user-42")
    following = stream.follow("TRIM_HORIZON")
    assert next(following).data == b"page"
    engine.delete_stream("clicks")
    assert list(following) == []


def test_follow_when_its_shard_is_split_then_ends_with_its_last_record():
    stream = a_stream(1)
    stream.put(b"page", key="user-42")
    following = stream.follow("TRIM_HORIZON", shard_id="shardId-000000000000")
    stream.split_shard("shardId-000000000000")
    stream.put(b"child", key="user-42")
    assert data_of(following) == [b"page"]


def test_follow_when_another_thread_puts_then_wakes():
    stream = ss.Engine().create_stream("clicks")
    following = stream.follow()
    thread = threading.Thread(target=stream.put, args=(b"page", "user-42"))
    thread.start()
    assert next(following).data == b"page"
    thread.join()


@pytest.mark.parametrize("timeout", ["soon", 5, datetime.timedelta(seconds=-1), "1us"])
def test_follow_when_timeout_is_no_duration_then_says_so(timeout):
    with pytest.raises(errors.ShardstreamError, match="timeout"):
        a_stream().follow(timeout=timeout)


def test_stream_when_empty_then_is_still_true_and_says_so():
    stream = a_stream(1)
    assert stream
    assert repr(stream) == "Stream('clicks', 1 open shard, 0 records)"
