//! One key column: values become codes, codes become values.

#![expect(clippy::cast_possible_truncation, reason = "the bits fit the width that they came from")]

use std::ops::Range;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::GenericStringArray;
use arrow_array::OffsetSizeTrait;
use arrow_array::PrimitiveArray;
use arrow_array::StringViewArray;
use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::make_array;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::types::Float32Type;
use arrow_array::types::Float64Type;
use arrow_array::types::UInt8Type;
use arrow_array::types::UInt16Type;
use arrow_array::types::UInt32Type;
use arrow_array::types::UInt64Type;
use arrow_buffer::NullBuffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;
use arrow_row::RowConverter;
use arrow_row::SortField;
use arrow_schema::ArrowError;
use arrow_schema::DataType;

use crate::window::WindowError;
use crate::window::group::interner::Interner;
use crate::window::group::interner::LOOKED_MAX;
use crate::window::group::interner::UNPACKED;
use crate::window::group::packed;
use crate::window::group::words::by_words;
use crate::window::vacancy::VACANT;

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
    /// The dictionary met last, with the code of each of its values: batches of one table share it.
    dictionary: Option<(ArrayRef, Vec<u32>)>,
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
        Ok(Self { kind, data_type, interner: Interner::default(), null: None, dictionary: None })
    }

    /// Appends the code of every row to `codes`, and those it makes to `made`.
    pub(super) fn encode(
        &mut self,
        column: &ArrayRef,
        codes: &mut Vec<u32>,
        made: &mut Vec<u32>,
    ) -> Result<(), WindowError> {
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            return self.encode_plain(column, codes, made);
        };
        let values = dictionary.values();
        let is_known = self.dictionary.as_ref().is_some_and(|(known, _)| is_same(known, values));
        let is_large = 2 * column.len() + 1_024 < values.len();
        if values.is_empty() || (is_large && !is_known) {
            return self.encode_plain(&arrow_cast::cast(column, &self.data_type)?, codes, made);
        }
        if !is_known {
            let mut of_value = Vec::with_capacity(values.len());
            self.encode_plain(values, &mut of_value, made)?;
            self.dictionary = Some((Arc::clone(values), of_value));
        }
        let first = codes.len();
        if let Some((_, of_value)) = &self.dictionary {
            codes.extend(dictionary.normalized_keys().into_iter().map(|key| of_value[key]));
        }
        if let Some(nulls) = dictionary.keys().nulls() {
            let null = self.null_code(made);
            let absent = codes[first..].iter_mut().zip(nulls).filter(|(_, is_valid)| !is_valid);
            absent.for_each(|(code, _)| *code = null);
        }
        Ok(())
    }

    /// Gives the code of a value to others.
    pub(super) fn forget(&mut self, code: u32) {
        self.interner.forget(code);
        self.dictionary = None;
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

    /// Sorts distinct codes by their values, nulls last, where that takes no more than comparing bytes.
    pub(super) fn sorted(&self, codes: &[u32]) -> Option<Vec<u32>> {
        if !matches!(self.kind, Kind::Text) {
            return None;
        }
        let interner = &self.interner;
        let mut named = Vec::with_capacity(codes.len());
        let mut words = Vec::with_capacity(codes.len());
        for &code in codes {
            if let Some(word) = interner.sort_word(code) {
                named.push(code);
                words.push(word);
            }
        }
        let code_at = |place: u32| named[place as usize];
        let order = by_words(&words, |a, b| {
            interner.long_bytes_of(code_at(a)).cmp(&interner.long_bytes_of(code_at(b)))
        });
        let mut sorted: Vec<u32> = order.into_iter().map(code_at).collect();
        sorted.extend(self.null.filter(|_| sorted.len() < codes.len()));
        Some(sorted)
    }

    /// Appends the codes that the keys of another column's codes have here, and those it makes to `made`.
    pub(super) fn translate(
        &mut self,
        other: &Self,
        of_other: &[u32],
        codes: &mut Vec<u32>,
        made: &mut Vec<u32>,
    ) {
        let theirs = &other.interner;
        let pack = |rows: Range<usize>| {
            of_other[rows].iter().map(|&code| theirs.packed_of(code).unwrap_or(UNPACKED))
        };
        let bytes_of = |row| theirs.long_bytes_of(of_other[row]).unwrap_or_default();
        let nulls = other.valid(of_other);
        self.intern_all(nulls.as_ref(), of_other.len(), pack, bytes_of, codes, made);
    }

    #[cfg(test)]
    pub(super) fn code_count(&self) -> usize {
        self.interner.code_count()
    }

    pub(super) fn bytes(&self) -> usize {
        self.interner.bytes()
    }

    fn encode_plain(
        &mut self,
        column: &ArrayRef,
        codes: &mut Vec<u32>,
        made: &mut Vec<u32>,
    ) -> Result<(), WindowError> {
        if let Kind::Rows(converter) = &self.kind {
            let rows = converter.convert_columns(std::slice::from_ref(column))?;
            codes.extend(rows.iter().map(|row| self.bytes_code(row.data(), made)));
            return Ok(());
        }
        match column.data_type() {
            DataType::Utf8 => self.intern_texts(column.as_string::<i32>(), codes, made),
            DataType::LargeUtf8 => self.intern_texts(column.as_string::<i64>(), codes, made),
            DataType::Utf8View => self.intern_views(column.as_string_view(), codes, made),
            _ => {
                let bits = bits_of(column);
                let pack = |rows: Range<usize>| bits[rows].iter().map(|&bits| bits.into());
                self.intern_all(column.nulls(), bits.len(), pack, |_| &[], codes, made);
            }
        }
        Ok(())
    }

    fn intern_texts<O: OffsetSizeTrait>(
        &mut self,
        texts: &GenericStringArray<O>,
        codes: &mut Vec<u32>,
        made: &mut Vec<u32>,
    ) {
        let (bytes, ends) = (texts.value_data(), texts.value_offsets());
        let pack = |rows: Range<usize>| {
            ends[rows.start..=rows.end].windows(2).map(|ends| {
                let (start, end) = (ends[0].as_usize(), ends[1].as_usize());
                packed::of_bytes(bytes, start, end).unwrap_or(UNPACKED)
            })
        };
        let bytes_of = |row| texts.value(row).as_bytes();
        self.intern_all(texts.nulls(), texts.len(), pack, bytes_of, codes, made);
    }

    fn intern_views(&mut self, texts: &StringViewArray, codes: &mut Vec<u32>, made: &mut Vec<u32>) {
        let views = texts.views();
        let pack = |rows: Range<usize>| {
            views[rows].iter().map(|&view| packed::of_view(view).unwrap_or(UNPACKED))
        };
        let bytes_of = |row| texts.value(row).as_bytes();
        self.intern_all(texts.nulls(), texts.len(), pack, bytes_of, codes, made);
    }

    /// Appends the codes of rows: `pack` packs the keys of some of them, and `bytes_of` answers one that cannot be packed.
    fn intern_all<'a, P: Iterator<Item = u128>>(
        &mut self,
        nulls: Option<&NullBuffer>,
        rows: usize,
        pack: impl Fn(Range<usize>) -> P,
        bytes_of: impl Fn(usize) -> &'a [u8],
        codes: &mut Vec<u32>,
        made: &mut Vec<u32>,
    ) {
        let nulls = nulls.filter(|nulls| 0 < nulls.null_count());
        let is_null = |row| nulls.is_some_and(|nulls| nulls.is_null(row));
        let Self { interner, null, .. } = self;
        let mut room = [UNPACKED; LOOKED_MAX];
        for start in (0..rows).step_by(LOOKED_MAX) {
            let end = rows.min(start + LOOKED_MAX);
            let first = codes.len();
            if interner.is_near() {
                codes.extend(pack(start..end).map(|packed| interner.find_near(packed)));
            } else {
                let packed = &mut room[..end - start];
                packed.iter_mut().zip(pack(start..end)).for_each(|(room, packed)| *room = packed);
                codes.resize(first + end - start, VACANT);
                interner.find_far(packed, &mut codes[first..]);
            }
            let codes = &mut codes[first..];
            if nulls.is_some() {
                // Whatever lies where there is no value is no key.
                let absent = (start..end).zip(&mut *codes).filter(|(row, _)| is_null(*row));
                absent.for_each(|(_, code)| *code = VACANT);
            }
            interner.intern_rest(codes, |interner, place| {
                let row = start + place;
                if is_null(row) {
                    return null_code(null, interner, made);
                }
                let (code, is_new) = match pack(row..row + 1).next() {
                    None | Some(UNPACKED) => interner.intern_bytes(bytes_of(row)),
                    Some(packed) => interner.intern_packed(packed),
                };
                if is_new {
                    made.push(code);
                }
                code
            });
        }
    }

    fn null_code(&mut self, made: &mut Vec<u32>) -> u32 {
        null_code(&mut self.null, &mut self.interner, made)
    }

    fn bytes_code(&mut self, bytes: &[u8], made: &mut Vec<u32>) -> u32 {
        let (code, is_new) = self.interner.intern_bytes(bytes);
        if is_new {
            made.push(code);
        }
        code
    }

    fn text_values(&self, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        match &self.data_type {
            DataType::Utf8View => self.text_views(codes),
            DataType::LargeUtf8 => self.texts::<i64>(codes),
            _ => self.texts::<i32>(codes),
        }
    }

    fn texts<O: OffsetSizeTrait>(&self, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        let mut room = [0; 16];
        let (mut bytes, mut lengths) = (Vec::new(), Vec::with_capacity(codes.len()));
        for &code in codes {
            let text = self.interner.bytes_of(code, &mut room).unwrap_or_default();
            bytes.extend_from_slice(text);
            lengths.push(text.len());
        }
        // More than the offsets can tell: as many as there are keys would not fit one array.
        O::from_usize(bytes.len()).ok_or_else(|| ArrowError::OffsetOverflowError(bytes.len()))?;
        let ends = OffsetBuffer::from_lengths(lengths);
        let texts = GenericStringArray::<O>::try_new(ends, bytes.into(), self.valid(codes))?;
        Ok(Arc::new(texts))
    }

    fn text_views(&self, codes: &[u32]) -> Result<ArrayRef, WindowError> {
        if self.interner.has_long() {
            let mut room = [0; 16];
            let mut texts = StringViewBuilder::with_capacity(codes.len());
            for &code in codes {
                let bytes = self.interner.bytes_of(code, &mut room);
                texts.append_option(bytes.map(|bytes| {
                    std::str::from_utf8(bytes).expect("the bytes were a string's when they came")
                }));
            }
            return Ok(Arc::new(texts.finish()));
        }
        let mut bytes = Vec::new();
        let mut view = |code: &u32| match self.interner.packed_of(*code) {
            Some(packed) => packed::to_view(packed, &mut bytes),
            None => 0,
        };
        let views: Vec<u128> = codes.iter().map(&mut view).collect();
        let buffers = if bytes.is_empty() { Vec::new() } else { vec![bytes.into()] };
        let texts = StringViewArray::try_new(views.into(), buffers, self.valid(codes))?;
        Ok(Arc::new(texts))
    }

    /// Which of some codes are not null's, if one is.
    fn valid(&self, codes: &[u32]) -> Option<NullBuffer> {
        let null = self.null.filter(|null| codes.contains(null))?;
        Some(codes.iter().map(|&code| code != null).collect())
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

/// The code of null; made where it has none.
fn null_code(null: &mut Option<u32>, interner: &mut Interner, made: &mut Vec<u32>) -> u32 {
    *null.get_or_insert_with(|| {
        let code = interner.make_unnamed();
        made.push(code);
        code
    })
}

/// Whether two columns are one and the same in memory.
fn is_same(one: &ArrayRef, other: &ArrayRef) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
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
