//! Rolling windows: every row answers what the rows of its key amount to, up to `size` behind it.
//!
//! Invariant: a row is answered once no row of its time or before can come, and rows are answered in order of
//! time; what is merged for one is what was there when the watermark passed it.

mod block;
mod gather;
mod march;
mod part;
mod times;

use std::collections::VecDeque;
use std::mem;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::threads::Threads;
use crate::window::WindowError;
use crate::window::group::Groups;
use crate::window::passage::Passage;
use crate::window::rolling::block::Block;
use crate::window::rolling::gather::SLICE_ROWS;
use crate::window::rolling::gather::cuts;
use crate::window::rolling::march::March;
use crate::window::rolling::times::Times;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;

/// An answer, or why there is none.
type Outcome = Result<RecordBatch, WindowError>;

/// The rows of one operator with rolling windows.
#[derive(Debug)]
pub(crate) struct Rolling {
    size: i64,
    output: SchemaRef,
    threads: Threads,
    /// The rows to answer.
    blocks: Vec<Block>,
    /// How many they are, and how many they were after the latest answers.
    pending: usize,
    left: usize,
    /// The earliest time that is pending.
    earliest: i64,
    /// The rows behind the answers of each code.
    times: Times,
    /// What was computed and not looked at yet.
    outcomes: VecDeque<Outcome>,
    closed: Vec<RecordBatch>,
    answered: u64,
    /// How many rows stood in queues after the last sweep.
    swept_count: usize,
}

impl Rolling {
    pub(crate) fn new(size: i64, output: SchemaRef) -> Self {
        Self {
            size,
            output,
            threads: Threads::ONE,
            blocks: Vec::new(),
            pending: 0,
            left: 0,
            earliest: i64::MAX,
            times: Times::new(size),
            outcomes: VecDeque::new(),
            closed: Vec::new(),
            answered: 0,
            swept_count: 0,
        }
    }

    /// Lets the last answers be computed on several threads.
    pub(crate) fn use_threads(&mut self, threads: Threads) {
        self.threads = threads;
    }

    /// Takes a batch in, every row of it.
    pub(crate) fn take_all(&mut self, feed: &Feed<'_>, ledger: &mut Ledger) {
        self.wait(feed, feed.rows().collect(), ledger);
    }

    /// Takes a batch in row by row against the watermark.
    ///
    /// A row before the watermark whose own answer is gone still counts in those to come.
    pub(crate) fn take_in_time(
        &mut self,
        feed: &Feed<'_>,
        ledger: &mut Ledger,
        groups: &Groups,
        passage: &mut Passage<'_>,
    ) -> Result<(), WindowError> {
        let mut waiting = Vec::with_capacity(feed.count());
        for row in feed.rows() {
            passage.arrive(row);
            let (time, code) = (feed.times[row as usize], feed.codes[row as usize]);
            let closing = passage.watermark.closing();
            if closing <= time {
                waiting.push(row);
            } else {
                let is_partly = closing < time + self.size;
                passage.late.add(row, time, passage.watermark.value(), 1, is_partly);
                if is_partly {
                    self.wait(feed, mem::take(&mut waiting), ledger);
                    self.close(closing, ledger, groups)?;
                    ledger.add_stray(feed, row);
                    if self.times.add_stray(code, time) {
                        ledger.hold(code);
                    }
                }
            }
            passage.watermark.observe(time);
        }
        passage.arrive_rest();
        self.wait(feed, waiting, ledger);
        // Answers wait until they are many or asked for, so that few rows are not looked at over and over.
        if SLICE_ROWS.max(self.left) <= self.pending - self.left {
            self.close(passage.watermark.closing(), ledger, groups)?;
        }
        Ok(())
    }

    /// Answers every row before `closing`; rows whose answers fail are gone with the error.
    pub(crate) fn close(
        &mut self,
        closing: i64,
        ledger: &mut Ledger,
        groups: &Groups,
    ) -> Result<(), WindowError> {
        if self.earliest < closing || closing == i64::MAX {
            let outcomes = self.answer(closing, ledger, groups);
            self.outcomes.extend(outcomes);
            self.forget(closing, ledger);
            self.sweep(closing, ledger);
        }
        while let Some(outcome) = self.outcomes.pop_front() {
            self.closed.push(outcome?);
        }
        Ok(())
    }

    /// Takes in the rows of others; `codes` says which code of ours each of theirs is.
    pub(crate) fn merge(&mut self, other: Self, codes: &[u32], ledger: &mut Ledger) {
        for mut block in other.blocks {
            block.translate(codes, ledger);
            self.blocks.push(block);
        }
        self.pending += other.pending;
        self.earliest = self.earliest.min(other.earliest);
    }

    /// Gives away the answers.
    pub(crate) fn take_closed(&mut self) -> Vec<RecordBatch> {
        mem::take(&mut self.closed)
    }

    /// How many rows were answered, ever.
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    /// How many answered rows are kept for answers to come.
    pub(crate) fn kept(&self) -> usize {
        self.times.count()
    }

    fn wait(&mut self, feed: &Feed<'_>, rows: Vec<u32>, ledger: &mut Ledger) {
        if rows.is_empty() {
            return;
        }
        self.pending += rows.len();
        let block = Block::new(feed, rows, ledger);
        self.earliest = block.earliest().map_or(self.earliest, |time| time.min(self.earliest));
        self.blocks.push(block);
    }

    /// Computes the answers before `closing`.
    fn answer(&mut self, closing: i64, ledger: &mut Ledger, groups: &Groups) -> Vec<Outcome> {
        let cuts = cuts(&self.blocks, closing);
        if self.is_worth_threads(&cuts) {
            return self.answer_on_threads(&cuts, ledger, groups);
        }
        let mut march = March {
            blocks: &self.blocks,
            size: self.size,
            output: &self.output,
            groups,
            times: &mut self.times,
            ledger,
        };
        let (outcomes, begun) = march.go(i64::MIN, &cuts, 0);
        for code in begun {
            ledger.hold(code);
        }
        outcomes
    }

    /// Whether threads would compute more than what each needs of the rows of the one before.
    fn is_worth_threads(&self, cuts: &[i64]) -> bool {
        const SLICES_MIN: usize = 8;
        let (first, last) = (cuts[0], cuts[cuts.len().saturating_sub(2)]);
        let parts = i64::try_from(2 * self.threads.count()).unwrap_or(i64::MAX);
        self.threads != Threads::ONE
            && SLICES_MIN <= cuts.len()
            && self.times.count() == 0
            && self.size < last.saturating_sub(first) / parts
    }

    /// Computes the answers on a stretch of time a thread, which begins with the rows of one size before.
    fn answer_on_threads(&self, cuts: &[i64], ledger: &Ledger, groups: &Groups) -> Vec<Outcome> {
        let answers = self.threads.in_parts(cuts.len(), 1, |part| {
            let (mut times, mut ledger) = (Times::new(self.size), ledger.fresh());
            let mut march = March {
                blocks: &self.blocks,
                size: self.size,
                output: &self.output,
                groups,
                times: &mut times,
                ledger: &mut ledger,
            };
            // What a part answers begins where the part before ends; its windows reach back a size.
            let start = part.start.checked_sub(1).map(|before| cuts[before]);
            let from = start.map_or(i64::MIN, |start| start - self.size + 1);
            let warm = cuts.partition_point(|&cut| cut <= from);
            march.go(from, &cuts[warm..part.end], part.start.saturating_sub(warm)).0
        });
        answers.into_iter().flatten().collect()
    }

    /// Forgets what was answered.
    fn forget(&mut self, closing: i64, ledger: &mut Ledger) {
        self.blocks.retain_mut(|block| {
            let is_done = block.answer_to(closing);
            if is_done {
                block.unhold(ledger);
            }
            !is_done
        });
        let left = self.blocks.iter().map(|block| block.waiting().len()).sum();
        self.answered += (self.pending - left) as u64;
        (self.pending, self.left) = (left, left);
        self.earliest = self.blocks.iter().filter_map(Block::earliest).min().unwrap_or(i64::MAX);
    }

    /// Frees the rows of keys that have been silent for long, once rows have doubled; at the end, of all.
    fn sweep(&mut self, closing: i64, ledger: &mut Ledger) {
        const WORTH_IT: usize = 1_024;
        let has_more = closing < i64::MAX;
        if has_more && self.times.count() < 2 * self.swept_count + WORTH_IT {
            return;
        }
        let forgotten = self.times.forget_before(closing.saturating_sub(self.size));
        ledger.clear_rolling(&forgotten);
        for code in forgotten {
            ledger.unhold(code);
        }
        self.swept_count = self.times.count();
    }
}

#[cfg(test)]
mod tests;
