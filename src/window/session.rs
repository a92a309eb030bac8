//! Sessions: per key, runs of rows that are less than a gap apart.

mod division;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;

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

/// The sessions of one code, as a row first meets them.
///
/// Invariant: there are earlier ones only where there is a latest one.
#[derive(Clone, Copy, Debug)]
struct Latest {
    session: Session,
    /// How many sessions before it are listed by code.
    earlier: u32,
    /// Where among those that are not the one before it stands.
    unlisted: u32,
    /// The end of the session before it or of one that closed since; none that is open and earlier ends later.
    previous_last: i64,
}

impl Session {
    fn is_there(&self) -> bool {
        self.slot != NO_SLOT
    }

    fn row(self, gap: i64) -> ResultRow {
        ResultRow { start: self.first, end: self.last + gap, slot: self.slot }
    }
}

/// The slot of a session that is not there.
const NO_SLOT: u32 = u32::MAX;

/// The place of a session that is not there.
const NO_PLACE: u32 = u32::MAX;

const NO_SESSION: Latest = Latest {
    // Before all times, so that the next row comes after it as after any other.
    session: Session { first: i64::MIN, last: i64::MIN, slot: NO_SLOT },
    earlier: 0,
    unlisted: NO_PLACE,
    previous_last: i64::MIN,
};

/// The open sessions of one operator.
#[derive(Debug)]
pub(crate) struct Sessions {
    gap: i64,
    /// The latest session of each code: rows come nearly in order, so that it is the likely one.
    latest: Vec<Latest>,
    /// The sessions before it in order of time; between two sessions there is a gap.
    earlier: Vec<Vec<Session>>,
    /// Sessions before the latest that are not listed by code, in the order in which they ceased to be it: where no
    /// watermark closes, nobody asks for most of them before the end.
    unlisted: Vec<Session>,
    /// For each of these, where the one before it of the same code stands.
    places_before: Vec<u32>,
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
            latest: Vec::new(),
            earlier: Vec::new(),
            unlisted: Vec::new(),
            places_before: Vec::new(),
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
            if closing == i64::MAX {
                self.close_all(closed);
            }
            return;
        };
        while let Some(&Reverse((end, slot))) = due.peek()
            && end <= closing
        {
            due.pop();
            let code = ledger.code(slot);
            self.close_code(code, closing, closed);
            if let Some(session) = self.sessions(code).find(|session| session.slot == slot) {
                due.push(Reverse((session.last + self.gap, slot)));
            }
        }
        self.due = Some(due);
    }

    /// Answers the open sessions that changed.
    pub(crate) fn changes(&self, ledger: &Ledger) -> Vec<ResultRow> {
        self.all()
            .filter(|session| ledger.is_changed(session.slot))
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
        for session in other.all() {
            let code = codes[from.code(session.slot) as usize];
            slots.push(self.slot(session.first, session.last, code, ledger));
            from_slots.push(session.slot);
        }
        ledger.merge(&slots, from, &from_slots);
        self.do_merges(ledger);
    }

    /// The sessions of a code in order of time that are listed, which are all where a watermark closes.
    fn sessions(&self, code: u32) -> impl DoubleEndedIterator<Item = &Session> {
        let latest = self.latest.get(code as usize).filter(|latest| latest.session.is_there());
        let earlier = latest.filter(|latest| 0 < latest.earlier);
        let earlier = earlier.map_or(&[][..], |_some| &self.earlier[code as usize]);
        earlier.iter().chain(latest.map(|latest| &latest.session))
    }

    /// All sessions, those of one code in order of time.
    fn all(&self) -> impl Iterator<Item = &Session> {
        let unlisted = self.unlisted.iter().filter(|session| session.is_there());
        let latest = self.latest.iter().map(|latest| &latest.session);
        let latest = latest.filter(|session| session.is_there());
        self.earlier.iter().flatten().chain(unlisted).chain(latest)
    }

    /// Closes every session.
    fn close_all(&mut self, closed: &mut Vec<ResultRow>) {
        self.take_no_more();
        let gap = self.gap;
        let rows = mem::take(&mut self.unlisted).into_iter().map(|session| session.row(gap));
        if closed.is_empty() {
            // They take the place of the sessions, which spares as much memory.
            *closed = rows.collect();
        } else {
            closed.extend(rows);
        }
    }

    /// The list of the sessions of a code before its latest.
    fn earlier(&mut self, code: u32) -> &mut Vec<Session> {
        let index = code as usize;
        if self.earlier.len() <= index {
            self.earlier.resize_with(index + 1, Vec::new);
        }
        &mut self.earlier[index]
    }

    /// Lists those sessions of a code that are not; the latest of the code there is.
    fn list(&mut self, code: u32) {
        let mut place = mem::replace(&mut self.latest[code as usize].unlisted, NO_PLACE);
        let mut listed = mem::take(self.earlier(code));
        let before = listed.len();
        while let Some(session) = self.unlisted.get_mut(place as usize) {
            listed.push(*session);
            session.slot = NO_SLOT;
            place = self.places_before[place as usize];
        }
        listed[before..].reverse();
        *self.earlier(code) = listed;
    }

    /// Answers the slot of the session that rows from `first` to `last` belong to, joining what they bridge.
    #[inline]
    fn slot(&mut self, first: i64, last: i64, code: u32, ledger: &mut Ledger) -> u32 {
        let gap = self.gap;
        if let Some(Latest { session, previous_last, .. }) = self.latest.get_mut(code as usize) {
            // Most rows lie within the latest session or go on with it, or come shortly before its first.
            let is_after = session.first <= first && first < session.last.saturating_add(gap);
            let is_before = *previous_last <= first - gap
                && first < session.first
                && session.first < last + gap;
            if is_after || is_before {
                session.first = session.first.min(first);
                session.last = session.last.max(last);
                return session.slot;
            }
        }
        self.slot_apart(first, last, code, ledger)
    }

    /// The same for rows that may not be of the latest session.
    #[inline(never)]
    fn slot_apart(&mut self, first: i64, last: i64, code: u32, ledger: &mut Ledger) -> u32 {
        if self.latest.len() <= code as usize {
            self.latest.resize(code as usize + 1, NO_SESSION);
        }
        let latest = &mut self.latest[code as usize];
        if first < latest.session.first {
            return self.slot_among_all(first, last, code, ledger);
        }
        let before = latest.session;
        let slot = ledger.take(code);
        latest.session = Session { first, last, slot };
        if before.is_there() {
            latest.previous_last = before.last;
            self.keep_earlier(before, code);
        }
        if let Some(due) = &mut self.due {
            due.push(Reverse((last + self.gap, slot)));
        }
        slot
    }

    /// The same for rows that begin before the latest session does, and not just before.
    #[cold]
    fn slot_among_all(&mut self, first: i64, last: i64, code: u32, ledger: &mut Ledger) -> u32 {
        let gap = self.gap;
        self.list(code);
        let latest = &mut self.latest[code as usize];
        let sessions = &mut self.earlier[code as usize];
        sessions.push(latest.session);
        let to = sessions.partition_point(|session| session.first < last + gap);
        let from = sessions.partition_point(|session| session.last <= first - gap);
        let slot = if from == to {
            let slot = ledger.take(code);
            sessions.insert(to, Session { first, last, slot });
            if let Some(due) = &mut self.due {
                due.push(Reverse((last + gap, slot)));
            }
            slot
        } else {
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
        };
        latest.session = sessions.pop().unwrap_or(latest.session);
        latest.earlier = u32::try_from(sessions.len()).expect("slots are numbered in 32 bits");
        latest.previous_last = sessions.last().map_or(i64::MIN, |session| session.last);
        slot
    }

    /// Keeps the latest session of a code that has a later one now.
    fn keep_earlier(&mut self, session: Session, code: u32) {
        let latest = &mut self.latest[code as usize];
        if self.due.is_some() {
            latest.earlier += 1;
            self.earlier(code).push(session);
            return;
        }
        let place = u32::try_from(self.unlisted.len()).expect("slots are numbered in 32 bits");
        self.places_before.push(mem::replace(&mut latest.unlisted, place));
        self.unlisted.push(session);
    }

    /// Whether a row lies within the gap of an open session.
    fn joins(&self, time: i64, code: u32) -> bool {
        self.sessions(code)
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
        let Some(&latest) = self.latest.get(code as usize) else {
            return;
        };
        if 0 < latest.earlier {
            self.close_earlier(code, closing, closed);
        }
        if latest.session.is_there() && latest.session.last + self.gap <= closing {
            closed.push(self.row(&latest.session));
            self.latest[code as usize] = NO_SESSION;
        }
    }

    /// Closes those of them that are not the latest.
    fn close_earlier(&mut self, code: u32, closing: i64, closed: &mut Vec<ResultRow>) {
        let (gap, sessions) = (self.gap, &mut self.earlier[code as usize]);
        let count = sessions.iter().take_while(|session| session.last + gap <= closing).count();
        closed.extend(sessions.drain(..count).map(|session| session.row(gap)));
        let left = sessions.len();
        if left == 0 {
            *sessions = Vec::new();
        }
        self.latest[code as usize].earlier = u32::try_from(left).unwrap_or(u32::MAX);
    }

    fn row(&self, session: &Session) -> ResultRow {
        session.row(self.gap)
    }
}
