"""Faults of calls, by clients of all kinds: records that fail, and calls that fail, are late, or break off."""

import datetime
import time

import pytest
from botocore.exceptions import ConnectionClosedError

import shardstream as ss

NAME, SHARD = "clicks", "shardId-000000000000"
THROTTLED, FAILED = "ProvisionedThroughputExceededException", "InternalFailureException"
RATE_OF_SHARD = f"Rate exceeded for shard {SHARD} in stream {NAME} under account 123456789012."


def test_records_when_some_are_to_fail_then_the_others_are_stored_in_order(kinesis, faults):
    fault = faults.fail_records([1, 3])
    answer = kinesis.put_all(b"a", b"b", b"c", b"d", b"e")
    assert answer["FailedRecordCount"] == 2
    failed = {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure."}
    assert [answer["Records"][place] for place in (1, 3)] == [failed, failed]
    stored = [answer["Records"][place] for place in (0, 2, 4)]
    assert [record["ShardId"] for record in stored] == [SHARD] * 3
    numbers = [record.sequence_number for record in kinesis.engine.stream(NAME).read()]
    assert [record["SequenceNumber"] for record in stored] == numbers
    assert kinesis.stored() == [b"a", b"c", b"e"]
    assert fault.fired == 1
    assert kinesis.put_all(b"b", b"d")["FailedRecordCount"] == 0


def test_records_when_refused_as_throttled_then_the_message_names_the_shard(kinesis, faults):
    faults.fail_records(indexes=[0], code=THROTTLED)
    assert kinesis.put_all(b"a")["Records"] == [{"ErrorCode": THROTTLED, "ErrorMessage": RATE_OF_SHARD}]


def test_records_when_no_place_is_said_then_the_first_fails(kinesis, faults):
    faults.fail_records()
    assert ["ErrorCode" in record for record in kinesis.put_all(b"a", b"b")["Records"]] == [True, False]


def test_records_when_there_is_none_at_the_place_then_the_fault_waits_for_a_call_that_has_one(kinesis, faults):
    fault = faults.fail_records([2])
    assert kinesis.put_all(b"a", b"b")["FailedRecordCount"] == 0
    assert fault.fired == 0
    assert kinesis.put_all(b"a", b"b", b"c")["FailedRecordCount"] == 1
    assert fault.fired == 1


@pytest.mark.parametrize("put", ["put_record", "put_records"])
def test_failure_of_the_service_when_at_a_put_then_nothing_is_stored(kinesis, faults, put):
    faults.internal_failure(times=1)
    call = kinesis.put if put == "put_record" else kinesis.put_all
    code, message, status = kinesis.refusal(call, b"a")
    assert (code, message, status) == (FAILED, "Internal service failure.", 500)
    assert kinesis.stored() == []
    call(b"a")
    assert kinesis.stored() == [b"a"]


def test_failure_of_the_service_when_at_a_read_then_the_iterator_is_as_good_as_before(kinesis, faults):
    kinesis.put(b"a")
    iterator = kinesis.iterator()
    fault = faults.internal_failure("GetRecords", times=2)
    assert [kinesis.code(kinesis.page, iterator) for _ in range(2)] == [FAILED] * 2
    assert kinesis.held(kinesis.page(iterator)) == [b"a"]
    assert fault.fired == 2


def test_failure_of_the_service_when_a_stream_is_to_be_made_then_there_is_none(kinesis, faults):
    faults.internal_failure("CreateStream")
    make = kinesis.client.create_stream
    assert kinesis.code(make, StreamName="views", ShardCount=1) == FAILED
    assert kinesis.engine.list_streams() == [NAME]
    make(StreamName="views", ShardCount=1)


def test_calls_when_their_members_are_wrong_then_they_are_none_that_could_fail(kinesis, faults):
    fault = faults.internal_failure("PutRecord")
    hashed = {"StreamName": NAME, "Data": b"", "PartitionKey": "k", "ExplicitHashKey": "x"}
    assert kinesis.code(kinesis.client.put_record, **hashed) == "ValidationException"
    assert fault.fired == 0
    assert kinesis.code(kinesis.put) == FAILED


def test_latency_when_the_clock_stands_still_then_moves_it(kinesis, faults, clock):
    start = clock.now()
    fault = faults.latency("250ms", "PutRecord")
    kinesis.put()
    kinesis.put()
    answer = kinesis.page(kinesis.iterator())
    late = datetime.timedelta(milliseconds=250)
    assert clock.now() == start + 2 * late
    arrivals = [record["ApproximateArrivalTimestamp"] for record in answer["Records"]]
    assert arrivals == [start + late, start + 2 * late]
    assert fault.fired == 2


def test_latency_when_it_lasts_longer_than_an_iterator_then_the_iterator_expires(kinesis, faults):
    iterator = kinesis.iterator()
    faults.latency(datetime.timedelta(minutes=5, milliseconds=1), "GetRecords", times=1)
    assert kinesis.code(kinesis.page, iterator) == "ExpiredIteratorException"


def test_latency_when_so_many_times_then_no_longer(kinesis, faults, clock):
    start = clock.now()
    faults.latency("1s", times=2)
    for _ in range(4):
        kinesis.put()
    assert clock.now() - start == datetime.timedelta(seconds=2)


def test_latency_when_the_clock_runs_then_is_waited_for(connect):
    clock = ss.ManualClock()
    with ss.Engine(clock=clock) as engine:
        engine.create_stream(NAME, shards=1)
        clock.run()
        engine.faults.latency("30ms", "PutRecord", times=1)
        kinesis = connect(engine)
        before = time.monotonic()
        kinesis.put()
        assert time.monotonic() - before >= 0.03


def test_connection_when_dropped_before_the_write_then_nothing_is_stored(kinesis, faults):
    fault = faults.drop_connection("PutRecord")
    with pytest.raises(ConnectionClosedError, match="Connection was closed before we received a valid response"):
        kinesis.put(b"a")
    assert kinesis.stored() == []
    assert fault.fired == 1
    kinesis.put(b"a")
    assert kinesis.stored() == [b"a"]


@pytest.mark.parametrize("put", ["put_record", "put_records"])
def test_connection_when_dropped_after_the_write_then_a_second_try_stores_it_twice(kinesis, faults, put):
    call = kinesis.put if put == "put_record" else kinesis.put_all
    fault = faults.drop_connection(after_write=True)
    with pytest.raises(ConnectionClosedError):
        call(b"a")
    assert kinesis.stored() == [b"a"]
    assert fault.fired == 1
    call(b"a")
    assert kinesis.stored() == [b"a", b"a"]


def test_connection_when_the_call_is_refused_then_is_not_dropped_after_it(kinesis, faults):
    fault = faults.drop_connection("PutRecord", after_write=True)
    assert kinesis.code(kinesis.put, stream="none") == "ResourceNotFoundException"
    assert fault.fired == 0


def test_stream_itself_when_everything_fails_then_does_not(kinesis, faults, stream):
    faults.throttle(rate=1)
    faults.internal_failure(rate=1)
    stream.put(b"a", key="k")
    assert stream.put_many([(b"b", "k")]).failed_record_count == 0
    assert [record.data for record in stream.read()] == [b"a", b"b"]
    assert kinesis.code(kinesis.put) == THROTTLED
