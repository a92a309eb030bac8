//! Words in order: what varies in them is cut out, so that many are sorted by few passes over single integers.

#![expect(
    clippy::cast_possible_truncation,
    reason = "places, digits and cut words fit the widths that they are cut to"
)]

use std::cmp::Ordering;

use crate::window::order::sort_by_digits;

/// Answers the places of words in ascending order; `tie` compares places of equal words.
pub(super) fn by_words(words: &[u128], tie: impl Fn(u32, u32) -> Ordering) -> Vec<u32> {
    let place_bits = u32::BITS - (words.len() as u32).leading_zeros();
    let cut = Cut::of(words, u64::BITS - place_bits);
    let mut sorted: Vec<u64> =
        (0..).zip(words).map(|(place, &word)| cut.apply(word) << place_bits | place).collect();
    sort_by_digits(&mut sorted, place_bits, cut.bits, &mut Vec::new());
    let place_mask = (1 << place_bits) - 1;
    let mut places: Vec<u32> = sorted.iter().map(|&each| (each & place_mask) as u32).collect();
    // Words that are equal in what was kept of them are told apart by all they have.
    let mut start = 0;
    for equal in sorted.chunk_by(|a, b| a >> place_bits == b >> place_bits) {
        let end = start + equal.len();
        if 1 < equal.len() {
            places[start..end].sort_unstable_by(|&a, &b| {
                words[a as usize].cmp(&words[b as usize]).then_with(|| tie(a, b))
            });
        }
        start = end;
    }
    places
}

/// Cuts the uppermost bits that vary out of words; order is kept as far as they reach.
struct Cut {
    /// For each run of such bits, how far it is shifted down and up, and its mask at the bottom.
    runs: Vec<(u32, u32, u64)>,
    bits: u32,
}

impl Cut {
    fn of(words: &[u128], bits_max: u32) -> Self {
        let first = words.first().copied().unwrap_or_default();
        let mut varying = words.iter().fold(0, |varying, word| varying | (word ^ first));
        let (mut runs, mut bits) = (Vec::new(), 0);
        while varying != 0 && bits < bits_max {
            let top = u128::BITS - varying.leading_zeros();
            let run = (varying << (u128::BITS - top)).leading_ones().min(bits_max - bits);
            let shift = top - run;
            runs.push((shift, run));
            bits += run;
            varying &= (1_u128 << shift) - 1;
        }
        let mut below = bits;
        let placed = runs.into_iter().map(|(shift, run)| {
            below -= run;
            (shift, below, u64::MAX >> (u64::BITS - run))
        });
        Self { runs: placed.collect(), bits }
    }

    #[inline]
    fn apply(&self, word: u128) -> u64 {
        self.runs
            .iter()
            .fold(0, |cut, &(down, up, mask)| cut | ((word >> down) as u64 & mask) << up)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some_words() -> impl Strategy<Value = Vec<u128>> {
        let masks = prop_oneof![
            Just(u128::MAX),
            Just(0),
            Just(1),
            Just(1 << 127 | 1),
            Just(0x3F3F_3F3F_0000 << 40),
            any::<u128>(),
        ];
        (masks, any::<u128>(), 0..700_usize).prop_flat_map(|(mask, base, count)| {
            prop::collection::vec(any::<u128>().prop_map(move |word| base ^ word & mask), count)
        })
    }

    proptest! {
        #[test]
        fn places_are_in_order_of_their_words_and_ties(words in some_words()) {
            // Equal words are told apart backwards.
            let places = by_words(&words, |a, b| b.cmp(&a));
            let mut expected: Vec<u32> = (0..words.len() as u32).collect();
            expected.sort_by_key(|&place| (words[place as usize], std::cmp::Reverse(place)));
            prop_assert_eq!(places, expected);
        }
    }
}
