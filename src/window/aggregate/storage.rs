//! How values lie in memory while they are aggregated: few storage types for Arrow's many logical ones.

#![expect(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "one macro writes the numbers of every width; words undo exactly what they did"
)]

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::cast::AsArray;
use arrow_array::new_null_array;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_schema::DataType;

use crate::window::WindowError;

/// A native number: its float, and its word, a `u64` that orders and equals as the number does.
pub(super) trait Number: Copy + Send + Sync {
    fn as_f64(self) -> f64;

    /// All NaNs are one word, the greatest; -0.0 has the word of 0.0.
    fn word(self) -> u64;

    fn from_word(word: u64) -> Self;
}

/// An Arrow type whose native values are numbers.
pub(super) trait NumberType: ArrowPrimitiveType<Native: Number> {}

/// Writes `Number` for integers, which differ in nothing but their width and sign.
macro_rules! integer_numbers {
    ($($arrow:ident $native:ident $wide:ident $flip:expr;)*) => {$(
        impl Number for $native {
            #[inline]
            fn as_f64(self) -> f64 {
                self as f64
            }

            #[inline]
            fn word(self) -> u64 {
                (self as $wide as u64) ^ $flip
            }

            #[inline]
            fn from_word(word: u64) -> Self {
                (word ^ $flip) as Self
            }
        }

        impl NumberType for $arrow {}
    )*};
}

const SIGN: u64 = 1 << 63;

integer_numbers! {
    Int8Type i8 i64 SIGN;
    Int16Type i16 i64 SIGN;
    Int32Type i32 i64 SIGN;
    Int64Type i64 i64 SIGN;
    UInt8Type u8 u64 0;
    UInt16Type u16 u64 0;
    UInt32Type u32 u64 0;
    UInt64Type u64 u64 0;
}

impl Number for f64 {
    #[inline]
    fn as_f64(self) -> f64 {
        self
    }

    #[inline]
    fn word(self) -> u64 {
        if self.is_nan() {
            return u64::MAX;
        }
        let bits = (self + 0.0).to_bits();
        if bits & SIGN == 0 { bits | SIGN } else { !bits }
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        match word {
            u64::MAX => Self::NAN,
            word if word & SIGN == 0 => Self::from_bits(!word),
            word => Self::from_bits(word ^ SIGN),
        }
    }
}

impl Number for f32 {
    #[inline]
    fn as_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline]
    fn word(self) -> u64 {
        f64::from(self).word()
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        f64::from_word(word) as Self
    }
}

impl NumberType for Float32Type {}
impl NumberType for Float64Type {}

/// Runs an expression with a type's name bound to the Arrow type of a number's storage: the one place
/// where a column's type becomes a compiled loop.
macro_rules! with_number_type {
    ($storage:expr, $name:ident => $make:expr, _ => $otherwise:expr) => {{
        macro_rules! arm {
            ($arrow:ident) => {{
                type $name = arrow_array::types::$arrow;
                $make
            }};
        }
        match $storage {
            arrow_schema::DataType::Int8 => arm!(Int8Type),
            arrow_schema::DataType::Int16 => arm!(Int16Type),
            arrow_schema::DataType::Int32 => arm!(Int32Type),
            arrow_schema::DataType::Int64 => arm!(Int64Type),
            arrow_schema::DataType::UInt8 => arm!(UInt8Type),
            arrow_schema::DataType::UInt16 => arm!(UInt16Type),
            arrow_schema::DataType::UInt32 => arm!(UInt32Type),
            arrow_schema::DataType::UInt64 => arm!(UInt64Type),
            arrow_schema::DataType::Float32 => arm!(Float32Type),
            arrow_schema::DataType::Float64 => arm!(Float64Type),
            _ => $otherwise,
        }
    }};
}
pub(super) use with_number_type;

/// The type of a column's values: a dictionary's own values, else the column's type.
pub(super) fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => value_type(values),
        other => other,
    }
}

/// The type that values are stored as: a number, decimals, or byte views; `None` for any other.
pub(super) fn storage_type(data_type: &DataType) -> Option<DataType> {
    Some(match value_type(data_type) {
        DataType::Boolean => DataType::UInt8,
        DataType::Float16 => DataType::Float32,
        DataType::Date32 | DataType::Time32(_) => DataType::Int32,
        DataType::Date64
        | DataType::Duration(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _) => DataType::Int64,
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::FixedSizeBinary(_)
        | DataType::BinaryView => DataType::BinaryView,
        decimal @ DataType::Decimal128(_, _) => decimal.clone(),
        number if number.is_integer() || number.is_floating() => number.clone(),
        _ => return None,
    })
}

/// A column as its storage type; dictionaries are unpacked.
pub(super) fn to_storage(column: &ArrayRef) -> ArrayRef {
    if let Some(dictionary) = column.as_any_dictionary_opt() {
        if dictionary.values().is_empty() {
            let storage = storage_type(column.data_type()).unwrap_or(DataType::Null);
            return new_null_array(&storage, column.len());
        }
        let values = to_storage(dictionary.values());
        return arrow_select::take::take(&values, dictionary.keys(), None)
            .expect("a dictionary's keys lie within its values");
    }
    let storage = storage_type(column.data_type()).expect("states exist for storable types only");
    if &storage == column.data_type() {
        return Arc::clone(column);
    }
    arrow_cast::cast(column, &storage).expect("a type is cast to its own storage")
}

/// Stored values as the logical type they came from.
pub(super) fn from_storage(stored: &ArrayRef, logical: &DataType) -> Result<ArrayRef, WindowError> {
    Ok(match logical {
        same if same == stored.data_type() => Arc::clone(stored),
        DataType::FixedSizeBinary(_) => {
            arrow_cast::cast(&arrow_cast::cast(stored, &DataType::Binary)?, logical)?
        }
        logical => arrow_cast::cast(stored, logical)?,
    })
}
