"""What aiobotocore's clients do in `mock_kinesis`, made before and inside; prints what they found as JSON."""

import asyncio
import json

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientPayloadError
from botocore.exceptions import BotoCoreError

import shardstream as ss

NAME, SHARD = "clicks", "shardId-000000000000"
KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}


def made(attempts, **options):
    """A client of a place where nobody listens, to be entered; it tries so often."""
    config = AioConfig(retries={"mode": "standard", "total_max_attempts": attempts})
    where = {"region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:9"}
    return get_session().create_client("kinesis", config=config, **where, **options)


async def put(client, data):
    """Put a record, and give how often it was tried again."""
    answer = await client.put_record(StreamName=NAME, Data=data.encode(), PartitionKey="k")
    return answer["ResponseMetadata"]["RetryAttempts"]


async def read(client):
    """All records of the shard."""
    start = {"StreamName": NAME, "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = (await client.get_shard_iterator(**start))["ShardIterator"]
    return [record["Data"].decode() for record in (await client.get_records(ShardIterator=iterator))["Records"]]


async def retried(client, engine):
    """Put where two tries are refused: how often it was tried again, and whether the clock moved for it."""
    engine.faults.throttle(op="PutRecord", times=2)
    before = engine.clock.now()
    return await put(client, "throttled"), before < engine.clock.now()


async def consumer(client, engine):
    """A consumer's ARN."""
    arn = f"arn:aws:kinesis:eu-west-1:{engine.account_id}:stream/{NAME}"
    return (await client.register_stream_consumer(StreamARN=arn, ConsumerName="app"))["Consumer"]["ConsumerARN"]


async def pushed(client, arn):
    """Records by subscription, until there are three or it breaks off; a record is put after each event."""
    subscription = {"ConsumerARN": arn, "ShardId": SHARD, "StartingPosition": {"Type": "LATEST"}}
    events = (await client.subscribe_to_shard(**subscription))["EventStream"]
    found = []
    try:
        async for event in events:
            found += [record["Data"].decode() for record in event["SubscribeToShardEvent"]["Records"]]
            if len(found) == 3:
                break
            await put(client, f"late {len(found)}")
    except ClientPayloadError:
        found.append("broken off")
    events.close()
    return found


async def inside(before, engine):
    """What two clients do while the mock lasts."""
    engine.create_stream(NAME, shards=1)
    async with made(attempts=4) as client:
        stored = [await put(before, "before"), await put(client, "inside")]
        found = {"stored": stored, "read": await read(before), "retried": await retried(client, engine)}
        arn = await consumer(client, engine)
        found["pushed"] = await pushed(before, arn)
        engine.clock.advance("5s")
        engine.faults.drop_subscription(after_events=2)
        found["dropped"] = await pushed(client, arn)
        return found


async def main():
    """Ask by clients made before and inside, and once more afterwards."""
    async with made(attempts=1, **KEYS) as before:
        async with ss.testing.mock_kinesis(clock=ss.ManualClock(), region="eu-west-1") as engine:
            found = await inside(before, engine)
        try:
            await before.list_streams()
        except BotoCoreError as error:
            found["afterwards"] = type(error).__name__
    print(json.dumps(found))


asyncio.run(main())
