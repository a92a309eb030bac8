//! Typed rows as JSON objects and back: what a record's bytes are when they were made from columns.

mod binary;
mod builder;
mod column;
mod decode;
mod dictionary;
mod encode;
mod infer;
mod layout;
mod pass;
mod payload;
mod scan;
mod settled;
mod text;
mod timestamp;
mod token;

pub use decode::Decoded;
pub use decode::Decoder;
pub use decode::Malformed;
pub use dictionary::Dictionaries;
pub use encode::encode_part;
pub use encode::encode_rows;
pub use encode::encoded_len_bound;
pub use encode::encoded_lens;
pub use infer::FIELD_COUNT_MAX;
pub use infer::Wanted;

/// Why rows cannot become JSON or JSON cannot become columns; a single bad record is never one of these.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// Arrow refused to put the columns together.
    #[error("arrow: {message}")]
    Arrow {
        /// Arrow's own words.
        message: String,
    },
    /// More text than one batch can address.
    #[error(
        "{bytes} bytes of JSON are more than one batch can hold ({limit}): pass fewer records at a time"
    )]
    BatchTooLarge {
        /// The bytes that were passed.
        bytes: usize,
        /// The most that can be passed.
        limit: usize,
    },
    /// The records have more distinct fields than columns make sense for.
    #[error("the records have more than {limit} distinct fields: name the columns you want")]
    FieldLimit {
        /// The most columns that are inferred.
        limit: usize,
    },
    /// The data column holds no bytes and no text.
    #[error("a {data_type} column holds no JSON: pass a binary or string column")]
    NotBinary {
        /// The type of the column that was passed.
        data_type: arrow_schema::DataType,
    },
    /// One row is longer than a length can say.
    #[error("row {row} takes {bytes} bytes of JSON, more than a record can hold")]
    RowTooLarge {
        /// The row in its batch.
        row: usize,
        /// Its size as JSON.
        bytes: usize,
    },
    /// A column's type has no JSON form here.
    #[error("column `{column}` of type {data_type} has no JSON form: cast it or leave it out")]
    UnsupportedType {
        /// The column's name.
        column: String,
        /// The column's type.
        data_type: arrow_schema::DataType,
    },
}

impl From<arrow_schema::ArrowError> for JsonError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow { message: error.to_string() }
    }
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;
