//! What both changes of a retention share: its bounds, in the service's words.

use crate::engine::EngineError;
use crate::limits::HOUR_MS;
use crate::limits::RETENTION_HOURS_MAX;
use crate::limits::RETENTION_HOURS_MIN;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;

/// The hours that a call asks for.
pub(super) fn checked(call: &Call<'_>) -> Result<i64, ServiceError> {
    let hours = call.input.integer("RetentionPeriodHours").unwrap_or_default();
    let refuse = |words: String| Err(ServiceError::invalid_argument(words));
    match hours {
        ..RETENTION_HOURS_MIN => refuse(format!(
            "Minimum allowed retention period is {RETENTION_HOURS_MIN} hours. Requested retention period ({hours} hours) \
             is too short."
        )),
        RETENTION_HOURS_MIN..=RETENTION_HOURS_MAX => Ok(hours),
        _ => refuse(format!(
            "Maximum allowed retention period is {RETENTION_HOURS_MAX} hours. Requested retention period ({hours} hours) \
             is too long."
        )),
    }
}

/// The engine's refusal in the service's words.
pub(super) fn refusal(error: EngineError) -> ServiceError {
    match error {
        EngineError::RetentionDirection { current_hours, asked_hours, .. } => {
            let (bound, instead) = if asked_hours < current_hours {
                ("shorter", "Decrease")
            } else {
                ("longer", "Increase")
            };
            ServiceError::invalid_argument(format!(
                "Requested retention period ({asked_hours} hours) can not be {bound} than existing retention period \
                 ({current_hours} hours). Use {instead}RetentionPeriod API."
            ))
        }
        other => other.into(),
    }
}

const _: () = assert!(HOUR_MS == 3_600_000, "retention is told in hours");
