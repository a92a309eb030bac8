//! A shard, its life, and the map from the ring to the open ones.

use crate::clock::Millis;
use crate::engine::throttle::Throttle;
use crate::hash_key::HashKey;
use crate::hash_key::HashKeyRange;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;

/// A shard of a stream: open until a split or merge closes it, then readable until its records expire.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Its number and the second of its creation.
    pub birth: ShardBirth,
    /// What it owns of the ring.
    pub range: HashKeyRange,
    /// The shard it was split from, or the first of the two it was merged from.
    pub parent: Option<ShardIndex>,
    /// The second of the two it was merged from.
    pub adjacent_parent: Option<ShardIndex>,
    /// When it was created.
    pub created: Millis,
    /// When it was closed, if it was.
    pub closed: Option<Millis>,
    pub(crate) throttle: Throttle,
}

impl Shard {
    /// Tells whether it takes records.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Returns the number below all of its records.
    pub fn starting_sequence_number(&self) -> SequenceNumber {
        SequenceNumber::starting(self.birth)
    }

    /// Returns the number above all of its records, once it is closed.
    pub fn ending_sequence_number(&self) -> Option<SequenceNumber> {
        self.closed.map(|closed| SequenceNumber::ending(self.birth, closed.whole_seconds()))
    }
}

/// Bits of a hash key that index the map.
const TOP_BITS: u32 = 12;

/// The open shards in order of the ring, which they cover exactly.
#[derive(Debug)]
pub(crate) struct ShardMap {
    births: Vec<ShardBirth>,
    ranges: Vec<HashKeyRange>,
    /// By the top bits of a hash key, the first place it may fall in: so a lookup costs the same for 4 shards and 4,000.
    first_place: Vec<u16>,
}

impl ShardMap {
    pub(crate) fn new(shards: &[Shard]) -> Self {
        let mut open: Vec<&Shard> = shards.iter().filter(|shard| shard.is_open()).collect();
        open.sort_by_key(|shard| shard.range.first);
        let ranges: Vec<HashKeyRange> = open.iter().map(|shard| shard.range).collect();
        let ends = [ranges.first().map(|r| r.first), ranges.last().map(|r| r.last)];
        assert_eq!(
            ends,
            [Some(HashKey::MIN), Some(HashKey::MAX)],
            "open shards reach both ends of the ring"
        );
        assert!(
            ranges.windows(2).all(|pair| pair[0].is_followed_by(pair[1])),
            "open shards leave no gap and do not overlap"
        );
        let first_place = |top: u32| {
            let key = HashKey(u128::from(top) << (128 - TOP_BITS));
            let place = ranges.partition_point(|range| range.last < key);
            u16::try_from(place).expect("a stream has at most 10,000 open shards")
        };
        Self {
            births: open.iter().map(|shard| shard.birth).collect(),
            first_place: (0..1 << TOP_BITS).map(first_place).collect(),
            ranges,
        }
    }

    /// Returns the place, in order of the ring, of the shard that owns `key`.
    pub(crate) fn place(&self, key: HashKey) -> u16 {
        let top = usize::try_from(key.0 >> (128 - TOP_BITS)).expect("a few bits");
        let mut place = self.first_place[top];
        while self.ranges[usize::from(place)].last < key {
            place += 1;
        }
        place
    }

    /// Returns the shard that owns `key`.
    pub(crate) fn owner(&self, key: HashKey) -> ShardBirth {
        self.births[usize::from(self.place(key))]
    }

    /// Returns the open shards in order of the ring.
    pub(crate) fn births(&self) -> &[ShardBirth] {
        &self.births
    }

    /// Returns what the open shards own, in order of the ring.
    #[cfg(test)]
    pub(crate) fn ranges(&self) -> &[HashKeyRange] {
        &self.ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shards(ranges: &[HashKeyRange]) -> Vec<Shard> {
        (0..)
            .zip(ranges)
            .map(|(index, &range)| Shard {
                birth: ShardBirth { shard: ShardIndex(index), created_seconds: 0 },
                range,
                parent: None,
                adjacent_parent: None,
                created: Millis(0),
                closed: None,
                throttle: Throttle::new(Millis(0)),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_key_falls_in_the_shard_that_owns_it(count in 1_u32..3_000, keys: Vec<u128>, near in 0_u128..3) {
            let shards = shards(&HashKeyRange::uniform(count));
            let map = ShardMap::new(&shards);
            let edges = shards.iter().flat_map(|shard| [shard.range.first.0.saturating_sub(near), shard.range.last.0]);
            for key in keys.into_iter().chain(edges).map(HashKey) {
                let owner = map.owner(key).shard.0 as usize;
                prop_assert!(shards[owner].range.contains(key));
            }
        }
    }

    #[test]
    fn map_with_a_gap_is_refused() {
        let mut ranges = HashKeyRange::uniform(4);
        ranges.remove(1);
        let gapped = shards(&ranges);
        assert!(std::panic::catch_unwind(|| ShardMap::new(&gapped)).is_err());
    }
}
