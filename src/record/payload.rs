//! What records carry: bytes as they were put, or rows of a table whose bytes are made when asked for.

use std::borrow::Cow;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::BinaryViewArray;
use arrow_array::LargeBinaryArray;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_cast::cast;
use arrow_schema::DataType;

use crate::record::json;
use crate::record::json::JsonError;

/// Why a column cannot be the data of records.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DataError {
    /// Rows without data.
    #[error(
        "the data column has {count} nulls, the first at row {row}; filter those rows out or fill them"
    )]
    Null {
        /// The first row without data.
        row: usize,
        /// How many rows have none.
        count: usize,
    },
    /// A column of neither bytes nor text.
    #[error(
        "records carry bytes or text; the data column is {data_type}: cast it, or leave data= out to write whole rows"
    )]
    NotBytes {
        /// What the column is.
        data_type: DataType,
    },
}

impl DataError {
    /// Returns the same error with its row counted from `rows` earlier, for a part of a table.
    #[must_use]
    pub fn after(self, rows: usize) -> Self {
        match self {
            Self::Null { row, count } => Self::Null { row: row + rows, count },
            Self::NotBytes { .. } => self,
        }
    }
}

/// A column of bytes without nulls, in the encoding it came in.
#[derive(Clone, Debug)]
pub enum BytesColumn {
    /// 64-bit offsets into one buffer.
    Large(LargeBinaryArray),
    /// 32-bit offsets into one buffer.
    Offsets(BinaryArray),
    /// Views: short values inline, long ones in shared buffers.
    Views(BinaryViewArray),
}

impl BytesColumn {
    /// Takes a column of bytes or text as data, without copying it.
    pub fn from_array(array: &ArrayRef) -> Result<Self, DataError> {
        if 0 < array.logical_null_count() {
            let nulls = array.logical_nulls().expect("there are nulls");
            let row = (0..array.len()).find(|&row| nulls.is_null(row)).unwrap_or(0);
            return Err(DataError::Null { row, count: array.logical_null_count() });
        }
        let not_bytes = || DataError::NotBytes { data_type: array.data_type().clone() };
        match array.data_type() {
            DataType::Binary => Ok(Self::Offsets(array.as_binary().clone())),
            DataType::LargeBinary => Ok(Self::Large(array.as_binary().clone())),
            DataType::BinaryView => Ok(Self::Views(array.as_binary_view().clone())),
            DataType::Utf8 => Ok(Self::Offsets(array.as_string().clone().into())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string().clone().into())),
            DataType::Utf8View => Ok(Self::Views(array.as_string_view().clone().to_binary_view())),
            DataType::FixedSizeBinary(_) | DataType::Dictionary(_, _) => {
                let plain = cast(array, &DataType::BinaryView).map_err(|_| not_bytes())?;
                Ok(Self::Views(plain.as_binary_view().clone()))
            }
            _ => Err(not_bytes()),
        }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Large(data) => data.len(),
            Self::Offsets(data) => data.len(),
            Self::Views(data) => data.len(),
        }
    }

    /// Tells whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of a row.
    pub fn value(&self, row: usize) -> &[u8] {
        match self {
            Self::Large(data) => data.value(row),
            Self::Offsets(data) => data.value(row),
            Self::Views(data) => data.value(row),
        }
    }

    /// Returns the column as an Arrow array, without copying it.
    pub fn to_array(&self) -> ArrayRef {
        match self {
            Self::Large(data) => std::sync::Arc::new(data.clone()),
            Self::Offsets(data) => std::sync::Arc::new(data.clone()),
            Self::Views(data) => std::sync::Arc::new(data.clone()),
        }
    }
}

/// What the records of a block carry.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Bytes as they were put.
    Bytes(BytesColumn),
    /// Rows of a table: typed columns, whose JSON is made when somebody asks for bytes.
    Rows(RecordBatch),
}

impl Payload {
    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(data) => data.len(),
            Self::Rows(batch) => batch.num_rows(),
        }
    }

    /// Tells whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of a row: those that were put, or one JSON object.
    pub fn data(&self, row: usize) -> Result<Cow<'_, [u8]>, JsonError> {
        match self {
            Self::Bytes(data) => Ok(Cow::Borrowed(data.value(row))),
            Self::Rows(batch) => {
                let encoded = json::encode_rows(&batch.slice(row, 1), None)?;
                Ok(Cow::Owned(encoded.value(0).to_vec()))
            }
        }
    }

    /// Returns how many bytes of data each row has, in order.
    pub fn data_lens(&self) -> Result<Vec<u32>, JsonError> {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        match self {
            Self::Bytes(data) => Ok((0..data.len()).map(|row| len(data.value(row))).collect()),
            Self::Rows(batch) => json::encoded_lens(batch),
        }
    }
}
