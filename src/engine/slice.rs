//! Some rows of a block: one that is in memory, or one of a store, loaded when somebody looks at it.

use std::sync::Arc;

use arrow_buffer::ScalarBuffer;
use arrow_schema::SchemaRef;

use crate::clock::Millis;
use crate::record::block::Block;
use crate::record::payload::Payload;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::many::Printer;
use crate::store::StoreError;
use crate::store::Stretch;

/// Some rows of a block, in order.
#[derive(Clone, Debug)]
pub struct Slice {
    source: Source,
    /// Which of its rows.
    pub rows: Picked,
}

/// Where a slice's block is.
#[derive(Clone, Debug)]
enum Source {
    Memory(Arc<Block>),
    Store(Stretch),
}

/// Which rows of a block: a run, or those of one shard.
#[derive(Clone, Debug)]
pub enum Picked {
    /// Rows `0..len` from the first number up to, not including, the second.
    Run(usize, usize),
    /// These rows, ascending.
    Rows(ScalarBuffer<u32>),
}

impl Slice {
    /// Takes rows of a block.
    pub fn new(block: Arc<Block>, rows: Picked) -> Self {
        Self { source: Source::Memory(block), rows }
    }

    /// Takes rows of a store's block.
    pub(crate) fn stored(stretch: Stretch) -> Self {
        let rows = Picked::Run(stretch.start(), stretch.end());
        Self { source: Source::Store(stretch), rows }
    }

    /// Returns the block, read from the store where it is there.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or is damaged there.
    pub fn block(&self) -> Result<Arc<Block>, StoreError> {
        match &self.source {
            Source::Memory(block) => Ok(Arc::clone(block)),
            Source::Store(stretch) => stretch.load(),
        }
    }

    /// Returns the columns of its rows where they came from a table; `None` where they are bytes. Reads no record.
    pub(crate) fn row_schema(&self) -> Result<Option<SchemaRef>, StoreError> {
        match &self.source {
            Source::Memory(block) => Ok(match &block.payload {
                Payload::Bytes(_) => None,
                Payload::Rows(batch) => Some(batch.schema()),
            }),
            Source::Store(stretch) => stretch.row_schema(),
        }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Picked::Run(start, end) => end - start,
            Picked::Rows(rows) => rows.len(),
        }
    }

    /// Tells whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the block's row of the slice's `place`-th record.
    pub fn row(&self, place: usize) -> usize {
        match &self.rows {
            Picked::Run(start, _) => start + place,
            Picked::Rows(rows) => rows[place] as usize,
        }
    }

    /// Tells each row of a slice that a shard was read as, when it arrived, and the digits of its number.
    pub fn each_of_shard<E: From<StoreError>>(
        &self,
        mut told: impl FnMut(&Block, usize, Millis, &[u8; SEQUENCE_DIGITS]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_empty() {
            return Ok(());
        }
        let block = self.block()?;
        let birth = block.sequence_number(self.row(0)).birth;
        let printer = Printer::new(std::iter::once(birth), block.first_index());
        let mut digits = [0; SEQUENCE_DIGITS];
        for row in (0..self.len()).map(|place| self.row(place)) {
            let arrival = block.arrivals.at(row);
            printer.write(0, block.offset(row), arrival.whole_seconds(), &mut digits);
            told(&block, row, arrival, &digits)?;
        }
        Ok(())
    }

    /// Returns the slice's records `from..until`.
    #[must_use]
    pub fn part(&self, from: usize, until: usize) -> Self {
        let rows = match &self.rows {
            Picked::Run(start, _) => Picked::Run(start + from, start + until),
            Picked::Rows(rows) => Picked::Rows(rows.slice(from, until - from)),
        };
        Self { source: self.source.clone(), rows }
    }

    pub(crate) fn shorten(&mut self, len: usize) {
        match &mut self.rows {
            Picked::Run(start, end) => *end = *start + len,
            Picked::Rows(rows) => *rows = rows.slice(0, len),
        }
    }

    pub(crate) fn last_index(&self) -> Result<u64, StoreError> {
        Ok(self.block()?.index(self.row(self.len() - 1)))
    }
}
