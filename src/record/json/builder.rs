//! A column under construction from JSON values, in the plainest type that its final type can be cast from.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::NullArray;
use arrow_array::StringArray;
use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::builder::NullBufferBuilder;
use arrow_buffer::Buffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;

use crate::record::json::JsonError;
use crate::record::json::scan::Value;
use crate::record::json::scan::clipped;

/// Values and where they are missing; both have one entry per row.
pub(super) struct Builder {
    /// The final type, which messages name.
    data_type: DataType,
    values: Values,
    nulls: NullBufferBuilder,
}

enum Values {
    Boolean(BooleanBufferBuilder),
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Null,
    Text { bytes: String, ends: Vec<i32>, unescaped: Vec<u8> },
}

impl Builder {
    /// Prepares a column that ends up as `data_type`.
    pub(super) fn new(
        name: &str,
        data_type: &DataType,
        capacity: usize,
    ) -> Result<Self, JsonError> {
        let values = match base_type(data_type) {
            Some(DataType::Boolean) => Values::Boolean(BooleanBufferBuilder::new(capacity)),
            Some(DataType::Float64) => Values::Float64(Vec::with_capacity(capacity)),
            Some(DataType::Int64) => Values::Int64(Vec::with_capacity(capacity)),
            Some(DataType::Null) => Values::Null,
            Some(_) => {
                let mut ends = Vec::with_capacity(capacity + 1);
                ends.push(0);
                Values::Text { bytes: String::new(), ends, unescaped: Vec::new() }
            }
            None => {
                let (column, data_type) = (name.to_owned(), data_type.clone());
                return Err(JsonError::UnsupportedType { column, data_type });
            }
        };
        Ok(Self { data_type: data_type.clone(), values, nulls: NullBufferBuilder::new(capacity) })
    }

    /// Appends a value, or says why it does not fit and leaves the column as it was.
    #[inline]
    pub(super) fn append(&mut self, value: Option<Value<'_>>) -> Result<(), String> {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            self.append_null();
            return Ok(());
        };
        match &mut self.values {
            Values::Boolean(values) => match value.raw {
                "true" => values.append(true),
                "false" => values.append(false),
                _ => return Err(misfit(value, &self.data_type)),
            },
            Values::Float64(values) => match float(value) {
                Some(number) => values.push(number),
                None => return Err(misfit(value, &self.data_type)),
            },
            Values::Int64(values) => match integer(value) {
                Some(number) => values.push(number),
                None => return Err(misfit(value, &self.data_type)),
            },
            Values::Null => return Err(misfit(value, &self.data_type)),
            Values::Text { bytes, ends, unescaped } => {
                append_text(value, bytes, unescaped)?;
                ends.push(end(bytes));
            }
        }
        self.nulls.append_non_null();
        Ok(())
    }

    /// Takes back what stands beyond the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.nulls.truncate(rows);
        match &mut self.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Float64(values) => values.truncate(rows),
            Values::Int64(values) => values.truncate(rows),
            Values::Null => {}
            Values::Text { bytes, ends, .. } => {
                ends.truncate(rows + 1);
                let end = ends.last().copied().unwrap_or_default();
                bytes.truncate(usize::try_from(end).expect("ends of text are not negative"));
            }
        }
    }

    /// The finished column, in the base type.
    pub(super) fn finish(mut self) -> ArrayRef {
        let rows = self.nulls.len();
        let nulls = self.nulls.finish();
        match self.values {
            Values::Boolean(mut values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Values::Int64(values) => Arc::new(Int64Array::new(values.into(), nulls)),
            Values::Null => Arc::new(NullArray::new(rows)),
            Values::Text { bytes, ends, .. } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                let text = Buffer::from_vec(bytes.into_bytes());
                Arc::new(StringArray::new(offsets, text, nulls))
            }
        }
    }

    fn append_null(&mut self) {
        self.nulls.append_null();
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Float64(values) => values.push(0.0),
            Values::Int64(values) => values.push(0),
            Values::Null => {}
            Values::Text { bytes, ends, .. } => ends.push(end(bytes)),
        }
    }
}

/// The type that values are read as before they are cast to `data_type`.
fn base_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean => DataType::Boolean,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => DataType::Int64,
        DataType::Null => DataType::Null,
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..) => DataType::Utf8,
        DataType::Dictionary(_, value) if base_type(value) == Some(DataType::Utf8) => {
            DataType::Utf8
        }
        _ => return None,
    })
}

/// What does not fit, and into what, for the reason of a malformed record.
#[cold]
fn misfit(value: Value<'_>, data_type: &DataType) -> String {
    format!("{} is not {}", clipped(value.raw), noun(data_type))
}

/// A type with its article, as a sentence needs it.
pub(super) fn noun(data_type: &DataType) -> String {
    let name = data_type.to_string().to_lowercase();
    let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}

#[inline]
fn integer(value: Value<'_>) -> Option<i64> {
    // `str::parse` takes a leading plus sign, but JSON has none.
    value.raw.parse().ok()
}

#[inline]
fn float(value: Value<'_>) -> Option<f64> {
    // Not every text that parses as a float is a JSON number: `inf` and `nan` are not, but neither is a JSON value.
    value.raw.parse().ok().filter(|number: &f64| value.is_number() && number.is_finite())
}

#[inline]
fn append_text(
    value: Value<'_>,
    bytes: &mut String,
    unescaped: &mut Vec<u8>,
) -> Result<(), String> {
    if let Some(text) = value.plain_string() {
        bytes.push_str(text);
    } else if value.has_escapes {
        value.unescape_into(bytes, unescaped)?;
    } else {
        bytes.push_str(value.raw);
    }
    Ok(())
}

#[inline]
fn end(bytes: &str) -> i32 {
    // Decoded text is never longer than its JSON, whose size was checked for the whole batch.
    i32::try_from(bytes.len()).expect("the batch's JSON is smaller than i32::MAX")
}
