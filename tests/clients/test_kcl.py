"""The Kinesis Client Library at the endpoint, with its leases in a stand-in for DynamoDB."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

HERE = Path(__file__).parent
PREFIX = Path(sys.executable).parents[1]
KEYS, RECORDS = 8, 120


@pytest.fixture
def dynamodb():
    """Where the leases are kept."""
    with subprocess.Popen(
        [sys.executable, "dynamodb.py"],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(PREFIX / "moto")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield server.stdout.readline().strip()


def checkpoints(dynamodb, application):
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb,
        region_name="eu-west-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
    )
    leases = client.scan(TableName=application)["Items"]
    return {lease["leaseKey"]["S"][-1]: lease["checkpoint"]["S"] for lease in leases}


@pytest.mark.timeout(300)
def test_applications_when_shards_split_and_merge_then_read_each_record_once_in_order(engine, found_by_java, dynamodb):
    answer = found_by_java("KinesisLibrary.java", timeout=280, DYNAMODB=dynamodb)
    last = {}
    for record in engine.stream("clicks").read():
        last[record.shard_id[-1]] = record.sequence_number
    parents = [f"shardId-{shard:012}" for shard in range(3)]
    expected = {**dict.fromkeys("012", "SHARD_END"), **{shard: last[shard] for shard in "345"}}
    assert answer.keys() == {"polling", "pushed"}
    for application, seen in answer.items():
        for key in range(KEYS):
            numbers = [int(number) for name, number, _ in seen["read"] if name == f"user-{key}"]
            assert numbers == list(range(key, RECORDS, KEYS)), application
        assert (seen["asked to stop"], seen["ended"]) == (parents, parents), application
        assert checkpoints(dynamodb, application) == expected, application
