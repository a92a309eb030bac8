//! `UpdateStreamMode`: switches between capacity on demand and by shards.

use crate::engine::Distribution;
use crate::engine::Mode;
use crate::engine::daily::Daily;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::warm;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let (stream, account) = call.stream_and_account()?;
    let details = call.input.structure("StreamModeDetails");
    let mode = match details.and_then(|details| details.text("StreamMode")) {
        Some("ON_DEMAND") => Mode::OnDemand,
        _ => Mode::Provisioned,
    };
    let warm = call.input.integer("WarmThroughputMiBps");
    if stream.mode()? == mode && warm.is_none() {
        return Ok(Members::new());
    }
    let shards = warm::shards(mode, warm);
    warm::check_room(call, &account, &stream, shards)?;
    stream.admit_daily(call.now, Daily::Mode)?;
    stream.alter_and_scale(call.now, shards, |settings| {
        settings.mode = mode;
        settings.warm_throughput = warm;
        if mode == Mode::Provisioned {
            settings.distribution = Distribution::ByKey;
        }
        Ok(())
    })?;
    Ok(Members::new())
}
