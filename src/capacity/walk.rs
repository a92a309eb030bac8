//! Records walked over a million at a time, with their sizes and times: so that what is held stays small.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use arrow_buffer::ScalarBuffer;
use parking_lot::Mutex;

use crate::capacity::GoOn;
use crate::engine::slice::Picked;
use crate::engine::slice::Slice;
use crate::query::QueryError;
use crate::query::columns::Columns;
use crate::query::columns::ColumnsError;
use crate::query::columns::Wanted;
use crate::record::block::Block;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;
use crate::window::Span;
use crate::window::time::TimeColumn;

/// Rows that one thread sizes at a time.
const PART_ROWS: usize = 65_536;
/// Rows that are held at a time.
const HELD_ROWS: usize = 1 << 20;
/// Rows whose sizes and keys are remembered for a second look: 8 bytes each.
const REMEMBERED_ROWS: usize = 1 << 25;
/// The time of a record that has none.
pub(super) const UNTIMED: i64 = i64::MIN;

/// A column of event times, by which records are looked at instead of their arrival.
#[derive(Debug)]
pub(super) struct EventTime {
    columns: Columns,
    column: TimeColumn,
}

impl EventTime {
    /// Finds the column in all records.
    pub(super) fn resolve(name: &str, slices: &[Slice]) -> Result<Self, QueryError> {
        let wanted = Wanted::Columns {
            names: vec![name.to_owned()],
            time: name.to_owned(),
            keys: Vec::new(),
            numbers: Vec::new(),
        };
        let columns = Columns::resolve(&wanted, &[], slices)?;
        let data_type = columns.schema().field(0).data_type();
        let column = TimeColumn::new(name, data_type, &[Span::from_millis(1)?])?;
        Ok(Self { columns, column })
    }

    /// Returns the times of a slice's rows, in milliseconds.
    fn read(&self, block: &Block, slice: &Slice) -> Result<ScalarBuffer<i64>, QueryError> {
        let part = self.columns.part(block, slice, 0, slice.len())?;
        let ticks = self.column.read(part.batch.column(0), 0)?;
        let (first, per_ms) = (slice.row(0), self.column.ticks_per_ms());
        let mut times = vec![UNTIMED; slice.len()];
        let mut set = |place: usize| {
            times[part.row(place) - first] = ticks.values[place].div_euclid(per_ms);
        };
        match &ticks.present {
            None => (0..ticks.values.len()).for_each(&mut set),
            Some(present) => present.iter().for_each(|&place| set(place as usize)),
        }
        Ok(times.into())
    }
}

/// What is worth remembering of some rows.
#[derive(Debug)]
pub(super) struct Sizes {
    /// Bytes of each row, key counted.
    bytes: Vec<u32>,
    /// The place of each row's key among those of its shard: each shard's rows are set by one thread.
    keys: Vec<AtomicU32>,
}

/// Some rows of a block that follow each other.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) block: Arc<Block>,
    pub(super) rows: Range<usize>,
    sizes: Arc<Sizes>,
    /// When each row arrived.
    arrivals: ScalarBuffer<i64>,
    /// The times that are looked at, or `UNTIMED`.
    times: ScalarBuffer<i64>,
}

impl Sizes {
    fn new(block: &Block, rows: Range<usize>) -> Result<Self, QueryError> {
        let bytes = block.sizes(rows.clone()).map_err(ColumnsError::from)?;
        Ok(Self { bytes, keys: rows.map(|_| AtomicU32::new(0)).collect() })
    }
}

impl Part {
    fn new(
        slice: &Slice,
        time: Option<&EventTime>,
        known: Option<&Arc<Sizes>>,
    ) -> Result<Self, QueryError> {
        let Picked::Run(start, end) = slice.rows else {
            unreachable!("records of all shards lie in runs");
        };
        let block = slice.block()?;
        let sizes = match known {
            Some(known) => Arc::clone(known),
            None => Arc::new(Sizes::new(&block, start..end)?),
        };
        let arrivals = block.arrivals.expand(start, end);
        let times = match time {
            None => arrivals.clone(),
            Some(time) => time.read(&block, slice)?,
        };
        Ok(Self { sizes, arrivals, times, rows: start..end, block })
    }

    /// Calls `each` with every row of a shard, in order: its place in the block, its size and its time.
    pub(super) fn each_of(&self, shard: ShardIndex, mut each: impl FnMut(usize, u32, i64)) {
        let Some(run) = self.block.run_of(shard) else { return };
        let mut seen = |row: usize| {
            let place = row - self.rows.start;
            each(row, self.sizes.bytes[place], self.times[place]);
        };
        match &run.rows {
            None => self.rows.clone().for_each(seen),
            Some(rows) => {
                let from = rows.partition_point(|&row| (row as usize) < self.rows.start);
                let until = rows.partition_point(|&row| (row as usize) < self.rows.end);
                rows[from..until].iter().for_each(|&row| seen(row as usize));
            }
        }
    }

    /// The size of a row.
    pub(super) fn bytes(&self, row: usize) -> u32 {
        self.sizes.bytes[row - self.rows.start]
    }

    /// The time of a row that is looked at, or `UNTIMED`.
    pub(super) fn time(&self, row: usize) -> i64 {
        self.times[row - self.rows.start]
    }

    /// Remembers the place of a row's key among those of its shard.
    pub(super) fn set_key(&self, row: usize, place: u32) {
        self.sizes.keys[row - self.rows.start].store(place, Ordering::Relaxed);
    }

    /// The place of a row's key that was remembered.
    pub(super) fn key(&self, row: usize) -> usize {
        self.sizes.keys[row - self.rows.start].load(Ordering::Relaxed) as usize
    }

    /// When a row arrived.
    pub(super) fn arrival(&self, row: usize) -> i64 {
        self.arrivals[row - self.rows.start]
    }
}

/// A walk over all rows of slices in their order.
pub(super) struct Walk<'a> {
    /// Cut so that a thread has something to do, and not too much.
    cuts: Vec<Slice>,
    time: Option<EventTime>,
    threads: Threads,
    go_on: GoOn<'a>,
    /// By cut, what an earlier look found, where rows are few enough to remember it.
    known: Vec<Arc<Sizes>>,
    remembers: bool,
}

impl<'a> Walk<'a> {
    /// Goes by when records arrived, or by a column of event times.
    pub(super) fn new(
        slices: &[Slice],
        time: Option<&str>,
        threads: Threads,
        go_on: GoOn<'a>,
    ) -> Result<Self, QueryError> {
        let time = time.map(|name| EventTime::resolve(name, slices)).transpose()?;
        let rows: usize = slices.iter().map(Slice::len).sum();
        let cuts = slices.iter().flat_map(|slice| {
            let starts = (0..slice.len()).step_by(PART_ROWS);
            starts.map(|start| slice.part(start, slice.len().min(start + PART_ROWS)))
        });
        let (cuts, remembers) = (cuts.collect(), rows <= REMEMBERED_ROWS);
        Ok(Self { cuts, time, threads, go_on, known: Vec::new(), remembers })
    }

    /// Whether it goes by when records arrived.
    pub(super) fn is_by_arrival(&self) -> bool {
        self.time.is_none()
    }

    /// Whether a second look finds what the first one remembered.
    pub(super) fn remembers(&self) -> bool {
        self.remembers
    }

    /// Has work done on every item by the thread that is free next.
    pub(super) fn on_each<T: Send>(
        &self,
        items: impl ExactSizeIterator<Item = T> + Send,
        work: impl Fn(T) + Sync,
    ) -> Result<(), QueryError> {
        let all = self.threads.on_each(items, self.go_on, work);
        if all { Ok(()) } else { Err(QueryError::Stopped) }
    }

    /// Hands out all rows, a few parts at a time.
    pub(super) fn look(
        &mut self,
        mut each: impl FnMut(&Self, &[Part]) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut from = 0;
        while from < self.cuts.len() {
            let mut rows = 0;
            let fills = |cut: &Slice| {
                rows += cut.len();
                HELD_ROWS <= rows
            };
            let count = self.cuts[from..].iter().position(fills);
            let until = count.map_or(self.cuts.len(), |place| from + place + 1);
            let parts = self.parts(from..until)?;
            each(self, &parts)?;
            if self.remembers && self.known.len() == from {
                self.known.extend(parts.iter().map(|part| Arc::clone(&part.sizes)));
            }
            from = until;
        }
        Ok(())
    }

    fn parts(&self, cuts: Range<usize>) -> Result<Vec<Part>, QueryError> {
        let made: Vec<Mutex<Option<Result<Part, QueryError>>>> =
            cuts.clone().map(|_| Mutex::new(None)).collect();
        self.on_each(cuts.zip(&made), |(cut, made)| {
            let part = Part::new(&self.cuts[cut], self.time.as_ref(), self.known.get(cut));
            *made.lock() = Some(part);
        })?;
        let part = |made: Mutex<Option<_>>| made.into_inner().expect("each cut was worked on");
        made.into_iter().map(part).collect()
    }
}
