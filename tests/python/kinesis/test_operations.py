"""Operations of the API as a user of boto3 meets them, in this process and over HTTP."""

import datetime
import hashlib
import io

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError, WaiterError

ACCOUNT = "123456789012"
ARN = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/clicks"
RING = 2**128


def refusal(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def without_metadata(answer):
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    return answer


def read_all(client, shard_id, **position):
    position = position or {"ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(StreamName="clicks", ShardId=shard_id, **position)["ShardIterator"]
    return client.get_records(ShardIterator=iterator)


def shard_ids(client, **parameters):
    return [shard["ShardId"][-2:] for shard in client.list_shards(**parameters)["Shards"]]


def test_stream_when_created_then_described_with_its_shards(kinesis):
    assert without_metadata(kinesis.create_stream(StreamName="clicks", ShardCount=3)) == {}
    description = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]
    assert description["StreamARN"] == ARN
    assert description["StreamStatus"] == "ACTIVE"
    assert description["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert description["RetentionPeriodHours"] == 24
    assert description["StreamCreationTimestamp"] == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert description["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
    assert description["EncryptionType"] == "NONE"
    assert description["HasMoreShards"] is False
    ranges = [shard["HashKeyRange"] for shard in description["Shards"]]
    assert ranges[0] == {"StartingHashKey": "0", "EndingHashKey": "113427455640312821154458202477256070484"}
    assert ranges[2]["EndingHashKey"] == str(RING - 1)


def test_put_record_when_stored_then_read_back_as_it_was(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=4)
    put = without_metadata(kinesis.put_record(StreamName="clicks", Data=b"\x00page\xff", PartitionKey="user-1"))
    index = int.from_bytes(hashlib.md5(b"user-1").digest()) * 4 // RING
    assert put["ShardId"] == f"shardId-{index:012}"
    assert len(put["SequenceNumber"]) == 56
    answer = read_all(kinesis, put["ShardId"])
    [record] = answer["Records"]
    assert record["Data"] == b"\x00page\xff"
    assert record["PartitionKey"] == "user-1"
    assert record["SequenceNumber"] == put["SequenceNumber"]
    assert record["ApproximateArrivalTimestamp"] == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert answer["MillisBehindLatest"] == 0
    again = kinesis.get_records(ShardIterator=answer["NextShardIterator"])
    assert again["Records"] == []


@pytest.mark.parametrize("data", [b"page", bytearray(b"page"), "page"])
def test_data_when_of_any_kind_that_boto3_takes_then_stored(kinesis, data):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.put_record(StreamName="clicks", Data=data, PartitionKey="k")
    [record] = read_all(kinesis, "shardId-000000000000")["Records"]
    assert record["Data"] == b"page"


def test_data_when_a_file_then_the_client_in_process_reads_it_once(make_client):
    _, kinesis = make_client("in process")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.put_record(StreamName="clicks", Data=io.BytesIO(b"page"), PartitionKey="k")
    [record] = read_all(kinesis, "shardId-000000000000")["Records"]
    assert record["Data"] == b"page"


def test_put_records_when_stored_then_answers_are_in_order(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    records = [
        {"Data": f"{n}".encode(), "PartitionKey": f"k{n}", "ExplicitHashKey": str(n % 2 * (RING - 1))} for n in range(5)
    ]
    answer = without_metadata(kinesis.put_records(StreamARN=ARN, Records=records))
    assert answer["FailedRecordCount"] == 0
    assert [result["ShardId"][-1] for result in answer["Records"]] == ["0", "1", "0", "1", "0"]
    assert [record["Data"] for record in read_all(kinesis, "shardId-000000000001")["Records"]] == [b"1", b"3"]


def test_put_records_when_throttled_then_each_is_refused_by_itself(make_client, kind, clock):
    _, kinesis = make_client(kind, clock=clock, limits="aws")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    for _ in range(2):
        kinesis.put_records(StreamName="clicks", Records=[{"Data": b"x", "PartitionKey": "k"}] * 500)
    answer = kinesis.put_records(StreamName="clicks", Records=[{"Data": b"x", "PartitionKey": "k"}])
    assert answer["FailedRecordCount"] == 1
    assert answer["Records"] == [
        {
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": f"Rate exceeded for shard shardId-000000000000 in stream clicks under account {ACCOUNT}.",
        }
    ]
    assert refusal(kinesis.put_record, StreamName="clicks", Data=b"x", PartitionKey="k")[0] == (
        "ProvisionedThroughputExceededException"
    )
    clock.advance("1s")
    assert kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")["ShardId"]


def test_members_when_they_break_constraints_then_all_faults_are_told(kinesis):
    code, message = refusal(kinesis.get_shard_iterator, StreamName="no/name", ShardId="*", ShardIteratorType="SOMETIME")
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: Value '*' at 'shardId' failed to satisfy constraint: ")
    assert "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " in message
    assert "enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]" in message


def test_parameters_when_none_of_the_operation_then_refused_before_the_call(kinesis):
    with pytest.raises(ParamValidationError) as caught:
        kinesis.put_records(StreamName=5, Records=[{"Data": 1, "PartitionKey": "a"}, {}], Limit=3)
    for line in (
        'Unknown parameter in input: "Limit", must be one of: ',
        "Invalid type for parameter StreamName, value: 5, type: <class 'int'>, valid types: <class 'str'>",
        'Missing required parameter in Records[1]: "Data"',
        (
            "Invalid type for parameter Records[0].Data, value: 1, type: <class 'int'>, valid types: "
            "<class 'bytes'>, <class 'bytearray'>, file-like object"
        ),
    ):
        assert line in str(caught.value)


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("describe_stream", {}),
        ("put_record", {"Data": b"", "PartitionKey": "k"}),
        ("delete_stream", {}),
        ("list_tags_for_stream", {}),
    ],
)
def test_stream_when_missing_then_named_with_its_account(kinesis, call, parameters):
    assert refusal(getattr(kinesis, call), StreamName="nowhere", **parameters) == (
        "ResourceNotFoundException",
        f"Stream nowhere under account {ACCOUNT} not found.",
    )
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        getattr(kinesis, call)(StreamName="nowhere", **parameters)


def test_exceptions_when_named_then_are_those_that_boto3_names(kinesis):
    theirs = boto3.client("kinesis", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    for name in dir(theirs.exceptions):
        if name.endswith(("Exception", "Required")):
            assert issubclass(getattr(kinesis.exceptions, name), kinesis.exceptions.ClientError)
            assert name in dir(kinesis.exceptions)
    for name in ("ConnectionClosedError", "Nonsense"):
        for exceptions in (kinesis.exceptions, theirs.exceptions):
            with pytest.raises(AttributeError, match=rf"no attribute {name}\. Valid exceptions are: AccessDenied"):
                getattr(exceptions, name)


def test_stream_when_created_twice_then_in_use(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    assert refusal(kinesis.create_stream, StreamName="clicks", ShardCount=1) == (
        "ResourceInUseException",
        f"Stream clicks under account {ACCOUNT} already exists.",
    )


def test_shards_when_an_absurd_number_then_refused_at_once(kinesis):
    code, message = refusal(kinesis.create_stream, StreamName="clicks", ShardCount=1_000_000)
    assert code == "LimitExceededException"
    assert f"exceed the shard limit for the account {ACCOUNT} in eu-west-1. Current shard count" in message
    assert message.endswith("for current limits and how to request higher limits.")
    assert kinesis.list_streams()["StreamNames"] == []


def test_iterator_when_five_minutes_old_then_expired(kinesis, clock):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    iterator = kinesis.get_shard_iterator(
        StreamName="clicks", ShardId="shardId-000000000000", ShardIteratorType="LATEST"
    )["ShardIterator"]
    clock.advance("5m")
    assert kinesis.get_records(ShardIterator=iterator)["Records"] == []
    clock.advance("1ms")
    code, message = refusal(kinesis.get_records, ShardIterator=iterator)
    assert code == "ExpiredIteratorException"
    assert message.startswith("Iterator expired. The iterator was created at time Thu Jan 01 00:00:00 UTC 2026 while")
    tampered = iterator[:-6] + ("A" if iterator[-6] != "A" else "B") + iterator[-5:]
    assert refusal(kinesis.get_records, ShardIterator=tampered) == (
        "InvalidArgumentException",
        "Invalid ShardIterator.",
    )


def test_positions_when_of_every_kind_then_reads_begin_there(kinesis, clock):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    numbers = []
    for n in range(4):
        clock.advance("1s")
        numbers.append(kinesis.put_record(StreamName="clicks", Data=b"%d" % n, PartitionKey="k")["SequenceNumber"])

    def data(**position):
        return [record["Data"] for record in read_all(kinesis, "shardId-000000000000", **position)["Records"]]

    assert data(ShardIteratorType="TRIM_HORIZON") == [b"0", b"1", b"2", b"3"]
    assert data(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == [b"2", b"3"]
    assert data(ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == [b"3"]
    assert data(ShardIteratorType="LATEST") == []
    at = datetime.datetime(2026, 1, 1, 0, 0, 3, tzinfo=datetime.UTC)
    assert data(ShardIteratorType="AT_TIMESTAMP", Timestamp=at) == [b"2", b"3"]
    code, message = refusal(
        kinesis.get_shard_iterator,
        StreamName="clicks",
        ShardId="shardId-000000000000",
        ShardIteratorType="LATEST",
        StartingSequenceNumber=numbers[0],
    )
    assert code == "InvalidArgumentException"
    assert message.endswith("Request specified LATEST and also a StartingSequenceNumber.")


def test_shard_when_split_then_parent_ends_with_its_children(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.put_record(StreamName="clicks", Data=b"before", PartitionKey="k")
    kinesis.split_shard(StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(RING // 2))
    answer = read_all(kinesis, "shardId-000000000000")
    assert [record["Data"] for record in answer["Records"]] == [b"before"]
    assert answer.get("NextShardIterator") is None
    assert [child["ShardId"] for child in answer["ChildShards"]] == ["shardId-000000000001", "shardId-000000000002"]
    assert answer["ChildShards"][0]["ParentShards"] == ["shardId-000000000000"]
    assert answer["ChildShards"][1]["HashKeyRange"]["StartingHashKey"] == str(RING // 2)
    assert refusal(
        kinesis.split_shard, StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey="7"
    ) == (
        "InvalidArgumentException",
        (
            f"Shard shardId-000000000000 in stream clicks under account {ACCOUNT} has already been merged or split, "
            "and thus is not eligible for merging or splitting."
        ),
    )
    kinesis.merge_shards(
        StreamName="clicks", ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000002"
    )
    last = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]["Shards"][-1]
    assert last["ParentShardId"] == "shardId-000000000001"
    assert last["AdjacentParentShardId"] == "shardId-000000000002"
    assert "EndingSequenceNumber" not in last["SequenceNumberRange"]


def test_list_shards_when_filtered_then_only_those(kinesis, clock):
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    clock.advance("1h")
    kinesis.split_shard(StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey="77")
    clock.advance("1h")
    before = datetime.datetime(2026, 1, 1, 0, 30, tzinfo=datetime.UTC)
    later = datetime.datetime(2026, 1, 1, 1, 30, tzinfo=datetime.UTC)

    def listed(**shard_filter):
        return shard_ids(kinesis, StreamName="clicks", ShardFilter=shard_filter)

    assert shard_ids(kinesis, StreamName="clicks") == ["00", "01", "02", "03"]
    assert listed(Type="AT_LATEST") == ["01", "02", "03"]
    assert listed(Type="AT_TRIM_HORIZON") == ["00", "01"]
    assert listed(Type="AT_TIMESTAMP", Timestamp=before) == ["00", "01"]
    assert listed(Type="FROM_TIMESTAMP", Timestamp=later) == ["01", "02", "03"]
    assert listed(Type="AFTER_SHARD_ID", ShardId="shardId-000000000001") == ["02", "03"]
    page = kinesis.list_shards(StreamName="clicks", MaxResults=3)
    assert shard_ids(kinesis, NextToken=page["NextToken"]) == ["03"]
    clock.advance("301s")
    assert refusal(kinesis.list_shards, NextToken=page["NextToken"])[0] == "ExpiredNextTokenException"
    assert refusal(kinesis.list_shards, StreamName="clicks", NextToken=page["NextToken"]) == (
        "InvalidArgumentException",
        "NextToken and StreamName cannot be provided together.",
    )


def test_shard_count_when_updated_then_ring_is_cut_evenly(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    answer = without_metadata(
        kinesis.update_shard_count(StreamName="clicks", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    )
    assert answer == {"StreamName": "clicks", "StreamARN": ARN, "CurrentShardCount": 2, "TargetShardCount": 3}
    assert kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["OpenShardCount"] == 3


def test_retention_when_changed_then_records_live_as_long(kinesis, clock):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.increase_stream_retention_period(StreamName="clicks", RetentionPeriodHours=24)
    kinesis.increase_stream_retention_period(StreamName="clicks", RetentionPeriodHours=48)
    kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")
    clock.advance("47h")
    assert len(read_all(kinesis, "shardId-000000000000")["Records"]) == 1
    code, _ = refusal(kinesis.increase_stream_retention_period, StreamName="clicks", RetentionPeriodHours=25)
    assert code == "InvalidArgumentException"
    kinesis.decrease_stream_retention_period(StreamName="clicks", RetentionPeriodHours=24)
    assert read_all(kinesis, "shardId-000000000000")["Records"] == []


def test_tags_when_added_then_listed_by_name_and_by_arn(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1, Tags={"a": "1"})
    kinesis.add_tags_to_stream(StreamName="clicks", Tags={"b": "2", "c": ""})
    kinesis.tag_resource(ResourceARN=ARN, Tags={"d": "4"})
    page = kinesis.list_tags_for_stream(StreamName="clicks", Limit=2)
    assert page["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert page["HasMoreTags"] is True
    kinesis.remove_tags_from_stream(StreamName="clicks", TagKeys=["a", "never"])
    kinesis.untag_resource(ResourceARN=ARN, TagKeys=["b"])
    assert [tag["Key"] for tag in kinesis.list_tags_for_resource(ResourceARN=ARN)["Tags"]] == ["c", "d"]


def test_consumers_when_registered_then_described_and_listed(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    consumer = kinesis.register_stream_consumer(StreamARN=ARN, ConsumerName="app")["Consumer"]
    assert consumer["ConsumerARN"] == f"{ARN}/consumer/app:1767225600"
    assert consumer["ConsumerStatus"] == "ACTIVE"
    assert refusal(kinesis.register_stream_consumer, StreamARN=ARN, ConsumerName="app")[0] == "ResourceInUseException"
    for name in ("b", "c"):
        kinesis.register_stream_consumer(StreamARN=ARN, ConsumerName=name)
    pages = list(
        kinesis.get_paginator("list_stream_consumers").paginate(StreamARN=ARN, PaginationConfig={"PageSize": 2})
    )
    assert [[each["ConsumerName"] for each in page["Consumers"]] for page in pages] == [["app", "b"], ["c"]]
    described = kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]
    assert described["StreamARN"] == ARN
    assert refusal(kinesis.delete_stream, StreamName="clicks")[0] == "ResourceInUseException"
    kinesis.deregister_stream_consumer(StreamARN=ARN, ConsumerName="app")
    assert refusal(kinesis.describe_stream_consumer, ConsumerARN=consumer["ConsumerARN"])[0] == (
        "ResourceNotFoundException"
    )
    kinesis.delete_stream(StreamName="clicks", EnforceConsumerDeletion=True)
    assert kinesis.list_streams()["StreamNames"] == []


def test_settings_when_changed_then_the_summary_says_them(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    answer = kinesis.enable_enhanced_monitoring(
        StreamName="clicks", ShardLevelMetrics=["IncomingBytes", "OutgoingBytes"]
    )
    assert (answer["CurrentShardLevelMetrics"], answer["DesiredShardLevelMetrics"]) == (
        [],
        ["IncomingBytes", "OutgoingBytes"],
    )
    kinesis.disable_enhanced_monitoring(StreamName="clicks", ShardLevelMetrics=["OutgoingBytes"])
    kinesis.update_max_record_size(StreamARN=ARN, MaxRecordSizeInKiB=2048)
    kinesis.update_stream_mode(StreamARN=ARN, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = kinesis.describe_stream_summary(StreamARN=ARN)["StreamDescriptionSummary"]
    assert summary["EncryptionType"] == "KMS"
    assert summary["KeyId"] == "alias/aws/kinesis"
    assert summary["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["IncomingBytes"]}]
    assert summary["MaxRecordSizeInKiB"] == 2048
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    put = kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")
    assert put["EncryptionType"] == "KMS"
    assert refusal(
        kinesis.split_shard, StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey="9"
    )[0] == ("ValidationException")


def test_records_when_distributed_by_the_service_then_need_no_key(kinesis):
    kinesis.create_stream(
        StreamName="clicks", StreamModeDetails={"StreamMode": "ON_DEMAND"}, RecordDistributionStrategy="AUTO"
    )
    shards = {kinesis.put_record(StreamName="clicks", Data=b"x")["ShardId"] for _ in range(16)}
    assert len(shards) == 4
    [record, *_] = read_all(kinesis, "shardId-000000000000")["Records"]
    assert "PartitionKey" not in record


def test_dry_run_when_it_would_go_well_then_says_so_and_stores_nothing(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    code, _ = refusal(kinesis.put_record, StreamName="clicks", Data=b"x", PartitionKey="k", DryRun=True)
    assert code == "DryRunOperationException"
    assert read_all(kinesis, "shardId-000000000000")["Records"] == []


def test_policies_when_put_then_got_until_deleted(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.put_resource_policy(ResourceARN=ARN, Policy='{"Version":"2012-10-17","Statement":[]}')
    assert kinesis.get_resource_policy(ResourceARN=ARN)["Policy"] == '{"Version":"2012-10-17","Statement":[]}'
    kinesis.delete_resource_policy(ResourceARN=ARN)
    assert kinesis.get_resource_policy(ResourceARN=ARN)["Policy"] == ""


def test_commitment_when_ended_early_then_holds_for_its_day(kinesis, clock):
    def status():
        return kinesis.describe_account_settings()["MinimumThroughputBillingCommitment"]["Status"]

    assert status() == "DISABLED"
    kinesis.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    assert status() == "ENABLED"
    kinesis.update_account_settings(MinimumThroughputBillingCommitment={"Status": "DISABLED"})
    assert status() == "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
    clock.advance("24h")
    assert status() == "DISABLED"


def test_pages_when_asked_for_then_all_streams_come(kinesis):
    for n in range(7):
        kinesis.create_stream(StreamName=f"s{n}", ShardCount=1)
    paginator = kinesis.get_paginator("list_streams")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 3}))
    assert [page["StreamNames"] for page in pages] == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6"]]
    seen, token = [], None
    for size in (1, 2, 3):
        config = {"MaxItems": 2, "PageSize": size, "StartingToken": token}
        whole = paginator.paginate(PaginationConfig=config).build_full_result()
        seen += whole["StreamNames"]
        token = whole["NextToken"]
    assert seen == ["s0", "s1", "s2", "s3", "s4", "s5"]
    kinesis.update_shard_count(StreamName="s0", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    shards = kinesis.get_paginator("describe_stream").paginate(StreamName="s0", PaginationConfig={"PageSize": 1})
    whole = shards.build_full_result()["StreamDescription"]
    assert len(whole["Shards"]) == 3
    assert (whole["StreamName"], whole["StreamStatus"]) == ("s0", "ACTIVE")


def test_waiters_when_the_stream_is_there_or_gone_then_return(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="clicks")
    kinesis.delete_stream(StreamName="clicks")
    kinesis.get_waiter("stream_not_exists").wait(StreamName="clicks")
    with pytest.raises(WaiterError):
        kinesis.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 0, "MaxAttempts": 2})


def test_states_when_they_take_time_then_the_clock_ends_them(make_client, kind, clock):
    _, kinesis = make_client(kind, clock=clock, create_stream_ms=500, update_stream_ms=200, delete_stream_ms=100)

    def status():
        return kinesis.describe_stream(StreamName="clicks")["StreamDescription"]["StreamStatus"]

    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    assert status() == "CREATING"
    assert kinesis.describe_stream(StreamName="clicks")["StreamDescription"]["Shards"] == []
    assert refusal(kinesis.put_record, StreamName="clicks", Data=b"x", PartitionKey="k")[0] == (
        "ResourceNotFoundException"
    )
    clock.advance("500ms")
    assert status() == "ACTIVE"
    kinesis.split_shard(StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey="99")
    assert status() == "UPDATING"
    assert kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")["ShardId"] == "shardId-000000000000"
    code, message = refusal(
        kinesis.split_shard, StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey="99"
    )
    assert (code, message) == (
        "ResourceInUseException",
        f"Stream clicks under account {ACCOUNT} not ACTIVE, instead in state UPDATING",
    )
    clock.advance("200ms")
    assert kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="k")["ShardId"] == "shardId-000000000002"
    kinesis.delete_stream(StreamName="clicks")
    assert status() == "DELETING"
    clock.advance("100ms")
    assert refusal(kinesis.describe_stream, StreamName="clicks")[0] == "ResourceNotFoundException"


def test_limits_when_asked_then_counts_are_true(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=3)
    kinesis.create_stream(StreamName="demand", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    limits = without_metadata(kinesis.describe_limits())
    assert limits["OpenShardCount"] == 7
    assert limits["OnDemandStreamCount"] == 1
    assert limits["ShardLimit"] >= limits["OpenShardCount"]


def test_terraform_when_it_applies_then_its_calls_go_well(kinesis):
    # The calls of the AWS provider for one stream: plan, create, the settings it always makes, read, change, destroy.
    assert kinesis.describe_limits()["ShardLimit"] > 0
    kinesis.create_stream(
        StreamName="clicks", ShardCount=2, StreamModeDetails={"StreamMode": "PROVISIONED"}, MaxRecordSizeInKiB=1024
    )
    kinesis.get_waiter("stream_exists").wait(StreamName="clicks")
    kinesis.increase_stream_retention_period(StreamName="clicks", RetentionPeriodHours=24)
    kinesis.enable_enhanced_monitoring(StreamName="clicks", ShardLevelMetrics=["IncomingBytes"])
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.add_tags_to_stream(StreamName="clicks", Tags={"team": "web"})
    summary = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    assert (summary["StreamStatus"], summary["OpenShardCount"], summary["RetentionPeriodHours"]) == ("ACTIVE", 2, 24)
    assert kinesis.list_tags_for_stream(StreamName="clicks")["Tags"] == [{"Key": "team", "Value": "web"}]
    kinesis.update_shard_count(StreamName="clicks", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    kinesis.disable_enhanced_monitoring(StreamName="clicks", ShardLevelMetrics=["IncomingBytes"])
    kinesis.stop_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.update_stream_mode(StreamARN=ARN, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.delete_stream(StreamName="clicks", EnforceConsumerDeletion=True)
    kinesis.get_waiter("stream_not_exists").wait(StreamName="clicks")
