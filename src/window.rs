//! Windows over columns: assignment, watermarks, groups and aggregates; knows no stream.

pub mod aggregate;

/// Why a query cannot be built or answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// A function other than a count of rows was given no column.
    #[error(
        "aggregate `{aggregate}`: {function} needs a column, and only count goes without; name one, as in {function}(\"amount\")"
    )]
    AggregateColumnMissing {
        /// The name of the answer's column.
        aggregate: String,
        /// The function's name.
        function: &'static str,
    },
    /// An option of a function is out of its bounds.
    #[error("aggregate `{aggregate}`: {option} is {value}; give {accepted}")]
    AggregateOption {
        /// The name of the answer's column.
        aggregate: String,
        /// The option's name.
        option: &'static str,
        /// The value it was given.
        value: String,
        /// The values it may have.
        accepted: String,
    },
    /// A function does not take columns of a type.
    #[error(
        "aggregate `{aggregate}`: {function} does not take column `{column}` of type {data_type}; it takes {accepted}; {way_out}"
    )]
    AggregateType {
        /// The name of the answer's column.
        aggregate: String,
        /// The function's name.
        function: &'static str,
        /// The input column.
        column: String,
        /// The input column's type.
        data_type: String,
        /// The types that the function takes.
        accepted: &'static str,
        /// What the user can do.
        way_out: &'static str,
    },
    /// Arrow refused a computation that the query asked for.
    #[error("arrow: {message}")]
    Arrow {
        /// Arrow's own words.
        message: String,
    },
    /// The sum of integers does not fit the 64 bits of its answer.
    #[error(
        "aggregate `{aggregate}`: the sum of column `{column}` is {sum}, past 64 bits; cast the column to float64"
    )]
    IntegerSumOverflow {
        /// The name of the answer's column.
        aggregate: String,
        /// The input column.
        column: String,
        /// The sum.
        sum: i128,
    },
}

impl From<arrow_schema::ArrowError> for WindowError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow {
            message: error.to_string(),
        }
    }
}
