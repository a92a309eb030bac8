//! The answers of windows of panes: their rows sorted window by window, in batches that stay in the cache.

#![expect(clippy::cast_possible_truncation, reason = "rank and slot are the halves of one word")]

use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_select::take::take;

use crate::window::WindowError;
use crate::window::group::Ranked;
use crate::window::operator::Operator;
use crate::window::order::sort_by_digits;
use crate::window::slot::ClosedWindow;

/// Rows of a batch, about: a window is not divided.
const BATCH_ROWS: usize = 65_536;

impl Operator {
    /// Answers windows, sorted by start, end and keys; no batch is empty.
    pub(super) fn answer_windows(
        &self,
        windows: &[ClosedWindow],
    ) -> Result<Vec<RecordBatch>, WindowError> {
        let ranked = self.groups.ranked(&self.codes_in(windows))?;
        let mut windows: Vec<&ClosedWindow> = windows.iter().collect();
        windows.sort_by_key(|window| (window.start, window.end));
        let mut batches = Vec::new();
        while !windows.is_empty() {
            let mut rows = 0;
            let count = windows.iter().take_while(|window| {
                let takes_more = rows < BATCH_ROWS;
                rows += window.slots.len();
                takes_more
            });
            let rest = windows.split_off(count.count());
            batches.push(self.answer_batch(&windows, &ranked)?);
            windows = rest;
        }
        Ok(batches)
    }

    fn answer_batch(
        &self,
        windows: &[&ClosedWindow],
        ranked: &Ranked,
    ) -> Result<RecordBatch, WindowError> {
        let rows = windows.iter().map(|window| window.slots.len()).sum();
        let mut sorted: Vec<u64> = Vec::with_capacity(rows);
        let mut room = Vec::new();
        let rank_bits = usize::BITS - ranked.ranks.len().leading_zeros();
        for window in windows {
            let first = sorted.len();
            sorted.extend(window.slots.iter().map(|&slot| {
                let rank = ranked.ranks[self.ledger.code(slot) as usize];
                u64::from(rank) << 32 | u64::from(slot)
            }));
            sort_by_digits(&mut sorted[first..], u32::BITS, rank_bits, &mut room);
        }
        let instants = |edge: fn(&ClosedWindow) -> i64| {
            let mut edges = Vec::with_capacity(rows);
            for window in windows {
                edges.resize(edges.len() + window.slots.len(), edge(window));
            }
            self.plan.instants(edges)
        };
        let mut columns = vec![instants(|window| window.start)?, instants(|window| window.end)?];
        let ranks = UInt32Array::from_iter_values(sorted.iter().map(|row| (row >> 32) as u32));
        for column in &ranked.columns {
            columns.push(take(column, &ranks, None)?);
        }
        let slots: Vec<u32> = sorted.iter().map(|&row| row as u32).collect();
        columns.extend(self.ledger.finish(&slots)?);
        Ok(RecordBatch::try_new(self.plan.output.clone(), columns)?)
    }

    /// The codes of the groups in some windows, each once.
    fn codes_in(&self, windows: &[ClosedWindow]) -> Vec<u32> {
        let mut seen = Vec::new();
        let mut codes = Vec::new();
        for &slot in windows.iter().flat_map(|window| &window.slots) {
            let code = self.ledger.code(slot);
            if seen.len() <= code as usize {
                seen.resize((code as usize + 1).next_power_of_two(), false);
            }
            if !std::mem::replace(&mut seen[code as usize], true) {
                codes.push(code);
            }
        }
        codes
    }
}
