//! Values as 64-bit keys: numbers as their words, strings and bytes as codes or hashes.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words are cut out of views, which they are a half of"
)]

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryViewArray;
use arrow_array::Decimal128Array;
use arrow_array::GenericByteArray;
use arrow_array::GenericByteViewArray;
use arrow_array::PrimitiveArray;
use arrow_array::cast::AsArray;
use arrow_array::types::BinaryType;
use arrow_array::types::BinaryViewType;
use arrow_array::types::ByteArrayType;
use arrow_array::types::ByteViewType;
use arrow_array::types::Decimal128Type;
use arrow_array::types::LargeBinaryType;
use arrow_array::types::LargeUtf8Type;
use arrow_array::types::StringViewType;
use arrow_array::types::Utf8Type;
use arrow_schema::DataType;
use foldhash::quality::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::window::WindowError;
use crate::window::aggregate::Rows;
use crate::window::aggregate::fold::fold_rows;
use crate::window::aggregate::fold::fold_values;
use crate::window::aggregate::storage::Number;
use crate::window::aggregate::storage::from_storage;
use crate::window::aggregate::storage::storage_type;
use crate::window::aggregate::storage::to_storage;
use crate::window::aggregate::storage::with_number_type;

/// The seed of every hash: equal values hash alike in every process.
const HASH_SEED: u64 = 0x5368_6172_6453_7472;

/// Hashes a string or a run of bytes, however Arrow encodes it.
#[inline]
pub(super) fn hash_bytes(bytes: &[u8]) -> u64 {
    FixedState::with_seed(HASH_SEED).hash_one(bytes)
}

/// The longest value that Arrow's views hold themselves.
const SHORT_BYTES_MAX: usize = 12;

/// Hashes a run of bytes, the short ones as if they stood in a view.
#[inline]
fn hash_any(bytes: &[u8]) -> u64 {
    if SHORT_BYTES_MAX < bytes.len() {
        return hash_bytes(bytes);
    }
    hash_short(inline_view(bytes))
}

/// Hashes a view that holds its value: the length, then up to twelve bytes, then zeros.
#[inline]
fn hash_short(view: u128) -> u64 {
    let low = (view as u64) ^ HASH_SEED;
    let high = ((view >> 64) as u64) ^ HASH_SEED.rotate_left(32);
    let product = u128::from(low) * u128::from(high);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The view of at most twelve bytes.
#[inline]
fn inline_view(bytes: &[u8]) -> u128 {
    let text = match bytes {
        [_, _, _, _, _, _, _, _, rest @ ..] => {
            let first = bytes.first_chunk().copied().unwrap_or([0; 8]);
            let last = bytes.last_chunk().copied().unwrap_or([0; 4]);
            let kept = u64::from(u32::from_le_bytes(last)) >> (8 * (4 - rest.len()));
            u128::from(u64::from_le_bytes(first)) | u128::from(kept) << 64
        }
        [_, _, _, _, rest @ ..] => {
            let first = bytes.first_chunk().copied().unwrap_or([0; 4]);
            let last = bytes.last_chunk().copied().unwrap_or([0; 4]);
            let kept = u64::from(u32::from_le_bytes(last)) >> (8 * (4 - rest.len()));
            u128::from(u32::from_le_bytes(first)) | u128::from(kept) << 32
        }
        few => few.iter().rev().fold(0, |text, &byte| text << 8 | u128::from(byte)),
    };
    text << 32 | bytes.len() as u128
}

/// Spreads a key over 64 bits; different keys stay different.
#[inline]
pub(super) fn spread(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

/// Whether the values of a type are wider than a word, so that their keys are codes or hashes.
pub(super) fn is_wide(storage: &DataType) -> bool {
    matches!(storage, DataType::BinaryView | DataType::Decimal128(_, _))
}

/// Hands the key of every value that takes part to `each`, with its slot; `key_of` keys wide values.
pub(super) fn fold_keys(
    column: &ArrayRef,
    rows: Rows<'_>,
    slots: &[u32],
    mut key_of: impl FnMut(&[u8]) -> u64,
    mut each: impl FnMut(usize, u64),
) {
    // A dictionary smaller than the batch is keyed once a value rather than once a row.
    if let Some(dictionary) = column.as_any_dictionary_opt()
        && storage_type(column.data_type()).as_ref() == Some(&DataType::BinaryView)
        && (1..=slots.len()).contains(&dictionary.values().len())
    {
        let values = to_storage(dictionary.values());
        let values = values.as_byte_view::<BinaryViewType>();
        let keys: Vec<u64> = values.iter().map(|value| value.map_or(0, &mut key_of)).collect();
        let nulls = column.logical_nulls();
        let codes = dictionary.normalized_keys();
        return fold_values(&codes, nulls.as_ref(), rows, slots, |slot, code| {
            each(slot, keys[code]);
        });
    }
    let bytes = |slot: usize, value: &[u8]| each(slot, key_of(value));
    match column.data_type() {
        DataType::Utf8View => fold_views::<StringViewType>(column, rows, slots, bytes),
        DataType::BinaryView => fold_views::<BinaryViewType>(column, rows, slots, bytes),
        DataType::Utf8 => fold_bytes::<Utf8Type>(column, rows, slots, bytes),
        DataType::LargeUtf8 => fold_bytes::<LargeUtf8Type>(column, rows, slots, bytes),
        DataType::Binary => fold_bytes::<BinaryType>(column, rows, slots, bytes),
        DataType::LargeBinary => fold_bytes::<LargeBinaryType>(column, rows, slots, bytes),
        _ => fold_stored_keys(&to_storage(column), rows, slots, key_of, each),
    }
}

/// Hands the key of every stored value that takes part to `each`, with its slot.
fn fold_stored_keys(
    stored: &ArrayRef,
    rows: Rows<'_>,
    slots: &[u32],
    mut key_of: impl FnMut(&[u8]) -> u64,
    mut each: impl FnMut(usize, u64),
) {
    with_number_type!(stored.data_type(), T => {
        let values = stored.as_primitive::<T>();
        fold_values(values.values(), values.nulls(), rows, slots, |slot, value| {
            each(slot, value.word());
        });
    }, _ => if let Some(values) = stored.as_primitive_opt::<Decimal128Type>() {
        fold_values(values.values(), values.nulls(), rows, slots, |slot, value| {
            each(slot, key_of(&decimal_bytes(value)));
        });
    } else {
        fold_views::<BinaryViewType>(stored, rows, slots, |slot, value| each(slot, key_of(value)));
    });
}

/// Hands every run of bytes that takes part to `each`, with its slot, from where the column has it.
#[inline]
fn fold_bytes<T: ByteArrayType>(
    column: &ArrayRef,
    rows: Rows<'_>,
    slots: &[u32],
    mut each: impl FnMut(usize, &[u8]),
) {
    let values: &GenericByteArray<T> = column.as_bytes();
    fold_rows(values.nulls(), rows, slots, |slot, row| each(slot, values.value(row).as_ref()));
}

/// Hands every run of bytes behind a view to `each`, with its slot.
#[inline]
fn fold_views<T: ByteViewType>(
    column: &ArrayRef,
    rows: Rows<'_>,
    slots: &[u32],
    mut each: impl FnMut(usize, &[u8]),
) {
    let values: &GenericByteViewArray<T> = column.as_byte_view();
    fold_rows(values.nulls(), rows, slots, |slot, row| each(slot, values.value(row).as_ref()));
}

/// Hands a well mixed hash of every value that takes part to `each`, with its slot; equal values hash alike in every
/// encoding.
pub(super) fn fold_hashes(
    column: &ArrayRef,
    rows: Rows<'_>,
    slots: &[u32],
    mut each: impl FnMut(usize, u64),
) {
    match column.data_type() {
        DataType::Utf8View => fold_view_hashes::<StringViewType>(column, rows, slots, each),
        DataType::BinaryView => fold_view_hashes::<BinaryViewType>(column, rows, slots, each),
        _ => fold_keys(column, rows, slots, hash_any, |slot, key| each(slot, spread(key))),
    }
}

/// The same for views, whose short values are hashed as they lie in the view itself.
#[inline]
fn fold_view_hashes<T: ByteViewType>(
    column: &ArrayRef,
    rows: Rows<'_>,
    slots: &[u32],
    mut each: impl FnMut(usize, u64),
) {
    let values: &GenericByteViewArray<T> = column.as_byte_view();
    let views = values.views();
    fold_rows(values.nulls(), rows, slots, |slot, row| {
        let view = views[row];
        let key = match SHORT_BYTES_MAX.checked_sub(view as u32 as usize) {
            // What stands behind the value is zero by Arrow's format, but views may come from anywhere.
            Some(unused) => hash_short(view << (8 * unused) >> (8 * unused)),
            None => hash_bytes(values.value(row).as_ref()),
        };
        each(slot, spread(key));
    });
}

/// Builds the column of the values that keys stand for.
pub(super) fn values_of(
    keys: &[u64],
    interner: &Interner,
    logical: &DataType,
) -> Result<ArrayRef, WindowError> {
    let storage = storage_type(logical).unwrap_or(DataType::BinaryView);
    let stored: ArrayRef = with_number_type!(storage, T => {
        Arc::new(PrimitiveArray::<T>::from_iter_values(
            keys.iter().map(|&key| Number::from_word(key)),
        ))
    }, _ => if matches!(storage, DataType::Decimal128(_, _)) {
        let values = keys.iter().map(|&key| decimal_from(interner.bytes_of(key)));
        Arc::new(Decimal128Array::from_iter_values(values).with_data_type(storage))
    } else {
        Arc::new(BinaryViewArray::from_iter_values(keys.iter().map(|&key| interner.bytes_of(key))))
    });
    from_storage(&stored, logical)
}

/// A decimal as bytes that order as the decimal does.
fn decimal_bytes(value: i128) -> [u8; 16] {
    (value ^ i128::MIN).to_be_bytes()
}

fn decimal_from(bytes: &[u8]) -> i128 {
    let bytes = bytes.try_into().expect("an interned decimal has 16 bytes");
    i128::from_be_bytes(bytes) ^ i128::MIN
}

/// Gives every distinct run of bytes a code, the same for as long as it is not compacted.
#[derive(Debug, Default)]
pub(super) struct Interner {
    codes: HashTable<u32>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Interner {
    pub(super) fn intern(&mut self, value: &[u8]) -> u64 {
        let Self { codes, bytes, ends } = self;
        let next = u32::try_from(ends.len()).expect("four billion values exhaust memory first");
        let entry = codes.entry(
            hash_bytes(value),
            |&code| slice(bytes, ends, code) == value,
            |&code| hash_bytes(slice(bytes, ends, code)),
        );
        match entry {
            Entry::Occupied(held) => u64::from(*held.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(next);
                bytes.extend_from_slice(value);
                ends.push(bytes.len());
                u64::from(next)
            }
        }
    }

    pub(super) fn bytes_of(&self, code: u64) -> &[u8] {
        let code = u32::try_from(code).expect("codes have 32 bits");
        slice(&self.bytes, &self.ends, code)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.codes.allocation_size()
            + self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
    }

    /// Whether most codes are of values that no slot holds, when slots hold `held` codes together.
    pub(super) fn is_stale(&self, held: usize) -> bool {
        const KEPT: usize = 1_024;
        KEPT.max(2 * held) < self.len()
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], code: u32) -> &'a [u8] {
    let code = code as usize;
    let start = code.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[code]]
}

/// Turns the codes of one interner into those of another, each value once.
#[derive(Debug)]
pub(super) struct Translation<'a> {
    from: &'a Interner,
    codes: Vec<Option<u32>>,
}

impl<'a> Translation<'a> {
    pub(super) fn new(from: &'a Interner) -> Self {
        Self { from, codes: vec![None; from.len()] }
    }

    pub(super) fn translate(&mut self, code: u64, into: &mut Interner) -> u64 {
        let index = usize::try_from(code).expect("codes have 32 bits");
        if let Some(known) = self.codes[index] {
            return u64::from(known);
        }
        let translated = into.intern(self.from.bytes_of(code));
        self.codes[index] = u32::try_from(translated).ok();
        translated
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow_array::DictionaryArray;
    use arrow_array::types::Int32Type;
    use proptest::prelude::*;

    use super::*;

    fn hashes(column: &ArrayRef, picked: Option<&[u32]>, count: usize) -> Vec<(usize, u64)> {
        let slots: Vec<u32> = (0..).take(count).collect();
        let times = vec![0; column.len()];
        let rows = Rows { values: Some(column), times: &times, first_ordinal: 0, picked };
        let mut found = Vec::new();
        fold_hashes(column, rows, &slots, |slot, hash| found.push((slot, hash)));
        found
    }

    proptest! {
        #[test]
        fn equal_bytes_hash_alike_in_every_encoding(
            texts in prop::collection::vec(prop::option::weighted(0.9, "[a-c]{0,3}|[a-b]{7,14}|[a-b]{30}"), 1..60),
            start in any::<prop::sample::Index>(),
            every in 1..4_usize,
        ) {
            let plain: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
            let plain: ArrayRef = Arc::new(plain);
            let start = start.index(texts.len());
            let picked: Vec<u32> = (0..(texts.len() - start) as u32).step_by(every).collect();
            let mut known: HashMap<&str, u64> = HashMap::new();
            let expected = hashes(&plain.slice(start, texts.len() - start), None, texts.len() - start);
            for &(slot, hash) in &expected {
                let text = texts[start + slot].as_deref().unwrap();
                prop_assert_eq!(*known.entry(text).or_insert(hash), hash);
            }
            let mut distinct: Vec<u64> = known.values().copied().collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), known.len());
            for encoding in [
                DataType::Utf8,
                DataType::LargeUtf8,
                DataType::Utf8View,
                DataType::Binary,
                DataType::LargeBinary,
                DataType::BinaryView,
            ] {
                let column = arrow_cast::cast(&plain, &encoding).unwrap();
                let column = column.slice(start, texts.len() - start);
                prop_assert_eq!(&hashes(&column, None, column.len()), &expected);
                let some = hashes(&column, Some(&picked), picked.len());
                let of_picked = some.iter().map(|&(slot, hash)| (picked[slot] as usize, hash));
                let wanted = expected.iter().copied().filter(|(row, _)| row % every == 0);
                prop_assert_eq!(of_picked.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
            }
        }
    }
}
