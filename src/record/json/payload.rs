//! The bytes of records, whichever binary or string layout holds them.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::BinaryViewArray;
use arrow_array::FixedSizeBinaryArray;
use arrow_array::LargeBinaryArray;
use arrow_array::LargeStringArray;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;

use crate::record::json::JsonError;

/// A column of records' bytes.
#[derive(Clone, Copy)]
pub(super) enum Payloads<'a> {
    BinaryFixed(&'a FixedSizeBinaryArray),
    BinaryLarge(&'a LargeBinaryArray),
    BinarySmall(&'a BinaryArray),
    BinaryView(&'a BinaryViewArray),
    TextLarge(&'a LargeStringArray),
    TextSmall(&'a StringArray),
    TextView(&'a StringViewArray),
}

impl<'a> Payloads<'a> {
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, JsonError> {
        Ok(match array.data_type() {
            DataType::Binary => Self::BinarySmall(array.as_binary()),
            DataType::BinaryView => Self::BinaryView(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => Self::BinaryFixed(array.as_fixed_size_binary()),
            DataType::LargeBinary => Self::BinaryLarge(array.as_binary()),
            DataType::LargeUtf8 => Self::TextLarge(array.as_string()),
            DataType::Utf8 => Self::TextSmall(array.as_string()),
            DataType::Utf8View => Self::TextView(array.as_string_view()),
            other => {
                return Err(JsonError::NotBinary { data_type: other.clone() });
            }
        })
    }

    /// The record of `row` as text, or why it is none.
    #[inline]
    pub(super) fn text(self, row: usize) -> Result<&'a str, String> {
        if self.is_null(row) {
            return Err("null, not a JSON object".to_owned());
        }
        let bytes = match self {
            Self::BinaryFixed(array) => array.value(row),
            Self::BinaryLarge(array) => array.value(row),
            Self::BinarySmall(array) => array.value(row),
            Self::BinaryView(array) => array.value(row),
            Self::TextLarge(array) => return Ok(array.value(row)),
            Self::TextSmall(array) => return Ok(array.value(row)),
            Self::TextView(array) => return Ok(array.value(row)),
        };
        std::str::from_utf8(bytes)
            .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))
    }

    /// The size of `row` in bytes.
    pub(super) fn len(self, row: usize) -> usize {
        match self {
            Self::BinaryFixed(array) => array.value(row).len(),
            Self::BinaryLarge(array) => array.value(row).len(),
            Self::BinarySmall(array) => array.value(row).len(),
            Self::BinaryView(array) => array.value(row).len(),
            Self::TextLarge(array) => array.value(row).len(),
            Self::TextSmall(array) => array.value(row).len(),
            Self::TextView(array) => array.value(row).len(),
        }
    }

    #[inline]
    fn is_null(self, row: usize) -> bool {
        match self {
            Self::BinaryFixed(array) => array.is_null(row),
            Self::BinaryLarge(array) => array.is_null(row),
            Self::BinarySmall(array) => array.is_null(row),
            Self::BinaryView(array) => array.is_null(row),
            Self::TextLarge(array) => array.is_null(row),
            Self::TextSmall(array) => array.is_null(row),
            Self::TextView(array) => array.is_null(row),
        }
    }
}
