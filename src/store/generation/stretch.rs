//! Some rows of a block that is stored: named without being read.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_schema::SchemaRef;

use crate::record::block::Block;
use crate::store::StoreError;
use crate::store::generation::Shared;
use crate::store::generation::merge::merge;

/// Where the rows of a block are found.
#[derive(Clone, Debug)]
enum Stored {
    /// In a batch of a segment.
    Batch { segment: usize, batch: usize },
    /// In those of all segments, at these indices.
    Merged(Range<u64>),
}

/// Some rows of a stored block, loaded when asked for; at least one.
#[derive(Clone)]
pub struct Stretch {
    shared: Arc<Shared>,
    stored: Stored,
    start: usize,
    end: usize,
}

impl Stretch {
    pub(super) fn of_batch(
        shared: &Arc<Shared>,
        (segment, batch): (usize, usize),
        start: usize,
        end: usize,
    ) -> Self {
        Self { shared: Arc::clone(shared), stored: Stored::Batch { segment, batch }, start, end }
    }

    pub(super) fn of_merged(
        shared: &Arc<Shared>,
        cell: Range<u64>,
        start: usize,
        end: usize,
    ) -> Self {
        Self { shared: Arc::clone(shared), stored: Stored::Merged(cell), start, end }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Tells whether there are no rows: there always are.
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }

    /// Returns the first row, within the block that is loaded.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Returns the row after the last, within the block that is loaded.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Reads the block whose rows `start..end` are meant.
    pub fn load(&self) -> Result<Arc<Block>, StoreError> {
        let block = match &self.stored {
            Stored::Batch { segment, batch } => self.shared.block((*segment, *batch))?,
            Stored::Merged(cell) => {
                let merged = &self.shared.merged;
                merged
                    .get_or_load(cell.start, || merge(&self.shared, cell.clone()).map(Arc::new))?
            }
        };
        if block.len() < self.end {
            let fault = "two shards have rows of one index";
            return Err(StoreError::damaged(self.path(), 0, fault));
        }
        Ok(block)
    }

    /// Returns the columns of the table whose rows these are, as they were called there; `None` if they are bytes. Reads
    /// no rows.
    pub fn row_schema(&self) -> Result<Option<SchemaRef>, StoreError> {
        let segment = match self.stored {
            Stored::Batch { segment, .. } => segment,
            Stored::Merged(_) => 0,
        };
        Ok(self.shared.open(segment)?.decoder().row_schema().cloned())
    }

    fn path(&self) -> &str {
        self.shared.segments.first().map_or("", |segment| segment.path())
    }
}

impl fmt::Debug for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stored, start, end, .. } = self;
        write!(f, "Stretch({stored:?}, {start}..{end})")
    }
}
