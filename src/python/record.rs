//! `Record` and `Records`: what a read gives, without copying until somebody asks for bytes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::ArrowError;
use numpy::PyArray1;
use parking_lot::Mutex;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyCapsule;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PySlice;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3_arrow::ffi::to_schema_pycapsule;

use crate::clock::Millis;
use crate::engine::EngineError;
use crate::engine::records;
use crate::engine::records::Batches;
use crate::engine::records::RecordColumn;
use crate::engine::slice::Slice;
use crate::python::argument;
use crate::python::attentive::attentive;
use crate::python::error::raise;
use crate::python::table::PyTable;
use crate::python::table::stream_capsule;
use crate::query::columns;
use crate::query::columns::ColumnsError;
use crate::record::Block;
use crate::record::Record;
use crate::record::builder::BlockBuilder;
use crate::record::sequence::ShardIndex;
use crate::store::StoreError;
use crate::threads::Threads;

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

    /// A record by itself, of no stream: how a pickle is opened.
    #[staticmethod]
    fn of(
        data: &[u8],
        partition_key: &str,
        sequence_number: &str,
        arrival_ms: i64,
    ) -> PyResult<Self> {
        let number = argument::sequence_number(sequence_number)?;
        let mut builder = BlockBuilder::new(number.index);
        builder.push(Millis(arrival_ms), number.birth, partition_key, data);
        let block = builder.seal().expect("a record was pushed");
        Ok(Self { record: Record::new(Arc::new(block), 0) })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let record = &self.record;
        let data = PyBytes::new(py, &record.data()?);
        let number = record.sequence_number().to_string();
        reduced(py, "record", (data, record.partition_key(), number, record.arrival().0))
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
            self.record.partition_key().escape_debug(),
            self.record.shard(),
            self.record.arrival()
        ))
    }
}

/// What a class answers that is pickled as a call of a function of the package.
pub(super) fn reduced<'py>(
    py: Python<'py>,
    function: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<Bound<'py, PyTuple>> {
    let function = py.import("shardstream._descriptors")?.getattr(function)?;
    (function, arguments.into_pyobject(py)?).into_pyobject(py)
}

/// Records in order of arrival: a sequence, and a table to any Arrow library.
#[pyclass(name = "Records", module = "shardstream", frozen, sequence)]
#[derive(Debug)]
pub(super) struct PyRecords {
    slices: Vec<Slice>,
    /// For each slice, how many records lie before its end.
    ends: Vec<usize>,
    /// How many threads make columns.
    threads: Threads,
    /// The block looked at last, and its slice's place.
    last: Mutex<Option<(usize, Arc<Block>)>>,
}

impl PyRecords {
    pub(super) fn new(slices: Vec<Slice>, threads: Threads) -> Self {
        let mut end = 0;
        let ends = slices.iter().map(|slice| {
            end += slice.len();
            end
        });
        Self { ends: ends.collect(), slices, threads, last: Mutex::default() }
    }

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn record(&self, place: usize) -> PyResult<Record> {
        let at = self.ends.partition_point(|&end| end <= place);
        let before = if at == 0 { 0 } else { self.ends[at - 1] };
        let row = self.slices[at].row(place - before);
        let mut last = self.last.lock();
        let block = match &*last {
            Some((of, block)) if *of == at => Arc::clone(block),
            _ => self.slices[at].block().map_err(EngineError::from)?,
        };
        *last = Some((at, Arc::clone(&block)));
        Ok(Record::new(block, row))
    }

    fn part(&self, start: usize, end: usize) -> Self {
        let mut parts = Vec::new();
        let mut first = 0;
        for (slice, &last) in self.slices.iter().zip(&self.ends) {
            let (from, until) = (start.clamp(first, last) - first, end.clamp(first, last) - first);
            if from < until {
                parts.push(slice.part(from, until));
            }
            first = last;
        }
        Self::new(parts, self.threads)
    }

    /// Makes some columns with the interpreter detached, and looks at signals between batches.
    fn batches(&self, py: Python<'_>, columns: &[RecordColumn]) -> PyResult<Vec<RecordBatch>> {
        let mut batches = Batches::new(self.slices.clone(), columns, self.threads);
        let mut made = Vec::new();
        while let Some(batch) = py.detach(|| batches.next()) {
            made.push(batch.map_err(not_made)?);
            py.check_signals()?;
        }
        Ok(made)
    }

    /// What `of` says of each record, by its block and its row there.
    fn of_rows<T>(&self, of: impl Fn(&Block, usize) -> T) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::with_capacity(self.len());
        for slice in &self.slices {
            let block = slice.block()?;
            all.extend((0..slice.len()).map(|place| of(&block, slice.row(place))));
        }
        Ok(all)
    }

    /// One column as Python objects.
    fn objects<'py>(
        &self,
        py: Python<'py>,
        column: RecordColumn,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut objects = Vec::with_capacity(self.len());
        for batch in self.batches(py, &[column])? {
            let array = batch.column(0);
            if let Some(texts) = array.as_string_opt::<i32>() {
                objects
                    .extend(texts.iter().flatten().map(|text| PyString::new(py, text).into_any()));
            } else if let Some(texts) = array.as_string_view_opt() {
                objects
                    .extend(texts.iter().flatten().map(|text| PyString::new(py, text).into_any()));
            } else {
                let bytes = array.as_binary_view().iter().flatten();
                objects.extend(bytes.map(|bytes| PyBytes::new(py, bytes).into_any()));
            }
        }
        Ok(objects)
    }

    /// The names of the shards, one object for each shard.
    fn shard_names<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut names: HashMap<ShardIndex, Bound<'py, PyAny>> = HashMap::new();
        let mut objects = Vec::with_capacity(self.len());
        for shard in py.detach(|| self.of_rows(Block::shard)).map_err(EngineError::from)? {
            let name = || PyString::new(py, &shard.to_string()).into_any();
            objects.push(names.entry(shard).or_insert_with(name).clone());
        }
        Ok(objects)
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
                picked.append(Bound::new(py, PyRecord { record: self.record(place)? })?)?;
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
        Ok(Bound::new(py, PyRecord { record: self.record(place)? })?.into_any())
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
        let slices = self.slices.clone();
        let rows = attentive(py, move |go_on| {
            columns::payload_rows(&slices, go_on).map_err(|error| -> PyErr {
                match error {
                    ColumnsError::Store(error) => error.into(),
                    other => raise("RecordDecodeError", other),
                }
            })
        })?;
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

    /// Some of the columns that records are to an Arrow library; no others are made.
    ///
    /// Args:
    ///     columns: Of "shard_id", "sequence_number", "arrival_time", "partition_key" and "data", in the order wanted. The
    ///         data of a table's rows is their JSON.
    ///
    /// Returns:
    ///     Table: One row a record, in order.
    ///
    /// Raises:
    ///     ColumnNotFoundError: Records have no such column.
    ///     InvalidArgumentException: No column is named, or one twice.
    ///     RecordDecodeError: A table's rows have a column without a JSON form.
    #[pyo3(signature = (*columns))]
    fn select(&self, py: Python<'_>, columns: &Bound<'_, PyTuple>) -> PyResult<PyTable> {
        let columns = selected(columns)?;
        Ok(PyTable::new(records::schema(&columns), self.batches(py, &columns)?))
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
        let objects = |objects: Vec<Bound<'py, PyAny>>| {
            py.import("numpy")?.call_method1("array", (PyList::new(py, objects)?, "object"))
        };
        match name {
            "sequence_index" => {
                let indices =
                    py.detach(|| self.of_rows(Block::index)).map_err(EngineError::from)?;
                Ok(PyArray1::<u64>::from_vec(py, indices).into_any())
            }
            "shard_index" => {
                let shards = py.detach(|| self.of_rows(|block, row| block.shard(row).0));
                let shards = shards.map_err(EngineError::from)?;
                Ok(PyArray1::<u32>::from_vec(py, shards).into_any())
            }
            "arrival_time" => {
                let mut times = Vec::with_capacity(self.len());
                for slice in &self.slices {
                    let block = slice.block().map_err(EngineError::from)?;
                    times.extend_from_slice(&records::arrivals(&block, slice));
                }
                let ms = PyArray1::<i64>::from_vec(py, times);
                ms.into_any().call_method1("view", ("datetime64[ms]",))
            }
            "shard_id" => objects(self.shard_names(py)?),
            "sequence_number" => objects(self.objects(py, RecordColumn::SequenceNumber)?),
            "partition_key" => objects(self.objects(py, RecordColumn::PartitionKey)?),
            "data" => objects(self.objects(py, RecordColumn::Data)?),
            _ => {
                let known = "sequence_index, arrival_time, shard_index, shard_id, sequence_number, partition_key, data";
                Err(unknown(name, known))
            }
        }
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batches = Batches::new(self.slices.clone(), &RecordColumn::ALL, self.threads);
        stream_capsule(py, &records::schema(&RecordColumn::ALL), batches, requested_schema)
    }

    #[expect(clippy::unused_self, reason = "the protocol asks an instance")]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, records::schema(&RecordColumn::ALL).as_ref())?)
    }

    #[expect(clippy::unused_self, reason = "the protocol asks an instance")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(raise(
            "SerializationException",
            "Records look into their stream and are not pickled: pickle list(records), records.rows() or \
             records.select(...), or the stream itself, which is pickled as its folder and name",
        ))
    }

    fn __copy__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: PyRef<'py, Self>, _memo: &Bound<'py, PyAny>) -> PyRef<'py, Self> {
        slf
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("shardstream.display")?.getattr("records")?.call1((slf,))
    }

    fn __repr__(&self) -> String {
        if self.len() == 0 {
            return "Records(0)".to_owned();
        }
        let arrival = |place| self.record(place).map(|record| record.arrival());
        match (arrival(0), arrival(self.len() - 1)) {
            (Ok(first), Ok(last)) => {
                format!("Records({}, arrived {first} to {last})", self.len())
            }
            _ => format!("Records({})", self.len()),
        }
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
    fn __repr__(&self) -> String {
        let (next, count) =
            (self.next.load(std::sync::atomic::Ordering::Relaxed), self.records.get().len());
        format!("RecordIterator({} of {count} handed out)", next.min(count))
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Option<PyRecord>> {
        let records = self.records.get();
        let place = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let record = (place < records.len()).then(|| records.record(place)).transpose()?;
        Ok(record.map(|record| PyRecord { record }))
    }
}

/// Finds columns by their names, each once.
fn selected(names: &Bound<'_, PyTuple>) -> PyResult<Vec<RecordColumn>> {
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let name = argument::text(&name, "a column's name")?;
        let column = RecordColumn::named(name)
            .ok_or_else(|| unknown(name, &RecordColumn::ALL.map(RecordColumn::name).join(", ")))?;
        if columns.contains(&column) {
            let message = format!("select names `{name}` twice; a table has each column once");
            return Err(raise("InvalidArgumentException", message));
        }
        columns.push(column);
    }
    if columns.is_empty() {
        let message = "select names no column; name those that are wanted, as in select(\"data\")";
        return Err(raise("InvalidArgumentException", message));
    }
    Ok(columns)
}

/// Says why columns of records cannot be made, in the words of whoever could not.
fn not_made(error: ArrowError) -> PyErr {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<StoreError>() {
            Some(error) => error.clone().into(),
            None => raise("RecordDecodeError", inner),
        },
        other => raise("RecordDecodeError", other),
    }
}

fn unknown(name: &str, known: &str) -> PyErr {
    raise("ColumnNotFoundError", format!("records have no column `{name}`; there are {known}"))
}
