//! One column on its way into JSON: what writes the value of a row.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::LargeStringArray;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::types::Float64Type;
use arrow_array::types::Int8Type;
use arrow_array::types::Int16Type;
use arrow_array::types::Int32Type;
use arrow_array::types::Int64Type;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::types::TimestampSecondType;
use arrow_array::types::UInt8Type;
use arrow_array::types::UInt16Type;
use arrow_array::types::UInt32Type;
use arrow_array::types::UInt64Type;
use arrow_buffer::NullBuffer;
use arrow_json::EncoderOptions;
use arrow_json::writer::NullableEncoder;
use arrow_json::writer::make_encoder;
use arrow_schema::DataType;
use arrow_schema::FieldRef;
use arrow_schema::TimeUnit;

use crate::record::json::JsonError;
use crate::record::json::binary::Base64Factory;
use crate::record::json::dictionary::Texts;
use crate::record::json::text;
use crate::record::json::text::Pieces;
use crate::record::json::timestamp::Times;

/// The values of one column, by how they are written.
pub(super) enum Values<'a> {
    Boolean(&'a BooleanArray),
    /// Each distinct text once; the rows copy it.
    Dictionary {
        keys: Vec<usize>,
        texts: Arc<Texts>,
    },
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Null,
    Other(NullableEncoder<'a>),
    TextLarge(&'a LargeStringArray),
    TextSmall(&'a StringArray),
    TextView(&'a StringViewArray),
    Timestamp {
        ticks: &'a [i64],
        times: Times,
    },
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
}

/// A column with the text that stands before each of its values.
pub(super) struct Column<'a> {
    prefix: Pieces,
    prefix_len: usize,
    nulls: Option<NullBuffer>,
    values: Values<'a>,
}

impl<'a> Column<'a> {
    /// Prepares a column; `prefix` is what stands before its values: `{"name":` or `,"name":`, and `texts` those of its
    /// dictionary.
    pub(super) fn new(
        field: &'a FieldRef,
        array: &'a ArrayRef,
        prefix: Vec<u8>,
        texts: Option<Arc<Texts>>,
        options: &'a EncoderOptions,
    ) -> Result<Self, JsonError> {
        let values = match texts {
            Some(texts) => {
                Values::Dictionary { keys: array.as_any_dictionary().normalized_keys(), texts }
            }
            None => values(field, array, options)?,
        };
        let (prefix_len, prefix) = (prefix.len(), Pieces::new(prefix));
        Ok(Self { prefix, prefix_len, nulls: array.logical_nulls(), values })
    }

    /// Writes the prefix and the value of `row`.
    #[inline]
    pub(super) fn write(&mut self, row: usize, out: &mut Vec<u8>) {
        self.prefix.append(0, self.prefix_len, out);
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"null");
            return;
        }
        match &mut self.values {
            Values::Boolean(array) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            Values::Dictionary { keys, texts } => texts.append(keys[row], out),
            Values::Float32(values) => write_f32(values[row], out),
            Values::Float64(values) => write_f64(values[row], out),
            Values::Int8(values) => write_scalar(&values[row], out),
            Values::Int16(values) => write_scalar(&values[row], out),
            Values::Int32(values) => write_scalar(&values[row], out),
            Values::Int64(values) => write_scalar(&values[row], out),
            Values::Null => out.extend_from_slice(b"null"),
            Values::Other(encoder) => encoder.encode(row, out),
            Values::TextLarge(array) => text::write(array, row, out),
            Values::TextSmall(array) => text::write(array, row, out),
            Values::TextView(array) => text::write_view(array, row, out),
            Values::Timestamp { ticks, times } => times.write(ticks[row], out),
            Values::UInt8(values) => write_scalar(&values[row], out),
            Values::UInt16(values) => write_scalar(&values[row], out),
            Values::UInt32(values) => write_scalar(&values[row], out),
            Values::UInt64(values) => write_scalar(&values[row], out),
        }
    }
}

/// How the values are written that Arrow writes for us.
pub(super) fn encoder_options() -> EncoderOptions {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(Base64Factory))
}

/// Writes a number or a text through the one serializer that knows the shortest digits and the escapes.
#[inline]
pub(super) fn write_scalar<T: sonic_rs::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    sonic_rs::to_writer(out, value).expect("a number or a text always has a JSON form");
}

fn write_f32(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        write_scalar(&value, out);
    } else {
        out.extend_from_slice(b"null");
    }
}

fn write_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        write_scalar(&value, out);
    } else {
        out.extend_from_slice(b"null");
    }
}

fn values<'a>(
    field: &'a FieldRef,
    array: &'a ArrayRef,
    options: &'a EncoderOptions,
) -> Result<Values<'a>, JsonError> {
    Ok(match array.data_type() {
        DataType::Boolean => Values::Boolean(array.as_boolean()),
        DataType::Float32 => Values::Float32(array.as_primitive::<Float32Type>().values()),
        DataType::Float64 => Values::Float64(array.as_primitive::<Float64Type>().values()),
        DataType::Int8 => Values::Int8(array.as_primitive::<Int8Type>().values()),
        DataType::Int16 => Values::Int16(array.as_primitive::<Int16Type>().values()),
        DataType::Int32 => Values::Int32(array.as_primitive::<Int32Type>().values()),
        DataType::Int64 => Values::Int64(array.as_primitive::<Int64Type>().values()),
        DataType::LargeUtf8 => Values::TextLarge(array.as_string()),
        DataType::Null => Values::Null,
        DataType::Timestamp(unit, zone) => Values::Timestamp {
            ticks: ticks(array, *unit),
            times: Times::new(*unit, zone.is_some()),
        },
        DataType::UInt8 => Values::UInt8(array.as_primitive::<UInt8Type>().values()),
        DataType::UInt16 => Values::UInt16(array.as_primitive::<UInt16Type>().values()),
        DataType::UInt32 => Values::UInt32(array.as_primitive::<UInt32Type>().values()),
        DataType::UInt64 => Values::UInt64(array.as_primitive::<UInt64Type>().values()),
        DataType::Utf8 => Values::TextSmall(array.as_string()),
        DataType::Utf8View => Values::TextView(array.as_string_view()),
        _ => return other(field, array, options),
    })
}

fn ticks(array: &ArrayRef, unit: TimeUnit) -> &[i64] {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    }
}

fn other<'a>(
    field: &'a FieldRef,
    array: &'a ArrayRef,
    options: &'a EncoderOptions,
) -> Result<Values<'a>, JsonError> {
    match make_encoder(field, array.as_ref(), options) {
        Ok(encoder) => Ok(Values::Other(encoder)),
        Err(_) => Err(JsonError::UnsupportedType {
            column: field.name().clone(),
            data_type: array.data_type().clone(),
        }),
    }
}
