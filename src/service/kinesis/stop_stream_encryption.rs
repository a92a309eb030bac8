//! `StopStreamEncryption`: says that records are no more encrypted.

use crate::engine::daily::Daily;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    if call.input.text("EncryptionType") != Some("KMS") {
        let message = "EncryptionType must be KMS to stop encryption.";
        return Err(ServiceError::invalid_argument(message));
    }
    stream.admit_daily(call.now, Daily::EncryptionStop)?;
    stream.encrypt(call.now, None)?;
    Ok(Members::new())
}
