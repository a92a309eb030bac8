//! Why the engine refuses, in nouns: the facts in fields, the words in `Display`.

use crate::clock::Millis;
use crate::engine::daily::Daily;
use crate::engine::lifecycle::Status;
use crate::hash_key::HashKey;
use crate::hash_key::HashKeyRange;
use crate::record::json::JsonError;
use crate::record::key::KeyError;
use crate::record::payload::DataError;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::SequenceNumberError;
use crate::record::sequence::ShardIndex;
use crate::store::StoreError;

/// Why the engine refused; nothing was stored unless a variant says so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// More changes of a kind than a day allows.
    #[error(
        "Stream {stream} under account {account} {change} {} times in 24 hours, which is all Kinesis allows.", .change.per_day_max()
    )]
    ChangesExhausted {
        /// What it did.
        change: Daily,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// A consumer of this name is registered already.
    #[error("Consumer {consumer} of stream {stream} under account {account} already exists.")]
    ConsumerExists {
        /// The name.
        consumer: String,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// More consumers than a stream may have.
    #[error(
        "Stream {stream} under account {account} has the maximum number of registered consumers, {max}."
    )]
    ConsumersExhausted {
        /// How many it may have.
        max: usize,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// A column that cannot be the data of records.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The engine was closed.
    #[error("the engine is closed; make a new one, or leave close() to the end")]
    EngineClosed,
    /// The engine is another process's.
    #[error(
        "this engine was made by the process that this one was forked off, and cannot be used here: make one in this \
         process, or keep streams in a folder and open it here, with read_only=True while the other one writes"
    )]
    EngineForked,
    /// A partition key that cannot be one.
    #[error("record {index}: {error}")]
    EntryKey {
        /// Its place in the call.
        index: usize,
        /// What is wrong with it.
        error: KeyError,
    },
    /// A folder to be made that is there.
    #[error("{folder} is not empty: it holds {holds}; name a folder that is not there yet")]
    FolderInUse {
        /// The folder.
        folder: String,
        /// What is in it.
        holds: String,
    },
    /// A cut that does not lie inside the shard.
    #[error(
        "hash key {at} is not both greater than one plus the StartingHashKey and less than the EndingHashKey of \
         {shard}, which owns {range}: give one in between, or none to cut at the middle"
    )]
    HashKeyOutsideShard {
        /// The cut asked for.
        at: HashKey,
        /// The shard.
        shard: ShardIndex,
        /// What it owns.
        range: HashKeyRange,
    },
    /// Rows that could not be rendered as bytes.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A partition key, or a column of them, that cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An operation that on-demand streams do by themselves.
    #[error(
        "stream {stream} is on demand and scales itself: {operation} is for PROVISIONED streams"
    )]
    OnDemand {
        /// The stream.
        stream: String,
        /// What was asked.
        operation: &'static str,
    },
    /// A shard whose capacity for this second is used up.
    #[error("Rate exceeded for shard {shard} in stream {stream} under account {account}.")]
    RateExceeded {
        /// The shard.
        shard: ShardIndex,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// A record over the limit, key counted.
    #[error(
        "a record has at most {bytes_max} bytes, its partition key counted; {} has {bytes}: \
         split it, or raise max_record_size of the stream", which(*.index)
    )]
    RecordTooLarge {
        /// Its place in the call or table, where there are several.
        index: Option<usize>,
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// A retention that goes the other way than asked.
    #[error(
        "retention of stream {stream} is {current_hours} hours: {asked_hours} is not {direction}; use {instead}"
    )]
    RetentionDirection {
        /// The stream.
        stream: String,
        /// What it is.
        current_hours: i64,
        /// What was asked.
        asked_hours: i64,
        /// What it should have been.
        direction: &'static str,
        /// What to use.
        instead: &'static str,
    },
    /// A retention outside 24 hours to a year.
    #[error("retention is a whole number of hours from 24 to 8760 (a year); {asked_ms} ms is {}", hours(*.asked_ms))]
    RetentionOutOfRange {
        /// What was asked.
        asked_ms: i64,
    },
    /// A sequence number that no shard of this stream has given out.
    #[error(
        "sequence number {number} belongs to no shard of stream {stream}: use one that this stream gave out"
    )]
    SequenceNumberForeign {
        /// The number.
        number: SequenceNumber,
        /// The stream.
        stream: String,
    },
    /// Digits that are no sequence number.
    #[error(transparent)]
    SequenceNumberInvalid(#[from] SequenceNumberError),
    /// A sequence number used with another shard than its own.
    #[error(
        "Invalid StartingSequenceNumber. It encodes {encoded} while it was used in a call to a shard with {used}"
    )]
    SequenceNumberOfOtherShard {
        /// The shard the number belongs to.
        encoded: ShardIndex,
        /// The shard it was used with.
        used: ShardIndex,
    },
    /// A shard that takes no more records and cannot be resharded again.
    #[error("{shard} of stream {stream} is closed: reshard its open descendants (see shards())")]
    ShardClosed {
        /// The shard.
        shard: ShardIndex,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// A number of shards that no stream has.
    #[error("a stream has 1 to {max} shards, not {asked}")]
    ShardCountOutOfRange {
        /// What was asked.
        asked: i64,
        /// The most there may be.
        max: u32,
    },
    /// More than doubling, or less than halving, at once.
    #[error(
        "{asked} shards is more than double or less than half of the {current} open ones: go in steps"
    )]
    ShardCountStep {
        /// The open shards.
        current: u32,
        /// What was asked.
        asked: u32,
    },
    /// A shard that is not in the stream.
    #[error("Shard {shard} in stream {stream} under account {account} does not exist")]
    ShardNotFound {
        /// The name given.
        shard: String,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// A shard that owns too little of the ring to be cut.
    #[error("{shard} owns {range}: too narrow to split")]
    ShardTooNarrow {
        /// The shard.
        shard: ShardIndex,
        /// What it owns.
        range: HashKeyRange,
    },
    /// Two shards that are not neighbours on the ring.
    #[error(
        "Shards {lower} and {upper} in stream {stream} under account {account} are not an adjacent pair of shards \
         eligible for merging: the first must end where the second starts"
    )]
    ShardsNotAdjacent {
        /// The shard named first.
        lower: ShardIndex,
        /// The shard named second.
        upper: ShardIndex,
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// The store refuses, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stream that takes no changes now.
    #[error("Stream {stream} under account {account} not ACTIVE, instead in state {}", .status.name())]
    StreamBusy {
        /// The stream.
        stream: String,
        /// The account.
        account: String,
        /// What it is at.
        status: Status,
    },
    /// A stream of this name is there already.
    #[error("Stream {stream} under account {account} already exists.")]
    StreamExists {
        /// The name.
        stream: String,
        /// The account.
        account: String,
    },
    /// A name that no stream may have.
    #[error("a stream name has 1 to 128 characters of a-z A-Z 0-9 _ . -; `{name}` {fault}")]
    StreamNameInvalid {
        /// The name, its first characters.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// No stream of this name.
    #[error("Stream {stream} under account {account} not found.{}", there_are(.known))]
    StreamNotFound {
        /// The name.
        stream: String,
        /// The account.
        account: String,
        /// Some of the names there are.
        known: Vec<String>,
    },
    /// Tags that no stream may have.
    #[error("tags: {fault}")]
    TagsInvalid {
        /// What is wrong with them.
        fault: String,
    },
    /// A table that cannot be written down.
    #[error("the table cannot be written to the store: {reason}; none of it was")]
    Unwritable {
        /// Why not.
        reason: String,
    },
    /// More accounts than one engine holds.
    #[error(
        "an engine holds at most {max} accounts in regions; make another engine, or use fewer credentials"
    )]
    TooManyAccounts {
        /// How many it holds.
        max: usize,
    },
    /// More streams being created than an account may have at once.
    #[error(
        "This request would exceed the limit on the number of streams that can simultaneously be in CREATING or DELETING \
         for the account {account}. Limit: {max}."
    )]
    TooManyCreating {
        /// The account.
        account: String,
        /// How many it may have.
        max: usize,
    },
    /// More consumers of a stream being made than may be at once.
    #[error(
        "Stream {stream} under account {account} has the maximum number of consumers in CREATING state: wait until one is \
         ACTIVE."
    )]
    TooManyConsumersCreating {
        /// The stream.
        stream: String,
        /// The account.
        account: String,
    },
    /// More streams on demand than an account may have.
    #[error(
        "This request would exceed the limit on the number of On-Demand streams for the account {account} in {region}. \
         Current On-Demand streams count: {count}. Limit: {max}."
    )]
    OnDemandStreamsExhausted {
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// How many it has.
        count: u32,
        /// How many it may have.
        max: u32,
    },
    /// More open shards than an account may have.
    #[error(
        "This request would exceed the shard limit for the account {account} in {region}. Current shard count for \
         the account: {open}. Limit: {max}. Number of additional shards that would have resulted from this request: \
         {asked}."
    )]
    ShardsExhausted {
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// How many it may have.
        max: u32,
        /// How many it has.
        open: u32,
        /// How many were asked for.
        asked: u32,
    },
    /// A time to read from that has not come.
    #[error(
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
         timestampInMillis: {asked}, currentTimestampInMillis: {now}"
    )]
    TimestampInFuture {
        /// What was asked.
        asked: Millis,
        /// The engine's time.
        now: Millis,
    },
}

fn which(index: Option<usize>) -> String {
    index.map_or_else(|| "this one".to_owned(), |index| format!("record {index}"))
}

fn hours(ms: i64) -> String {
    if ms % 3_600_000 == 0 {
        format!("{} hours", ms / 3_600_000)
    } else {
        "not whole hours".to_owned()
    }
}

fn there_are(known: &[String]) -> String {
    match known {
        [] => " create_stream() makes one.".to_owned(),
        names => format!(" There are: {}.", names.join(", ")),
    }
}
