//! Queries: what Python asked for becomes a `StreamQuery`, and answers become tables.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::engine::Engine;
use crate::engine::Stream;
use crate::engine::position::Cut;
use crate::python::argument;
use crate::python::attentive::WAIT_SLICE;
use crate::python::attentive::attentive;
use crate::python::error::raise;
use crate::python::error::store_class;
use crate::python::replay::format_named;
use crate::python::source;
use crate::python::source::SourceError;
use crate::python::stream::PyStream;
use crate::python::stream::Wait;
use crate::python::table;
use crate::python::table::PyTable;
use crate::query::Answer;
use crate::query::GoOn;
use crate::query::Malformed;
use crate::query::QueryError;
use crate::query::StreamQuery;
use crate::query::batches::BATCH_ROWS;
use crate::query::batches::collect_batches;
use crate::query::batches::collect_runs;
use crate::query::batches::collect_table;
use crate::query::collect_stream;
use crate::query::columns::ColumnsError;
use crate::query::live::Emit;
use crate::query::live::Live;
use crate::query::malformed_table;
use crate::replay::dataset::Dataset;
use crate::replay::dataset::DatasetOptions;
use crate::replay::dataset::OnBadLine;
use crate::window::NullTimes;
use crate::window::Order;
use crate::window::QuerySpec;
use crate::window::Span;
use crate::window::Window;
use crate::window::WindowError;
use crate::window::aggregate::Aggregate;
use crate::window::aggregate::Function;
use crate::window::aggregate::Interpolation;

/// A query over windows; the package's `WindowQuery` is its face.
#[pyclass(name = "Query", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyQuery {
    query: StreamQuery,
}

/// An aggregate as the package hands it over: its name, function, column and options.
type Asked<'py> = (String, String, Option<String>, Bound<'py, PyDict>);

#[pymethods]
impl PyQuery {
    #[new]
    #[pyo3(signature = (*, kind, spans, time, keys, aggregates, watermark_ns, allowed_lateness_ns, idle_timeout_ns, skip_null_times, raise_malformed, schema))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn new(
        kind: &str,
        spans: HashMap<String, i64>,
        time: String,
        keys: Vec<String>,
        aggregates: Vec<Asked<'_>>,
        watermark_ns: i64,
        allowed_lateness_ns: i64,
        idle_timeout_ns: Option<i64>,
        skip_null_times: bool,
        raise_malformed: bool,
        schema: HashMap<String, String>,
    ) -> PyResult<Self> {
        let aggregates = aggregates.into_iter().map(aggregate).collect::<PyResult<_>>()?;
        let spec = QuerySpec {
            window: window(kind, &spans)?,
            time,
            keys,
            aggregates,
            watermark: Span::from_nanos(watermark_ns),
            allowed_lateness: Span::from_nanos(allowed_lateness_ns),
            idle_timeout: idle_timeout_ns.map(Span::from_nanos),
            null_times: if skip_null_times { NullTimes::Skip } else { NullTimes::Raise },
        };
        let declared =
            schema.into_iter().map(|(name, data_type)| Ok((name, declared(&data_type)?)));
        let declared = declared.collect::<PyResult<_>>()?;
        let malformed = if raise_malformed { Malformed::Raise } else { Malformed::Keep };
        Ok(Self { query: StreamQuery { spec, declared, malformed } })
    }

    /// Answers over files, read as they are needed, of which a few batches are held at once.
    #[pyo3(signature = (files, *, format, skip_bad_lines, arrival, threads))]
    fn collect_files(
        &self,
        py: Python<'_>,
        files: Vec<String>,
        format: Option<&str>,
        skip_bad_lines: bool,
        arrival: bool,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyAnswer> {
        let threads = argument::threads(threads)?;
        let options = DatasetOptions {
            columns: Some(self.query.column_names()),
            format: format.map(format_named).transpose()?,
            on_bad_line: if skip_bad_lines { OnBadLine::Skip } else { OnBadLine::Raise },
            batch_rows: BATCH_ROWS,
        };
        let spec = self.query.spec.clone();
        answered(py, move |go_on| {
            let dataset = Dataset::open_many(&files, options)?;
            let schema = dataset.schema();
            let mut runs = dataset.in_runs(threads);
            let batches = runs.iter_mut().map(|(first_row, run)| {
                (*first_row, run.map(|batch| batch.map_err(SourceError::from)))
            });
            let (batches, order) = (batches.collect(), order(arrival));
            let mut answer = collect_runs(spec, &schema, batches, order, threads, go_on)?;
            answer.malformed_count = runs.iter().map(|(_, run)| run.skipped()).sum();
            Ok::<_, SourceError>(answer)
        })
    }

    /// Answers over a table, or over a stream of batches, which is read as it is needed.
    #[pyo3(signature = (table, *, arrival, threads))]
    fn collect_table(
        &self,
        py: Python<'_>,
        table: &Bound<'_, PyAny>,
        arrival: bool,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyAnswer> {
        let spec = self.query.spec.clone();
        let threads = argument::threads(threads)?;
        if source::is_stream(table)? {
            let reader = table::reader(table)?;
            return answered(py, move |go_on| {
                let schema = reader.schema();
                let batches = source::batches(reader);
                collect_batches(spec, &schema, batches, order(arrival), threads, go_on)
            });
        }
        let (schema, batches) = table::batches(table)?;
        answered(py, move |go_on| {
            collect_table(spec, &schema, &batches, order(arrival), threads, go_on)
        })
    }

    /// Answers over the records of a stream between two cuts.
    #[pyo3(signature = (stream, from_cut, until_cut, shard_id, *, arrival, threads))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn collect_stream(
        &self,
        py: Python<'_>,
        stream: PyRef<'_, PyStream>,
        from_cut: u64,
        until_cut: u64,
        shard_id: Option<&str>,
        arrival: bool,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyAnswer> {
        let threads = match threads {
            None => stream.engine.options().threads,
            asked => argument::threads(asked)?,
        };
        let now = stream.engine.now();
        let (from, until) = (Cut(from_cut), Cut(until_cut));
        let query = self.query.clone();
        let slices = if shard_id.is_none() && !arrival && !query.heeds_order() {
            stream.stream.read_in_any_order(now, from, until)?
        } else {
            stream.stream.read(now, from, until, shard_id, usize::MAX)?.0
        };
        answered(py, move |go_on| collect_stream(&query, &slices, order(arrival), threads, go_on))
    }

    /// Follows a stream from one cut to another, which may never come.
    #[pyo3(signature = (stream, from_cut, until_cut, shard_id, *, changes, timeout_ms))]
    fn follow(
        &self,
        stream: PyRef<'_, PyStream>,
        from_cut: u64,
        until_cut: Option<u64>,
        shard_id: Option<String>,
        changes: bool,
        timeout_ms: Option<i64>,
    ) -> PyQueryFollow {
        let emit = if changes { Emit::Changes } else { Emit::Final };
        let until = until_cut.map_or(Cut::END, Cut);
        PyQueryFollow {
            engine: Arc::clone(&stream.engine),
            stream: Arc::clone(&stream.stream),
            live: Mutex::new(Live::new(self.query.clone(), emit, Cut(from_cut), until, shard_id)),
            timeout_ms,
            stopped: AtomicBool::new(false),
        }
    }
}

/// Windows as they close or change.
#[pyclass(name = "QueryFollow", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyQueryFollow {
    engine: Arc<Engine>,
    stream: Arc<Stream>,
    live: Mutex<Live>,
    timeout_ms: Option<i64>,
    stopped: AtomicBool,
}

#[pymethods]
impl PyQueryFollow {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<PyAnswer>> {
        let mut wait = Wait::new(&self.engine, self.timeout_ms);
        self.next_within(py, |py, seen| wait.pass(py, &self.engine, &self.stream, seen))
    }

    /// What is new, waited for on the machine's time, whatever the engine's clock is; none if nothing came, or at the end.
    fn poll(&self, py: Python<'_>, longest_ms: u64) -> PyResult<Option<PyAnswer>> {
        let slice_ms = u64::try_from(WAIT_SLICE.as_millis()).unwrap_or(u64::MAX);
        let mut left = longest_ms.div_ceil(slice_ms);
        self.next_within(py, |py, seen| {
            py.check_signals()?;
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            py.detach(|| self.stream.bell().wait(seen, WAIT_SLICE));
            Ok(true)
        })
    }

    /// Whether nothing more can come: the end was reached, the stream is gone, or somebody stopped it.
    #[getter]
    fn is_ended(&self) -> bool {
        self.stopped.load(Ordering::SeqCst) || self.live.lock().is_ended()
    }

    /// Ends it: whoever waits for news, in any thread, comes to the end.
    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.stream.bell().ring();
    }
}

impl PyQueryFollow {
    /// What is new; `wait` waits a while, and tells whether there is a point in looking again.
    fn next_within(
        &self,
        py: Python<'_>,
        mut wait: impl FnMut(Python<'_>, u64) -> PyResult<bool>,
    ) -> PyResult<Option<PyAnswer>> {
        loop {
            let seen = self.stream.bell().rings();
            if self.stopped.load(Ordering::SeqCst) {
                return Ok(None);
            }
            let now = self.engine.now();
            let polled = py.detach(|| {
                let mut live = self.live.lock();
                let was_ended = live.is_ended();
                let answer = if was_ended { Ok(None) } else { live.poll(now, &self.stream) };
                (answer, live.is_ended(), live.is_behind())
            });
            let (answer, ended, behind) = polled;
            if let Some(answer) = answer.map_err(query_error)? {
                return Ok(Some(answer.try_into()?));
            }
            if ended {
                return Ok(None);
            }
            if behind {
                py.check_signals()?;
            } else if !wait(py, seen)? {
                return Ok(None);
            }
        }
    }
}

/// An answer in parts, for the package to put together.
#[pyclass(name = "Answer", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyAnswer {
    windows: Py<PyTable>,
    late: Py<PyTable>,
    malformed: Py<PyTable>,
    stats: Py<PyDict>,
}

#[pymethods]
impl PyAnswer {
    /// The windows.
    #[getter]
    fn windows(&self, py: Python<'_>) -> Py<PyTable> {
        self.windows.clone_ref(py)
    }

    /// The rows that came too late.
    #[getter]
    fn late(&self, py: Python<'_>) -> Py<PyTable> {
        self.late.clone_ref(py)
    }

    /// The records that could not be read.
    #[getter]
    fn malformed(&self, py: Python<'_>) -> Py<PyTable> {
        self.malformed.clone_ref(py)
    }

    /// The counts, by name.
    #[getter]
    fn stats(&self, py: Python<'_>) -> Py<PyDict> {
        self.stats.clone_ref(py)
    }
}

impl TryFrom<Answer> for PyAnswer {
    type Error = PyErr;

    fn try_from(answer: Answer) -> PyResult<Self> {
        Python::attach(|py| {
            let broken = malformed_table(&answer.malformed).map_err(query_error)?;
            Ok(Self {
                stats: stats(py, &answer)?.unbind(),
                windows: Py::new(py, PyTable::new(answer.schema, answer.windows))?,
                late: Py::new(py, PyTable::new(answer.late_schema, answer.late))?,
                malformed: Py::new(py, PyTable::new(broken.schema(), vec![broken]))?,
            })
        })
    }
}

/// The counts of an answer as Python values.
fn stats<'py>(py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyDict>> {
    let stats = &answer.stats;
    let unit = match answer.schema.field(0).data_type() {
        DataType::Timestamp(unit, _) => *unit,
        _ => TimeUnit::Microsecond,
    };
    let time = |ticks: Option<i64>| -> PyResult<Option<Bound<'py, PyAny>>> {
        let epoch = py.import("shardstream._epoch")?;
        ticks
            .map(|ticks| epoch.getattr("from_micros")?.call1((microseconds(ticks, unit),)))
            .transpose()
    };
    let span = |ticks: Option<i64>| -> PyResult<Option<Bound<'py, PyAny>>> {
        let epoch = py.import("shardstream._epoch")?;
        ticks
            .map(|ticks| epoch.getattr("span_of_micros")?.call1((microseconds(ticks, unit),)))
            .transpose()
    };
    let counts = PyDict::new(py);
    counts.set_item("rows", stats.rows)?;
    counts.set_item("late_rows", stats.late_rows)?;
    counts.set_item("partly_late_rows", stats.partly_late_rows)?;
    counts.set_item("null_time_rows", stats.null_time_rows)?;
    counts.set_item("malformed_records", answer.malformed_count)?;
    counts.set_item("windows", stats.windows)?;
    counts.set_item("open_windows", stats.open_windows)?;
    counts.set_item("watermark", time(stats.watermark)?)?;
    counts.set_item("max_event_time", time(stats.max_event_time)?)?;
    counts.set_item("max_lateness", span(stats.max_lateness)?)?;
    Ok(counts)
}

fn microseconds(ticks: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => ticks.saturating_mul(1_000_000),
        TimeUnit::Millisecond => ticks.saturating_mul(1_000),
        TimeUnit::Microsecond => ticks,
        TimeUnit::Nanosecond => ticks.div_euclid(1_000),
    }
}

/// Answers a query on a thread of its own, so that Ctrl-C is heard at once.
fn answered<E: Into<PyErr> + Send + 'static>(
    py: Python<'_>,
    run: impl FnOnce(GoOn<'_>) -> Result<Answer, E> + Send + 'static,
) -> PyResult<PyAnswer> {
    attentive(py, run)?.try_into()
}

fn order(arrival: bool) -> Order {
    if arrival { Order::Arrival } else { Order::Event }
}

impl From<QueryError> for PyErr {
    fn from(error: QueryError) -> Self {
        query_error(error)
    }
}

fn query_error(error: QueryError) -> PyErr {
    let class = match &error {
        QueryError::Columns(ColumnsError::Store(error)) | QueryError::Store(error) => {
            store_class(error)
        }
        QueryError::Columns(ColumnsError::Missing { .. }) => "ColumnNotFoundError",
        QueryError::Columns(
            ColumnsError::Conversion { .. }
            | ColumnsError::TooNarrow
            | ColumnsError::TypesDiffer { .. },
        ) => "ColumnTypeError",
        QueryError::Columns(ColumnsError::Json(_)) | QueryError::Malformed { .. } => {
            "RecordDecodeError"
        }
        QueryError::Stopped => "ShardstreamError",
        QueryError::Window(error) => window_class(error),
    };
    raise(class, error)
}

/// The name of the exception class for a query that cannot be.
pub(super) fn window_class(error: &WindowError) -> &'static str {
    match error {
        WindowError::ColumnMissing { .. } => "ColumnNotFoundError",
        WindowError::AggregateType { .. } | WindowError::TimeType { .. } => "ColumnTypeError",
        _ => "InvalidArgumentException",
    }
}

fn window(kind: &str, spans: &HashMap<String, i64>) -> PyResult<Window> {
    let span = |name: &str| Span::from_nanos(spans.get(name).copied().unwrap_or(0));
    let window = match kind {
        "cumulate" => Window::cumulate(span("size"), span("step"), span("offset")),
        "hop" => Window::hop(span("size"), span("slide"), span("offset")),
        "rolling" => Window::rolling(span("size")),
        "session" => Window::session(span("gap")),
        "tumble" => Window::tumble(span("size"), span("offset")),
        _ => {
            return Err(raise(
                "InvalidArgumentException",
                format!("`{kind}` is no kind of window"),
            ));
        }
    };
    window.map_err(|error| raise(window_class(&error), error))
}

fn aggregate((name, function, column, options): Asked<'_>) -> PyResult<Aggregate> {
    fn option<'py, T>(options: &Bound<'py, PyDict>, name: &str) -> PyResult<T>
    where
        T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
    {
        let missing =
            || raise("InvalidArgumentException", format!("an aggregate lacks its option `{name}`"));
        options.get_item(name)?.ok_or_else(missing)?.extract()
    }
    let function = match function.as_str() {
        "approx_count_distinct" => Function::ApproxCountDistinct,
        "count" => Function::Count,
        "count_distinct" => Function::CountDistinct,
        "first" => Function::First { ignore_nulls: option(&options, "ignore_nulls")? },
        "last" => Function::Last { ignore_nulls: option(&options, "ignore_nulls")? },
        "max" => Function::Max,
        "mean" => Function::Mean,
        "median" => Function::Median,
        "min" => Function::Min,
        "quantile" => Function::Quantile {
            q: option(&options, "q")?,
            interpolation: interpolation(&option::<String>(&options, "interpolation")?)?,
        },
        "std" => Function::Std { ddof: option(&options, "ddof")? },
        "sum" => Function::Sum,
        "top_k" => Function::TopK { k: option(&options, "k")? },
        "var" => Function::Var { ddof: option(&options, "ddof")? },
        _ => {
            return Err(raise("InvalidArgumentException", format!("`{function}` is no aggregate")));
        }
    };
    Aggregate::new(name, function, column).map_err(|error| raise(window_class(&error), error))
}

fn interpolation(name: &str) -> PyResult<Interpolation> {
    match name {
        "higher" => Ok(Interpolation::Higher),
        "linear" => Ok(Interpolation::Linear),
        "lower" => Ok(Interpolation::Lower),
        "midpoint" => Ok(Interpolation::Midpoint),
        "nearest" => Ok(Interpolation::Nearest),
        _ => Err(raise("InvalidArgumentException", format!("`{name}` is no interpolation"))),
    }
}

fn declared(data_type: &str) -> PyResult<DataType> {
    match data_type {
        "bool" => Ok(DataType::Boolean),
        "float64" => Ok(DataType::Float64),
        "int64" => Ok(DataType::Int64),
        "string" => Ok(DataType::Utf8),
        _ => Err(raise(
            "InvalidArgumentException",
            format!("`{data_type}` is no type of a JSON field"),
        )),
    }
}
