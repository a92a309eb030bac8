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
