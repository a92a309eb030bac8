//! Event time: columns of instants, dates and ISO 8601 strings as ticks of one unit.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_array::types::Date64Type;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::types::TimestampSecondType;
use arrow_buffer::ScalarBuffer;
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use multiversion::multiversion;

use crate::record::time_text;
use crate::window::WindowError;
use crate::window::spec::Span;

/// The ticks of every row, and which rows have one.
#[derive(Debug)]
pub(crate) struct Ticks {
    pub(crate) values: ScalarBuffer<i64>,
    /// The rows that have a time, ascending; `None` for all.
    pub(crate) present: Option<Vec<u32>>,
}

/// How a column of event time becomes ticks.
#[derive(Clone, Debug)]
pub(crate) struct TimeColumn {
    name: String,
    /// The type that carries the time, dictionaries unpacked.
    carrier: DataType,
    pub(crate) unit: TimeUnit,
    /// Ticks in one unit of the column.
    ticks: i64,
    /// How far from zero a time may lie so that no window's edge overflows.
    limit: i64,
}

impl TimeColumn {
    /// Chooses the coarsest tick that tells the column's times and all `spans` apart.
    pub(crate) fn new(
        name: &str,
        data_type: &DataType,
        spans: &[Span],
    ) -> Result<Self, WindowError> {
        let carrier = match data_type {
            DataType::Dictionary(_, value_type) => value_type.as_ref(),
            plain => plain,
        };
        let unit_nanos = column_nanos(carrier).ok_or_else(|| WindowError::TimeType {
            column: name.to_owned(),
            data_type: data_type.to_string(),
        })?;
        let unit = [TimeUnit::Millisecond, TimeUnit::Microsecond]
            .into_iter()
            .find(|unit| {
                let nanos = tick_nanos(*unit);
                unit_nanos % nanos == 0 && spans.iter().all(|span| span.nanos() % nanos == 0)
            })
            .unwrap_or(TimeUnit::Nanosecond);
        let reach = spans.iter().try_fold(0_i64, |reach, span| {
            reach.checked_add(span.nanos().checked_abs()?.checked_mul(2)?)
        });
        let reach = reach.ok_or(WindowError::SpanTooLong { part: "the query's durations" })?;
        Ok(Self {
            name: name.to_owned(),
            carrier: carrier.clone(),
            unit,
            ticks: unit_nanos / tick_nanos(unit),
            limit: i64::MAX - 1 - reach / tick_nanos(unit),
        })
    }

    /// Answers a span in ticks; the unit divides every span of the query.
    pub(crate) fn span(&self, span: Span) -> i64 {
        span.nanos() / tick_nanos(self.unit)
    }

    pub(crate) fn ticks_per_ms(&self) -> i64 {
        1_000_000 / tick_nanos(self.unit)
    }

    /// Reads the ticks of a column; `first_ordinal` is for the words of errors.
    pub(crate) fn read(&self, column: &ArrayRef, first_ordinal: u64) -> Result<Ticks, WindowError> {
        if column.data_type() != &self.carrier {
            let plain = arrow_cast::cast(column, &self.carrier)?;
            return self.read_plain(&plain, first_ordinal);
        }
        self.read_plain(column, first_ordinal)
    }

    fn read_plain(&self, column: &ArrayRef, first_ordinal: u64) -> Result<Ticks, WindowError> {
        let present = present_rows(column.as_ref());
        let mut values = self.raw(column, first_ordinal)?;
        if self.ticks != 1 {
            // What overflows here is past the reach, and refused below.
            values = values.iter().map(|value| value.saturating_mul(self.ticks)).collect();
        }
        self.check_reach(&values, present.as_deref(), first_ordinal)?;
        Ok(Ticks { values, present })
    }

    fn raw(&self, column: &ArrayRef, first_ordinal: u64) -> Result<ScalarBuffer<i64>, WindowError> {
        Ok(match &self.carrier {
            DataType::Timestamp(TimeUnit::Second, _) => {
                column.as_primitive::<TimestampSecondType>().values().clone()
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                column.as_primitive::<TimestampMillisecondType>().values().clone()
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                column.as_primitive::<TimestampMicrosecondType>().values().clone()
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                column.as_primitive::<TimestampNanosecondType>().values().clone()
            }
            DataType::Date32 => {
                column.as_primitive::<Date32Type>().values().iter().map(|&day| day.into()).collect()
            }
            DataType::Date64 => column.as_primitive::<Date64Type>().values().clone(),
            _ => self.parse(column, first_ordinal)?.into(),
        })
    }

    /// Parses ISO 8601 strings to microseconds; without an offset they are UTC.
    fn parse(&self, column: &ArrayRef, first_ordinal: u64) -> Result<Vec<i64>, WindowError> {
        let parsed = match column.data_type() {
            DataType::LargeUtf8 => parse_all(column.as_string::<i64>().iter()),
            DataType::Utf8View => parse_all(column.as_string_view().iter()),
            _ => parse_all(column.as_string::<i32>().iter()),
        };
        match parsed {
            Ok(ticks) => Ok(ticks),
            Err(row) => Err(WindowError::TimeText {
                column: self.name.clone(),
                ordinal: first_ordinal + row as u64,
                value: array_value_to_string(column, row)?,
            }),
        }
    }

    /// Refuses times so far out that an edge of their windows has no place in 64 bits.
    fn check_reach(
        &self,
        values: &[i64],
        present: Option<&[u32]>,
        first_ordinal: u64,
    ) -> Result<(), WindowError> {
        let inside = |value: i64| -self.limit <= value && value <= self.limit;
        let outside = match present {
            None => {
                let (least, greatest) = if values.is_empty() { (0, 0) } else { bounds(values) };
                if inside(least) && inside(greatest) {
                    return Ok(());
                }
                values.iter().position(|&value| !inside(value))
            }
            Some(rows) => rows.iter().map(|&row| row as usize).find(|&row| !inside(values[row])),
        };
        outside.map_or(Ok(()), |row| {
            Err(WindowError::TimeOverflow {
                column: self.name.clone(),
                ordinal: first_ordinal + row as u64,
                unit: unit_name(self.unit),
            })
        })
    }
}

/// The least and the greatest of some times; there is one at least.
#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma",
))]
pub(crate) fn bounds(times: &[i64]) -> (i64, i64) {
    let (mut least, mut greatest) = (times[0], times[0]);
    for &time in times {
        least = least.min(time);
        greatest = greatest.max(time);
    }
    (least, greatest)
}

/// The microseconds of every text, 0 where there is none, or the first row whose text is no time.
fn parse_all<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Result<Vec<i64>, usize> {
    let ticks = |(row, text): (usize, Option<&str>)| match text {
        Some(text) => time_text::ticks(text, TimeUnit::Microsecond).ok_or(row),
        None => Ok(0),
    };
    texts.enumerate().map(ticks).collect()
}

fn present_rows(column: &dyn Array) -> Option<Vec<u32>> {
    let nulls = column.logical_nulls().filter(|nulls| 0 < nulls.null_count())?;
    Some(nulls.valid_indices().filter_map(|row| u32::try_from(row).ok()).collect())
}

/// The nanoseconds in one unit of a column; strings are read as microseconds.
fn column_nanos(data_type: &DataType) -> Option<i64> {
    match data_type {
        DataType::Timestamp(unit, _) => Some(tick_nanos(*unit)),
        DataType::Date32 => Some(86_400_000_000_000),
        DataType::Date64 => Some(1_000_000),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(1_000),
        _ => None,
    }
}

fn tick_nanos(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "seconds",
        TimeUnit::Millisecond => "milliseconds",
        TimeUnit::Microsecond => "microseconds",
        TimeUnit::Nanosecond => "nanoseconds",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Date32Array;
    use arrow_array::DictionaryArray;
    use arrow_array::StringArray;
    use arrow_array::TimestampMillisecondArray;
    use arrow_array::TimestampNanosecondArray;
    use arrow_array::TimestampSecondArray;
    use arrow_array::types::Int32Type;
    use proptest::prelude::*;

    use super::*;

    fn read(column: ArrayRef, span: Span) -> Result<(TimeUnit, Vec<i64>), WindowError> {
        let time = TimeColumn::new("t", column.data_type(), &[span])?;
        let values = time.read(&column, 10)?.values.to_vec();
        Ok((time.unit, values))
    }

    #[test]
    fn ticks_are_as_fine_as_the_column_and_the_durations_need() {
        let second = Span::from_nanos(1_000_000_000);
        let seconds: ArrayRef = Arc::new(TimestampSecondArray::from(vec![-1, 2]));
        assert_eq!(read(seconds.clone(), second), Ok((TimeUnit::Millisecond, vec![-1_000, 2_000])));
        assert_eq!(
            read(seconds.clone(), Span::from_nanos(1_500)),
            Ok((TimeUnit::Nanosecond, vec![-1_000_000_000, 2_000_000_000]))
        );
        assert_eq!(
            read(seconds, Span::from_nanos(2_000)),
            Ok((TimeUnit::Microsecond, vec![-1_000_000, 2_000_000]))
        );
        let nanos = Arc::new(TimestampNanosecondArray::from(vec![5]));
        assert_eq!(read(nanos, second), Ok((TimeUnit::Nanosecond, vec![5])));
        let days = Arc::new(Date32Array::from(vec![-1, 1]));
        assert_eq!(read(days, second), Ok((TimeUnit::Millisecond, vec![-86_400_000, 86_400_000])));
    }

    #[test]
    fn strings_are_instants_and_utc_where_they_say_nothing() {
        let texts = vec![
            "1970-01-01T00:00:01Z",
            "1970-01-01 01:00:01+01:00",
            "1970-01-01T00:00:01.000001",
            "1970-01-02",
        ];
        let expected =
            Ok((TimeUnit::Microsecond, vec![1_000_000, 1_000_000, 1_000_001, 86_400_000_000]));
        let second = Span::from_nanos(1_000_000_000);
        assert_eq!(read(Arc::new(StringArray::from(texts.clone())), second), expected);
        let dictionary = texts.into_iter().collect::<DictionaryArray<Int32Type>>();
        assert_eq!(read(Arc::new(dictionary), second), expected);
    }

    proptest! {
        #[test]
        fn bounds_are_the_least_and_the_greatest(times in proptest::collection::vec(any::<i64>(), 1..100)) {
            let expected = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            prop_assert_eq!(bounds(&times), expected);
        }
    }

    #[test]
    fn string_that_is_no_time_is_named() {
        let column = Arc::new(StringArray::from(vec![None, Some("1970-01-01"), Some("soon")]));
        let error =
            WindowError::TimeText { column: "t".to_owned(), ordinal: 12, value: "soon".to_owned() };
        assert_eq!(read(column, Span::ZERO), Err(error));
    }

    #[test]
    fn time_out_of_reach_is_named_and_null_is_not() {
        let far = TimestampMillisecondArray::from(vec![0, i64::MIN, i64::MAX]);
        let micros = Span::from_nanos(1_000);
        let found = read(Arc::new(far), micros);
        assert!(matches!(found, Err(WindowError::TimeOverflow { ordinal: 11, .. })), "{found:?}");
        let edge = TimestampNanosecondArray::from(vec![i64::MAX - 1]);
        let found = read(Arc::new(edge.clone()), micros);
        assert!(matches!(found, Err(WindowError::TimeOverflow { ordinal: 10, .. })), "{found:?}");
        let hidden = TimestampNanosecondArray::new(edge.values().clone(), Some(vec![false].into()));
        assert!(read(Arc::new(hidden), micros).is_ok());
    }
}
