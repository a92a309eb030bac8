//! Rows to JSON objects: one object per row, fields in the order of the schema.
//!
//! Nulls and floats that are not finite are written as `null`, timestamps with a time zone as ISO 8601 in UTC with a
//! `Z` and naive ones without, binary values as base64, dates, times and nested types as Arrow writes them.

use arrow_array::Array;
use arrow_array::BinaryViewArray;
use arrow_array::LargeBinaryArray;
use arrow_array::RecordBatch;
use arrow_array::builder::make_view;
use arrow_array::cast::AsArray;
use arrow_buffer::ArrowNativeType;
use arrow_buffer::Buffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;
use arrow_data::ByteView;
use arrow_data::MAX_INLINE_VIEW_LEN;
use arrow_json::EncoderOptions;
use arrow_schema::DataType;

use crate::record::json::JsonError;
use crate::record::json::column::Column;
use crate::record::json::column::encoder_options;
use crate::record::json::column::write_scalar;
use crate::record::json::dictionary::Dictionaries;

/// The longest escape of one byte of text: `\u001f`.
const ESCAPE_BYTES_MAX: usize = 6;
/// The most bytes of a fixed-width value: a float of 24 characters, or a quoted timestamp with an expanded year.
const FIXED_BYTES_MAX: usize = 40;
/// Rows that are written to learn how long one is, and how many of them make that worth it.
const SAMPLED_ROWS: usize = 64;
const SAMPLED_FROM_ROWS: usize = 1_024;

/// Encodes the picked rows, or all of them, as one JSON object each, without a newline.
///
/// # Errors
///
/// A column whose type has no JSON form.
///
/// # Panics
///
/// When a picked row is not in the batch.
pub fn encode_rows(
    batch: &RecordBatch,
    rows: Option<&[u32]>,
) -> Result<LargeBinaryArray, JsonError> {
    let count = rows.map_or(batch.num_rows(), <[u32]>::len);
    Ok(encode(batch, rows, &Dictionaries::of(batch, count))?.finish())
}

/// Encodes all rows of a part of a batch, as [`encode_rows`] does, with the dictionaries of the whole batch.
///
/// # Errors
///
/// A column whose type has no JSON form.
///
/// # Panics
///
/// When the dictionaries are those of another batch.
pub fn encode_part(
    part: &RecordBatch,
    dictionaries: &Dictionaries,
) -> Result<BinaryViewArray, JsonError> {
    Ok(encode(part, None, dictionaries)?.finish_as_views())
}

fn encode(
    batch: &RecordBatch,
    rows: Option<&[u32]>,
    dictionaries: &Dictionaries,
) -> Result<Sink, JsonError> {
    let options = encoder_options();
    let mut columns = columns(batch, dictionaries, &options)?;
    let count = rows.map_or(batch.num_rows(), <[u32]>::len);
    let row_bytes = if count < SAMPLED_FROM_ROWS {
        row_bytes_estimate(batch)
    } else {
        row_bytes_sampled(&mut columns, rows, count)
    };
    let mut sink = Sink::new(count, row_bytes);
    match rows {
        Some(rows) => rows.iter().for_each(|&row| sink.push(&mut columns, row as usize)),
        None => (0..batch.num_rows()).for_each(|row| sink.push(&mut columns, row)),
    }
    Ok(sink)
}

/// Bounds the bytes of one row's JSON from above, without encoding it where that can be avoided.
///
/// A row that cannot be encoded is bounded by `usize::MAX`.
pub fn encoded_len_bound(batch: &RecordBatch, row: usize) -> usize {
    let schema = batch.schema_ref();
    let mut bytes = 2_usize;
    for (index, field) in schema.fields().iter().enumerate() {
        let name = field.name().len() * ESCAPE_BYTES_MAX + 4;
        let value = value_len_bound(batch, index, row);
        bytes = bytes.saturating_add(name).saturating_add(value);
    }
    bytes
}

/// Measures the exact bytes of every row's JSON, by encoding it.
///
/// # Errors
///
/// A column whose type has no JSON form, or a row of more than 4 GiB.
pub fn encoded_lens(batch: &RecordBatch) -> Result<Vec<u32>, JsonError> {
    let options = encoder_options();
    let dictionaries = Dictionaries::of(batch, batch.num_rows());
    let mut columns = columns(batch, &dictionaries, &options)?;
    let mut text = Vec::with_capacity(row_bytes_estimate(batch));
    let mut lens = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        text.clear();
        write_row(&mut columns, row, &mut text);
        let bytes = text.len();
        lens.push(u32::try_from(bytes).map_err(|_| JsonError::RowTooLarge { row, bytes })?);
    }
    Ok(lens)
}

/// The rows' text end to end, as the array will hold it.
struct Sink {
    text: Vec<u8>,
    ends: Vec<i64>,
}

impl Sink {
    fn new(rows: usize, row_bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { text: Vec::with_capacity(rows.saturating_mul(row_bytes)), ends }
    }

    fn push(&mut self, columns: &mut [Column<'_>], row: usize) {
        write_row(columns, row, &mut self.text);
        self.ends.push(i64::try_from(self.text.len()).expect("memory is smaller than i64::MAX"));
    }

    fn finish(self) -> LargeBinaryArray {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        LargeBinaryArray::new(offsets, Buffer::from_vec(self.text), None)
    }

    /// The rows as views of the one buffer they lie in.
    fn finish_as_views(self) -> BinaryViewArray {
        if i32::try_from(self.text.len()).is_err() {
            // Other libraries count the bytes of a buffer in 31 bits: these rows take several, and are copied there.
            return BinaryViewArray::from_iter_values(self.finish().iter().flatten());
        }
        let views = self.ends.windows(2).map(|ends| {
            let (start, end) = (ends[0].as_usize(), ends[1].as_usize());
            view(&self.text[start..end], start)
        });
        let views: Vec<u128> = views.collect();
        BinaryViewArray::new(views.into(), vec![Buffer::from_vec(self.text)], None)
    }
}

/// A view of the text that begins at `start` of the only buffer.
#[inline]
fn view(text: &[u8], start: usize) -> u128 {
    let number = |bytes: usize| u32::try_from(bytes).expect("buffers of views are below 2 GiB");
    let length = number(text.len());
    match text.first_chunk::<4>() {
        Some(&prefix) if MAX_INLINE_VIEW_LEN < length => {
            let prefix = u32::from_le_bytes(prefix);
            ByteView { length, prefix, buffer_index: 0, offset: number(start) }.as_u128()
        }
        _ => make_view(text, 0, number(start)),
    }
}

fn columns<'a>(
    batch: &'a RecordBatch,
    dictionaries: &Dictionaries,
    options: &'a EncoderOptions,
) -> Result<Vec<Column<'a>>, JsonError> {
    let fields = batch.schema_ref().fields().iter();
    let arrays = batch.columns();
    fields
        .zip(arrays)
        .enumerate()
        .map(|(index, (field, array))| {
            let prefix = prefix(index, field.name());
            Column::new(field, array, prefix, dictionaries.column(index), options)
        })
        .collect()
}

fn prefix(index: usize, name: &str) -> Vec<u8> {
    let mut prefix = vec![if index == 0 { b'{' } else { b',' }];
    write_scalar(name, &mut prefix);
    prefix.push(b':');
    prefix
}

fn write_row(columns: &mut [Column<'_>], row: usize, out: &mut Vec<u8>) {
    if columns.is_empty() {
        out.push(b'{');
    }
    for column in columns {
        column.write(row, out);
    }
    out.push(b'}');
}

/// The mean of some rows and an eighth: memory that is not needed is not touched, and what is too small is copied.
fn row_bytes_sampled(columns: &mut [Column<'_>], rows: Option<&[u32]>, count: usize) -> usize {
    let mut text = Vec::new();
    for place in (0..count).step_by(count / SAMPLED_ROWS).take(SAMPLED_ROWS) {
        write_row(columns, rows.map_or(place, |rows| rows[place] as usize), &mut text);
    }
    text.len() * 9 / (SAMPLED_ROWS * 8) + 1
}

/// A guess for the first allocation: names, punctuation, and a dozen bytes a value.
fn row_bytes_estimate(batch: &RecordBatch) -> usize {
    batch.schema_ref().fields().iter().map(|field| field.name().len() + 16).sum::<usize>() + 2
}

fn value_len_bound(batch: &RecordBatch, index: usize, row: usize) -> usize {
    let array = batch.column(index);
    let text = |bytes: usize| bytes * ESCAPE_BYTES_MAX + 4;
    match array.data_type() {
        DataType::Utf8 => text(array.as_string::<i32>().value(row).len()),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row).len()),
        DataType::Utf8View => text(array.as_string_view().value(row).len()),
        DataType::Boolean | DataType::Null | DataType::Timestamp(..) => FIXED_BYTES_MAX,
        data_type if data_type.is_integer() || data_type.is_floating() => FIXED_BYTES_MAX,
        _ => exact_len(batch, index, row),
    }
}

fn exact_len(batch: &RecordBatch, index: usize, row: usize) -> usize {
    let options = encoder_options();
    let field = &batch.schema_ref().fields()[index];
    let value = batch.column(index).slice(row, 1);
    let mut text = Vec::new();
    match Column::new(field, &value, Vec::new(), None, &options) {
        Ok(mut column) => column.write(0, &mut text),
        Err(_) => return usize::MAX,
    }
    text.len()
}
