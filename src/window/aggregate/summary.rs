//! Counts, sums, means and extremes of one column of numbers, all in one pass over its values.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::PrimitiveArray;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::extreme::Ordered;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::storage::from_storage;
use crate::window::aggregate::storage::storage_type;
use crate::window::aggregate::storage::to_storage;
use crate::window::aggregate::sum::Total;

/// One answer out of a summary.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// How many rows there are.
    CountOfRows,
    /// How many values are not null.
    CountOfValues,
    /// The greatest value.
    Greatest,
    /// The least value.
    Least,
    /// The mean.
    Mean,
    /// The sum; the names are for the error when integers overflow.
    Sum {
        /// The name of the answer's column.
        aggregate: String,
        /// The input column.
        column: String,
    },
}

impl Answer {
    /// Whether it takes the sum of the values.
    pub(super) fn is_of_sum(&self) -> bool {
        matches!(self, Self::Mean | Self::Sum { .. })
    }

    /// Whether it takes the least or the greatest value.
    pub(super) fn is_of_extremes(&self) -> bool {
        matches!(self, Self::Greatest | Self::Least)
    }
}

/// The least and the greatest value so far; without values, what any value takes the place of.
#[derive(Debug)]
pub(super) struct Extremes<V> {
    least: V,
    greatest: V,
}

impl<V: Ordered> Default for Extremes<V> {
    fn default() -> Self {
        Self { least: V::ABOVE_ALL, greatest: V::BELOW_ALL }
    }
}

/// What a summary may keep of extremes: them, or nothing.
pub(super) trait Ends<V>: Default + fmt::Debug + Send + Sync + 'static {
    fn take(&mut self, value: V);

    fn combine(&mut self, from: &Self);

    /// The least value, or the greatest.
    fn end(&self, greatest: bool) -> V;
}

impl<V: Ordered + 'static> Ends<V> for Extremes<V> {
    #[inline]
    fn take(&mut self, value: V) {
        self.least = self.least.lesser(value);
        self.greatest = self.greatest.greater(value);
    }

    #[inline]
    fn combine(&mut self, from: &Self) {
        self.least = self.least.lesser(from.least);
        self.greatest = self.greatest.greater(from.greatest);
    }

    fn end(&self, greatest: bool) -> V {
        if greatest { self.greatest.canonical() } else { self.least.canonical() }
    }
}

impl<V: Ordered> Ends<V> for () {
    #[inline]
    fn take(&mut self, _value: V) {}

    #[inline]
    fn combine(&mut self, _from: &Self) {}

    fn end(&self, _greatest: bool) -> V {
        unreachable!("a summary that answers an extreme keeps it")
    }
}

/// What one slot holds.
#[derive(Debug)]
pub(super) struct State<S, E> {
    sum: S,
    ends: E,
    rows: u64,
    nulls: u64,
}

impl<S: Default, E: Default> Default for State<S, E> {
    fn default() -> Self {
        Self { sum: S::default(), ends: E::default(), rows: 0, nulls: 0 }
    }
}

impl<S, E> State<S, E> {
    fn values(&self) -> u64 {
        self.rows - self.nulls
    }
}

/// Summarizes a column of numbers; `S` keeps its sum and `E` its extremes, where an answer takes them.
#[derive(Debug)]
pub(super) struct Summary<T, S, E> {
    answers: Vec<Answer>,
    logical: DataType,
    input: PhantomData<fn() -> T>,
    kept: PhantomData<fn() -> (S, E)>,
}

impl<T, S, E> Summary<T, S, E> {
    /// Answers `answers`, one column each, over a column of type `logical`.
    pub(super) fn new(answers: Vec<Answer>, logical: DataType) -> Self {
        Self { answers, logical, input: PhantomData, kept: PhantomData }
    }
}

impl<T, S, E> Summary<T, S, E>
where
    T: ArrowPrimitiveType<Native: Ordered>,
    S: Total<T::Native>,
    E: Ends<T::Native>,
{
    fn answer(&self, answer: &Answer, states: &[&State<S, E>]) -> Result<ArrayRef, WindowError> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(match answer {
            Answer::CountOfRows => {
                Arc::new(Int64Array::from_iter_values(states.iter().map(|state| count(state.rows))))
            }
            Answer::CountOfValues => Arc::new(Int64Array::from_iter_values(
                states.iter().map(|state| count(state.values())),
            )),
            Answer::Greatest => self.ends(states, true)?,
            Answer::Least => self.ends(states, false)?,
            Answer::Mean => {
                let means = states.iter().map(|state| match state.values() {
                    0 => None,
                    values => Some(state.sum.mean(values)),
                });
                Arc::new(means.collect::<Float64Array>())
            }
            Answer::Sum { aggregate, column } => {
                let sums = states.iter().map(|state| (0 < state.values()).then_some(&state.sum));
                S::column(sums, &self.logical).map_err(|sum| WindowError::IntegerSumOverflow {
                    aggregate: aggregate.clone(),
                    column: column.clone(),
                    sum,
                })?
            }
        })
    }

    fn ends(&self, states: &[&State<S, E>], greatest: bool) -> Result<ArrayRef, WindowError> {
        let ends =
            states.iter().map(|state| (0 < state.values()).then(|| state.ends.end(greatest)));
        let ends: PrimitiveArray<T> = ends.collect();
        let storage = storage_type(&self.logical).unwrap_or(T::DATA_TYPE);
        let stored: ArrayRef = Arc::new(ends.with_data_type(storage));
        from_storage(&stored, &self.logical)
    }
}

impl<T, S, E> Fold for Summary<T, S, E>
where
    T: ArrowPrimitiveType<Native: Ordered>,
    S: Total<T::Native>,
    E: Ends<T::Native>,
{
    type Slot = State<S, E>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        let nulls = values.nulls().filter(|nulls| 0 < nulls.null_count());
        let values = values.values();
        let mut take = |slot: u32, row: usize| {
            let state = &mut states[slot as usize];
            state.rows += 1;
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                state.nulls += 1;
            } else {
                state.sum.take(values[row]);
                state.ends.take(values[row]);
            }
        };
        match (rows.picked, nulls) {
            (None, None) => {
                for (&slot, &value) in slots.iter().zip(values) {
                    let state = &mut states[slot as usize];
                    state.rows += 1;
                    state.sum.take(value);
                    state.ends.take(value);
                }
            }
            (None, Some(_)) => {
                slots.iter().enumerate().for_each(|(row, &slot)| take(slot, row));
            }
            (Some(picked), _) => {
                slots.iter().zip(picked).for_each(|(&slot, &row)| take(slot, row as usize));
            }
        }
    }

    #[inline]
    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        state.rows += from.rows;
        state.nulls += from.nulls;
        state.sum.combine(&from.sum);
        state.ends.combine(&from.ends);
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        Ok(self.columns(states)?.swap_remove(0))
    }

    fn columns<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<Vec<ArrayRef>, WindowError> {
        let states: Vec<&Self::Slot> = states.collect();
        self.answers.iter().map(|answer| self.answer(answer, &states)).collect()
    }

    fn fresh(&self) -> Self {
        Self::new(self.answers.clone(), self.logical.clone())
    }
}
