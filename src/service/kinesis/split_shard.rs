//! `SplitShard`: makes two shards of one.

use crate::engine::EngineError;
use crate::hash_key::HashKey;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let shard = call.shard(call.input.text("ShardToSplit").unwrap_or_default())?.to_string();
    let (stream, account) = call.stream_and_account()?;
    let digits = call.input.text("NewStartingHashKey").unwrap_or_default();
    // A key past the ring lies outside of every shard.
    let at = HashKey::parse(digits).unwrap_or(HashKey::MAX);
    account.check_shards(call.now, 0, 1)?;
    stream.split_shard(call.now, &shard, Some(at)).map_err(|error| match error {
        EngineError::ShardNotFound { shard, .. } => {
            views::no_shard(&shard, stream.name(), account.id())
        }
        EngineError::HashKeyOutsideShard { shard, range, .. } => ServiceError::invalid_argument(format!(
            "NewStartingHashKey {digits} used in SplitShard() on shard {shard} in stream {} under account {} is not \
             both greater than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
            stream.name(),
            account.id(),
            range.first,
            range.last,
        )),
        other => other.into(),
    })?;
    Ok(Members::new())
}
