//! Every number of the Kinesis contract, named, each with its source.
//!
//! `[M]` is the service model and its documentation, `[DG]` the Kinesis developer guide.

/// Characters of a partition key, at least. [M `PartitionKey`]
pub const PARTITION_KEY_CHARS_MIN: usize = 1;
/// Characters of a partition key, at most. [M `PartitionKey`]
pub const PARTITION_KEY_CHARS_MAX: usize = 256;

/// Characters of a stream name, at most. [M `StreamName`]
pub const STREAM_NAME_CHARS_MAX: usize = 128;

/// Bytes of a record, its key counted, at most: what a stream allows unless told otherwise. [M `MaxRecordSizeInKiB`]
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Shards of one stream, at most. [M `UpdateShardCount`]
pub const SHARDS_PER_STREAM_MAX: u32 = 10_000;
/// Shards that an on-demand stream starts with. [DG service-sizes-and-limits]
pub const ON_DEMAND_SHARDS_START: u32 = 4;
/// Shards that an on-demand stream grows to: 200 MiB a second. [DG service-sizes-and-limits]
pub const ON_DEMAND_SHARDS_MAX: usize = 200;
/// Milliseconds in which a busy shard of an on-demand stream is split. [DG how-do-i-size-a-stream]
pub const ON_DEMAND_GROWTH_MS: i64 = 15 * 60_000;
/// `UpdateShardCount` calls for one stream in a rolling day. [M `UpdateShardCount`]
pub const UPDATE_SHARD_COUNT_PER_DAY_MAX: usize = 10;

/// Tags of one stream, at most. [M `AddTagsToStream`]
pub const TAGS_PER_STREAM_MAX: usize = 50;
/// Characters of a tag's key, at most. [M `TagKey`]
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Characters of a tag's value, at most. [M `TagValue`]
pub const TAG_VALUE_CHARS_MAX: usize = 256;

/// Milliseconds in an hour, the unit of retention.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// Hours a record is kept, at least and unless told otherwise. [M `DecreaseStreamRetentionPeriod`]
pub const RETENTION_HOURS_MIN: i64 = 24;
/// Hours a record is kept, at most. [M `IncreaseStreamRetentionPeriod`]
pub const RETENTION_HOURS_MAX: i64 = 8_760;

/// Records a shard takes in a second. [M `PutRecord`]
pub const SHARD_WRITE_RECORDS_PER_SECOND: i64 = 1_000;
/// Bytes a shard takes in a second, keys counted. [M `PutRecord`]
pub const SHARD_WRITE_BYTES_PER_SECOND: i64 = 1024 * 1024;
/// Reads a shard answers in a second. [M `GetRecords`]
pub const SHARD_READS_PER_SECOND: i64 = 5;
/// Bytes a shard hands out in a second. [M `GetRecords`]
pub const SHARD_READ_BYTES_PER_SECOND: i64 = 2 * 1024 * 1024;
/// Iterators that a shard gives out in a second. [M `GetShardIterator`]
pub const SHARD_ITERATORS_PER_SECOND: i64 = 5;

/// Shards that an account may have open in a region, unless it asked for more. [AWS "Quotas and limits", 2025]
pub const SHARDS_PER_ACCOUNT: u32 = 6_000;
/// The same in us-east-1, us-west-2 and eu-west-1. [AWS "Quotas and limits", 2025]
pub const SHARDS_PER_ACCOUNT_LARGE_REGION: u32 = 20_000;
/// Streams on demand that an account may have in a region. [DG service-sizes-and-limits]
pub const ON_DEMAND_STREAMS_MAX: u32 = 50;
/// Streams of an account that may be in CREATING at once. [M `CreateStream`]
pub const STREAMS_CREATING_MAX: usize = 5;
/// Consumers that a stream may have registered. [M `RegisterStreamConsumer`]
pub const CONSUMERS_PER_STREAM_MAX: usize = 20;
/// The same in an account that committed itself to a throughput. [M `RegisterStreamConsumer`]
pub const CONSUMERS_PER_STREAM_ADVANTAGE_MAX: usize = 50;
/// Consumers of a stream that may be in CREATING at once. [M `RegisterStreamConsumer`]
pub const CONSUMERS_CREATING_MAX: usize = 5;
/// Switches of a stream's mode in a rolling day. [M `UpdateStreamMode`]
pub const MODE_SWITCHES_PER_DAY_MAX: usize = 2;
/// Times that encryption may be started in a rolling day, and stopped. [M `StartStreamEncryption`, `StopStreamEncryption`]
pub const ENCRYPTION_CHANGES_PER_DAY_MAX: usize = 25;
/// Throughput that a stream may be readied for, in MiB a second. [M `UpdateStreamWarmThroughput`]
pub const WARM_THROUGHPUT_MIBPS_MAX: i64 = 10_240;
/// Records of one answer, at most. [M `GetRecords`]
pub const GET_RECORDS_MAX: usize = 10_000;
/// Bytes of one answer, keys counted, at most. [M `GetRecords`]
pub const GET_RECORDS_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Records of one `PutRecords`, at most. [M `PutRecordsRequestEntryList`]
pub const PUT_RECORDS_MAX: usize = 500;
/// Bytes of the records of one `PutRecords`, keys counted, at most. [M `PutRecords`]
pub const PUT_RECORDS_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Milliseconds that a subscription lives. [M `SubscribeToShard`]
pub const SUBSCRIPTION_LIFE_MS: i64 = 300_000;
/// Milliseconds after which another subscription may take the place of one. [M `SubscribeToShard`]
pub const RESUBSCRIBE_MS: i64 = 5_000;
/// Milliseconds between two events of a subscription, at most. [LS, a comment]
pub const HEARTBEAT_MS: i64 = 5_000;
/// Bytes of the records of one event. [M `SubscribeToShard`: 2 MiB a second]
pub const EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Milliseconds that a shard iterator lives. [DG service-sizes-and-limits]
pub const ITERATOR_LIFE_MS: i64 = 300_000;
/// Milliseconds that a token of a listing lives. [M `ListShards`]
pub const TOKEN_LIFE_MS: i64 = 300_000;
