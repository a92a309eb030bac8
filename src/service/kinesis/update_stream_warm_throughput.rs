//! `UpdateStreamWarmThroughput`: readies an on-demand stream for a throughput.

use crate::engine::Mode;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::kinesis::warm;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    if stream.mode()? != Mode::OnDemand {
        let message = "WarmThroughputMiBps is for streams in ON_DEMAND mode.";
        return Err(ServiceError::validation(message));
    }
    let commitment = *account.commitment().lock();
    if !commitment.holds(call.now) {
        let message = "Warm throughput asks for the account's MinimumThroughputBillingCommitment to be ENABLED.";
        return Err(ServiceError::validation(message));
    }
    let warm = call.input.integer("WarmThroughputMiBps");
    if warm.is_some_and(|warm| crate::limits::WARM_THROUGHPUT_MIBPS_MAX < warm) {
        return Err(ServiceError::limit_exceeded(format!(
            "A stream has at most {} MiB/s of warm throughput.",
            crate::limits::WARM_THROUGHPUT_MIBPS_MAX
        )));
    }
    let shards = warm::shards(Mode::OnDemand, warm);
    warm::check_room(call, &account, &stream, shards)?;
    let settings = stream.alter_and_scale(call.now, shards, |settings| {
        settings.warm_throughput = warm;
        Ok(settings.clone())
    })?;
    Ok(views::stream_names(&stream, &account)
        .with("WarmThroughput", views::warm_throughput(&settings)))
}
