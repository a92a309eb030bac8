//! Queries over streams: records become columns, columns go through windows, and late or broken ones are kept.

pub mod batches;
pub mod columns;
pub mod live;
mod parts;

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryViewArray;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::UInt64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;

use crate::engine::slice::Slice;
use crate::query::columns::Columns;
use crate::query::columns::ColumnsError;
use crate::query::columns::Part;
use crate::query::columns::Wanted;
use crate::record::Record;
use crate::record::block::Block;
use crate::store::StoreError;
use crate::threads::Threads;
use crate::window::Arrivals;
use crate::window::NullTimes;
use crate::window::Operator;
use crate::window::Order;
use crate::window::QuerySpec;
use crate::window::Span;
use crate::window::Stats;
use crate::window::Window;
use crate::window::WindowError;
use crate::window::aggregate::Aggregate;
use crate::window::aggregate::Function;

pub use crate::query::parts::GoOn;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Records could not be read as the columns it names.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// A record was not what the query reads, and the caller asked to be told.
    #[error(
        "record {sequence_number} of {shard} cannot be read: {reason}; on_malformed=\"keep\" counts such records and \
         goes on"
    )]
    Malformed {
        /// Its sequence number.
        sequence_number: String,
        /// Its shard.
        shard: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller wants to stop.
    #[error("stopped")]
    Stopped,
    /// The windows refuse.
    #[error(transparent)]
    Window(Box<WindowError>),
}

impl From<WindowError> for QueryError {
    fn from(error: WindowError) -> Self {
        Self::Window(Box::new(error))
    }
}

impl From<ArrowError> for QueryError {
    fn from(error: ArrowError) -> Self {
        WindowError::from(error).into()
    }
}

/// What to do with records that are not what the query reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Malformed {
    /// Count and keep them.
    Keep,
    /// Refuse to answer.
    Raise,
}

/// What a query over a stream is.
#[derive(Clone, Debug)]
pub struct StreamQuery {
    /// Windows, keys and aggregates.
    pub spec: QuerySpec,
    /// Types of JSON fields, where the caller knows them.
    pub declared: Vec<(String, DataType)>,
    /// What to do with records that cannot be read.
    pub malformed: Malformed,
}

impl StreamQuery {
    /// Lists the names of the columns that the query reads, each once.
    pub fn column_names(&self) -> Vec<String> {
        let keys = self.spec.keys.iter();
        let inputs = self.spec.aggregates.iter().filter_map(|aggregate| aggregate.column.as_ref());
        let mut names: Vec<String> = Vec::new();
        for name in std::iter::once(&self.spec.time).chain(keys).chain(inputs) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Whether the order of rows tells in its answer, though no row comes too late.
    pub fn heeds_order(&self) -> bool {
        let heeds = |aggregate: &Aggregate| {
            matches!(aggregate.function, Function::First { .. } | Function::Last { .. })
        };
        matches!(self.spec.window, Window::Rolling { .. }) || self.spec.aggregates.iter().any(heeds)
    }

    /// Says which columns the query reads, and what for.
    pub fn wanted(&self) -> Wanted {
        let computed = |function: &Function| match function {
            Function::Mean
            | Function::Median
            | Function::Quantile { .. }
            | Function::Std { .. }
            | Function::Sum
            | Function::Var { .. } => true,
            Function::ApproxCountDistinct
            | Function::Count
            | Function::CountDistinct
            | Function::First { .. }
            | Function::Last { .. }
            | Function::Max
            | Function::Min
            | Function::TopK { .. } => false,
        };
        let computing =
            self.spec.aggregates.iter().filter(|aggregate| computed(&aggregate.function));
        let numbers = computing.filter_map(|aggregate| aggregate.column.clone()).collect();
        Wanted::Columns {
            names: self.column_names(),
            time: self.spec.time.clone(),
            keys: self.spec.keys.clone(),
            numbers,
        }
    }
}

/// Windows that closed, and what did not make it into them.
#[derive(Debug)]
pub struct Answer {
    /// The windows.
    pub windows: Vec<RecordBatch>,
    /// Their columns.
    pub schema: SchemaRef,
    /// Rows that came too late, with how late; over a stream, with their shard and sequence number.
    pub late: Vec<RecordBatch>,
    /// The late rows' columns.
    pub late_schema: SchemaRef,
    /// Records that could not be read, since the last answer.
    pub malformed: Vec<Broken>,
    /// How many records could not be read so far.
    pub malformed_count: u64,
    /// Counts.
    pub stats: Stats,
}

/// A record that could not be read.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The record.
    pub record: Record,
    /// What is wrong with it.
    pub reason: String,
}

/// Answers a query over records in order of arrival, by at most so many threads; the answer is the same for any number.
pub fn collect_stream(
    query: &StreamQuery,
    slices: &[Slice],
    order: Order,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Answer, QueryError> {
    let wanted = query.wanted();
    if let Some(columns) = Columns::guess(&wanted, &query.declared, slices) {
        match collect_columns(query, columns, slices, order, threads, go_on) {
            // What went wrong may have done so because of the guess.
            Err(error) if !matches!(error, QueryError::Stopped) => {}
            done => return done,
        }
    }
    let columns = Columns::resolve(&wanted, &query.declared, slices)?;
    collect_columns(query, columns, slices, order, threads, go_on)
}

fn collect_columns(
    query: &StreamQuery,
    columns: Columns,
    slices: &[Slice],
    order: Order,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Answer, QueryError> {
    let columns = Arc::new(columns);
    let first = Pass::new(query, Arc::clone(&columns), order)?;
    let rows = slices.iter().map(Slice::len).sum();
    let dividing = if first.operator.is_divisible() { threads } else { Threads::ONE };
    let mut passes = parts::in_parts(rows, dividing, go_on, |part, go_on| {
        let mut pass = Pass::new(query, Arc::clone(&columns), order)?;
        pass.operator.use_threads(threads);
        pass.operator.expect_rows(part.len() as u64);
        pass.next_ordinal = part.start as u64;
        for (slice, start, count) in parts::chunks(slices.iter().map(Slice::len), part) {
            if !go_on() {
                return Err(QueryError::Stopped);
            }
            pass.push(&slices[slice], start, count)?;
        }
        Ok(pass)
    })?;
    let mut answer = first.into_answer();
    for pass in &mut passes {
        answer.late.append(&mut pass.late);
        answer.malformed.append(&mut pass.malformed);
        answer.malformed_count += pass.malformed_count;
    }
    answer.malformed.sort_by_key(|broken| broken.record.index());
    let operators = passes.into_iter().map(|pass| pass.operator).collect();
    (answer.windows, answer.stats) = Operator::answer_together(operators)?;
    Ok(answer)
}

/// Checks that a column can be event time.
pub fn check_time(schema: &Schema, time: &str) -> Result<(), WindowError> {
    let count = Aggregate::new("count", Function::Count, None)?;
    let spec = QuerySpec {
        window: Window::tumble(Span::from_millis(1_000)?, Span::ZERO)?,
        time: time.to_owned(),
        keys: Vec::new(),
        aggregates: vec![count],
        watermark: Span::ZERO,
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Raise,
    };
    Operator::new(spec, schema, Order::Event).map(|_fits| ())
}

/// One run of records through a query.
#[derive(Debug)]
pub(crate) struct Pass {
    columns: Arc<Columns>,
    pub(crate) operator: Operator,
    on_malformed: Malformed,
    late: Vec<RecordBatch>,
    malformed: Vec<Broken>,
    malformed_count: u64,
    next_ordinal: u64,
}

impl Pass {
    pub(crate) fn new(
        query: &StreamQuery,
        columns: Arc<Columns>,
        order: Order,
    ) -> Result<Self, QueryError> {
        let operator = Operator::new(query.spec.clone(), columns.schema(), order)?;
        let (late, malformed) = (Vec::new(), Vec::new());
        Ok(Self {
            columns,
            operator,
            on_malformed: query.malformed,
            late,
            malformed,
            malformed_count: 0,
            next_ordinal: 0,
        })
    }

    pub(crate) fn push(
        &mut self,
        slice: &Slice,
        start: usize,
        len: usize,
    ) -> Result<(), QueryError> {
        let block = slice.block()?;
        let part = self.columns.part(&block, slice, start, len)?;
        self.keep_malformed(&block, &part)?;
        if 0 < part.batch.num_rows() {
            if self.operator.heeds_arrivals() {
                let times = part.arrivals(&block);
                self.operator.push(&part.batch, self.next_ordinal, Arrivals::Each(&times))?;
            } else {
                self.operator.push(&part.batch, self.next_ordinal, Arrivals::At(0))?;
            }
            let late = self.operator.take_late()?;
            if 0 < late.num_rows() {
                let late = with_sequence_numbers(&late, &block, &part, self.next_ordinal)?;
                self.late.push(late);
            }
            self.next_ordinal += part.batch.num_rows() as u64;
        }
        Ok(())
    }

    /// Hands over what came out since the last time: windows closed, rows late, records broken.
    pub(crate) fn answer(&mut self) -> Result<Answer, QueryError> {
        let windows = self.operator.take_closed_batches()?;
        Ok(self.answer_with(windows))
    }

    /// What there is to hand over when no rows came.
    fn into_answer(mut self) -> Answer {
        self.answer_with(Vec::new())
    }

    /// Like `answer`, with windows that changed instead of those that closed.
    pub(crate) fn changes(&mut self) -> Result<Answer, QueryError> {
        let mut windows = Vec::new();
        keep(&mut windows, self.operator.take_changes()?);
        Ok(self.answer_with(windows))
    }

    fn answer_with(&mut self, windows: Vec<RecordBatch>) -> Answer {
        Answer {
            windows,
            schema: self.operator.output_schema(),
            late: std::mem::take(&mut self.late),
            late_schema: numbered(&self.operator.late_schema()),
            malformed: std::mem::take(&mut self.malformed),
            malformed_count: self.malformed_count,
            stats: *self.operator.stats(),
        }
    }

    fn keep_malformed(&mut self, block: &Arc<Block>, part: &Part) -> Result<(), QueryError> {
        for (row, reason) in &part.malformed {
            let record = Record::new(Arc::clone(block), *row);
            if self.on_malformed == Malformed::Raise {
                return Err(QueryError::Malformed {
                    sequence_number: record.sequence_number().to_string(),
                    shard: record.shard().to_string(),
                    reason: reason.clone(),
                });
            }
            self.malformed_count += 1;
            self.malformed.push(Broken { record, reason: reason.clone() });
        }
        Ok(())
    }
}

/// Lays broken records out as a table: where they are, what is wrong, what they carry.
pub fn malformed_table(broken: &[Broken]) -> Result<RecordBatch, QueryError> {
    let text = |each: &dyn Fn(&Broken) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(broken.iter().map(each)))
    };
    let mut data = Vec::with_capacity(broken.len());
    for each in broken {
        data.push(each.record.data().map_err(ColumnsError::from)?.into_owned());
    }
    let columns = [
        ("shard_id", text(&|each| each.record.shard().to_string())),
        ("sequence_number", text(&|each| each.record.sequence_number().to_string())),
        ("reason", text(&|each| each.reason.clone())),
        ("data", Arc::new(BinaryViewArray::from_iter_values(data)) as ArrayRef),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn keep(batches: &mut Vec<RecordBatch>, batch: RecordBatch) {
    if 0 < batch.num_rows() {
        batches.push(batch);
    }
}

/// Names what the operator calls `ordinal` the table's row.
fn with_row_numbers(late: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(renamed(&late.schema(), "ordinal", "row"), late.columns().to_vec())
}

fn renamed(schema: &Schema, from: &str, to: &str) -> SchemaRef {
    let field = |field: &Arc<Field>| {
        if field.name() == from {
            Arc::new(field.as_ref().clone().with_name(to))
        } else {
            Arc::clone(field)
        }
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// Puts shard and sequence number where the operator has ordinals.
fn with_sequence_numbers(
    late: &RecordBatch,
    block: &Block,
    part: &Part,
    first_ordinal: u64,
) -> Result<RecordBatch, ArrowError> {
    let place = late.schema().index_of("ordinal")?;
    let ordinals: &UInt64Array = late.column(place).as_primitive::<UInt64Type>();
    let row = |&ordinal: &u64| {
        part.row(usize::try_from(ordinal - first_ordinal).expect("a row of this part"))
    };
    let rows: Vec<usize> = ordinals.values().iter().map(row).collect();
    let shards =
        StringArray::from_iter_values(rows.iter().map(|&row| block.shard(row).to_string()));
    let numbers = StringArray::from_iter_values(
        rows.iter().map(|&row| block.sequence_number(row).to_string()),
    );
    let mut columns = late.columns().to_vec();
    columns.splice(place..=place, [Arc::new(shards) as ArrayRef, Arc::new(numbers) as ArrayRef]);
    RecordBatch::try_new(numbered(&late.schema()), columns)
}

fn numbered(schema: &Schema) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    if let Some(place) = fields.iter().position(|field| field.name() == "ordinal") {
        let text = |name| Arc::new(Field::new(name, DataType::Utf8, false));
        fields.splice(place..=place, [text("shard_id"), text("sequence_number")]);
    }
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests;
