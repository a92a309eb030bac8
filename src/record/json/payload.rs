//! The bytes of records, whichever binary or string layout holds them, as text that is checked once where it can be.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryViewArray;
use arrow_array::FixedSizeBinaryArray;
use arrow_array::GenericBinaryArray;
use arrow_array::GenericStringArray;
use arrow_array::OffsetSizeTrait;
use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use crate::record::json::JsonError;

/// A column of records' bytes.
#[derive(Clone, Copy)]
pub(super) enum Payloads<'a> {
    Fixed(&'a FixedSizeBinaryArray),
    Large(Run<'a, i64>),
    Small(Run<'a, i32>),
    View(&'a BinaryViewArray),
    TextView(&'a StringViewArray),
}

/// Records end to end in one buffer.
#[derive(Clone, Copy)]
pub(super) struct Run<'a, O> {
    bytes: &'a [u8],
    /// The bytes from the first record to the last, when all of them together are UTF-8.
    text: Option<&'a str>,
    /// Where `text` starts in `bytes`.
    text_start: usize,
    ends: &'a [O],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Payloads<'a> {
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, JsonError> {
        Ok(match array.data_type() {
            DataType::Binary => Self::Small(Run::from_binary(array.as_binary())),
            DataType::BinaryView => Self::View(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => Self::Fixed(array.as_fixed_size_binary()),
            DataType::LargeBinary => Self::Large(Run::from_binary(array.as_binary())),
            DataType::LargeUtf8 => Self::Large(Run::from_text(array.as_string())),
            DataType::Utf8 => Self::Small(Run::from_text(array.as_string())),
            DataType::Utf8View => Self::TextView(array.as_string_view()),
            other => {
                return Err(JsonError::NotBinary { data_type: other.clone() });
            }
        })
    }

    /// The record of `row` as text, or why it is none.
    #[inline]
    pub(super) fn text(self, row: usize) -> Result<&'a str, String> {
        match self {
            Self::Large(run) => run.text(row),
            Self::Small(run) => run.text(row),
            Self::Fixed(array) if array.is_valid(row) => checked(array.value(row)),
            Self::View(array) if array.is_valid(row) => checked(array.value(row)),
            Self::TextView(array) if array.is_valid(row) => Ok(array.value(row)),
            Self::Fixed(_) | Self::View(_) | Self::TextView(_) => Err(null()),
        }
    }

    /// The size of `row` in bytes.
    pub(super) fn len(self, row: usize) -> usize {
        match self {
            Self::Fixed(array) => array.value(row).len(),
            Self::Large(run) => run.len(row),
            Self::Small(run) => run.len(row),
            Self::View(array) => array.value(row).len(),
            Self::TextView(array) => array.value(row).len(),
        }
    }
}

impl<'a, O: OffsetSizeTrait> Run<'a, O> {
    fn from_binary(array: &'a GenericBinaryArray<O>) -> Self {
        let (bytes, ends) = (array.value_data(), array.value_offsets());
        let range = ends[0].as_usize()..ends[array.len()].as_usize();
        let text_start = range.start;
        // One check for all: where it fails, each record is checked for itself.
        let text = simdutf8::basic::from_utf8(&bytes[range]).ok();
        Self { bytes, text, text_start, ends, nulls: array.nulls() }
    }

    fn from_text(array: &'a GenericStringArray<O>) -> Self {
        let (bytes, ends) = (array.value_data(), array.value_offsets());
        let range = ends[0].as_usize()..ends[array.len()].as_usize();
        let text_start = range.start;
        let text = simdutf8::basic::from_utf8(&bytes[range]).ok();
        Self { bytes, text, text_start, ends, nulls: array.nulls() }
    }

    #[inline]
    fn text(self, row: usize) -> Result<&'a str, String> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return Err(null());
        }
        let (start, end) = (self.ends[row].as_usize(), self.ends[row + 1].as_usize());
        // A record that begins or ends within a character is no text, even where its neighbours make it one.
        let text =
            self.text.and_then(|text| text.get(start - self.text_start..end - self.text_start));
        match text {
            Some(text) => Ok(text),
            None => checked(&self.bytes[start..end]),
        }
    }

    fn len(self, row: usize) -> usize {
        (self.ends[row + 1] - self.ends[row]).as_usize()
    }
}

fn checked(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))
}

#[cold]
fn null() -> String {
    "null, not a JSON object".to_owned()
}
