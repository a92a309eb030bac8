//! Windows over columns: assignment, watermarks, groups and aggregates; knows no stream.

pub mod aggregate;

/// Why a query cannot be built or answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// Arrow refused a computation that the query asked for.
    #[error("arrow: {message}")]
    Arrow {
        /// Arrow's own words.
        message: String,
    },
}

impl From<arrow_schema::ArrowError> for WindowError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow { message: error.to_string() }
    }
}
