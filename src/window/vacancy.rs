//! Numbers that are not given yet: codes of keys and slots of groups.

use multiversion::multiversion;

/// No code, or no slot.
pub(crate) const VACANT: u32 = u32::MAX;

/// Whether a number among them is not given.
#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma",
))]
pub(crate) fn has_vacancy(numbers: &[u32]) -> bool {
    // No number is greater: a maximum looks at many at a time, where a search would look at each.
    numbers.iter().copied().fold(0, u32::max) == VACANT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_vacancy_is_found_wherever_it_is(
            mut numbers in proptest::collection::vec(0..VACANT, 0..200),
            place: proptest::sample::Index,
        ) {
            prop_assert!(!has_vacancy(&numbers));
            if !numbers.is_empty() {
                let place = place.index(numbers.len());
                numbers[place] = VACANT;
                prop_assert!(has_vacancy(&numbers));
            }
        }
    }
}
