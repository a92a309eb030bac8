//! The times in the rolling window of each key, and what each row makes of the queues behind them.

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
    /// The latest row of the slice, while its steps are made.
    latest: u32,
    is_held: bool,
}

impl Default for KeyTimes {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            gone: 0,
            strays: Vec::new(),
            stretch_end: i64::MIN,
            latest: 0,
            is_held: false,
        }
    }
}

impl KeyTimes {
    /// Lets rows leave whose time is `last_out` or before; answers how many.
    #[inline]
    fn leave(&mut self, last_out: i64) -> usize {
        let before = self.gone;
        // None, one or two rows leave as a rule, and no guess which of these would hold: so two are looked at in any case.
        for _ in 0..2 {
            if let Some(&time) = self.rows.get(self.gone) {
                self.gone += usize::from(time <= last_out);
            }
        }
        while self.rows.get(self.gone).is_some_and(|&time| time <= last_out) {
            self.gone += 1;
        }
        self.gone - before
    }
}

/// The times of all keys.
#[derive(Debug)]
pub(super) struct Times {
    size: i64,
    of_code: Vec<KeyTimes>,
    /// How many rows there are.
    count: usize,
}

/// What rows of one slice do, one after the other.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) taken: Vec<Step>,
    /// Which answer is whose, by row.
    pub(super) answers: Vec<u32>,
    /// Codes that came to have rows.
    pub(super) begun: Vec<u32>,
}

impl Times {
    pub(super) fn new(size: i64) -> Self {
        Self { size, of_code: Vec::new(), count: 0 }
    }

    /// How many rows are kept.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes rows in, in order of time; the last one of its key at a time answers for all of them.
    pub(super) fn take(&mut self, rows: &[Waiting], places: &[u32], steps: &mut Steps) {
        steps.taken.clear();
        steps.answers.clear();
        steps.begun.clear();
        let mut answered = 0;
        for moment in rows.chunk_by(|a, b| a.time == b.time) {
            let from = steps.taken.len();
            for row in moment {
                let place = places[steps.taken.len()];
                let step = self.push(row, place, &mut steps.begun);
                steps.taken.push(step);
            }
            if let [_] = moment {
                steps.answers.push(answered);
                answered += 1;
            } else {
                answered = self.share_answers(moment, from, answered, steps);
            }
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
                self.count -= times.rows.len() - times.gone + times.strays.len();
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

    #[inline]
    fn push(&mut self, row: &Waiting, place: u32, begun: &mut Vec<u32>) -> Step {
        let size = self.size;
        let times = self.of_code(row.code);
        let last_out = row.time - size;
        let mut leaving = times.leave(last_out);
        let of_queue = leaving;
        if !times.strays.is_empty() {
            let before = times.strays.len();
            times.strays.retain(|&time| last_out < time);
            leaving += before - times.strays.len();
        }
        let begins = times.stretch_end <= row.time;
        if begins {
            times.stretch_end = (row.time.div_euclid(size) + 1).saturating_mul(size);
            times.rows.drain(..times.gone);
            times.gone = 0;
        }
        if !std::mem::replace(&mut times.is_held, true) {
            begun.push(row.code);
        }
        times.rows.push(row.time);
        self.count = self.count + 1 - leaving;
        let leaving = u32::try_from(of_queue).expect("memory ends before four billion rows");
        Step { code: row.code, place, leaving, begins, answers: true, last_out }
    }

    /// Leaves the answer of each key at one moment to its last row; answers how many answers there are then.
    #[cold]
    fn share_answers(
        &mut self,
        moment: &[Waiting],
        from: usize,
        mut answered: u32,
        steps: &mut Steps,
    ) -> u32 {
        for (index, row) in (0..).zip(moment) {
            self.of_code(row.code).latest = index;
        }
        steps.answers.resize(from + moment.len(), 0);
        for (index, row) in (0..).zip(moment) {
            let at = from + index as usize;
            steps.taken[at].answers = self.of_code(row.code).latest == index;
            if steps.taken[at].answers {
                steps.answers[at] = answered;
                answered += 1;
            }
        }
        for (index, row) in moment.iter().enumerate() {
            let latest = self.of_code(row.code).latest as usize;
            steps.answers[from + index] = steps.answers[from + latest];
        }
        answered
    }
}
