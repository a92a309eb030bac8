//! Slots: where the states of windows, panes and sessions live, and which are free.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "what is foreseen is a guess, of counts that are far from 2^52"
)]

use std::mem;

use arrow_array::ArrayRef;
use arrow_buffer::ScalarBuffer;

use crate::window::WindowError;
use crate::window::aggregate::Kernels;
use crate::window::aggregate::Roll;
use crate::window::aggregate::Rows;
use crate::window::aggregate::States;

/// With fewer slots than this, nothing is foreseen.
const FORESEEN_MIN: usize = 16_384;

/// What is foreseen is a little more than what was seen.
const MARGIN: f64 = 1.0625;

/// One row of the result before it is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResultRow {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) slot: u32,
}

/// A window that closed, with the slots of its groups.
#[derive(Debug)]
pub(crate) struct ClosedWindow {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) slots: Vec<u32>,
}

impl ClosedWindow {
    /// The rows it is answered as.
    pub(crate) fn rows(&self) -> impl Iterator<Item = ResultRow> {
        self.slots.iter().map(|&slot| ResultRow { start: self.start, end: self.end, slot })
    }
}

/// The rows of one batch, as the states see them.
#[derive(Debug)]
pub(crate) struct Feed<'a> {
    /// The column that each of the ledger's states takes.
    pub(crate) columns: Vec<Option<ArrayRef>>,
    /// The event time of every row, in ticks.
    pub(crate) times: &'a [i64],
    /// The times of the whole batch, for whoever keeps them.
    pub(crate) ticks: &'a ScalarBuffer<i64>,
    /// The group code of every row.
    pub(crate) codes: &'a [u32],
    /// The rows that have a time, ascending; `None` for all.
    pub(crate) present: Option<&'a [u32]>,
    /// The arrival ordinal of row 0.
    pub(crate) first_ordinal: u64,
}

impl Feed<'_> {
    /// Some of the rows, one after the other; all of them have a time.
    pub(crate) fn slice(&self, from: usize, count: usize) -> Self {
        let slice =
            |column: &Option<ArrayRef>| column.as_ref().map(|column| column.slice(from, count));
        Self {
            columns: self.columns.iter().map(slice).collect(),
            times: &self.times[from..from + count],
            ticks: self.ticks,
            codes: &self.codes[from..from + count],
            present: None,
            first_ordinal: self.first_ordinal + from as u64,
        }
    }

    /// Rows on their way into the states of the `index`-th states.
    fn rows_of<'a>(&'a self, index: usize, picked: Option<&'a [u32]>) -> Rows<'a> {
        Rows {
            values: self.columns[index].as_ref(),
            times: self.times,
            first_ordinal: self.first_ordinal,
            picked,
        }
    }

    /// How many rows have a time.
    pub(crate) fn count(&self) -> usize {
        self.present.map_or(self.times.len(), <[u32]>::len)
    }

    /// The `index`-th row that has a time.
    #[inline]
    pub(crate) fn row(&self, index: u32) -> u32 {
        self.present.map_or(index, |rows| rows[index as usize])
    }

    /// The rows that have a time, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).take(self.count()).map(|index| self.row(index))
    }
}

/// The states of all aggregates and the slots they share.
#[derive(Debug)]
pub(crate) struct Ledger {
    kernels: Kernels,
    /// The group code of each slot.
    codes: Vec<u32>,
    /// Whether a slot took rows since the last look at changes; before the first look, every one did.
    changed: Option<Vec<bool>>,
    free: Vec<u32>,
    /// How many slots or pending rows hold each code.
    holds: Vec<u32>,
    /// Codes that nobody held at some moment; some may be held again.
    idle_codes: Vec<u32>,
    /// For how many slots there is room.
    room: usize,
}

impl Ledger {
    pub(crate) fn new(kernels: Kernels) -> Self {
        Self {
            kernels,
            codes: Vec::new(),
            changed: None,
            free: Vec::new(),
            holds: Vec::new(),
            idle_codes: Vec::new(),
            room: 0,
        }
    }

    /// Makes room for the slots that rows will take, `rows` now and `rest` later, if they are like those of `before`: to grow
    /// step by step would be to copy all states, and to touch new memory for them, again and again.
    pub(crate) fn foresee(&mut self, before: u64, rows: usize, rest: u64) {
        let slots = self.codes.len();
        if slots < FORESEEN_MIN || slots + rows <= self.room {
            return;
        }
        let per_row = slots as f64 / before as f64;
        let coming = (per_row * (rows as u64 + rest) as f64 * MARGIN) as usize;
        self.room = slots + coming.max(rows).max(slots / 2);
        self.codes.reserve_exact(self.room - slots);
        for states in &mut self.kernels.states {
            states.reserve(self.room);
        }
    }

    /// Makes a ledger of the same aggregates without any slots.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(Kernels {
            states: self.kernels.states.iter().map(|states| states.fresh()).collect(),
            inputs: self.kernels.inputs.clone(),
            answers: self.kernels.answers.clone(),
        })
    }

    /// Takes an empty slot for a group.
    #[inline]
    pub(crate) fn take(&mut self, code: u32) -> u32 {
        self.hold(code);
        if let Some(slot) = self.free.pop() {
            self.codes[slot as usize] = code;
            return slot;
        }
        let slot = u32::try_from(self.codes.len()).expect("memory ends before four billion slots");
        self.codes.push(code);
        if let Some(changed) = &mut self.changed {
            changed.push(false);
        }
        slot
    }

    /// Takes empty slots for so many groups as are in `codes`, each of which is named once; appends them to `slots`.
    pub(crate) fn take_all(&mut self, codes: &[u32], slots: &mut Vec<u32>) {
        let first = slots.len();
        let reused = codes.len().min(self.free.len());
        slots.extend(self.free.drain(self.free.len() - reused..).rev());
        for (&slot, &code) in slots[first..].iter().zip(codes) {
            self.codes[slot as usize] = code;
        }
        let fresh = self.codes.len()..self.codes.len() + codes.len() - reused;
        let bound = |slot| u32::try_from(slot).expect("memory ends before four billion slots");
        slots.extend(bound(fresh.start)..bound(fresh.end));
        self.codes.extend_from_slice(&codes[reused..]);
        if let Some(changed) = &mut self.changed {
            changed.resize(fresh.end, false);
        }
        if let Some(&greatest) = codes.iter().max() {
            self.make_room_to_hold(greatest);
            for &code in codes {
                self.holds[code as usize] += 1;
            }
        }
    }

    /// Keeps a code from being given to another key.
    #[inline]
    pub(crate) fn hold(&mut self, code: u32) {
        self.make_room_to_hold(code);
        self.holds[code as usize] += 1;
    }

    #[inline]
    fn make_room_to_hold(&mut self, code: u32) {
        if self.holds.len() <= code as usize {
            self.holds.resize(code as usize + 1, 0);
        }
    }

    /// Undoes one `hold`.
    #[inline]
    pub(crate) fn unhold(&mut self, code: u32) {
        let holds = &mut self.holds[code as usize];
        *holds -= 1;
        if *holds == 0 {
            self.idle_codes.push(code);
        }
    }

    /// Empties slots and gives them to whoever takes next.
    pub(crate) fn release(&mut self, slots: &[u32]) {
        if slots.is_empty() {
            return;
        }
        self.grow();
        for states in &mut self.kernels.states {
            states.clear(slots);
        }
        self.mark(slots, false);
        for &slot in slots {
            self.unhold(self.codes[slot as usize]);
        }
        self.free.extend_from_slice(slots);
    }

    /// Folds rows of a batch into their slots; `picked` are the rows, `None` for all of them.
    pub(crate) fn fold(&mut self, feed: &Feed<'_>, picked: Option<&[u32]>, slots: &[u32]) {
        if slots.is_empty() {
            return;
        }
        self.grow();
        for (states, column) in self.kernels.states.iter_mut().zip(&feed.columns) {
            let rows = Rows {
                values: column.as_ref(),
                times: feed.times,
                first_ordinal: feed.first_ordinal,
                picked,
            };
            states.update(rows, slots);
        }
        self.mark(slots, true);
    }

    /// Folds slots into other slots, pair after pair.
    pub(crate) fn merge_within(&mut self, slots: &[u32], from_slots: &[u32]) {
        if slots.is_empty() {
            return;
        }
        self.grow();
        for states in &mut self.kernels.states {
            states.merge_within(slots, from_slots);
        }
    }

    /// Folds slots of another ledger into slots of this one.
    pub(crate) fn merge(&mut self, slots: &[u32], from: &Self, from_slots: &[u32]) {
        self.grow();
        for (states, from) in self.kernels.states.iter_mut().zip(&from.kernels.states) {
            states.merge(slots, from.as_ref(), from_slots);
        }
        self.mark(slots, true);
    }

    /// Takes rows of rolling windows in: those of each feed, or the picked ones, folded in that order, then step by step.
    /// Answers a column for each aggregate, and none where one of them cannot be computed.
    pub(crate) fn roll(
        &mut self,
        feeds: &[(Feed<'_>, Option<Vec<u32>>)],
        roll: Roll<'_>,
    ) -> Result<Vec<ArrayRef>, WindowError> {
        let of_states = |(index, states): (usize, &mut Box<dyn States>)| {
            let rows = feeds.iter().map(|(feed, picked)| {
                let count = picked.as_ref().map_or(feed.times.len(), Vec::len);
                (feed.rows_of(index, picked.as_deref()), count)
            });
            states.roll(&rows.collect::<Vec<_>>(), roll)
        };
        // Every aggregate goes on, so that all have the same rows after one of them failed.
        let columns: Vec<_> = self.kernels.states.iter_mut().enumerate().map(of_states).collect();
        Ok(self.kernels.answers(&columns.into_iter().collect::<Result<Vec<_>, _>>()?))
    }

    /// Takes one row of rolling windows in that has no answer of its own.
    pub(crate) fn add_stray(&mut self, feed: &Feed<'_>, row: u32) {
        let (code, time) = (feed.codes[row as usize], feed.times[row as usize]);
        let row = feed.slice(row as usize, 1);
        for (index, states) in self.kernels.states.iter_mut().enumerate() {
            states.add_stray(row.rows_of(index, None), code, time);
        }
    }

    /// Empties the rolling windows of keys.
    pub(crate) fn clear_rolling(&mut self, codes: &[u32]) {
        for states in &mut self.kernels.states {
            states.clear_rolling(codes);
        }
    }

    /// The answers of slots, a column for each aggregate.
    pub(crate) fn finish(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, WindowError> {
        let columns = self.kernels.states.iter().map(|states| states.finish(slots));
        Ok(self.kernels.answers(&columns.collect::<Result<Vec<_>, _>>()?))
    }

    /// Makes room in the states for every slot taken so far.
    fn grow(&mut self) {
        for states in &mut self.kernels.states {
            states.grow(self.codes.len());
        }
    }

    /// Notes codes that were made but may never be held.
    pub(crate) fn suspect(&mut self, codes: &[u32]) {
        self.idle_codes.extend_from_slice(codes);
    }

    /// Answers the codes that nobody holds, once they are many enough to be worth the walk.
    pub(crate) fn idle_codes(&mut self) -> Vec<u32> {
        const WORTH_IT: usize = 1_024;
        if self.idle_codes.len() < WORTH_IT.max(self.holds.len() / 2) {
            return Vec::new();
        }
        let mut codes = mem::take(&mut self.idle_codes);
        codes.sort_unstable();
        codes.dedup();
        codes.retain(|&code| self.holds.get(code as usize).is_none_or(|&holds| holds == 0));
        codes
    }

    /// The codes that slots or pending rows hold.
    pub(crate) fn held_codes(&self) -> Vec<u32> {
        (0..).zip(&self.holds).filter(|(_, holds)| 0 < **holds).map(|(code, _)| code).collect()
    }

    #[inline]
    pub(crate) fn code(&self, slot: u32) -> u32 {
        self.codes[slot as usize]
    }

    #[inline]
    pub(crate) fn is_changed(&self, slot: u32) -> bool {
        self.changed.as_ref().is_none_or(|changed| changed[slot as usize])
    }

    /// Notes that slots took rows.
    pub(crate) fn mark_changed(&mut self, slots: &[u32]) {
        self.mark(slots, true);
    }

    pub(crate) fn forget_changes(&mut self) {
        self.changed = Some(vec![false; self.codes.len()]);
    }

    fn mark(&mut self, slots: &[u32], is_changed: bool) {
        if let Some(changed) = &mut self.changed {
            for &slot in slots {
                changed[slot as usize] = is_changed;
            }
        }
    }

    /// Picks the column that each of the states takes out of the columns that the query names.
    pub(crate) fn inputs(&self, named: &[ArrayRef]) -> Vec<Option<ArrayRef>> {
        self.kernels.inputs.iter().map(|input| input.map(|at| named[at].clone())).collect()
    }

    /// The number of slots in use.
    pub(crate) fn live(&self) -> usize {
        self.codes.len() - self.free.len()
    }

    /// The number of slots there ever were at once.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.codes.len()
    }

    /// The heap bytes of the states.
    pub(crate) fn bytes(&self) -> usize {
        self.kernels.states.iter().map(|states| states.bytes()).sum::<usize>()
            + self.codes.len() * 5
    }
}
