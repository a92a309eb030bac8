"""What async-kinesis does at the endpoint, before a shard is split and after; prints what it found as JSON."""

import asyncio
import json
import os

from kinesis import Consumer, MemoryCheckPointer, Producer

NAME = "clicks"
ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
ROUND = 20
OPTIONS = {"endpoint_url": os.environ["ENDPOINT"], "region_name": "eu-west-1"}


async def put(producer: Producer, first: int) -> None:
    """Put a round of records."""
    for n in range(first, first + ROUND):
        await producer.put(f"page {n}", partition_key=f"user-{n % 5}")
    await producer.flush()


async def read(checkpoints: MemoryCheckPointer, **options: bool) -> list[str]:
    """Read on from the checkpoints until nothing has come for two seconds."""
    async with Consumer(ARN, checkpointer=checkpoints, sleep_time_no_records=0.1, **options, **OPTIONS) as consumer:
        return [record async for record in consumer]


async def main() -> None:
    """Put and read, split the only shard, put and read on."""
    checkpoints = MemoryCheckPointer("app")
    async with Producer(NAME, create_stream=True, **OPTIONS) as producer:
        await put(producer, 0)
        before = await read(checkpoints)
        split = {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": str(2**127)}
        await producer.client.split_shard(StreamName=NAME, **split)
        await put(producer, ROUND)
        after = await read(checkpoints, use_list_shards=True)
    print(json.dumps({"before": before, "after": sorted(after)}))


asyncio.run(main())
