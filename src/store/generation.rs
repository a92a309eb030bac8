//! Generations: runs of a stream's log that were sealed, a segment for each shard that has rows in them.

mod kept;
mod merge;
mod names;
#[cfg(test)]
pub(crate) mod sample;
mod seal;
mod stretch;

use std::sync::Arc;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::record::block::Block;
use crate::record::sequence::ShardIndex;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::generation::kept::Kept;
use crate::store::segment::BATCH_BYTES;
use crate::store::segment::BATCH_ROWS;
use crate::store::segment::Decoder;
use crate::store::segment::Opened;
use crate::store::segment::Segment;
use crate::store::segment::SegmentInfo;

pub use names::Link;
pub use names::link;
pub use names::remove;
pub use seal::fits_together;
pub use seal::seal;
pub use stretch::Stretch;

/// What a store keeps of a generation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GenerationInfo {
    /// The index of the first row.
    pub first_index: u64,
    /// The index after the last row's.
    pub end_index: u64,
    /// How many rows there are: fewer than indices where some were lost.
    pub rows: u64,
    /// How many bytes these are, uncompressed, about.
    pub weight: u64,
    /// When the first row arrived.
    pub first_arrival: i64,
    /// When the last row arrived.
    pub last_arrival: i64,
    /// The segments, by shard.
    pub segments: Vec<SegmentInfo>,
}

/// A run of a stream's log that was sealed. Opens no file until something is read, and each once.
#[derive(Clone, Debug)]
pub struct Generation {
    shared: Arc<Shared>,
}

/// What a generation shares with the stretches that were taken from it.
#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    info: GenerationInfo,
    /// By shard.
    segments: Vec<Segment>,
    /// How the first segment that was opened is read, and all that are alike.
    decoder: OnceLock<Arc<Decoder>>,
    /// Batches that were decompressed, by segment and place; merging needs one of each segment at a time.
    decompressed: Kept<(usize, usize)>,
    /// Rows of all shards that were merged, by the first index.
    merged: Kept<u64>,
}

impl Generation {
    /// Takes a generation of the stream whose folder is given.
    pub fn new(disk: Arc<dyn Disk>, folder: &str, info: GenerationInfo) -> Self {
        let mut segments: Vec<Segment> =
            info.segments.iter().map(|info| Segment::new(folder, info.clone())).collect();
        segments.sort_by_key(|segment| segment.info().shard);
        let decompressed = Kept::new(4.max(segments.len() + 2));
        let decoder = OnceLock::new();
        let shared = Shared { disk, info, segments, decoder, decompressed, merged: Kept::new(2) };
        Self { shared: Arc::new(shared) }
    }

    /// Returns what a store keeps of it.
    pub fn info(&self) -> &GenerationInfo {
        &self.shared.info
    }

    /// Returns the shards that have rows here, in order.
    pub fn each_shard(&self) -> impl Iterator<Item = ShardIndex> {
        self.shared.segments.iter().map(|segment| ShardIndex(segment.info().shard))
    }

    /// Returns where its files lie.
    pub fn paths(&self) -> Vec<String> {
        self.shared.segments.iter().map(|segment| segment.path().to_owned()).collect()
    }

    /// Returns a shard's rows with indices in `from..until`, in order. Only batches at the bounds are read.
    pub fn shard_stretches(
        &self,
        shard: ShardIndex,
        from: u64,
        until: u64,
    ) -> Result<Vec<Stretch>, StoreError> {
        let shared = &self.shared;
        let place = shared.segments.binary_search_by_key(&shard.0, |each| each.info().shard);
        let (Ok(place), true) = (place, from < until) else { return Ok(Vec::new()) };
        let batches = shared.open(place)?.batches();
        let first = batches.partition_point(|batch| batch.span.last_index < from);
        let overlapping =
            batches[first..].iter().take_while(|batch| batch.span.first_index < until);
        let mut stretches = Vec::new();
        for (batch, _) in (first..).zip(overlapping) {
            let start = shared.row_of((place, batch), from)?;
            let end = shared.row_of((place, batch), until)?;
            if start < end {
                stretches.push(Stretch::of_batch(shared, (place, batch), start, end));
            }
        }
        Ok(stretches)
    }

    /// Returns the rows of all shards with indices in `from..until`, in order of arrival. They are gathered when loaded; where
    /// rows were lost, the batches are read already to know how many are left.
    pub fn merged_stretches(&self, from: u64, until: u64) -> Result<Vec<Stretch>, StoreError> {
        let shared = &self.shared;
        if let [only] = &shared.segments[..] {
            return self.shard_stretches(ShardIndex(only.info().shard), from, until);
        }
        let info = &shared.info;
        let (mut from, until) = (from.max(info.first_index), until.min(info.end_index));
        let mut stretches = Vec::new();
        while from < until {
            let cell = shared.cell(from);
            let start = shared.count(cell.start, from)?;
            let end = shared.count(cell.start, until.min(cell.end))?;
            if start < end {
                stretches.push(Stretch::of_merged(shared, cell.clone(), start, end));
            }
            from = shared.next_index(cell.end)?;
        }
        Ok(stretches)
    }

    /// Returns the index of the first row that arrived at `time` or later; that after the last row's if none did.
    pub fn first_index_at(&self, time: Millis) -> Result<u64, StoreError> {
        let info = &self.shared.info;
        if time.0 <= info.first_arrival {
            return Ok(info.first_index);
        }
        if info.last_arrival < time.0 {
            return Ok(info.end_index);
        }
        let mut first = info.end_index;
        for place in 0..self.shared.segments.len() {
            let batches = self.shared.open(place)?.batches();
            let batch = batches.partition_point(|batch| batch.span.last_arrival < time.0);
            if let Some(found) = batches.get(batch).filter(|batch| batch.span.first_index < first) {
                let arrived = found.span.first_arrival < time.0;
                let index = if arrived {
                    let block = self.shared.block((place, batch))?;
                    let row = block.arrivals.first_row_at(time, block.len());
                    if row < block.len() { block.index(row) } else { block.end_index() }
                } else {
                    found.span.first_index
                };
                first = first.min(index);
            }
        }
        Ok(first)
    }
}

impl Shared {
    fn open(&self, segment: usize) -> Result<&Opened, StoreError> {
        self.segments[segment].open(self.disk.as_ref(), &self.decoder)
    }

    /// Returns a batch of a segment as a block.
    fn block(&self, (segment, batch): (usize, usize)) -> Result<Arc<Block>, StoreError> {
        let opened = self.open(segment)?;
        if !opened.is_compressed() {
            return opened.load(batch);
        }
        self.decompressed.get_or_load((segment, batch), || opened.load(batch))
    }

    /// Returns the first row of a batch whose index is `index` or above; reads the batch where its bounds do not tell.
    fn row_of(&self, (segment, batch): (usize, usize), index: u64) -> Result<usize, StoreError> {
        let span = self.open(segment)?.batches()[batch].span;
        if index <= span.first_index {
            Ok(0)
        } else if span.last_index < index {
            Ok(usize::try_from(span.rows).unwrap_or(usize::MAX))
        } else {
            Ok(self.block((segment, batch))?.row_of(index))
        }
    }

    /// How many indices are merged at once: few enough that their rows are no more bytes than those of a batch.
    fn cell_len(&self) -> u64 {
        let weight = (self.info.weight / self.info.rows.max(1)).max(1);
        (BATCH_BYTES / weight).clamp(1, BATCH_ROWS as u64)
    }

    /// Returns the cell that an index lies in. Cells lie where they lie whatever is asked for: so one that was merged serves
    /// the next reader.
    fn cell(&self, index: u64) -> std::ops::Range<u64> {
        let len = self.cell_len();
        let start = index - (index - self.info.first_index) % len;
        start..start.saturating_add(len).min(self.info.end_index)
    }

    /// Whether no index is without a row.
    fn is_dense(&self) -> bool {
        self.info.end_index - self.info.first_index == self.info.rows
    }

    /// Counts the rows with indices in `from..until`.
    fn count(&self, from: u64, until: u64) -> Result<usize, StoreError> {
        let mut count = until - from;
        if !self.is_dense() {
            count = 0;
            for segment in 0..self.segments.len() {
                count += self.rank(segment, until)?.saturating_sub(self.rank(segment, from)?);
            }
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Counts the rows of a segment below an index.
    fn rank(&self, segment: usize, index: u64) -> Result<u64, StoreError> {
        let batches = self.open(segment)?.batches();
        let batch = batches.partition_point(|batch| batch.span.last_index < index);
        let before: u64 = batches[..batch].iter().map(|batch| batch.span.rows).sum();
        let within = if batch < batches.len() { self.row_of((segment, batch), index)? } else { 0 };
        Ok(before + within as u64)
    }

    /// Returns the lowest index of a row that is `index` or above; that after the last row's if there is none.
    fn next_index(&self, index: u64) -> Result<u64, StoreError> {
        if self.is_dense() {
            return Ok(index);
        }
        let mut next = self.info.end_index;
        for segment in 0..self.segments.len() {
            let batches = self.open(segment)?.batches();
            let batch = batches.partition_point(|batch| batch.span.last_index < index);
            if let Some(span) = batches.get(batch).map(|batch| batch.span) {
                let row = self.row_of((segment, batch), index)?;
                let found = if row == 0 {
                    span.first_index
                } else {
                    self.block((segment, batch))?.index(row)
                };
                next = next.min(found);
            }
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
