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
    stream.check_takes_changes(call.now)?;
    let (warm, shards) = warm::checked(call, &account, mode)?;
    let switches = stream.mode()? != mode;
    if !switches && warm.is_none() {
        return Ok(Members::new());
    }
    if switches && mode == Mode::OnDemand {
        account.check_on_demand(call.now)?;
    }
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
