//! `UpdateStreamMode`: switches between capacity on demand and by shards.

use crate::engine::Distribution;
use crate::engine::Mode;
use crate::limits::DAY_MS;
use crate::limits::MODE_SWITCHES_PER_DAY_MAX;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    let details = call.input.structure("StreamModeDetails");
    let mode = match details.and_then(|details| details.text("StreamMode")) {
        Some("ON_DEMAND") => Mode::OnDemand,
        _ => Mode::Provisioned,
    };
    let warm = call.input.integer("WarmThroughputMiBps");
    if stream.mode()? == mode && warm.is_none() {
        return Ok(Members::new());
    }
    if !stream.may_switch(call.now)? {
        return Err(ServiceError::limit_exceeded(format!(
            "Stream {} under account {} switched its mode {MODE_SWITCHES_PER_DAY_MAX} times in {} hours, which is all that \
             is allowed.",
            stream.name(),
            stream.account(),
            DAY_MS / crate::limits::HOUR_MS,
        )));
    }
    stream.alter(call.now, |settings| {
        settings.mode = mode;
        settings.warm_throughput = warm;
        if mode == Mode::Provisioned {
            settings.distribution = Distribution::ByKey;
        }
        Ok(())
    })?;
    Ok(Members::new())
}
