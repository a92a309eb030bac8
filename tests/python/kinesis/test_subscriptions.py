"""Subscriptions with throughput of their own: events as they come, in this process and over HTTP."""

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
SHARD = "shardId-000000000000"


@pytest.fixture
def consumer(kinesis):
    """A consumer of a stream of one shard."""
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    return kinesis.register_stream_consumer(StreamARN=ARN, ConsumerName="app")["Consumer"]["ConsumerARN"]


@pytest.fixture
def subscribe(kinesis, consumer):
    """Subscribes the consumer; what came of it is closed at the end."""
    streams = []

    def subscribe(**position):
        position = position or {"Type": "TRIM_HORIZON"}
        answer = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=SHARD, StartingPosition=position)
        streams.append(answer["EventStream"])
        return iter(streams[-1])

    yield subscribe
    for stream in streams:
        stream.close()


def data(event):
    return [record["Data"] for record in event["SubscribeToShardEvent"]["Records"]]


def test_events_when_records_come_then_are_pushed(kinesis, subscribe):
    events = subscribe()
    first = next(events)
    assert data(first) == []
    numbers = [
        kinesis.put_record(StreamName="clicks", Data=b"%d" % n, PartitionKey="k")["SequenceNumber"] for n in range(3)
    ]
    seen = []
    while len(seen) < 3:
        event = next(events)
        seen += data(event)
    assert seen == [b"0", b"1", b"2"]
    assert event["SubscribeToShardEvent"]["ContinuationSequenceNumber"] == numbers[-1]
    assert event["SubscribeToShardEvent"]["MillisBehindLatest"] == 0


def test_events_when_the_shard_ends_then_name_its_children_and_end(kinesis, subscribe):
    kinesis.put_record(StreamName="clicks", Data=b"last", PartitionKey="k")
    kinesis.split_shard(StreamName="clicks", ShardToSplit=SHARD, NewStartingHashKey="99")
    [event] = list(subscribe())
    assert data(event) == [b"last"]
    assert "ContinuationSequenceNumber" not in event["SubscribeToShardEvent"]
    children = event["SubscribeToShardEvent"]["ChildShards"]
    assert [child["ShardId"] for child in children] == ["shardId-000000000001", "shardId-000000000002"]


def test_subscription_when_five_minutes_old_then_ends(subscribe, clock):
    events = subscribe()
    next(events)
    clock.advance("5m")
    assert list(events) == []


def test_subscription_when_taken_over_then_only_after_five_seconds(subscribe, clock):
    events = subscribe()
    next(events)
    with pytest.raises(ClientError, match="Another active subscription exists"):
        subscribe(Type="LATEST")
    clock.advance("5s")
    next(subscribe(Type="LATEST"))
    with pytest.raises(ClientError) as caught:
        for _ in events:
            pass
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"


def test_continuation_when_nothing_came_then_goes_on_there(kinesis, subscribe, clock):
    number = next(subscribe(Type="LATEST"))["SubscribeToShardEvent"]["ContinuationSequenceNumber"]
    kinesis.put_record(StreamName="clicks", Data=b"next", PartitionKey="k")
    clock.advance("5s")
    assert data(next(subscribe(Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=number))) == [b"next"]
