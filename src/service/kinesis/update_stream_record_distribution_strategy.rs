//! `UpdateStreamRecordDistributionStrategy`: says what routes the records of an on-demand stream.

use crate::engine::Distribution;
use crate::engine::Mode;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    if stream.mode()? != Mode::OnDemand {
        let message = "RecordDistributionStrategy is for streams in ON_DEMAND mode.";
        return Err(ServiceError::invalid_argument(message));
    }
    let distribution = match call.input.text("RecordDistributionStrategy") {
        Some("AUTO") => Distribution::Auto,
        _ => Distribution::ByKey,
    };
    stream.distribute(call.now, distribution)?;
    Ok(Members::new())
}
