//! What a query over no stream of ours reads: files and foreign streams of batches, and how their errors meet Python.

use arrow_array::RecordBatch;
use arrow_array::RecordBatchReader;
use pyo3::prelude::*;

use crate::python::error::raise;
use crate::python::replay::dataset_error;
use crate::python::table;
use crate::query::QueryError;
use crate::replay::dataset::DatasetError;

/// Why a query over what is read as it goes has no answer.
#[derive(Debug)]
pub(super) enum SourceError {
    /// A file cannot be read.
    Dataset(DatasetError),
    /// The query refuses.
    Query(QueryError),
    /// Whoever gives the batches failed.
    Stream {
        /// Its own words.
        message: String,
    },
}

impl From<DatasetError> for SourceError {
    fn from(error: DatasetError) -> Self {
        Self::Dataset(error)
    }
}

impl From<QueryError> for SourceError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<SourceError> for PyErr {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Dataset(error) => dataset_error(error),
            SourceError::Query(error) => error.into(),
            SourceError::Stream { message } => {
                raise("DatasetError", format!("reading the stream of batches: {message}"))
            }
        }
    }
}

/// Tells a stream of batches, which may be longer than memory and is read once, from a table, which has a length.
pub(super) fn is_stream(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    // The class is asked, for some libraries compute a table's length when the object is.
    Ok(object.hasattr("__arrow_c_stream__")? && !object.get_type().hasattr("__len__")?)
}

/// The batches of a foreign stream, and its errors in our words.
pub(super) fn batches(
    reader: Box<dyn RecordBatchReader + Send>,
) -> impl Iterator<Item = Result<RecordBatch, SourceError>> + Send {
    let schema = reader.schema();
    reader.map(move |batch| {
        batch.map_err(|error| SourceError::Stream { message: table::unread(&error, &schema) })
    })
}
