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

/// The share of the sum of squares, 2^-98, under which a spread is the noise of rounding: values equal
/// to 49 bits have none.
const SPREAD_NOISE: f64 = 1.0 / (1_u128 << 98) as f64;

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
#[derive(Debug, Default)]
pub(super) struct Moments {
    count: u64,
    sum: DoubleDouble,
    squares: DoubleDouble,
}

impl Moments {
    fn variance(&self, ddof: u8) -> Option<f64> {
        let divisor = self
            .count
            .checked_sub(u64::from(ddof))
            .filter(|&left| 0 < left)?;
        if !self.sum.value().is_finite() {
            return Some(f64::NAN);
        }
        let squares = self.squares.value();
        let mean = self.sum.divide(self.count as f64);
        let spread = (self.squares - self.sum.multiply(mean)).value();
        if !squares.is_finite() || !spread.is_finite() {
            return Some(f64::INFINITY);
        }
        let noise = squares * SPREAD_NOISE;
        Some(if spread <= noise {
            0.0
        } else {
            spread / divisor as f64
        })
    }
}

impl<T> Variance<T> {
    pub(super) fn new(ddof: u8, root: bool) -> Self {
        Self {
            ddof,
            root,
            input: PhantomData,
        }
    }
}

impl<T: NumberType> Fold for Variance<T> {
    type Slot = Moments;

    fn update(&mut self, states: &mut [Moments], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        fold_values(
            values.values(),
            values.nulls(),
            rows,
            slots,
            |slot, value| {
                let (state, value) = (&mut states[slot], value.as_f64());
                state.count += 1;
                state.sum.add_float(value);
                state.squares.add(DoubleDouble::square_of(value));
            },
        );
    }

    fn combine(&mut self, state: &mut Moments, from: &Moments) {
        state.count += from.count;
        state.sum.add(from.sum);
        state.squares.add(from.squares);
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
