"""Faults of subscriptions, by clients of all kinds: broken off, and records that come twice."""

import botocore.exceptions
import pytest
import urllib3.exceptions

NAME, SHARD = "clicks", "shardId-000000000000"
ARN = f"arn:aws:kinesis:eu-west-1:123456789012:stream/{NAME}"
# How each kind of client tells that the connection broke within a stream of events.
BROKEN = {
    "in process": botocore.exceptions.ConnectionClosedError,
    "boto3 without a socket": urllib3.exceptions.ProtocolError,
    "boto3 at the endpoint": urllib3.exceptions.ProtocolError,
}


@pytest.fixture
def subscribe(kinesis):
    """Subscribes a consumer; what came of it is closed at the end."""
    consumer = kinesis.client.register_stream_consumer(StreamARN=ARN, ConsumerName="app")["Consumer"]["ConsumerARN"]
    streams = []

    def subscribe(**position):
        position = position or {"Type": "TRIM_HORIZON"}
        answer = kinesis.client.subscribe_to_shard(ConsumerARN=consumer, ShardId=SHARD, StartingPosition=position)
        streams.append(answer["EventStream"])
        return (event["SubscribeToShardEvent"] for event in streams[-1])

    yield subscribe
    for stream in streams:
        stream.close()


def until_broken(kinesis, events, broken):
    """What a subscription hands out until it breaks off, and where to go on; a record is put after each event."""
    found, number = [], None
    try:
        for event in events:
            found.append(kinesis.held(event))
            number = event["ContinuationSequenceNumber"]
            kinesis.put(b"%d" % len(found))
    except broken:
        return found, number
    pytest.fail(f"it ended after {found}, and did not break off")


@pytest.fixture
def broken(transport):
    """What this kind of client raises where a subscription breaks off."""
    return BROKEN[transport]


def test_subscription_when_records_come_twice_then_in_events_too(kinesis, faults, subscribe):
    kinesis.put_all(b"a", b"b")
    fault = faults.duplicate_delivery()
    event = next(subscribe())
    assert kinesis.held(event) == [b"a", b"a", b"b", b"b"]
    assert event["ContinuationSequenceNumber"] == event["Records"][-1]["SequenceNumber"]
    assert fault.fired == 1


def test_subscription_when_only_reads_are_twice_then_comes_once(kinesis, faults, subscribe):
    kinesis.put(b"a")
    faults.duplicate_delivery(op="GetRecords")
    assert kinesis.held(next(subscribe())) == [b"a"]
    assert kinesis.held(kinesis.page(kinesis.iterator())) == [b"a", b"a"]


def test_subscription_when_throttled_then_is_refused_before_it_begins(kinesis, faults, subscribe):
    faults.throttle(op="SubscribeToShard", shard_id=SHARD)
    assert kinesis.code(subscribe) == "LimitExceededException"
    assert kinesis.held(next(subscribe())) == []


def test_subscription_when_its_connection_is_dropped_then_none_began(kinesis, faults, subscribe):
    faults.drop_connection("SubscribeToShard")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        subscribe()
    assert kinesis.held(next(subscribe())) == []


def test_subscription_when_dropped_with_more_to_come_then_all_events_before_it_come(kinesis, faults, subscribe, broken):
    for _ in range(5):
        kinesis.put(bytes(1024 * 1024 - 1))
    faults.drop_subscription(after_events=2)
    found, _ = until_broken(kinesis, subscribe(), broken)
    assert [len(records) for records in found] == [2, 2]


def test_subscription_when_dropped_before_its_first_event_then_nothing_came(kinesis, faults, clock, subscribe, broken):
    kinesis.put(b"a")
    faults.drop_subscription(after_events=0)
    assert until_broken(kinesis, subscribe(), broken) == ([], None)
    clock.advance("5s")
    assert kinesis.held(next(subscribe())) == [b"a"]


def test_subscription_when_dropped_then_goes_on_from_its_number_and_nothing_is_lost(
    kinesis, faults, clock, subscribe, broken
):
    fault = faults.drop_subscription(after_events=2)
    found, number = until_broken(kinesis, subscribe(), broken)
    assert found == [[], [b"1"]]
    assert fault.fired == 1
    clock.advance("5s")
    assert kinesis.held(next(subscribe(Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=number))) == [b"2"]


def test_subscription_when_dropped_then_another_holds_its_place_for_no_longer(kinesis, faults, subscribe, broken):
    faults.drop_subscription()
    events = subscribe()
    assert until_broken(kinesis, events, broken)[0] == [[]]
    # What broke off is over, so that nobody has to wait for five seconds.
    assert kinesis.held(next(subscribe())) == [b"1"]


def test_subscription_when_dropped_at_the_second_then_the_first_goes_on(kinesis, faults, clock, subscribe, broken):
    fault = faults.drop_subscription(after_events=1, at=[2])
    first = subscribe()
    for n in range(3):
        assert kinesis.held(next(first)) == ([] if n == 0 else [b"%d" % n])
        kinesis.put(b"%d" % (n + 1))
    assert fault.fired == 0
    clock.advance("5s")
    assert until_broken(kinesis, subscribe(), broken)[0] == [[b"1", b"2", b"3"]]
    assert fault.fired == 1


def test_subscription_when_it_is_to_be_dropped_while_it_lasts_then_is(kinesis, faults, subscribe, broken):
    events = subscribe()
    assert kinesis.held(next(events)) == []
    kinesis.put(b"a")
    assert kinesis.held(next(events)) == [b"a"]
    fault = faults.drop_subscription()
    kinesis.put(b"b")
    with pytest.raises(broken):
        next(events)
    assert fault.fired == 1
