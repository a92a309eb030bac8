//! Stretches of rows: between which times they lie, and in which pane each does.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "differences below 2^50 are floats without loss, and their quotients are counted in 32 bits"
)]

use multiversion::multiversion;

/// Rows looked at together: their times stay in the nearest cache, and mostly in one pane.
pub(super) const STRETCH_ROWS: usize = 1_024;

/// The farthest that times may lie apart for their panes to be counted in floats.
const REACH: i64 = 1 << 50;

/// Answers how many panes of `width` each time lies behind `start`, at most that of `greatest`; false, and nothing, where
/// they are too far apart to be counted so.
pub(super) fn offsets(
    times: &[i64],
    start: i64,
    greatest: i64,
    width: i64,
    offsets: &mut [u32; STRETCH_ROWS],
) -> bool {
    let is_near = greatest.checked_sub(start).is_some_and(|reach| reach < REACH);
    let is_few = is_near && (greatest - start) / width < i64::from(u32::MAX);
    if is_few {
        divide(times, start, width, &mut offsets[..times.len()]);
    }
    is_few
}

/// Divides by multiplying with the inverse: off by one at most, and then set right.
#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma",
))]
fn divide(times: &[i64], start: i64, width: i64, offsets: &mut [u32]) {
    let inverse = 1.0 / width as f64;
    for (offset, &time) in offsets.iter_mut().zip(times) {
        let distance = time - start;
        let about = (distance as f64 * inverse) as i64;
        let rest = distance - about * width;
        let exact = about + i64::from(width <= rest) - i64::from(rest < 0);
        *offset = exact as u32;
    }
}

/// Moves rows of a stretch that are here before those that are not; both stay in order. Answers how many are here.
pub(super) fn partition(rows: &mut [u16], is_here: impl Fn(u16) -> bool) -> usize {
    let mut others = [0; STRETCH_ROWS];
    let (mut here, mut elsewhere) = (0, 0);
    for place in 0..rows.len() {
        // Both are written and one is kept: which one is not to be foretold.
        let row = rows[place];
        let is_here = is_here(row);
        rows[here] = row;
        others[elsewhere] = row;
        here += usize::from(is_here);
        elsewhere += usize::from(!is_here);
    }
    rows[here..].copy_from_slice(&others[..elsewhere]);
    here
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn offsets_are_quotients(
            start in -1_i64 << 40..1_i64 << 40,
            width in prop_oneof![1_i64..10, 1_i64..100_000_000, Just(60_000_000), Just(86_400_000_000)],
            steps in proptest::collection::vec((0_i64..1_000, -1_i64..=1, 0_i64..1_i64 << 45), 1..100),
        ) {
            // Times near the edges of panes, and anywhere.
            let times: Vec<i64> = steps
                .iter()
                .map(|&(panes, beside, far)| start + if far % 3 == 0 { far } else { (panes * width + beside).max(0) })
                .collect();
            let greatest = times.iter().copied().max().unwrap_or(start);
            let mut found = [0; STRETCH_ROWS];
            let counted = offsets(&times, start, greatest, width, &mut found);
            prop_assert_eq!(counted, (greatest - start) / width < i64::from(u32::MAX));
            if counted {
                let expected: Vec<i64> = times.iter().map(|time| (time - start) / width).collect();
                let found: Vec<i64> = found[..times.len()].iter().map(|&offset| offset.into()).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    proptest! {
        #[test]
        fn rows_are_parted_in_order(rows in proptest::collection::vec(0_u16..1_024, 0..100), every in 1_u16..5) {
            let is_here = |row: u16| row.is_multiple_of(every);
            let (mut expected, others): (Vec<u16>, Vec<u16>) = rows.iter().partition(|&&row| is_here(row));
            let here = expected.len();
            expected.extend(others);
            let mut parted = rows;
            prop_assert_eq!(partition(&mut parted, is_here), here);
            prop_assert_eq!(parted, expected);
        }
    }

    #[test]
    fn times_worlds_apart_are_not_counted() {
        let mut found = [0; STRETCH_ROWS];
        assert!(!offsets(&[i64::MIN, i64::MAX], i64::MIN, i64::MAX, 60, &mut found));
        assert!(!offsets(&[0, 1 << 40], 0, 1 << 40, 1, &mut found));
    }
}
