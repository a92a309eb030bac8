//! `Stream` and `Shard`: writing, reading, resharding.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;

use crate::clock::Millis;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Mode;
use crate::engine::Stream;
use crate::engine::position::Cut;
use crate::engine::shard::Shard;
use crate::engine::slice::Slice;
use crate::engine::stream::Entry;
use crate::engine::write::Roles;
use crate::engine::write::Routed;
use crate::engine::write::Rows;
use crate::engine::write::TableError;
use crate::engine::write::Written;
use crate::hash_key::HashKey;
use crate::python::argument;
use crate::python::argument::Data;
use crate::python::argument::PyPosition;
use crate::python::attentive::WAIT_SLICE;
use crate::python::attentive::attentive;
use crate::python::engine::PyEngine;
use crate::python::error::class_of;
use crate::python::error::data_class;
use crate::python::error::key_class;
use crate::python::error::raise;
use crate::python::given::Given;
use crate::python::query::window_class;
use crate::python::record::PyRecord;
use crate::python::record::PyRecords;
use crate::python::record::reduced;
use crate::python::table;
use crate::python::write::PyPutManyResult;
use crate::python::write::PyPutResult;
use crate::python::write::PyWriteReport;
use crate::query::check_time;
use crate::record::Record;
use crate::record::key::check_key;
use crate::service::Kinesis;

/// Rows that are checked and routed so fast that a thread of their own, to listen meanwhile, costs more.
const ROWS_AT_ONCE: usize = 16_384;
/// Records that a follower takes at a time.
const FOLLOW_RECORDS: usize = 4_096;

/// A stream of shards; the package's `Stream` is its face.
#[pyclass(name = "Stream", module = "shardstream._core", frozen, subclass)]
#[derive(Debug)]
pub(super) struct PyStream {
    pub(super) engine: Arc<Engine>,
    kinesis: Arc<Kinesis>,
    pub(super) stream: Arc<Stream>,
}

#[pymethods]
impl PyStream {
    #[new]
    fn new(engine: PyRef<'_, PyEngine>, name: &str) -> PyResult<Self> {
        let stream = engine.engine.stream(name)?;
        Ok(Self {
            engine: Arc::clone(&engine.engine),
            kinesis: Arc::clone(&engine.kinesis),
            stream,
        })
    }

    /// Appends one record to the shard that its key's MD5 falls in, and returns where it is.
    ///
    /// Args:
    ///     data: What the record carries: bytes, at most 1 MiB together with the key.
    ///     key: The partition key: text of 1 to 256 characters.
    ///     explicit_hash_key: Routes the record instead of the key: an int from 0 to 2**128 - 1, or its digits.
    ///
    /// Returns:
    ///     PutResult: `shard_id` and `sequence_number`.
    ///
    /// Raises:
    ///     ValidationException: The key is empty or too long, or the record too large.
    ///     ProvisionedThroughputExceededException: With limits="aws", the shard's second is used up.
    ///
    /// Source: PutRecord of the Kinesis Data Streams API.
    #[pyo3(signature = (data, key, explicit_hash_key = None))]
    fn put(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        explicit_hash_key: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyPutResult> {
        let bytes = Data::extract(data)?;
        let entry = Entry {
            data: bytes.bytes(),
            key: argument::key(key)?,
            explicit_hash_key: explicit_hash_key.map(argument::hash_key).transpose()?,
        };
        let now = self.engine.now();
        let number = if self.stream.waits() {
            py.detach(|| self.stream.put(now, entry))?
        } else {
            self.stream.put(now, entry)?
        };
        Ok(PyPutResult { number })
    }

    /// Appends records in order; each is stored or refused by itself.
    ///
    /// Args:
    ///     records: `(data, key)` or `(data, key, explicit_hash_key)` tuples.
    ///
    /// Returns:
    ///     PutManyResult: In order, a `PutResult` or a `PutError(code, message)` for each; `failed_record_count`.
    ///
    /// Raises:
    ///     ValidationException: A record that no stream may hold; none of the call is stored.
    ///
    /// Source: PutRecords of the Kinesis Data Streams API.
    fn put_many(&self, py: Python<'_>, records: &Bound<'_, PyAny>) -> PyResult<PyPutManyResult> {
        let records = Given::tuples(records)?;
        let mut copies = Vec::new();
        let given = Given::extract(&records, &mut copies)?;
        let now = self.engine.now();
        let answers = py.detach(|| {
            self.stream.put_each(now, given.pairs.len(), |place| given.entry(place, &copies))
        })?;
        Ok(PyPutManyResult { answers })
    }

    /// Appends a table's rows; see the package's `Stream.write`.
    #[pyo3(signature = (table, *, key, data, null_key, time))]
    fn write_table(
        &self,
        py: Python<'_>,
        table: &Bound<'_, PyAny>,
        key: &str,
        data: Option<&str>,
        null_key: Option<&str>,
        time: Option<&str>,
    ) -> PyResult<PyWriteReport> {
        let (schema, batches) = table::batches(table)?;
        let roles = Roles { key, data, null_key };
        // Even a table without rows has columns that can be wrong.
        let empty = RecordBatch::new_empty(schema);
        if let Some(time) = time {
            check_time(empty.schema_ref(), time).map_err(|error| {
                raise(window_class(&error), format!("{error}; no row was stored"))
            })?;
        }
        Rows::from_batch(empty, roles, 0).map_err(table_error)?;
        let prepared = if batches.iter().map(RecordBatch::num_rows).sum::<usize>() <= ROWS_AT_ONCE {
            py.detach(|| prepare(&self.stream, batches, roles, &|| true))?
        } else {
            let stream = Arc::clone(&self.stream);
            let [key, data, null_key] =
                [Some(key), data, null_key].map(|name| name.map(str::to_owned));
            attentive(py, move |go_on| {
                let roles = Roles {
                    key: key.as_deref().unwrap_or_default(),
                    data: data.as_deref(),
                    null_key: null_key.as_deref(),
                };
                prepare(&stream, batches, roles, go_on)
            })?
        };
        // From here on nothing interrupts: all rows are stored, or none.
        let now = self.engine.now();
        let mut written = Written::default();
        for part in prepared {
            written.extend(py.detach(|| self.stream.append(now, part))?);
        }
        Ok(PyWriteReport::of(written))
    }

    /// Fixes where a read begins, as an opaque number.
    fn start_cut(&self, position: PyPosition, shard_id: Option<&str>) -> PyResult<u64> {
        Ok(self.stream.start_cut(self.engine.now(), position.position()?, shard_id)?.0)
    }

    /// Fixes where a read ends, as an opaque number.
    fn end_cut(&self, position: PyPosition, shard_id: Option<&str>) -> PyResult<u64> {
        Ok(self.stream.end_cut(self.engine.now(), position.position()?, shard_id)?.0)
    }

    /// The records between two cuts.
    fn read_between(
        &self,
        from_cut: u64,
        until_cut: u64,
        shard_id: Option<&str>,
        limit: Option<usize>,
    ) -> PyResult<PyRecords> {
        let now = self.engine.now();
        let limit = limit.unwrap_or(usize::MAX);
        let (slices, _) =
            self.stream.read_metered(now, Cut(from_cut), Cut(until_cut), shard_id, limit)?;
        Ok(PyRecords::new(slices, self.stream.threads()))
    }

    /// An iterator over records from a cut on, waiting for those to come.
    fn follow_from(
        &self,
        from_cut: u64,
        shard_id: Option<String>,
        timeout_ms: Option<i64>,
    ) -> PyFollow {
        PyFollow {
            engine: Arc::clone(&self.engine),
            stream: Arc::clone(&self.stream),
            shard_id,
            timeout_ms,
            place: parking_lot::Mutex::new(Place {
                next: Cut(from_cut),
                ahead: Vec::new().into_iter(),
            }),
            stopped: AtomicBool::new(false),
        }
    }

    /// The shard that a record of a key goes to now.
    ///
    /// Args:
    ///     key: The partition key.
    ///     explicit_hash_key: What routes the record instead of the key, as in `put`.
    ///
    /// Returns:
    ///     str: The shard's id.
    #[pyo3(signature = (key, explicit_hash_key = None))]
    fn shard_of(
        &self,
        key: &Bound<'_, PyAny>,
        explicit_hash_key: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let explicit_hash_key = explicit_hash_key.map(argument::hash_key).transpose()?;
        let key = argument::key(key)?;
        check_key(key).map_err(EngineError::from)?;
        let entry = Entry { data: &[], key, explicit_hash_key };
        Ok(self.stream.shard_of(self.engine.now(), entry)?.to_string())
    }

    /// The shards, open and closed, by index: parents before their children.
    fn shards(&self) -> PyResult<Vec<PyShard>> {
        let shards = self.stream.shards(self.engine.now())?;
        Ok(shards.into_iter().map(|shard| PyShard { shard }).collect())
    }

    /// Splits an open shard.
    #[pyo3(signature = (shard_id, at = None))]
    fn split_shard(
        &self,
        py: Python<'_>,
        shard_id: &str,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let at: Option<HashKey> = at.map(argument::hash_key).transpose()?;
        Ok(py.detach(|| self.stream.split_shard(self.engine.now(), shard_id, at))?)
    }

    /// Merges two open neighbours.
    fn merge_shards(&self, py: Python<'_>, lower: &str, upper: &str) -> PyResult<()> {
        Ok(py.detach(|| self.stream.merge_shards(self.engine.now(), lower, upper))?)
    }

    /// Splits and merges until `count` shards are open.
    fn update_shard_count(&self, py: Python<'_>, count: i64) -> PyResult<()> {
        Ok(py.detach(|| self.stream.update_shard_count(self.engine.now(), count))?)
    }

    /// Keeps records for longer.
    fn increase_retention_ms(&self, py: Python<'_>, retention_ms: i64) -> PyResult<()> {
        Ok(py.detach(|| self.stream.increase_retention(self.engine.now(), retention_ms))?)
    }

    /// Keeps records for a shorter time.
    fn decrease_retention_ms(&self, py: Python<'_>, retention_ms: i64) -> PyResult<()> {
        Ok(py.detach(|| self.stream.decrease_retention(self.engine.now(), retention_ms))?)
    }

    /// Makes a stream of another name that begins with this one's shards and records.
    fn fork_as(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        py.detach(|| self.engine.fork_stream(self.engine.now(), &self.stream, name))?;
        Ok(())
    }

    /// The engine it is of.
    fn engine(&self) -> PyEngine {
        PyEngine { engine: Arc::clone(&self.engine), kinesis: Arc::clone(&self.kinesis) }
    }

    /// Writes what is in memory to segments.
    fn seal(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.stream.seal())?)
    }

    /// How long records are kept, in milliseconds.
    fn retention_ms(&self) -> PyResult<i64> {
        // A reader takes in what the writer changed.
        let _now = self.engine.now();
        Ok(self.stream.retention_ms()?)
    }

    /// How many records are kept.
    fn record_count(&self) -> PyResult<u64> {
        Ok(self.stream.record_count(self.engine.now())?)
    }

    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.stream.name()
    }

    /// The Amazon resource name.
    #[getter]
    fn arn(&self) -> String {
        let options = self.engine.options();
        let (region, account) = (&options.region, &options.account_id);
        format!("arn:aws:kinesis:{region}:{account}:stream/{}", self.stream.name())
    }

    /// `PROVISIONED` or `ON_DEMAND`.
    #[getter]
    fn mode(&self) -> PyResult<&'static str> {
        Ok(match self.stream.settings(self.engine.now())?.mode {
            Mode::OnDemand => "ON_DEMAND",
            Mode::Provisioned => "PROVISIONED",
        })
    }

    /// The labels, by key.
    #[getter]
    fn tags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tags = PyDict::new(py);
        let settings = self.stream.settings(self.engine.now())?;
        settings.tags.into_iter().try_for_each(|(key, value)| tags.set_item(key, value))?;
        Ok(tags)
    }

    /// The engine's time, in milliseconds since 1970.
    fn now_ms(&self) -> i64 {
        self.engine.now().0
    }

    /// When it was created, in milliseconds since 1970.
    fn created_ms(&self) -> i64 {
        self.stream.created().0
    }
}

/// Checks and routes all rows of a table's batches; they end early where nobody waits for them any more.
fn prepare(
    stream: &Stream,
    batches: Vec<RecordBatch>,
    roles: Roles<'_>,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Routed>, Refused> {
    let mut parts = Vec::with_capacity(batches.len());
    let mut first_row = 0;
    for batch in batches {
        let rows = batch.num_rows();
        let part = Rows::from_batch(batch, roles, first_row)?;
        stream.check_sizes(&part, first_row)?;
        match stream.route(part, go_on)? {
            Some(routed) => parts.push(routed),
            None => break,
        }
        first_row += rows;
    }
    Ok(parts)
}

/// Why no row of a table was stored.
enum Refused {
    Engine(EngineError),
    Table(TableError),
}

impl From<EngineError> for Refused {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<TableError> for Refused {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<Refused> for PyErr {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Engine(error) => nothing_stored(error),
            Refused::Table(error) => table_error(error),
        }
    }
}

/// A table that cannot be written, as Python hears of it.
pub(super) fn table_error(error: TableError) -> PyErr {
    raise(table_class(&error), format!("{error}; no row was stored"))
}

/// The name of the exception class for a table that cannot be written.
pub(super) fn table_class(error: &TableError) -> &'static str {
    match error {
        TableError::ColumnMissing { .. } => "ColumnNotFoundError",
        TableError::Data { error, .. } => data_class(error),
        TableError::Key { error, .. } => key_class(error),
    }
}

fn nothing_stored(error: EngineError) -> PyErr {
    raise(class_of(&error), format!("{error}; no row was stored"))
}

/// A shard of a stream.
#[pyclass(name = "Shard", module = "shardstream", frozen)]
#[derive(Debug)]
pub(super) struct PyShard {
    shard: Shard,
}

#[pymethods]
impl PyShard {
    /// The name, as in `shardId-000000000003`.
    #[getter]
    fn shard_id(&self) -> String {
        self.shard.birth.shard.to_string()
    }

    /// The shard it was split from, or the first of the two it was merged from.
    #[getter]
    fn parent_shard_id(&self) -> Option<String> {
        self.shard.parent.map(|parent| parent.to_string())
    }

    /// The second of the two shards it was merged from.
    #[getter]
    fn adjacent_parent_shard_id(&self) -> Option<String> {
        self.shard.adjacent_parent.map(|parent| parent.to_string())
    }

    /// The first hash key it owns.
    #[getter]
    fn starting_hash_key(&self) -> u128 {
        self.shard.range.first.0
    }

    /// The last hash key it owns.
    #[getter]
    fn ending_hash_key(&self) -> u128 {
        self.shard.range.last.0
    }

    /// The sequence number below all of its records.
    #[getter]
    fn starting_sequence_number(&self) -> String {
        self.shard.starting_sequence_number().to_string()
    }

    /// The sequence number above all of its records, once it is closed.
    #[getter]
    fn ending_sequence_number(&self) -> Option<String> {
        self.shard.ending_sequence_number().map(|number| number.to_string())
    }

    /// Whether it takes records.
    #[getter]
    fn is_open(&self) -> bool {
        self.shard.is_open()
    }

    /// The shard that a pickle holds.
    #[staticmethod]
    fn of(state: &[u8]) -> PyResult<Self> {
        let shard = serde_json::from_slice(state).map_err(|error| {
            raise("InvalidArgumentException", format!("these bytes are no shard: {error}"))
        })?;
        Ok(Self { shard })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let state = serde_json::to_vec(&self.shard).expect("a shard has a JSON form");
        reduced(py, "shard", (PyBytes::new(py, &state),))
    }

    /// When it was created, in milliseconds since 1970.
    fn created_ms(&self) -> i64 {
        self.shard.created.0
    }

    /// When it was closed, in milliseconds since 1970, if it was.
    fn closed_ms(&self) -> Option<i64> {
        self.shard.closed.map(|closed| closed.0)
    }

    fn __repr__(&self) -> String {
        let state = if self.shard.is_open() { "open" } else { "closed" };
        format!("Shard('{}', {state}, {})", self.shard.birth.shard, self.shard.range)
    }
}

/// Records as they come, one at a time.
#[pyclass(name = "Follow", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyFollow {
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    shard_id: Option<String>,
    timeout_ms: Option<i64>,
    place: parking_lot::Mutex<Place>,
    stopped: AtomicBool,
}

/// How far a follower has come.
#[derive(Debug)]
struct Place {
    next: Cut,
    /// Records read and not yet handed out.
    ahead: std::vec::IntoIter<Record>,
}

#[pymethods]
impl PyFollow {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<PyRecord>> {
        let record = if self.waits_for_some(py)? { self.place.lock().ahead.next() } else { None };
        Ok(record.map(|record| PyRecord { record }))
    }

    fn __repr__(&self) -> String {
        let shard = self.shard_id.as_ref().map(|shard| format!(", '{shard}'")).unwrap_or_default();
        format!("Follow('{}'{shard})", self.stream.name())
    }

    /// Waits as for the next record, and takes some at once; none at the end.
    fn take(&self, py: Python<'_>, most: usize) -> PyResult<Option<Vec<PyRecord>>> {
        if !self.waits_for_some(py)? {
            return Ok(None);
        }
        let mut place = self.place.lock();
        let records = place.ahead.by_ref().take(most);
        Ok(Some(records.map(|record| PyRecord { record }).collect()))
    }

    /// Ends it: whoever waits for a record, in any thread, comes to the end.
    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.stream.bell().ring();
    }
}

impl PyFollow {
    /// Waits until there are records ahead; tells that there will be none at the end.
    fn waits_for_some(&self, py: Python<'_>) -> PyResult<bool> {
        let mut wait = Wait::new(&self.engine, self.timeout_ms);
        loop {
            let seen = self.stream.bell().rings();
            if self.stopped.load(Ordering::SeqCst) {
                return Ok(false);
            }
            if 0 < self.place.lock().ahead.len() {
                return Ok(true);
            }
            if self.engine.is_closed() {
                return Err(EngineError::EngineClosed.into());
            }
            if self.stream.is_gone() {
                return Ok(false);
            }
            let read = py.detach(|| Ok((self.read()?, self.is_exhausted()?)));
            match read {
                Ok((true, _)) => return Ok(true),
                Ok((false, true)) => return Ok(false),
                Ok((false, false)) => {}
                // It went since the look above, and the next one finds out how.
                Err(_) if self.stream.is_gone() => continue,
                Err(error) => return Err(EngineError::into(error)),
            }
            if !wait.pass(py, &self.engine, &self.stream, seen)? {
                return Ok(false);
            }
        }
    }

    /// Reads what is there, and tells whether there was any.
    fn read(&self) -> Result<bool, EngineError> {
        let mut place = self.place.lock();
        let shard = self.shard_id.as_deref();
        let (slices, next) =
            self.stream.read(self.engine.now(), place.next, Cut::END, shard, FOLLOW_RECORDS)?;
        place.next = next;
        let mut records = Vec::with_capacity(slices.iter().map(Slice::len).sum());
        for slice in &slices {
            let block = slice.block()?;
            let record = |at: usize| Record::new(Arc::clone(&block), slice.row(at));
            records.extend((0..slice.len()).map(record));
        }
        place.ahead = records.into_iter();
        Ok(0 < place.ahead.len())
    }

    fn is_exhausted(&self) -> Result<bool, EngineError> {
        let next = self.place.lock().next;
        self.shard_id.as_ref().map_or(Ok(false), |shard| self.stream.is_exhausted(shard, next))
    }
}

/// A wait for a stream to change, in slices short enough for Ctrl-C.
pub(super) struct Wait {
    deadline: Option<Millis>,
}

impl Wait {
    pub(super) fn new(engine: &Engine, timeout_ms: Option<i64>) -> Self {
        Self { deadline: timeout_ms.map(|timeout_ms| engine.now().plus(timeout_ms)) }
    }

    /// Waits a slice, and tells whether there is a point in looking again.
    ///
    /// Nobody but the user moves a manual clock: waiting for it with a deadline would never end, so what is not there
    /// yet counts as not having come in time.
    pub(super) fn pass(
        &mut self,
        py: Python<'_>,
        engine: &Engine,
        stream: &Stream,
        seen: u64,
    ) -> PyResult<bool> {
        py.check_signals()?;
        if let Some(deadline) = self.deadline
            && (deadline <= engine.now() || engine.options().clock.is_still())
        {
            return Ok(false);
        }
        py.detach(|| stream.bell().wait(seen, WAIT_SLICE));
        Ok(true)
    }
}
