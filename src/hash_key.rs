//! The 128-bit ring: hash keys, the ranges that shards own, and MD5 of partition keys.

mod lanes;
pub mod many;

use std::fmt;

use md5::Digest;
use md5::Md5;
use serde::Deserialize;
use serde::Serialize;

/// A place on the ring, 0 to 2^128 - 1.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct HashKey(pub u128);

impl HashKey {
    /// The first place on the ring.
    pub const MIN: Self = Self(0);
    /// The last place on the ring.
    pub const MAX: Self = Self(u128::MAX);

    /// Returns where a partition key falls: the MD5 of its UTF-8 bytes, read as a big-endian number.
    ///
    /// # Examples
    /// ```
    /// use shardstream::hash_key::HashKey;
    /// assert_eq!(HashKey::of("").0, 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e);
    /// ```
    pub fn of(partition_key: &str) -> Self {
        Self::of_bytes(partition_key.as_bytes())
    }

    fn of_bytes(partition_key: &[u8]) -> Self {
        Self(u128::from_be_bytes(Md5::digest(partition_key).into()))
    }

    /// Parses the decimal digits that the API carries.
    pub fn parse(digits: &str) -> Option<Self> {
        let canonical = digits == "0" || !digits.starts_with('0');
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        (canonical && plain).then(|| digits.parse().ok().map(Self)).flatten()
    }
}

/// Digits that are no place on the ring.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{digits}` is no hash key: decimal digits of a number below 2^128")]
pub struct HashKeyError {
    /// What was given.
    pub digits: String,
}

impl TryFrom<String> for HashKey {
    type Error = HashKeyError;

    fn try_from(digits: String) -> Result<Self, HashKeyError> {
        Self::parse(&digits).ok_or(HashKeyError { digits })
    }
}

impl From<HashKey> for String {
    fn from(key: HashKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The places one shard owns, both ends included, as AWS prints them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct HashKeyRange {
    /// The first place owned.
    pub first: HashKey,
    /// The last place owned.
    pub last: HashKey,
}

impl HashKeyRange {
    /// The whole ring.
    pub const ALL: Self = Self { first: HashKey::MIN, last: HashKey::MAX };

    /// Cuts the ring into `count` ranges of equal width, the last taking the remainder, as Kinesis does.
    pub fn uniform(count: u32) -> Vec<Self> {
        assert!(0 < count, "a ring is cut into at least one range");
        if count == 1 {
            return vec![Self::ALL];
        }
        // floor(2^128 / n) without 129 bits: n does not divide 2^128 unless it is a power of two.
        let n = u128::from(count);
        let width = if count.is_power_of_two() { u128::MAX / n + 1 } else { u128::MAX / n };
        let first = |i: u128| HashKey(i * width);
        let last = |i: u128| {
            if i == n - 1 { HashKey::MAX } else { HashKey((i + 1) * width - 1) }
        };
        (0..n).map(|i| Self { first: first(i), last: last(i) }).collect()
    }

    /// Tells whether the range owns `key`.
    pub fn contains(self, key: HashKey) -> bool {
        self.first <= key && key <= self.last
    }

    /// Returns the place that cuts the range into halves, the first of the upper one.
    pub fn middle(self) -> Option<HashKey> {
        let half = (self.last.0 - self.first.0) / 2;
        (self.first < self.last).then(|| HashKey(self.first.0 + half + 1))
    }

    /// Cuts the range in two, `at` being the first place of the upper part.
    pub fn split(self, at: HashKey) -> (Self, Self) {
        assert!(self.first < at && at <= self.last, "a cut lies inside the range");
        let lower = Self { first: self.first, last: HashKey(at.0 - 1) };
        (lower, Self { first: at, last: self.last })
    }

    /// Tells whether `upper` begins where this range ends.
    pub fn is_followed_by(self, upper: Self) -> bool {
        self.last.0.checked_add(1) == Some(upper.first.0)
    }
}

impl fmt::Display for HashKeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_ranges_are_cut_where_kinesis_cuts_them() {
        let printed: Vec<_> = HashKeyRange::uniform(3).iter().map(ToString::to_string).collect();
        assert_eq!(
            printed,
            [
                "0-113427455640312821154458202477256070484",
                "113427455640312821154458202477256070485-226854911280625642308916404954512140969",
                "226854911280625642308916404954512140970-340282366920938463463374607431768211455",
            ]
        );
    }

    #[test]
    fn every_count_covers_the_ring_without_gap_or_overlap() {
        for count in (1..=1_000).chain([4_096, 9_999, 10_000]) {
            let ranges = HashKeyRange::uniform(count);
            assert_eq!(ranges.len(), count as usize);
            assert_eq!(ranges[0].first, HashKey::MIN);
            assert_eq!(ranges[ranges.len() - 1].last, HashKey::MAX);
            assert!(ranges.windows(2).all(|pair| pair[0].is_followed_by(pair[1])), "{count}");
        }
    }

    #[test]
    fn middle_of_the_ring_is_two_to_the_127() {
        assert_eq!(HashKeyRange::ALL.middle(), Some(HashKey(1 << 127)));
        assert_eq!(HashKeyRange { first: HashKey(7), last: HashKey(7) }.middle(), None);
    }

    #[test]
    fn only_canonical_decimal_digits_are_hash_keys() {
        assert_eq!(HashKey::parse("0"), Some(HashKey(0)));
        assert_eq!(HashKey::parse(&u128::MAX.to_string()), Some(HashKey::MAX));
        for bad in
            ["", "00", "01", "-1", "+1", " 1", "1e3", "340282366920938463463374607431768211456"]
        {
            assert_eq!(HashKey::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn split_keeps_every_place_once(first: u128, width in 1..u128::MAX, part: u128) {
            let last = first.saturating_add(width);
            prop_assume!(first < last);
            let range = HashKeyRange { first: HashKey(first), last: HashKey(last) };
            let at = HashKey(first + 1 + part % (last - first));
            let (lower, upper) = range.split(at);
            prop_assert!(lower.is_followed_by(upper));
            prop_assert_eq!((lower.first, upper.last), (range.first, range.last));
            prop_assert!(lower.contains(range.first) && !lower.contains(at) && upper.contains(at));
        }
    }
}
