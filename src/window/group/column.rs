//! One key column: values become codes, codes become values.

#![expect(clippy::cast_possible_truncation, reason = "the bits fit the width that they came from")]

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::PrimitiveArray;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::make_array;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::types::Float32Type;
use arrow_array::types::Float64Type;
use arrow_array::types::UInt8Type;
use arrow_array::types::UInt16Type;
use arrow_array::types::UInt32Type;
use arrow_array::types::UInt64Type;
use arrow_buffer::ScalarBuffer;
use arrow_row::RowConverter;
use arrow_row::SortField;
use arrow_schema::DataType;

use crate::window::WindowError;
use crate::window::group::interner::Interner;

/// The type that a column answers: a dictionary answers its values'.
pub(crate) fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, value_type) => value_type.as_ref(),
        plain => plain,
    }
}

/// How values of a type become keys.
#[derive(Debug)]
enum Kind {
    /// Fixed widths up to 64 bits, by their bits.
    Bits,
    /// Everything else, by Arrow's row format.
    Rows(RowConverter),
    /// Strings, by their bytes.
    Text,
}

/// The distinct values of one key column.
#[derive(Debug)]
pub(super) struct KeyColumn {
    kind: Kind,
    /// The type of the values, dictionaries unpacked.
    data_type: DataType,
    interner: Interner,
    /// The code of null, once there was one.
    null: Option<u32>,
}

impl KeyColumn {
    pub(super) fn new(data_type: &DataType) -> Result<Self, WindowError> {
        let data_type = value_type(data_type).clone();
        let kind = match &data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Boolean => Kind::Bits,
            DataType::Float16 => {
                Kind::Rows(RowConverter::new(vec![SortField::new(data_type.clone())])?)
            }
            plain if plain.primitive_width().is_some_and(|width| width <= 8) => Kind::Bits,
            other => Kind::Rows(RowConverter::new(vec![SortField::new(other.clone())])?),
        };
        Ok(Self { kind, data_type, interner: Interner::default(), null: None })
    }

    /// Answers the code of every row, and adds those it makes to `made`.
    pub(super) fn encode(
        &mut self,
        column: &ArrayRef,
        made: &mut Vec<u32>,
    ) -> Result<Vec<u32>, WindowError> {
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            return self.encode_plain(column, made);
        };
        let values = dictionary.values();
        if values.is_empty() || 2 * column.len() + 1_024 < values.len() {
            return self.encode_plain(&arrow_cast::cast(column, &self.data_type)?, made);
        }
        let of_value = self.encode_plain(values, made)?;
        let mut codes: Vec<u32> =
            dictionary.normalized_keys().into_iter().map(|key| of_value[key]).collect();
        if let Some(nulls) = dictionary.keys().nulls() {
            let null = self.null_code(made);
            let absent = codes.iter_mut().zip(nulls).filter(|(_, is_valid)| !is_valid);
            absent.for_each(|(code, _)| *code = null);
        }
        Ok(codes)
    }

    /// Gives the code of a value to others.
    pub(super) fn forget(&mut self, code: u32) {
        self.interner.forget(code);
        if self.null == Some(code) {
            self.null = None;
        }
    }

    /// Answers the values of codes.
    pub(super) fn values(&self, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        match &self.kind {
            Kind::Bits => self.bit_values(codes),
            Kind::Rows(converter) => self.row_values(converter, codes),
            Kind::Text => self.text_values(codes),
        }
    }

    pub(super) fn code_count(&self) -> usize {
        self.interner.code_count()
    }

    pub(super) fn bytes(&self) -> usize {
        self.interner.bytes()
    }

    fn encode_plain(
        &mut self,
        column: &ArrayRef,
        made: &mut Vec<u32>,
    ) -> Result<Vec<u32>, WindowError> {
        if let Kind::Rows(converter) = &self.kind {
            let rows = converter.convert_columns(std::slice::from_ref(column))?;
            return Ok(self.intern(rows.iter().map(|row| Some(row.data())), made));
        }
        Ok(match column.data_type() {
            DataType::Utf8 => self.intern_text(column.as_string::<i32>(), column, made),
            DataType::LargeUtf8 => self.intern_text(column.as_string::<i64>(), column, made),
            DataType::Utf8View => self.intern_text(column.as_string_view(), column, made),
            _ => {
                let bits = bits_of(column);
                match column.nulls() {
                    None => bits.into_iter().map(|bits| self.bit_code(Some(bits), made)).collect(),
                    Some(nulls) => bits
                        .into_iter()
                        .zip(nulls)
                        .map(|(bits, is_valid)| self.bit_code(is_valid.then_some(bits), made))
                        .collect(),
                }
            }
        })
    }

    fn intern_text<'a, A: arrow_array::ArrayAccessor<Item = &'a str>>(
        &mut self,
        texts: A,
        column: &ArrayRef,
        made: &mut Vec<u32>,
    ) -> Vec<u32> {
        let rows = 0..column.len();
        match column.nulls() {
            None => self.intern(rows.map(|row| Some(texts.value(row).as_bytes())), made),
            Some(nulls) => self.intern(
                rows.map(|row| nulls.is_valid(row).then(|| texts.value(row).as_bytes())),
                made,
            ),
        }
    }

    #[inline]
    fn intern<'a>(
        &mut self,
        keys: impl Iterator<Item = Option<&'a [u8]>>,
        made: &mut Vec<u32>,
    ) -> Vec<u32> {
        keys.map(|key| {
            let Some(bytes) = key else {
                return self.null_code(made);
            };
            let (code, is_new) = self.interner.intern_bytes(bytes);
            if is_new {
                made.push(code);
            }
            code
        })
        .collect()
    }

    #[inline]
    fn bit_code(&mut self, bits: Option<u64>, made: &mut Vec<u32>) -> u32 {
        let Some(bits) = bits else {
            return self.null_code(made);
        };
        let (code, is_new) = self.interner.intern_packed(bits.into());
        if is_new {
            made.push(code);
        }
        code
    }

    fn null_code(&mut self, made: &mut Vec<u32>) -> u32 {
        *self.null.get_or_insert_with(|| {
            let code = self.interner.make_unnamed();
            made.push(code);
            code
        })
    }

    fn text_values(&self, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        let mut room = [0; 16];
        let mut texts = arrow_array::builder::StringBuilder::with_capacity(codes.len(), 0);
        for &code in codes {
            let bytes = self.interner.bytes_of(code, &mut room);
            texts.append_option(bytes.map(|bytes| {
                std::str::from_utf8(bytes).expect("the bytes were a string's when they came")
            }));
        }
        let texts: StringArray = texts.finish();
        Ok(arrow_cast::cast(&texts, &self.data_type)?)
    }

    fn row_values(&self, converter: &RowConverter, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        let parser = converter.parser();
        let mut rooms = vec![[0; 16]; codes.len()];
        let rows = codes.iter().zip(&mut rooms).map(|(&code, room)| {
            parser.parse(self.interner.bytes_of(code, room).expect("null has its bytes here"))
        });
        let columns = converter.convert_rows(rows)?;
        Ok(columns.into_iter().next().expect("one field makes one column"))
    }

    fn bit_values(&self, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        let bits = || codes.iter().map(|&code| self.interner.packed_of(code));
        if self.data_type == DataType::Boolean {
            let values: BooleanArray = bits().map(|bits| bits.map(|bits| bits != 0)).collect();
            return Ok(Arc::new(values));
        }
        let values: ArrayRef = match self.data_type.primitive_width() {
            Some(1) => primitive::<UInt8Type>(bits().map(|bits| bits.map(|bits| bits as u8))),
            Some(2) => primitive::<UInt16Type>(bits().map(|bits| bits.map(|bits| bits as u16))),
            Some(4) => primitive::<UInt32Type>(bits().map(|bits| bits.map(|bits| bits as u32))),
            _ => primitive::<UInt64Type>(bits().map(|bits| bits.map(|bits| bits as u64))),
        };
        let data = values.to_data().into_builder().data_type(self.data_type.clone()).build()?;
        Ok(make_array(data))
    }
}

fn primitive<T: ArrowPrimitiveType>(values: impl Iterator<Item = Option<T::Native>>) -> ArrayRef {
    Arc::new(values.collect::<PrimitiveArray<T>>())
}

/// The bits of a column of a fixed width; equal keys have equal bits.
fn bits_of(column: &ArrayRef) -> Vec<u64> {
    match column.data_type() {
        DataType::Boolean => {
            return column.as_boolean().values().iter().map(u64::from).collect();
        }
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>().values();
            return values.iter().map(|value| plain_f32(*value).to_bits().into()).collect();
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>().values();
            return values.iter().map(|value| plain_f64(*value).to_bits()).collect();
        }
        _ => {}
    }
    let data = column.to_data();
    let (buffer, offset, length) = (data.buffers()[0].clone(), data.offset(), data.len());
    match column.data_type().primitive_width() {
        Some(1) => widened(&ScalarBuffer::<u8>::new(buffer, offset, length)),
        Some(2) => widened(&ScalarBuffer::<u16>::new(buffer, offset, length)),
        Some(4) => widened(&ScalarBuffer::<u32>::new(buffer, offset, length)),
        _ => ScalarBuffer::<u64>::new(buffer, offset, length).to_vec(),
    }
}

fn widened<T: Copy + Into<u64>>(values: &[T]) -> Vec<u64> {
    values.iter().map(|&value| value.into()).collect()
}

fn plain_f32(value: f32) -> f32 {
    // Adding zero makes -0.0 into 0.0.
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}

fn plain_f64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}
