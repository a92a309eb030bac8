//! Bounded answers over batches: those of a table, and those that are read as they are needed and let go again, which may be
//! more than memory holds.

use std::sync::mpsc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::query::Answer;
use crate::query::GoOn;
use crate::query::QueryError;
use crate::query::keep;
use crate::query::parts;
use crate::query::parts::CHUNK_ROWS;
use crate::query::renamed;
use crate::query::with_row_numbers;
use crate::threads::Threads;
use crate::window::Arrivals;
use crate::window::Operator;
use crate::window::Order;
use crate::window::QuerySpec;

/// Rows of a batch that suit the windows: what they take in at once, and little memory where several threads read.
pub const BATCH_ROWS: usize = CHUNK_ROWS;

/// Batches that wait between whoever reads them and the windows.
const BATCHES_AHEAD: usize = 2;

/// Answers a query over a table's batches, by at most so many threads; the answer is the same for any number.
///
/// # Errors
///
/// The caller wants to stop, or the windows refuse.
pub fn collect_table(
    spec: QuerySpec,
    schema: &Schema,
    batches: &[RecordBatch],
    order: Order,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Answer, QueryError> {
    let first = Operator::new(spec, schema, order)?;
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let dividing = if first.is_divisible() { threads } else { Threads::ONE };
    let passes = parts::in_parts(rows, dividing, go_on, |part, go_on| {
        let mut operator = first.fresh()?;
        operator.use_threads(threads);
        operator.expect_rows(part.len() as u64);
        let mut pass = BatchPass::new(operator, part.start as u64);
        for (batch, start, count) in parts::chunks(batches.iter().map(RecordBatch::num_rows), part)
        {
            pass.push(&batches[batch].slice(start, count), go_on)?;
        }
        Ok(pass)
    })?;
    BatchPass::answer(passes)
}

/// Answers a query over batches as they come: a few of them are held at once, and rows are numbered through all.
///
/// With more than one thread, the next batches are read while the windows take one in.
///
/// # Errors
///
/// A batch cannot be read, the caller wants to stop, or the windows refuse.
pub fn collect_batches<E>(
    spec: QuerySpec,
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, E>> + Send,
    order: Order,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Answer, E>
where
    E: From<QueryError> + Send,
{
    let mut operator = Operator::new(spec, schema, order).map_err(QueryError::from)?;
    operator.use_threads(threads);
    let mut pass = BatchPass::new(operator, 0);
    if threads == Threads::ONE {
        pass.push_all(batches, go_on)?;
        return Ok(BatchPass::answer(vec![pass])?);
    }
    std::thread::scope(|scope| {
        let (tell, told) = mpsc::sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            for batch in batches {
                // Nobody takes batches any more once the windows have stopped.
                if tell.send(batch).is_err() {
                    break;
                }
            }
        });
        pass.push_all(told.into_iter(), go_on)
    })?;
    Ok(BatchPass::answer(vec![pass])?)
}

/// Answers a query over runs of batches, which follow each other and are read side by side, as [`collect_batches`] over all
/// of them; with each run comes the number of its first row.
///
/// # Errors
///
/// As [`collect_batches`].
pub fn collect_runs<E, B>(
    spec: QuerySpec,
    schema: &Schema,
    runs: Vec<(u64, B)>,
    order: Order,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Answer, E>
where
    B: Iterator<Item = Result<RecordBatch, E>> + Send,
    E: From<QueryError> + Send,
{
    let first = Operator::new(spec.clone(), schema, order).map_err(QueryError::from)?;
    if runs.len() < 2 || threads == Threads::ONE || !first.is_divisible() {
        let batches = runs.into_iter().flat_map(|(_, batches)| batches);
        return collect_batches(spec, schema, batches, order, threads, go_on);
    }
    let passes = parts::on_all(runs, go_on, |(first_row, batches), go_on| {
        let mut operator = first.fresh().map_err(QueryError::from)?;
        operator.use_threads(threads);
        let mut pass = BatchPass::new(operator, first_row);
        pass.push_all(batches, go_on)?;
        Ok::<_, E>(pass)
    })?;
    Ok(BatchPass::answer(passes)?)
}

/// One run of batches through a query, or a part of them.
struct BatchPass {
    operator: Operator,
    late: Vec<RecordBatch>,
    next_ordinal: u64,
}

impl BatchPass {
    fn new(operator: Operator, next_ordinal: u64) -> Self {
        Self { operator, late: Vec::new(), next_ordinal }
    }

    fn push_all<E: From<QueryError>>(
        &mut self,
        batches: impl Iterator<Item = Result<RecordBatch, E>>,
        go_on: GoOn<'_>,
    ) -> Result<(), E> {
        for batch in batches {
            self.push(&batch?, go_on)?;
        }
        Ok(())
    }

    fn push(&mut self, batch: &RecordBatch, go_on: GoOn<'_>) -> Result<(), QueryError> {
        for start in (0..batch.num_rows()).step_by(CHUNK_ROWS) {
            if !go_on() {
                return Err(QueryError::Stopped);
            }
            let chunk = batch.slice(start, CHUNK_ROWS.min(batch.num_rows() - start));
            // Batches have no arrival times: to an idle timeout their rows come all at once.
            self.operator.push(&chunk, self.next_ordinal, Arrivals::At(0))?;
            self.next_ordinal += chunk.num_rows() as u64;
            keep(&mut self.late, with_row_numbers(&self.operator.take_late()?)?);
        }
        Ok(())
    }

    /// Puts together what passes over consecutive runs of rows found.
    fn answer(passes: Vec<Self>) -> Result<Answer, QueryError> {
        let (mut late, mut operators) = (Vec::new(), Vec::new());
        for pass in passes {
            late.extend(pass.late);
            operators.push(pass.operator);
        }
        let (schema, late_schema) = (operators[0].output_schema(), operators[0].late_schema());
        let (windows, stats) = Operator::answer_together(operators)?;
        Ok(Answer {
            windows,
            schema,
            late,
            late_schema: renamed(&late_schema, "ordinal", "row"),
            malformed: Vec::new(),
            malformed_count: 0,
            stats,
        })
    }
}

#[cfg(test)]
mod tests;
