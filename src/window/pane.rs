//! Tumbling, hopping and cumulating windows: each row goes to one pane, and windows merge panes as they close.
//!
//! Invariant: what a window answers was in its panes when the watermark passed its end; rows that come to a
//! shared pane later come after the window's own merge.

mod code_table;
mod lane;
mod stretch;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::mem;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::window::pane::code_table::CodeTable;
use crate::window::pane::lane::LANE_COUNT;
use crate::window::pane::lane::Lane;
use crate::window::pane::stretch::STRETCH_ROWS;
use crate::window::passage::Passage;
use crate::window::slot::ClosedWindow;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;
use crate::window::slot::ResultRow;
use crate::window::time::bounds;
use crate::window::vacancy::VACANT;
use crate::window::vacancy::has_vacancy;

/// How many panes of one stretch are each looked at together; the rows of more go one by one.
const PANES_PER_STRETCH: usize = 4;

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

    /// The lane of the pane that starts at a time: panes side by side have different ones.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the count of lanes divides 2^64, so that numbers below zero go on where it wraps"
    )]
    fn lane(&self, start: i64) -> usize {
        let number = (start - self.offset).div_euclid(self.width);
        (number as u64 % LANE_COUNT as u64) as usize
    }

    /// The first end of a window past `closing`.
    fn next_end(&self, closing: i64) -> i64 {
        let stride = self.stride();
        // The ends of hopping windows lie where a slide ends that began with a window; of others, at the ends of panes.
        let phase = match self.layout {
            Layout::Cumulate => self.offset,
            Layout::Hop { .. } => self.offset + self.size,
        };
        ((closing - phase).div_euclid(stride) + 1).saturating_mul(stride).saturating_add(phase)
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
    /// Which lane it has while rows come to it.
    lane: usize,
    slots: Vec<u32>,
    /// The slots by code: of codes that have no place in lanes, and of all once another pane has the lane.
    table: CodeTable,
    is_in_table: bool,
}

impl Open {
    /// The place of a code's slot where the lane has none; `VACANT` is to be overwritten at once.
    fn place(&mut self, code: u32, has_lane: bool, ledger: &Ledger) -> &mut u32 {
        if !has_lane && !self.is_in_table {
            self.is_in_table = true;
            for &slot in &self.slots {
                *self.table.place(ledger.code(slot)) = slot;
            }
        }
        self.table.place(code)
    }
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
    lanes: [Lane; LANE_COUNT],
    /// Windows that end at or before this were closed.
    closed_to: i64,
    /// Those that closed and were not taken yet.
    closed: Vec<ClosedWindow>,
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
            lanes: std::array::from_fn(|_| Lane::default()),
            closed_to: i64::MIN,
            closed: Vec::new(),
            next_end: i64::MAX,
        }
    }

    /// Takes a batch in, every row of it.
    pub(crate) fn take_all(&mut self, feed: &Feed<'_>, ledger: &mut Ledger) {
        let mut slots = Vec::with_capacity(feed.times.len());
        if let Some(rows) = feed.present {
            for row in rows.iter().map(|&row| row as usize) {
                slots.push(self.slot(feed.times[row], feed.codes[row], ledger));
            }
        } else {
            let stretches = feed.times.chunks(STRETCH_ROWS);
            for (times, codes) in stretches.zip(feed.codes.chunks(STRETCH_ROWS)) {
                let (least, greatest) = bounds(times);
                self.slots(times, codes, least, greatest, ledger, &mut slots);
            }
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
        let mut taken = Taken::new(feed);
        if feed.present.is_none() && passage.each_ms.is_none() {
            self.take_stretches(feed, ledger, passage, &mut taken);
        } else {
            for row in feed.rows() {
                self.take_row(row, feed, ledger, passage, &mut taken);
            }
        }
        passage.arrive_rest();
        taken.fold(feed, ledger);
        self.close(passage.watermark.closing(), ledger);
    }

    /// Takes rows in by stretches in which the watermark closes no window, so that they are judged together.
    fn take_stretches(
        &mut self,
        feed: &Feed<'_>,
        ledger: &mut Ledger,
        passage: &mut Passage<'_>,
        taken: &mut Taken,
    ) {
        let mut first = 0;
        while first < feed.times.len() {
            let mut end = feed.times.len().min(first + STRETCH_ROWS);
            let (mut least, mut greatest) = bounds(&feed.times[first..end]);
            // The row that moves the watermark past the end of a window is judged before it does.
            let mover = passage.watermark.mover(|closing| self.geometry.next_end(closing));
            if mover <= greatest {
                let moves = feed.times[first..end].iter().position(|&time| mover <= time);
                end = moves.map_or(end, |row| first + row + 1);
                (least, greatest) = bounds(&feed.times[first..end]);
            }
            if self.judge(least, passage.watermark.closing()) == Verdict::InTime {
                let (times, codes) = (&feed.times[first..end], &feed.codes[first..end]);
                self.slots(times, codes, least, greatest, ledger, &mut taken.slots);
                taken.pick(first..end);
                passage.watermark.observe(greatest);
            } else {
                for row in first..end {
                    let row = u32::try_from(row).expect("batches have less than 2^32 rows");
                    self.take_row(row, feed, ledger, passage, taken);
                }
            }
            first = end;
        }
    }

    /// Takes one row in against the watermark.
    fn take_row(
        &mut self,
        row: u32,
        feed: &Feed<'_>,
        ledger: &mut Ledger,
        passage: &mut Passage<'_>,
        taken: &mut Taken,
    ) {
        passage.arrive(row);
        let time = feed.times[row as usize];
        let closing = passage.watermark.closing();
        match self.judge(time, closing) {
            Verdict::InTime => {}
            Verdict::Late(missed) => {
                passage.late.add(row, time, passage.watermark.value(), missed, false);
                passage.watermark.observe(time);
                return taken.skip();
            }
            Verdict::Partly(missed) => {
                passage.late.add(row, time, passage.watermark.value(), missed, true);
                if self.must_close(closing) {
                    taken.fold(feed, ledger);
                    self.close(closing, ledger);
                }
            }
        }
        taken.slots.push(self.slot(time, feed.codes[row as usize], ledger));
        taken.pick(row as usize..row as usize + 1);
        passage.watermark.observe(time);
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

    /// Appends the slots of a stretch of rows.
    fn slots(
        &mut self,
        times: &[i64],
        codes: &[u32],
        least: i64,
        greatest: i64,
        ledger: &mut Ledger,
        slots: &mut Vec<u32>,
    ) {
        // Panes that are new get their lanes before their first rows look for slots there.
        self.opened_at(greatest);
        let pane = self.opened_at(least);
        let first = slots.len();
        if greatest < pane.end {
            let lane = &self.lanes[self.geometry.lane(pane.start)];
            if lane.is_of(pane.start) {
                slots.extend(codes.iter().map(|&code| lane.slot(code)));
            } else {
                slots.resize(first + codes.len(), VACANT);
            }
        } else {
            let width = self.geometry.width;
            let mut offsets = [0; STRETCH_ROWS];
            if stretch::offsets(times, pane.start, greatest, width, &mut offsets) {
                let lane_of_first = self.geometry.lane(pane.start);
                slots.extend(offsets.iter().zip(codes).map(|(&offset, &code)| {
                    let lane = &self.lanes[(lane_of_first + offset as usize) % LANE_COUNT];
                    let start = pane.start + i64::from(offset) * width;
                    if lane.is_of(start) { lane.slot(code) } else { VACANT }
                }));
            } else {
                slots.resize(first + codes.len(), VACANT);
            }
        }
        // Groups that are new in their panes, and panes that have no lane: listed first, as no guess foretells them.
        if !has_vacancy(&slots[first..]) {
            return;
        }
        let mut rows = [0; STRETCH_ROWS];
        let mut count = 0;
        for (row, &slot) in (0_u16..).zip(&slots[first..]) {
            rows[count] = row;
            count += usize::from(slot == VACANT);
        }
        self.make_slots(&mut rows[..count], times, codes, ledger, &mut slots[first..]);
    }

    /// Finds the slots of rows whose group has none yet where it was looked for, one pane after the other.
    fn make_slots(
        &mut self,
        mut rows: &mut [u16],
        times: &[i64],
        codes: &[u32],
        ledger: &mut Ledger,
        slots: &mut [u32],
    ) {
        for _ in 0..PANES_PER_STRETCH {
            let Some(&row) = rows.first() else { return };
            let pane = self.opened_at(times[usize::from(row)]);
            let count = stretch::partition(rows, |row| {
                let time = times[usize::from(row)];
                pane.start <= time && time < pane.end
            });
            let (here, others) = rows.split_at_mut(count);
            rows = others;
            let Some(AtHand { index: Some(index), .. }) = self.at_hand else { return };
            let open = &mut self.opened[index as usize];
            let lane = &mut self.lanes[open.lane];
            let has_place = |&row: &u16| lane::has_place(codes[usize::from(row)]);
            if lane.is_of(pane.start) && here.iter().all(has_place) {
                lane.slots_or(here, codes, slots, |codes| {
                    let before = open.slots.len();
                    ledger.take_all(codes, &mut open.slots);
                    &open.slots[before..]
                });
            } else {
                for row in here.iter().map(|&row| usize::from(row)) {
                    slots[row] = self.slot(times[row], codes[row], ledger);
                }
            }
        }
        for row in rows.iter().map(|&row| usize::from(row)) {
            slots[row] = self.slot(times[row], codes[row], ledger);
        }
    }

    /// Answers the slot of a group in the pane of a time.
    #[inline]
    fn slot(&mut self, time: i64, code: u32, ledger: &mut Ledger) -> u32 {
        self.at(time);
        let index = match self.at_hand {
            Some(AtHand { index: Some(index), .. }) => index,
            _ => self.open(time),
        };
        let open = &mut self.opened[index as usize];
        let lane = &mut self.lanes[open.lane];
        let has_lane = lane.is_of(open.pane.start);
        if has_lane && lane::has_place(code) {
            return lane.slot_or(code, || {
                let slot = ledger.take(code);
                open.slots.push(slot);
                slot
            });
        }
        let place = open.place(code, has_lane, ledger);
        if *place != VACANT {
            return *place;
        }
        let slot = ledger.take(code);
        *place = slot;
        open.slots.push(slot);
        slot
    }

    /// Gives away the windows that closed.
    pub(crate) fn take_closed(&mut self) -> Vec<ClosedWindow> {
        mem::take(&mut self.closed)
    }

    /// Takes windows back that were given away.
    pub(crate) fn put_back(&mut self, closed: Vec<ClosedWindow>) {
        self.closed = closed;
    }

    /// How many rows the windows have that closed and were not taken yet.
    pub(crate) fn closed_rows(&self) -> usize {
        self.closed.iter().map(|window| window.slots.len()).sum()
    }

    /// Closes every window that ends at or before `closing`.
    pub(crate) fn close(&mut self, closing: i64, ledger: &mut Ledger) {
        if closing <= self.closed_to {
            return;
        }
        if self.next_end <= closing {
            self.at_hand = None;
            if self.geometry.is_tumbling() {
                self.close_panes(closing);
            } else {
                self.close_merged(closing, ledger);
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
            let touched = open.slots.iter().copied().filter(|&slot| ledger.is_changed(slot));
            if self.geometry.is_tumbling() {
                let (start, end) = (open.pane.start, open.pane.end);
                rows.extend(touched.map(|slot| ResultRow { start, end, slot }));
                continue;
            }
            let codes: Vec<u32> = touched.map(|slot| ledger.code(slot)).collect();
            if !codes.is_empty() {
                for end in self.geometry.ends(&open.pane, self.closed_to, i64::MAX) {
                    changed.entry(end).or_default().extend_from_slice(&codes);
                }
            }
        }
        for (end, mut codes) in changed {
            codes.sort_unstable();
            codes.dedup();
            let slots = self.merge_window(end, Some(&codes), ledger);
            borrowed.extend_from_slice(&slots);
            let window = ClosedWindow { start: self.geometry.window_start(end), end, slots };
            rows.extend(window.rows());
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
        self.take_over(other, &other.past(i64::MIN), codes, ledger, from);
    }

    /// Takes in some panes of other panes.
    pub(crate) fn take_over(
        &mut self,
        other: &Self,
        indices: &[u32],
        codes: &[u32],
        ledger: &mut Ledger,
        from: &Ledger,
    ) {
        let (mut slots, mut from_slots) = (Vec::new(), Vec::new());
        for &index in indices {
            let open = &other.opened[index as usize];
            for &slot in &open.slots {
                let code = codes[from.code(slot) as usize];
                slots.push(self.slot(open.pane.start, code, ledger));
                from_slots.push(slot);
            }
        }
        ledger.merge(&slots, from, &from_slots);
    }

    /// Where the earliest pane starts.
    pub(crate) fn earliest(&self) -> Option<i64> {
        self.indices.keys().min().copied()
    }

    /// The panes over which a window ends past `cut`, in order of time.
    pub(crate) fn past(&self, cut: i64) -> Vec<u32> {
        let open = |index: &u32| &self.opened[*index as usize].pane;
        let mut past: Vec<u32> =
            self.indices.values().filter(|index| cut < open(index).last_end).copied().collect();
        past.sort_unstable_by_key(|index| open(index).start);
        past
    }

    /// The codes of the groups in some panes.
    pub(crate) fn codes(&self, indices: &[u32], ledger: &Ledger) -> Vec<u32> {
        let slots = indices.iter().flat_map(|&index| &self.opened[index as usize].slots);
        slots.map(|&slot| ledger.code(slot)).collect()
    }

    /// Leaves the windows that end at or before `cut` to others.
    pub(crate) fn start_from(&mut self, cut: i64) {
        self.closed_to = self.closed_to.max(cut);
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

    /// The pane of a time, which rows are about to be taken into.
    #[inline]
    fn opened_at(&mut self, time: i64) -> Pane {
        let pane = self.at(time);
        if self.at_hand.is_some_and(|at_hand| at_hand.index.is_none()) {
            self.open(time);
        }
        pane
    }

    #[cold]
    fn open(&mut self, time: i64) -> u32 {
        let pane = self.at(time);
        let lane = self.geometry.lane(pane.start);
        self.lanes[lane].give(pane.start);
        let (slots, table) = (Vec::new(), CodeTable::default());
        let open = Open { pane, lane, slots, table, is_in_table: false };
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
    fn close_panes(&mut self, closing: i64) {
        for Open { pane, slots, .. } in self.take_panes(closing) {
            self.closed.push(ClosedWindow { start: pane.start, end: pane.end, slots });
        }
    }

    fn close_merged(&mut self, closing: i64, ledger: &mut Ledger) {
        let ends: BTreeSet<i64> = self
            .indices
            .values()
            .flat_map(|&index| {
                self.geometry.ends(&self.opened[index as usize].pane, self.closed_to, closing)
            })
            .collect();
        for end in ends {
            let slots = self.merge_window(end, None, ledger);
            self.closed.push(ClosedWindow { start: self.geometry.window_start(end), end, slots });
        }
    }

    /// Merges the panes of one window into new slots, of all groups or of `only` these (sorted); answers them.
    fn merge_window(&self, end: i64, only: Option<&[u32]>, ledger: &mut Ledger) -> Vec<u32> {
        let start = self.geometry.window_start(end);
        let mut merged = Vec::new();
        let mut targets = CodeTable::default();
        let (mut slots, mut from_slots) = (Vec::new(), Vec::new());
        let mut pane_start = start;
        while pane_start < end {
            if let Some(&index) = self.indices.get(&pane_start) {
                for &from in &self.opened[index as usize].slots {
                    let code = ledger.code(from);
                    if only.is_some_and(|only| only.binary_search(&code).is_err()) {
                        continue;
                    }
                    let target = targets.place(code);
                    if *target == VACANT {
                        *target = ledger.take(code);
                        merged.push(*target);
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
        merged
    }

    /// Frees the panes whose last window is closed.
    fn free_panes(&mut self, closing: i64, ledger: &mut Ledger) {
        let freed: Vec<u32> =
            self.take_panes(closing).into_iter().flat_map(|open| open.slots).collect();
        ledger.release(&freed);
    }

    /// Takes out the panes whose last window ends at or before `closing`, in order of time.
    fn take_panes(&mut self, closing: i64) -> Vec<Open> {
        let Self { indices, opened, vacant, lanes, .. } = self;
        let mut taken: Vec<Open> = Vec::new();
        indices.retain(|_, index| {
            let open = &mut opened[*index as usize];
            if closing < open.pane.last_end {
                return true;
            }
            lanes[open.lane].take_from(open.pane.start);
            let emptied = Open { slots: Vec::new(), table: CodeTable::default(), ..*open };
            taken.push(mem::replace(open, emptied));
            vacant.push(*index);
            false
        });
        taken.sort_unstable_by_key(|open| open.pane.start);
        taken
    }

    /// The first end past `after` of a window over an open pane.
    fn least_end(&self, after: i64) -> i64 {
        let panes = self.indices.values().map(|&index| &self.opened[index as usize].pane);
        let ends = panes.filter_map(|pane| self.geometry.ends(pane, after, i64::MAX).next());
        ends.min().unwrap_or(i64::MAX)
    }
}

/// The rows of a batch that were taken and not folded yet, with their slots.
#[derive(Debug)]
struct Taken {
    slots: Vec<u32>,
    /// The rows; `None` while they are the batch's first ones without a gap.
    picked: Option<Vec<u32>>,
}

impl Taken {
    fn new(feed: &Feed<'_>) -> Self {
        let slots = Vec::with_capacity(feed.count());
        Self { slots, picked: feed.present.map(|_| Vec::new()) }
    }

    /// Notes rows whose slots were pushed.
    fn pick(&mut self, rows: std::ops::Range<usize>) {
        if let Some(picked) = &mut self.picked {
            let bound = |row| u32::try_from(row).expect("batches have less than 2^32 rows");
            picked.extend(bound(rows.start)..bound(rows.end));
        }
    }

    /// Leaves a row out.
    fn skip(&mut self) {
        let before = self.slots.len();
        self.picked.get_or_insert_with(|| (0..).take(before).collect());
    }

    /// Folds the rows into their slots.
    fn fold(&mut self, feed: &Feed<'_>, ledger: &mut Ledger) {
        if self.slots.len() < feed.times.len() {
            self.skip();
        }
        ledger.fold(feed, self.picked.as_deref(), &self.slots);
        self.slots.clear();
        self.picked = Some(Vec::new());
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
