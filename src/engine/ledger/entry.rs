//! What the frames of a journal say: records put, tables written, and everything else as JSON.

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use arrow_schema::Field;
use arrow_schema::Schema;
use serde::Deserialize;
use serde::Serialize;
use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::account::AccountKept;
use crate::engine::kept::Kept;
use crate::engine::shard::Shard;
use crate::record::block::Arrivals;
use crate::record::block::Block;
use crate::record::block::Indices;
use crate::record::block::Routes;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::store::GenerationInfo;
use crate::threads::Threads;

/// What a frame says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Records put.
    Records = 1,
    /// A table written.
    Rows = 2,
    /// A stream as it is now.
    Stream = 3,
    /// A stream that is gone.
    Gone = 4,
    /// What is said of an account.
    Account = 5,
    /// Records that lie in segments from now on.
    Sealed = 6,
    /// Records that are forgotten.
    Trimmed = 7,
}

impl Kind {
    /// Finds the kind of a frame.
    pub(crate) fn of(number: u8) -> Option<Self> {
        let all = [
            Self::Records,
            Self::Rows,
            Self::Stream,
            Self::Gone,
            Self::Account,
            Self::Sealed,
            Self::Trimmed,
        ];
        all.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A stream as it is now.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct StreamEntry {
    pub(crate) id: u64,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) created: Millis,
    pub(crate) born_seconds: u64,
    pub(crate) kept: Kept,
    /// What its log is, where the entry makes the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<LogEntry>,
}

/// A log without the records that are in the journal.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct LogEntry {
    /// Records below it are forgotten.
    pub(crate) horizon_index: u64,
    /// The index of the next record.
    pub(crate) end_index: u64,
    pub(crate) last_arrival: Millis,
    pub(crate) generations: Vec<GenerationInfo>,
}

/// A stream that is gone.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct GoneEntry {
    pub(crate) stream: u64,
    pub(crate) at: Millis,
}

/// What is said of an account.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AccountEntry {
    pub(crate) id: String,
    pub(crate) region: String,
    pub(crate) kept: AccountKept,
}

/// Records that lie in segments from now on.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SealedEntry {
    pub(crate) stream: u64,
    pub(crate) generation: GenerationInfo,
}

/// Records that are forgotten.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TrimmedEntry {
    pub(crate) stream: u64,
    pub(crate) horizon_index: u64,
    pub(crate) horizon: Millis,
}

/// Why a frame that was written whole says nothing that is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("{0}")]
    Arrow(#[from] ArrowError),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Refused(String),
    #[error("it ends early")]
    Short,
    #[error("{0}")]
    Strange(&'static str),
}

/// One record of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put<'a> {
    pub(crate) shard: ShardIndex,
    pub(crate) key: &'a str,
    pub(crate) data: &'a [u8],
}

/// Bytes of a record in a frame besides its key and data.
pub(crate) const PUT_BYTES: usize = 10;
/// Bytes before the records of a frame.
pub(crate) const RECORDS_HEAD_BYTES: usize = 28;

/// Writes the head of a frame of `count` records that arrived together and whose indices follow each other.
pub(crate) fn begin_records(
    frame: &mut Vec<u8>,
    stream: u64,
    first_index: u64,
    arrival: Millis,
    count: u32,
) {
    frame.extend_from_slice(&stream.to_le_bytes());
    frame.extend_from_slice(&first_index.to_le_bytes());
    frame.extend_from_slice(&arrival.0.to_le_bytes());
    frame.extend_from_slice(&count.to_le_bytes());
}

/// Writes one record of a frame.
pub(crate) fn add_record(frame: &mut Vec<u8>, put: Put<'_>) {
    let key_len = u16::try_from(put.key.len()).expect("a key has at most 1,024 bytes");
    let data_len = u32::try_from(put.data.len()).expect("a record has at most 10 MiB");
    frame.extend_from_slice(&put.shard.0.to_le_bytes());
    frame.extend_from_slice(&key_len.to_le_bytes());
    frame.extend_from_slice(&data_len.to_le_bytes());
    frame.extend_from_slice(put.key.as_bytes());
    frame.extend_from_slice(put.data);
}

/// Records of a frame, read.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    pub(crate) stream: u64,
    pub(crate) first_index: u64,
    pub(crate) arrival: Millis,
    count: u32,
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    pub(crate) fn read(mut body: &'a [u8]) -> Result<Self, EntryError> {
        let stream = u64::from_le_bytes(take(&mut body)?);
        let first_index = u64::from_le_bytes(take(&mut body)?);
        let arrival = Millis(i64::from_le_bytes(take(&mut body)?));
        let count = u32::from_le_bytes(take(&mut body)?);
        Ok(Self { stream, first_index, arrival, count, rest: body })
    }

    /// Tells the next record.
    pub(crate) fn next(&mut self) -> Result<Option<Put<'a>>, EntryError> {
        let Some(count) = self.count.checked_sub(1) else {
            return if self.rest.is_empty() {
                Ok(None)
            } else {
                Err(EntryError::Strange("it goes on behind its last record"))
            };
        };
        self.count = count;
        let shard = ShardIndex(u32::from_le_bytes(take(&mut self.rest)?));
        let key_len = usize::from(u16::from_le_bytes(take(&mut self.rest)?));
        let data_len = u32::from_le_bytes(take(&mut self.rest)?) as usize;
        let key = take_bytes(&mut self.rest, key_len)?;
        let key = std::str::from_utf8(key).map_err(|_| EntryError::Strange("a key is no text"))?;
        let data = take_bytes(&mut self.rest, data_len)?;
        Ok(Some(Put { shard, key, data }))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], EntryError> {
    let (bytes, behind) = rest.split_first_chunk::<N>().ok_or(EntryError::Short)?;
    *rest = behind;
    Ok(*bytes)
}

fn take_bytes<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], EntryError> {
    let (bytes, behind) = rest.split_at_checked(len).ok_or(EntryError::Short)?;
    *rest = behind;
    Ok(bytes)
}

/// The columns of a table's frame that are not its own.
const OWN_COLUMNS: usize = 3;

/// Writes a block: the stream, the first index, and an Arrow stream of shards, arrivals, keys and what the rows carry.
pub(crate) fn write_block(
    frame: &mut Vec<u8>,
    stream: u64,
    block: &Block,
) -> Result<(), ArrowError> {
    frame.extend_from_slice(&stream.to_le_bytes());
    frame.extend_from_slice(&block.first_index().to_le_bytes());
    let (carries, fields, columns): (u8, Vec<Arc<Field>>, Vec<ArrayRef>) = match &block.payload {
        Payload::Bytes(data) => {
            let data = data.to_array();
            (0, vec![Arc::new(Field::new("data", data.data_type().clone(), false))], vec![data])
        }
        Payload::Rows(batch) => {
            (1, batch.schema_ref().fields().iter().cloned().collect(), batch.columns().to_vec())
        }
    };
    frame.push(carries);
    let shards = UInt32Array::from_iter_values((0..block.len()).map(|row| block.shard(row).0));
    let arrivals = Int64Array::new(block.arrivals.expand(0, block.len()), None);
    let keys = block.keys.to_array();
    let own: [(&str, ArrayRef); OWN_COLUMNS] =
        [("", Arc::new(shards)), ("", Arc::new(arrivals)), ("", keys)];
    let own_fields = own
        .iter()
        .map(|(name, column)| Arc::new(Field::new(*name, column.data_type().clone(), false)));
    let metadata = match &block.payload {
        Payload::Bytes(_) => std::collections::HashMap::new(),
        Payload::Rows(batch) => batch.schema_ref().metadata().clone(),
    };
    let fields: Vec<Arc<Field>> = own_fields.chain(fields).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let arrays = own.iter().map(|(_, column)| Arc::clone(column)).chain(columns).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    let mut writer = StreamWriter::try_new(frame, &schema)?;
    writer.write(&batch)?;
    writer.finish()
}

/// The head of a block's frame.
#[derive(Debug)]
pub(crate) struct BlockFrame<'a> {
    pub(crate) stream: u64,
    pub(crate) first_index: u64,
    carries_rows: bool,
    rest: &'a [u8],
}

impl<'a> BlockFrame<'a> {
    pub(crate) fn read(mut body: &'a [u8]) -> Result<Self, EntryError> {
        let stream = u64::from_le_bytes(take(&mut body)?);
        let first_index = u64::from_le_bytes(take(&mut body)?);
        let carries_rows = match take(&mut body)? {
            [0] => false,
            [1] => true,
            _ => return Err(EntryError::Strange("it carries neither bytes nor rows")),
        };
        Ok(Self { stream, first_index, carries_rows, rest: body })
    }

    /// Reads the block, whose shards are among those of its stream.
    pub(crate) fn block(&self, shards: &[Shard]) -> Result<Block, EntryError> {
        let mut reader = StreamReader::try_new(self.rest, None)?;
        let batch = reader.next().ok_or(EntryError::Short)??;
        if batch.num_columns() < OWN_COLUMNS || batch.num_rows() == 0 {
            return Err(EntryError::Strange("it is no table of records"));
        }
        let column = |place: usize| batch.column(place);
        let of_shards = column(0).as_any().downcast_ref::<UInt32Array>();
        let arrivals = column(1).as_any().downcast_ref::<Int64Array>();
        let (Some(of_shards), Some(arrivals)) = (of_shards, arrivals) else {
            return Err(EntryError::Strange("its shards or times are of another type"));
        };
        let unknown = of_shards.values().iter().any(|&shard| shards.len() <= shard as usize);
        if unknown {
            return Err(EntryError::Strange("it names a shard that its stream does not have"));
        }
        let keys = KeyColumn::from_array(column(2), None)
            .map_err(|_| EntryError::Strange("its keys are none"))?;
        let payload = if self.carries_rows {
            let places: Vec<usize> = (OWN_COLUMNS..batch.num_columns()).collect();
            Payload::Rows(batch.project(&places)?)
        } else {
            let data = batch.columns().get(OWN_COLUMNS).ok_or(EntryError::Short)?;
            Payload::Bytes(
                BytesColumn::from_array(data)
                    .map_err(|_| EntryError::Strange("its data are no bytes"))?,
            )
        };
        Ok(Block {
            indices: Indices::From(self.first_index),
            arrivals: Arrivals::Each(arrivals.values().clone()),
            keys,
            payload,
            routes: routes(shards, of_shards)?,
        })
    }
}

fn routes(shards: &[Shard], of_rows: &UInt32Array) -> Result<Routes, EntryError> {
    const NONE: u16 = u16::MAX;
    let mut births: Vec<ShardBirth> = Vec::new();
    let mut slot_by_shard = vec![NONE; shards.len()];
    let mut slots = Vec::with_capacity(of_rows.len());
    for &shard in of_rows.values() {
        let slot = &mut slot_by_shard[shard as usize];
        if *slot == NONE {
            let next = u16::try_from(births.len()).ok().filter(|&next| next < NONE);
            *slot = next.ok_or(EntryError::Strange("it names more shards than a block has"))?;
            births.push(shards[shard as usize].birth);
        }
        slots.push(*slot);
    }
    Ok(Routes::new(&births, slots, Threads::ONE))
}
