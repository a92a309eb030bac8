//! A stream's records in order of arrival: sealed blocks, the tail, and the horizon below which all is forgotten.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_buffer::ScalarBuffer;

use crate::clock::Millis;
use crate::engine::position::Cut;
use crate::record::block::Block;
use crate::record::builder::BlockBuilder;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::record::sequence::many::Printer;

/// Records of the tail that a read copies; a longer tail is sealed and shared instead.
const TAIL_ROWS_COPIED_MAX: usize = 256;

/// Some rows of a block, in order.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The block.
    pub block: Arc<Block>,
    /// Which of its rows.
    pub rows: Picked,
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
    pub fn each_of_shard<E>(
        &self,
        mut told: impl FnMut(usize, Millis, &[u8; SEQUENCE_DIGITS]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_empty() {
            return Ok(());
        }
        let block = &self.block;
        let birth = block.sequence_number(self.row(0)).birth;
        let printer = Printer::new(std::iter::once(birth), block.first_index());
        let mut digits = [0; SEQUENCE_DIGITS];
        for row in (0..self.len()).map(|place| self.row(place)) {
            let arrival = block.arrivals.at(row);
            printer.write(0, block.offset(row), arrival.whole_seconds(), &mut digits);
            told(row, arrival, &digits)?;
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
        Self { block: Arc::clone(&self.block), rows }
    }

    fn shorten(&mut self, len: usize) {
        match &mut self.rows {
            Picked::Run(start, end) => *end = *start + len,
            Picked::Rows(rows) => *rows = rows.slice(0, len),
        }
    }

    fn last_index(&self) -> u64 {
        self.block.index(self.row(self.len() - 1))
    }
}

/// The records of one stream.
#[derive(Debug)]
pub(crate) struct Log {
    blocks: VecDeque<Arc<Block>>,
    tail: BlockBuilder,
    /// Records of a smaller index are forgotten.
    horizon: Cut,
    last_arrival: Millis,
}

impl Log {
    pub(crate) fn new(first_index: u64) -> Self {
        Self {
            blocks: VecDeque::new(),
            tail: BlockBuilder::new(first_index),
            horizon: Cut(first_index),
            last_arrival: Millis(i64::MIN),
        }
    }

    /// Returns when something that comes at `now` arrives: never before what came already, though clocks go back.
    pub(crate) fn arrival(&self, now: Millis) -> Millis {
        now.max(self.last_arrival)
    }

    /// Appends one record and returns its index.
    pub(crate) fn push(
        &mut self,
        arrival: Millis,
        birth: ShardBirth,
        key: &str,
        data: &[u8],
    ) -> u64 {
        assert!(self.last_arrival <= arrival, "records arrive in order of time");
        if self.tail.is_full() {
            self.seal();
        }
        self.last_arrival = arrival;
        let index = self.tail.end_index();
        self.tail.push(arrival, birth, key, data);
        index
    }

    /// Appends a block whose first record has the index that comes next, and shares it.
    pub(crate) fn append(&mut self, block: Block) -> Arc<Block> {
        assert_eq!(block.first_index(), self.end().0, "indices are given out once, in order");
        assert!(self.last_arrival <= block.arrivals.at(0), "records arrive in order of time");
        self.seal();
        self.last_arrival = block.arrivals.at(block.len() - 1);
        self.tail.skip_to(block.end_index());
        let block = Arc::new(block);
        self.blocks.push_back(Arc::clone(&block));
        block
    }

    /// Forgets records that arrived at `horizon` or before.
    pub(crate) fn trim(&mut self, horizon: Millis) {
        let kept_from = horizon.plus(1);
        while let Some(block) = self.blocks.front() {
            let row = block.arrivals.first_row_at(kept_from, block.len());
            self.horizon = self.horizon.max(Cut(index_at(block, row)));
            if row < block.len() {
                return;
            }
            self.blocks.pop_front();
        }
        let row = self.tail.first_row_at(kept_from);
        self.horizon = self.horizon.max(Cut(self.tail.first_index() + row as u64));
        if 0 < row && row == self.tail.len() {
            let _forgotten = self.tail.seal();
        }
    }

    /// Returns the cut after the newest record.
    pub(crate) fn end(&self) -> Cut {
        Cut(self.tail.end_index())
    }

    /// Returns the cut before the oldest record that is kept.
    pub(crate) fn horizon(&self) -> Cut {
        self.horizon
    }

    /// Returns the cut before the first record that arrived at `time` or later.
    pub(crate) fn cut_at(&self, time: Millis) -> Cut {
        let before = |block: &Arc<Block>| block.arrivals.at(block.len() - 1) < time;
        let place = self.blocks.partition_point(before);
        match self.blocks.get(place) {
            Some(block) => Cut(index_at(block, block.arrivals.first_row_at(time, block.len()))),
            None => Cut(self.tail.first_index() + self.tail.first_row_at(time) as u64),
        }
    }

    /// Returns the records between two cuts, of one shard or of all, at most `limit`, and the cut after the last.
    pub(crate) fn read(
        &mut self,
        from: Cut,
        until: Cut,
        shard: Option<ShardIndex>,
        limit: usize,
    ) -> (Vec<Slice>, Cut) {
        let from = from.max(self.horizon);
        let until = until.min(self.end());
        let mut slices = Vec::new();
        let mut room = limit;
        if until <= from {
            return (slices, from);
        }
        let mut take = |block: &Arc<Block>| {
            let rows = match shard {
                None => Some(Picked::Run(block.row_of(from.0), block.row_of(until.0))),
                Some(shard) => {
                    shard_rows(block, shard, block.row_of(from.0), block.row_of(until.0))
                }
            };
            if let Some(rows) = rows {
                let mut slice = Slice { block: Arc::clone(block), rows };
                slice.shorten(slice.len().min(room));
                room -= slice.len();
                if !slice.is_empty() {
                    slices.push(slice);
                }
            }
            0 < room
        };
        let first = self.blocks.partition_point(|block| block.end_index() <= from.0);
        let mut more = 0 < limit;
        for block in self.blocks.range(first..).take_while(|block| block.first_index() < until.0) {
            more = more && take(block);
        }
        if more && self.tail.first_index() < until.0 {
            let at = |cut: Cut| {
                usize::try_from(cut.0.saturating_sub(self.tail.first_index())).unwrap_or(0)
            };
            let (start, end) = (at(from), at(until));
            if end - start <= TAIL_ROWS_COPIED_MAX {
                take(&Arc::new(self.tail.copy(start, end)));
            } else {
                self.seal();
                take(self.blocks.back().expect("a tail of records was sealed"));
            }
        }
        let next = match slices.last() {
            Some(last) if room == 0 => Cut(last.last_index() + 1),
            _ if limit == 0 => from,
            _ => until,
        };
        (slices, next)
    }

    fn seal(&mut self) {
        if let Some(block) = self.tail.seal() {
            self.blocks.push_back(Arc::new(block));
        }
    }
}

/// The index of a block's row; after its last row, the one that comes next.
fn index_at(block: &Block, row: usize) -> u64 {
    if row < block.len() { block.index(row) } else { block.end_index() }
}

/// Returns the rows of a shard among a block's rows `start..end`; `None` if it has none in the block.
fn shard_rows(block: &Block, shard: ShardIndex, start: usize, end: usize) -> Option<Picked> {
    let run = block.run_of(shard)?;
    let Some(rows) = &run.rows else {
        return Some(Picked::Run(start, end));
    };
    let place = |row: usize| rows.partition_point(|&each| (each as usize) < row);
    let first = place(start);
    Some(Picked::Rows(rows.slice(first, place(end) - first)))
}
