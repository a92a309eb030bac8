//! Rows picked from blocks: cut into batches to be written, and gathered into one.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::RecordBatch;
use arrow_array::RecordBatchOptions;
use arrow_array::StringArray;
use arrow_array::builder::BinaryBuilder;
use arrow_array::builder::StringBuilder;
use arrow_buffer::ScalarBuffer;
use arrow_schema::ArrowError;

use crate::record::block::Block;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::ShardIndex;
use crate::store::segment::BATCH_ROWS;
use crate::store::segment::gather::gather;

/// Bytes of a batch, about: few enough to be decompressed and checked for one record, and for 32-bit offsets.
pub(crate) const BATCH_BYTES: u64 = 8 << 20;

/// What a row weighs whatever it carries: its number, index and time, and where its key and data end.
const ROW_BYTES: u64 = SEQUENCE_DIGITS as u64 + 8 + 8 + 4 + 4 + 4;

/// Rows of blocks, in an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picks<'p> {
    /// The blocks; at least one.
    pub(crate) blocks: &'p [Arc<Block>],
    /// For each row its block's place, and its row there.
    pub(crate) rows: &'p [(usize, usize)],
}

impl Picks<'_> {
    pub(crate) fn indices(&self) -> ScalarBuffer<u64> {
        self.rows.iter().map(|&(from, row)| self.blocks[from].index(row)).collect()
    }

    pub(crate) fn arrivals(&self) -> ScalarBuffer<i64> {
        self.rows.iter().map(|&(from, row)| self.blocks[from].arrivals.at(row).0).collect()
    }

    /// Returns the keys, copied.
    pub(super) fn keys(&self) -> StringArray {
        let lens = self.rows.iter().map(|&(from, row)| self.blocks[from].keys.value(row).len());
        let mut keys = StringBuilder::with_capacity(self.rows.len(), lens.sum());
        for &(from, row) in self.rows {
            keys.append_value(self.blocks[from].keys.value(row));
        }
        keys.finish()
    }

    /// Returns the bytes of the records, copied; `None` where they are rows of tables.
    pub(super) fn data(&self) -> Option<BinaryArray> {
        let columns: Vec<&BytesColumn> =
            self.blocks.iter().map(|block| bytes_of(&block.payload)).collect::<Option<_>>()?;
        let lens = self.rows.iter().map(|&(from, row)| columns[from].value(row).len());
        let mut data = BinaryBuilder::with_capacity(self.rows.len(), lens.sum());
        for &(from, row) in self.rows {
            data.append_value(columns[from].value(row));
        }
        Some(data.finish())
    }

    /// Returns the columns of tables whose rows these are; none where they are bytes.
    pub(super) fn columns(&self) -> Result<Vec<ArrayRef>, ArrowError> {
        let tables: Vec<&RecordBatch> =
            self.blocks.iter().filter_map(|block| rows_of(&block.payload)).collect();
        let Some(first) = tables.first() else { return Ok(Vec::new()) };
        let alike = tables.iter().all(|table| table.schema_ref() == first.schema_ref());
        if !alike || tables.len() < self.blocks.len() {
            return Err(ArrowError::SchemaError("the rows are of different tables".to_owned()));
        }
        let column = |place: usize| {
            let column = |table: &&RecordBatch| Arc::clone(table.column(place));
            gather(&tables.iter().map(column).collect::<Vec<ArrayRef>>(), self.rows)
        };
        (0..first.num_columns()).map(column).collect()
    }

    /// Returns the rows as one table with the columns of the first block's; `None` where they are bytes.
    pub(crate) fn table(&self) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(first) = self.blocks.first().and_then(|block| rows_of(&block.payload)) else {
            return Ok(None);
        };
        let len = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        let table = RecordBatch::try_new_with_options(first.schema(), self.columns()?, &len)?;
        Ok(Some(table))
    }
}

fn bytes_of(payload: &Payload) -> Option<&BytesColumn> {
    match payload {
        Payload::Bytes(bytes) => Some(bytes),
        Payload::Rows(_) => None,
    }
}

fn rows_of(payload: &Payload) -> Option<&RecordBatch> {
    match payload {
        Payload::Bytes(_) => None,
        Payload::Rows(rows) => Some(rows),
    }
}

/// How heavy the rows of a block are.
struct Weights<'b> {
    keys: &'b KeyColumn,
    payload: &'b Payload,
    /// What a row of a table weighs, taken all to be alike.
    typed: u64,
}

impl<'b> Weights<'b> {
    fn of(block: &'b Block) -> Self {
        let typed = rows_of(&block.payload).map_or(0, |rows| {
            let size = |column: &ArrayRef| {
                // A type whose slices cannot be measured is measured with what its buffers hold beside.
                let all = |_| column.get_array_memory_size();
                column.to_data().get_slice_memory_size().unwrap_or_else(all) as u64
            };
            rows.columns().iter().map(size).sum::<u64>() / (block.len().max(1) as u64)
        });
        Self { keys: &block.keys, payload: &block.payload, typed }
    }

    fn of_row(&self, row: usize) -> u64 {
        let data = bytes_of(self.payload).map_or(0, |data| data.value(row).len());
        ROW_BYTES + self.typed + (self.keys.value(row).len() + data) as u64
    }
}

/// Rows for one batch.
#[derive(Default)]
struct Cut {
    rows: Vec<(usize, usize)>,
    first_block: usize,
    first_index: u64,
    weight: u64,
}

impl Cut {
    /// Whether one more row goes in: rows and bytes are bounded, and a block spans fewer than 2^32 indices.
    fn has_room(&self, index: u64, weight: u64) -> bool {
        self.rows.len() < BATCH_ROWS
            && self.weight + weight <= BATCH_BYTES
            && index - self.first_index < u64::from(u32::MAX)
    }

    fn push(&mut self, block: usize, row: usize, index: u64, weight: u64) {
        if self.rows.is_empty() {
            (self.first_block, self.first_index) = (block, index);
        }
        self.rows.push((block - self.first_block, row));
        self.weight += weight;
    }

    /// Hands the rows over, and what they weigh.
    fn hand<E>(
        &mut self,
        blocks: &[Arc<Block>],
        take: &mut impl FnMut(Picks<'_>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.rows.is_empty() {
            let blocks = &blocks[self.first_block..];
            let last = self.rows.last().map_or(0, |&(block, _)| block);
            take(Picks { blocks: &blocks[..=last], rows: &self.rows }, self.weight)?;
        }
        self.rows.clear();
        self.weight = 0;
        Ok(())
    }
}

/// Hands over the rows of a shard, in order, as many at once as one batch takes, and what they weigh.
pub(super) fn cut<E>(
    blocks: &[Arc<Block>],
    shard: ShardIndex,
    mut take: impl FnMut(Picks<'_>, u64) -> Result<(), E>,
) -> Result<(), E> {
    let mut cut = Cut::default();
    for (place, block) in blocks.iter().enumerate() {
        let Some(run) = block.run_of(shard) else { continue };
        let weights = Weights::of(block);
        let mut add = |row: usize| {
            let (index, weight) = (block.index(row), weights.of_row(row));
            if !cut.rows.is_empty() && !cut.has_room(index, weight) {
                cut.hand(blocks, &mut take)?;
            }
            cut.push(place, row, index, weight);
            Ok(())
        };
        match &run.rows {
            None => (0..block.len()).try_for_each(&mut add)?,
            Some(rows) => rows.iter().try_for_each(|&row| add(row as usize))?,
        }
    }
    cut.hand(blocks, &mut take)
}
