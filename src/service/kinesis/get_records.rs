//! `GetRecords`: the next records of a shard.

use crate::engine::Settings;
use crate::engine::slice::Slice;
use crate::limits::GET_RECORDS_MAX;
use crate::limits::ITERATOR_LIFE_MS;
use crate::service::encode;
use crate::service::error::ServiceError;
use crate::service::kinesis::Call;
use crate::service::kinesis::reader;
use crate::service::kinesis::reader::Read;
use crate::service::kinesis::records;
use crate::service::kinesis::shard_iterator::ShardIterator;
use crate::service::kinesis::shard_iterator::expired;
use crate::service::kinesis::views;
use crate::service::value::Members;
use crate::service::value::Value;

/// Records, and the members beside them.
#[derive(Debug)]
pub struct Found {
    read: Read,
    settings: Settings,
    /// What stands beside the records.
    pub beside: Members,
}

impl Found {
    /// The records, in order.
    pub fn slices(&self) -> &[Slice] {
        &self.read.slices
    }

    /// Whether the record of an index is said to be encrypted.
    pub fn encrypts(&self, index: u64) -> bool {
        self.settings.encrypts(index)
    }
}

pub(super) fn run(call: &Call<'_>) -> Result<Members, ServiceError> {
    let Found { read, settings, beside } = find(call)?;
    let records = read.records()?;
    let records = records.iter().map(|record| Value::from(views::record(record, &settings)));
    Ok(beside.with("Records", records.collect::<Vec<Value>>()))
}

/// The same as JSON, without a value for each record in between.
pub(super) fn run_to_json(call: &Call<'_>) -> Result<Vec<u8>, ServiceError> {
    let Found { read, settings, beside } = find(call)?;
    let mut body = encode::json(&beside);
    body.pop();
    body.extend_from_slice(b",\"Records\":");
    records::write_json(&read.slices, &settings, &mut body)?;
    body.push(b'}');
    Ok(body)
}

/// The same, for whoever shows records in another way.
pub(super) fn find(call: &Call<'_>) -> Result<Found, ServiceError> {
    let token = call.input.text("ShardIterator").unwrap_or_default();
    let iterator = ShardIterator::open(call.sealer, call.now, token)?;
    if call.subject.is_disturbed() && call.faults.expires(call.subject.site(), iterator.expiries) {
        return Err(expired(call.now.plus(-ITERATOR_LIFE_MS - 1), call.now));
    }
    let (stream, _) = call.stream_of(&iterator.arn).map_err(|_| iterator.missing())?;
    if stream.born_seconds() != iterator.stream_born {
        return Err(iterator.missing());
    }
    if let Some(text) =
        call.input.text("StreamARN").filter(|text| *text != iterator.arn.to_string())
    {
        return Err(ServiceError::invalid_argument(format!(
            "StreamARN {text} is not that of the ShardIterator's stream."
        )));
    }
    call.end_dry_run()?;
    let limit = call.limit("Limit", GET_RECORDS_MAX);
    let mut read = reader::read(call.now, &stream, iterator.shard, iterator.cut, limit)?;
    if call.subject.is_disturbed() {
        read = call.disturb(read, iterator.cut, limit)?;
    }
    let settings = stream.settings(call.now)?;
    let beside = Members::new().with("MillisBehindLatest", read.behind_ms);
    let beside = if read.is_at_end {
        beside.with("ChildShards", views::child_shards(&stream, call.now, iterator.shard)?)
    } else {
        let expiries = call.faults.expiries();
        let next = ShardIterator { cut: read.next, expiries, ..iterator };
        beside.with("NextShardIterator", next.seal(call.sealer, call.now))
    };
    Ok(Found { read, settings, beside })
}
