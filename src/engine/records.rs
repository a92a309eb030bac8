//! Records as columns that every record has, made a batch at a time on as many threads as may be used.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::UInt16Array;
use arrow_array::UInt32Array;
use arrow_buffer::Buffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;
use arrow_select::take::take;
use arrow_select::take::take_record_batch;

use crate::clock::Millis;
use crate::engine::slice::Picked;
use crate::engine::slice::Slice;
use crate::record::block::Block;
use crate::record::json;
use crate::record::json::Dictionaries;
use crate::record::payload::Payload;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::many::Printer;
use crate::threads::Threads;

/// Rows of a batch at most: enough for a thread's while, and few enough for 32-bit offsets into 56 digits a row.
const BATCH_ROWS: usize = 65_536;

/// Rows that are worth a second thread.
const SHARED_ROWS: usize = 16_384;

/// A column that every record has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordColumn {
    /// The shard's name.
    ShardId,
    /// The 56 digits.
    SequenceNumber,
    /// When the record came, in milliseconds.
    ArrivalTime,
    /// The partition key.
    PartitionKey,
    /// What was put; for a row of a table, its JSON.
    Data,
}

impl RecordColumn {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::ShardId, Self::SequenceNumber, Self::ArrivalTime, Self::PartitionKey, Self::Data];

    /// Returns the column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ShardId => "shard_id",
            Self::SequenceNumber => "sequence_number",
            Self::ArrivalTime => "arrival_time",
            Self::PartitionKey => "partition_key",
            Self::Data => "data",
        }
    }

    /// Finds a column by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    fn data_type(self) -> DataType {
        match self {
            Self::ShardId | Self::PartitionKey => DataType::Utf8View,
            Self::SequenceNumber => DataType::Utf8,
            Self::ArrivalTime => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::Data => DataType::BinaryView,
        }
    }
}

/// Returns the schema of some columns.
pub fn schema(columns: &[RecordColumn]) -> SchemaRef {
    let field = |column: &RecordColumn| Field::new(column.name(), column.data_type(), false);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<Field>>()))
}

/// Records as batches of some columns: enough for all threads are made at once, when the first of them is asked for.
#[derive(Debug)]
pub struct Batches {
    columns: Vec<RecordColumn>,
    schema: SchemaRef,
    slices: std::vec::IntoIter<Slice>,
    threads: Threads,
    batch_rows: usize,
    /// What is left of the slice at hand.
    at_hand: Option<Parts>,
    made: VecDeque<Result<RecordBatch, ArrowError>>,
}

impl Batches {
    /// Prepares to make batches; nothing is made yet.
    pub fn new(slices: Vec<Slice>, columns: &[RecordColumn], threads: Threads) -> Self {
        Self {
            columns: columns.to_vec(),
            schema: schema(columns),
            slices: slices.into_iter(),
            threads,
            batch_rows: BATCH_ROWS,
            at_hand: None,
            made: VecDeque::new(),
        }
    }

    /// Returns the schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn next_part(&mut self) -> Option<Result<Part, ArrowError>> {
        loop {
            if let Some(part) = self.at_hand.as_mut().and_then(Iterator::next) {
                return Some(Ok(part));
            }
            let needs_data = self.columns.contains(&RecordColumn::Data);
            match Parts::new(self.slices.next()?, self.batch_rows, needs_data) {
                Ok(parts) => self.at_hand = Some(parts),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Makes the next batches: of many small slices as many as of a large one in rows.
    fn make(&mut self) {
        let (mut parts, mut rows, mut refused) = (Vec::new(), 0, None);
        while rows < self.threads.count() * self.batch_rows
            && refused.is_none()
            && let Some(part) = self.next_part()
        {
            match part {
                Ok(part) => {
                    rows += part.slice.len();
                    parts.push((part, None));
                }
                Err(error) => refused = Some(Err(error)),
            }
        }
        let threads = if rows < SHARED_ROWS { Threads::ONE } else { self.threads };
        threads.on_each(
            parts.iter_mut(),
            || true,
            |(part, made)| *made = Some(part.batch(&self.columns, &self.schema)),
        );
        self.made.extend(parts.into_iter().filter_map(|(_, made)| made).chain(refused));
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.made.is_empty() {
            self.make();
        }
        self.made.pop_front()
    }
}

/// The parts of a slice, each small enough for a batch.
#[derive(Debug)]
struct Parts {
    slice: Slice,
    block: Arc<Block>,
    start: usize,
    part_rows: usize,
    /// The texts of dictionaries, which all parts share.
    dictionaries: Arc<Dictionaries>,
}

impl Parts {
    fn new(slice: Slice, part_rows: usize, needs_data: bool) -> Result<Self, ArrowError> {
        let block = slice.block().map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let dictionaries = match &block.payload {
            Payload::Rows(batch) if needs_data => Dictionaries::of(batch, slice.len()),
            _ => Dictionaries::default(),
        };
        Ok(Self { slice, block, start: 0, part_rows, dictionaries: Arc::new(dictionaries) })
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let start = self.start;
        self.start = self.slice.len().min(start + self.part_rows);
        (start < self.start).then(|| Part {
            slice: self.slice.part(start, self.start),
            block: Arc::clone(&self.block),
            dictionaries: Arc::clone(&self.dictionaries),
        })
    }
}

/// Records for one batch, at least one.
struct Part {
    slice: Slice,
    block: Arc<Block>,
    dictionaries: Arc<Dictionaries>,
}

impl Part {
    fn batch(
        &self,
        columns: &[RecordColumn],
        schema: &SchemaRef,
    ) -> Result<RecordBatch, ArrowError> {
        let column = |&column: &RecordColumn| -> Result<ArrayRef, ArrowError> {
            let (block, slice) = (&*self.block, &self.slice);
            Ok(match column {
                RecordColumn::ShardId => shard_ids(block, slice)?,
                RecordColumn::SequenceNumber => Arc::new(sequence_numbers(block, slice)),
                RecordColumn::ArrivalTime => {
                    let times = TimestampMillisecondArray::new(arrivals(block, slice), None);
                    Arc::new(times.with_timezone("UTC"))
                }
                RecordColumn::PartitionKey => {
                    let keys = picked(slice, &block.keys.to_array())?;
                    cast(&keys, &DataType::Utf8View)?
                }
                RecordColumn::Data => self.data()?,
            })
        };
        let arrays = columns.iter().map(column).collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        RecordBatch::try_new(Arc::clone(schema), arrays)
    }

    fn data(&self) -> Result<ArrayRef, ArrowError> {
        let slice = &self.slice;
        let batch = match &self.block.payload {
            Payload::Bytes(bytes) => {
                return cast(&picked(slice, &bytes.to_array())?, &DataType::BinaryView);
            }
            Payload::Rows(batch) => batch,
        };
        let rows = match &slice.rows {
            Picked::Run(start, end) => batch.slice(*start, end - start),
            Picked::Rows(rows) => take_record_batch(batch, &UInt32Array::new(rows.clone(), None))?,
        };
        let encoded = json::encode_part(&rows, &self.dictionaries);
        Ok(Arc::new(encoded.map_err(|error| ArrowError::ExternalError(Box::new(error)))?))
    }
}

/// Returns when the records of a slice arrived, in milliseconds.
pub fn arrivals(block: &Block, slice: &Slice) -> ScalarBuffer<i64> {
    let arrivals = &block.arrivals;
    match &slice.rows {
        Picked::Run(start, end) => arrivals.expand(*start, *end),
        Picked::Rows(rows) => rows.iter().map(|&row| arrivals.at(row as usize).0).collect(),
    }
}

fn picked(slice: &Slice, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match &slice.rows {
        Picked::Run(start, end) => Ok(array.slice(*start, end - start)),
        Picked::Rows(rows) => take(array, &UInt32Array::new(rows.clone(), None), None),
    }
}

/// For each record its shard's place among the runs of the block.
fn places(block: &Block, slice: &Slice) -> Vec<u16> {
    match (block.routes.places(), &slice.rows) {
        (None, _) => vec![0; slice.len()],
        (Some(places), Picked::Run(start, end)) => places[*start..*end].to_vec(),
        (Some(places), Picked::Rows(rows)) => {
            rows.iter().map(|&row| places[row as usize]).collect()
        }
    }
}

/// The names of the records' shards, each name kept once.
fn shard_ids(block: &Block, slice: &Slice) -> Result<ArrayRef, ArrowError> {
    let runs = block.routes.runs().iter();
    let names = StringViewArray::from_iter_values(runs.map(|run| run.birth.shard.to_string()));
    take(&names, &UInt16Array::from(places(block, slice)), None)
}

fn sequence_numbers(block: &Block, slice: &Slice) -> StringArray {
    let births = block.routes.runs().iter().map(|run| run.birth);
    let printer = Printer::new(births, block.first_index());
    let (times, places) = (arrivals(block, slice), places(block, slice));
    let mut text = vec![0; slice.len() * SEQUENCE_DIGITS];
    let (numbers, _) = text.as_chunks_mut::<SEQUENCE_DIGITS>();
    for (at, digits) in numbers.iter_mut().enumerate() {
        let second = Millis(times[at]).whole_seconds();
        printer.write(usize::from(places[at]), block.offset(slice.row(at)), second, digits);
    }
    let ends = OffsetBuffer::from_repeated_length(SEQUENCE_DIGITS, slice.len());
    StringArray::new(ends, Buffer::from_vec(text), None)
}

#[cfg(test)]
mod tests;
