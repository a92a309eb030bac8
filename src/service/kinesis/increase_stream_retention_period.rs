//! `IncreaseStreamRetentionPeriod`: keeps records for longer.

use crate::limits::HOUR_MS;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::retention;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    let hours = retention::checked(call)?;
    stream.increase_retention(call.now, hours * HOUR_MS).map_err(retention::refusal)?;
    Ok(Members::new())
}
