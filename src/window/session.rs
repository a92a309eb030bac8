//! Sessions: per key, runs of rows that are less than a gap apart.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::window::passage::Passage;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;
use crate::window::slot::ResultRow;

/// The times of one session's first and last rows.
#[derive(Clone, Copy, Debug)]
struct Session {
    first: i64,
    last: i64,
    slot: u32,
}

/// The open sessions of one operator.
#[derive(Debug)]
pub(crate) struct Sessions {
    gap: i64,
    /// The sessions of each code in order of time; between two of them there is a gap.
    of_code: Vec<Vec<Session>>,
    /// An end that each open session once had, with its slot, earliest first; only kept where a watermark closes.
    due: Option<BinaryHeap<Reverse<(i64, u32)>>>,
    /// Slots that were folded into others once their rows are.
    merges: Merges,
}

/// Sessions that a row joined: the second of each pair goes into the first.
#[derive(Debug, Default)]
struct Merges {
    slots: Vec<u32>,
    from_slots: Vec<u32>,
}

impl Sessions {
    pub(crate) fn new(gap: i64, closes_by_watermark: bool) -> Self {
        Self {
            gap,
            of_code: Vec::new(),
            due: closes_by_watermark.then(BinaryHeap::new),
            merges: Merges::default(),
        }
    }

    /// Takes a batch in, every row of it.
    pub(crate) fn take_all(&mut self, feed: &Feed<'_>, ledger: &mut Ledger) {
        let mut slots = Vec::with_capacity(feed.times.len());
        for row in feed.rows() {
            let (time, code) = (feed.times[row as usize], feed.codes[row as usize]);
            slots.push(self.slot(time, time, code, ledger));
        }
        ledger.fold(feed, feed.present, &slots);
        self.do_merges(ledger);
    }

    /// Takes a batch in row by row against the watermark.
    pub(crate) fn take_in_time(
        &mut self,
        feed: &Feed<'_>,
        ledger: &mut Ledger,
        passage: &mut Passage<'_>,
    ) {
        let mut picked = Vec::with_capacity(feed.times.len());
        let mut slots = Vec::with_capacity(feed.times.len());
        for row in feed.rows() {
            passage.arrive(row);
            let (time, code) = (feed.times[row as usize], feed.codes[row as usize]);
            let closing = passage.watermark.closing();
            self.close_code(code, closing, passage.closed);
            if time + self.gap <= closing && !self.joins(time, code) {
                passage.late.add(row, time, passage.watermark.value(), 1, false);
            } else {
                slots.push(self.slot(time, time, code, ledger));
                picked.push(row);
            }
            passage.watermark.observe(time);
        }
        passage.arrive_rest();
        let all = picked.len() == feed.times.len();
        ledger.fold(feed, (!all).then_some(picked.as_slice()), &slots);
        self.do_merges(ledger);
        self.close(passage.watermark.closing(), ledger, passage.closed);
    }

    /// Closes every session that ends at or before `closing`.
    pub(crate) fn close(&mut self, closing: i64, ledger: &Ledger, closed: &mut Vec<ResultRow>) {
        let Some(mut due) = self.due.take() else {
            for code in (0..).take(self.of_code.len()) {
                self.close_code(code, closing, closed);
            }
            return;
        };
        while let Some(&Reverse((end, slot))) = due.peek()
            && end <= closing
        {
            due.pop();
            let code = ledger.code(slot);
            self.close_code(code, closing, closed);
            let sessions = self.of_code.get(code as usize).map_or(&[][..], Vec::as_slice);
            if let Some(session) = sessions.iter().find(|session| session.slot == slot) {
                due.push(Reverse((session.last + self.gap, slot)));
            }
        }
        self.due = Some(due);
    }

    /// Answers the open sessions that changed.
    pub(crate) fn changes(&self, ledger: &Ledger) -> Vec<ResultRow> {
        let open = self.of_code.iter().flatten();
        open.filter(|session| ledger.is_changed(session.slot))
            .map(|session| self.row(session))
            .collect()
    }

    /// Takes in the sessions of others; `codes` says which code of ours each of theirs is.
    pub(crate) fn merge(
        &mut self,
        other: &Self,
        codes: &[u32],
        ledger: &mut Ledger,
        from: &Ledger,
    ) {
        let (mut slots, mut from_slots) = (Vec::new(), Vec::new());
        for (sessions, &code) in other.of_code.iter().zip(codes) {
            for session in sessions {
                slots.push(self.slot(session.first, session.last, code, ledger));
                from_slots.push(session.slot);
            }
        }
        ledger.merge(&slots, from, &from_slots);
        self.do_merges(ledger);
    }

    /// Answers the slot of the session that rows from `first` to `last` belong to, joining what they bridge.
    #[inline]
    fn slot(&mut self, first: i64, last: i64, code: u32, ledger: &mut Ledger) -> u32 {
        if self.of_code.len() <= code as usize {
            self.of_code.resize_with(code as usize + 1, Vec::new);
        }
        let gap = self.gap;
        let sessions = &mut self.of_code[code as usize];
        // Rows come nearly in order, so the last sessions are the likely ones.
        let mut to = sessions.len();
        while 0 < to && last + gap <= sessions[to - 1].first {
            to -= 1;
        }
        let mut from = to;
        while 0 < from && first - gap < sessions[from - 1].last {
            from -= 1;
        }
        if from == to {
            let slot = ledger.take(code);
            sessions.insert(to, Session { first, last, slot });
            if let Some(due) = &mut self.due {
                due.push(Reverse((last + gap, slot)));
            }
            return slot;
        }
        let joined_last = last.max(sessions[to - 1].last);
        let session = &mut sessions[from];
        session.first = session.first.min(first);
        session.last = joined_last;
        let slot = session.slot;
        for absorbed in sessions.drain(from + 1..to) {
            self.merges.slots.push(slot);
            self.merges.from_slots.push(absorbed.slot);
        }
        slot
    }

    /// Whether a row lies within the gap of an open session.
    fn joins(&self, time: i64, code: u32) -> bool {
        let sessions = self.of_code.get(code as usize).map_or(&[][..], Vec::as_slice);
        sessions
            .iter()
            .rev()
            .any(|session| session.first < time + self.gap && time < session.last + self.gap)
    }

    /// Folds sessions that were joined, after the rows of both were.
    fn do_merges(&mut self, ledger: &mut Ledger) {
        let Merges { slots, from_slots } = &mut self.merges;
        ledger.merge_within(slots, from_slots);
        ledger.mark_changed(slots);
        ledger.release(from_slots);
        slots.clear();
        from_slots.clear();
    }

    /// Closes the sessions of one code.
    #[inline]
    fn close_code(&mut self, code: u32, closing: i64, closed: &mut Vec<ResultRow>) {
        let Some(sessions) = self.of_code.get_mut(code as usize) else {
            return;
        };
        let gap = self.gap;
        let count = sessions.iter().take_while(|session| session.last + gap <= closing).count();
        closed.extend(sessions.drain(..count).map(|session| ResultRow {
            start: session.first,
            end: session.last + gap,
            slot: session.slot,
        }));
    }

    fn row(&self, session: &Session) -> ResultRow {
        ResultRow { start: session.first, end: session.last + self.gap, slot: session.slot }
    }
}
