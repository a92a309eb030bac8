//! What both changes of a retention share: its bounds, in the service's words.

use crate::engine::EngineError;
use crate::engine::Stream;
use crate::limits::HOUR_MS;
use crate::limits::RETENTION_HOURS_MAX;
use crate::limits::RETENTION_HOURS_MIN;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// The hours that a call asks for.
pub(super) fn checked(call: &Call<'_>, stream: &Stream) -> Result<i64, ServiceError> {
    let hours = call.input.integer("RetentionPeriodHours").unwrap_or_default();
    let refuse = |bound: String| {
        ServiceError::invalid_argument(format!(
            "{bound}, was used in stream {} under account {}.",
            stream.name(),
            stream.account()
        ))
    };
    match hours {
        ..RETENTION_HOURS_MIN => Err(refuse(format!(
            "Minimum allowed retention period is {RETENTION_HOURS_MIN} hours. Requested retention period ({hours} hours) \
             is too short"
        ))),
        RETENTION_HOURS_MIN..=RETENTION_HOURS_MAX => Ok(hours),
        _ => Err(refuse(format!(
            "Maximum allowed retention period is {RETENTION_HOURS_MAX} hours. Requested retention period ({hours} hours) \
             is too long"
        ))),
    }
}

/// The engine's refusal in the service's words.
pub(super) fn refusal(error: EngineError, stream: &Stream) -> ServiceError {
    match error {
        EngineError::RetentionDirection { current_hours, asked_hours, .. } => {
            let bound = if asked_hours < current_hours { "greater" } else { "less" };
            ServiceError::invalid_argument(format!(
                "Requested retention period ({asked_hours} hours) for stream {} must be {bound} than current retention \
                 period ({current_hours} hours).",
                stream.name()
            ))
        }
        other => other.into(),
    }
}

const _: () = assert!(HOUR_MS == 3_600_000, "retention is told in hours");
