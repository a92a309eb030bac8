//! Rows in order of time: nearly ordered ones, as arrivals are, by one pass into buckets; and integers by their digits.

#![expect(
    clippy::cast_possible_truncation,
    reason = "rows and buckets fit the widths that they came from"
)]

use multiversion::multiversion;

/// So many integers are sorted by comparing: passes over digits begin to pay above.
const COMPARED_MAX: usize = 256;

/// The most bits that one pass sorts by.
const DIGIT_BITS_MAX: u32 = 11;

/// Answers rows, which ascend, in order of their times; rows of one time stay in order.
pub(crate) fn by_time(mut rows: Vec<u32>, time_of: impl Fn(u32) -> i64) -> Vec<u32> {
    let time = |row: &u32| time_of(*row);
    if rows.is_sorted_by_key(time) {
        return rows;
    }
    let (first, last) = rows.iter().fold((i64::MAX, i64::MIN), |(first, last), row| {
        (first.min(time(row)), last.max(time(row)))
    });
    let row_bits = u32::BITS - rows[rows.len() - 1].leading_zeros();
    let span = last.abs_diff(first);
    // A row and how long after the first it came make one integer, unless time is immense.
    if span.leading_zeros() < row_bits {
        rows.sort_by_key(time);
        return rows;
    }
    let packed = rows.iter().map(|row| (time(row).abs_diff(first) << row_bits) | u64::from(*row));
    let packed: Vec<u64> = packed.collect();
    let row_mask = (1_u64 << row_bits) - 1;
    let sorted = in_buckets(&packed, u64::BITS - span.leading_zeros() + row_bits);
    rows.iter_mut().zip(sorted).for_each(|(row, packed)| *row = (packed & row_mask) as u32);
    rows
}

/// Sorts integers that differ in so many bits above `below` of them; below, they are in order already where those above are
/// equal, or all are different. `other` is room to sort in.
pub(crate) fn sort_by_digits(values: &mut [u64], below: u32, bits: u32, other: &mut Vec<u64>) {
    if values.len() <= COMPARED_MAX {
        return values.sort_unstable();
    }
    other.clear();
    other.resize(values.len(), 0);
    let passes = bits.div_ceil(DIGIT_BITS_MAX);
    for pass in 0..passes {
        let (from, to) = (bits * pass / passes, bits * (pass + 1) / passes);
        if pass % 2 == 0 {
            sort_by_digit(values, other, below + from, to - from);
        } else {
            sort_by_digit(other, values, below + from, to - from);
        }
    }
    if passes % 2 == 1 {
        values.copy_from_slice(other);
    }
}

/// Copies values in order of one digit; those in which it is equal stay in order.
fn sort_by_digit(values: &[u64], sorted: &mut [u64], shift: u32, bits: u32) {
    let digit = |value: u64| (value >> shift) as usize & ((1 << bits) - 1);
    let mut starts = [0_u32; 1 << DIGIT_BITS_MAX];
    for &value in values {
        starts[digit(value)] += 1;
    }
    let mut sum = 0;
    for start in &mut starts[..1 << bits] {
        sum += std::mem::replace(start, sum);
    }
    for &value in values {
        let next = &mut starts[digit(value)];
        sorted[*next as usize] = value;
        *next += 1;
    }
}

/// Sorts integers of so many bits: one pass by the upper ones, into buckets of one or two values each, then the few that
/// are out of order within them.
fn in_buckets(values: &[u64], bits: u32) -> Vec<u64> {
    let bucket_bits = values.len().max(1).ilog2().min(bits);
    // A few values of all 64 bits share one bucket: shifting by their whole width is no shift.
    let bucket = |value: u64| value.checked_shr(bits - bucket_bits).unwrap_or(0) as usize;
    let mut ends = vec![0_u32; 1 << bucket_bits];
    for &value in values {
        ends[bucket(value)] += 1;
    }
    let (mut sum, mut most) = (0, 0);
    for end in &mut ends {
        let count = std::mem::replace(end, sum);
        sum += count;
        most = most.max(count);
    }
    let mut sorted = vec![0; values.len()];
    for &value in values {
        let next = &mut ends[bucket(value)];
        sorted[*next as usize] = value;
        *next += 1;
    }
    if CROWD < most {
        sort_crowds(&mut sorted, &ends);
    }
    exchange_neighbours(&mut sorted);
    insert_each(&mut sorted);
    sorted
}

/// More values in one bucket than are sorted one by one.
const CROWD: u32 = 16;

/// Sorts the buckets that took many values.
#[cold]
fn sort_crowds(values: &mut [u64], ends: &[u32]) {
    let mut start = 0;
    for &end in ends {
        if start + CROWD < end {
            values[start as usize..end as usize].sort_unstable();
        }
        start = end;
    }
}

/// Sorts all pairs of neighbours, those that begin at even places and those at odd ones in turn, many at a time and without
/// a guess which are out of order: after some turns few are.
#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma",
))]
fn exchange_neighbours(values: &mut [u64]) {
    const TURNS: usize = 4;
    for turn in 0..TURNS.min(values.len()) {
        for pair in values[turn % 2..].as_chunks_mut::<2>().0 {
            *pair = [pair[0].min(pair[1]), pair[0].max(pair[1])];
        }
    }
}

/// Sorts values that are at or near their places.
fn insert_each(values: &mut [u64]) {
    for next in 1..values.len() {
        let value = values[next];
        let mut place = next;
        while 0 < place && value < values[place - 1] {
            values[place] = values[place - 1];
            place -= 1;
        }
        if place < next {
            values[place] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some_times() -> impl Strategy<Value = Vec<i64>> {
        let nearly = prop::collection::vec((0..9_i64, -30..30_i64), 0..3_000).prop_map(|steps| {
            let mut now = 0;
            let late = steps.into_iter().map(|(step, late)| {
                now += step;
                now + late
            });
            late.collect::<Vec<i64>>()
        });
        prop_oneof![
            nearly,
            prop::collection::vec(-5..5_i64, 0..300),
            prop::collection::vec(any::<i64>(), 0..300),
            prop::collection::vec(prop_oneof![Just(0), Just(1 << 44)], 0..300),
        ]
    }

    proptest! {
        #[test]
        fn digits_sort_as_comparing_does(
            values in prop::collection::vec(any::<u32>(), 0..1_500),
            bits in 0..33_u32,
            below in 11..32_u32,
        ) {
            let cut = |value: u32| u64::from(value) & ((1 << bits) - 1);
            let mut sorted: Vec<u64> =
                (0..).zip(&values).map(|(place, &value)| cut(value) << below | place).collect();
            let mut expected = sorted.clone();
            expected.sort_unstable();
            sort_by_digits(&mut sorted, below, bits, &mut vec![7]);
            prop_assert_eq!(sorted, expected);
        }

        #[test]
        fn order_is_that_of_a_stable_sort(times in some_times(), every in 1..4_usize) {
            let rows: Vec<u32> = (0..times.len() as u32).step_by(every).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|&row| times[row as usize]);
            prop_assert_eq!(by_time(rows, |row| times[row as usize]), expected);
        }
    }
}
