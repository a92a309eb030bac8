// What AWS's client for JavaScript does at the endpoint, over HTTP/2 by itself; prints what it found as JSON.
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";

const client = new KinesisClient({
  endpoint: process.env.ENDPOINT,
  region: "eu-west-1",
  credentials: { accessKeyId: "AKID", secretAccessKey: "secret" },
});
const StreamName = "clicks";
const StreamARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";
const ShardId = "shardId-000000000000";
const text = (bytes) => new TextDecoder().decode(bytes);

await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
await waitUntilStreamExists({ client, maxWaitTime: 60 }, { StreamName });
const put = await client.send(
  new PutRecordsCommand({
    StreamName,
    Records: [1, 2, 3].map((n) => ({ Data: new TextEncoder().encode(`page ${n}`), PartitionKey: `user-${n}` })),
  }),
);
const { ShardIterator } = await client.send(
  new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
);
const { Records } = await client.send(new GetRecordsCommand({ ShardIterator }));
const { Consumer } = await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "app" }));
const { EventStream } = await client.send(
  new SubscribeToShardCommand({
    ConsumerARN: Consumer.ConsumerARN,
    ShardId,
    StartingPosition: { Type: "TRIM_HORIZON" },
  }),
);
const pushed = [];
for await (const { SubscribeToShardEvent } of EventStream) {
  pushed.push(...SubscribeToShardEvent.Records.map((record) => text(record.Data)));
  if (pushed.length === 3) {
    await client.send(new PutRecordsCommand({ StreamName, Records: [{ Data: new TextEncoder().encode("late"), PartitionKey: "k" }] }));
  }
  if (pushed.length === 4) break;
}
console.log(JSON.stringify({ failed: put.FailedRecordCount, read: Records.map((record) => text(record.Data)), pushed }));
// The subscription goes on for minutes.
process.exit(0);
