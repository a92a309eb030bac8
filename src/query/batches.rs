//! Bounded answers over batches that are read as they are needed and let go again: files and streams larger than memory.

use std::sync::mpsc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::query::Answer;
use crate::query::CHUNK_ROWS;
use crate::query::QueryError;
use crate::query::keep;
use crate::query::renamed;
use crate::query::with_row_numbers;
use crate::threads::Threads;
use crate::window::Arrivals;
use crate::window::Operator;
use crate::window::Order;
use crate::window::QuerySpec;

/// Batches that wait between whoever reads them and the windows.
const BATCHES_AHEAD: usize = 2;

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
    mut go_on: impl FnMut() -> bool,
) -> Result<Answer, E>
where
    E: From<QueryError> + Send,
{
    let mut pass = BatchPass::new(spec, schema, order)?;
    if threads == Threads::ONE {
        pass.push_all(batches, &mut go_on)?;
        return Ok(pass.answer()?);
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
        pass.push_all(told.into_iter(), &mut go_on)
    })?;
    Ok(pass.answer()?)
}

/// One run of batches through a query.
struct BatchPass {
    operator: Operator,
    late: Vec<RecordBatch>,
    next_ordinal: u64,
}

impl BatchPass {
    fn new(spec: QuerySpec, schema: &Schema, order: Order) -> Result<Self, QueryError> {
        let operator = Operator::new(spec, schema, order)?;
        Ok(Self { operator, late: Vec::new(), next_ordinal: 0 })
    }

    fn push_all<E: From<QueryError>>(
        &mut self,
        batches: impl Iterator<Item = Result<RecordBatch, E>>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), E> {
        for batch in batches {
            self.push(&batch?, go_on)?;
        }
        Ok(())
    }

    fn push(
        &mut self,
        batch: &RecordBatch,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), QueryError> {
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

    fn answer(mut self) -> Result<Answer, QueryError> {
        self.operator.finish()?;
        let mut windows = Vec::new();
        keep(&mut windows, self.operator.take_closed()?);
        Ok(Answer {
            windows,
            schema: self.operator.output_schema(),
            late: self.late,
            late_schema: renamed(&self.operator.late_schema(), "ordinal", "row"),
            malformed: Vec::new(),
            malformed_count: 0,
            stats: *self.operator.stats(),
        })
    }
}

#[cfg(test)]
mod tests;
