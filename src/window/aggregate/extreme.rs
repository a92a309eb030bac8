//! The least and the greatest value of a group.

use std::fmt;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryViewArray;
use arrow_array::cast::AsArray;
use arrow_array::types::BinaryViewType;
use arrow_schema::DataType;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::Fold;
use crate::window::aggregate::fold::fold_rows;
use crate::window::aggregate::storage::from_storage;
use crate::window::aggregate::storage::to_storage;

/// A native value of which one can be less than another.
pub(super) trait Ordered: Copy + fmt::Debug + Send + Sync + 'static {
    /// What any value is lesser than, or at least not greater.
    const ABOVE_ALL: Self;
    /// What any value is greater than, or at least not lesser.
    const BELOW_ALL: Self;

    /// The value itself, in the form in which equal values are identical.
    fn canonical(self) -> Self;

    fn lesser(self, other: Self) -> Self;

    fn greater(self, other: Self) -> Self;
}

/// Writes `Ordered` for integers, which differ in nothing but their width.
macro_rules! ordered_integers {
    ($($native:ident)*) => {$(
        impl Ordered for $native {
            const ABOVE_ALL: Self = Self::MAX;
            const BELOW_ALL: Self = Self::MIN;

            #[inline]
            fn canonical(self) -> Self {
                self
            }

            #[inline]
            fn lesser(self, other: Self) -> Self {
                self.min(other)
            }

            #[inline]
            fn greater(self, other: Self) -> Self {
                self.max(other)
            }
        }
    )*};
}

/// Writes `Ordered` for floats: NaN gives way to any number, -0.0 is 0.0.
macro_rules! ordered_floats {
    ($($native:ident)*) => {$(
        impl Ordered for $native {
            const ABOVE_ALL: Self = Self::NAN;
            const BELOW_ALL: Self = Self::NAN;

            #[inline]
            fn canonical(self) -> Self {
                if self.is_nan() { Self::NAN } else { self + 0.0 }
            }

            #[inline]
            fn lesser(self, other: Self) -> Self {
                self.min(other)
            }

            #[inline]
            fn greater(self, other: Self) -> Self {
                self.max(other)
            }
        }
    )*};
}

ordered_integers! { i8 i16 i32 i64 i128 u8 u16 u32 u64 }
ordered_floats! { f32 f64 }

/// Finds the least string or run of bytes, or the greatest.
#[derive(Debug)]
pub(super) struct BytesExtreme<const GREATEST: bool> {
    logical: DataType,
}

impl<const GREATEST: bool> BytesExtreme<GREATEST> {
    pub(super) fn new(logical: DataType) -> Self {
        Self { logical }
    }

    fn offer(state: &mut Option<Vec<u8>>, value: &[u8]) {
        match state {
            None => *state = Some(value.to_vec()),
            Some(held) => {
                let replaces =
                    if GREATEST { held.as_slice() < value } else { value < held.as_slice() };
                if replaces {
                    held.clear();
                    held.extend_from_slice(value);
                }
            }
        }
    }
}

impl<const GREATEST: bool> Fold for BytesExtreme<GREATEST> {
    type Slot = Option<Vec<u8>>;

    fn update(&mut self, states: &mut [Self::Slot], rows: Rows<'_>, slots: &[u32]) {
        let Some(values) = rows.values.map(to_storage) else {
            return;
        };
        let values = values.as_byte_view::<BinaryViewType>();
        fold_rows(values.nulls(), rows, slots, |slot, row| {
            Self::offer(&mut states[slot], values.value(row));
        });
    }

    fn combine(&mut self, state: &mut Self::Slot, from: &Self::Slot) {
        if let Some(value) = from {
            Self::offer(state, value);
        }
    }

    fn finish<'a>(
        &self,
        states: impl ExactSizeIterator<Item = &'a Self::Slot>,
    ) -> Result<ArrayRef, WindowError> {
        let stored: ArrayRef =
            Arc::new(states.map(|state| state.as_deref()).collect::<BinaryViewArray>());
        from_storage(&stored, &self.logical)
    }

    fn fresh(&self) -> Self {
        Self::new(self.logical.clone())
    }

    fn slot_bytes(state: &Self::Slot) -> usize {
        state.as_ref().map_or(0, Vec::capacity)
    }
}
