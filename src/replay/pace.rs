//! The pace of a replay: when each row of a dataset arrives, and what is written when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;
use arrow_array::types::TimestampMillisecondType;
use arrow_buffer::ScalarBuffer;
use arrow_cast::CastOptions;
use arrow_cast::cast_with_options;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;
use arrow_select::interleave::interleave_record_batch;

use crate::clock::Clock;
use crate::clock::ManualClock;
use crate::clock::Millis;
use crate::engine::EngineError;
use crate::engine::Stream;
use crate::engine::write::Roles;
use crate::engine::write::Rows;
use crate::engine::write::TableError;
use crate::engine::write::Written;
use crate::engine::write::column;
use crate::replay::dataset::DatasetError;

/// Rows written at once: few enough that Ctrl-C works at once.
const CHUNK_ROWS: usize = 65_536;
/// How long a paced replay waits at most before it lets the caller look around.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// Why a replay stops.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A row that would move a clock further than sequence numbers count.
    #[error(
        "rows arrive {time} by their own time, and a clock stands before the year 2400: filter them out, or leave time out"
    )]
    BeyondClock {
        /// When a row arrives.
        time: Millis,
    },
    /// The dataset cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A delay that is none.
    #[error("delay column `{column}` is {data_type}: durations, or numbers of seconds, are delays")]
    DelayType {
        /// The column.
        column: String,
        /// What it is.
        data_type: DataType,
    },
    /// The stream refuses.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Rows without a time.
    #[error(
        "time column `{column}` has {count} nulls, the first at row {row}: filter those rows out, or leave time out"
    )]
    NullTimes {
        /// The column.
        column: String,
        /// The first row without a time.
        row: usize,
        /// How many there are, in this part of the dataset.
        count: usize,
    },
    /// The rows cannot be records.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Whoever gives the rows failed.
    #[error("reading the table: {message}")]
    Source {
        /// Its own words.
        message: String,
    },
    /// A time column that is none.
    #[error(
        "time column `{column}` is {data_type}{}; timestamps, dates and ISO 8601 text are times: cast it to a timestamp",
        told(.message)
    )]
    TimeType {
        /// The column.
        column: String,
        /// What it is.
        data_type: DataType,
        /// What a conversion said.
        message: String,
    },
}

fn told(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

/// How long after its event time a row arrives.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// All rows this many milliseconds; in the dataset's order.
    All(i64),
    /// Each row as a column says; in order of time plus delay.
    Column(String),
}

/// How a dataset is replayed.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The column of partition keys.
    pub key: String,
    /// The column of bytes or text that records carry; whole rows where not given.
    pub data: Option<String>,
    /// What stands in for null keys.
    pub null_key: Option<String>,
    /// The column of event times.
    pub time: Option<String>,
    /// A factor of real time; as fast as it goes where not given.
    pub speed: Option<f64>,
    /// Lateness to add.
    pub delay: Delay,
    /// Rows at most.
    pub rows_max: Option<usize>,
}

/// Batches of a dataset, as they are read.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ReplayError>> + Send>;

/// A dataset on its way into a stream.
pub struct Replay {
    batches: Batches,
    schema: SchemaRef,
    options: ReplayOptions,
    stream: Arc<Stream>,
    clock: Clock,
    chunk: Option<Chunk>,
    written: Written,
    rows_read: usize,
    /// The event times of the earliest and latest row.
    event_times: Option<(Millis, Millis)>,
    /// When the first row was due, by event time and by the clock; what paced rows are measured from.
    origin: Option<(i64, Millis)>,
    last_arrival: i64,
    held: Held,
}

/// Rows held until their turn to arrive: each batch in order of arrival, and the heads of all of them in a heap.
#[derive(Debug, Default)]
struct Held {
    batches: Vec<RecordBatch>,
    /// By batch, its rows and when they arrive, the next one last.
    orders: Vec<Vec<(i64, usize)>>,
    /// When the next row of each batch arrives; the earliest on top, and of equal ones the one read first.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    is_complete: bool,
}

impl Held {
    fn add(&mut self, batch: RecordBatch, arrivals: impl Iterator<Item = i64>) {
        let mut order: Vec<(i64, usize)> = arrivals.zip(0..).collect();
        order.sort_unstable();
        order.reverse();
        if let Some(&(arrival, _)) = order.last() {
            self.heads.push(Reverse((arrival, self.batches.len())));
        }
        self.batches.push(batch);
        self.orders.push(order);
    }

    /// Takes the next `count` rows to arrive; `None` when there are no more.
    fn take(&mut self, count: usize) -> Result<Option<Chunk>, ReplayError> {
        let (mut rows, mut arrivals) = (Vec::with_capacity(count), Vec::with_capacity(count));
        while rows.len() < count
            && let Some(Reverse((arrival, batch))) = self.heads.pop()
        {
            let (_, row) = self.orders[batch].pop().expect("a batch in the heap has a next row");
            rows.push((batch, row));
            arrivals.push(arrival);
            if let Some(&(next, _)) = self.orders[batch].last() {
                self.heads.push(Reverse((next, batch)));
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let batch = interleave_record_batch(&batches, &rows).map_err(source)?;
        Ok(Some(Chunk { batch, arrivals: Some(arrivals.into()), next: 0 }))
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay")
            .field("options", &self.options)
            .field("rows_read", &self.rows_read)
            .finish_non_exhaustive()
    }
}

/// Rows read and not yet written.
#[derive(Debug)]
struct Chunk {
    batch: RecordBatch,
    /// When each row arrives by event time, never earlier than the row before; none without a time column.
    arrivals: Option<ScalarBuffer<i64>>,
    next: usize,
}

/// What one step of a replay did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// All rows are in.
    Done,
    /// Wrote this many rows, or waited for their time and wrote none.
    Wrote(usize),
}

impl Replay {
    /// Starts a replay of batches into a stream; what is wrong with the columns shows at once.
    pub fn new(
        batches: Batches,
        schema: SchemaRef,
        stream: Arc<Stream>,
        clock: Clock,
        options: ReplayOptions,
    ) -> Result<Self, ReplayError> {
        let empty = RecordBatch::new_empty(Arc::clone(&schema));
        Rows::from_batch(empty.clone(), options.roles(), 0)?;
        if let Some(time) = &options.time {
            times(&empty, time, 0)?;
            if let Delay::Column(delay) = &options.delay {
                delays(&empty, delay)?;
            }
        }
        Ok(Self {
            batches,
            schema,
            options,
            stream,
            clock,
            chunk: None,
            written: Written::default(),
            rows_read: 0,
            event_times: None,
            origin: None,
            last_arrival: i64::MIN,
            held: Held::default(),
        })
    }

    /// Reads, waits or writes a little.
    pub fn step(&mut self) -> Result<Step, ReplayError> {
        if self.chunk.is_none() {
            self.chunk = self.read()?;
        }
        let Some(chunk) = &mut self.chunk else {
            return Ok(Step::Done);
        };
        let left = (chunk.batch.num_rows() - chunk.next).min(CHUNK_ROWS);
        let count = match (&chunk.arrivals, self.options.speed) {
            (Some(arrivals), Some(speed)) if !self.clock.is_still() => {
                let now = self.clock.now();
                let &mut (first, began) = self.origin.get_or_insert((arrivals[chunk.next], now));
                let reached = reached(now.since(began), speed, first);
                let due = arrivals[chunk.next..].partition_point(|&arrival| arrival <= reached);
                if due == 0 {
                    self.clock.wait(until_due(arrivals[chunk.next], reached, speed));
                }
                due.min(left)
            }
            _ => left,
        };
        if 0 < count {
            let next = chunk.next;
            let batch = chunk.batch.slice(next, count);
            let arrivals = chunk.arrivals.as_ref().map(|arrivals| arrivals.slice(next, count));
            self.write(batch, arrivals)?;
            self.chunk.as_mut().expect("it was there above").next += count;
        }
        self.chunk.take_if(|chunk| chunk.next == chunk.batch.num_rows());
        Ok(Step::Wrote(count))
    }

    /// Returns what was written so far.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Returns the event times of the earliest and latest row so far.
    pub fn event_times(&self) -> Option<(Millis, Millis)> {
        self.event_times
    }

    fn write(
        &mut self,
        batch: RecordBatch,
        arrivals: Option<ScalarBuffer<i64>>,
    ) -> Result<(), ReplayError> {
        let first_row = usize::try_from(self.written.rows).unwrap_or(usize::MAX);
        let mut rows = Rows::from_batch(batch, self.options.roles(), first_row)?;
        self.stream.check_sizes(&rows, first_row)?;
        // Rows arrive in event time, and the clock goes along once they are in: nothing waits. The engine takes no
        // arrival before its own time, so the clock must not be moved first.
        let moved = match (&self.clock, arrivals) {
            (Clock::Manual(clock), Some(arrivals)) if clock.is_still() => {
                let last = Millis(*arrivals.last().expect("a chunk has rows"));
                if ManualClock::END <= last {
                    return Err(ReplayError::BeyondClock { time: last });
                }
                rows.arrivals = Some(arrivals);
                Some((clock, last))
            }
            _ => None,
        };
        let routed = self.stream.route(rows, || true)?.expect("nobody stops it");
        self.written.extend(self.stream.append(self.clock.now(), routed)?);
        if let Some((clock, last)) = moved {
            clock.advance_to(last);
        }
        Ok(())
    }

    /// Reads the next rows and when they arrive.
    fn read(&mut self) -> Result<Option<Chunk>, ReplayError> {
        if let (Delay::Column(_), Some(_)) = (&self.options.delay, &self.options.time) {
            return self.read_in_order_of_arrival();
        }
        while let Some(batch) = self.next_batch()? {
            if 0 < batch.num_rows() {
                let arrivals = self.arrivals(&batch)?;
                return Ok(Some(Chunk { batch, arrivals, next: 0 }));
            }
        }
        Ok(None)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ReplayError> {
        let room = self.options.rows_max.map_or(usize::MAX, |rows_max| rows_max - self.rows_read);
        if room == 0 {
            return Ok(None);
        }
        let Some(batch) = self.batches.next().transpose()? else {
            return Ok(None);
        };
        let batch = batch.slice(0, batch.num_rows().min(room));
        self.rows_read += batch.num_rows();
        Ok(Some(batch))
    }

    fn arrivals(&mut self, batch: &RecordBatch) -> Result<Option<ScalarBuffer<i64>>, ReplayError> {
        let Some(time) = &self.options.time else {
            return Ok(None);
        };
        let event_times = times(batch, time, self.rows_read - batch.num_rows())?;
        self.note(&event_times);
        let Delay::All(delay_ms) = self.options.delay else {
            return Ok(Some(event_times));
        };
        let mut last = self.last_arrival;
        let arrive = |&time: &i64| {
            last = last.max(time.saturating_add(delay_ms));
            last
        };
        let arrivals: ScalarBuffer<i64> = event_times.iter().map(arrive).collect();
        self.last_arrival = last;
        Ok(Some(arrivals))
    }

    /// Reads a part of the rows, and when all are read, merges them in order of time plus delay, a chunk at a time: the
    /// last row of the dataset may be the first to arrive.
    fn read_in_order_of_arrival(&mut self) -> Result<Option<Chunk>, ReplayError> {
        let (Delay::Column(delay), Some(time)) =
            (self.options.delay.clone(), self.options.time.clone())
        else {
            return Ok(None);
        };
        if !self.held.is_complete {
            match self.next_batch()? {
                Some(batch) => {
                    let event_times = times(&batch, &time, self.rows_read - batch.num_rows())?;
                    self.note(&event_times);
                    let delays = delays(&batch, &delay)?;
                    let arrivals = event_times
                        .iter()
                        .zip(delays)
                        .map(|(&time, delay)| time.saturating_add(delay));
                    self.held.add(batch, arrivals);
                }
                None => self.held.is_complete = true,
            }
            return Ok(Some(Chunk {
                batch: RecordBatch::new_empty(Arc::clone(&self.schema)),
                arrivals: None,
                next: 0,
            }));
        }
        self.held.take(CHUNK_ROWS)
    }

    fn note(&mut self, event_times: &[i64]) {
        let (Some(&first), Some(&last)) = (event_times.iter().min(), event_times.iter().max())
        else {
            return;
        };
        let (earliest, latest) = self.event_times.unwrap_or((Millis(first), Millis(last)));
        self.event_times = Some((earliest.min(Millis(first)), latest.max(Millis(last))));
    }

    /// Returns the dataset's columns.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl ReplayOptions {
    fn roles(&self) -> Roles<'_> {
        Roles { key: &self.key, data: self.data.as_deref(), null_key: self.null_key.as_deref() }
    }
}

/// The event time that a paced replay has come to.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a pace is no matter of the 53rd bit"
)]
fn reached(elapsed_ms: i64, speed: f64, first: i64) -> i64 {
    first.saturating_add((elapsed_ms as f64 * speed) as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a pace is no matter of the 53rd bit")]
fn until_due(due: i64, reached: i64, speed: f64) -> Duration {
    let ms = due.saturating_sub(reached) as f64 / speed;
    Duration::try_from_secs_f64(ms / 1000.0)
        .map_or(WAIT_MAX, |wait| wait.clamp(Duration::from_millis(1), WAIT_MAX))
}

/// Reads a column of event times as milliseconds; times without a timezone are UTC.
fn times(
    batch: &RecordBatch,
    name: &str,
    first_row: usize,
) -> Result<ScalarBuffer<i64>, ReplayError> {
    let array = column(batch, name)?;
    let refused = |message: String| ReplayError::TimeType {
        column: name.to_owned(),
        data_type: array.data_type().clone(),
        message,
    };
    let utc = |unit| DataType::Timestamp(unit, Some("UTC".into()));
    let is_time = matches!(
        array.data_type(),
        DataType::Timestamp(_, _)
            | DataType::Date32
            | DataType::Date64
            | DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Dictionary(_, _)
    );
    if !is_time {
        return Err(refused(String::new()));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let to = |array: &ArrayRef, data_type: &DataType| cast_with_options(array, data_type, &strict);
    let converted = match array.data_type() {
        DataType::Timestamp(_, Some(_)) => to(array, &utc(TimeUnit::Millisecond)),
        _ => to(array, &DataType::Timestamp(TimeUnit::Millisecond, None)),
    };
    let converted = converted.map_err(|error| refused(error.to_string()))?;
    if 0 < converted.null_count() {
        let row = (0..converted.len()).find(|&row| converted.is_null(row)).unwrap_or(0);
        let (column, count) = (name.to_owned(), converted.null_count());
        return Err(ReplayError::NullTimes { column, row: first_row + row, count });
    }
    Ok(converted.as_primitive::<TimestampMillisecondType>().values().clone())
}

/// Reads a column of delays as milliseconds; a null is none.
fn delays(batch: &RecordBatch, name: &str) -> Result<Vec<i64>, ReplayError> {
    let array = column(batch, name)?;
    let refused =
        || ReplayError::DelayType { column: name.to_owned(), data_type: array.data_type().clone() };
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let to = |array: &ArrayRef, data_type: &DataType| cast_with_options(array, data_type, &strict);
    match array.data_type() {
        DataType::Duration(_) => {
            let ms = to(array, &DataType::Duration(TimeUnit::Millisecond))
                .and_then(|ms| to(&ms, &DataType::Int64));
            let ms = ms.map_err(|_| refused())?;
            Ok(ms.as_primitive::<Int64Type>().iter().map(|ms| ms.unwrap_or(0).max(0)).collect())
        }
        number if number.is_numeric() => {
            let seconds = to(array, &DataType::Float64).map_err(|_| refused())?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "delays are counted in whole milliseconds"
            )]
            let ms = |seconds: Option<f64>| (seconds.unwrap_or(0.0).max(0.0) * 1000.0) as i64;
            Ok(seconds.as_primitive::<Float64Type>().iter().map(ms).collect())
        }
        _ => Err(refused()),
    }
}

fn source(error: ArrowError) -> ReplayError {
    ReplayError::Source { message: error.to_string() }
}
