//! `PutRecord`: stores one record.

use crate::engine::stream::Entry;
use crate::service::check::Violations;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::entry;
use crate::service::value::Members;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream_for_records()?;
    let settings = stream.settings(call.now)?;
    let routing = entry::routing(call.input, &stream, &settings)?;
    entry::check_ordering(call, &stream)?;
    let data = call.input.blob("Data").cloned().unwrap_or_default();
    let mut violations = Violations::default();
    entry::check_size(&settings, &data, routing.key, "data", &mut violations);
    violations.into_result()?;
    call.end_dry_run()?;
    let entry = Entry { data: &data, key: routing.key, explicit_hash_key: routing.hash_key };
    let number = stream.put(call.now, entry)?;
    Ok(Members::new()
        .with("ShardId", number.birth.shard.to_string())
        .with("SequenceNumber", number.to_string())
        .with_some("EncryptionType", settings.encryption_key.map(|_| "KMS")))
}
