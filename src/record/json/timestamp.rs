//! Timestamps as ISO 8601 text, written date by date and digits many at a time.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "calendar fields are bounded by the arithmetic that makes them"
)]

use arrow_schema::TimeUnit;

use crate::record::digits::eight_digits;
use crate::record::json::text::append_start;

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from March 1 of year 0 to 1970, and to the end of year 9999.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_TO_10000: u32 = 3_652_365;
/// Bytes of a quote, a date and a `T`.
const DATE_BYTES: usize = 12;

/// Writes the timestamps of one column: `"2026-01-01T00:00:00.250Z"` in quotes, without the `Z` when naive.
///
/// The fraction has no digits, 3, 6 or 9: the fewest that lose nothing.
pub(super) struct Times {
    unit: TimeUnit,
    is_utc: bool,
    /// The day since 1970 of the last timestamp, for the next one is mostly of the same, and its text: `"2026-01-01T`.
    day: i64,
    date: [u8; DATE_BYTES],
}

impl Times {
    pub(super) fn new(unit: TimeUnit, is_utc: bool) -> Self {
        // No timestamp is of this day: it has more seconds than there are.
        Self { unit, is_utc, day: i64::MIN, date: [0; DATE_BYTES] }
    }

    /// Writes `value` ticks since 1970.
    #[inline]
    pub(super) fn write(&mut self, value: i64, out: &mut Vec<u8>) {
        // Each unit for itself: a division by a constant takes a fifth of the time.
        let (seconds, nanos) = match self.unit {
            TimeUnit::Second => (value, 0),
            TimeUnit::Millisecond => (value.div_euclid(1_000), value.rem_euclid(1_000) * 1_000_000),
            TimeUnit::Microsecond => {
                (value.div_euclid(1_000_000), value.rem_euclid(1_000_000) * 1_000)
            }
            TimeUnit::Nanosecond => {
                (value.div_euclid(1_000_000_000), value.rem_euclid(1_000_000_000))
            }
        };
        let day = seconds.div_euclid(SECONDS_PER_DAY);
        let instant = Instant {
            second_of_day: seconds.rem_euclid(SECONDS_PER_DAY) as u32,
            nanos: nanos as u32,
            is_utc: self.is_utc,
        };
        if day != self.day {
            let Some(date) = plain_date(day) else {
                return instant.write_with_any_year(day, out);
            };
            (self.day, self.date) = (day, date);
        }
        out.extend_from_slice(&self.date);
        out.extend_from_slice(&time_of(instant.second_of_day));
        let (end, end_len) = instant.end();
        append_start(&end, end_len, out);
    }
}

/// Writes a day since 1970 as a date of four digits of year, with a quote before and a `T` behind it.
fn plain_date(day: i64) -> Option<[u8; DATE_BYTES]> {
    let days = u32::try_from(day + DAYS_TO_1970).ok().filter(|&days| days < DAYS_TO_10000)?;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = days / 146_097 * 400 + year_of_era + u32::from(month <= 2);
    let mut text = *b"\"0000-00-00T";
    for (place, number) in [(1, year / 100), (3, year % 100), (6, month), (9, day)] {
        [text[place], text[place + 1]] = two(number);
    }
    Some(text)
}

/// A time of day as `12:34:56`: hours, minutes and seconds are cut into digits in lanes of three bytes of one word.
#[inline]
fn time_of(second_of_day: u32) -> [u8; 8] {
    let minutes = second_of_day / 60;
    let [hour, minute, second] = [minutes / 60, minutes % 60, second_of_day % 60].map(u64::from);
    let numbers = hour | minute << 24 | second << 48;
    // x * 103 >> 10 is x / 10 below 100.
    let tens = ((numbers * 103) >> 10) & 0x000f_0000_0f00_000f;
    let digits = tens | (numbers - tens * 10) << 8;
    (digits | 0x3030_3a30_303a_3030).to_le_bytes()
}

/// A time of day.
#[derive(Clone, Copy)]
struct Instant {
    second_of_day: u32,
    nanos: u32,
    is_utc: bool,
}

impl Instant {
    /// The fraction and what stands behind it, as in `.250Z"`, and how many bytes they are.
    #[inline]
    fn end(self) -> ([u8; 16], usize) {
        let nanos = self.nanos;
        let digits = u64::from_le_bytes(eight_digits(u64::from(nanos / 10)));
        let ninth = u128::from(b'0') | u128::from(nanos % 10);
        let fraction = u128::from(b'.') | u128::from(digits) << 8 | ninth << 72;
        let len = match nanos {
            0 => 0,
            nanos if nanos.is_multiple_of(1_000_000) => 4,
            nanos if nanos.is_multiple_of(1_000) => 7,
            _ => 10,
        };
        let (end, end_len) = if self.is_utc { (*b"Z\"", 2) } else { (*b"\"\0", 1) };
        let fraction = fraction & ((1 << (8 * len)) - 1);
        let end = u128::from(u16::from_le_bytes(end)) << (8 * len);
        ((fraction | end).to_le_bytes(), len + end_len)
    }

    /// Writes a date of any year; `days` are since 1970.
    #[cold]
    fn write_with_any_year(self, days: i64, out: &mut Vec<u8>) {
        out.push(b'"');
        write_date(days, out);
        write_time(self.second_of_day, out);
        write_fraction(self.nanos, out);
        if self.is_utc {
            out.push(b'Z');
        }
        out.push(b'"');
    }
}

/// Days since 1970 as a proleptic Gregorian date; years count from March so that the leap day is the last one.
fn write_date(days: i64, out: &mut Vec<u8>) {
    let since_march_0000 = days + DAYS_TO_1970;
    let era = since_march_0000.div_euclid(146_097);
    let day_of_era = since_march_0000.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    write_year(year, out);
    out.push(b'-');
    write_two(month as u32, out);
    out.push(b'-');
    write_two(day as u32, out);
}

fn write_year(year: i64, out: &mut Vec<u8>) {
    if (0..=9_999).contains(&year) {
        write_two(year as u32 / 100, out);
        write_two(year as u32 % 100, out);
    } else {
        // ISO 8601's expanded years carry a sign.
        out.extend_from_slice(format!("{year:+05}").as_bytes());
    }
}

fn write_time(second_of_day: u32, out: &mut Vec<u8>) {
    out.push(b'T');
    write_two(second_of_day / 3_600, out);
    out.push(b':');
    write_two(second_of_day / 60 % 60, out);
    out.push(b':');
    write_two(second_of_day % 60, out);
}

fn write_fraction(nanos: u32, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    write_three(nanos / 1_000_000, out);
    if !nanos.is_multiple_of(1_000_000) {
        write_three(nanos / 1_000 % 1_000, out);
    }
    if !nanos.is_multiple_of(1_000) {
        write_three(nanos % 1_000, out);
    }
}

fn write_two(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&two(number));
}

#[inline]
fn two(number: u32) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

fn write_three(number: u32, out: &mut Vec<u8>) {
    out.push(b'0' + (number / 100) as u8);
    write_two(number % 100, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: i64, unit: TimeUnit, is_utc: bool) -> String {
        let mut out = Vec::new();
        Times::new(unit, is_utc).write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fraction_has_the_fewest_digits_that_lose_nothing() {
        assert_eq!(text(0, TimeUnit::Second, true), "\"1970-01-01T00:00:00Z\"");
        assert_eq!(text(-1, TimeUnit::Millisecond, false), "\"1969-12-31T23:59:59.999\"");
        assert_eq!(text(1_500_000, TimeUnit::Microsecond, true), "\"1970-01-01T00:00:01.500Z\"");
        assert_eq!(text(1, TimeUnit::Microsecond, true), "\"1970-01-01T00:00:00.000001Z\"");
        assert_eq!(text(1, TimeUnit::Nanosecond, true), "\"1970-01-01T00:00:00.000000001Z\"");
    }

    #[test]
    fn years_beyond_four_digits_carry_a_sign() {
        assert!(text(i64::MAX / 1_000, TimeUnit::Millisecond, true).starts_with("\"+"));
        assert!(text(i64::MIN, TimeUnit::Millisecond, true).starts_with("\"-"));
    }

    #[test]
    fn every_day_of_plain_years_and_around_them_is_written_as_any_year_is() {
        for days in -800_000..3_000_000_i64 {
            let (seconds, mut out) =
                (days * SECONDS_PER_DAY + days.rem_euclid(SECONDS_PER_DAY), Vec::new());
            let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
            let instant = Instant { second_of_day, nanos: 0, is_utc: true };
            instant.write_with_any_year(days, &mut out);
            assert_eq!(text(seconds, TimeUnit::Second, true).as_bytes(), out);
        }
    }

    #[test]
    fn every_second_of_a_day_is_written_as_any_year_is() {
        for second_of_day in 0..86_400 {
            let mut out = Vec::new();
            write_time(second_of_day, &mut out);
            assert_eq!(out[1..], time_of(second_of_day));
        }
    }

    proptest! {
        #[test]
        fn instants_of_every_unit_are_written_as_any_year_is(
            value in any::<i64>(),
            shift in 0_u32..64,
            unit in prop::sample::select(vec![TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]),
            is_utc in any::<bool>(),
        ) {
            let per_second = match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            };
            // Small ones too, and round ones, whose fractions are short.
            let value = (value >> shift).div_euclid(1_000) * [1, 1_000][(shift % 2) as usize];
            let seconds = value.div_euclid(per_second);
            let nanos = (value.rem_euclid(per_second) * (1_000_000_000 / per_second)) as u32;
            let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
            let mut out = Vec::new();
            let instant = Instant { second_of_day, nanos, is_utc };
            instant.write_with_any_year(seconds.div_euclid(SECONDS_PER_DAY), &mut out);
            prop_assert_eq!(text(value, unit, is_utc).into_bytes(), out);
        }

        #[test]
        fn instants_after_others_are_written_as_they_are_alone(
            values in proptest::collection::vec((-3_i64..3, 0_i64..86_400_000), 1..20),
            far in any::<i64>(),
        ) {
            let mut times = Times::new(TimeUnit::Millisecond, true);
            for (days, millis) in values {
                for value in [days * 86_400_000 + millis, far] {
                    let mut out = Vec::new();
                    times.write(value, &mut out);
                    prop_assert_eq!(out, text(value, TimeUnit::Millisecond, true).into_bytes());
                }
            }
        }

        #[test]
        fn every_instant_is_what_an_independent_calendar_says(micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
            let stamp = jiff::Timestamp::from_microsecond(micros).unwrap();
            let ours: jiff::Timestamp = text(micros, TimeUnit::Microsecond, true).trim_matches('"').parse().unwrap();
            prop_assert_eq!(ours, stamp);
        }
    }
}
