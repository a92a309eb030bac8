//! A column under construction from JSON values, in the plainest type that its final type can be cast from.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::NullArray;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::TimestampNanosecondArray;
use arrow_array::TimestampSecondArray;
use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::builder::NullBufferBuilder;
use arrow_array::timezone::Tz;
use arrow_buffer::Buffer;
use arrow_buffer::NullBuffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;

use crate::record::json::JsonError;
use crate::record::json::scan::Value;
use crate::record::json::scan::clipped;
use crate::record::json::token::Token;
use crate::record::time_text;

/// Values, an entry per row, and where they are missing.
pub(super) struct Builder {
    /// The final type, which messages name.
    data_type: DataType,
    values: Values,
    len: usize,
    /// Where values are missing, as far as the last one that is.
    nulls: NullBufferBuilder,
    /// Where strings with escapes are made plain.
    unescaped: Vec<u8>,
}

enum Values {
    Boolean(BooleanBufferBuilder),
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Null,
    Text { bytes: String, ends: Vec<i32> },
    Ticks { ticks: Vec<i64>, unit: TimeUnit, zone: Option<Arc<str>> },
}

/// Why a value has no place in a column.
pub(super) struct Misfit {
    pub(super) reason: String,
    /// Whether it is JSON of the right kind, and only what it says is wrong.
    pub(super) is_late: bool,
}

impl Builder {
    /// Prepares a column that ends up as `data_type`; times are read from their text at once when `reads_times`.
    pub(super) fn new(
        name: &str,
        data_type: &DataType,
        capacity: usize,
        reads_times: bool,
    ) -> Result<Self, JsonError> {
        let values = match base_type(data_type) {
            Some(DataType::Boolean) => Values::Boolean(BooleanBufferBuilder::new(capacity)),
            Some(DataType::Float64) => Values::Float64(Vec::with_capacity(capacity)),
            Some(DataType::Int64) => Values::Int64(Vec::with_capacity(capacity)),
            Some(DataType::Null) => Values::Null,
            Some(_) => match data_type {
                DataType::Timestamp(unit, zone) if reads_times => Values::Ticks {
                    ticks: Vec::with_capacity(capacity),
                    unit: *unit,
                    zone: zone.clone(),
                },
                _ => {
                    let mut ends = Vec::with_capacity(capacity + 1);
                    ends.push(0);
                    Values::Text { bytes: String::new(), ends }
                }
            },
            None => {
                let (column, data_type) = (name.to_owned(), data_type.clone());
                return Err(JsonError::UnsupportedType { column, data_type });
            }
        };
        let nulls = NullBufferBuilder::new(capacity);
        Ok(Self { data_type: data_type.clone(), values, len: 0, nulls, unescaped: Vec::new() })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends a value, or says that it does not fit and leaves the column as it was.
    #[expect(clippy::inline_always, reason = "a token in registers costs half of one in memory")]
    #[inline(always)]
    pub(super) fn take(&mut self, token: Token<'_>) -> bool {
        if token.is_null() {
            self.append_null();
            return true;
        }
        let fits = match (&mut self.values, token) {
            (Values::Float64(values), Token::Number(number)) => {
                number.float().map(|number| values.push(number)).is_some()
            }
            (Values::Int64(values), Token::Number(number)) => {
                number.integer().map(|number| values.push(number)).is_some()
            }
            (Values::Boolean(values), Token::Other(value)) => {
                let is_boolean = matches!(value.raw, "true" | "false");
                if is_boolean {
                    values.append(value.raw == "true");
                }
                is_boolean
            }
            (Values::Text { bytes, ends }, Token::Text(text)) => {
                bytes.push_str(text);
                ends.push(end(bytes));
                true
            }
            (Values::Text { bytes, ends }, token) => match text(token, &mut self.unescaped) {
                Ok(text) => {
                    bytes.push_str(text);
                    ends.push(end(bytes));
                    true
                }
                Err(_) => false,
            },
            (Values::Ticks { ticks, unit, .. }, Token::Text(text)) => {
                time_text::ticks(text, *unit).map(|instant| ticks.push(instant)).is_some()
            }
            (Values::Ticks { ticks, unit, .. }, token) => {
                let instant = text(token, &mut self.unescaped)
                    .ok()
                    .and_then(|text| time_text::ticks(text, *unit));
                instant.map(|instant| ticks.push(instant)).is_some()
            }
            _ => false,
        };
        self.len += usize::from(fits);
        fits
    }

    /// Says why a value would not fit, when it would not.
    #[cold]
    pub(super) fn misfit(&mut self, value: Value<'_>) -> Option<Misfit> {
        let token = Token::of(value);
        let rows = self.len();
        if self.take(token) {
            self.truncate(rows);
            return None;
        }
        let is_late = matches!(self.values, Values::Ticks { .. });
        let noun = noun(&self.data_type);
        Some(match (&self.values, text(token, &mut self.unescaped)) {
            (Values::Text { .. } | Values::Ticks { .. }, Err(reason)) => {
                Misfit { reason, is_late: false }
            }
            (Values::Ticks { .. }, Ok(text)) => {
                Misfit { reason: format!("{} is not {noun}", clipped(text)), is_late }
            }
            _ => Misfit { reason: format!("{} is not {noun}", clipped(value.raw)), is_late },
        })
    }

    /// Takes back what stands beyond the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.len = self.len.min(rows);
        self.nulls.truncate(rows);
        match &mut self.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Float64(values) => values.truncate(rows),
            Values::Int64(values) => values.truncate(rows),
            Values::Null => {}
            Values::Text { bytes, ends } => {
                ends.truncate(rows + 1);
                let end = ends.last().copied().unwrap_or_default();
                bytes.truncate(usize::try_from(end).expect("ends of text are not negative"));
            }
            Values::Ticks { ticks, .. } => ticks.truncate(rows),
        }
    }

    /// The finished column, in the base type, or in the final one when it was read directly.
    pub(super) fn finish(mut self) -> ArrayRef {
        let rows = self.len;
        self.nulls.append_n_non_nulls(rows - self.nulls.len());
        let nulls = self.nulls.finish();
        match self.values {
            Values::Boolean(mut values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Values::Int64(values) => Arc::new(Int64Array::new(values.into(), nulls)),
            Values::Null => Arc::new(NullArray::new(rows)),
            Values::Text { bytes, ends } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                let text = Buffer::from_vec(bytes.into_bytes());
                Arc::new(StringArray::new(offsets, text, nulls))
            }
            Values::Ticks { ticks, unit, zone } => timestamps(ticks, nulls, unit, zone),
        }
    }

    pub(super) fn append_null(&mut self) {
        self.nulls.append_n_non_nulls(self.len - self.nulls.len());
        self.nulls.append_null();
        self.len += 1;
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Float64(values) => values.push(0.0),
            Values::Int64(values) => values.push(0),
            Values::Null => {}
            Values::Text { bytes, ends } => ends.push(end(bytes)),
            Values::Ticks { ticks, .. } => ticks.push(0),
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

/// Whether a column of this type is read from JSON without a cast behind it.
pub(super) fn is_read_directly(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(_, zone) => zone.as_ref().is_none_or(|zone| zone.parse::<Tz>().is_ok()),
        _ => base_type(data_type).as_ref() == Some(data_type),
    }
}

fn timestamps(
    ticks: Vec<i64>,
    nulls: Option<NullBuffer>,
    unit: TimeUnit,
    zone: Option<Arc<str>>,
) -> ArrayRef {
    let ticks = ScalarBuffer::from(ticks);
    match unit {
        TimeUnit::Second => {
            Arc::new(TimestampSecondArray::new(ticks, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Millisecond => {
            Arc::new(TimestampMillisecondArray::new(ticks, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Microsecond => {
            Arc::new(TimestampMicrosecondArray::new(ticks, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => {
            Arc::new(TimestampNanosecondArray::new(ticks, nulls).with_timezone_opt(zone))
        }
    }
}

/// A type with its article, as a sentence needs it.
pub(super) fn noun(data_type: &DataType) -> String {
    let name = data_type.to_string().to_lowercase();
    let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// What a value says as text: the characters of a string, and the JSON of anything else.
#[inline]
fn text<'t>(token: Token<'t>, unescaped: &'t mut Vec<u8>) -> Result<&'t str, String> {
    match token {
        Token::Text(text) => Ok(text),
        Token::Number(number) => Ok(number.raw),
        Token::Other(value) if value.has_escapes => value.unescape(unescaped),
        Token::Other(value) => Ok(value.raw),
    }
}

#[inline]
fn end(bytes: &str) -> i32 {
    // Decoded text is never longer than its JSON, whose size was checked for the whole batch.
    i32::try_from(bytes.len()).expect("the batch's JSON is smaller than i32::MAX")
}
