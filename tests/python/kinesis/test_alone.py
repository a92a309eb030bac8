"""The client in process where neither boto3 nor botocore is installed."""

import subprocess
import sys

PROGRAM = """
import sys

sys.modules["boto3"] = sys.modules["botocore"] = None  # as if they were not installed
import shardstream as ss

clock = ss.ManualClock("2026-01-01T00:00:00Z")
engine = ss.Engine(clock=clock)
kinesis = engine.client("kinesis")
kinesis.create_stream(StreamName="clicks", ShardCount=1)
try:
    kinesis.describe_stream(StreamName="views")
except kinesis.exceptions.ResourceNotFoundException as error:
    assert isinstance(error, kinesis.exceptions.ClientError)
    assert isinstance(error, ss.errors.ShardstreamError)
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    print(error)
try:
    kinesis.describe_stream(Stream="clicks")
except ValueError as error:
    print(str(error).splitlines()[0])
try:
    kinesis.get_waiter("stream_not_exists").wait(StreamName="clicks")
except ss.errors.ShardstreamError as error:
    print(error)
engine.faults.drop_connection(op="ListStreams")
try:
    kinesis.list_streams()
except ConnectionError as error:
    assert isinstance(error, ss.errors.ShardstreamError)
    print(error)
try:
    kinesis.create_queue
except AttributeError as error:
    print(error)
"""


def test_client_when_botocore_is_not_installed_then_raises_the_same_by_itself():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines() == [
        (
            "An error occurred (ResourceNotFoundException) when calling the DescribeStream operation: "
            "Stream views under account 000000000000 not found."
        ),
        "Parameter validation failed:",
        "Waiter StreamNotExists failed: Max attempts exceeded",
        'Connection was closed before we received a valid response from endpoint URL: "shardstream, ListStreams".',
        "'KinesisClient' has no method 'create_queue': dir(client) lists those there are",
    ]
