"""Edges of the API that clients rely on: streams made again, tokens, states, and whose fault is told first."""

import contextlib
import datetime

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
ARN = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/clicks"
CONSUMER = f"{ARN}/consumer/app:1767225600"
SHARD = "shardId-000000000000"
UNDER = f"clicks under account {ACCOUNT}"
ON_DEMAND = {"StreamMode": "ON_DEMAND"}


def refusal(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def iterator(client, kind="TRIM_HORIZON", shard=SHARD, **position):
    start = {"ShardId": shard, "ShardIteratorType": kind, **position}
    return client.get_shard_iterator(StreamName="clicks", **start)["ShardIterator"]


@pytest.fixture
def clicks(kinesis):
    """A client, and the stream of one shard that it made."""
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    return kinesis


def made_again(client):
    client.delete_stream(StreamName="clicks", EnforceConsumerDeletion=True)
    client.create_stream(StreamName="clicks", ShardCount=1)


def test_stream_when_made_again_within_a_second_then_knows_no_number_or_iterator_of_the_one_before(clicks):
    number = clicks.put_record(StreamName="clicks", Data=b"before", PartitionKey="k")["SequenceNumber"]
    before = iterator(clicks)
    made_again(clicks)
    clicks.put_record(StreamName="clicks", Data=b"after", PartitionKey="k")
    assert refusal(clicks.get_records, ShardIterator=before)[0] == "ResourceNotFoundException"
    code, message = refusal(iterator, client=clicks, kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number)
    assert code == "InvalidArgumentException"
    assert message.endswith("is invalid because it did not come from this stream.")
    [record] = clicks.get_records(ShardIterator=iterator(clicks))["Records"]
    assert record["SequenceNumber"] > number


def test_stream_when_made_again_then_has_no_policy_or_label_of_the_one_before(clicks):
    clicks.register_stream_consumer(StreamARN=ARN, ConsumerName="app", Tags={"team": "web"})
    for resource in (ARN, CONSUMER):
        clicks.put_resource_policy(ResourceARN=resource, Policy='{"Version": "2012-10-17"}')
    made_again(clicks)
    assert clicks.get_resource_policy(ResourceARN=ARN)["Policy"] == ""
    clicks.register_stream_consumer(StreamARN=ARN, ConsumerName="app")
    assert clicks.list_tags_for_resource(ResourceARN=CONSUMER)["Tags"] == []
    assert clicks.get_resource_policy(ResourceARN=CONSUMER)["Policy"] == ""


def test_stream_when_deleted_twice_then_goes_when_it_was_said_first(make_client, kind, clock):
    _, client = make_client(kind, clock=clock, delete_stream_ms=4_000)
    client.create_stream(StreamName="clicks", ShardCount=1)
    client.delete_stream(StreamName="clicks")
    clock.advance("3s")
    client.delete_stream(StreamName="clicks")
    assert client.describe_stream(StreamName="clicks")["StreamDescription"]["Shards"] == []
    clock.advance("1s")
    assert client.list_streams()["StreamNames"] == []


def test_shard_when_expired_then_there_is_none(clicks, clock):
    clicks.split_shard(StreamName="clicks", ShardToSplit=SHARD, NewStartingHashKey=str(2**127))
    before = iterator(clicks)
    clock.advance("4m")
    assert clicks.get_records(ShardIterator=before)["ChildShards"]
    clock.advance("24h")
    missing = ("ResourceNotFoundException", f"Shard {SHARD} in stream {UNDER} does not exist")
    assert refusal(iterator, client=clicks) == missing
    code, _ = refusal(clicks.split_shard, StreamName="clicks", ShardToSplit=SHARD, NewStartingHashKey=str(2**126))
    assert code == "ResourceNotFoundException"


def test_stream_when_being_made_then_has_no_shards_yet(make_client, kind, clock):
    _, client = make_client(kind, clock=clock, create_stream_ms=500)
    client.create_stream(StreamName="clicks", ShardCount=2)
    busy = ("ResourceInUseException", f"Stream {UNDER} not ACTIVE, instead in state CREATING")
    assert refusal(client.list_shards, StreamName="clicks") == busy
    assert refusal(client.add_tags_to_stream, StreamName="clicks", Tags={"team": "web"}) == busy
    assert refusal(client.update_stream_mode, StreamARN=ARN, StreamModeDetails={"StreamMode": "PROVISIONED"}) == busy
    assert (
        refusal(client.update_shard_count, StreamName="clicks", TargetShardCount=40_000, ScalingType="UNIFORM_SCALING")
        == busy
    )
    missing = ("ResourceNotFoundException", f"Shard {SHARD} in stream {UNDER} does not exist")
    assert refusal(iterator, client=client) == missing
    assert client.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["OpenShardCount"] == 0
    clock.advance("500ms")
    assert len(client.list_shards(StreamName="clicks")["Shards"]) == 2


def test_streams_when_five_come_or_go_then_no_more_are_made(make_client, kind, clock):
    _, client = make_client(kind, clock=clock, create_stream_ms=500, delete_stream_ms=500)
    client.create_stream(StreamName="going", ShardCount=1)
    clock.advance("500ms")
    client.delete_stream(StreamName="going")
    for name in "abcd":
        client.create_stream(StreamName=name, ShardCount=1)
    code, message = refusal(client.create_stream, StreamName="e", ShardCount=1)
    assert code == "LimitExceededException"
    # Terraform tries again where it reads these words.
    assert "simultaneously be in CREATING or DELETING" in message
    clock.advance("500ms")
    client.create_stream(StreamName="e", ShardCount=1)


@pytest.mark.parametrize(
    ("beside", "value"),
    [
        ("StreamName", "clicks"),
        ("StreamARN", ARN),
        ("ExclusiveStartShardId", SHARD),
        ("StreamCreationTimestamp", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
        ("ShardFilter", {"Type": "AT_LATEST"}),
    ],
)
def test_token_when_of_shards_then_stands_alone(kinesis, beside, value):
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    token = kinesis.list_shards(StreamName="clicks", MaxResults=1)["NextToken"]
    message = f"NextToken and {beside} cannot be provided together."
    assert refusal(kinesis.list_shards, NextToken=token, **{beside: value}) == ("InvalidArgumentException", message)
    assert len(kinesis.list_shards(NextToken=token)["Shards"]) == 1


def test_token_when_its_stream_was_made_again_then_not_found(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    token = kinesis.list_shards(StreamName="clicks", MaxResults=1)["NextToken"]
    made_again(kinesis)
    assert refusal(kinesis.list_shards, NextToken=token)[0] == "ResourceNotFoundException"


def test_listing_when_of_a_stream_created_at_another_time_then_not_found(clicks):
    created = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert clicks.list_shards(StreamName="clicks", StreamCreationTimestamp=created)["Shards"]
    for call in (clicks.list_shards, clicks.list_stream_consumers):
        code, message = refusal(call, StreamARN=ARN, StreamCreationTimestamp=datetime.datetime(2001, 1, 1))  # noqa: DTZ001
        assert (code, message) == ("ResourceNotFoundException", f"Stream {UNDER} not found.")


def test_pages_when_more_is_asked_for_then_have_a_hundred_at_most(kinesis):
    for number in range(101):
        kinesis.create_stream(StreamName=f"s{number:03}", ShardCount=1)
    listed = kinesis.list_streams(Limit=10_000)
    assert (len(listed["StreamNames"]), listed["HasMoreStreams"]) == (100, True)
    kinesis.create_stream(StreamName="wide", ShardCount=150)
    description = kinesis.describe_stream(StreamName="wide", Limit=10_000)["StreamDescription"]
    assert (len(description["Shards"]), description["HasMoreShards"]) == (100, True)


def test_consumer_when_named_in_two_ways_that_differ_then_refused(clicks):
    clicks.register_stream_consumer(StreamARN=ARN, ConsumerName="app")
    for other in ({"ConsumerName": "another"}, {"StreamARN": f"{ARN}s"}):
        for call in (clicks.describe_stream_consumer, clicks.deregister_stream_consumer):
            assert refusal(call, ConsumerARN=CONSUMER, **other)[0] == "InvalidArgumentException"
    clicks.describe_stream_consumer(ConsumerARN=CONSUMER, ConsumerName="app", StreamARN=ARN)


def test_records_when_asked_of_another_stream_than_the_iterators_then_refused(clicks):
    assert clicks.get_records(ShardIterator=iterator(clicks), StreamARN=ARN)["Records"] == []
    code, _ = refusal(clicks.get_records, ShardIterator=iterator(clicks), StreamARN=f"{ARN}s")
    assert code == "InvalidArgumentException"


def test_consumers_when_registered_then_their_stream_is_not_deleted_by_the_way(clicks):
    clicks.register_stream_consumer(StreamARN=ARN, ConsumerName="app")
    code, message = refusal(clicks.delete_stream, StreamName="clicks")
    assert code == "ResourceInUseException"
    assert message.startswith(f"DeleteStream can't delete {ACCOUNT}:clicks because there are consumers")


def test_warm_throughput_when_the_account_is_not_committed_then_refused_everywhere(kinesis):
    warm = {"WarmThroughputMiBps": 10}
    on_demand = {"StreamName": "clicks", "StreamModeDetails": ON_DEMAND}
    assert refusal(kinesis.create_stream, **on_demand, **warm)[0] == "ValidationException"
    assert refusal(kinesis.create_stream, StreamName="clicks", ShardCount=1, **warm)[0] == "ValidationException"
    kinesis.create_stream(**on_demand)
    assert (
        refusal(kinesis.update_stream_mode, StreamARN=ARN, StreamModeDetails=ON_DEMAND, **warm)[0]
        == "ValidationException"
    )
    assert refusal(kinesis.update_stream_warm_throughput, StreamName="clicks", **warm)[0] == "ValidationException"
    kinesis.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    kinesis.update_stream_warm_throughput(StreamName="clicks", **warm)
    assert (
        refusal(kinesis.update_stream_warm_throughput, StreamName="clicks", WarmThroughputMiBps=10_241)[0]
        == "LimitExceededException"
    )


def test_streams_when_fifty_are_on_demand_then_no_more_are_switched(kinesis):
    for number in range(50):
        kinesis.create_stream(StreamName=f"s{number}", StreamModeDetails=ON_DEMAND)
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    message = (
        f"This request would exceed the limit on the number of On-Demand streams for the account {ACCOUNT} in"
        " eu-west-1. Current On-Demand streams count: 50. Limit: 50."
    )
    refused = refusal(kinesis.update_stream_mode, StreamARN=ARN, StreamModeDetails=ON_DEMAND)
    assert refused == ("LimitExceededException", message)


def test_records_when_larger_than_the_stream_takes_then_each_is_told(clicks):
    large = {"Data": b"x" * 1_048_577, "PartitionKey": "k"}
    fault = (
        "Value 'java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]' at '{}' failed to satisfy constraint: "
        "Member must have length less than or equal to 1048576"
    )
    one = f"1 validation error detected: {fault.format('data')}"
    assert refusal(clicks.put_record, StreamName="clicks", **large) == ("ValidationException", one)
    records = [large, {"Data": b"small", "PartitionKey": "k"}, large]
    faults = "; ".join(fault.format(f"records.{place}.member.data") for place in (1, 3))
    several = f"2 validation errors detected: {faults}"
    assert refusal(clicks.put_records, StreamName="clicks", Records=records) == ("ValidationException", several)


def test_tags_when_of_other_characters_then_refused_in_the_services_words(clicks):
    valid = (
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @"
        " :."
    )
    assert refusal(clicks.add_tags_to_stream, StreamName="clicks", Tags={"a!": "b"})[1] == valid
    assert refusal(clicks.remove_tags_from_stream, StreamName="clicks", TagKeys=["a!"])[1] == valid
    _, message = refusal(clicks.add_tags_to_stream, StreamName="clicks", Tags={"a": "5%"})
    assert message.startswith(f"Failed to add tags to stream {UNDER} because some tags contained illegal characters.")
    tags = {f"k{number}": "v" for number in range(51)}
    _, message = refusal(clicks.add_tags_to_stream, StreamName="clicks", Tags=tags)
    assert message.startswith(f"Failed to add tags to stream {UNDER} because a given stream cannot have more than 50 ")


def test_retention_when_as_it_is_then_nothing_is_updated(make_client, kind, clock):
    _, client = make_client(kind, clock=clock, update_stream_ms=500)
    client.create_stream(StreamName="clicks", ShardCount=1)
    client.increase_stream_retention_period(StreamName="clicks", RetentionPeriodHours=24)
    assert client.describe_stream(StreamName="clicks")["StreamDescription"]["StreamStatus"] == "ACTIVE"
    assert refusal(client.increase_stream_retention_period, StreamName="clicks", RetentionPeriodHours=10) == (
        "InvalidArgumentException",
        "Minimum allowed retention period is 24 hours. Requested retention period (10 hours) is too short.",
    )
    client.increase_stream_retention_period(StreamName="clicks", RetentionPeriodHours=48)
    clock.advance("500ms")
    assert refusal(client.increase_stream_retention_period, StreamName="clicks", RetentionPeriodHours=36)[1] == (
        "Requested retention period (36 hours) can not be shorter than existing retention period (48 hours). Use"
        " DecreaseRetentionPeriod API."
    )


def test_times_when_to_come_then_told_in_milliseconds(clicks):
    soon = datetime.datetime(2026, 1, 1, 0, 0, 5, tzinfo=datetime.UTC)
    code, message = refusal(iterator, client=clicks, kind="AT_TIMESTAMP", Timestamp=soon)
    assert code == "InvalidArgumentException"
    assert message.endswith("timestampInMillis: 1767225605000, currentTimestampInMillis: 1767225600000")


def test_shards_when_resharded_then_known_by_their_digits_and_the_first_fault_is_theirs(make_client, kind, clock):
    _, client = make_client(kind, clock=clock, update_stream_ms=500)
    client.create_stream(StreamName="clicks", ShardCount=2)
    client.merge_shards(StreamName="clicks", ShardToMerge="0", AdjacentShardToMerge="shardId-1")
    split = {"StreamName": "clicks", "NewStartingHashKey": "1"}
    code, message = refusal(client.split_shard, ShardToSplit=SHARD, **split)
    assert (code, message.split(" is not ")[0]) == (
        "InvalidArgumentException",
        f"NewStartingHashKey 1 used in SplitShard() on shard {SHARD} in stream {UNDER}",
    )
    code, message = refusal(client.split_shard, ShardToSplit="shard-zero", StreamName="no", NewStartingHashKey="1")
    assert (code, message) == (
        "ResourceNotFoundException",
        f"Could not find shard shard-zero in stream no under account {ACCOUNT}.",
    )


def test_arn_when_of_an_account_that_nobody_called_from_then_its_stream_is_not_found(make_client, kind, clock):
    engine, client = make_client(kind, clock=clock)
    for number in range(5_000 if kind == "in process" else 20):
        arn = f"arn:aws:kinesis:eu-west-1:{number:012}:stream/clicks"
        code, message = refusal(client.describe_stream, StreamARN=arn)
        assert (code, message) == ("ResourceNotFoundException", f"Stream clicks under account {number:012} not found.")
    assert engine.list_streams() == []


def test_record_size_when_of_no_stream_then_refused(clicks):
    code, message = refusal(clicks.update_max_record_size, MaxRecordSizeInKiB=2_048)
    assert code == "ValidationException"
    assert "'streamARN' failed to satisfy constraint: Member must not be null" in message


def test_encryption_when_stopped_as_none_then_refused(clicks):
    code, message = refusal(
        clicks.stop_stream_encryption, StreamName="clicks", EncryptionType="NONE", KeyId="alias/aws/kinesis"
    )
    assert (code, message) == ("InvalidArgumentException", "EncryptionType must be KMS to stop encryption.")


def test_subscription_when_its_consumer_is_deregistered_then_ends_as_not_found(clicks):
    clicks.register_stream_consumer(StreamARN=ARN, ConsumerName="app")
    start = {"Type": "LATEST"}
    stream = clicks.subscribe_to_shard(ConsumerARN=CONSUMER, ShardId=SHARD, StartingPosition=start)["EventStream"]
    with contextlib.closing(stream):
        events = iter(stream)
        next(events)
        clicks.deregister_stream_consumer(ConsumerARN=CONSUMER)
        with pytest.raises(ClientError) as ended:
            next(events)
    assert ended.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_records_when_encryption_starts_and_stops_then_each_says_what_held_when_it_was_put(clicks):
    key = {"StreamName": "clicks", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    for change in (None, clicks.start_stream_encryption, clicks.stop_stream_encryption):
        if change is not None:
            change(**key)
        clicks.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")
    records = clicks.get_records(ShardIterator=iterator(clicks))["Records"]
    assert [record.get("EncryptionType") for record in records] == [None, "KMS", None]
    clicks.register_stream_consumer(StreamARN=ARN, ConsumerName="app")
    start = {"Type": "TRIM_HORIZON"}
    events = clicks.subscribe_to_shard(ConsumerARN=CONSUMER, ShardId=SHARD, StartingPosition=start)["EventStream"]
    records = next(iter(events))["SubscribeToShardEvent"]["Records"]
    events.close()
    assert [record.get("EncryptionType") for record in records] == [None, "KMS", None]
