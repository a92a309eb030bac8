//! What both puts share: where a record goes, and whether it may.

use bytes::Bytes;

use crate::engine::Distribution;
use crate::engine::Settings;
use crate::engine::Stream;
use crate::hash_key::HashKey;
use crate::record::sequence::SequenceNumber;
use crate::service::check::Violations;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::value::Members;

/// What routes a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Routing<'a> {
    /// Its key; empty where there is none.
    pub(super) key: &'a str,
    /// What routes it instead.
    pub(super) hash_key: Option<HashKey>,
}

/// What routes a record by its members.
pub(super) fn routing<'a>(
    record: &'a Members,
    stream: &Stream,
    settings: &Settings,
) -> Result<Routing<'a>, ServiceError> {
    let key = record.text("PartitionKey");
    if settings.distribution == Distribution::Auto {
        return Ok(Routing {
            key: key.unwrap_or_default(),
            hash_key: Some(stream.next_hash_key()),
        });
    }
    let Some(key) = key else {
        let message =
            "PartitionKey is required where RecordDistributionStrategy is USER_PARTITION_KEY.";
        return Err(ServiceError::invalid_argument(message));
    };
    let hash_key = match record.text("ExplicitHashKey") {
        None => None,
        Some(digits) => Some(HashKey::parse(digits).ok_or_else(|| {
            ServiceError::invalid_argument(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {digits}"
            ))
        })?),
    };
    Ok(Routing { key, hash_key })
}

/// Checks the number that a record is to come after: one that is not from the future.
pub(super) fn check_ordering(call: &Call<'_>, stream: &Stream) -> Result<(), ServiceError> {
    let Some(digits) = call.input.text("SequenceNumberForOrdering") else { return Ok(()) };
    let number = SequenceNumber::parse(digits).ok();
    if number.is_some_and(|number| number.recorded_seconds <= call.now.whole_seconds()) {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(format!(
        "ExclusiveMinimumSequenceNumber {digits} used in PutRecord on stream {} under account {} is invalid.",
        stream.name(),
        stream.account(),
    )))
}

/// Tells of a record that is larger than the stream takes, its key counted; `path` is that of its data.
pub(super) fn check_size(
    settings: &Settings,
    data: &Bytes,
    key: &str,
    path: &str,
    violations: &mut Violations,
) {
    if settings.record_bytes_max < data.len() + key.len() {
        violations.add_too_long(data, path, settings.record_bytes_max);
    }
}
