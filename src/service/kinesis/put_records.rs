//! `PutRecords`: stores records together; each is stored or refused by itself.

use bytes::Bytes;

use crate::engine::EngineError;
use crate::engine::stream::Entry;
use crate::limits::PUT_RECORDS_BYTES_MAX;
use crate::service::check::Violations;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::entry;
use crate::service::kinesis::entry::Routing;
use crate::service::value::Members;
use crate::service::value::Value;

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let stream = call.stream_for_records()?;
    let settings = stream.settings(call.now)?;
    let mut entries: Vec<(Routing<'_>, &Bytes)> = Vec::new();
    let (mut bytes, mut violations) = (0, Violations::default());
    for record in call.input.list("Records") {
        let Value::Structure(record) = record else { continue };
        let (Some(data), routing) =
            (record.blob("Data"), entry::routing(record, &stream, &settings)?)
        else {
            continue;
        };
        let path = format!("records.{}.member.data", entries.len() + 1);
        entry::check_size(&settings, data, routing.key, &path, &mut violations);
        bytes += data.len() + routing.key.len();
        entries.push((routing, data));
    }
    violations.into_result()?;
    if PUT_RECORDS_BYTES_MAX < bytes {
        return Err(ServiceError::invalid_argument(format!(
            "Records size exceeds {} MB limit",
            PUT_RECORDS_BYTES_MAX / 1024 / 1024
        )));
    }
    call.end_dry_run()?;
    let entry = |place: usize| {
        let (routing, data) = &entries[place];
        Entry { data, key: routing.key, explicit_hash_key: routing.hash_key }
    };
    // Records that are refused on purpose are none of those that the stream is asked to take.
    let is_disturbed = call.subject.is_disturbed();
    let refused = |place| {
        if is_disturbed { call.refusal_of(&stream, place, entry(place)) } else { None }
    };
    let mut records: Vec<Option<Members>> = (0..entries.len()).map(refused).collect();
    let places: Vec<usize> = (0..)
        .zip(&records)
        .filter(|(_, refused)| refused.is_none())
        .map(|(place, _)| place)
        .collect();
    let failed = entries.len() - places.len();
    let answers = stream.put_each(call.now, places.len(), |place| entry(places[place]))?;
    for (place, answer) in places.iter().zip(answers.iter()) {
        records[*place] = Some(result(answer));
    }
    let failed = failed + answers.refused_count();
    let records: Vec<Value> = records.into_iter().flatten().map(Value::from).collect();
    Ok(Members::new()
        .with("FailedRecordCount", u32::try_from(failed).unwrap_or(u32::MAX))
        .with("Records", records)
        .with_some("EncryptionType", settings.encryption_key.map(|_| "KMS")))
}

fn result(answer: Result<crate::record::sequence::SequenceNumber, &EngineError>) -> Members {
    match answer {
        Ok(number) => Members::new()
            .with("SequenceNumber", number.to_string())
            .with("ShardId", number.birth.shard.to_string()),
        Err(error) => {
            let error = ServiceError::from(error.clone());
            Members::new().with("ErrorCode", error.code.name()).with("ErrorMessage", error.message)
        }
    }
}
