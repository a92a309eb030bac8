//! Many sequence numbers printed at once: those of a shard share a base, to which the index and the second are added.

use crate::record::digits::eight_digits;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;

/// What one limb of a number can hold, and its digits.
const LIMB: u64 = 100_000_000;
const LIMB_DIGITS: usize = 8;
/// Limbs that an index and a second are added to, and those above, which change with a carry alone.
const LOWER_LIMBS: usize = 4;
const UPPER_LIMBS: usize = SEQUENCE_DIGITS / LIMB_DIGITS - LOWER_LIMBS;
const UPPER_DIGITS: usize = UPPER_LIMBS * LIMB_DIGITS;
/// What one more index adds, 2^80, and one more second, 2^36, from the lowest limb up.
const INDEX: [u64; LOWER_LIMBS] = [74_706_176, 96_146_291, 20_892_581, 1];
const SECOND: [u64; 2] = [19_476_736, 687];
/// Seconds take 36 bits.
const SECONDS_MASK: u64 = 0xf_ffff_ffff;

/// Prints the sequence numbers of a block's rows.
#[derive(Debug)]
pub struct Printer {
    /// For each shard the number of row 0 at second 0.
    bases: Vec<Base>,
}

/// A number that others are counted from, its limbs from the lowest up.
#[derive(Debug)]
struct Base {
    lower: [u64; LOWER_LIMBS],
    upper: [u64; UPPER_LIMBS],
    upper_digits: [u8; UPPER_DIGITS],
}

impl Base {
    fn new(number: SequenceNumber) -> Self {
        let digits = number.digits();
        let (upper, lower) = digits.split_at(UPPER_DIGITS);
        let mut upper_digits = [0; UPPER_DIGITS];
        upper_digits.copy_from_slice(upper);
        Self { lower: limbs(lower), upper: limbs(upper), upper_digits }
    }
}

impl Printer {
    /// Prepares to print numbers of some shards, whose row 0 has the index `first_index`.
    pub fn new(births: impl Iterator<Item = ShardBirth>, first_index: u64) -> Self {
        let number = |birth| SequenceNumber { birth, index: first_index, recorded_seconds: 0 };
        Self { bases: births.map(|birth| Base::new(number(birth))).collect() }
    }

    /// Writes the 56 digits of a row of the shard at `place`.
    #[inline]
    pub fn write(
        &self,
        place: usize,
        row: u32,
        recorded_seconds: u64,
        digits: &mut [u8; SEQUENCE_DIGITS],
    ) {
        let (row, seconds) = (u64::from(row), recorded_seconds & SECONDS_MASK);
        let base = &self.bases[place];
        let mut lower = base.lower;
        // No sum reaches 2^62: a row has 32 bits, a second 36, and what they are multiplied with 27 and 25.
        for (limb, one) in lower.iter_mut().zip(INDEX) {
            *limb += row * one;
        }
        for (limb, one) in lower.iter_mut().zip(SECOND) {
            *limb += seconds * one;
        }
        let (upper_digits, lower_digits) = digits.split_at_mut(UPPER_DIGITS);
        let carry = print(&lower, 0, lower_digits);
        if carry == 0 {
            upper_digits.copy_from_slice(&base.upper_digits);
        } else {
            print(&base.upper, carry, upper_digits);
        }
    }
}

/// Prints limbs, from the lowest up, to which `carry` is added; returns what they carry over.
#[inline]
fn print(limbs: &[u64], mut carry: u64, digits: &mut [u8]) -> u64 {
    let (texts, _) = digits.as_chunks_mut::<LIMB_DIGITS>();
    for (limb, text) in limbs.iter().zip(texts.iter_mut().rev()) {
        let sum = limb + carry;
        carry = sum / LIMB;
        *text = eight_digits(sum % LIMB);
    }
    carry
}

/// Cuts digits into limbs, from the lowest up.
fn limbs<const LIMBS: usize>(digits: &[u8]) -> [u64; LIMBS] {
    let mut limbs = [0; LIMBS];
    let (texts, _) = digits.as_chunks::<LIMB_DIGITS>();
    for (limb, text) in limbs.iter_mut().zip(texts.iter().rev()) {
        *limb = text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    }
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sequence::ShardIndex;
    use proptest::prelude::*;

    #[test]
    fn limbs_of_one_index_and_one_second_are_powers_of_two() {
        let sum = |limbs: &[u64]| {
            limbs.iter().rev().fold(0, |sum, &limb| sum * u128::from(LIMB) + u128::from(limb))
        };
        assert_eq!(sum(&INDEX), 1 << 80);
        assert_eq!(sum(&SECOND), 1 << 36);
    }

    proptest! {
        #[test]
        fn digits_printed_together_are_those_printed_alone(
            shard: u32,
            created_seconds in 0..16_025_175_000_u64,
            first_index in 0..=u64::MAX >> 1,
            row: u32,
            recorded_seconds in 0..=SECONDS_MASK,
        ) {
            let birth = ShardBirth { shard: ShardIndex(shard), created_seconds };
            let other = ShardBirth { shard: ShardIndex(!shard), created_seconds };
            let printer = Printer::new([other, birth].into_iter(), first_index);
            let mut digits = [0; SEQUENCE_DIGITS];
            printer.write(1, row, recorded_seconds, &mut digits);
            let index = first_index + u64::from(row);
            let alone = SequenceNumber { birth, index, recorded_seconds };
            prop_assert_eq!(digits, alone.digits());
        }
    }
}
