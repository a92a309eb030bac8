//! `UpdateShardCount`: cuts the ring evenly into so many shards.

use crate::engine::EngineError;
use crate::limits::SHARDS_PER_STREAM_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let target = call.input.integer("TargetShardCount").unwrap_or_default();
    let current = u32::try_from(stream.open_shard_count(call.now)?).unwrap_or(u32::MAX);
    if SHARDS_PER_STREAM_MAX < u32::try_from(target).unwrap_or(u32::MAX) {
        return Err(ServiceError::limit_exceeded(format!(
            "Requested shard count {target} is above the limit of {SHARDS_PER_STREAM_MAX} shards of one stream."
        )));
    }
    account.check_shards(call.now, current, u32::try_from(target).unwrap_or(u32::MAX))?;
    stream.update_shard_count(call.now, target).map_err(|error| match error {
        EngineError::ShardCountStep { .. } | EngineError::ChangesExhausted { .. } => {
            ServiceError::limit_exceeded(error.to_string())
        }
        other => other.into(),
    })?;
    Ok(views::stream_names(&stream, &account)
        .with("CurrentShardCount", current)
        .with("TargetShardCount", target))
}
