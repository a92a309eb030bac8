//! Sums and means: integers exactly, floats in double-double.

#![expect(
    clippy::cast_precision_loss,
    reason = "a mean is a float: totals and counts are rounded once"
)]

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::UInt64Array;
use arrow_array::cast::AsArray;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::double_double::DoubleDouble;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::fold::fold_values;
use crate::window::aggregate::storage::Number;
use crate::window::aggregate::storage::NumberType;
use crate::window::aggregate::storage::to_storage;

/// What a total is turned into.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The mean, a float.
    Mean,
    /// The sum; the names are for the error when integers overflow.
    Sum { aggregate: String, column: String },
}

/// A sum in the making.
#[derive(Debug, Default)]
pub(super) struct Total<S> {
    sum: S,
    count: u64,
}

/// Sums floats.
#[derive(Debug)]
pub(super) struct FloatSum<T> {
    answer: Answer,
    input: PhantomData<fn() -> T>,
}

impl<T> FloatSum<T> {
    pub(super) fn new(answer: Answer) -> Self {
        Self { answer, input: PhantomData }
    }
}

impl<T: NumberType> Fold for FloatSum<T> {
    type Slot = Total<DoubleDouble>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        fold_values(values.values(), values.nulls(), rows, slots, |slot, value| {
            let state = &mut states[slot];
            state.sum.add_float(value.as_f64());
            state.count += 1;
        });
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        state.sum.add(from.sum);
        state.count += from.count;
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let answers = states.map(|state| match (state.count, &self.answer) {
            (0, _) => None,
            (count, Answer::Mean) => Some(state.sum.value() / count as f64),
            (_, Answer::Sum { .. }) => Some(state.sum.value()),
        });
        Ok(Arc::new(answers.collect::<Float64Array>()))
    }

    fn fresh(&self) -> Self {
        Self::new(self.answer.clone())
    }
}

/// Sums integers, in 128 bits.
#[derive(Debug)]
pub(super) struct IntegerSum<T> {
    answer: Answer,
    /// Whether the sum is answered as `UInt64` rather than `Int64`.
    unsigned: bool,
    input: PhantomData<fn() -> T>,
}

impl<T> IntegerSum<T> {
    pub(super) fn new(answer: Answer, unsigned: bool) -> Self {
        Self { answer, unsigned, input: PhantomData }
    }

    fn overflow(aggregate: &str, column: &str, sum: i128) -> WindowError {
        WindowError::IntegerSumOverflow {
            aggregate: aggregate.to_owned(),
            column: column.to_owned(),
            sum,
        }
    }
}

impl<T> Fold for IntegerSum<T>
where
    T: NumberType<Native: Into<i128>>,
{
    type Slot = Total<i128>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        fold_values(values.values(), values.nulls(), rows, slots, |slot, value| {
            let state = &mut states[slot];
            state.sum += value.into();
            state.count += 1;
        });
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        state.sum += from.sum;
        state.count += from.count;
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let sums = states.map(|state| (0 < state.count).then_some((state.sum, state.count)));
        let Answer::Sum { aggregate, column } = &self.answer else {
            let means = sums.map(|sum| sum.map(|(sum, count)| sum as f64 / count as f64));
            return Ok(Arc::new(means.collect::<Float64Array>()));
        };
        let overflow = |sum| Self::overflow(aggregate, column, sum);
        Ok(if self.unsigned {
            let sums = sums.map(|sum| {
                sum.map(|(sum, _)| u64::try_from(sum).map_err(|_| overflow(sum))).transpose()
            });
            Arc::new(sums.collect::<Result<UInt64Array, _>>()?)
        } else {
            let sums = sums.map(|sum| {
                sum.map(|(sum, _)| i64::try_from(sum).map_err(|_| overflow(sum))).transpose()
            });
            Arc::new(sums.collect::<Result<Int64Array, _>>()?)
        })
    }

    fn fresh(&self) -> Self {
        Self::new(self.answer.clone(), self.unsigned)
    }
}
