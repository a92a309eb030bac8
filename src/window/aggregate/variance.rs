//! Variances and standard deviations, from double-double sums of the values and of their squares.

#![expect(clippy::cast_precision_loss, reason = "counts are divisors of floats")]

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::cast::AsArray;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::double_double::DoubleDouble;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::fold::fold_values;
use crate::window::aggregate::storage::Number;
use crate::window::aggregate::storage::NumberType;
use crate::window::aggregate::storage::to_storage;

/// Sums values and squares for a variance.
#[derive(Debug)]
pub(super) struct Variance<T> {
    /// What is taken from the count to divide the spread by.
    ddof: u8,
    /// Whether the standard deviation is answered instead.
    root: bool,
    input: PhantomData<fn() -> T>,
}

/// The moments of a slot's values.
#[derive(Debug)]
pub(super) struct Moments {
    count: u64,
    sum: DoubleDouble,
    squares: DoubleDouble,
    least: f64,
    greatest: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            count: 0,
            sum: DoubleDouble::default(),
            squares: DoubleDouble::default(),
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    fn variance(&self, ddof: u8) -> Option<f64> {
        let divisor = self.count.checked_sub(u64::from(ddof)).filter(|&left| 0 < left)?;
        if !self.sum.value().is_finite() {
            return Some(f64::NAN);
        }
        // Equal values have no variance at all, where rounding would leave them a trace of one.
        if self.greatest <= self.least {
            return Some(0.0);
        }
        let mean = self.sum.divide(self.count as f64);
        let spread = (self.squares - self.sum.multiply(mean)).value();
        if !self.squares.value().is_finite() || !spread.is_finite() {
            return Some(f64::INFINITY);
        }
        Some(spread.max(0.0) / divisor as f64)
    }
}

impl<T> Variance<T> {
    pub(super) fn new(ddof: u8, root: bool) -> Self {
        Self { ddof, root, input: PhantomData }
    }
}

impl<T: NumberType> Fold for Variance<T> {
    type Slot = Moments;

    fn update(&mut self, states: &mut [Moments], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        fold_values(values.values(), values.nulls(), rows, slots, |slot, value| {
            let (state, value) = (&mut states[slot], value.as_f64());
            state.count += 1;
            state.sum.add_float(value);
            state.squares.add_in_full(DoubleDouble::square_of(value));
            state.least = state.least.min(value);
            state.greatest = state.greatest.max(value);
        });
    }

    fn combine(&mut self, state: &mut Moments, from: &Moments) {
        state.count += from.count;
        state.sum.add(from.sum);
        state.squares.add_in_full(from.squares);
        state.least = state.least.min(from.least);
        state.greatest = state.greatest.max(from.greatest);
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Moments>,
    ) -> Result<ArrayRef, WindowError> {
        let answers = states.map(|state| {
            let variance = state.variance(self.ddof)?;
            Some(if self.root { variance.sqrt() } else { variance })
        });
        Ok(Arc::new(answers.collect::<Float64Array>()))
    }

    fn fresh(&self) -> Self {
        Self::new(self.ddof, self.root)
    }
}
