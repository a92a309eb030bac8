"""What aiobotocore does at the endpoint; prints what it found as JSON."""

import asyncio
import json
import os

from aiobotocore.session import get_session

NAME, SHARD = "clicks", "shardId-000000000000"


async def main() -> None:
    """Create, put and read."""
    options = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
    async with get_session().create_client("kinesis", endpoint_url=os.environ["ENDPOINT"], **options) as client:
        await client.create_stream(StreamName=NAME, ShardCount=1)
        await (client.get_waiter("stream_exists")).wait(StreamName=NAME)
        puts = [
            client.put_record(StreamName=NAME, Data=f"page {n}".encode(), PartitionKey=f"user-{n}") for n in range(20)
        ]
        stored = await asyncio.gather(*puts)
        position = {"ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
        answer = await client.get_shard_iterator(StreamName=NAME, **position)
        records = (await client.get_records(ShardIterator=answer["ShardIterator"]))["Records"]
        numbers = {put["SequenceNumber"] for put in stored}
        print(json.dumps({"read": sorted(record["Data"].decode() for record in records), "numbers": len(numbers)}))


asyncio.run(main())
