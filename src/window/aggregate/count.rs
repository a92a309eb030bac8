//! Counts of rows, and of the rows whose value is not null.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Int64Array;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::fold::fold_rows;

/// Counts rows; with a column, those that are not null.
#[derive(Debug)]
pub(super) struct Count;

impl Fold for Count {
    type Slot = i64;

    fn update(&mut self, states: &mut [i64], rows: Rows<'_>, slots: &[u32]) {
        let nulls = rows.values.and_then(Array::logical_nulls);
        match nulls.filter(|nulls| nulls.null_count() > 0) {
            None => slots.iter().for_each(|&slot| states[slot as usize] += 1),
            nulls => fold_rows(nulls.as_ref(), rows, slots, |slot, _| states[slot] += 1),
        }
    }

    fn combine(&mut self, state: &mut i64, from: &i64) {
        *state += from;
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a i64>,
    ) -> Result<ArrayRef, WindowError> {
        Ok(Arc::new(Int64Array::from_iter_values(states.copied())))
    }

    fn fresh(&self) -> Self {
        Self
    }
}
