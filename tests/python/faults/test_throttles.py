"""Throttles, by clients of all kinds: which calls and records are refused, and how."""

import pytest

import shardstream as ss

NAME, SHARD, OTHER = "clicks", "shardId-000000000000", "shardId-000000000001"
THROTTLED = "ProvisionedThroughputExceededException"
RATE_OF_SHARD = f"Rate exceeded for shard {SHARD} in stream {NAME} under account 123456789012."
RATE_OF_STREAM = f"Rate exceeded for stream {NAME} under account 123456789012."


@pytest.fixture
def halves(engine):
    """A stream of two shards, and for each of them a key."""
    halves = engine.create_stream("halves", shards=2)
    keys = {halves.put(b"", key=f"user-{n}").shard_id: f"user-{n}" for n in range(20)}
    return keys[SHARD], keys[OTHER]


def throttled(kinesis, calls, put=None):
    """The calls, of so many, that are throttled, counted from 1."""
    found = []
    for call in range(1, calls + 1):
        try:
            (put or kinesis.put)()
        except kinesis.client.exceptions.ProvisionedThroughputExceededException:
            found.append(call)
    return found


def test_put_record_when_throttled_two_times_then_the_third_is_stored(kinesis, faults):
    fault = faults.throttle(op="PutRecord", times=2)
    assert kinesis.refusal(kinesis.put, b"a") == (THROTTLED, RATE_OF_SHARD, 400)
    assert kinesis.refusal(kinesis.put, b"a") == (THROTTLED, RATE_OF_SHARD, 400)
    assert kinesis.put(b"a") == SHARD
    assert kinesis.stored() == [b"a"]
    assert fault.fired == 2


def test_throttle_when_nothing_says_how_often_then_happens_once(kinesis, faults):
    faults.throttle()
    assert throttled(kinesis, 5) == [1]


def test_throttle_when_at_calls_then_happens_at_these_since_it_was_asked_for(kinesis, faults):
    faults.throttle(op="GetRecords")
    kinesis.put()
    faults.throttle(op="PutRecord", at=[2, 4])
    assert throttled(kinesis, 6) == [2, 4]


def test_throttle_when_at_and_times_then_both_hold(kinesis, faults):
    faults.throttle(op="PutRecord", at=[2, 4, 6], times=2)
    assert throttled(kinesis, 8) == [2, 4]


def test_throttle_when_by_chance_then_the_seed_decides_for_all_clients(kinesis, faults, stream):
    fault = faults.throttle(op="PutRecord", rate=0.3)
    found = throttled(kinesis, 20)
    assert found == [3, 7, 11, 15, 18, 20]
    assert fault.fired == len(found)
    assert len(stream.read()) == 20 - len(found)


def test_throttle_when_the_seed_is_another_then_other_calls_fail(connect):
    with ss.Engine(clock=ss.ManualClock(), seed=7) as engine:
        engine.create_stream(NAME, shards=1)
        engine.faults.throttle(op="PutRecord", rate=0.3)
        assert throttled(connect(engine), 20) != [3, 7, 11, 15, 18, 20]


@pytest.mark.parametrize(("rate", "expected"), [(0, []), (1, [1, 2, 3]), (1.0, [1, 2, 3])])
def test_throttle_when_the_rate_is_an_end_then_none_or_all_fail(kinesis, faults, rate, expected):
    faults.throttle(op="PutRecord", rate=rate)
    assert throttled(kinesis, 3) == expected


def test_throttle_when_of_one_stream_then_others_go_on(kinesis, faults, halves):
    faults.throttle(stream="halves", times=1)
    kinesis.put()
    assert throttled(kinesis, 2, lambda: kinesis.put(stream="halves")) == [1]


def test_throttle_when_the_stream_is_named_by_its_arn_then_it_is_found(kinesis, faults):
    faults.throttle(op="DescribeStreamSummary", stream=NAME)
    arn = f"arn:aws:kinesis:eu-west-1:123456789012:stream/{NAME}"
    code = kinesis.code(kinesis.client.describe_stream_summary, StreamARN=arn)
    assert code == "LimitExceededException"


def test_throttle_when_of_one_shard_then_keys_of_others_go_on(kinesis, faults, halves):
    fault = faults.throttle(op="PutRecord", shard_id=OTHER, stream="halves", times=1)
    first, second = halves
    assert kinesis.put(key=first, stream="halves") == SHARD
    code, message, _ = kinesis.refusal(kinesis.put, key=second, stream="halves")
    assert (code, message) == (
        THROTTLED,
        f"Rate exceeded for shard {OTHER} in stream halves under account 123456789012.",
    )
    assert [(fired.stream, fired.shard_id) for fired in faults.fired] == [("halves", OTHER)]
    assert fault.fired == 1


def test_throttle_when_a_hash_key_is_said_then_the_shard_is_that_of_it(kinesis, faults, halves):
    faults.throttle(op="PutRecord", shard_id=OTHER, times=1)
    put = {"StreamName": "halves", "Data": b"", "PartitionKey": halves[0], "ExplicitHashKey": str(2**128 - 1)}
    assert kinesis.code(kinesis.client.put_record, **put) == THROTTLED


def test_get_records_when_throttled_then_reads_from_there_again(kinesis, faults):
    kinesis.put(b"a")
    iterator = kinesis.iterator()
    faults.throttle(op="GetRecords", shard_id=SHARD)
    assert kinesis.refusal(kinesis.page, iterator) == (THROTTLED, RATE_OF_SHARD, 400)
    assert kinesis.held(kinesis.page(iterator)) == [b"a"]


def test_get_shard_iterator_when_throttled_then_is_refused_as_the_service_does(kinesis, faults):
    faults.throttle(op="GetShardIterator")
    assert kinesis.refusal(kinesis.iterator) == (THROTTLED, RATE_OF_SHARD, 400)
    assert kinesis.iterator()


@pytest.mark.parametrize("operation", ["list_shards", "describe_stream", "describe_stream_summary"])
def test_questions_about_a_stream_when_throttled_then_exceed_a_limit(kinesis, faults, operation):
    faults.throttle()
    call = getattr(kinesis.client, operation)
    assert kinesis.refusal(call, StreamName=NAME) == ("LimitExceededException", RATE_OF_STREAM, 400)
    assert call(StreamName=NAME)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_put_records_when_throttled_then_each_record_is_refused_and_the_call_is_answered(kinesis, faults):
    faults.throttle(op="PutRecords")
    answer = kinesis.put_all(b"a", b"b")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["FailedRecordCount"] == 2
    assert answer["Records"] == [{"ErrorCode": THROTTLED, "ErrorMessage": RATE_OF_SHARD}] * 2
    assert kinesis.stored() == []
    assert kinesis.put_all(b"a", b"b")["FailedRecordCount"] == 0
    assert kinesis.stored() == [b"a", b"b"]


def test_put_records_when_a_shard_is_throttled_then_its_records_alone_are_refused(kinesis, faults, halves):
    first, second = halves
    stored_before = kinesis.stored("halves")
    fault = faults.throttle(op="PutRecords", shard_id=OTHER)
    answer = kinesis.put_all((b"a", first), (b"b", second), (b"c", first), (b"d", second), stream="halves")
    assert answer["FailedRecordCount"] == 2
    assert [record.get("ErrorCode") for record in answer["Records"]] == [None, THROTTLED, None, THROTTLED]
    assert kinesis.stored("halves")[len(stored_before) :] == [b"a", b"c"]
    assert fault.fired == 1


def test_put_records_when_throttled_by_chance_then_some_of_a_call_are_refused(kinesis, faults):
    faults.throttle(op="PutRecords", rate=0.5)
    data = [b"%d" % n for n in range(40)]
    answer = kinesis.put_all(*data)
    refused = {place for place, record in enumerate(answer["Records"]) if "ErrorCode" in record}
    assert 10 < len(refused) < 30
    assert answer["FailedRecordCount"] == len(refused)
    assert kinesis.stored() == [each for place, each in enumerate(data) if place not in refused]
