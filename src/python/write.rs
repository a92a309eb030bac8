//! What comes back from writing: results of single records, and reports of tables.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyIterator;
use pyo3::types::PyList;
use pyo3::types::PyTuple;

use crate::engine::EngineError;
use crate::engine::put_many::Answers;
use crate::engine::write::Written;
use crate::python::argument;
use crate::python::error::class_of;
use crate::python::error::raise;
use crate::python::record::reduced;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardIndex;

/// Rows whose sizes are summed between two looks at signals.
const ROWS_AT_ONCE: usize = 65_536;

/// Where a record was stored.
#[pyclass(name = "PutResult", module = "shardstream", frozen, eq, hash)]
#[derive(Clone, Debug, Hash, PartialEq)]
pub(super) struct PyPutResult {
    pub(super) number: SequenceNumber,
}

#[pymethods]
impl PyPutResult {
    /// The shard, as in `shardId-000000000003`.
    #[getter]
    fn shard_id(&self) -> String {
        self.number.birth.shard.to_string()
    }

    /// The sequence number: 56 digits.
    #[getter]
    fn sequence_number(&self) -> String {
        self.number.to_string()
    }

    /// The place that a sequence number tells: how a pickle is opened.
    #[staticmethod]
    fn of(sequence_number: &str) -> PyResult<Self> {
        Ok(Self { number: argument::sequence_number(sequence_number)? })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        reduced(py, "put_result", (self.number.to_string(),))
    }

    fn __repr__(&self) -> String {
        format!(
            "PutResult(shard_id='{}', sequence_number='{}')",
            self.number.birth.shard, self.number
        )
    }
}

/// Why a record was not stored.
#[pyclass(name = "PutError", module = "shardstream", frozen, eq, hash)]
#[derive(Clone, Debug, Hash, PartialEq)]
pub(super) struct PyPutError {
    /// The error's name, as AWS names it.
    #[pyo3(get)]
    code: String,
    /// What was wrong.
    #[pyo3(get)]
    message: String,
}

#[pymethods]
impl PyPutError {
    /// An error by its name and message: how a pickle is opened.
    #[staticmethod]
    fn of(code: String, message: String) -> Self {
        Self { code, message }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        reduced(py, "put_error", (&self.code, &self.message))
    }

    fn __repr__(&self) -> String {
        let (code, message) = (self.code.escape_debug(), self.message.escape_debug());
        format!("PutError(code='{code}', message='{message}')")
    }
}

impl From<&EngineError> for PyPutError {
    fn from(error: &EngineError) -> Self {
        Self { code: class_of(error).to_owned(), message: error.to_string() }
    }
}

/// What became of records put together, in their order: a `PutResult` or a `PutError` each.
#[pyclass(name = "PutManyResult", module = "shardstream", frozen, sequence)]
#[derive(Debug)]
pub(super) struct PyPutManyResult {
    pub(super) answers: Answers,
}

#[pymethods]
impl PyPutManyResult {
    /// How many records were not stored.
    #[getter]
    fn failed_record_count(&self) -> usize {
        self.answers.refused_count()
    }

    /// The records that were not stored, by their place in the call, ascending; the others were.
    #[getter]
    fn failed_records(&self) -> Vec<usize> {
        let refused = |(place, result): (usize, Result<_, _>)| result.is_err().then_some(place);
        (0..).zip(self.answers.iter()).filter_map(refused).collect()
    }

    fn __len__(&self) -> usize {
        self.answers.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let place = if index < 0 {
            self.answers.len().checked_add_signed(index)
        } else {
            Some(index.unsigned_abs())
        };
        let result = place.and_then(|place| self.answers.at(place));
        let missing = || {
            let count = self.answers.len();
            PyIndexError::new_err(format!("{index} of {count} results"))
        };
        one(py, result.ok_or_else(missing)?)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let results = self.answers.iter().map(|result| one(py, result));
        PyList::new(py, results.collect::<PyResult<Vec<_>>>()?)?.try_iter()
    }

    #[expect(clippy::unused_self, reason = "the protocol asks an instance")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(raise(
            "SerializationException",
            "a PutManyResult is not pickled: pickle list(result), whose PutResults and PutErrors are",
        ))
    }

    fn __repr__(&self) -> String {
        format!(
            "PutManyResult({} records, failed_record_count={})",
            self.answers.len(),
            self.failed_record_count()
        )
    }
}

fn one<'py>(
    py: Python<'py>,
    result: Result<SequenceNumber, &EngineError>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match result {
        Ok(number) => Bound::new(py, PyPutResult { number })?.into_any(),
        Err(error) => Bound::new(py, PyPutError::from(error))?.into_any(),
    })
}

/// What became of a table's rows.
#[pyclass(name = "WriteReport", module = "shardstream", frozen)]
#[derive(Debug)]
pub(super) struct PyWriteReport {
    written: Written,
    bytes: Mutex<Option<u64>>,
}

impl PyWriteReport {
    pub(super) fn of(written: Written) -> Self {
        Self { written, bytes: Mutex::default() }
    }
}

#[pymethods]
impl PyWriteReport {
    #[new]
    fn new() -> Self {
        Self::of(Written::default())
    }

    /// A report by its counts: how a pickle is opened.
    #[staticmethod]
    #[pyo3(name = "of")]
    fn of_counts(
        rows: u64,
        per_shard: BTreeMap<String, u64>,
        failed_rows: Vec<u64>,
        bytes: u64,
    ) -> PyResult<Self> {
        let shard = |(name, count): (String, u64)| {
            let unknown =
                || raise("InvalidArgumentException", format!("`{name}` is no shard's name"));
            Ok((ShardIndex::parse(&name).ok_or_else(unknown)?, count))
        };
        let per_shard = per_shard.into_iter().map(shard).collect::<PyResult<_>>()?;
        let written = Written { rows, per_shard, throttled: failed_rows, blocks: Vec::new() };
        Ok(Self { written, bytes: Mutex::new(Some(bytes)) })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let counts = (self.written.rows, self.per_shard(py)?, self.failed_rows(), self.bytes(py)?);
        reduced(py, "write_report", counts)
    }

    /// This report and what became of the records after it.
    fn plus(&self, results: PyRef<'_, PyPutManyResult>) -> Self {
        let mut later = Written { rows: results.answers.len() as u64, ..Written::default() };
        for (row, result) in (0..).zip(results.answers.iter()) {
            match result {
                Ok(number) => *later.per_shard.entry(number.birth.shard).or_default() += 1,
                Err(_) => later.throttled.push(row),
            }
        }
        let mut written = self.written.clone();
        written.extend(later);
        let bytes = self.bytes.lock().unwrap_or(0) + results.answers.stored_bytes();
        Self { written, bytes: Mutex::new(Some(bytes)) }
    }

    /// How many rows were stored.
    #[getter]
    fn records(&self) -> u64 {
        self.written.records()
    }

    /// How many rows were given.
    #[getter]
    fn rows(&self) -> u64 {
        self.written.rows
    }

    /// Bytes stored, keys counted, as Kinesis counts them: a row of a table as its JSON. Worked out when first asked.
    #[getter]
    fn bytes(&self, py: Python<'_>) -> PyResult<u64> {
        if let Some(bytes) = *self.bytes.lock() {
            return Ok(bytes);
        }
        let mut bytes = 0_u64;
        for block in &self.written.blocks {
            for start in (0..block.len()).step_by(ROWS_AT_ONCE) {
                py.check_signals()?;
                let rows = start..block.len().min(start + ROWS_AT_ONCE);
                let sizes = py.detach(|| block.sizes(rows)).map_err(EngineError::from)?;
                bytes += sizes.into_iter().map(u64::from).sum::<u64>();
            }
        }
        *self.bytes.lock() = Some(bytes);
        Ok(bytes)
    }

    /// How many rows each shard took, by its name.
    #[getter]
    fn per_shard<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let records = PyDict::new(py);
        for (shard, count) in &self.written.per_shard {
            records.set_item(shard.to_string(), count)?;
        }
        Ok(records)
    }

    /// How many rows found their shard's capacity used up and were not stored.
    #[getter]
    fn throttled(&self) -> usize {
        self.written.throttled.len()
    }

    /// How many rows were not stored; as `PutManyResult` names it.
    #[getter]
    fn failed_record_count(&self) -> usize {
        self.written.throttled.len()
    }

    /// The rows that were not stored, by their place in the table, ascending; the others were.
    #[getter]
    fn failed_rows(&self) -> Vec<u64> {
        self.written.throttled.clone()
    }

    fn __repr__(&self) -> String {
        format!(
            "WriteReport(records={}, throttled={}, shards={})",
            self.written.records(),
            self.written.throttled.len(),
            self.written.per_shard.len()
        )
    }
}
