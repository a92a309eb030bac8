//! Throughput that a stream on demand is ready for: a shard for each MiB a second.

use crate::engine::Account;
use crate::engine::Mode;
use crate::engine::Stream;
use crate::limits::SHARDS_PER_STREAM_MAX;
use crate::limits::WARM_THROUGHPUT_MIBPS_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// The throughput that a call asks for, where it may, and the shards that it takes.
pub(super) fn checked(
    call: &Call<'_>,
    account: &Account,
    mode: Mode,
) -> Result<(Option<i64>, u32), ServiceError> {
    let Some(mibps) = call.input.integer("WarmThroughputMiBps") else { return Ok((None, 0)) };
    if mode != Mode::OnDemand {
        let message = "WarmThroughputMiBps is for streams in ON_DEMAND mode.";
        return Err(ServiceError::validation(message));
    }
    if !account.kept().commitment.holds(call.now) {
        let message = "Warm throughput asks for the account's MinimumThroughputBillingCommitment to be ENABLED.";
        return Err(ServiceError::validation(message));
    }
    if WARM_THROUGHPUT_MIBPS_MAX < mibps {
        return Err(ServiceError::limit_exceeded(format!(
            "A stream has at most {WARM_THROUGHPUT_MIBPS_MAX} MiB/s of warm throughput."
        )));
    }
    let shards = u32::try_from(mibps).unwrap_or_default().min(SHARDS_PER_STREAM_MAX);
    Ok((Some(mibps), shards))
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
