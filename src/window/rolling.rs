//! Rolling windows: every row answers what the rows of its key amount to, up to `size` behind it.
//!
//! Invariant: a row is answered once no row of its time or before can come, and rows are answered in order of
//! time; what is merged for one is what was there when the watermark passed it.

mod queue;

use std::mem;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_schema::SchemaRef;
use arrow_select::take::take;

use crate::window::WindowError;
use crate::window::group::Groups;
use crate::window::passage::Passage;
use crate::window::rolling::queue::Merges;
use crate::window::rolling::queue::Queue;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;

/// How many rows are answered at a time.
const ANSWERS_PER_BATCH: usize = 8_192;

/// A row that was not answered yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    time: i64,
    ordinal: u64,
    code: u32,
    held: u32,
    row: u32,
}

/// The columns of a batch some of whose rows are pending.
#[derive(Debug)]
struct Held {
    columns: Vec<Option<ArrayRef>>,
    times: Vec<i64>,
    first_ordinal: u64,
    pending: usize,
}

/// The rows of one operator with rolling windows.
#[derive(Debug)]
pub(crate) struct Rolling {
    size: i64,
    output: SchemaRef,
    held: Vec<Held>,
    vacant: Vec<u32>,
    /// Rows to answer; the first `sorted` of them by time and ordinal.
    pending: Vec<Pending>,
    sorted: usize,
    /// The earliest time that is pending.
    earliest: i64,
    /// The rows behind the answers of each code.
    queues: Vec<Queue>,
    closed: Vec<RecordBatch>,
    answered: u64,
    /// How many slots were live after the last sweep.
    swept_live: usize,
}

impl Rolling {
    pub(crate) fn new(size: i64, output: SchemaRef) -> Self {
        Self {
            size,
            output,
            held: Vec::new(),
            vacant: Vec::new(),
            pending: Vec::new(),
            sorted: 0,
            earliest: i64::MAX,
            queues: Vec::new(),
            closed: Vec::new(),
            answered: 0,
            swept_live: 0,
        }
    }

    /// Takes a batch in, every row of it.
    pub(crate) fn take_all(&mut self, feed: &Feed<'_>, ledger: &mut Ledger) {
        let held = self.hold(feed);
        for row in feed.rows() {
            self.wait(feed, row, held, ledger);
        }
        self.let_go(held, 1);
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
        let held = self.hold(feed);
        for row in feed.rows() {
            passage.arrive(row);
            let (time, code) = (feed.times[row as usize], feed.codes[row as usize]);
            let closing = passage.watermark.closing();
            if closing <= time {
                self.wait(feed, row, held, ledger);
            } else {
                let is_partly = closing < time + self.size;
                passage.late.add(row, time, passage.watermark.value(), 1, is_partly);
                if is_partly {
                    self.close(closing, ledger, groups)?;
                    let slot = ledger.take(code);
                    ledger.fold(feed, Some(&[row]), &[slot]);
                    self.queue(code).add_stray(time, slot);
                }
            }
            passage.watermark.observe(time);
        }
        passage.arrive_rest();
        self.let_go(held, 1);
        // Answers wait until they are many or asked for: sorting a few among many costs more than keeping them.
        if ANSWERS_PER_BATCH.max(self.sorted) <= self.pending.len() - self.sorted {
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
        if closing <= self.earliest && closing < i64::MAX {
            return Ok(());
        }
        let mut pending = mem::take(&mut self.pending);
        pending.sort_by_key(|row| (row.time, row.ordinal));
        let final_count = pending.partition_point(|row| row.time < closing);
        let (mut from, mut failure) = (0, Ok(()));
        while from < final_count {
            let to = end_of_time(&pending[..final_count], from + ANSWERS_PER_BATCH);
            let answer = self.answer(&pending[from..to], ledger, groups);
            from = to;
            match answer {
                Ok(answer) => self.closed.push(answer),
                Err(error) => {
                    failure = Err(error);
                    break;
                }
            }
        }
        pending.drain(..from);
        self.earliest = pending.first().map_or(i64::MAX, |row| row.time);
        self.sorted = pending.len();
        self.pending = pending;
        self.sweep(closing, ledger);
        failure
    }

    /// Takes in the rows of others; `codes` says which code of ours each of theirs is.
    pub(crate) fn merge(&mut self, other: Self, codes: &[u32], ledger: &mut Ledger) {
        let base = u32::try_from(self.held.len()).expect("memory ends before four billion batches");
        self.held.extend(other.held);
        self.vacant.extend(other.vacant.iter().map(|held| base + held));
        for row in other.pending {
            let code = codes[row.code as usize];
            ledger.hold(code);
            self.pending.push(Pending { code, held: base + row.held, ..row });
        }
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

    fn hold(&mut self, feed: &Feed<'_>) -> u32 {
        let held = Held {
            columns: feed.columns.clone(),
            times: feed.times.to_vec(),
            first_ordinal: feed.first_ordinal,
            // The batch itself, until all of its rows were seen.
            pending: 1,
        };
        if let Some(index) = self.vacant.pop() {
            self.held[index as usize] = held;
            return index;
        }
        self.held.push(held);
        u32::try_from(self.held.len() - 1).expect("memory ends before four billion batches")
    }

    #[inline]
    fn wait(&mut self, feed: &Feed<'_>, row: u32, held: u32, ledger: &mut Ledger) {
        let (time, code) = (feed.times[row as usize], feed.codes[row as usize]);
        let ordinal = feed.first_ordinal + u64::from(row);
        ledger.hold(code);
        self.held[held as usize].pending += 1;
        self.earliest = self.earliest.min(time);
        self.pending.push(Pending { time, ordinal, code, held, row });
    }

    /// Takes rows off a batch, and drops it after the last.
    fn let_go(&mut self, index: u32, count: usize) {
        let held = &mut self.held[index as usize];
        held.pending -= count;
        if held.pending == 0 {
            held.columns = Vec::new();
            held.times = Vec::new();
            self.vacant.push(index);
        }
    }

    fn queue(&mut self, code: u32) -> &mut Queue {
        if self.queues.len() <= code as usize {
            self.queues.resize_with(code as usize + 1, Queue::default);
        }
        &mut self.queues[code as usize]
    }

    /// Answers rows in order of time; rows of one time stand together.
    fn answer(
        &mut self,
        rows: &[Pending],
        ledger: &mut Ledger,
        groups: &Groups,
    ) -> Result<RecordBatch, WindowError> {
        let slots = self.fold(rows, ledger);
        let (size, mut merges) = (self.size, Merges::default());
        let mut answers = Vec::with_capacity(rows.len());
        for moment in rows.chunk_by(|a, b| a.time == b.time) {
            // Every row of a moment counts in the answers of all, so none is answered before the last is in.
            for (row, &slot) in moment.iter().zip(&slots[answers.len()..]) {
                self.queue(row.code).push(row.time, size, slot, row.code, ledger, &mut merges);
            }
            for row in moment {
                answers.push(self.queue(row.code).answer(row.time, row.code, ledger, &mut merges));
            }
        }
        ledger.merge_within(&merges.slots, &merges.from_slots);
        let batch = self.batch(rows, &answers, ledger, groups);
        answers.sort_unstable();
        answers.dedup();
        merges.freed.extend(answers);
        ledger.release(&merges.freed);
        for row in rows {
            ledger.unhold(row.code);
        }
        self.answered += rows.len() as u64;
        batch
    }

    /// Folds each row into a slot of its own.
    fn fold(&mut self, rows: &[Pending], ledger: &mut Ledger) -> Vec<u32> {
        let slots: Vec<u32> = rows.iter().map(|row| ledger.take(row.code)).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_unstable_by_key(|&index| (rows[index].held, rows[index].row));
        for of_batch in order.chunk_by(|&a, &b| rows[a].held == rows[b].held) {
            let index = rows[of_batch[0]].held;
            let held = &mut self.held[index as usize];
            let picked: Vec<u32> = of_batch.iter().map(|&index| rows[index].row).collect();
            let targets: Vec<u32> = of_batch.iter().map(|&index| slots[index]).collect();
            let feed = Feed {
                columns: mem::take(&mut held.columns),
                times: &held.times,
                codes: &[],
                present: None,
                first_ordinal: held.first_ordinal,
            };
            ledger.fold(&feed, Some(&picked), &targets);
            held.columns = feed.columns;
            self.let_go(index, of_batch.len());
        }
        slots
    }

    fn batch(
        &self,
        rows: &[Pending],
        answers: &[u32],
        ledger: &Ledger,
        groups: &Groups,
    ) -> Result<RecordBatch, WindowError> {
        let instants =
            |ticks: Int64Array| arrow_cast::cast(&ticks, self.output.field(0).data_type());
        let mut codes: Vec<u32> = rows.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        codes.dedup();
        let ranks = rows.iter().map(|row| {
            codes.binary_search(&row.code).ok().and_then(|rank| u32::try_from(rank).ok())
        });
        let ranks: UInt32Array = ranks.collect();
        let mut columns = vec![
            instants(rows.iter().map(|row| Some(row.time - self.size)).collect())?,
            instants(rows.iter().map(|row| Some(row.time)).collect())?,
        ];
        for column in groups.columns(&codes)? {
            columns.push(take(&column, &ranks, None)?);
        }
        columns.extend(ledger.finish(answers)?);
        Ok(RecordBatch::try_new(self.output.clone(), columns)?)
    }

    /// Frees the rows of keys that have been silent for long, once slots have doubled; at the end, of all.
    fn sweep(&mut self, closing: i64, ledger: &mut Ledger) {
        const WORTH_IT: usize = 1_024;
        let has_more = closing < i64::MAX;
        if has_more && ledger.live() < 2 * self.swept_live + WORTH_IT {
            return;
        }
        let before = closing.saturating_sub(self.size);
        let mut freed = Vec::new();
        for queue in &mut self.queues {
            queue.drop_if_before(before, &mut freed);
        }
        ledger.release(&freed);
        self.swept_live = ledger.live();
    }
}

/// The first index at or past `from` where another time begins.
fn end_of_time(rows: &[Pending], from: usize) -> usize {
    if rows.len() <= from {
        return rows.len();
    }
    let time = rows[from - 1].time;
    from + rows[from..].iter().take_while(|row| row.time == time).count()
}
