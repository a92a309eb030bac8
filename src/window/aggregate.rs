//! What a query computes per window: the functions, and the states they fold rows into.

mod approx_distinct;
mod count;
mod distinct;
mod double_double;
mod endpoint;
mod extreme;
mod fold;
mod histogram;
mod key;
mod quantile;
mod roll;
mod storage;
mod sum;
mod summary;
mod top_k;
mod variance;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt;

use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::DataType;

use crate::window::WindowError;
use crate::window::aggregate::approx_distinct::ApproxDistinct;
use crate::window::aggregate::count::Count;
use crate::window::aggregate::distinct::Distinct;
use crate::window::aggregate::double_double::DoubleDouble;
use crate::window::aggregate::endpoint::Endpoint;
use crate::window::aggregate::endpoint::RowEndpoint;
use crate::window::aggregate::extreme::BytesExtreme;
use crate::window::aggregate::fold::Folded;
use crate::window::aggregate::quantile::Quantile;
use crate::window::aggregate::storage::storage_type;
use crate::window::aggregate::storage::value_type;
use crate::window::aggregate::storage::with_number_type;
use crate::window::aggregate::summary::Answer;
use crate::window::aggregate::summary::Extremes;
use crate::window::aggregate::summary::Summary;
use crate::window::aggregate::top_k::TopK;
use crate::window::aggregate::variance::Variance;

pub use crate::window::aggregate::quantile::EXACT_QUANTILE_COUNT_MAX;

/// The most values that one `TopK` may answer.
pub const TOP_K_MAX: usize = 10_000;

/// The greatest `ddof`: more degrees of freedom than any model of a window spends.
pub const DDOF_MAX: u8 = 16;

/// What is computed per window and key.
///
/// Every function but `Count` without a column passes over nulls, and answers null for a group that has
/// no other values (counts answer 0, `TopK` an empty list). No answer depends on the order in which rows
/// arrive, except that rows of one event time are told apart by their arrival in `First` and `Last`.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// About how many distinct values there are: exact up to 512, then a sketch of 16 KiB with a
    /// standard error of 0.81 %.
    ApproxCountDistinct,
    /// How many rows there are; with a column, how many values that are not null.
    Count,
    /// How many distinct values there are; all NaNs are one value, and -0.0 is 0.0.
    CountDistinct,
    /// The value of the earliest event time; among equal times, of the row that arrived first.
    First {
        /// Whether nulls are passed over rather than answered.
        ignore_nulls: bool,
    },
    /// The value of the latest event time; among equal times, of the row that arrived last.
    Last {
        /// Whether nulls are passed over rather than answered.
        ignore_nulls: bool,
    },
    /// The greatest value; NaN only when there is no number.
    Max,
    /// The mean.
    Mean,
    /// The value in the middle: `Quantile` at 0.5 with linear interpolation.
    Median,
    /// The least value; NaN only when there is no number.
    Min,
    /// The value at a share of the ascending order, where NaN is the greatest.
    ///
    /// Exact while the group has at most [`EXACT_QUANTILE_COUNT_MAX`] values; past them each of the
    /// neighbours that the answer lies between is off by at most 1/256 (0.39 %) of itself, and the least and
    /// the greatest value stay exact. Values under 2.3e-308 then count as zero.
    Quantile {
        /// The share of the values that lie below, from 0 to 1.
        q: f64,
        /// What is answered between two values.
        interpolation: Interpolation,
    },
    /// The standard deviation: the root of `Var`.
    Std {
        /// What is taken from the count to divide by: 1 for a sample, 0 for a population.
        ddof: u8,
    },
    /// The sum: 64-bit integers from integers, else floats.
    ///
    /// Floats are summed to about 106 bits; a total that leaves a float's range on its way stays infinite.
    Sum,
    /// The most frequent values with their counts; of equally frequent ones the lesser come first.
    TopK {
        /// How many values are answered at most, from 1 to [`TOP_K_MAX`].
        k: usize,
    },
    /// The variance; null for a group of no more than `ddof` values.
    ///
    /// Computed from sums of about 106 bits: every digit is sure while the deviation is above about a
    /// millionth of the values' magnitude. Equal values have a variance of exactly 0.
    Var {
        /// What is taken from the count to divide by: 1 for a sample, 0 for a population.
        ddof: u8,
    },
}

impl Function {
    /// The name that the function is called by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ApproxCountDistinct => "approx_count_distinct",
            Self::Count => "count",
            Self::CountDistinct => "count_distinct",
            Self::First { .. } => "first",
            Self::Last { .. } => "last",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Min => "min",
            Self::Quantile { .. } => "quantile",
            Self::Std { .. } => "std",
            Self::Sum => "sum",
            Self::TopK { .. } => "top_k",
            Self::Var { .. } => "var",
        }
    }

    /// The types that the function takes, and how a column of another becomes one of them.
    fn accepted(&self) -> (&'static str, &'static str) {
        match self {
            Self::Mean
            | Self::Median
            | Self::Quantile { .. }
            | Self::Std { .. }
            | Self::Sum
            | Self::Var { .. } => (
                "integers, floats and booleans",
                "cast the column to float64, or to int64 for the number behind a time",
            ),
            Self::Max | Self::Min => (
                "integers, floats, decimal128, booleans, strings, bytes, dates, times and durations",
                "cast the column to one of these, or take one field of it",
            ),
            Self::ApproxCountDistinct | Self::CountDistinct | Self::TopK { .. } => (
                "integers, floats, decimal128, booleans, strings, bytes, dates, times and durations",
                "cast the column to one of these, a string for example",
            ),
            Self::Count | Self::First { .. } | Self::Last { .. } => {
                ("columns that Arrow's row format can hold", "cast the column to a string")
            }
        }
    }

    /// The option that is out of its bounds: its name, its value and what it may be.
    fn wrong_option(&self) -> Option<(&'static str, String, String)> {
        match *self {
            Self::Quantile { q, .. } if !(0.0..=1.0).contains(&q) => {
                Some(("q", q.to_string(), "a number from 0 to 1".to_owned()))
            }
            Self::TopK { k } if !(1..=TOP_K_MAX).contains(&k) => {
                Some(("k", k.to_string(), format!("a number from 1 to {TOP_K_MAX}")))
            }
            Self::Std { ddof } | Self::Var { ddof } if DDOF_MAX < ddof => {
                Some(("ddof", ddof.to_string(), format!("a number from 0 to {DDOF_MAX}")))
            }
            _ => None,
        }
    }
}

/// What a quantile answers when it lies between two values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interpolation {
    /// The point on the straight line between them.
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The nearer one; halfway, the one of even rank.
    Nearest,
    /// The middle between them.
    Midpoint,
}

/// One column of a query's answer: a function of an input column, under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// The name of the column that is answered.
    pub name: String,
    /// What is computed.
    pub function: Function,
    /// The column that it is computed of; `None` for a count of rows.
    pub column: Option<String>,
}

impl Aggregate {
    /// Names a function of a column.
    ///
    /// # Errors
    ///
    /// When a function other than `Count` lacks a column, or when one of its options is out of bounds.
    pub fn new(
        name: impl Into<String>,
        function: Function,
        column: Option<String>,
    ) -> Result<Self, WindowError> {
        let aggregate = Self { name: name.into(), function, column };
        if aggregate.column.is_none() && aggregate.function != Function::Count {
            return Err(aggregate.column_missing());
        }
        match aggregate.function.wrong_option() {
            None => Ok(aggregate),
            Some((option, value, accepted)) => Err(WindowError::AggregateOption {
                aggregate: aggregate.name,
                option,
                value,
                accepted,
            }),
        }
    }

    /// The type of the answers over an input column of a type.
    ///
    /// # Errors
    ///
    /// When the function does not take columns of the type.
    pub fn output_type(&self, input: Option<&DataType>) -> Result<DataType, WindowError> {
        // The kernels check the input: an answer's type is worth nothing where states cannot be had.
        self.states(input)?;
        let input = input.map_or(&DataType::Null, value_type);
        Ok(match self.function {
            Function::ApproxCountDistinct | Function::Count | Function::CountDistinct => {
                DataType::Int64
            }
            Function::First { .. } | Function::Last { .. } | Function::Max | Function::Min => {
                input.clone()
            }
            Function::Sum if is_counted(input) => DataType::Int64,
            Function::Sum if *input == DataType::UInt64 => DataType::UInt64,
            Function::Mean
            | Function::Median
            | Function::Quantile { .. }
            | Function::Std { .. }
            | Function::Sum
            | Function::Var { .. } => DataType::Float64,
            Function::TopK { .. } => top_k::answer_type(input),
        })
    }

    /// Empty states of this aggregate alone, over an input column of a type.
    pub(crate) fn states(&self, input: Option<&DataType>) -> Result<Box<dyn States>, WindowError> {
        if self.function == Function::Count && input.is_none() {
            return Ok(Folded::boxed(Count));
        }
        let input = input.ok_or_else(|| self.column_missing())?;
        if let Some(answer) = self.summary_answer(input) {
            return Ok(summary(input, vec![answer]));
        }
        let states = match self.function {
            Function::Count => Some(Folded::boxed(Count)),
            Function::First { ignore_nulls } => endpoint::<false>(input, ignore_nulls)?,
            Function::Last { ignore_nulls } => endpoint::<true>(input, ignore_nulls)?,
            Function::Min => bytes_extreme::<false>(input),
            Function::Max => bytes_extreme::<true>(input),
            // What they take has a summary.
            Function::Mean | Function::Sum => None,
            Function::Median => quantile(input, 0.5, Interpolation::Linear),
            Function::Quantile { q, interpolation } => quantile(input, q, interpolation),
            Function::Std { ddof } => variance(input, ddof, true),
            Function::Var { ddof } => variance(input, ddof, false),
            Function::ApproxCountDistinct => {
                storage_type(input).map(|_| Folded::boxed(ApproxDistinct))
            }
            Function::CountDistinct => {
                storage_type(input).map(|_| Folded::boxed(Distinct::new(input)))
            }
            Function::TopK { k } => {
                storage_type(input).map(|_| Folded::boxed(TopK::new(k, value_type(input).clone())))
            }
        };
        states.ok_or_else(|| self.unaccepted(input))
    }

    /// What the aggregate takes out of a summary of its column, where it is one of those that share one.
    fn summary_answer(&self, input: &DataType) -> Option<Answer> {
        let storage = storage_type(input)?;
        let is_number = number_storage(input).is_some();
        let is_ordered = storage.is_numeric();
        match self.function {
            Function::Count if is_ordered => Some(Answer::CountOfValues),
            Function::Max if is_ordered => Some(Answer::Greatest),
            Function::Min if is_ordered => Some(Answer::Least),
            Function::Mean if is_number => Some(Answer::Mean),
            Function::Sum if is_number => Some(Answer::Sum {
                aggregate: self.name.clone(),
                column: self.column.clone().unwrap_or_default(),
            }),
            _ => None,
        }
    }

    fn column_missing(&self) -> WindowError {
        WindowError::AggregateColumnMissing {
            aggregate: self.name.clone(),
            function: self.function.name(),
        }
    }

    fn unaccepted(&self, input: &DataType) -> WindowError {
        let (accepted, way_out) = self.function.accepted();
        WindowError::AggregateType {
            aggregate: self.name.clone(),
            function: self.function.name(),
            column: self.column.clone().unwrap_or_default(),
            data_type: input.to_string(),
            accepted,
            way_out,
        }
    }
}

/// Whether a type's values are summed as signed integers.
fn is_counted(input: &DataType) -> bool {
    *input == DataType::Boolean || (input.is_integer() && *input != DataType::UInt64)
}

/// The storage of a type that is calculated with: numbers and booleans, not times or decimals.
fn number_storage(input: &DataType) -> Option<DataType> {
    let values = value_type(input);
    let calculated = *values == DataType::Boolean || values.is_integer() || values.is_floating();
    storage_type(values).filter(|_| calculated)
}

/// A summary of a column, which keeps what its answers take.
fn summary(input: &DataType, answers: Vec<Answer>) -> Box<dyn States> {
    let logical = value_type(input).clone();
    let sums = answers.iter().any(Answer::is_of_sum);
    let ends = answers.iter().any(Answer::is_of_extremes);
    macro_rules! keeping {
        ($arrow:ty, $total:ty) => {{
            type Ends = Extremes<<$arrow as ArrowPrimitiveType>::Native>;
            match (sums, ends) {
                (false, false) => Folded::boxed(Summary::<$arrow, (), ()>::new(answers, logical)),
                (false, true) => Folded::boxed(Summary::<$arrow, (), Ends>::new(answers, logical)),
                (true, false) => {
                    Folded::boxed(Summary::<$arrow, $total, ()>::new(answers, logical))
                }
                (true, true) => {
                    Folded::boxed(Summary::<$arrow, $total, Ends>::new(answers, logical))
                }
            }
        }};
    }
    match storage_type(input) {
        Some(DataType::Float32) => keeping!(Float32Type, DoubleDouble),
        Some(DataType::Float64) => keeping!(Float64Type, DoubleDouble),
        Some(DataType::Int8) => keeping!(Int8Type, i128),
        Some(DataType::Int16) => keeping!(Int16Type, i128),
        Some(DataType::Int32) => keeping!(Int32Type, i128),
        Some(DataType::Int64) => keeping!(Int64Type, i128),
        Some(DataType::UInt8) => keeping!(UInt8Type, i128),
        Some(DataType::UInt16) => keeping!(UInt16Type, i128),
        Some(DataType::UInt32) => keeping!(UInt32Type, i128),
        Some(DataType::UInt64) => keeping!(UInt64Type, i128),
        Some(DataType::Decimal128(_, _)) => keeping!(Decimal128Type, i128),
        _ => unreachable!("only columns of numbers have summaries"),
    }
}

fn variance(input: &DataType, ddof: u8, root: bool) -> Option<Box<dyn States>> {
    with_number_type!(number_storage(input)?, T => {
        Some(Folded::boxed(Variance::<T>::new(ddof, root)))
    }, _ => None)
}

fn quantile(input: &DataType, q: f64, interpolation: Interpolation) -> Option<Box<dyn States>> {
    with_number_type!(number_storage(input)?, T => {
        Some(Folded::boxed(Quantile::<T>::new(q, interpolation)))
    }, _ => None)
}

fn bytes_extreme<const GREATEST: bool>(input: &DataType) -> Option<Box<dyn States>> {
    let logical = value_type(input).clone();
    (storage_type(input)? == DataType::BinaryView)
        .then(|| Folded::boxed(BytesExtreme::<GREATEST>::new(logical)))
}

fn endpoint<const LATEST: bool>(
    input: &DataType,
    ignore_nulls: bool,
) -> Result<Option<Box<dyn States>>, WindowError> {
    let logical = value_type(input).clone();
    let storage = storage_type(input).unwrap_or(DataType::Null);
    Ok(with_number_type!(storage, T => {
        Some(Folded::boxed(Endpoint::<T, LATEST>::new(logical, ignore_nulls)))
    }, _ => if matches!(logical, DataType::Decimal128(_, _)) {
        Some(Folded::boxed(Endpoint::<Decimal128Type, LATEST>::new(logical, ignore_nulls)))
    } else if RowEndpoint::<LATEST>::keeps(&logical) {
        Some(Folded::boxed(RowEndpoint::<LATEST>::new(logical, ignore_nulls)?))
    } else {
        None
    }))
}

/// The states that a query's aggregates take, those over one column together where they can share.
#[derive(Debug)]
pub(crate) struct Kernels {
    pub(crate) states: Vec<Box<dyn States>>,
    /// For each of `states`, the input column it takes.
    pub(crate) inputs: Vec<Option<usize>>,
    /// For each aggregate, which of `states` answers it, and in which of its columns.
    pub(crate) answers: Vec<(usize, usize)>,
}

impl Kernels {
    /// Makes empty states for aggregates, each with its input column's number and type.
    pub(crate) fn new(
        aggregates: &[Aggregate],
        inputs: &[Option<(usize, &DataType)>],
    ) -> Result<Self, WindowError> {
        let mut summaries: Vec<(usize, &DataType, Vec<Answer>)> = Vec::new();
        let mut places = vec![None; aggregates.len()];
        for (place, (aggregate, input)) in places.iter_mut().zip(aggregates.iter().zip(inputs)) {
            let Some((column, data_type)) = *input else { continue };
            let Some(answer) = aggregate.summary_answer(data_type) else { continue };
            let known = summaries.iter().position(|(known, _, _)| *known == column);
            let summary = known.unwrap_or_else(|| {
                summaries.push((column, data_type, Vec::new()));
                summaries.len() - 1
            });
            let answers = &mut summaries[summary].2;
            answers.push(answer);
            *place = Some((summary, answers.len() - 1));
        }
        // A summary counts the rows that it sees anyway.
        if let Some((_, _, answers)) = summaries.first_mut() {
            for (place, input) in places.iter_mut().zip(inputs) {
                if input.is_none() {
                    answers.push(Answer::CountOfRows);
                    *place = Some((0, answers.len() - 1));
                }
            }
        }
        let mut kernels = Self { states: Vec::new(), inputs: Vec::new(), answers: Vec::new() };
        for (column, data_type, answers) in summaries {
            kernels.states.push(summary(data_type, answers));
            kernels.inputs.push(Some(column));
        }
        for (place, (aggregate, input)) in places.iter().zip(aggregates.iter().zip(inputs)) {
            if let Some(place) = *place {
                kernels.answers.push(place);
                continue;
            }
            kernels.states.push(aggregate.states(input.map(|(_, data_type)| data_type))?);
            kernels.inputs.push(input.map(|(column, _)| column));
            kernels.answers.push((kernels.states.len() - 1, 0));
        }
        Ok(kernels)
    }

    /// Picks the column of each aggregate out of those that the states answered.
    pub(crate) fn answers(&self, columns: &[Vec<ArrayRef>]) -> Vec<ArrayRef> {
        self.answers.iter().map(|&(states, column)| columns[states][column].clone()).collect()
    }
}

/// Rows on their way into the states of one aggregate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// The aggregate's own column; `None` for `count()`, which counts rows.
    pub(crate) values: Option<&'a ArrayRef>,
    /// The event time of every row of the batch, in ticks.
    pub(crate) times: &'a [i64],
    /// The arrival ordinal of the batch's row 0; row `r` has `first_ordinal + r`.
    pub(crate) first_ordinal: u64,
    /// The rows that take part, ascending; `None` for all of the batch.
    pub(crate) picked: Option<&'a [u32]>,
}

/// Rows of one key within one stretch of time, on their way through the queue of the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) code: u32,
    /// How many they are.
    pub(crate) count: u32,
    /// Where they begin another stretch, how many rows of the queue have left by then; they make room, and places are
    /// counted anew.
    pub(crate) begins_after: Option<u32>,
}

/// What one row of a rolling window makes of the queue of its key.
///
/// The last row of its key at a time answers for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Rows at or before this time are out.
    pub(crate) last_out: i64,
    /// Which of the rows that were folded it is.
    pub(crate) place: u32,
    /// How many rows of the queue have left when it comes.
    pub(crate) gone: u32,
}

/// Rows of a slice of time, run by run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roll<'a> {
    pub(crate) runs: &'a [Run],
    /// The steps of all runs, one run after the other.
    pub(crate) steps: &'a [Step],
    /// The step that answers for each row of the column; none where no row is to be answered.
    pub(crate) answers: &'a [u32],
}

/// The states of one aggregate, or of several over one column, for many slots (a slot is one window or pane of one
/// key), as a struct of arrays.
pub(crate) trait States: fmt::Debug + Send + Sync {
    /// Makes room for slots `0..count`; new slots are empty.
    fn grow(&mut self, count: usize);

    /// Takes memory for so many slots, which `grow` is going to ask for.
    fn reserve(&mut self, count: usize);

    /// Folds the `i`-th row that takes part into slot `slots[i]`.
    fn update(&mut self, rows: Rows<'_>, slots: &[u32]);

    /// Folds slot `from_slots[i]` of `from`, states of the same aggregate, into slot `slots[i]`.
    fn merge(&mut self, slots: &[u32], from: &dyn States, from_slots: &[u32]);

    /// Folds slot `from_slots[i]` of these same states into slot `slots[i]`; pair by pair in this order; no pair names one slot twice.
    fn merge_within(&mut self, slots: &[u32], from_slots: &[u32]);

    /// Empties slots for their next use and frees what they held.
    fn clear(&mut self, slots: &[u32]);

    /// The answers of `slots`, in their order: a column for each aggregate that these states answer.
    fn finish(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, WindowError>;

    /// Takes rows of rolling windows in: so many of each feed, folded one by one in their order, then step by step.
    fn roll(
        &mut self,
        feeds: &[(Rows<'_>, usize)],
        roll: Roll<'_>,
    ) -> Result<Vec<ArrayRef>, WindowError>;

    /// Takes one row of rolling windows in that has no answer of its own.
    fn add_stray(&mut self, row: Rows<'_>, code: u32, time: i64);

    /// Empties the rolling windows of keys.
    fn clear_rolling(&mut self, codes: &[u32]);

    /// Empty states of the same aggregate over the same input type.
    fn fresh(&self) -> Box<dyn States>;

    /// The heap bytes held, for the memory the query reports.
    fn bytes(&self) -> usize;

    /// For `merge`: the concrete states behind the trait.
    fn as_any(&self) -> &dyn Any;
}
