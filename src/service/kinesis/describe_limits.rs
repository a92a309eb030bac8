//! `DescribeLimits`: what an account has, and may have.

use crate::limits::ON_DEMAND_STREAMS_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

#[expect(clippy::unnecessary_wraps, reason = "operations answer alike")]
pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let usage = call.account.usage(call.now);
    Ok(Members::new()
        .with("ShardLimit", call.account.shards_max())
        .with("OpenShardCount", usage.open_shards)
        .with("OnDemandStreamCount", usage.on_demand_streams)
        .with("OnDemandStreamCountLimit", ON_DEMAND_STREAMS_MAX))
}
