//! Timestamps as ISO 8601 text, written digit by digit.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "calendar fields are bounded by the arithmetic that makes them"
)]

use arrow_schema::TimeUnit;

const SECONDS_PER_DAY: i64 = 86_400;

/// Writes `value` ticks of `unit` since 1970 in quotes: `"2026-01-01T00:00:00.250Z"`, without the `Z` when naive.
///
/// The fraction has no digits, 3, 6 or 9: the fewest that lose nothing.
pub(super) fn write(value: i64, unit: TimeUnit, is_utc: bool, out: &mut Vec<u8>) {
    let per_second = ticks_per_second(unit);
    let seconds = value.div_euclid(per_second);
    let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    out.push(b'"');
    write_date(seconds.div_euclid(SECONDS_PER_DAY), out);
    write_time(seconds.rem_euclid(SECONDS_PER_DAY) as u32, out);
    write_fraction(nanos as u32, out);
    if is_utc {
        out.push(b'Z');
    }
    out.push(b'"');
}

fn ticks_per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Days since 1970 as a proleptic Gregorian date; years count from March so that the leap day is the last one.
fn write_date(days: i64, out: &mut Vec<u8>) {
    let since_march_0000 = days + 719_468;
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
    out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
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

    proptest! {
        #[test]
        fn every_instant_is_what_an_independent_calendar_says(micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
            let stamp = jiff::Timestamp::from_microsecond(micros).unwrap();
            let ours: jiff::Timestamp = text(micros, TimeUnit::Microsecond, true).trim_matches('"').parse().unwrap();
            prop_assert_eq!(ours, stamp);
        }
    }
}
