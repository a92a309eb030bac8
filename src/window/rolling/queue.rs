//! A queue of rows that always knows what they amount to: two stacks, so that each row is merged a few times only.

use std::collections::VecDeque;

use crate::window::slot::Ledger;

/// Merges to be done in this order, and slots that are free after them.
#[derive(Debug, Default)]
pub(super) struct Merges {
    pub(super) slots: Vec<u32>,
    pub(super) from_slots: Vec<u32>,
    pub(super) freed: Vec<u32>,
}

impl Merges {
    fn add(&mut self, slot: u32, from_slot: u32) {
        self.slots.push(slot);
        self.from_slots.push(from_slot);
    }
}

/// The rows of one key behind its latest answer, in order of time.
///
/// The first `stacked` rows hold what they and their followers among them amount to; `rest` is what the others
/// amount to. So the whole is two merges, and rows leave in front without any.
#[derive(Debug, Default)]
pub(super) struct Queue {
    rows: VecDeque<(i64, u32)>,
    stacked: usize,
    rest: Option<u32>,
    /// Rows that came after their own answer was due, in no order.
    strays: Vec<(i64, u32)>,
    /// The latest answer, for rows of the same time.
    latest: Option<(i64, u32)>,
}

impl Queue {
    /// Adds a row and lets those leave that lie `size` or more behind it.
    pub(super) fn push(
        &mut self,
        time: i64,
        size: i64,
        slot: u32,
        code: u32,
        ledger: &mut Ledger,
        merges: &mut Merges,
    ) {
        self.evict(time - size, merges);
        let rest = *self.rest.get_or_insert_with(|| ledger.take(code));
        merges.add(rest, slot);
        self.rows.push_back((time, slot));
        self.latest = None;
    }

    /// Answers a slot with what all rows amount to; rows of one time share it.
    pub(super) fn answer(
        &mut self,
        time: i64,
        code: u32,
        ledger: &mut Ledger,
        merges: &mut Merges,
    ) -> u32 {
        if let Some((latest, slot)) = self.latest
            && latest == time
        {
            return slot;
        }
        let answer = ledger.take(code);
        if 0 < self.stacked {
            merges.add(answer, self.rows[0].1);
        }
        let strays = self.strays.iter().map(|&(_, slot)| slot);
        for slot in self.rest.into_iter().chain(strays) {
            merges.add(answer, slot);
        }
        self.latest = Some((time, answer));
        answer
    }

    /// Adds a row that has no answer of its own.
    pub(super) fn add_stray(&mut self, time: i64, slot: u32) {
        self.strays.push((time, slot));
    }

    /// Empties the queue when nothing in it is after `time`.
    pub(super) fn drop_if_before(&mut self, time: i64, freed: &mut Vec<u32>) {
        let is_past = |&(row, _): &(i64, u32)| row <= time;
        if self.rows.back().is_none_or(is_past) && self.strays.iter().all(is_past) {
            let rows = self.rows.drain(..).chain(self.strays.drain(..));
            freed.extend(rows.map(|(_, slot)| slot).chain(self.rest.take()));
            self.stacked = 0;
            self.latest = None;
        }
    }

    /// Lets rows leave whose time is `last` or before.
    fn evict(&mut self, last: i64, merges: &mut Merges) {
        while let Some(&(time, slot)) = self.rows.front()
            && time <= last
        {
            if self.stacked == 0 {
                self.restack(merges);
            }
            self.rows.pop_front();
            self.stacked -= 1;
            merges.freed.push(slot);
        }
        self.strays.retain(|&(time, slot)| {
            let stays = last < time;
            if !stays {
                merges.freed.push(slot);
            }
            stays
        });
    }

    /// Makes every row hold what it and its followers amount to.
    fn restack(&mut self, merges: &mut Merges) {
        for index in (1..self.rows.len()).rev() {
            merges.add(self.rows[index - 1].1, self.rows[index].1);
        }
        self.stacked = self.rows.len();
        merges.freed.extend(self.rest.take());
    }
}
