//! Throughput that a stream on demand is ready for: a shard for each MiB a second.

use crate::engine::Account;
use crate::engine::Mode;
use crate::engine::Stream;
use crate::limits::SHARDS_PER_STREAM_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// The shards that a throughput takes, which may be none.
pub(super) fn shards(mode: Mode, mibps: Option<i64>) -> u32 {
    match mode {
        Mode::OnDemand => {
            let shards = u32::try_from(mibps.unwrap_or_default()).unwrap_or(0);
            shards.min(SHARDS_PER_STREAM_MAX)
        }
        Mode::Provisioned => 0,
    }
}

/// Checks that the account has room for the shards that a stream is to have at least.
pub(super) fn check_room(
    call: &Call<'_>,
    account: &Account,
    stream: &Stream,
    shards: u32,
) -> Result<(), ServiceError> {
    let open = u32::try_from(stream.open_shard_count(call.now)?).unwrap_or(u32::MAX);
    if open < shards {
        account.check_shards(call.now, open, shards)?;
    }
    Ok(())
}
