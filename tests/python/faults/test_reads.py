"""Faults of reads, by clients of all kinds: expired iterators, empty pages, records that come twice, and reshards."""

import datetime
from collections import Counter

import pytest

import shardstream as ss

NAME, SHARD = "clicks", "shardId-000000000000"
EXPIRED = "ExpiredIteratorException"
DATA = [b"%d" % n for n in range(7)]


@pytest.fixture
def views(engine):
    """Another stream."""
    return engine.create_stream("views", shards=1)


def drained(kinesis, shard=SHARD, limit=3):
    """What a reader of a shard finds that goes on until it is not behind."""
    pages, iterator = [], kinesis.iterator(shard)
    while iterator is not None:
        answer = kinesis.page(iterator, Limit=limit)
        pages.append(kinesis.held(answer))
        iterator = answer.get("NextShardIterator")
        if not pages[-1] and answer["MillisBehindLatest"] == 0:
            break
    return pages


def test_iterators_when_all_expire_then_new_ones_live(kinesis, faults, clock):
    kinesis.put(b"a")
    old = [kinesis.iterator(), kinesis.iterator(kind="LATEST")]
    fault = faults.expire_iterators()
    code, message, status = kinesis.refusal(kinesis.page, old[0])
    assert (code, status) == (EXPIRED, 400)
    assert message == (
        "Iterator expired. The iterator was created at time Wed Dec 31 23:54:59 UTC 2025 while right now it is "
        "Thu Jan 01 00:00:00 UTC 2026 which is further in the future than the tolerated delay of 300000 milliseconds."
    )
    assert kinesis.code(kinesis.page, old[1]) == EXPIRED
    assert kinesis.code(kinesis.page, old[0]) == EXPIRED
    answer = kinesis.page(kinesis.iterator())
    assert kinesis.held(answer) == [b"a"]
    assert kinesis.held(kinesis.page(answer["NextShardIterator"])) == []
    assert fault.fired == 3
    assert clock.now() == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def test_iterators_when_all_expire_twice_then_those_in_between_do_too(kinesis, faults):
    first = faults.expire_iterators()
    between = kinesis.iterator()
    assert kinesis.held(kinesis.page(between)) == []
    second = faults.expire_iterators()
    assert kinesis.code(kinesis.page, between) == EXPIRED
    assert (first.fired, second.fired) == (0, 1)


def test_iterators_when_all_expire_and_faults_are_cleared_then_live_again(kinesis, faults):
    old = kinesis.iterator()
    faults.expire_iterators()
    faults.clear()
    assert kinesis.page(old)["Records"] == []
    assert kinesis.page(kinesis.iterator())["Records"] == []


def test_iterators_when_those_of_some_calls_expire_then_others_live(kinesis, faults):
    fault = faults.expire_iterators(at=[2])
    iterator = kinesis.iterator()
    kinesis.page(iterator)
    assert kinesis.code(kinesis.page, iterator) == EXPIRED
    kinesis.page(iterator)
    assert fault.fired == 1


def test_iterators_when_some_times_expire_then_that_often(kinesis, faults):
    faults.expire_iterators(times=2)
    assert [kinesis.code(kinesis.page, kinesis.iterator()) for _ in range(2)] == [EXPIRED] * 2
    kinesis.page(kinesis.iterator())


def test_pages_when_empty_then_say_that_there_is_more_and_nothing_is_lost(kinesis, faults, clock):
    kinesis.put_all(b"a", b"b")
    clock.advance("3s")
    fault = faults.empty_pages(2)
    iterator = kinesis.iterator()
    for _ in range(2):
        answer = kinesis.page(iterator)
        assert answer["Records"] == []
        assert answer["MillisBehindLatest"] == 3000
        iterator = answer["NextShardIterator"]
    answer = kinesis.page(iterator)
    assert kinesis.held(answer) == [b"a", b"b"]
    assert answer["MillisBehindLatest"] == 0
    assert fault.fired == 2


def test_page_when_empty_and_time_stands_still_then_says_that_there_is_more(kinesis, faults):
    kinesis.put(b"a")
    faults.empty_pages()
    answer = kinesis.page(kinesis.iterator())
    assert answer["Records"] == []
    assert answer["MillisBehindLatest"] > 0


def test_page_when_there_is_nothing_anyway_then_the_fault_waits_for_one_that_has_records(kinesis, faults, clock):
    fault = faults.empty_pages()
    iterator = kinesis.page(kinesis.iterator())["NextShardIterator"]
    assert fault.fired == 0
    kinesis.put(b"a")
    clock.advance("1s")
    answer = kinesis.page(iterator)
    assert answer["Records"] == []
    assert fault.fired == 1
    assert kinesis.held(kinesis.page(answer["NextShardIterator"])) == [b"a"]


def test_page_when_the_last_of_a_closed_shard_is_empty_then_the_shard_is_not_at_its_end(kinesis, faults, clock, stream):
    kinesis.put(b"a")
    stream.update_shard_count(2)
    clock.advance("1s")
    faults.empty_pages()
    answer = kinesis.page(kinesis.iterator())
    assert answer["Records"] == []
    assert "ChildShards" not in answer
    last = kinesis.page(answer["NextShardIterator"])
    assert kinesis.held(last) == [b"a"]
    assert last.get("NextShardIterator") is None
    assert len(last["ChildShards"]) == 2


def test_pages_when_empty_of_another_stream_then_this_one_is_read(kinesis, faults, views):
    kinesis.put(b"a")
    kinesis.put(b"b", stream="views")
    fault = faults.empty_pages(stream="views")
    assert kinesis.held(kinesis.page(kinesis.iterator())) == [b"a"]
    assert kinesis.held(kinesis.page(kinesis.iterator(stream="views"))) == []
    assert fault.fired == 1


def test_records_when_delivered_twice_then_each_comes_two_times_in_order(kinesis, faults):
    kinesis.put_all(*DATA)
    fault = faults.duplicate_delivery()
    answer = kinesis.page(kinesis.iterator())
    assert kinesis.held(answer) == [data for data in DATA for _ in range(2)]
    numbers = [record["SequenceNumber"] for record in answer["Records"]]
    assert numbers[::2] == numbers[1::2]
    assert len(set(numbers)) == len(DATA)
    assert kinesis.page(answer["NextShardIterator"])["Records"] == []
    assert fault.fired == 1


def test_records_when_delivered_twice_in_pages_then_the_limit_holds_and_none_is_lost(kinesis, faults):
    kinesis.put_all(*DATA)
    faults.duplicate_delivery(rate=1)
    pages = drained(kinesis, limit=3)
    assert all(len(page) <= 3 for page in pages)
    delivered = Counter(data for page in pages for data in page)
    assert set(delivered) == set(DATA)
    assert max(delivered.values()) == 2
    assert sorted(delivered.elements()) == [data for page in pages for data in page]


def test_records_when_delivered_twice_leave_no_room_for_the_last_then_the_page_says_that_there_is_more(kinesis, faults):
    kinesis.put_all(b"a", b"b", b"c")
    faults.duplicate_delivery()
    answer = kinesis.page(kinesis.iterator(), Limit=4)
    assert kinesis.held(answer) == [b"a", b"a", b"b", b"b"]
    assert answer["MillisBehindLatest"] > 0
    last = kinesis.page(answer["NextShardIterator"], Limit=4)
    assert kinesis.held(last) == [b"c", b"c"]
    assert last["MillisBehindLatest"] == 0


def test_records_when_delivered_twice_one_by_one_then_reading_still_gets_on(kinesis, faults):
    kinesis.put_all(*DATA)
    faults.duplicate_delivery()
    assert drained(kinesis, limit=1) == [*[[data] for data in DATA], []]


def test_records_when_some_are_delivered_twice_then_the_seed_says_which(kinesis, faults):
    kinesis.put_all(*DATA)
    faults.duplicate_delivery(rate=0.3)
    assert kinesis.held(kinesis.page(kinesis.iterator())) == [
        *[b"0", b"1", b"1", b"2", b"2", b"3", b"4", b"4", b"5", b"5", b"6"]
    ]


def test_records_when_delivered_twice_at_one_call_then_once_at_others(kinesis, faults):
    kinesis.put_all(*DATA[:2])
    faults.duplicate_delivery(at=[2])
    iterator = kinesis.iterator()
    found = [kinesis.held(kinesis.page(iterator)) for _ in range(3)]
    assert found == [[b"0", b"1"], [b"0", b"0", b"1", b"1"], [b"0", b"1"]]


def test_shard_when_closed_and_read_twice_then_ends_after_its_last_record(kinesis, faults, stream):
    kinesis.put_all(b"a", b"b")
    stream.update_shard_count(2)
    faults.duplicate_delivery()
    assert [data for page in drained(kinesis, limit=3) for data in page] == [b"a", b"a", b"b"]


def test_reshard_when_so_many_records_were_put_then_the_parents_close(kinesis, faults, stream):
    fault = faults.reshard(after_records=3)
    kinesis.put(b"a", key="user-1")
    kinesis.put(b"b", key="user-2")
    assert [shard.is_open for shard in stream.shards()] == [True]
    kinesis.put(b"c", key="user-3")
    assert [shard.is_open for shard in stream.shards()] == [False, True, True]
    assert [shard.parent_shard_id for shard in stream.shards()] == [None, SHARD, SHARD]
    assert fault.fired == 1
    for n in range(4, 20):
        assert kinesis.put(b"later", key=f"user-{n}") != SHARD
    assert len(stream.shards()) == 3
    assert [data for page in drained(kinesis) for data in page] == [b"a", b"b", b"c"]
    children = [shard.shard_id for shard in stream.shards()[1:]]
    later = [data for child in children for page in drained(kinesis, child) for data in page]
    assert later == [b"later"] * 16


def test_reshard_when_records_are_put_together_then_they_count_one_by_one(kinesis, faults, stream):
    fault = faults.reshard(after_records=5)
    kinesis.put_all(*DATA[:4])
    assert fault.fired == 0
    kinesis.put_all(*DATA[4:])
    assert fault.fired == 1
    assert [shard.is_open for shard in stream.shards()] == [False, True, True]
    assert kinesis.stored() == DATA


def test_reshard_when_the_stream_has_several_shards_then_merges_to_so_many(connect):
    with ss.Engine(clock=ss.ManualClock()) as engine:
        stream = engine.create_stream(NAME, shards=4)
        kinesis = connect(engine)
        engine.faults.reshard(shards=2)
        kinesis.put()
        assert sum(shard.is_open for shard in stream.shards()) == 2


def test_reshard_when_nothing_is_said_then_follows_the_next_put_and_doubles(connect):
    with ss.Engine(clock=ss.ManualClock()) as engine:
        stream = engine.create_stream(NAME, shards=2)
        kinesis = connect(engine)
        engine.faults.reshard()
        kinesis.iterator()
        assert len(stream.shards()) == 2
        kinesis.put()
        assert sum(shard.is_open for shard in stream.shards()) == 4


def test_reshard_when_of_one_stream_then_puts_to_others_do_not_count(kinesis, faults, stream, views):
    faults.reshard(after_records=2, stream=NAME)
    kinesis.put()
    kinesis.put(stream="views")
    assert [len(stream.shards()), len(views.shards())] == [1, 1]
    kinesis.put()
    assert [len(stream.shards()), len(views.shards())] == [3, 1]


def test_iterators_when_those_of_one_stream_expire_then_those_of_others_live(kinesis, faults, views):
    old, other = kinesis.iterator(), kinesis.iterator(stream="views")
    fault = faults.expire_iterators(stream=NAME)
    assert kinesis.page(other)["Records"] == []
    assert fault.fired == 0
    assert kinesis.code(kinesis.page, old) == EXPIRED
    assert fault.fired == 1


def test_iterators_when_those_of_one_shard_expire_then_those_of_others_live(connect):
    with ss.Engine(clock=ss.ManualClock()) as engine:
        engine.create_stream(NAME, shards=2)
        kinesis = connect(engine)
        old, other = kinesis.iterator(), kinesis.iterator("shardId-000000000001")
        engine.faults.expire_iterators(shard_id=SHARD)
        assert kinesis.page(other)["Records"] == []
        assert kinesis.code(kinesis.page, old) == EXPIRED


def test_records_when_a_page_has_no_room_for_any_twice_then_the_fault_has_not_happened(kinesis, faults):
    kinesis.put_all(*DATA)
    fault = faults.duplicate_delivery()
    assert drained(kinesis, limit=1) == [*[[data] for data in DATA], []]
    assert fault.fired == 0


def test_reshard_when_some_of_the_records_are_refused_then_those_do_not_count(kinesis, faults, stream):
    faults.fail_records([0])
    fault = faults.reshard(after_records=3)
    assert kinesis.put_all(b"a", b"b", b"c")["FailedRecordCount"] == 1
    assert fault.fired == 0
    kinesis.put(b"a")
    assert fault.fired == 1
    assert kinesis.stored() == [b"b", b"c", b"a"]
