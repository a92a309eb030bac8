"""What boto3, of whatever version is on the path, does at the endpoint; prints what it found as JSON."""

import json
import os

import boto3

NAME, SHARD = "clicks", "shardId-000000000000"
ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"

client = boto3.client(
    "kinesis",
    endpoint_url=os.environ["ENDPOINT"],
    region_name="eu-west-1",
    aws_access_key_id="AKID",
    aws_secret_access_key="secret",
)
client.create_stream(StreamName=NAME, ShardCount=1)
client.get_waiter("stream_exists").wait(StreamName=NAME)
put = client.put_records(
    StreamName=NAME, Records=[{"Data": f"page {n}".encode(), "PartitionKey": f"user-{n}"} for n in (1, 2, 3)]
)
iterator = client.get_shard_iterator(StreamName=NAME, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
read = client.get_records(ShardIterator=iterator)["Records"]
consumer = client.register_stream_consumer(StreamARN=ARN, ConsumerName="app")["Consumer"]["ConsumerARN"]
events = client.subscribe_to_shard(ConsumerARN=consumer, ShardId=SHARD, StartingPosition={"Type": "TRIM_HORIZON"})[
    "EventStream"
]
pushed = []
for event in events:
    pushed += [record["Data"].decode() for record in event["SubscribeToShardEvent"]["Records"]]
    if len(pushed) == 3:
        client.put_record(StreamName=NAME, Data=b"late", PartitionKey="k")
    if len(pushed) == 4:
        break
events.close()
found = {"failed": put["FailedRecordCount"], "read": [record["Data"].decode() for record in read], "pushed": pushed}
print(json.dumps({**found, "version": boto3.__version__}))
