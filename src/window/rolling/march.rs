//! A march forward in time over the rows of rolling windows: slice by slice they are taken in and answered.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_schema::SchemaRef;
use arrow_select::take::take;

use crate::window::WindowError;
use crate::window::aggregate::Roll;
use crate::window::group::Groups;
use crate::window::rolling::block::Block;
use crate::window::rolling::gather::Gather;
use crate::window::rolling::gather::Waiting;
use crate::window::rolling::part::parts;
use crate::window::rolling::times::Steps;
use crate::window::rolling::times::Times;
use crate::window::slot::Ledger;

/// What a march needs to know and to remember.
#[derive(Debug)]
pub(super) struct March<'a> {
    pub(super) blocks: &'a [Block],
    pub(super) size: i64,
    pub(super) output: &'a SchemaRef,
    pub(super) groups: &'a Groups,
    pub(super) times: &'a mut Times,
    pub(super) ledger: &'a mut Ledger,
}

impl March<'_> {
    /// Takes the rows from `from` on up to the last of `cuts` in; those of the first `silent` cuts are not answered. Answers
    /// a batch for every other cut that has rows, and the codes that came to have rows.
    pub(super) fn go(
        &mut self,
        from: i64,
        cuts: &[i64],
        silent: usize,
    ) -> (Vec<Result<RecordBatch, WindowError>>, Vec<u32>) {
        let mut gather = Gather::new(self.blocks, from);
        let mut steps = Steps::default();
        let (mut answers, mut begun) = (Vec::new(), Vec::new());
        for (index, &cut) in cuts.iter().enumerate() {
            let (rows, stretches) = gather.next(cut);
            if rows.is_empty() {
                continue;
            }
            let (parts, places) = parts(self.blocks, rows, stretches);
            self.times.take(rows, &places, &mut steps);
            begun.extend_from_slice(&steps.begun);
            if index < silent {
                steps.answers.clear();
            }
            let Steps { runs, taken, answers: asking, .. } = &steps;
            let columns = self.ledger.roll(&parts, Roll { runs, steps: taken, answers: asking });
            if silent <= index {
                answers.push(columns.and_then(|columns| self.batch(rows, &mut steps, columns)));
            }
        }
        (answers, begun)
    }

    fn batch(
        &self,
        rows: &[Waiting],
        steps: &mut Steps,
        columns: Vec<ArrayRef>,
    ) -> Result<RecordBatch, WindowError> {
        let instants = |ticks: Vec<i64>| {
            arrow_cast::cast(&Int64Array::from(ticks), self.output.field(0).data_type())
        };
        let mut answer = vec![
            instants(rows.iter().map(|row| row.time - self.size).collect())?,
            instants(rows.iter().map(|row| row.time).collect())?,
        ];
        let ranks = UInt32Array::from(std::mem::take(&mut steps.ranks));
        for column in self.groups.columns(&steps.codes)? {
            answer.push(take(&column, &ranks, None)?);
        }
        answer.extend(columns);
        Ok(RecordBatch::try_new(Arc::clone(self.output), answer)?)
    }
}
