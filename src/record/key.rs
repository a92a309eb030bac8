//! Partition keys: what one may be, and columns of them.

mod hashes;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::DictionaryArray;
use arrow_array::LargeStringArray;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::UInt32Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::types::UInt32Type;
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;

use crate::limits::PARTITION_KEY_CHARS_MAX;
use crate::record::lens;

/// Why a partition key, or a column of them, is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// A key of no characters.
    #[error("a partition key has 1 to 256 characters; this one is empty{}", at_row(*.row))]
    Empty {
        /// The row it stands in, where it came from a table.
        row: Option<usize>,
    },
    /// Rows without a key.
    #[error(
        "the key column has {count} null{}, the first at row {row}; every record has a key: filter those rows out, \
         or give them one with null_key=\"...\"", if *.count == 1 { "" } else { "s" }
    )]
    Null {
        /// The first row without a key.
        row: usize,
        /// How many rows have none.
        count: usize,
    },
    /// A column that is not of text.
    #[error("partition keys are text; the key column is {data_type}: cast it to a string")]
    NotText {
        /// What the column is.
        data_type: DataType,
    },
    /// A key of too many characters.
    #[error("a partition key has 1 to 256 characters; `{start}...` has {chars}{}", at_row(*.row))]
    TooLong {
        /// How it begins.
        start: String,
        /// How many characters it has.
        chars: usize,
        /// The row it stands in, where it came from a table.
        row: Option<usize>,
    },
}

impl KeyError {
    /// Returns the same error with its row counted from `rows` earlier, for a part of a table.
    #[must_use]
    pub fn after(self, rows: usize) -> Self {
        match self {
            Self::Empty { row } => Self::Empty { row: row.map(|row| row + rows) },
            Self::Null { row, count } => Self::Null { row: row + rows, count },
            Self::TooLong { start, chars, row } => {
                Self::TooLong { start, chars, row: row.map(|row| row + rows) }
            }
            Self::NotText { .. } => self,
        }
    }
}

fn at_row(row: Option<usize>) -> String {
    row.map_or_else(String::new, |row| format!(" (row {row})"))
}

/// Checks one partition key: 1 to 256 characters.
pub fn check_key(key: &str) -> Result<(), KeyError> {
    check_key_at(key, None)
}

fn check_key_at(key: &str, row: Option<usize>) -> Result<(), KeyError> {
    if key.is_empty() {
        return Err(KeyError::Empty { row });
    }
    // Bytes bound characters from above: only long keys are counted.
    if PARTITION_KEY_CHARS_MAX < key.len() {
        let chars = key.chars().count();
        if PARTITION_KEY_CHARS_MAX < chars {
            return Err(KeyError::TooLong { start: key.chars().take(32).collect(), chars, row });
        }
    }
    Ok(())
}

/// A column of partition keys without nulls, in the encoding it came in.
#[derive(Clone, Debug)]
pub enum KeyColumn {
    /// Codes into distinct keys, as a dictionary or categorical column has them.
    Dictionary {
        /// One code a row.
        codes: UInt32Array,
        /// The distinct keys.
        values: Box<Self>,
    },
    /// 64-bit offsets into one buffer.
    Large(LargeStringArray),
    /// 32-bit offsets into one buffer.
    Offsets(StringArray),
    /// Views: short keys inline, long ones in shared buffers.
    Views(StringViewArray),
}

impl KeyColumn {
    /// Takes a column of text, dictionary-encoded text or integers (whose keys are their decimal digits) as keys.
    ///
    /// `null_key` stands in for nulls, where one is given.
    pub fn from_array(array: &ArrayRef, null_key: Option<&str>) -> Result<Self, KeyError> {
        if 0 < array.logical_null_count() {
            let Some(null_key) = null_key else {
                let nulls = array.logical_nulls().expect("there are nulls");
                let row = (0..array.len()).find(|&row| nulls.is_null(row)).unwrap_or(0);
                return Err(KeyError::Null { row, count: array.logical_null_count() });
            };
            let text = cast(array, &DataType::Utf8View).map_err(|_| not_text(array))?;
            let filled = text.as_string_view().iter().map(|key| Some(key.unwrap_or(null_key)));
            return Self::checked(Self::Views(filled.collect()));
        }
        Self::checked(Self::encoded(array)?)
    }

    /// Makes a column of keys already checked.
    pub fn from_checked(keys: StringArray) -> Self {
        Self::Offsets(keys)
    }

    /// Takes a column of keys already checked, in any of the encodings that keys come in.
    pub(crate) fn of_checked(array: &ArrayRef) -> Self {
        Self::encoded(array).expect("keys were text")
    }

    fn encoded(array: &ArrayRef) -> Result<Self, KeyError> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Offsets(array.as_string::<i32>().clone())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string::<i64>().clone())),
            DataType::Utf8View => Ok(Self::Views(array.as_string_view().clone())),
            // Codes are not negative, and the column has no nulls: the bits are the same.
            DataType::Dictionary(codes, values)
                if is_text(values) && **codes == DataType::Int32 =>
            {
                let coded = array.as_dictionary::<Int32Type>();
                let codes = coded.keys().values().inner().clone();
                let codes = UInt32Array::new(ScalarBuffer::new(codes, 0, array.len()), None);
                Ok(Self::Dictionary { codes, values: Box::new(Self::encoded(coded.values())?) })
            }
            DataType::Dictionary(_, values) if is_text(values) => {
                let wanted = DataType::Dictionary(Box::new(DataType::UInt32), values.clone());
                let coded = cast(array, &wanted).map_err(|_| not_text(array))?;
                let coded: &DictionaryArray<UInt32Type> = coded.as_dictionary();
                let values = Box::new(Self::encoded(coded.values())?);
                Ok(Self::Dictionary { codes: coded.keys().clone(), values })
            }
            integer if integer.is_integer() => {
                let text = cast(array, &DataType::Utf8View).map_err(|_| not_text(array))?;
                Ok(Self::Views(text.as_string_view().clone()))
            }
            _ => Err(not_text(array)),
        }
    }

    fn checked(self) -> Result<Self, KeyError> {
        // Bytes bound characters from above: most columns are seen to be good by their lengths alone.
        let good = 1..=PARTITION_KEY_CHARS_MAX;
        if let Some((shortest, longest)) = self.extent()
            && good.contains(&shortest)
            && good.contains(&longest)
        {
            return Ok(self);
        }
        match &self {
            Self::Dictionary { codes, values } => {
                // Only codes in use count: a dictionary may hold values that no row has.
                let bad = |code: usize| check_key(values.value(code)).is_err();
                let bad: Vec<bool> = (0..values.len()).map(bad).collect();
                if bad.contains(&true)
                    && let Some(row) = codes.values().iter().position(|&code| bad[code as usize])
                {
                    check_key_at(self.value(row), Some(row))?;
                }
            }
            _ => (0..self.len()).try_for_each(|row| check_key_at(self.value(row), Some(row)))?,
        }
        Ok(self)
    }

    /// Returns the bytes of the shortest key and of the longest, those of a dictionary that no row has among them.
    fn extent(&self) -> Option<(usize, usize)> {
        match self {
            Self::Dictionary { values, .. } => values.extent(),
            Self::Large(keys) => lens::extent(keys),
            Self::Offsets(keys) => lens::extent(keys),
            Self::Views(keys) => lens::extent(keys),
        }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Dictionary { codes, .. } => codes.len(),
            Self::Large(keys) => keys.len(),
            Self::Offsets(keys) => keys.len(),
            Self::Views(keys) => keys.len(),
        }
    }

    /// Tells whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the key of a row.
    pub fn value(&self, row: usize) -> &str {
        match self {
            Self::Dictionary { codes, values } => values.value(codes.value(row) as usize),
            Self::Large(keys) => keys.value(row),
            Self::Offsets(keys) => keys.value(row),
            Self::Views(keys) => keys.value(row),
        }
    }

    /// Returns the column as an Arrow array, without copying keys.
    pub fn to_array(&self) -> ArrayRef {
        match self {
            Self::Dictionary { codes, values } => {
                let dictionary =
                    DictionaryArray::<UInt32Type>::new(codes.clone(), values.to_array());
                std::sync::Arc::new(dictionary)
            }
            Self::Large(keys) => std::sync::Arc::new(keys.clone()),
            Self::Offsets(keys) => std::sync::Arc::new(keys.clone()),
            Self::Views(keys) => std::sync::Arc::new(keys.clone()),
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn not_text(array: &ArrayRef) -> KeyError {
    KeyError::NotText { data_type: array.data_type().clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash_key::HashKey;
    use crate::threads::Threads;
    use arrow_array::Float64Array;
    use arrow_array::Int64Array;
    use std::sync::Arc;

    #[test]
    fn keys_have_1_to_256_characters_not_bytes() {
        assert_eq!(check_key("k"), Ok(()));
        assert_eq!(check_key(&"\u{e9}".repeat(256)), Ok(()));
        assert_eq!(check_key(""), Err(KeyError::Empty { row: None }));
        assert!(matches!(check_key(&"k".repeat(257)), Err(KeyError::TooLong { chars: 257, .. })));
    }

    #[test]
    fn every_text_encoding_gives_the_same_keys() {
        let plain: ArrayRef =
            Arc::new(StringArray::from(vec!["a", "b", "a", "a longer key than a view"]));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        for wanted in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary] {
            let column = KeyColumn::from_array(&cast(&plain, &wanted).unwrap(), None).unwrap();
            let keys: Vec<&str> = (0..column.len()).map(|row| column.value(row)).collect();
            assert_eq!(keys, ["a", "b", "a", "a longer key than a view"], "{wanted}");
            let hashes = column.map_hashes(Threads::ONE, || true, |hash| hash.0).unwrap();
            assert_eq!(hashes, keys.iter().map(|key| HashKey::of(key).0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn integers_are_keys_in_decimal_and_floats_are_refused() {
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![-7, 42]));
        assert_eq!(KeyColumn::from_array(&integers, None).unwrap().value(0), "-7");
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
        let error = KeyColumn::from_array(&floats, None).unwrap_err();
        assert_eq!(error, KeyError::NotText { data_type: DataType::Float64 });
    }

    #[test]
    fn null_and_empty_keys_name_their_row() {
        let nulls: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, None]));
        assert_eq!(
            KeyColumn::from_array(&nulls, None).unwrap_err(),
            KeyError::Null { row: 1, count: 2 }
        );
        assert_eq!(KeyColumn::from_array(&nulls, Some("none")).unwrap().value(2), "none");
        let empty: ArrayRef = Arc::new(StringArray::from(vec!["a", ""]));
        assert_eq!(
            KeyColumn::from_array(&empty, None).unwrap_err(),
            KeyError::Empty { row: Some(1) }
        );
    }

    #[test]
    fn dictionary_value_that_no_row_has_does_no_harm() {
        let values: ArrayRef = Arc::new(StringArray::from(vec!["", "a"]));
        let unused =
            DictionaryArray::<UInt32Type>::new(UInt32Array::from(vec![1, 1]), values.clone());
        assert!(KeyColumn::from_array(&(Arc::new(unused) as ArrayRef), None).is_ok());
        let used = DictionaryArray::<UInt32Type>::new(UInt32Array::from(vec![1, 0]), values);
        let error = KeyColumn::from_array(&(Arc::new(used) as ArrayRef), None).unwrap_err();
        assert_eq!(error, KeyError::Empty { row: Some(1) });
    }
}
