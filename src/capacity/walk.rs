//! Records walked over a million at a time, with their sizes and times: so that what is held stays small.

use std::ops::Range;
use std::sync::Arc;

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
use crate::record::json;
use crate::record::payload::Payload;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;
use crate::window::Span;
use crate::window::time::TimeColumn;

/// Rows that one thread sizes at a time.
const PART_ROWS: usize = 65_536;
/// Rows that are held at a time.
const HELD_ROWS: usize = 1 << 20;
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

/// Some rows of a block that follow each other.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) block: Arc<Block>,
    pub(super) rows: Range<usize>,
    /// Bytes of each row, key counted.
    bytes: Vec<u32>,
    /// When each row arrived.
    arrivals: ScalarBuffer<i64>,
    /// The times that are looked at, or `UNTIMED`.
    times: ScalarBuffer<i64>,
}

impl Part {
    fn new(slice: &Slice, time: Option<&EventTime>) -> Result<Self, QueryError> {
        let Picked::Run(start, end) = slice.rows else {
            unreachable!("records of all shards lie in runs");
        };
        let block = slice.block()?;
        let data_lens = match &block.payload {
            Payload::Bytes(data) => {
                (start..end).map(|row| len_u32(data.value(row).len())).collect()
            }
            Payload::Rows(batch) => {
                json::encoded_lens(&batch.slice(start, end - start)).map_err(ColumnsError::from)?
            }
        };
        let key_len = |row| len_u32(block.keys.value(row).len());
        let bytes = (start..end).zip(data_lens).map(|(row, len)| len.saturating_add(key_len(row)));
        let bytes = bytes.collect();
        let arrivals = block.arrivals.expand(start, end);
        let times = match time {
            None => arrivals.clone(),
            Some(time) => time.read(&block, slice)?,
        };
        Ok(Self { bytes, arrivals, times, rows: start..end, block })
    }

    /// Calls `each` with every row of a shard, in order: its place in the block, its size and its time.
    pub(super) fn each_of(&self, shard: ShardIndex, mut each: impl FnMut(usize, u32, i64)) {
        let Some(run) = self.block.run_of(shard) else { return };
        let mut seen = |row: usize| {
            let place = row - self.rows.start;
            each(row, self.bytes[place], self.times[place]);
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
        self.bytes[row - self.rows.start]
    }

    /// The time of a row that is looked at, or `UNTIMED`.
    pub(super) fn time(&self, row: usize) -> i64 {
        self.times[row - self.rows.start]
    }

    /// When a row arrived.
    pub(super) fn arrival(&self, row: usize) -> i64 {
        self.arrivals[row - self.rows.start]
    }
}

fn len_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Hands out all rows of slices in their order, a few parts at a time.
pub(super) fn walk(
    slices: &[Slice],
    time: Option<&EventTime>,
    threads: Threads,
    go_on: GoOn<'_>,
    mut each: impl FnMut(&[Part]) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let cuts = slices.iter().flat_map(|slice| {
        let starts = (0..slice.len()).step_by(PART_ROWS);
        starts.map(move |start| slice.part(start, slice.len().min(start + PART_ROWS)))
    });
    let (mut held, mut rows) = (Vec::new(), 0);
    let mut cuts = cuts.peekable();
    while let Some(cut) = cuts.next() {
        rows += cut.len();
        held.push(cut);
        if rows < HELD_ROWS && cuts.peek().is_some() {
            continue;
        }
        let parts = sized(&held, time, threads, go_on)?;
        each(&parts)?;
        held.clear();
        rows = 0;
    }
    Ok(())
}

/// Sizes slices, each by the thread that is free next.
fn sized(
    slices: &[Slice],
    time: Option<&EventTime>,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Vec<Part>, QueryError> {
    let made: Vec<Mutex<Option<Result<Part, QueryError>>>> =
        slices.iter().map(|_| Mutex::new(None)).collect();
    let work = slices.iter().zip(&made);
    if !threads.on_each(work, go_on, |(slice, made)| *made.lock() = Some(Part::new(slice, time))) {
        return Err(QueryError::Stopped);
    }
    let part = |made: Mutex<Option<_>>| made.into_inner().expect("each slice was worked on");
    made.into_iter().map(part).collect()
}
