//! Tumbling, hopping and cumulating windows: each row goes to one pane, and windows merge panes as they close.
//!
//! Invariant: what a window answers was in its panes when the watermark passed its end; rows that come to a
//! shared pane later come after the window's own merge.

mod code_table;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::mem;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::window::pane::code_table::CodeTable;
use crate::window::pane::code_table::VACANT;
use crate::window::passage::Passage;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;
use crate::window::slot::ResultRow;

/// How many merges are gathered before they are done.
const MERGES_PER_CALL: usize = 16_384;

/// Which windows there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    /// All windows of a run start at its beginning, and each ends a pane after the one before.
    Cumulate,
    /// Windows start every so many ticks.
    Hop {
        /// From one start to the next.
        slide: i64,
    },
}

/// The arithmetic of panes, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    layout: Layout,
    size: i64,
    width: i64,
    offset: i64,
}

/// A stretch of time in which the same windows are open.
#[derive(Clone, Copy, Debug)]
struct Pane {
    start: i64,
    end: i64,
    /// The end of the first window over the pane, and of the last.
    first_end: i64,
    last_end: i64,
}

impl Geometry {
    pub(crate) fn tumble(size: i64, offset: i64) -> Self {
        Self::hop(size, size, offset)
    }

    pub(crate) fn hop(size: i64, slide: i64, offset: i64) -> Self {
        let width = greatest_common_divisor(size, slide);
        Self { layout: Layout::Hop { slide }, size, width, offset: offset.rem_euclid(slide) }
    }

    pub(crate) fn cumulate(size: i64, step: i64, offset: i64) -> Self {
        Self { layout: Layout::Cumulate, size, width: step, offset: offset.rem_euclid(size) }
    }

    fn pane(&self, time: i64) -> Pane {
        let start = (time - self.offset).div_euclid(self.width) * self.width;
        let (first_end, last_end) = match self.layout {
            Layout::Cumulate => {
                let base = start.div_euclid(self.size) * self.size;
                (start + self.width, base + self.size)
            }
            Layout::Hop { slide } => {
                let first = ((start - self.size).div_euclid(slide) + 1) * slide;
                let last = start.div_euclid(slide) * slide;
                (first + self.size, last + self.size)
            }
        };
        Pane {
            start: start + self.offset,
            end: start + self.width + self.offset,
            first_end: first_end + self.offset,
            last_end: last_end + self.offset,
        }
    }

    /// From the end of one window to the end of the next over the same pane.
    fn stride(&self) -> i64 {
        match self.layout {
            Layout::Cumulate => self.width,
            Layout::Hop { slide } => slide,
        }
    }

    fn window_start(&self, end: i64) -> i64 {
        match self.layout {
            Layout::Cumulate => {
                (end - self.offset - self.width).div_euclid(self.size) * self.size + self.offset
            }
            Layout::Hop { .. } => end - self.size,
        }
    }

    /// The ends in `(after, to]` of windows over a pane.
    fn ends(&self, pane: &Pane, after: i64, to: i64) -> impl Iterator<Item = i64> + use<> {
        let stride = self.stride();
        let first = if after < pane.first_end {
            pane.first_end
        } else {
            // Not past the last end, so that nothing overflows where `after` is the end of time.
            let passed = (after.min(pane.last_end) - pane.first_end) / stride + 1;
            pane.first_end + passed * stride
        };
        let last = to.min(pane.last_end);
        std::iter::successors(Some(first), move |end| Some(end + stride))
            .take_while(move |end| *end <= last)
    }

    /// How many windows over a pane are closed at `closing`.
    fn closed_count(&self, pane: &Pane, closing: i64) -> i64 {
        if closing < pane.first_end {
            return 0;
        }
        (closing.min(pane.last_end) - pane.first_end) / self.stride() + 1
    }

    /// Whether every window is one pane.
    fn is_tumbling(&self) -> bool {
        self.width == self.size
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// A pane and the slots of its groups.
#[derive(Debug)]
struct Open {
    pane: Pane,
    slots: CodeTable,
}

/// The pane of the last row, kept at hand.
#[derive(Clone, Copy, Debug)]
struct AtHand {
    pane: Pane,
    /// Where it is, unless no row was taken into it yet.
    index: Option<u32>,
}

/// The open panes of one operator.
#[derive(Debug)]
pub(crate) struct Panes {
    geometry: Geometry,
    /// Open panes, some of them vacant.
    opened: Vec<Open>,
    vacant: Vec<u32>,
    /// Where the pane that starts at a time is.
    indices: HashMap<i64, u32, FixedState>,
    at_hand: Option<AtHand>,
    /// Windows that end at or before this were closed.
    closed_to: i64,
    /// No window over an open pane ends in `closed_to..next_end`.
    next_end: i64,
}

impl Panes {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            opened: Vec::new(),
            vacant: Vec::new(),
            indices: HashMap::default(),
            at_hand: None,
            closed_to: i64::MIN,
            next_end: i64::MAX,
        }
    }

    /// Takes a batch in, every row of it.
    pub(crate) fn take_all(&mut self, feed: &Feed<'_>, ledger: &mut Ledger) {
        let mut slots = Vec::with_capacity(feed.times.len());
        for row in feed.rows() {
            let row = row as usize;
            slots.push(self.slot(feed.times[row], feed.codes[row], ledger));
        }
        ledger.fold(feed, feed.present, &slots);
    }

    /// Takes a batch in row by row against the watermark.
    pub(crate) fn take_in_time(
        &mut self,
        feed: &Feed<'_>,
        ledger: &mut Ledger,
        passage: &mut Passage<'_>,
    ) {
        let mut picked = Vec::with_capacity(feed.count());
        let mut slots = Vec::with_capacity(feed.count());
        for row in feed.rows() {
            passage.arrive(row);
            let time = feed.times[row as usize];
            let closing = passage.watermark.closing();
            match self.judge(time, closing) {
                Verdict::InTime => {}
                Verdict::Late(missed) => {
                    passage.late.add(row, time, passage.watermark.value(), missed, false);
                    passage.watermark.observe(time);
                    continue;
                }
                Verdict::Partly(missed) => {
                    passage.late.add(row, time, passage.watermark.value(), missed, true);
                    if self.must_close(closing) {
                        ledger.fold(feed, Some(&picked), &slots);
                        picked.clear();
                        slots.clear();
                        self.close(closing, ledger, passage.closed);
                    }
                }
            }
            slots.push(self.slot(time, feed.codes[row as usize], ledger));
            picked.push(row);
            passage.watermark.observe(time);
        }
        passage.arrive_rest();
        let all = picked.len() == feed.times.len();
        ledger.fold(feed, (!all).then_some(picked.as_slice()), &slots);
        self.close(passage.watermark.closing(), ledger, passage.closed);
    }

    #[inline]
    fn judge(&mut self, time: i64, closing: i64) -> Verdict {
        let pane = self.at(time);
        if closing < pane.first_end {
            Verdict::InTime
        } else {
            let missed = self.geometry.closed_count(&pane, closing);
            if pane.last_end <= closing { Verdict::Late(missed) } else { Verdict::Partly(missed) }
        }
    }

    /// Whether windows must be closed before a row that is partly late touches their panes.
    fn must_close(&mut self, closing: i64) -> bool {
        if closing < self.next_end {
            // No window ends in between: there is nothing to answer, but the time has passed.
            self.closed_to = self.closed_to.max(closing);
            return false;
        }
        self.closed_to < closing
    }

    /// Answers the slot of a group in the pane of a time.
    #[inline]
    fn slot(&mut self, time: i64, code: u32, ledger: &mut Ledger) -> u32 {
        self.at(time);
        let index = match self.at_hand {
            Some(AtHand { index: Some(index), .. }) => index,
            _ => self.open(time),
        };
        let place = self.opened[index as usize].slots.place(code);
        if *place == VACANT {
            *place = ledger.take(code);
        }
        *place
    }

    /// Closes every window that ends at or before `closing`; their rows go to `closed`.
    pub(crate) fn close(&mut self, closing: i64, ledger: &mut Ledger, closed: &mut Vec<ResultRow>) {
        if closing <= self.closed_to {
            return;
        }
        if self.next_end <= closing {
            self.at_hand = None;
            if self.geometry.is_tumbling() {
                self.close_panes(closing, closed);
            } else {
                self.close_merged(closing, ledger, closed);
                self.free_panes(closing, ledger);
            }
            self.next_end = self.least_end(closing);
        }
        self.closed_to = closing;
    }

    /// Answers the open windows that changed; slots made for it go to `borrowed`.
    pub(crate) fn changes(&self, ledger: &mut Ledger, borrowed: &mut Vec<u32>) -> Vec<ResultRow> {
        let mut changed: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        let mut rows = Vec::new();
        for &index in self.indices.values() {
            let open = &self.opened[index as usize];
            let touched = open.slots.iter().filter(|&(_, slot)| ledger.is_changed(slot));
            if self.geometry.is_tumbling() {
                let (start, end) = (open.pane.start, open.pane.end);
                rows.extend(touched.map(|(_, slot)| ResultRow { start, end, slot }));
                continue;
            }
            let codes: Vec<u32> = touched.map(|(code, _)| code).collect();
            if !codes.is_empty() {
                for end in self.geometry.ends(&open.pane, self.closed_to, i64::MAX) {
                    changed.entry(end).or_default().extend_from_slice(&codes);
                }
            }
        }
        for (end, mut codes) in changed {
            codes.sort_unstable();
            codes.dedup();
            let from = rows.len();
            self.merge_window(end, Some(&codes), ledger, &mut rows);
            borrowed.extend(rows[from..].iter().map(|row| row.slot));
        }
        rows
    }

    /// Takes in the panes of other panes; `codes` says which code of ours each of theirs is.
    pub(crate) fn merge(
        &mut self,
        other: &Self,
        codes: &[u32],
        ledger: &mut Ledger,
        from: &Ledger,
    ) {
        let (mut slots, mut from_slots) = (Vec::new(), Vec::new());
        for &index in other.indices.values() {
            let open = &other.opened[index as usize];
            for (code, slot) in open.slots.iter() {
                slots.push(self.slot(open.pane.start, codes[code as usize], ledger));
                from_slots.push(slot);
            }
        }
        ledger.merge(&slots, from, &from_slots);
    }

    /// The pane of a time, taken at hand.
    #[inline]
    fn at(&mut self, time: i64) -> Pane {
        if let Some(at_hand) = self.at_hand
            && at_hand.pane.start <= time
            && time < at_hand.pane.end
        {
            return at_hand.pane;
        }
        let pane = self.geometry.pane(time);
        let index = self.indices.get(&pane.start).copied();
        self.at_hand = Some(AtHand { pane, index });
        pane
    }

    #[cold]
    fn open(&mut self, time: i64) -> u32 {
        let pane = self.at(time);
        let open = Open { pane, slots: CodeTable::default() };
        let index = if let Some(index) = self.vacant.pop() {
            self.opened[index as usize] = open;
            index
        } else {
            self.opened.push(open);
            u32::try_from(self.opened.len() - 1).expect("memory ends before four billion panes")
        };
        self.indices.insert(pane.start, index);
        self.at_hand = Some(AtHand { pane, index: Some(index) });
        if let Some(end) = self.geometry.ends(&pane, self.closed_to, i64::MAX).next() {
            self.next_end = self.next_end.min(end);
        }
        index
    }

    /// Closes panes that are windows: their slots become the rows.
    fn close_panes(&mut self, closing: i64, closed: &mut Vec<ResultRow>) {
        let Self { indices, opened, vacant, .. } = self;
        indices.retain(|_, index| {
            let Open { pane, slots } = &mut opened[*index as usize];
            if closing < pane.last_end {
                return true;
            }
            let (start, end) = (pane.start, pane.end);
            closed.extend(mem::take(slots).iter().map(|(_, slot)| ResultRow { start, end, slot }));
            vacant.push(*index);
            false
        });
    }

    fn close_merged(&self, closing: i64, ledger: &mut Ledger, closed: &mut Vec<ResultRow>) {
        let ends: BTreeSet<i64> = self
            .indices
            .values()
            .flat_map(|&index| {
                self.geometry.ends(&self.opened[index as usize].pane, self.closed_to, closing)
            })
            .collect();
        for end in ends {
            self.merge_window(end, None, ledger, closed);
        }
    }

    /// Merges the panes of one window into new slots, of all groups or of `only` these (sorted).
    fn merge_window(
        &self,
        end: i64,
        only: Option<&[u32]>,
        ledger: &mut Ledger,
        rows: &mut Vec<ResultRow>,
    ) {
        let start = self.geometry.window_start(end);
        let mut targets = CodeTable::default();
        let (mut slots, mut from_slots) = (Vec::new(), Vec::new());
        let mut pane_start = start;
        while pane_start < end {
            if let Some(&index) = self.indices.get(&pane_start) {
                for (code, from) in self.opened[index as usize].slots.iter() {
                    if only.is_some_and(|only| only.binary_search(&code).is_err()) {
                        continue;
                    }
                    let target = targets.place(code);
                    if *target == VACANT {
                        *target = ledger.take(code);
                        rows.push(ResultRow { start, end, slot: *target });
                    }
                    slots.push(*target);
                    from_slots.push(from);
                }
                if MERGES_PER_CALL <= slots.len() {
                    ledger.merge_within(&slots, &from_slots);
                    slots.clear();
                    from_slots.clear();
                }
            }
            pane_start += self.geometry.width;
        }
        ledger.merge_within(&slots, &from_slots);
    }

    /// Frees the panes whose last window is closed.
    fn free_panes(&mut self, closing: i64, ledger: &mut Ledger) {
        let mut freed = Vec::new();
        let Self { indices, opened, vacant, .. } = self;
        indices.retain(|_, index| {
            let Open { pane, slots } = &mut opened[*index as usize];
            if closing < pane.last_end {
                return true;
            }
            freed.extend(mem::take(slots).iter().map(|(_, slot)| slot));
            vacant.push(*index);
            false
        });
        ledger.release(&freed);
    }

    /// The first end past `after` of a window over an open pane.
    fn least_end(&self, after: i64) -> i64 {
        let panes = self.indices.values().map(|&index| &self.opened[index as usize].pane);
        let ends = panes.filter_map(|pane| self.geometry.ends(pane, after, i64::MAX).next());
        ends.min().unwrap_or(i64::MAX)
    }
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// Every window of it is open.
    InTime,
    /// Every window of it is closed; so many.
    Late(i64),
    /// So many of its windows are closed, others are open.
    Partly(i64),
}
