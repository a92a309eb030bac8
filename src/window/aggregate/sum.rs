//! Sums and what means are made of: integers exactly, floats in double-double.

#![expect(
    clippy::cast_precision_loss,
    reason = "a mean is a float: totals and counts are rounded once"
)]

use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::UInt64Array;
use arrow_schema::DataType;

use crate::window::aggregate::double_double::DoubleDouble;
use crate::window::aggregate::storage::Number;

/// What a summary may keep of a column's sum: it, or nothing.
pub(super) trait Total<V>: Default + fmt::Debug + Send + Sync + 'static {
    fn take(&mut self, value: V);

    fn combine(&mut self, from: &Self);

    fn mean(&self, count: u64) -> f64;

    /// The column of sums over an input of a type; the sum that does not fit it, where there is one.
    fn column<'a>(
        sums: impl Iterator<Item = Option<&'a Self>>,
        input: &DataType,
    ) -> Result<ArrayRef, i128>;
}

impl<V: Number> Total<V> for DoubleDouble {
    #[inline]
    fn take(&mut self, value: V) {
        self.add_float(value.as_f64());
    }

    #[inline]
    fn combine(&mut self, from: &Self) {
        self.add(*from);
    }

    fn mean(&self, count: u64) -> f64 {
        self.value() / count as f64
    }

    fn column<'a>(
        sums: impl Iterator<Item = Option<&'a Self>>,
        _input: &DataType,
    ) -> Result<ArrayRef, i128> {
        Ok(Arc::new(sums.map(|sum| sum.map(|sum| sum.value())).collect::<Float64Array>()))
    }
}

impl<V: Into<Self>> Total<V> for i128 {
    #[inline]
    fn take(&mut self, value: V) {
        *self += value.into();
    }

    #[inline]
    fn combine(&mut self, from: &Self) {
        *self += from;
    }

    fn mean(&self, count: u64) -> f64 {
        *self as f64 / count as f64
    }

    fn column<'a>(
        sums: impl Iterator<Item = Option<&'a Self>>,
        input: &DataType,
    ) -> Result<ArrayRef, i128> {
        Ok(if *input == DataType::UInt64 {
            let sums =
                sums.map(|sum| sum.map(|&sum| u64::try_from(sum).map_err(|_| sum)).transpose());
            Arc::new(sums.collect::<Result<UInt64Array, _>>()?)
        } else {
            let sums =
                sums.map(|sum| sum.map(|&sum| i64::try_from(sum).map_err(|_| sum)).transpose());
            Arc::new(sums.collect::<Result<Int64Array, _>>()?)
        })
    }
}

impl<V> Total<V> for () {
    #[inline]
    fn take(&mut self, _value: V) {}

    #[inline]
    fn combine(&mut self, _from: &Self) {}

    fn mean(&self, _count: u64) -> f64 {
        unreachable!("a summary that answers a mean keeps the sum")
    }

    fn column<'a>(
        _sums: impl Iterator<Item = Option<&'a Self>>,
        _input: &DataType,
    ) -> Result<ArrayRef, i128> {
        unreachable!("a summary that answers a sum keeps it")
    }
}
