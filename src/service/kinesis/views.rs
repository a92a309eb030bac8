//! What the engine holds, as the service shows it.

use crate::clock::Millis;
use crate::engine::Account;
use crate::engine::Distribution;
use crate::engine::Mode;
use crate::engine::Settings;
use crate::engine::Stream;
use crate::engine::account::Commitment;
use crate::engine::consumer::Consumer;
use crate::engine::shard::Shard;
use crate::hash_key::HashKeyRange;
use crate::limits::HOUR_MS;
use crate::limits::TOKEN_LIFE_MS;
use crate::record::Record;
use crate::record::sequence::ShardIndex;
use crate::service::arn::Arn;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;
use crate::service::value::Value;

/// What both descriptions of a stream share.
pub(super) fn stream(
    call: &Call<'_>,
    stream: &Stream,
    account: &Account,
) -> Result<Members, ServiceError> {
    let settings = stream.settings(call.now)?;
    let metrics: Vec<Value> =
        settings.shard_metrics.iter().map(|name| Value::from(name.as_str())).collect();
    let encryption = if settings.encryption_key.is_some() { "KMS" } else { "NONE" };
    Ok(stream_names(stream, account)
        .with("StreamStatus", stream.status(call.now)?.name())
        .with("StreamModeDetails", Members::new().with("StreamMode", mode(settings.mode)))
        .with("RetentionPeriodHours", stream.retention_ms()? / HOUR_MS)
        .with("StreamCreationTimestamp", stream.created())
        .with(
            "EnhancedMonitoring",
            vec![Value::from(Members::new().with("ShardLevelMetrics", metrics))],
        )
        .with("EncryptionType", encryption)
        .with_some("KeyId", settings.encryption_key))
}

/// A stream's name and ARN.
pub(super) fn stream_names(stream: &Stream, account: &Account) -> Members {
    Members::new()
        .with("StreamName", stream.name())
        .with("StreamARN", Call::arn(stream, account).to_string())
}

/// A stream in a list of many.
pub(super) fn stream_summary(call: &Call<'_>, stream: &Stream) -> Result<Members, ServiceError> {
    Ok(stream_names(stream, &call.account)
        .with("StreamStatus", stream.status(call.now)?.name())
        .with("StreamModeDetails", Members::new().with("StreamMode", mode(stream.mode()?)))
        .with("StreamCreationTimestamp", stream.created()))
}

/// A shard.
pub(super) fn shard(shard: &Shard) -> Members {
    let numbers = Members::new()
        .with("StartingSequenceNumber", shard.starting_sequence_number().to_string())
        .with_some(
            "EndingSequenceNumber",
            shard.ending_sequence_number().map(|number| number.to_string()),
        );
    Members::new()
        .with("ShardId", shard.birth.shard.to_string())
        .with_some("ParentShardId", shard.parent.map(|parent| parent.to_string()))
        .with_some("AdjacentParentShardId", shard.adjacent_parent.map(|parent| parent.to_string()))
        .with("HashKeyRange", hash_key_range(shard.range))
        .with("SequenceNumberRange", numbers)
}

fn hash_key_range(range: HashKeyRange) -> Members {
    Members::new()
        .with("StartingHashKey", range.first.to_string())
        .with("EndingHashKey", range.last.to_string())
}

/// The shards that a closed shard was made into.
pub(super) fn child_shards(
    stream: &Stream,
    now: Millis,
    parent: ShardIndex,
) -> Result<Vec<Value>, ServiceError> {
    let shards = stream.shards(now)?;
    let parents = |shard: &Shard| [shard.parent, shard.adjacent_parent].into_iter().flatten();
    let children = shards.iter().filter(|shard| parents(shard).any(|each| each == parent));
    let child = |shard: &Shard| {
        let of: Vec<Value> = parents(shard).map(|each| each.to_string().into()).collect();
        Members::new()
            .with("ShardId", shard.birth.shard.to_string())
            .with("ParentShards", of)
            .with("HashKeyRange", hash_key_range(shard.range))
    };
    Ok(children.map(child).map(Value::from).collect())
}

/// A record.
pub(super) fn record(record: &(Record, bytes::Bytes), settings: &Settings) -> Members {
    let (record, data) = record;
    let key = record.partition_key();
    Members::new()
        .with("SequenceNumber", record.sequence_number().to_string())
        .with("ApproximateArrivalTimestamp", record.arrival())
        .with("Data", data.clone())
        .with_some("PartitionKey", (!key.is_empty()).then_some(key))
        .with_some(
            "EncryptionType",
            settings.encrypts(record.sequence_number().index).then_some("KMS"),
        )
}

/// A registered consumer.
pub(super) fn consumer(consumer: &Consumer, arn: &Arn) -> Members {
    Members::new()
        .with("ConsumerName", consumer.name.as_str())
        .with("ConsumerARN", arn.to_string())
        .with("ConsumerStatus", consumer.status.name())
        .with("ConsumerCreationTimestamp", consumer.created)
}

/// The throughput that a stream is ready for.
pub(super) fn warm_throughput(settings: &Settings) -> Members {
    let warm = settings.warm_throughput.unwrap_or_default();
    Members::new().with("TargetMiBps", warm).with("CurrentMiBps", warm)
}

/// What an account committed itself to.
pub(super) fn commitment(commitment: &Commitment, now: Millis) -> Members {
    let status = match (commitment.holds(now), commitment.ended) {
        (true, None) => "ENABLED",
        (true, Some(_)) => "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
        (false, _) => "DISABLED",
    };
    Members::new()
        .with("Status", status)
        .with_some("StartedAt", commitment.started)
        .with_some("EndedAt", commitment.ended.filter(|&ended| ended <= now))
        .with_some("EarliestAllowedEndAt", commitment.earliest_end())
}

/// The word for a mode.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::OnDemand => "ON_DEMAND",
        Mode::Provisioned => "PROVISIONED",
    }
}

/// The word for what routes records.
pub(super) fn distribution(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::Auto => "AUTO",
        Distribution::ByKey => "USER_PARTITION_KEY",
    }
}

/// Bytes as kibibytes.
pub(super) fn kib(bytes: usize) -> i64 {
    i64::try_from(bytes / 1024).unwrap_or(i64::MAX)
}

/// A shard that is not in the stream.
pub(super) fn no_shard(shard: &str, stream: &str, account: &str) -> ServiceError {
    ServiceError::not_found(format!(
        "Could not find shard {shard} in stream {stream} under account {account}."
    ))
}

/// Checks what stands for a key: an alias, an id or an ARN.
pub(super) fn check_key(key: &str) -> Result<(), ServiceError> {
    if key.chars().all(|c| c.is_ascii_alphanumeric() || "_/:-".contains(c)) {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(format!(
        "KeyId {key} is not the id, the alias or the ARN of a key."
    )))
}

/// Opens a token of a listing.
pub(super) fn open_token(
    call: &Call<'_>,
    kind: u8,
    token: &str,
) -> Result<Vec<String>, ServiceError> {
    let opened = call.sealer.open(kind, token).ok_or_else(invalid_token)?;
    if TOKEN_LIFE_MS < call.now.since(opened.issued) {
        let message = "NextToken has expired: list again from the start.";
        return Err(ServiceError::new(ErrorCode::ExpiredNextToken, message));
    }
    Ok(opened.fields)
}

/// A token that was not handed out here.
pub(super) fn invalid_token() -> ServiceError {
    ServiceError::invalid_argument("Invalid NextToken.")
}
