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
    stream.check_takes_changes(call.now)?;
    let max = SHARDS_PER_STREAM_MAX.min(account.shards_max());
    if i64::from(max) < target {
        return Err(ServiceError::limit_exceeded(format!(
            "Target shard count or number of open shards cannot be greater than {max}. Current open shard count: {current}, \
             Target shard count: {target}"
        )));
    }
    account.check_shards(call.now, current, u32::try_from(target).unwrap_or(u32::MAX))?;
    stream.update_shard_count(call.now, target).map_err(|error| match error {
        EngineError::ShardCountStep { current, asked } => {
            let (way, bound) = if current < asked { ("up", "over double") } else { ("down", "below half") };
            ServiceError::limit_exceeded(format!(
                "UpdateShardCount cannot scale {way} {bound} your current open shard count. Current open shard count: \
                 {current}, Target shard count: {asked}"
            ))
        }
        other => other.into(),
    })?;
    Ok(views::stream_names(&stream, &account)
        .with("CurrentShardCount", current)
        .with("TargetShardCount", target))
}
