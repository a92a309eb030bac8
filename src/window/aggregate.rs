//! What a query computes per window: the functions, and the states they fold rows into.

use std::any::Any;
use std::fmt;

use arrow_array::ArrayRef;

use crate::window::WindowError;

/// Rows on their way into the states of one aggregate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// The aggregate's own column; `None` for `count()`, which counts rows.
    pub(crate) values: Option<&'a ArrayRef>,
    /// The event time of every row of the batch, in ticks.
    pub(crate) times: &'a [i64],
    /// The arrival ordinal of the batch's row 0; row `r` has `first_ordinal + r`.
    pub(crate) first_ordinal: u64,
    /// The rows that take part, ascending; `None` for all of the batch.
    pub(crate) picked: Option<&'a [u32]>,
}

/// The states of one aggregate for many slots (a slot is one window or pane of one key), as a struct of arrays.
pub(crate) trait States: fmt::Debug + Send {
    /// Makes room for slots `0..count`; new slots are empty.
    fn grow(&mut self, count: usize);

    /// Folds the `i`-th row that takes part into slot `slots[i]`.
    fn update(&mut self, rows: Rows<'_>, slots: &[u32]);

    /// Folds slot `from_slots[i]` of `from`, states of the same aggregate, into slot `slots[i]`.
    fn merge(&mut self, slots: &[u32], from: &dyn States, from_slots: &[u32]);

    /// Folds slot `from_slots[i]` of these same states into slot `slots[i]`; no slot stands on both sides.
    fn merge_within(&mut self, slots: &[u32], from_slots: &[u32]);

    /// Empties slots for their next use and frees what they held.
    fn clear(&mut self, slots: &[u32]);

    /// The answers of `slots`, in their order.
    fn finish(&self, slots: &[u32]) -> Result<ArrayRef, WindowError>;

    /// Empty states of the same aggregate over the same input type.
    fn fresh(&self) -> Box<dyn States>;

    /// The heap bytes held, for the memory the query reports.
    fn bytes(&self) -> usize;

    /// For `merge`: the concrete states behind the trait.
    fn as_any(&self) -> &dyn Any;
}
