//! Slices of time out of many blocks: the rows of each, merged into one order.

use crate::window::rolling::block::Block;

/// About how many rows one slice has: few enough for the nearest cache. Tests see many slices in few rows.
pub(super) const SLICE_ROWS: usize = if cfg!(test) { 16 } else { 8_192 };

/// A row that is to be answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Waiting {
    pub(super) time: i64,
    pub(super) ordinal: u64,
    pub(super) code: u32,
    pub(super) block: u32,
}

/// Where the rows of one block lie that are in a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) block: u32,
    /// The lowest of the rows, and the highest.
    pub(super) low: u32,
    pub(super) high: u32,
}

/// Walks over blocks slice by slice, forward in time.
#[derive(Debug)]
pub(super) struct Gather<'a> {
    blocks: &'a [Block],
    /// The blocks not yet begun, by their earliest time, latest first.
    ahead: Vec<Cursor>,
    /// The blocks that were begun and have more rows.
    begun: Vec<Cursor>,
    rows: Vec<Waiting>,
    stretches: Vec<Stretch>,
}

/// The next row of a block.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    time: i64,
    block: u32,
    place: usize,
}

impl<'a> Gather<'a> {
    /// Starts at the first rows whose time is `from` or later.
    pub(super) fn new(blocks: &'a [Block], from: i64) -> Self {
        let cursors = (0..).zip(blocks).filter_map(|(index, block)| {
            let place = block.place_of(from);
            let time = block.rows_from(place).first().map(|&row| block.time(row))?;
            Some(Cursor { time, block: index, place })
        });
        let mut ahead: Vec<Cursor> = cursors.collect();
        ahead.sort_by_key(|cursor| std::cmp::Reverse((cursor.time, cursor.block)));
        Self { blocks, ahead, begun: Vec::new(), rows: Vec::new(), stretches: Vec::new() }
    }

    /// Answers the rows before `until` that were not answered yet, in order of time and ordinal, and where they lie.
    pub(super) fn next(&mut self, until: i64) -> (&[Waiting], &[Stretch]) {
        self.rows.clear();
        self.stretches.clear();
        let is_in = |cursor: &mut Cursor| cursor.time < until;
        while let Some(cursor) = self.ahead.pop_if(is_in) {
            self.begun.push(cursor);
        }
        let mut begun = std::mem::take(&mut self.begun);
        // Many short runs are better sorted at once than one after the other.
        let one_by_one = begun.len() <= 4;
        begun.retain_mut(|cursor| {
            let start = self.rows.len();
            let has_more = self.take(cursor, until);
            if one_by_one {
                self.settle(start);
            }
            has_more
        });
        self.begun = begun;
        if !one_by_one {
            self.rows.sort_by_key(|row| (row.time, row.ordinal));
        }
        (&self.rows, &self.stretches)
    }

    /// Takes the rows of one block; tells whether it has more.
    fn take(&mut self, cursor: &mut Cursor, until: i64) -> bool {
        let block = &self.blocks[cursor.block as usize];
        let rows = block.rows_from(cursor.place);
        let mut stretch = Stretch { block: cursor.block, low: u32::MAX, high: 0 };
        for (taken, &row) in rows.iter().enumerate() {
            let time = block.time(row);
            if until <= time {
                cursor.time = time;
                cursor.place += taken;
                if 0 < taken {
                    self.stretches.push(stretch);
                }
                return true;
            }
            (stretch.low, stretch.high) = (stretch.low.min(row), stretch.high.max(row));
            self.rows.push(Waiting {
                time,
                ordinal: block.first_ordinal + u64::from(row),
                code: block.codes[row as usize],
                block: cursor.block,
            });
        }
        self.stretches.push(stretch);
        false
    }

    /// Merges the rows from `start` on into those before: both are in order, and as a rule few overlap.
    fn settle(&mut self, start: usize) {
        let order = |row: &Waiting| (row.time, row.ordinal);
        let (before, after) = self.rows.split_at(start);
        let (Some(last), Some(first)) = (before.last(), after.first()) else {
            return;
        };
        let (last, first) = (order(last), order(first));
        if first < last {
            let from = before.partition_point(|row| order(row) < first);
            let to = start + after.partition_point(|row| order(row) < last);
            self.rows[from..to].sort_by_key(order);
        }
    }
}

/// Cuts the rows before `closing` into slices of time: answers the ends of them, of which the last is `closing`.
pub(super) fn cuts(blocks: &[Block], closing: i64) -> Vec<i64> {
    const EVERY: usize = SLICE_ROWS / 8;
    let mut samples = Vec::new();
    let mut until_sample = EVERY;
    for block in blocks {
        let start = block.place_of(i64::MIN);
        let rows = &block.rows_from(start)[..block.place_of(closing) - start];
        let sampled = rows.iter().skip(until_sample - 1).step_by(EVERY);
        samples.extend(sampled.map(|&row| block.time(row)));
        until_sample = match rows.len().checked_sub(until_sample) {
            None => until_sample - rows.len(),
            Some(past) => EVERY - past % EVERY,
        };
    }
    samples.sort_unstable();
    let ends = samples.into_iter().skip(SLICE_ROWS / EVERY - 1).step_by(SLICE_ROWS / EVERY);
    // A slice ends before its sample's time, so that rows of one time are never parted.
    let mut ends: Vec<i64> = ends.collect();
    ends.dedup();
    ends.push(closing);
    ends
}
