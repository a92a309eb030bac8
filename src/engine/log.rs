//! A stream's records in order of arrival: blocks in memory, generations in a store, the tail, and the horizon below
//! which all is forgotten.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::position::Cut;
use crate::engine::slice::Picked;
use crate::engine::slice::Slice;
use crate::record::block::Block;
use crate::record::builder::BlockBuilder;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::store::Generation;
use crate::store::StoreError;
use crate::store::generation::fits_together;

/// Records of the tail that a read copies; a longer tail is sealed and shared instead.
const TAIL_ROWS_COPIED_MAX: usize = 256;

/// A run of the log.
#[derive(Clone, Debug)]
pub(crate) enum Chunk {
    /// In memory.
    Resident(Arc<Block>),
    /// In a store, sealed.
    Sealed(Arc<Generation>),
}

impl Chunk {
    /// The generation that it is, if it is one.
    pub(crate) fn generation(&self) -> Option<&Generation> {
        match self {
            Self::Resident(_) => None,
            Self::Sealed(generation) => Some(generation),
        }
    }

    fn first_index(&self) -> u64 {
        match self {
            Self::Resident(block) => block.first_index(),
            Self::Sealed(generation) => generation.info().first_index,
        }
    }

    fn end_index(&self) -> u64 {
        match self {
            Self::Resident(block) => block.end_index(),
            Self::Sealed(generation) => generation.info().end_index,
        }
    }

    fn rows(&self) -> u64 {
        match self {
            Self::Resident(block) => block.len() as u64,
            Self::Sealed(generation) => generation.info().rows,
        }
    }

    fn first_arrival(&self) -> Millis {
        match self {
            Self::Resident(block) => block.arrivals.at(0),
            Self::Sealed(generation) => Millis(generation.info().first_arrival),
        }
    }

    fn last_arrival(&self) -> Millis {
        match self {
            Self::Resident(block) => block.arrivals.at(block.len() - 1),
            Self::Sealed(generation) => Millis(generation.info().last_arrival),
        }
    }

    /// The index of the first record that arrived at `time` or later; the end where none did.
    fn index_at(&self, time: Millis) -> Result<u64, StoreError> {
        if time <= self.first_arrival() {
            return Ok(self.first_index());
        }
        if self.last_arrival() < time {
            return Ok(self.end_index());
        }
        match self {
            Self::Resident(block) => {
                Ok(block.index(block.arrivals.first_row_at(time, block.len())))
            }
            Self::Sealed(generation) => generation.first_index_at(time),
        }
    }
}

/// Which records a read is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// All of them, shard by shard where that is how they lie.
    AnyOrder,
    /// All of them, in order of arrival.
    InOrder,
    /// Those of one shard.
    Shard(ShardIndex),
}

/// The records of one stream.
#[derive(Debug)]
pub(crate) struct Log {
    chunks: VecDeque<Chunk>,
    tail: BlockBuilder,
    /// Records of a smaller index are forgotten.
    horizon: Cut,
    /// Records from here on are on their way to stable storage, and nobody sees them yet.
    shown: Cut,
    last_arrival: Millis,
    /// Bytes of the blocks in memory, about.
    block_bytes: usize,
    /// Generations whose place comes while the journal is read, in order.
    awaited: VecDeque<Arc<Generation>>,
    /// Generations that lie below the horizon, until somebody removes them.
    forgotten: Vec<Arc<Generation>>,
}

impl Log {
    pub(crate) fn new(first_index: u64) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: BlockBuilder::new(first_index),
            horizon: Cut(first_index),
            shown: Cut::END,
            last_arrival: Millis(i64::MIN),
            block_bytes: 0,
            awaited: VecDeque::new(),
            forgotten: Vec::new(),
        }
    }

    /// Makes the log of a store, whose generations take their places as the journal tells of the records between them.
    pub(crate) fn awaiting(first_index: u64, awaited: VecDeque<Arc<Generation>>) -> Self {
        Self { awaited, ..Self::new(first_index) }
    }

    /// Makes a log of runs that are there.
    pub(crate) fn of(
        chunks: Vec<Chunk>,
        horizon_index: u64,
        end_index: u64,
        last_arrival: Millis,
    ) -> Self {
        let first = chunks.first().map_or(end_index, Chunk::first_index).min(horizon_index);
        let mut log = Self::new(first);
        for chunk in chunks {
            if let Chunk::Resident(block) = &chunk {
                log.block_bytes += block.bytes();
            }
            log.put_behind(chunk);
        }
        log.skip_to(end_index);
        log.arrived(last_arrival);
        log.trim_below(Cut(horizon_index));
        log
    }

    /// Has awaited generations take their places up to an index.
    pub(crate) fn reach(&mut self, index: u64) {
        while let Some(next) = self.awaited.front()
            && next.info().first_index <= index
            && let Some(next) = self.awaited.pop_front()
        {
            self.put_behind(Chunk::Sealed(next));
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
        let block = Arc::new(block);
        self.put_behind(Chunk::Resident(Arc::clone(&block)));
        self.block_bytes += block.bytes();
        block
    }

    /// Takes a generation in: behind all records, or in place of those in memory that it holds.
    pub(crate) fn install(&mut self, generation: Arc<Generation>) {
        let (first, end) = (generation.info().first_index, generation.info().end_index);
        if self.end().0 <= first {
            self.put_behind(Chunk::Sealed(generation));
            return;
        }
        self.seal();
        // Told again, records may lie together that did not when they were sealed.
        self.cut(first);
        self.cut(end);
        let place = self.chunks.partition_point(|chunk| chunk.first_index() < first);
        let until = self.chunks.partition_point(|chunk| chunk.end_index() <= end);
        for chunk in self.chunks.drain(place..until.max(place)) {
            if let Chunk::Resident(block) = chunk {
                self.block_bytes -= block.bytes();
            }
        }
        if self.horizon.0 < end {
            self.chunks.insert(place, Chunk::Sealed(generation));
        } else {
            self.forgotten.push(generation);
        }
    }

    /// Puts a generation in the place of the one that begins at an index, or nothing.
    pub(crate) fn replace(&mut self, first_index: u64, with: Option<Arc<Generation>>) {
        let place = self.chunks.partition_point(|chunk| chunk.first_index() < first_index);
        match with {
            Some(generation) => self.chunks[place] = Chunk::Sealed(generation),
            None => {
                self.chunks.remove(place);
            }
        }
    }

    /// Has no block in memory lie on both sides of an index.
    fn cut(&mut self, index: u64) {
        let place = self.chunks.partition_point(|chunk| chunk.end_index() <= index);
        let Some(Chunk::Resident(block)) = self.chunks.get(place) else { return };
        if index <= block.first_index() {
            return;
        }
        let (row, whole) = (block.row_of(index), block.bytes());
        let parts = [block.part(0..row), block.part(row..block.len())].map(Arc::new);
        let bytes: usize = parts.iter().map(|part| part.bytes()).sum();
        self.block_bytes = self.block_bytes - whole + bytes;
        let [before, behind] = parts.map(Chunk::Resident);
        self.chunks[place] = before;
        self.chunks.insert(place + 1, behind);
    }

    fn put_behind(&mut self, chunk: Chunk) {
        assert!(self.end().0 <= chunk.first_index(), "indices are given out once, in order");
        assert!(self.last_arrival <= chunk.first_arrival(), "records arrive in order of time");
        self.seal();
        self.last_arrival = chunk.last_arrival();
        self.tail.skip_to(chunk.end_index());
        self.chunks.push_back(chunk);
    }

    /// Moves the index of the next record on, past some that nobody will ever have.
    pub(crate) fn skip_to(&mut self, index: u64) {
        if index <= self.end().0 {
            return;
        }
        self.seal();
        self.tail.skip_to(index);
        if self.chunks.is_empty() {
            self.horizon = self.horizon.max(self.end());
        }
    }

    /// Remembers when the newest record arrived that is forgotten by now.
    pub(crate) fn arrived(&mut self, last_arrival: Millis) {
        self.last_arrival = self.last_arrival.max(last_arrival);
    }

    /// Hides records that come from now on until they are shown.
    pub(crate) fn hide(&mut self) {
        self.shown = self.end();
    }

    /// Shows records below a cut.
    pub(crate) fn show(&mut self, below: Cut) {
        self.shown = self.shown.max(below);
    }

    /// Forgets records that arrived at `horizon` or before.
    pub(crate) fn trim(&mut self, horizon: Millis) {
        let kept_from = horizon.plus(1);
        while let Some(chunk) = self.chunks.front() {
            // Where a store's times cannot be read, what is in doubt is kept.
            let index = chunk.index_at(kept_from).unwrap_or(chunk.first_index());
            self.horizon = self.horizon.max(Cut(index));
            if index < chunk.end_index() {
                return;
            }
            self.forget_first();
        }
        let row = self.tail.first_row_at(kept_from);
        self.horizon = self.horizon.max(Cut(self.tail.first_index() + row as u64));
        if 0 < row && row == self.tail.len() {
            let _forgotten = self.tail.seal();
        }
    }

    /// Forgets what lies below a cut, whenever it arrived.
    pub(crate) fn trim_below(&mut self, cut: Cut) {
        self.horizon = self.horizon.max(cut);
        while self.chunks.front().is_some_and(|chunk| chunk.end_index() <= cut.0) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        match self.chunks.pop_front() {
            Some(Chunk::Resident(block)) => self.block_bytes -= block.bytes(),
            Some(Chunk::Sealed(generation)) => self.forgotten.push(generation),
            None => {}
        }
    }

    /// Hands over generations that lie below the horizon.
    pub(crate) fn take_forgotten(&mut self) -> Vec<Arc<Generation>> {
        mem::take(&mut self.forgotten)
    }

    /// Returns the cut after the newest record.
    pub(crate) fn end(&self) -> Cut {
        Cut(self.tail.end_index())
    }

    /// Returns the cut after the newest record that anybody sees.
    pub(crate) fn shown_end(&self) -> Cut {
        self.end().min(self.shown)
    }

    /// Returns the cut after the newest record that is sealed.
    pub(crate) fn sealed_end(&self) -> Cut {
        let sealed = self.chunks.iter().rev().find(|chunk| matches!(chunk, Chunk::Sealed(_)));
        sealed.map_or(Cut::START, |chunk| Cut(chunk.end_index()))
    }

    /// Returns the cut before the oldest record that is kept.
    pub(crate) fn horizon(&self) -> Cut {
        self.horizon
    }

    /// Returns when the newest record arrived.
    pub(crate) fn last_arrival(&self) -> Millis {
        self.last_arrival
    }

    /// Returns how many bytes are in memory, about.
    pub(crate) fn resident_bytes(&self) -> usize {
        self.block_bytes + self.tail.bytes()
    }

    /// Returns how many records are kept that anybody sees.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        let (from, until) = (self.horizon.0, self.shown_end().0);
        let mut count = 0;
        for chunk in &self.chunks {
            let (first, end) = (chunk.first_index(), chunk.end_index());
            let is_dense = chunk.rows() == end - first;
            count += match chunk {
                Chunk::Sealed(generation) if !is_dense && (first < from || until < end) => {
                    let stretches = generation.merged_stretches(from, until)?;
                    stretches.iter().map(|stretch| stretch.len() as u64).sum()
                }
                _ if !is_dense => chunk.rows(),
                _ => end.min(until).saturating_sub(first.max(from)),
            };
        }
        let tail = self.tail.first_index();
        Ok(count + self.tail.end_index().min(until).saturating_sub(tail.max(from)))
    }

    /// Returns the cut before the first record that arrived at `time` or later.
    pub(crate) fn cut_at(&self, time: Millis) -> Result<Cut, StoreError> {
        let place = self.chunks.partition_point(|chunk| chunk.last_arrival() < time);
        match self.chunks.get(place) {
            Some(chunk) => Ok(Cut(chunk.index_at(time)?)),
            None => Ok(Cut(self.tail.first_index() + self.tail.first_row_at(time) as u64)),
        }
    }

    /// Returns the records between two cuts, at most `limit`, and the cut after the last.
    pub(crate) fn read(
        &mut self,
        from: Cut,
        until: Cut,
        scope: Scope,
        limit: usize,
    ) -> Result<(Vec<Slice>, Cut), StoreError> {
        let from = from.max(self.horizon);
        let until = until.min(self.shown_end());
        let mut taken = Taken { slices: Vec::new(), room: limit };
        if until <= from || limit == 0 {
            return Ok((taken.slices, from));
        }
        let first = self.chunks.partition_point(|chunk| chunk.end_index() <= from.0);
        for chunk in self.chunks.range(first..).take_while(|chunk| chunk.first_index() < until.0) {
            if taken.room == 0 {
                break;
            }
            match chunk {
                Chunk::Resident(block) => taken.take(block, from, until, scope),
                Chunk::Sealed(generation) => taken.take_sealed(generation, from, until, scope)?,
            }
        }
        if 0 < taken.room && self.tail.first_index() < until.0 {
            let at = |cut: Cut| {
                usize::try_from(cut.0.saturating_sub(self.tail.first_index())).unwrap_or(0)
            };
            let (start, end) = (at(from), at(until));
            if end - start <= TAIL_ROWS_COPIED_MAX {
                taken.take(&Arc::new(self.tail.copy(start, end)), from, until, scope);
            } else {
                self.seal();
                let Some(Chunk::Resident(block)) = self.chunks.back() else {
                    unreachable!("a tail of records was sealed");
                };
                taken.take(block, from, until, scope);
            }
        }
        let next = match taken.slices.last() {
            Some(last) if taken.room == 0 => Cut(last.last_index()? + 1),
            _ => until,
        };
        Ok((taken.slices, next))
    }

    /// Ends the tail, and returns the oldest blocks in memory that can be sealed together.
    pub(crate) fn resident_run(&mut self) -> Vec<Arc<Block>> {
        self.seal();
        resident_run(self.chunks.iter().skip_while(|chunk| chunk.generation().is_some()))
    }

    /// Ends the tail, and returns all runs of the log in order.
    pub(crate) fn chunks(&mut self) -> Vec<Chunk> {
        self.seal();
        self.chunks.iter().cloned().collect()
    }

    /// The same, of records below a cut.
    pub(crate) fn chunks_below(&mut self, cut: Cut) -> Vec<Chunk> {
        let mut chunks = self.chunks();
        while chunks.last().is_some_and(|chunk| cut.0 < chunk.end_index()) {
            match chunks.pop() {
                Some(Chunk::Resident(block)) if block.first_index() < cut.0 => {
                    chunks.push(Chunk::Resident(Arc::new(block.part(0..block.row_of(cut.0)))));
                }
                _ => {}
            }
        }
        chunks
    }

    /// Returns the index of the oldest record that is in memory alone; the end where none is.
    pub(crate) fn first_resident(&self) -> u64 {
        let resident = |chunk: &&Chunk| matches!(chunk, Chunk::Resident(_));
        let first = self.chunks.iter().find(resident).map(Chunk::first_index);
        first.unwrap_or_else(|| self.tail.first_index())
    }

    fn seal(&mut self) {
        if let Some(block) = self.tail.seal() {
            self.block_bytes += block.bytes();
            self.chunks.push_back(Chunk::Resident(Arc::new(block)));
        }
    }
}

/// The blocks in memory that runs of a log begin with, as many as follow each other and can be sealed together: where indices
/// were left out, as after a loss, the next run begins.
pub(crate) fn resident_run<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> Vec<Arc<Block>> {
    let mut run: Vec<Arc<Block>> = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Resident(block)
                if run.last().is_none_or(|last| {
                    last.end_index() == block.first_index() && fits_together(last, block)
                }) =>
            {
                run.push(Arc::clone(block));
            }
            _ => break,
        }
    }
    run
}

/// What a read has taken so far.
struct Taken {
    slices: Vec<Slice>,
    room: usize,
}

impl Taken {
    fn take(&mut self, block: &Arc<Block>, from: Cut, until: Cut, scope: Scope) {
        let (start, end) = (block.row_of(from.0), block.row_of(until.0));
        let rows = match scope {
            Scope::AnyOrder | Scope::InOrder => Some(Picked::Run(start, end)),
            Scope::Shard(shard) => shard_rows(block, shard, start, end),
        };
        if let Some(rows) = rows {
            self.add(Slice::new(Arc::clone(block), rows));
        }
    }

    fn take_sealed(
        &mut self,
        generation: &Generation,
        from: Cut,
        until: Cut,
        scope: Scope,
    ) -> Result<(), StoreError> {
        match scope {
            Scope::AnyOrder => {
                for shard in generation.each_shard() {
                    self.take_sealed(generation, from, until, Scope::Shard(shard))?;
                }
            }
            Scope::InOrder => {
                let stretches = generation.merged_stretches(from.0, until.0)?;
                stretches.into_iter().map(Slice::stored).for_each(|slice| self.add(slice));
            }
            Scope::Shard(shard) => {
                let stretches = generation.shard_stretches(shard, from.0, until.0)?;
                stretches.into_iter().map(Slice::stored).for_each(|slice| self.add(slice));
            }
        }
        Ok(())
    }

    fn add(&mut self, mut slice: Slice) {
        slice.shorten(slice.len().min(self.room));
        self.room -= slice.len();
        if !slice.is_empty() {
            self.slices.push(slice);
        }
    }
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
