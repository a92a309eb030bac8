"""What boto3, of whatever version is on the path, does in `mock_kinesis`; prints what it found as JSON."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from urllib3.exceptions import ProtocolError

import shardstream as ss

NAME, SHARD = "clicks", "shardId-000000000000"
KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}


def made(attempts, **options):
    """A client of a place where nobody listens, which tries so often."""
    config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
    where = {"region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:9"}
    return boto3.session.Session().client("kinesis", config=config, **where, **options)


def put(client, data):
    """Put a record, and give how often it was tried again."""
    answer = client.put_record(StreamName=NAME, Data=data.encode(), PartitionKey="k")
    return answer["ResponseMetadata"]["RetryAttempts"]


def read(client):
    """All records of the shard."""
    start = {"StreamName": NAME, "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(**start)["ShardIterator"]
    return [record["Data"].decode() for record in client.get_records(ShardIterator=iterator)["Records"]]


def retried(client, engine):
    """Put where two tries are refused: how often it was tried again, and whether the clock moved for it."""
    engine.faults.throttle(op="PutRecord", times=2)
    before = engine.clock.now()
    return put(client, "throttled"), before < engine.clock.now()


def consumer(client, engine):
    """A consumer's ARN."""
    arn = f"arn:aws:kinesis:eu-west-1:{engine.account_id}:stream/{NAME}"
    return client.register_stream_consumer(StreamARN=arn, ConsumerName="app")["Consumer"]["ConsumerARN"]


def pushed(client, arn):
    """Records by subscription, until there are three or it breaks off; a record is put after each event."""
    subscription = {"ConsumerARN": arn, "ShardId": SHARD, "StartingPosition": {"Type": "LATEST"}}
    events = client.subscribe_to_shard(**subscription)["EventStream"]
    found = []
    try:
        for event in events:
            found += [record["Data"].decode() for record in event["SubscribeToShardEvent"]["Records"]]
            if len(found) == 3:
                break
            put(client, f"late {len(found)}")
    except ProtocolError:
        found.append("broken off")
    events.close()
    return found


def inside(before, engine):
    """What two clients do while the mock lasts."""
    engine.create_stream(NAME, shards=1)
    client = made(attempts=4)
    stored = [put(before, "before"), put(client, "inside")]
    found = {"stored": stored, "read": read(before), "retried": retried(client, engine)}
    arn = consumer(client, engine)
    found["pushed"] = pushed(before, arn)
    engine.clock.advance("5s")
    engine.faults.drop_subscription(after_events=2)
    found["dropped"] = pushed(client, arn)
    return found


def main():
    """Ask by clients made before and inside, and once more afterwards."""
    before = made(attempts=1, **KEYS)
    with ss.testing.mock_kinesis(clock=ss.ManualClock(), region="eu-west-1") as engine:
        found = inside(before, engine)
    try:
        before.list_streams()
    except BotoCoreError as error:
        found["afterwards"] = type(error).__name__
    print(json.dumps({**found, "version": boto3.__version__}))


main()
