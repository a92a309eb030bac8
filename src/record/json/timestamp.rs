//! Timestamps as ISO 8601 text, written digit by digit.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "calendar fields are bounded by the arithmetic that makes them"
)]

use arrow_schema::TimeUnit;

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from March 1 of year 0 to 1970, and to the end of year 9999.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_TO_10000: u32 = 3_652_365;

/// Writes `value` ticks of `unit` since 1970 in quotes: `"2026-01-01T00:00:00.250Z"`, without the `Z` when naive.
///
/// The fraction has no digits, 3, 6 or 9: the fewest that lose nothing.
#[inline]
pub(super) fn write(value: i64, unit: TimeUnit, is_utc: bool, out: &mut Vec<u8>) {
    // Each unit for itself: a division by a constant takes a fifth of the time.
    let (seconds, nanos) = match unit {
        TimeUnit::Second => (value, 0),
        TimeUnit::Millisecond => (value.div_euclid(1_000), value.rem_euclid(1_000) * 1_000_000),
        TimeUnit::Microsecond => (value.div_euclid(1_000_000), value.rem_euclid(1_000_000) * 1_000),
        TimeUnit::Nanosecond => (value.div_euclid(1_000_000_000), value.rem_euclid(1_000_000_000)),
    };
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let instant = Instant {
        second_of_day: seconds.rem_euclid(SECONDS_PER_DAY) as u32,
        nanos: nanos as u32,
        is_utc,
    };
    match u32::try_from(days + DAYS_TO_1970) {
        Ok(days) if days < DAYS_TO_10000 => instant.write_with_plain_year(days, out),
        _ => instant.write_with_any_year(days, out),
    }
}

/// A time of day.
#[derive(Clone, Copy)]
struct Instant {
    second_of_day: u32,
    nanos: u32,
    is_utc: bool,
}

impl Instant {
    /// Writes a date of four digits of year, all in one place; `days` are since March 1 of year 0.
    #[inline]
    fn write_with_plain_year(self, days: u32, out: &mut Vec<u8>) {
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = days / 146_097 * 400 + year_of_era + u32::from(month <= 2);
        let mut text = *b"\"0000-00-00T00:00:00.000000000Z\"";
        let time = self.second_of_day;
        let pairs = [
            (1, year / 100),
            (3, year % 100),
            (6, month),
            (9, day),
            (12, time / 3_600),
            (15, time / 60 % 60),
            (18, time % 60),
        ];
        for (place, number) in pairs {
            [text[place], text[place + 1]] = two(number);
        }
        let triples = [
            (21, self.nanos / 1_000_000),
            (24, self.nanos / 1_000 % 1_000),
            (27, self.nanos % 1_000),
        ];
        for (place, number) in triples {
            text[place] = b'0' + (number / 100) as u8;
            [text[place + 1], text[place + 2]] = two(number % 100);
        }
        let mut end = match self.nanos {
            0 => 20,
            nanos if nanos.is_multiple_of(1_000_000) => 24,
            nanos if nanos.is_multiple_of(1_000) => 27,
            _ => 30,
        };
        if self.is_utc {
            text[end] = b'Z';
            end += 1;
        }
        text[end] = b'"';
        out.extend_from_slice(&text[..=end]);
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
        write(value, unit, is_utc, &mut out);
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
        fn every_instant_is_what_an_independent_calendar_says(micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
            let stamp = jiff::Timestamp::from_microsecond(micros).unwrap();
            let ours: jiff::Timestamp = text(micros, TimeUnit::Microsecond, true).trim_matches('"').parse().unwrap();
            prop_assert_eq!(ours, stamp);
        }
    }
}
