//! Sequence numbers: 186 bits that Kinesis prints as 56 digits, and what they carry.
//!
//! From the top, in hex digits: `2`, shard creation second (9), low nibble of the shard (1), index (16), `00`,
//! record second (9), shard (8), `2`. The index stands above the record's second, so within a shard order is the
//! order of indices; the creation second stands above the index, so a child's numbers are above its parents'.

pub mod many;

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::record::digits::eight_digits;

/// The index that closes a shard: above every record's.
const INDEX_END: u64 = 0x7fff_ffff_ffff_ffff;
/// Seconds that fit a sequence number: above this a number is from no real stream.
const SECONDS_MAX: u64 = 16_025_175_000;
/// Digits of a sequence number of the current layout.
pub const SEQUENCE_DIGITS: usize = 56;

/// The number of a shard within its stream, as in `shardId-000000000003`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ShardIndex(pub u32);

impl ShardIndex {
    /// Returns the shard's name in ASCII, `shardId-` and twelve digits.
    pub fn name(self) -> [u8; 20] {
        let number = u64::from(self.0);
        let mut name = *b"shardId-000000000000";
        name[8..12].copy_from_slice(&eight_digits(number / 100_000_000)[4..]);
        name[12..].copy_from_slice(&eight_digits(number % 100_000_000));
        name
    }

    /// Parses a shard's name, `shardId-` and twelve digits.
    pub fn parse(name: &str) -> Option<Self> {
        let digits = name.strip_prefix("shardId-").filter(|digits| digits.len() == 12)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for ShardIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shardId-{:012}", self.0)
    }
}

/// The shard that a sequence number belongs to: its number and the second of its creation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ShardBirth {
    /// The shard.
    pub shard: ShardIndex,
    /// When it was created, in seconds since 1970.
    pub created_seconds: u64,
}

/// Where a record stands in its shard, for ever.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SequenceNumber {
    /// The shard it belongs to.
    pub birth: ShardBirth,
    /// The index, strictly increasing within the shard, and across the stream's shards in order of arrival.
    pub index: u64,
    /// When the record came, in seconds since 1970.
    pub recorded_seconds: u64,
}

impl SequenceNumber {
    /// Returns the number below every record of a shard.
    pub fn starting(birth: ShardBirth) -> Self {
        Self { birth, index: 0, recorded_seconds: birth.created_seconds }
    }

    /// Returns the number above every record of a shard closed at `closed_seconds`.
    pub fn ending(birth: ShardBirth, closed_seconds: u64) -> Self {
        Self { birth, index: INDEX_END, recorded_seconds: closed_seconds }
    }

    /// Parses decimal digits, and tells what they are not when they are no sequence number of this layout.
    pub fn parse(digits: &str) -> Result<Self, SequenceNumberError> {
        let invalid =
            |reason| SequenceNumberError { digits: digits.chars().take(80).collect(), reason };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid("it is not a run of decimal digits"));
        }
        if digits.len() != SEQUENCE_DIGITS {
            return Err(invalid("it does not have 56 digits"));
        }
        let (high, low) = from_decimal(digits.as_bytes());
        let number = Self {
            birth: ShardBirth {
                shard: ShardIndex(u32_of(low >> 4)),
                created_seconds: u64_of((high >> 20) & 0xf_ffff_ffff),
            },
            index: u64_of(low >> 80) | u64_of(high & 0xffff) << 48,
            recorded_seconds: u64_of((low >> 36) & 0xf_ffff_ffff),
        };
        if INDEX_END < number.index || SECONDS_MAX <= number.birth.created_seconds {
            return Err(invalid("its fields are out of range"));
        }
        if SECONDS_MAX <= number.recorded_seconds || number.words() != (high, low) {
            return Err(invalid("it has an unknown version"));
        }
        Ok(number)
    }

    /// Writes the 56 digits.
    pub fn digits(self) -> [u8; SEQUENCE_DIGITS] {
        let (high, low) = self.words();
        to_decimal(high, low)
    }

    /// The 186 bits: those above 2^128, and the rest.
    fn words(self) -> (u128, u128) {
        let shard = u128::from(self.birth.shard.0);
        let index = u128::from(self.index);
        let low = 2
            | shard << 4
            | (u128::from(self.recorded_seconds) & 0xf_ffff_ffff) << 36
            | (index & 0xffff_ffff_ffff) << 80;
        let high = index >> 48
            | (shard & 0xf) << 16
            | (u128::from(self.birth.created_seconds) & 0xf_ffff_ffff) << 20
            | 2 << 56;
        (high, low)
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).expect("digits are ASCII"))
    }
}

/// Digits that are no sequence number.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{digits}` is not a sequence number: {reason}")]
pub struct SequenceNumberError {
    /// What was given, its first characters.
    pub digits: String,
    /// What it is not.
    pub reason: &'static str,
}

/// The largest power of ten in 64 bits: one division yields nineteen digits.
const TEN_19: u64 = 10_000_000_000_000_000_000;

fn to_decimal(high: u128, low: u128) -> [u8; SEQUENCE_DIGITS] {
    let mut limbs = [u64_of(high), u64_of(low >> 64), u64_of(low)];
    let mut digits = [b'0'; SEQUENCE_DIGITS];
    let mut end = SEQUENCE_DIGITS;
    while 0 < end {
        let mut remainder = 0_u64;
        for limb in &mut limbs {
            let dividend = u128::from(remainder) << 64 | u128::from(*limb);
            *limb = u64_of(dividend / u128::from(TEN_19));
            remainder = u64_of(dividend % u128::from(TEN_19));
        }
        let start = end.saturating_sub(19);
        for digit in digits[start..end].iter_mut().rev() {
            *digit = b'0' + u8::try_from(remainder % 10).expect("a digit is below ten");
            remainder /= 10;
        }
        end = start;
    }
    digits
}

/// Reads digits, at most 57 of them, into the bits above 2^128 and the rest.
fn from_decimal(digits: &[u8]) -> (u128, u128) {
    let mut limbs = [0_u64; 3];
    for digit in digits {
        let mut carry = u128::from(digit - b'0');
        for limb in limbs.iter_mut().rev() {
            let product = u128::from(*limb) * 10 + carry;
            *limb = u64_of(product);
            carry = product >> 64;
        }
    }
    (u128::from(limbs[0]), u128::from(limbs[1]) << 64 | u128::from(limbs[2]))
}

#[expect(clippy::cast_possible_truncation, reason = "the low 64 bits are what is asked for")]
fn u64_of(bits: u128) -> u64 {
    bits as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are what is asked for")]
fn u32_of(bits: u128) -> u32 {
    bits as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn birth(shard: u32, created_seconds: u64) -> ShardBirth {
        ShardBirth { shard: ShardIndex(shard), created_seconds }
    }

    #[test]
    fn real_numbers_carry_their_shard_and_second() {
        let cases = [
            ("49577193928114147339600778471082492393164139877200035842", 0, 1_506_035_354),
            ("49607357361271740811418664280693044274821622880012337186", 2, 1_594_265_943),
        ];
        for (digits, shard, recorded_seconds) in cases {
            let number = SequenceNumber::parse(digits).unwrap();
            assert_eq!(number.birth.shard, ShardIndex(shard));
            assert_eq!(number.recorded_seconds, recorded_seconds);
            assert_eq!(number.to_string(), digits);
        }
    }

    #[test]
    fn encoder_gives_the_published_vectors() {
        let created = 1_700_000_000;
        assert_eq!(
            SequenceNumber::starting(birth(0, created)).to_string(),
            "49646437577108476416916876405825929425585429676275269634"
        );
        assert_eq!(
            SequenceNumber::starting(birth(3, created)).to_string(),
            "49646437577175378652512468275250536580403374760793210930"
        );
        assert_eq!(
            SequenceNumber::ending(birth(0, created), 1_700_003_600).to_string(),
            "49646437577119626789516141717395488358902386617969803266"
        );
    }

    #[test]
    fn what_is_no_sequence_number_is_refused() {
        let version_3 = "49646437577108476416916876405825929425585429676275269635";
        for bad in
            ["", "12", "x", "-1", version_3, &"9".repeat(56), &"1".repeat(56), &"1".repeat(4_000)]
        {
            assert!(SequenceNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shard_names_are_parsed_as_they_are_printed() {
        assert_eq!(ShardIndex(3).to_string(), "shardId-000000000003");
        assert_eq!(ShardIndex::parse("shardId-000000000003"), Some(ShardIndex(3)));
        for bad in
            ["shardId-3", "shardId-00000000000x", "shard-000000000003", "", "shardId-999999999999"]
        {
            assert_eq!(ShardIndex::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parse_undoes_print(
            shard: u32,
            created in 0..SECONDS_MAX,
            index in 0..=INDEX_END,
            recorded_seconds in 0..SECONDS_MAX,
        ) {
            let number = SequenceNumber { birth: birth(shard, created), index, recorded_seconds };
            prop_assert_eq!(SequenceNumber::parse(&number.to_string()), Ok(number));
        }

        #[test]
        fn order_of_print_is_order_of_index(shard: u32, a in 0..INDEX_END, b in 0..INDEX_END, s in 0..SECONDS_MAX, t in 0..SECONDS_MAX) {
            let at = |index, recorded_seconds| SequenceNumber { birth: birth(shard, 1), index, recorded_seconds };
            prop_assume!(a != b);
            prop_assert_eq!(at(a, s).to_string() < at(b, t).to_string(), a < b);
        }

        #[test]
        fn children_print_above_parents(parent: u32, child: u32, index in 0..=INDEX_END, created in 0..SECONDS_MAX - 1) {
            let last = SequenceNumber { birth: birth(parent, created), index, recorded_seconds: SECONDS_MAX - 1 };
            let first = SequenceNumber::starting(birth(child, created + 1));
            prop_assert!(last.to_string() < first.to_string());
        }
    }
}
