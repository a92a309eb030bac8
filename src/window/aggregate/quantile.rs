//! Quantiles: exact over a group's values while they are few, then from a histogram.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a quantile's position is a float between two ranks"
)]

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::cast::AsArray;

use crate::window::WindowError;
use crate::window::aggregate::Interpolation;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::fold::fold_values;
use crate::window::aggregate::histogram::Histogram;
use crate::window::aggregate::storage::Number;
use crate::window::aggregate::storage::NumberType;
use crate::window::aggregate::storage::to_storage;

/// The values up to which a group's quantiles are exact; past them an answer is within 1/256 (0.39 %)
/// of the value that has the rank.
pub const EXACT_QUANTILE_COUNT_MAX: usize = 1_024;

/// Answers one quantile.
#[derive(Debug)]
pub(super) struct Quantile<T> {
    q: f64,
    interpolation: Interpolation,
    input: PhantomData<fn() -> T>,
}

/// A group's values; which form they have depends on their number alone, never on their order.
#[derive(Debug)]
pub(super) enum Values {
    /// Every value.
    Few(Vec<f64>),
    /// The values' buckets.
    Many(Box<Histogram>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Values {
    #[inline]
    fn add(&mut self, value: f64) {
        match self {
            Self::Many(histogram) => histogram.add(value),
            Self::Few(_) => self.add_to_few(value),
        }
    }

    /// Apart from `add`, so that this is small where it counts.
    #[inline(never)]
    fn add_to_few(&mut self, value: f64) {
        match self {
            Self::Few(values) if values.len() < EXACT_QUANTILE_COUNT_MAX => values.push(value),
            Self::Few(_) | Self::Many(_) => self.condense().add(value),
        }
    }

    fn merge(&mut self, from: &Self) {
        match from {
            Self::Few(values) => values.iter().for_each(|&value| self.add(value)),
            Self::Many(histogram) => self.condense().merge(histogram),
        }
    }

    /// The histogram, made of the values if need be.
    fn condense(&mut self) -> &mut Histogram {
        if let Self::Few(values) = self {
            *self = Self::Many(Box::new(Histogram::of(values)));
        }
        match self {
            Self::Many(histogram) => histogram,
            Self::Few(_) => unreachable!("few values were just made a histogram"),
        }
    }

    fn count(&self) -> u64 {
        match self {
            Self::Few(values) => values.len() as u64,
            Self::Many(histogram) => histogram.count(),
        }
    }

    /// The values at the two ranks around a position.
    fn around(&self, position: Position) -> (f64, f64) {
        match self {
            Self::Few(values) => {
                let mut values = values.clone();
                let (_, &mut low, above) =
                    values.select_nth_unstable_by_key(position.low as usize, |value| value.word());
                let next = above.iter().copied().min_by_key(|value| value.word());
                (low, next.filter(|_| position.low < position.high).unwrap_or(low))
            }
            Self::Many(histogram) => histogram.values_at(position.low, position.high),
        }
    }
}

/// The ranks around a quantile, and where between them it lies.
#[derive(Clone, Copy, Debug)]
struct Position {
    low: u64,
    high: u64,
    fraction: f64,
}

impl Position {
    /// The position of quantile `q` among `count` values; `None` when there are none.
    fn new(q: f64, count: u64) -> Option<Self> {
        let last = count.checked_sub(1)?;
        let position = q * last as f64;
        let low = (position.floor() as u64).min(last);
        let fraction = position - low as f64;
        let high = if 0.0 < fraction { (low + 1).min(last) } else { low };
        Some(Self { low, high, fraction })
    }

    /// Whether the lower rank is the nearer one; halfway, the even one is.
    fn is_nearer_low(self) -> bool {
        self.fraction < 0.5 || (self.fraction <= 0.5 && self.low.is_multiple_of(2))
    }
}

impl Interpolation {
    /// The answer between two neighbours, as `NumPy` computes it.
    fn between(self, low: f64, high: f64, position: Position) -> f64 {
        let fraction = position.fraction;
        match self {
            Self::Lower => low,
            Self::Nearest if position.is_nearer_low() => low,
            Self::Higher | Self::Nearest => high,
            _ if fraction <= 0.0 || low.word() == high.word() => low,
            Self::Midpoint => low.midpoint(high),
            Self::Linear if fraction < 0.5 => low + (high - low) * fraction,
            Self::Linear => high - (high - low) * (1.0 - fraction),
        }
    }
}

impl<T> Quantile<T> {
    pub(super) fn new(q: f64, interpolation: Interpolation) -> Self {
        Self { q, interpolation, input: PhantomData }
    }

    fn answer(&self, values: &Values) -> Option<f64> {
        let position = Position::new(self.q, values.count())?;
        let (low, high) = values.around(position);
        let answer = self.interpolation.between(low, high, position);
        Some(if answer.is_nan() { f64::NAN } else { answer })
    }
}

impl<T: NumberType> Fold for Quantile<T> {
    type Slot = Values;

    fn update(&mut self, states: &mut [Values], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_primitive::<T>();
        fold_values(values.values(), values.nulls(), rows, slots, |slot, value| {
            states[slot].add(value.as_f64() + 0.0);
        });
    }

    fn combine(&mut self, state: &mut Values, from: &Values) {
        state.merge(from);
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Values>,
    ) -> Result<ArrayRef, WindowError> {
        Ok(Arc::new(states.map(|state| self.answer(state)).collect::<Float64Array>()))
    }

    fn fresh(&self) -> Self {
        Self::new(self.q, self.interpolation)
    }

    fn slot_bytes(state: &Values) -> usize {
        match state {
            Values::Few(values) => values.capacity() * size_of::<f64>(),
            Values::Many(histogram) => size_of::<Histogram>() + histogram.heap_bytes(),
        }
    }
}
