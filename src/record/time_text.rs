//! Times as ISO 8601 text to ticks: the common forms digit by digit, every other one as Arrow reads it.

use arrow_array::timezone::Tz;
use arrow_array::types::ArrowTimestampType;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::types::TimestampSecondType;
use arrow_cast::parse::string_to_datetime;
use arrow_schema::TimeUnit;

const SECONDS_PER_DAY: i64 = 86_400;
/// The bytes of `2026-01-01T00:00:00`.
const SECOND_BYTES: usize = 19;
const FRACTION_DIGITS_MAX: usize = 9;
const POWERS_OF_TEN: [u32; FRACTION_DIGITS_MAX + 1] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Reads a time as ticks since 1970; one that says no offset is UTC. `None` when the text is no time or out of range.
///
/// The answer is the one of Arrow's cast from text to timestamps, whatever the text.
#[inline]
pub fn ticks(text: &str, unit: TimeUnit) -> Option<i64> {
    match common(text.as_bytes(), unit) {
        Some(ticks) => Some(ticks),
        None => any_form(text, unit),
    }
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.f{1,9}][Z|+hh:mm|-hh:mm]`, with a `T` or a space; `None` leaves the text to Arrow.
#[inline]
fn common(text: &[u8], unit: TimeUnit) -> Option<i64> {
    let (body, offset) = split_offset(text)?;
    let (head, fraction) = body.split_first_chunk::<SECOND_BYTES>()?;
    let seconds = seconds(head)? - offset;
    let nanos = nanos(fraction)?;
    match unit {
        TimeUnit::Second => Some(seconds),
        TimeUnit::Millisecond => Some(seconds * 1_000 + i64::from(nanos / 1_000_000)),
        TimeUnit::Microsecond => Some(seconds * 1_000_000 + i64::from(nanos / 1_000)),
        // Four digits of years do not fit 64 bits of nanoseconds.
        TimeUnit::Nanosecond => seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(nanos)),
    }
}

/// What stands before the offset, and the offset in seconds east of UTC.
#[inline]
fn split_offset(text: &[u8]) -> Option<(&[u8], i64)> {
    if let [body @ .., b'Z'] = text {
        return Some((body, 0));
    }
    match text {
        [body @ .., sign @ (b'+' | b'-'), hour_tens, hour, b':', minute_tens, minute]
            if SECOND_BYTES <= body.len() =>
        {
            let hours = two_digits(*hour_tens, *hour)?;
            let minutes = two_digits(*minute_tens, *minute)?;
            if 23 < hours || 59 < minutes {
                return None;
            }
            let east = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
            Some((body, if *sign == b'-' { -east } else { east }))
        }
        _ => Some((text, 0)),
    }
}

/// The seconds since 1970 of `2026-01-01T00:00:00`.
#[inline]
fn seconds(text: &[u8; SECOND_BYTES]) -> Option<i64> {
    const FORM: &[u8; SECOND_BYTES] = b"0000-00-00T00:00:00";
    // How far each byte may lie above the form's: digits by nine, the `T` by anything, for a space is one too.
    const REACH: [u8; SECOND_BYTES] = [9, 9, 9, 9, 0, 9, 9, 0, 9, 9, 255, 9, 9, 0, 9, 9, 0, 9, 9];
    let digits: [u8; SECOND_BYTES] = std::array::from_fn(|at| text[at].wrapping_sub(FORM[at]));
    // All at once, so that the processor has one guess to make.
    let beyond =
        digits.iter().zip(REACH).fold(0, |all, (digit, reach)| all | digit.saturating_sub(reach));
    if beyond != 0 || !matches!(text[10], b'T' | b' ') {
        return None;
    }
    let two = |place: usize| u32::from(digits[place]) * 10 + u32::from(digits[place + 1]);
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    if 23 < hour || 59 < minute || 59 < second || day == 0 || days_in_month(year, month) < day {
        return None;
    }
    let second_of_day = hour * 3_600 + minute * 60 + second;
    Some(days(year, month, day) * SECONDS_PER_DAY + i64::from(second_of_day))
}

/// The nanoseconds of a fraction with its point, or of nothing.
#[inline]
fn nanos(fraction: &[u8]) -> Option<u32> {
    let [point, digits @ ..] = fraction else {
        return Some(0);
    };
    let value = match digits.len() {
        // The lengths that clocks write, each without a loop.
        3 => number(digits.first_chunk::<3>()?)?,
        6 => number(digits.first_chunk::<6>()?)?,
        9 => number(digits.first_chunk::<9>()?)?,
        1..FRACTION_DIGITS_MAX => {
            digits.iter().try_fold(0, |value, &byte| Some(value * 10 + digit(byte)?))?
        }
        _ => return None,
    };
    (*point == b'.').then(|| value * POWERS_OF_TEN[FRACTION_DIGITS_MAX - digits.len()])
}

#[inline]
fn number<const N: usize>(text: &[u8; N]) -> Option<u32> {
    let digits = text.map(|byte| byte.wrapping_sub(b'0'));
    let largest = digits.iter().fold(0, |largest, &digit| digit.max(largest));
    let value =
        digits.iter().fold(0_u32, |value, &digit| value.wrapping_mul(10) + u32::from(digit));
    (largest <= 9).then_some(value)
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[inline]
fn digit(byte: u8) -> Option<u32> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(u32::from(digit))
}

#[inline]
fn days_in_month(year: u32, month: u32) -> u32 {
    const DAYS: [u32; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    // What is no month has no days.
    DAYS.get(month as usize).map_or(0, |&days| days + u32::from(is_leap && month == 2))
}

/// Days since 1970 of a Gregorian date; years count from March, so that the leap day is the last one.
#[inline]
fn days(year: u32, month: u32, day: u32) -> i64 {
    // A year more, so that January of year 0 lies after the first March counted: 400 years are 146,097 days.
    let years = year + 400 - u32::from(month <= 2);
    let months = if month <= 2 { month + 9 } else { month - 3 };
    let days =
        years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
    i64::from(days) - 719_468 - 146_097
}

/// What Arrow's cast reads in any other form, without going through an array.
#[cold]
fn any_form(text: &str, unit: TimeUnit) -> Option<i64> {
    let utc: Tz = "+00:00".parse().expect("an offset is a time zone");
    let instant = string_to_datetime(&utc, text).ok()?.naive_utc();
    match unit {
        TimeUnit::Second => TimestampSecondType::from_naive_datetime(instant, None),
        TimeUnit::Millisecond => TimestampMillisecondType::from_naive_datetime(instant, None),
        TimeUnit::Microsecond => TimestampMicrosecondType::from_naive_datetime(instant, None),
        TimeUnit::Nanosecond => TimestampNanosecondType::from_naive_datetime(instant, None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Array;
    use arrow_array::ArrayRef;
    use arrow_array::Int64Array;
    use arrow_array::StringArray;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_cast::CastOptions;
    use arrow_cast::cast_with_options;
    use arrow_schema::DataType;
    use proptest::prelude::*;

    use super::*;

    const UNITS: [TimeUnit; 4] =
        [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];

    /// What Arrow's cast makes of the texts.
    fn cast(texts: &[String], unit: TimeUnit) -> Int64Array {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let zoned = DataType::Timestamp(unit, Some("+00:00".into()));
        let zoned = cast_with_options(&texts, &zoned, &options).unwrap();
        let naive = cast_with_options(&texts, &DataType::Timestamp(unit, None), &options).unwrap();
        let numbers = |array: &ArrayRef| arrow_cast::cast(array, &DataType::Int64).unwrap();
        assert_eq!(&numbers(&zoned), &numbers(&naive));
        numbers(&zoned).as_primitive::<Int64Type>().clone()
    }

    fn assert_as_arrow_casts(texts: &[String]) -> Result<(), TestCaseError> {
        for unit in UNITS {
            let expected = cast(texts, unit);
            for (row, text) in texts.iter().enumerate() {
                let wanted = expected.is_valid(row).then(|| expected.value(row));
                prop_assert_eq!(ticks(text, unit), wanted, "{:?} in {:?}", text, unit);
            }
        }
        Ok(())
    }

    #[test]
    fn common_forms_need_no_help() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01 00:00:01", 1_000_000),
            ("1970-01-01T00:00:00.5", 500_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("2026-01-01T01:00:03.123456+01:00", 1_767_225_603_123_456),
            ("2025-12-31 19:00:03.123-05:00", 1_767_225_603_123_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ] {
            assert_eq!(common(text.as_bytes(), TimeUnit::Microsecond), Some(micros), "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_is_as_arrow_casts_it() {
        let days = (1_600..2_400).flat_map(|year| {
            (0..=13).flat_map(move |month| (0..=32).map(move |day| (year, month, day)))
        });
        let texts: Vec<String> = days
            .map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}T12:34:56Z"))
            .collect();
        let expected = cast(&texts, TimeUnit::Second);
        for (row, text) in texts.iter().enumerate() {
            let wanted = expected.is_valid(row).then(|| expected.value(row));
            assert_eq!(ticks(text, TimeUnit::Second), wanted, "{text}");
        }
    }

    #[test]
    fn odd_forms_are_as_arrow_casts_them() {
        let texts = [
            "",
            "Z",
            "2026-01-01",
            "2026-01-01T",
            "2026-01-01t00:00:00z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567890Z",
            "2026-01-01T00:00:00.123456789012345Z",
            "2026-01-01T000000Z",
            "2026-01-01T00:00:00+23:59",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60",
            "2026-01-01T00:00:00+0100",
            "2026-01-01T00:00:00 +01",
            "2026-01-01T00:00:00 Europe/Paris",
            "2026-01-01T00:00:00Z ",
            " 2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00ZZ",
            "1677-09-21T00:12:43.145224192Z",
            "1677-09-21T00:12:43.145224191Z",
            "2262-04-11T23:47:16.854775807Z",
            "2262-04-11T23:47:16.854775808Z",
            "2026-01-01T00:00:00.\u{661}Z",
            "soon",
        ];
        assert_as_arrow_casts(&texts.map(str::to_owned)).unwrap();
    }

    /// Times in the common forms, some of them out of range.
    fn times() -> impl Strategy<Value = String> {
        let date = (0_u32..10_000, 0_u32..14, 0_u32..33);
        let time = (0_u32..25, 0_u32..61, 0_u32..62);
        let offset = prop_oneof![
            Just(String::new()),
            Just("Z".to_owned()),
            (prop_oneof![Just('+'), Just('-')], 0_u32..25, 0_u32..62)
                .prop_map(|(sign, hours, minutes)| format!("{sign}{hours:02}:{minutes:02}")),
        ];
        let fraction = prop_oneof![Just(String::new()), "\\.[0-9]{1,11}"];
        (date, "[T tx]", time, fraction, offset).prop_map(|(date, between, time, fraction, offset)| {
            let (year, month, day) = date;
            let (hour, minute, second) = time;
            format!(
                "{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{offset}"
            )
        })
    }

    proptest! {
        #[test]
        fn times_are_as_arrow_casts_them(texts in proptest::collection::vec(times(), 1..20)) {
            assert_as_arrow_casts(&texts)?;
        }

        #[test]
        fn broken_times_are_as_arrow_casts_them(
            texts in proptest::collection::vec((times(), any::<prop::sample::Index>(), any::<char>(), any::<bool>()), 1..20),
        ) {
            let broken: Vec<String> = texts
                .into_iter()
                .map(|(text, place, letter, replaces)| {
                    let mut letters: Vec<char> = text.chars().collect();
                    let place = place.index(letters.len());
                    if replaces {
                        letters[place] = letter;
                    } else {
                        letters.remove(place);
                    }
                    letters.into_iter().collect()
                })
                .collect();
            assert_as_arrow_casts(&broken)?;
        }
    }
}
