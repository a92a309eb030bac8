//! `MergeShards`: makes one shard of two neighbours.

use crate::engine::EngineError;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let shard = |member: &str| call.shard(call.input.text(member).unwrap_or_default());
    let lower = shard("ShardToMerge")?.to_string();
    let upper = shard("AdjacentShardToMerge")?.to_string();
    let (stream, account) = call.stream_and_account()?;
    stream.merge_shards(call.now, &lower, &upper).map_err(|error| match error {
        EngineError::ShardNotFound { shard, .. } => {
            views::no_shard(&shard, stream.name(), account.id())
        }
        EngineError::ShardsNotAdjacent { lower, upper, stream, account } => {
            ServiceError::invalid_argument(format!(
                "Shards {lower} and {upper} in stream {stream} under account {account} are not an adjacent pair of \
                 shards eligible for merging"
            ))
        }
        other => other.into(),
    })?;
    Ok(Members::new())
}
