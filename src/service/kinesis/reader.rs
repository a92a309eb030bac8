//! Reading a shard as the service answers reads: by records and by bytes.

use std::sync::Arc;

use bytes::Bytes;

use crate::clock::Millis;
use crate::engine::Stream;
use crate::engine::position::Cut;
use crate::engine::slice::Slice;
use crate::limits::GET_RECORDS_BYTES_MAX;
use crate::record::Record;
use crate::record::json::JsonError;
use crate::record::payload::Payload;
use crate::record::sequence::ShardIndex;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;

/// What a read found.
#[derive(Debug)]
pub(super) struct Read {
    /// The records, in order.
    pub(super) slices: Vec<Slice>,
    /// Where to go on.
    pub(super) next: Cut,
    /// How long ago the last record of the answer arrived, a millisecond at least, where there are more; else 0.
    pub(super) behind_ms: i64,
    /// Whether the shard is closed and has no more.
    pub(super) is_at_end: bool,
}

impl Read {
    /// The records with what they carry, in order.
    pub(super) fn records(&self) -> Result<Vec<(Record, Bytes)>, ServiceError> {
        let mut records = Vec::with_capacity(self.slices.iter().map(Slice::len).sum());
        for slice in &self.slices {
            let block = slice.block()?;
            for place in 0..slice.len() {
                let record = Record::new(Arc::clone(&block), slice.row(place));
                let data = Bytes::copy_from_slice(&record.data().map_err(failure)?);
                records.push((record, data));
            }
        }
        Ok(records)
    }

    /// When the first record arrived.
    pub(super) fn first_arrival(&self) -> Result<Option<Millis>, ServiceError> {
        let arrival = |first: &Slice| Ok(first.block()?.arrivals.at(first.row(0)));
        self.slices.first().map(arrival).transpose()
    }

    /// When the last record arrived.
    fn last_arrival(&self) -> Result<Option<Millis>, ServiceError> {
        let arrival = |last: &Slice| Ok(last.block()?.arrivals.at(last.row(last.len() - 1)));
        self.slices.last().map(arrival).transpose()
    }
}

/// Rows of a table that have no JSON: they could not be written.
pub(super) fn failure(error: JsonError) -> ServiceError {
    ServiceError::new(ErrorCode::InternalFailure, error.to_string())
}

/// Reads at most so many records of a shard, and of their bytes as many as one answer may hold; it counts against what
/// the shard may hand out.
pub(super) fn read(
    now: Millis,
    stream: &Stream,
    shard: ShardIndex,
    from: Cut,
    limit: usize,
) -> Result<Read, ServiceError> {
    let (slices, next) =
        stream.read_metered(now, from, Cut::END, Some(&shard.to_string()), limit)?;
    told(now, stream, shard, slices, next, GET_RECORDS_BYTES_MAX)
}

/// The same, of at most so many bytes, for a consumer with throughput of its own.
pub(super) fn read_unmetered(
    now: Millis,
    stream: &Stream,
    shard: ShardIndex,
    from: Cut,
    limit: usize,
    bytes_max: usize,
) -> Result<Read, ServiceError> {
    let (slices, next) = stream.read(now, from, Cut::END, Some(&shard.to_string()), limit)?;
    told(now, stream, shard, slices, next, bytes_max)
}

fn told(
    now: Millis,
    stream: &Stream,
    shard: ShardIndex,
    mut slices: Vec<Slice>,
    next: Cut,
    bytes_max: usize,
) -> Result<Read, ServiceError> {
    let next = cut_to_bytes(&mut slices, bytes_max)?.unwrap_or(next);
    let name = shard.to_string();
    let (more, _) = stream.read(now, next, Cut::END, Some(&name), 1)?;
    let is_at_end = more.is_empty() && stream.is_exhausted(&name, next)?;
    let mut read = Read { slices, next, behind_ms: 0, is_at_end };
    if let Some(last) = read.last_arrival()?.filter(|_| !more.is_empty()) {
        // Zero is for whoever has read all there is: several records may arrive at one time, where that stands still above
        // all.
        read.behind_ms = now.since(last).max(1);
    }
    Ok(read)
}

/// Leaves the first records whose bytes, keys counted, are so many at most, one always; answers where to go on, if any
/// was left out.
fn cut_to_bytes(slices: &mut Vec<Slice>, bytes_max: usize) -> Result<Option<Cut>, ServiceError> {
    let mut bytes = 0;
    for (at, slice) in slices.iter().enumerate() {
        let block = slice.block()?;
        for place in 0..slice.len() {
            let row = slice.row(place);
            let data = match &block.payload {
                Payload::Bytes(column) => column.value(row).len(),
                Payload::Rows(_) => block.payload.data(row).map_err(failure)?.len(),
            };
            bytes += data + block.keys.value(row).len();
            if bytes_max < bytes && (0 < at || 0 < place) {
                let cut = Cut(block.index(row));
                let kept = slice.part(0, place);
                slices.truncate(at);
                slices.extend((0 < place).then_some(kept));
                return Ok(Some(cut));
            }
        }
    }
    Ok(None)
}
