//! `Record` and `Records`: what a read gives, without copying until somebody asks for bytes.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryViewArray;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::UInt32Array;
use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;
use arrow_select::take::take;
use numpy::PyArray1;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyCapsule;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PySlice;
use pyo3_arrow::ffi::to_schema_pycapsule;

use crate::clock::Millis;
use crate::engine::log::Picked;
use crate::engine::log::Slice;
use crate::python::argument;
use crate::python::error::raise;
use crate::python::table::PyTable;
use crate::python::table::stream_capsule;
use crate::query::columns;
use crate::record::Record;
use crate::record::payload::Payload;

/// A time as Python has it: an aware `datetime` in UTC.
pub(super) fn datetime(py: Python<'_>, time: Millis) -> PyResult<Bound<'_, PyAny>> {
    let epoch = py.import("shardstream._epoch")?;
    epoch.getattr("from_millis")?.call1((time.0,))
}

/// One record, as a read gives it.
#[pyclass(name = "Record", module = "shardstream", frozen)]
#[derive(Debug)]
pub(super) struct PyRecord {
    pub(super) record: Record,
}

#[pymethods]
impl PyRecord {
    /// What was put; for a row of a table, its JSON.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.record.data()?))
    }

    /// The partition key.
    #[getter]
    fn partition_key(&self) -> &str {
        self.record.partition_key()
    }

    /// The sequence number: 56 digits.
    #[getter]
    fn sequence_number(&self) -> String {
        self.record.sequence_number().to_string()
    }

    /// The shard, as in `shardId-000000000003`.
    #[getter]
    fn shard_id(&self) -> String {
        self.record.shard().to_string()
    }

    /// When the record arrived, to the millisecond, in UTC.
    #[getter]
    fn arrival_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.record.arrival())
    }

    fn __repr__(&self) -> PyResult<String> {
        let data = self.record.data()?;
        let start: String = data
            .iter()
            .take(40)
            .flat_map(|&byte| std::ascii::escape_default(byte))
            .map(char::from)
            .collect();
        let more = if 40 < data.len() { "..." } else { "" };
        Ok(format!(
            "Record(partition_key='{}', data=b'{start}{more}', shard_id='{}', arrival_time={})",
            self.record.partition_key(),
            self.record.shard(),
            self.record.arrival()
        ))
    }
}

/// Records in order of arrival: a sequence, and a table to any Arrow library.
#[pyclass(name = "Records", module = "shardstream", frozen, sequence)]
#[derive(Debug)]
pub(super) struct PyRecords {
    slices: Vec<Slice>,
    /// For each slice, how many records lie before its end.
    ends: Vec<usize>,
}

impl PyRecords {
    pub(super) fn new(slices: Vec<Slice>) -> Self {
        let mut end = 0;
        let ends = slices.iter().map(|slice| {
            end += slice.len();
            end
        });
        Self { ends: ends.collect(), slices }
    }

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn record(&self, place: usize) -> Record {
        let slice = self.ends.partition_point(|&end| end <= place);
        let before = if slice == 0 { 0 } else { self.ends[slice - 1] };
        let slice = &self.slices[slice];
        Record::new(Arc::clone(&slice.block), slice.row(place - before))
    }

    fn part(&self, start: usize, end: usize) -> Self {
        let mut parts = Vec::new();
        let mut first = 0;
        for (slice, &last) in self.slices.iter().zip(&self.ends) {
            let (from, until) = (start.clamp(first, last) - first, end.clamp(first, last) - first);
            if from < until {
                let rows = match &slice.rows {
                    Picked::Run(run, _) => Picked::Run(run + from, run + until),
                    Picked::Rows(rows) => Picked::Rows(rows.slice(from, until - from)),
                };
                parts.push(Slice { block: Arc::clone(&slice.block), rows });
            }
            first = last;
        }
        Self::new(parts)
    }
}

#[pymethods]
impl PyRecords {
    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            let range = slice.indices(isize::try_from(self.len())?)?;
            if range.step == 1 {
                let start = range.start.unsigned_abs();
                let part = self.part(start, start + range.slicelength);
                return Ok(Bound::new(py, part)?.into_any());
            }
            let picked = PyList::empty(py);
            for step in 0..range.slicelength.cast_signed() {
                let place = (range.start + step * range.step).unsigned_abs();
                picked.append(Bound::new(py, PyRecord { record: self.record(place) })?)?;
            }
            return Ok(picked.into_any());
        }
        if !index.is_instance_of::<PyInt>() {
            let given = index.get_type().name()?;
            return Err(raise(
                "SerializationException",
                format!("records are indexed by int or slice, not {given}"),
            ));
        }
        let asked: isize = index.extract()?;
        let place = if asked < 0 {
            self.len().checked_add_signed(asked)
        } else {
            Some(asked.unsigned_abs())
        };
        let Some(place) = place.filter(|&place| place < self.len()) else {
            return Err(PyIndexError::new_err(format!("{asked} of {} records", self.len())));
        };
        Ok(Bound::new(py, PyRecord { record: self.record(place) })?.into_any())
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyRecordIterator {
        PyRecordIterator { records: slf.unbind(), next: std::sync::atomic::AtomicUsize::new(0) }
    }

    /// The payload's own columns: those of the tables written, and the fields of JSON records.
    ///
    /// Args:
    ///     on_error: What to do with a record that is not a JSON object: "raise", or "skip" it.
    ///
    /// Returns:
    ///     Table: One row a record, in order; a column that a record lacks is null there.
    ///
    /// Raises:
    ///     RecordDecodeError: A record is not a JSON object, and `on_error` is "raise".
    #[pyo3(signature = (*, on_error = "raise"))]
    fn rows(&self, py: Python<'_>, on_error: &str) -> PyResult<PyTable> {
        let skip = match on_error {
            "raise" => false,
            "skip" => true,
            _ => {
                let message = format!("on_error is \"raise\" or \"skip\", not \"{on_error}\"");
                return Err(raise("InvalidArgumentException", message));
            }
        };
        let rows = py
            .detach(|| columns::payload_rows(&self.slices))
            .map_err(|error| raise("RecordDecodeError", error))?;
        if let Some(first) = rows.malformed.first()
            && !skip
        {
            let message = format!(
                "{} of {} records cannot be read as rows; the first is {}: {}; rows(on_error=\"skip\") leaves them out",
                rows.malformed.len(),
                self.len(),
                first.sequence_number,
                first.reason
            );
            return Err(raise("RecordDecodeError", message));
        }
        Ok(PyTable::new(rows.schema, rows.batches))
    }

    /// One column as a numpy array.
    ///
    /// Args:
    ///     name: "sequence_index" (uint64: order of arrival), "arrival_time" (datetime64[ms]), "shard_index" (uint32),
    ///         or "shard_id", "sequence_number", "partition_key" (str objects) or "data" (bytes objects).
    ///
    /// Returns:
    ///     numpy.ndarray: Shape (len(self),).
    fn to_numpy<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name = argument::text(name, "a column's name")?;
        let each =
            |slice: &Slice| (0..slice.len()).map(|place| slice.row(place)).collect::<Vec<_>>();
        let objects = |value: &dyn Fn(&Slice, usize) -> PyResult<Bound<'py, PyAny>>| -> PyResult<Bound<'py, PyAny>> {
            let list = PyList::empty(py);
            for slice in &self.slices {
                for row in each(slice) {
                    list.append(value(slice, row)?)?;
                }
            }
            py.import("numpy")?.call_method1("array", (list, "object"))
        };
        match name {
            "sequence_index" => {
                let index = |slice: &Slice, row: usize| slice.block.first_index + row as u64;
                let indices = self
                    .slices
                    .iter()
                    .flat_map(|slice| each(slice).into_iter().map(move |row| index(slice, row)));
                Ok(PyArray1::from_vec(py, indices.collect::<Vec<u64>>()).into_any())
            }
            "shard_index" => {
                let shards = self.slices.iter().flat_map(|slice| {
                    each(slice).into_iter().map(move |row| slice.block.shard(row).0)
                });
                Ok(PyArray1::from_vec(py, shards.collect::<Vec<u32>>()).into_any())
            }
            "arrival_time" => {
                let times = self.slices.iter().flat_map(arrivals);
                let ms = PyArray1::from_vec(py, times.collect::<Vec<i64>>());
                ms.into_any().call_method1("view", ("datetime64[ms]",))
            }
            "shard_id" => objects(&|slice, row| {
                Ok(slice.block.shard(row).to_string().into_pyobject(py)?.into_any())
            }),
            "sequence_number" => objects(&|slice, row| {
                Ok(slice.block.sequence_number(row).to_string().into_pyobject(py)?.into_any())
            }),
            "partition_key" => {
                objects(&|slice, row| Ok(slice.block.keys.value(row).into_pyobject(py)?.into_any()))
            }
            "data" => objects(&|slice, row| {
                Ok(PyBytes::new(py, &slice.block.payload.data(row)?).into_any())
            }),
            _ => {
                let known = "sequence_index, arrival_time, shard_index, shard_id, sequence_number, partition_key, data";
                Err(raise(
                    "ColumnNotFoundError",
                    format!("records have no column `{name}`; there are {known}"),
                ))
            }
        }
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let slices = self.slices.clone();
        stream_capsule(
            py,
            &schema(),
            slices.into_iter().map(|slice| batch(&slice)),
            requested_schema,
        )
    }

    #[expect(clippy::unused_self, reason = "the protocol asks an instance")]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, schema().as_ref())?)
    }

    fn __repr__(&self) -> String {
        if self.len() == 0 {
            return "Records(0)".to_owned();
        }
        let (first, last) = (self.record(0), self.record(self.len() - 1));
        format!("Records({}, arrived {} to {})", self.len(), first.arrival(), last.arrival())
    }
}

/// Walks over records.
#[pyclass(name = "RecordIterator", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyRecordIterator {
    records: Py<PyRecords>,
    next: std::sync::atomic::AtomicUsize,
}

#[pymethods]
impl PyRecordIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> Option<PyRecord> {
        let records = self.records.get();
        let place = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (place < records.len()).then(|| PyRecord { record: records.record(place) })
    }
}

/// The columns that records are to an Arrow library.
fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("shard_id", DataType::Utf8View, false),
        Field::new("sequence_number", DataType::Utf8, false),
        Field::new("arrival_time", time, false),
        Field::new("partition_key", DataType::Utf8View, false),
        Field::new("data", DataType::BinaryView, false),
    ]))
}

fn batch(slice: &Slice) -> Result<RecordBatch, ArrowError> {
    let block = &slice.block;
    let rows: Vec<u32> = (0..slice.len())
        .map(|place| u32::try_from(slice.row(place)).expect("a block's row fits 32 bits"))
        .collect();
    let picked = |array: &ArrayRef| -> Result<ArrayRef, ArrowError> {
        match &slice.rows {
            Picked::Run(start, end) => Ok(array.slice(*start, end - start)),
            Picked::Rows(rows) => take(array, &UInt32Array::new(rows.clone(), None), None),
        }
    };
    let numbers = rows.iter().map(|&row| block.sequence_number(row as usize).to_string());
    let times: ScalarBuffer<i64> = arrivals(slice).into();
    let keys = cast(&picked(&block.keys.to_array())?, &DataType::Utf8View)?;
    let data = match &block.payload {
        Payload::Bytes(bytes) => picked(&bytes.to_array())?,
        Payload::Rows(_) => block
            .payload
            .data_column(Some(&rows))
            .map_err(|error| ArrowError::ExternalError(Box::new(error)))?,
    };
    let data = cast(&data, &DataType::BinaryView)?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(shard_ids(slice, &rows)?),
        Arc::new(StringArray::from_iter_values(numbers)),
        Arc::new(TimestampMillisecondArray::new(times, None).with_timezone("UTC")),
        Arc::<StringViewArray>::new(keys.as_string_view().clone()),
        Arc::<BinaryViewArray>::new(data.as_binary_view().clone()),
    ];
    RecordBatch::try_new(schema(), columns)
}

/// The names of the rows' shards, each name kept once.
fn shard_ids(slice: &Slice, rows: &[u32]) -> Result<StringViewArray, ArrowError> {
    let mut names = StringViewBuilder::with_capacity(rows.len());
    let runs = slice.block.routes.runs();
    let text: String = runs.iter().map(|run| run.birth.shard.to_string()).collect();
    let name_len =
        u32::try_from(text.len() / runs.len()).expect("a shard's name has 20 characters");
    let buffer = names.append_block(text.into_bytes().into());
    for &row in rows {
        let shard = slice.block.shard(row as usize);
        let place = runs
            .binary_search_by_key(&shard, |run| run.birth.shard)
            .expect("a row's shard has a run");
        names.try_append_view(
            buffer,
            u32::try_from(place).expect("few shards") * name_len,
            name_len,
        )?;
    }
    Ok(names.finish())
}

fn arrivals(slice: &Slice) -> Vec<i64> {
    match &slice.rows {
        Picked::Run(start, end) => slice.block.arrivals.expand(*start, *end).to_vec(),
        Picked::Rows(rows) => {
            rows.iter().map(|&row| slice.block.arrivals.at(row as usize).0).collect()
        }
    }
}
