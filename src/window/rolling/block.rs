//! The rows of one batch that wait for their answers.

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;

use crate::window::order::by_time;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;

/// Rows of one batch in order of time, with what their answers are made of.
#[derive(Debug)]
pub(super) struct Block {
    /// The column of each aggregate, with every row of the batch, as have `times` and `codes`.
    pub(super) columns: Vec<Option<ArrayRef>>,
    pub(super) times: ScalarBuffer<i64>,
    pub(super) codes: Vec<u32>,
    pub(super) first_ordinal: u64,
    /// The rows in order of time.
    order: Vec<u32>,
    /// How many of them were answered.
    answered: usize,
    /// The codes that are held for its rows.
    held: Vec<u32>,
}

impl Block {
    /// Takes rows of a batch, ascending, and holds their codes.
    pub(super) fn new(feed: &Feed<'_>, rows: Vec<u32>, ledger: &mut Ledger) -> Self {
        let held = distinct(rows.iter().map(|&row| feed.codes[row as usize]));
        for &code in &held {
            ledger.hold(code);
        }
        Self {
            columns: feed.columns.clone(),
            times: feed.ticks.clone(),
            codes: feed.codes.to_vec(),
            first_ordinal: feed.first_ordinal,
            order: by_time(rows, |row| feed.times[row as usize]),
            answered: 0,
            held,
        }
    }

    /// The rows not answered yet.
    pub(super) fn waiting(&self) -> &[u32] {
        &self.order[self.answered..]
    }

    /// The earliest time that waits.
    pub(super) fn earliest(&self) -> Option<i64> {
        self.waiting().first().map(|&row| self.time(row))
    }

    #[inline]
    pub(super) fn time(&self, row: u32) -> i64 {
        self.times[row as usize]
    }

    /// Where in the order the first row stands whose time is `time` or later.
    pub(super) fn place_of(&self, time: i64) -> usize {
        self.answered + self.waiting().partition_point(|&row| self.time(row) < time)
    }

    /// The row at a place in the order.
    #[inline]
    pub(super) fn rows_from(&self, place: usize) -> &[u32] {
        &self.order[place..]
    }

    /// Takes note that the rows before `time` were answered; tells whether all were.
    pub(super) fn answer_to(&mut self, time: i64) -> bool {
        self.answered = self.place_of(time);
        self.answered == self.order.len()
    }

    /// Lets go of the codes.
    pub(super) fn unhold(&self, ledger: &mut Ledger) {
        for &code in &self.held {
            ledger.unhold(code);
        }
    }

    /// Takes the block over from another operator; `codes` says which code of ours each of theirs is.
    pub(super) fn translate(&mut self, codes: &[u32], ledger: &mut Ledger) {
        let translate = |code: &mut u32| *code = codes.get(*code as usize).copied().unwrap_or(0);
        self.codes.iter_mut().for_each(translate);
        self.held.iter_mut().for_each(translate);
        for &code in &self.held {
            ledger.hold(code);
        }
    }
}

/// The codes that occur, each once.
fn distinct(codes: impl Iterator<Item = u32>) -> Vec<u32> {
    let (mut seen, mut found) = (Vec::new(), Vec::new());
    for code in codes {
        let index = code as usize;
        if seen.len() <= index {
            seen.resize(index + 1, false);
        }
        if !std::mem::replace(&mut seen[index], true) {
            found.push(code);
        }
    }
    found
}
