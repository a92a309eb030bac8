//! The times in the rolling window of each key, and what each row makes of the queues behind them.

#![expect(
    clippy::cast_possible_truncation,
    reason = "memory ends before a queue has four billion rows, and slices have far fewer"
)]

use crate::window::aggregate::Run;
use crate::window::aggregate::Step;
use crate::window::rolling::gather::Waiting;

/// The times of one key's rows that may be in windows to come.
#[derive(Debug)]
struct KeyTimes {
    /// In order; the first `gone` of them have left.
    rows: Vec<i64>,
    gone: usize,
    /// Those of rows without an answer of their own, in no order.
    strays: Vec<i64>,
    /// Where the stretch of time ends that the latest row is in.
    stretch_end: i64,
    is_held: bool,
}

impl Default for KeyTimes {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            gone: 0,
            strays: Vec::new(),
            stretch_end: i64::MIN,
            is_held: false,
        }
    }
}

/// How many lanes the steps of one key are looked at in, and how long each is at least.
const LANES: usize = 4;
const LANE_MIN: usize = if cfg!(test) { 2 } else { 16 };

impl KeyTimes {
    fn count(&self) -> usize {
        self.rows.len() - self.gone + self.strays.len()
    }

    /// Takes in steps that lie within one stretch of time, and tells each how many rows are gone by then.
    fn take(&mut self, steps: &mut [Step], size: i64) {
        self.rows.extend(steps.iter().map(|step| step.last_out + size));
        let length = steps.len() / LANES;
        let (lanes, others) =
            steps.split_at_mut(if length < LANE_MIN { 0 } else { LANES * length });
        self.take_in_lanes(lanes, length);
        for step in others {
            self.gone = leave(&self.rows, self.gone, step.last_out);
            step.gone = self.gone as u32;
        }
    }

    /// Tells so many steps in each lane how many rows are gone by then. What a step finds is where the next one looks, so
    /// that several lanes wait at once.
    fn take_in_lanes(&mut self, steps: &mut [Step], length: usize) {
        let mut lanes = steps.chunks_exact_mut(length.max(1));
        let [Some(first), Some(second), Some(third), Some(fourth)] =
            std::array::from_fn(|_| lanes.next())
        else {
            return;
        };
        let behind = &self.rows[self.gone..];
        let find =
            |lane: &[Step]| self.gone + behind.partition_point(|&time| time <= lane[0].last_out);
        let mut gone = [self.gone, find(second), find(third), find(fourth)];
        for (((first, second), third), fourth) in
            first.iter_mut().zip(second).zip(third).zip(fourth)
        {
            for (step, gone) in [first, second, third, fourth].into_iter().zip(&mut gone) {
                *gone = leave(&self.rows, *gone, step.last_out);
                step.gone = *gone as u32;
            }
        }
        self.gone = gone[LANES - 1];
    }

    /// Begins a stretch of time with the one that a row is in; answers how many rows have left before.
    fn begin(&mut self, last_out: i64, size: i64) -> u32 {
        let gone = leave(&self.rows, self.gone, last_out);
        self.rows.drain(..gone);
        self.gone = 0;
        self.stretch_end = ((last_out + size).div_euclid(size) + 1).saturating_mul(size);
        gone as u32
    }
}

/// How many rows have left when those up to a time have to, where `gone` of them have left before.
#[inline]
fn leave(rows: &[i64], mut gone: usize, last_out: i64) -> usize {
    // Up to four leave as a rule, and no guess how many would hold: so four are looked at in any case, all at once.
    while let Some(next) = rows.get(gone..).and_then(<[i64]>::first_chunk::<4>) {
        let leaving = next.iter().map(|&time| usize::from(time <= last_out)).sum::<usize>();
        gone += leaving;
        if leaving < next.len() {
            return gone;
        }
    }
    while rows.get(gone).is_some_and(|&time| time <= last_out) {
        gone += 1;
    }
    gone
}

/// The times of all keys.
#[derive(Debug)]
pub(super) struct Times {
    size: i64,
    of_code: Vec<KeyTimes>,
    /// How many rows there are.
    count: usize,
    /// The rank of each code among those of a slice; `UNSEEN` for codes that it has not.
    rank_of: Vec<u32>,
}

const UNSEEN: u32 = u32::MAX;

/// What rows of one slice do, key after key.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) runs: Vec<Run>,
    pub(super) taken: Vec<Step>,
    /// Which step answers which row.
    pub(super) answers: Vec<u32>,
    /// The codes of the slice, each once, and which of them each row has.
    pub(super) codes: Vec<u32>,
    pub(super) ranks: Vec<u32>,
    /// Codes that came to have rows.
    pub(super) begun: Vec<u32>,
    /// Where the steps of each code end, as far as they are there.
    ends: Vec<u32>,
}

impl Times {
    pub(super) fn new(size: i64) -> Self {
        Self { size, of_code: Vec::new(), count: 0, rank_of: Vec::new() }
    }

    /// How many rows are kept.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes rows in, in order of time; the last one of its key at a time answers for all of them.
    pub(super) fn take(&mut self, rows: &[Waiting], places: &[u32], steps: &mut Steps) {
        self.rank(rows, steps);
        self.deal(rows, places, steps);
        steps.runs.clear();
        steps.begun.clear();
        let (mut taken, mut has_equals) = (steps.taken.as_mut_slice(), false);
        let mut start = 0;
        for (&code, &end) in steps.codes.iter().zip(&steps.ends) {
            let (of_code, others) = taken.split_at_mut((end - start) as usize);
            has_equals |= of_code.windows(2).any(|pair| pair[0].last_out == pair[1].last_out);
            if self.step(code, of_code, &mut steps.runs) {
                steps.begun.push(code);
            }
            (taken, start) = (others, end);
        }
        if has_equals {
            steps.share_answers();
        }
    }

    /// Notes a row without an answer of its own; tells whether its key had none.
    pub(super) fn add_stray(&mut self, code: u32, time: i64) -> bool {
        self.count += 1;
        let times = self.of_code(code);
        times.strays.push(time);
        !std::mem::replace(&mut times.is_held, true)
    }

    /// Forgets the keys that have nothing after `time`, and answers them.
    pub(super) fn forget_before(&mut self, time: i64) -> Vec<u32> {
        let mut forgotten = Vec::new();
        for (code, times) in (0..).zip(&mut self.of_code) {
            let is_past = |row: &i64| *row <= time;
            let is_silent =
                times.rows.last().is_none_or(is_past) && times.strays.iter().all(is_past);
            if times.is_held && is_silent {
                self.count -= times.count();
                *times = KeyTimes::default();
                forgotten.push(code);
            }
        }
        forgotten
    }

    #[inline]
    fn of_code(&mut self, code: u32) -> &mut KeyTimes {
        let code = code as usize;
        if self.of_code.len() <= code {
            self.of_code.resize_with(code + 1, KeyTimes::default);
        }
        &mut self.of_code[code]
    }

    /// Numbers the codes of rows as they come, and counts the rows of each.
    fn rank(&mut self, rows: &[Waiting], steps: &mut Steps) {
        let size = rows.iter().map(|row| row.code as usize + 1).max().unwrap_or(0);
        if self.rank_of.len() < size {
            self.rank_of.resize(size, UNSEEN);
        }
        let Steps { codes, ranks, ends, .. } = steps;
        codes.clear();
        ranks.clear();
        ends.clear();
        ranks.extend(rows.iter().map(|row| {
            let rank = &mut self.rank_of[row.code as usize];
            if *rank == UNSEEN {
                *rank = codes.len() as u32;
                codes.push(row.code);
                ends.push(0);
            }
            ends[*rank as usize] += 1;
            *rank
        }));
        for &code in codes.iter() {
            self.rank_of[code as usize] = UNSEEN;
        }
    }

    /// Deals rows out to their codes, so that those of one code stand together.
    fn deal(&self, rows: &[Waiting], places: &[u32], steps: &mut Steps) {
        let mut start = 0;
        for end in &mut steps.ends {
            start += std::mem::replace(end, start);
        }
        steps.taken.resize(rows.len(), Step { last_out: 0, place: 0, gone: 0 });
        steps.answers.clear();
        let Steps { taken, ends, .. } = steps;
        let rows = rows.iter().zip(places).zip(&steps.ranks);
        steps.answers.extend(rows.map(|((row, &place), &rank)| {
            let end = &mut ends[rank as usize];
            let at = *end;
            *end += 1;
            taken[at as usize] = Step { last_out: row.time - self.size, place, gone: 0 };
            at
        }));
    }

    /// Takes the rows of one key in, stretch by stretch; tells whether it had none.
    fn step(&mut self, code: u32, mut steps: &mut [Step], runs: &mut Vec<Run>) -> bool {
        let size = self.size;
        let times = self.of_code(code);
        let before = times.count();
        while let Some(&first) = steps.first() {
            let time = first.last_out + size;
            let begins = times.stretch_end <= time;
            let begins_after = begins.then(|| times.begin(first.last_out, size));
            let stretch_end = times.stretch_end;
            let count = steps.partition_point(|step| step.last_out + size < stretch_end);
            let (in_stretch, others) = steps.split_at_mut(count);
            times.take(in_stretch, size);
            runs.push(Run { code, count: count as u32, begins_after });
            if let (Some(last), false) = (in_stretch.last(), times.strays.is_empty()) {
                times.strays.retain(|&time| last.last_out < time);
            }
            steps = others;
        }
        let is_first = !std::mem::replace(&mut times.is_held, true);
        let after = times.count();
        self.count = self.count + after - before;
        is_first
    }
}

impl Steps {
    /// Leaves the answers of each key at one moment to the last of its rows.
    #[cold]
    fn share_answers(&mut self) {
        let mut latest: Vec<u32> = (0..).take(self.taken.len()).collect();
        let mut end = self.taken.len();
        for run in self.runs.iter().rev() {
            let start = end - run.count as usize;
            for at in (start + 1..end).rev() {
                if self.taken[at - 1].last_out == self.taken[at].last_out {
                    latest[at - 1] = latest[at];
                }
            }
            end = start;
        }
        self.answers.iter_mut().for_each(|answer| *answer = latest[*answer as usize]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Steps say what counting the rows of every window says, in one slice or many, with keys of many rows and of few.
        #[test]
        fn steps_know_which_rows_are_in_their_windows(
            rows in prop::collection::vec((prop_oneof![4 => Just(0_i64), 4 => 0..3_i64, 1 => 0..90_i64], 0..4_u32), 1..400),
            start in -300..300_i64,
            size in 1..120_i64,
            slice_rows in 1..300_usize,
        ) {
            let mut time = start;
            let rows = rows.into_iter().zip(0..).map(|((step, code), ordinal)| {
                time += step;
                // Codes 0, 0, 2 and 6: half of the rows have one key.
                Waiting { time, ordinal, code: code * code.saturating_sub(1), block: 0 }
            });
            let rows: Vec<Waiting> = rows.collect();
            let (mut times, mut steps) = (Times::new(size), Steps::default());
            let mut queues = vec![Vec::new(); 7];
            let mut from = 0;
            while from < rows.len() {
                // A moment is never parted.
                let mut to = (from + slice_rows).min(rows.len());
                while to < rows.len() && rows[to].time == rows[to - 1].time {
                    to += 1;
                }
                let places: Vec<u32> = (0..).take(to - from).collect();
                times.take(&rows[from..to], &places, &mut steps);
                let mut windows = vec![Vec::new(); to - from];
                let mut at = 0;
                for run in &steps.runs {
                    let queue = &mut queues[run.code as usize];
                    if let Some(gone) = run.begins_after {
                        queue.drain(..gone as usize);
                    }
                    for _ in 0..run.count {
                        let Step { last_out, place, gone } = steps.taken[at];
                        let row = rows[from + place as usize];
                        prop_assert_eq!((row.code, row.time - size), (run.code, last_out));
                        queue.push(row.ordinal);
                        windows[at] = queue[gone as usize..].to_vec();
                        at += 1;
                    }
                }
                for (row, &answer) in rows[from..to].iter().zip(&steps.answers) {
                    // Those of later rows are negative.
                    let is_in = |other: &&Waiting| {
                        other.code == row.code && (0..size).contains(&(row.time - other.time))
                    };
                    let expected: Vec<u64> = rows[..to].iter().filter(is_in).map(|other| other.ordinal).collect();
                    let later = |other: &&Waiting| other.code == row.code && other.time == row.time;
                    let last = rows[..to].iter().rfind(later).map(|other| other.ordinal);
                    prop_assert_eq!(windows[answer as usize].last().copied(), last);
                    prop_assert_eq!(&windows[answer as usize], &expected);
                    let rank = steps.ranks[usize::try_from(row.ordinal).unwrap() - from];
                    prop_assert_eq!(steps.codes[rank as usize], row.code);
                }
                from = to;
            }
        }
    }
}
