"""A thousand tests that each create a stream, put 100 records, reshard and read back: beside moto.

Suites are written to a folder and run by pytest in processes of their own, one after the other in rounds; the time of
as many empty tests is what pytest itself takes. `--tests 1000 --rounds 3` unless said.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EMPTY = """
import pytest

@pytest.mark.parametrize("turn", range({tests}))
def test_it(turn): ...
"""
ENGINE = """
import pytest

@pytest.mark.parametrize("turn", range({tests}))
def test_it(turn, make_kinesis_stream):
    stream = make_kinesis_stream(shards=1)
    stream.put_many([(b"record %d" % i, f"user-{{i}}") for i in range(100)])
    stream.update_shard_count(2)
    assert len([record.data for record in stream.read()]) == 100
"""
# What a test does with any client: as boto3's users write it.
CLIENT = """
def drain(client):
    client.create_stream(StreamName="clicks", ShardCount=1)
    records = [dict(Data=b"record %d" % i, PartitionKey=f"user-{{i}}") for i in range(100)]
    assert client.put_records(StreamName="clicks", Records=records)["FailedRecordCount"] == 0
    client.update_shard_count(StreamName="clicks", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    found = 0
    for shard in client.list_shards(StreamName="clicks")["Shards"]:
        iterator = client.get_shard_iterator(
            StreamName="clicks", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found += len(client.get_records(ShardIterator=iterator)["Records"])
    assert found == 100
"""
OURS = """
import pytest

@pytest.mark.parametrize("turn", range({tests}))
def test_it(turn, kinesis):
    drain(kinesis.client("kinesis"))
"""
BOTO3 = """
import pytest

@pytest.mark.parametrize("turn", range({tests}))
def test_it(turn, kinesis_client):
    drain(kinesis_client)
"""
MOCK = """
import boto3, pytest
import shardstream as ss

@pytest.mark.parametrize("turn", range({tests}))
@ss.testing.mock_kinesis()
def test_it(turn):
    drain(boto3.client("kinesis", region_name="us-east-1"))
"""
MOTO = """
import boto3, pytest
from moto import mock_aws

@pytest.mark.parametrize("turn", range({tests}))
@mock_aws
def test_it(turn):
    drain(boto3.client("kinesis", region_name="us-east-1"))
"""
SUITES = {
    "empty": EMPTY,
    "shardstream, streams": ENGINE,
    "shardstream, in-process client": OURS + CLIENT,
    "shardstream, kinesis_client (boto3)": BOTO3 + CLIENT,
    "shardstream, mock_kinesis (boto3)": MOCK + CLIENT,
    "moto, mock_aws (boto3)": MOTO + CLIENT,
}


def seconds(folder, suite, tests):
    path = Path(folder, "test_it.py")
    path.write_text(suite.format(tests=tests))
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if f"{tests} passed" not in ended.stdout:
        sys.exit(ended.stdout[-3000:] + ended.stderr)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    took = {name: [] for name in SUITES}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for name, suite in SUITES.items():
                took[name].append(seconds(folder, suite, arguments.tests))
    medians = {name: statistics.median(times) for name, times in took.items()}
    empty, moto = medians["empty"], medians["moto, mock_aws (boto3)"]
    print(f"{arguments.tests} tests, median of {arguments.rounds}")
    for name, total in medians.items():
        own = total - empty
        times = f", {(moto - empty) / own:6.1f} times less than moto" if own > 0 else ""
        print(f"{name:36} {total:7.2f} s, {1e3 * own / arguments.tests:8.3f} ms a test{times}")
    print(json.dumps(medians))


if __name__ == "__main__":
    main()
