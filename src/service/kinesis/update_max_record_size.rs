//! `UpdateMaxRecordSize`: says how large the records of a stream may be.

use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream()?;
    let kib = call.input.integer("MaxRecordSizeInKiB").and_then(|kib| usize::try_from(kib).ok());
    stream.alter(call.now, |settings| {
        settings.record_bytes_max = kib.unwrap_or_default() * 1024;
        Ok(())
    })?;
    Ok(Members::new())
}
