//! Replays, a step at a time, so that Python sees signals in between.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::python::error::raise;
use crate::python::stream::PyStream;
use crate::python::stream::table_class;
use crate::python::table;
use crate::python::write::PyWriteReport;
use crate::replay::dataset::Dataset;
use crate::replay::dataset::DatasetError;
use crate::replay::dataset::DatasetOptions;
use crate::replay::dataset::Format;
use crate::replay::dataset::OnBadLine;
use crate::replay::pace::Batches;
use crate::replay::pace::Delay;
use crate::replay::pace::Replay;
use crate::replay::pace::ReplayError;
use crate::replay::pace::ReplayOptions;
use crate::replay::pace::Step;

/// A dataset on its way into a stream.
#[pyclass(name = "Replay", module = "shardstream._core", frozen)]
#[derive(Debug)]
pub(super) struct PyReplay {
    replay: Mutex<Replay>,
    rows_hint: Option<u64>,
    skipped: Arc<std::sync::atomic::AtomicU64>,
}

#[pymethods]
impl PyReplay {
    #[new]
    #[pyo3(signature = (stream, table, files, *, key, time, speed, delay_ns, delay_column, data, null_key, format, skip_bad_lines, limit))]
    #[expect(clippy::too_many_arguments, reason = "each is named at the one call there is")]
    fn new(
        py: Python<'_>,
        stream: PyRef<'_, PyStream>,
        table: Option<&Bound<'_, PyAny>>,
        files: Option<Vec<String>>,
        key: String,
        time: Option<String>,
        speed: Option<f64>,
        delay_ns: i64,
        delay_column: Option<String>,
        data: Option<String>,
        null_key: Option<String>,
        format: Option<&str>,
        skip_bad_lines: bool,
        limit: Option<usize>,
    ) -> PyResult<Self> {
        let delay = delay_column.map_or(Delay::All(delay_ns / 1_000_000), Delay::Column);
        let options = ReplayOptions { key, data, null_key, time, speed, delay, rows_max: limit };
        let skipped = Arc::default();
        let (batches, schema, rows_hint): (Batches, _, _) = match (table, files) {
            (Some(table), _) => {
                let reader = table::reader(table)?;
                let schema = reader.schema();
                let known = Arc::clone(&schema);
                let read = move |batch: Result<_, arrow_schema::ArrowError>| {
                    batch.map_err(|error| ReplayError::Source {
                        message: table::unread(&error, &known),
                    })
                };
                (Box::new(reader.map(read)), schema, None)
            }
            (None, files) => {
                let options = DatasetOptions {
                    format: format.map(format_named).transpose()?,
                    on_bad_line: if skip_bad_lines { OnBadLine::Skip } else { OnBadLine::Raise },
                    ..DatasetOptions::default()
                };
                let files = files.unwrap_or_default();
                let dataset =
                    py.detach(|| Dataset::open_many(&files, options)).map_err(dataset_error)?;
                let (schema, rows_hint) = (dataset.schema(), dataset.rows_hint());
                let batches = Files { dataset, skipped: Arc::clone(&skipped) };
                (Box::new(batches), schema, rows_hint)
            }
        };
        let clock = stream.engine.options().clock.clone();
        let replay = Replay::new(batches, schema, Arc::clone(&stream.stream), clock, options)
            .map_err(replay_error)?;
        Ok(Self { replay: Mutex::new(replay), rows_hint, skipped })
    }

    /// Reads, waits or writes a little: the rows written, or None when all are in.
    fn step(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        let step = py.detach(|| self.replay.lock().step()).map_err(replay_error)?;
        Ok(match step {
            Step::Done => None,
            Step::Wrote(rows) => Some(rows),
        })
    }

    /// What was written so far.
    fn report(&self) -> PyWriteReport {
        PyWriteReport::of(self.replay.lock().written().clone())
    }

    /// The event times of the earliest and latest row so far, in milliseconds.
    fn event_times_ms(&self) -> Option<(i64, i64)> {
        self.replay.lock().event_times().map(|(first, last)| (first.0, last.0))
    }

    /// Lines that could not be read.
    fn skipped(&self) -> u64 {
        self.skipped.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// How many rows there are, where the files say so.
    fn rows_hint(&self) -> Option<u64> {
        self.rows_hint
    }
}

/// Files as batches, with the count of lines skipped.
struct Files {
    dataset: Dataset,
    skipped: Arc<std::sync::atomic::AtomicU64>,
}

impl Iterator for Files {
    type Item = Result<arrow_array::RecordBatch, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.dataset.next();
        self.skipped.store(self.dataset.skipped(), std::sync::atomic::Ordering::Relaxed);
        batch.map(|batch| batch.map_err(ReplayError::from))
    }
}

pub(super) fn format_named(name: &str) -> PyResult<Format> {
    let unknown = || raise("InvalidArgumentException", format!("`{name}` is no format of files"));
    Format::from_keyword(name).ok_or_else(unknown)
}

pub(super) fn dataset_error(error: DatasetError) -> PyErr {
    let class = match &error {
        DatasetError::NotFound { .. } | DatasetError::NothingMatches { .. } => {
            "DatasetNotFoundError"
        }
        DatasetError::UnknownColumn { .. } => "ColumnNotFoundError",
        _ => "DatasetError",
    };
    raise(class, error)
}

fn replay_error(error: ReplayError) -> PyErr {
    match error {
        ReplayError::Dataset(error) => dataset_error(error),
        ReplayError::Engine(error) => error.into(),
        ReplayError::Table(error) => raise(table_class(&error), error),
        ReplayError::DelayType { .. } | ReplayError::TimeType { .. } => {
            raise("ColumnTypeError", error)
        }
        ReplayError::BeyondClock { .. } | ReplayError::NullTimes { .. } => {
            raise("ValidationException", error)
        }
        ReplayError::Source { .. } => raise("DatasetError", error),
    }
}
