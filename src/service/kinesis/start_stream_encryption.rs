//! `StartStreamEncryption`: says that records are encrypted with a key.

use crate::engine::daily::Daily;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::views;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    let key = call.input.text("KeyId").unwrap_or_default();
    if call.input.text("EncryptionType") != Some("KMS") {
        let message = "EncryptionType must be KMS to start encryption.";
        return Err(ServiceError::invalid_argument(message));
    }
    views::check_key(key)?;
    stream.admit_daily(call.now, Daily::EncryptionStart)?;
    stream.encrypt(call.now, Some(key))?;
    Ok(Members::new())
}
