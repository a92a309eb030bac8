//! `StopStreamEncryption`: says that records are no more encrypted.

use crate::engine::daily::Daily;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    stream.admit_daily(call.now, Daily::EncryptionStop)?;
    stream.alter(call.now, |settings| {
        settings.encryption_key = None;
        Ok(())
    })?;
    Ok(Members::new())
}
