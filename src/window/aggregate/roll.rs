//! Rolling windows over the states of one aggregate: per key a queue of rows that always knows what they amount to.

use std::mem;
use std::mem::needs_drop;

use crate::window::aggregate::Roll;
use crate::window::aggregate::Rows;
use crate::window::aggregate::Step;
use crate::window::aggregate::fold::Fold;

/// The rows of one key behind its latest answer, in order of time.
///
/// Time is cut into stretches as long as the window, so that a window is the end of one stretch and the start of the next.
/// The rows up to `stacked`, those of earlier stretches, hold what they and their followers among them amount to; `rest` is
/// what the others amount to. So the whole is two states, rows leave in front without any merge, and what is merged
/// with what depends on the rows of the window alone.
#[derive(Debug)]
struct Queue<S> {
    /// The first `gone` of them have left; they make room when the next stretch begins.
    rows: Vec<S>,
    gone: usize,
    stacked: usize,
    rest: S,
    /// Rows that came after their own answer was due, with their times.
    strays: Vec<(i64, S)>,
}

impl<S: Default> Default for Queue<S> {
    fn default() -> Self {
        Self { rows: Vec::new(), gone: 0, stacked: 0, rest: S::default(), strays: Vec::new() }
    }
}

/// The queues of all keys.
#[derive(Debug)]
pub(super) struct Queues<S> {
    of_code: Vec<Queue<S>>,
    /// The states of rows that do not stand in their queues yet.
    rows: Vec<S>,
    answers: Vec<S>,
    /// The numbers from zero on: each row is folded into a state of its own.
    places: Vec<u32>,
}

impl<S> Default for Queues<S> {
    fn default() -> Self {
        Self { of_code: Vec::new(), rows: Vec::new(), answers: Vec::new(), places: Vec::new() }
    }
}

impl<S: Default> Queues<S> {
    /// Folds rows into states of their own, one after the other.
    pub(super) fn fold<F: Fold<Slot = S>>(&mut self, kernel: &mut F, feeds: &[(Rows<'_>, usize)]) {
        let count = feeds.iter().map(|&(_, count)| count).sum();
        if self.rows.len() < count {
            self.rows.resize_with(count, S::default);
            self.places
                .extend((self.places.len()..count).filter_map(|row| u32::try_from(row).ok()));
        }
        let mut states = self.rows.as_mut_slice();
        for &(rows, count) in feeds {
            let (of_feed, others) = states.split_at_mut(count);
            kernel.update(of_feed, rows, &self.places[..count]);
            states = others;
        }
    }

    /// Takes rows through the queues of their keys, and answers every step; one that nobody asks for is empty.
    pub(super) fn roll<F: Fold<Slot = S>>(&mut self, kernel: &mut F, roll: Roll<'_>) -> &[S] {
        let codes = roll.runs.iter().map(|run| run.code as usize + 1).max().unwrap_or(0);
        if self.of_code.len() < codes {
            self.of_code.resize_with(codes, Queue::default);
        }
        let mut steps = roll.steps;
        for run in roll.runs {
            let (of_run, others) = steps.split_at(run.count as usize);
            steps = others;
            let queue = &mut self.of_code[run.code as usize];
            if let Some(gone) = run.begins_after {
                queue.leave(gone as usize, kernel);
                queue.stack(kernel);
            }
            let rows = of_run.iter().map(|step| mem::take(&mut self.rows[step.place as usize]));
            let first = queue.rows.len();
            queue.rows.extend(rows);
            let answers = if roll.answers.is_empty() { None } else { Some(&mut self.answers) };
            if queue.strays.is_empty() {
                queue.step(first, of_run, answers, kernel);
            } else {
                queue.step_with_strays(first, of_run, answers, kernel);
            }
            queue.leave(of_run.last().map_or(0, |step| step.gone as usize), kernel);
        }
        &self.answers
    }

    /// Frees what was of use for the latest rows alone.
    pub(super) fn tidy<F: Fold<Slot = S>>(&mut self, kernel: &mut F) {
        self.rows.iter_mut().for_each(|row| kernel.clear(row));
        self.answers.iter_mut().for_each(|answer| kernel.clear(answer));
        self.answers.clear();
    }

    /// Adds a row that has no answer of its own: the one that was folded.
    pub(super) fn add_stray(&mut self, code: u32, time: i64) {
        let code = code as usize;
        if self.of_code.len() <= code {
            self.of_code.resize_with(code + 1, Queue::default);
        }
        self.of_code[code].strays.push((time, mem::take(&mut self.rows[0])));
    }

    /// Empties the queues of keys.
    pub(super) fn clear<F: Fold<Slot = S>>(&mut self, kernel: &mut F, codes: &[u32]) {
        for &code in codes {
            if let Some(queue) = self.of_code.get_mut(code as usize) {
                queue.states_mut().for_each(|state| kernel.clear(state));
                *queue = Queue::default();
            }
        }
    }

    /// Every state there is.
    pub(super) fn states_mut(&mut self) -> impl Iterator<Item = &mut S> {
        let own = self.rows.iter_mut().chain(&mut self.answers);
        own.chain(self.of_code.iter_mut().flat_map(Queue::states_mut))
    }

    pub(super) fn bytes<F: Fold<Slot = S>>(&self) -> usize {
        let held = self.of_code.iter().flat_map(|queue| {
            let strays = queue.strays.iter().map(|(_, state)| state);
            queue.rows.iter().chain(strays).chain([&queue.rest])
        });
        let of_rows: usize = held.map(|state| size_of::<S>() + F::slot_bytes(state)).sum();
        of_rows + self.rows.capacity() * size_of::<S>()
    }
}

impl<S: Default> Queue<S> {
    /// Lets rows leave in front, up to a place.
    #[inline]
    fn leave<F: Fold<Slot = S>>(&mut self, gone: usize, kernel: &mut F) {
        let before = mem::replace(&mut self.gone, gone);
        // States that hold nothing beside themselves may stay as they are.
        if needs_drop::<S>() {
            self.rows[before..self.gone].iter_mut().for_each(|row| kernel.clear(row));
        }
    }

    /// Makes every row hold what it and its followers amount to.
    fn stack<F: Fold<Slot = S>>(&mut self, kernel: &mut F) {
        self.rows.drain(..self.gone);
        self.gone = 0;
        let mut rows = self.rows.as_mut_slice();
        while let [before @ .., row, follower] = rows {
            kernel.combine(row, follower);
            let left = before.len() + 1;
            rows = &mut rows[..left];
        }
        self.stacked = self.rows.len();
        kernel.clear(&mut self.rest);
    }

    /// Goes through rows that stand in the queue from `first` on, and adds what each step asks for to the answers.
    #[inline]
    fn step<F: Fold<Slot = S>>(
        &mut self,
        first: usize,
        steps: &[Step],
        answers: Option<&mut Vec<S>>,
        kernel: &mut F,
    ) {
        let (stacked, rows) = (&self.rows[..self.stacked], &self.rows[first..]);
        // Out of the queue's memory, so that no row waits for what the one before has stored.
        let mut rest = mem::take(&mut self.rest);
        let Some(answers) = answers else {
            for row in rows {
                kernel.combine(&mut rest, row);
            }
            self.rest = rest;
            return;
        };
        let nexts = steps.iter().skip(1).map(|next| next.last_out).chain([i64::MAX]);
        answers.extend(steps.iter().zip(rows).zip(nexts).map(|((step, row), next)| {
            kernel.combine(&mut rest, row);
            let mut answer = S::default();
            if step.last_out != next {
                if let Some(stack) = stacked.get(step.gone as usize) {
                    kernel.combine(&mut answer, stack);
                }
                kernel.combine(&mut answer, &rest);
            }
            answer
        }));
        self.rest = rest;
    }

    /// The same where strays are in the windows, row by row.
    #[cold]
    fn step_with_strays<F: Fold<Slot = S>>(
        &mut self,
        first: usize,
        steps: &[Step],
        mut answers: Option<&mut Vec<S>>,
        kernel: &mut F,
    ) {
        for (index, step) in steps.iter().enumerate() {
            self.leave_strays(step.last_out, kernel);
            self.step(first + index, &steps[index..=index], answers.as_deref_mut(), kernel);
            if let Some(answer) = answers.as_deref_mut().and_then(|answers| answers.last_mut()) {
                self.strays.iter().for_each(|(_, stray)| kernel.combine(answer, stray));
            }
        }
    }

    /// Lets strays leave whose time is `last_out` or before.
    fn leave_strays<F: Fold<Slot = S>>(&mut self, last_out: i64, kernel: &mut F) {
        self.strays.retain_mut(|(time, row)| {
            let stays = last_out < *time;
            if !stays {
                kernel.clear(row);
            }
            stays
        });
    }

    fn states_mut(&mut self) -> impl Iterator<Item = &mut S> {
        let strays = self.strays.iter_mut().map(|(_, state)| state);
        self.rows.iter_mut().chain(strays).chain([&mut self.rest])
    }
}
