//! Result rows in order of window start, window end and key.

#![expect(clippy::cast_possible_truncation, reason = "rank and slot are the halves of one word")]

use std::ops::Range;

use crate::window::order::by_time;
use crate::window::slot::ResultRow;

/// Sorted result rows, column by column.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Sorted {
    pub(crate) starts: Vec<i64>,
    pub(crate) ends: Vec<i64>,
    /// The rank of each row's key.
    pub(crate) ranks: Vec<u32>,
    pub(crate) slots: Vec<u32>,
}

impl Sorted {
    fn with_capacity(rows: usize) -> Self {
        Self {
            starts: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
            ranks: Vec::with_capacity(rows),
            slots: Vec::with_capacity(rows),
        }
    }

    /// Sorts rows that come by windows as these were closed, so that what is left is to sort each window's few rows by
    /// rank; `rank` answers that of the key in a slot.
    pub(crate) fn by_windows(rows: &[ResultRow], rank: impl Fn(u32) -> u32) -> Self {
        let mut windows: Vec<(i64, i64, Range<usize>)> = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            match windows.last_mut() {
                Some((start, end, run)) if (*start, *end) == (row.start, row.end) => run.end += 1,
                _ => windows.push((row.start, row.end, place..place + 1)),
            }
        }
        windows.sort_unstable_by_key(|(start, end, run)| (*start, *end, run.start));
        let mut sorted = Self::with_capacity(rows.len());
        let mut words: Vec<u64> = Vec::new();
        for window in windows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let rows = window.iter().flat_map(|(_, _, run)| &rows[run.clone()]);
            words.clear();
            words.extend(rows.map(|row| u64::from(rank(row.slot)) << 32 | u64::from(row.slot)));
            words.sort_unstable();
            let count = sorted.starts.len() + words.len();
            sorted.starts.resize(count, window[0].0);
            sorted.ends.resize(count, window[0].1);
            sorted.ranks.extend(words.iter().map(|word| (word >> 32) as u32));
            sorted.slots.extend(words.iter().map(|&word| word as u32));
        }
        sorted
    }

    /// The same for rows of which nearly each is of a window of its own.
    pub(crate) fn by_starts(rows: &[ResultRow], rank: impl Fn(u32) -> u32) -> Self {
        let order = by_time((0..).take(rows.len()).collect(), |place| rows[place as usize].start);
        let mut sorted = Self::with_capacity(rows.len());
        for place in order {
            let ResultRow { start, end, slot } = rows[place as usize];
            sorted.starts.push(start);
            sorted.ends.push(end);
            sorted.ranks.push(rank(slot));
            sorted.slots.push(slot);
        }
        sorted.settle_equal_starts();
        sorted
    }

    /// Sorts the rows of each start, which are few, by end and rank.
    fn settle_equal_starts(&mut self) {
        let mut from = 0;
        for equal in self.starts.chunk_by(|a, b| a == b) {
            let rows = from..from + equal.len();
            from = rows.end;
            if rows.len() == 1 {
                continue;
            }
            let row = |row: usize| (self.ends[row], self.ranks[row], self.slots[row]);
            let mut settled: Vec<(i64, u32, u32)> = rows.clone().map(row).collect();
            settled.sort_unstable();
            for (row, (end, rank, slot)) in rows.zip(settled) {
                (self.ends[row], self.ranks[row], self.slots[row]) = (end, rank, slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_sorted_by_window_and_rank(
            windows in prop::collection::vec((-20..20_i64, 0..3_i64), 0..200),
            far: bool,
            ranks in Just((0..200_u32).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let far = if far { 1 << 57 } else { 1 };
            let row = |(slot, &(start, length)): (u32, &(i64, i64))| {
                ResultRow { start: start * far, end: start * far + length, slot }
            };
            let rows: Vec<ResultRow> = (0..).zip(&windows).map(row).collect();
            let rank = |slot: u32| ranks[slot as usize];
            let mut expected = rows.clone();
            expected.sort_by_key(|row| (row.start, row.end, rank(row.slot)));
            let expected = Sorted {
                starts: expected.iter().map(|row| row.start).collect(),
                ends: expected.iter().map(|row| row.end).collect(),
                ranks: expected.iter().map(|row| rank(row.slot)).collect(),
                slots: expected.iter().map(|row| row.slot).collect(),
            };
            prop_assert_eq!(&Sorted::by_windows(&rows, rank), &expected);
            prop_assert_eq!(&Sorted::by_starts(&rows, rank), &expected);
        }
    }
}
