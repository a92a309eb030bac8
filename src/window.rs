//! Windows over columns: assignment, watermarks, groups and aggregates; knows no stream.

pub mod aggregate;
mod bind;
mod group;
mod late;
mod operator;
mod order;
mod pane;
mod passage;
mod rolling;
mod session;
mod slot;
mod sorted;
mod spec;
pub(crate) mod time;
mod vacancy;
mod watermark;

pub use crate::window::operator::Operator;
pub use crate::window::operator::Stats;
pub use crate::window::spec::Arrivals;
pub use crate::window::spec::NullTimes;
pub use crate::window::spec::Order;
pub use crate::window::spec::QuerySpec;
pub use crate::window::spec::Span;
pub use crate::window::spec::Window;

/// Why a query cannot be built or answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// A function other than a count of rows was given no column.
    #[error(
        "aggregate `{aggregate}`: {function} needs a column, and only count goes without; name one, as in {function}(\"amount\")"
    )]
    AggregateColumnMissing {
        /// The name of the answer's column.
        aggregate: String,
        /// The function's name.
        function: &'static str,
    },
    /// An option of a function is out of its bounds.
    #[error("aggregate `{aggregate}`: {option} is {value}; give {accepted}")]
    AggregateOption {
        /// The name of the answer's column.
        aggregate: String,
        /// The option's name.
        option: &'static str,
        /// The value it was given.
        value: String,
        /// The values it may have.
        accepted: String,
    },
    /// A function does not take columns of a type.
    #[error(
        "aggregate `{aggregate}`: {function} does not take column `{column}` of type {data_type}; it takes {accepted}; {way_out}"
    )]
    AggregateType {
        /// The name of the answer's column.
        aggregate: String,
        /// The function's name.
        function: &'static str,
        /// The input column.
        column: String,
        /// The input column's type.
        data_type: String,
        /// The types that the function takes.
        accepted: &'static str,
        /// What the user can do.
        way_out: &'static str,
    },
    /// A query computes nothing.
    #[error("the query has no aggregates; give at least one, count() for example")]
    AggregatesMissing,
    /// The arrivals of a batch are not one for each row.
    #[error("{rows} rows came with {arrivals} times of arrival; give one for each row")]
    ArrivalCount {
        /// The rows of the batch.
        rows: usize,
        /// The times of arrival.
        arrivals: usize,
    },
    /// Arrow refused a computation that the query asked for.
    #[error("arrow: {message}")]
    Arrow {
        /// Arrow's own words.
        message: String,
    },
    /// A column has another type than when the query was made.
    #[error(
        "column `{column}` is {found} here and was {expected} before; cast it, or make a query of its own"
    )]
    ColumnChanged {
        /// The column.
        column: String,
        /// Its type when the query was made.
        expected: String,
        /// Its type in the batch.
        found: String,
    },
    /// The query names a column that is not there.
    #[error("there is no column `{column}`; there are {columns}")]
    ColumnMissing {
        /// The name that was asked for.
        column: String,
        /// The names there are.
        columns: String,
    },
    /// Rows were given to a query whose input had ended.
    #[error("the query is finished; make a new one for more rows")]
    Finished,
    /// The sum of integers does not fit the 64 bits of its answer.
    #[error(
        "aggregate `{aggregate}`: the sum of column `{column}` is {sum}, past 64 bits; cast the column to float64"
    )]
    IntegerSumOverflow {
        /// The name of the answer's column.
        aggregate: String,
        /// The input column.
        column: String,
        /// The sum.
        sum: i128,
    },
    /// Queries that judge rows by their arrival cannot be merged.
    #[error(
        "queries in order of arrival cannot be merged; use the order of events, or push all rows into one"
    )]
    MergeOfArrivals,
    /// Two queries to be merged are not the same.
    #[error(
        "the queries to be merged differ; merge those of one specification over the same columns"
    )]
    MergeOfQueries,
    /// Two columns of the result would have one name.
    #[error("two columns of the result would be named `{name}`; name one of them otherwise")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Windows start less often than they are long.
    #[error(
        "a slide of {slide} ns is longer than the window's size of {size} ns and would drop the rows between; make it at most the size"
    )]
    SlideTooLong {
        /// The size in nanoseconds.
        size: i64,
        /// The slide in nanoseconds.
        slide: i64,
    },
    /// A duration is below zero.
    #[error("{part} is {nanos} ns; give zero or more")]
    SpanNegative {
        /// Which duration.
        part: &'static str,
        /// The duration in nanoseconds.
        nanos: i64,
    },
    /// A duration is zero or below.
    #[error("{part} is {nanos} ns; give more than zero")]
    SpanNotPositive {
        /// Which duration.
        part: &'static str,
        /// The duration in nanoseconds.
        nanos: i64,
    },
    /// A duration does not fit 64 bits of nanoseconds.
    #[error("{part} is too long: 292 years is the most, all of a query's durations together twice")]
    SpanTooLong {
        /// Which duration.
        part: &'static str,
    },
    /// A cumulating window does not grow in whole steps.
    #[error("a size of {size} ns is no multiple of the step of {step} ns; make it one")]
    StepUneven {
        /// The size in nanoseconds.
        size: i64,
        /// The step in nanoseconds.
        step: i64,
    },
    /// Rows have no event time.
    #[error(
        "column `{column}` is null in {count} rows, first in row {ordinal}; filter them out, or say null_times=\"skip\""
    )]
    TimeNull {
        /// The column of event time.
        column: String,
        /// How many rows of the batch.
        count: usize,
        /// The ordinal of the first.
        ordinal: u64,
    },
    /// A time or an edge of its windows does not fit 64 bits.
    #[error(
        "column `{column}`: the time of row {ordinal} is too far from 1970 for windows in {unit}; filter the row out, or cast the column and the durations to a coarser unit"
    )]
    TimeOverflow {
        /// The column of event time.
        column: String,
        /// The ordinal of the first such row.
        ordinal: u64,
        /// The unit that windows are computed in.
        unit: &'static str,
    },
    /// A string of event time is no time.
    #[error(
        "column `{column}`: row {ordinal} is \"{value}\", which is no ISO 8601 time; write it as in 2026-01-31T12:00:00Z"
    )]
    TimeText {
        /// The column of event time.
        column: String,
        /// The ordinal of the first such row.
        ordinal: u64,
        /// The string.
        value: String,
    },
    /// A column cannot be event time.
    #[error(
        "column `{column}` is {data_type}, which is no time; cast it to a timestamp of the unit it counts in"
    )]
    TimeType {
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
}

impl From<arrow_schema::ArrowError> for WindowError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow { message: error.to_string() }
    }
}
