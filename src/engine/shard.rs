//! A shard, its life, and the map from the ring to the open ones.

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::engine::demand::Load;
use crate::engine::throttle::Throttle;
use crate::hash_key::HashKey;
use crate::hash_key::HashKeyRange;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;

/// A shard of a stream: open until a split or merge closes it, then readable until its records expire.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// A second's worth, which is there again when the engine is opened.
    #[serde(default = "Throttle::full", skip)]
    pub(crate) throttle: Throttle,
    /// What it took of late, in streams on demand.
    #[serde(default, skip)]
    pub(crate) load: Load,
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

/// Bits of a hash key that index the map, at least and at most: some cells a shard, in a table that caches hold.
const TOP_BITS: std::ops::RangeInclusive<u32> = 8..=16;

/// The open shards in order of the ring, which they cover exactly.
#[derive(Debug)]
pub(crate) struct ShardMap {
    births: Vec<ShardBirth>,
    ranges: Vec<HashKeyRange>,
    /// The upper halves of the last keys of `ranges`: enough to tell most keys from them.
    last_uppers: Vec<u64>,
    /// By the top bits of a hash key, the first place it may fall in: so a lookup costs the same for 4 shards and 4,000.
    first_place: Vec<u16>,
    /// What leaves the top bits of the upper half of a hash key.
    top_shift: u32,
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
        let top_bits = (ranges.len().ilog2() + 5).clamp(*TOP_BITS.start(), *TOP_BITS.end());
        Self {
            births: open.iter().map(|shard| shard.birth).collect(),
            last_uppers: ranges.iter().map(|range| upper_half(range.last)).collect(),
            first_place: first_places(&ranges, top_bits),
            top_shift: u64::BITS - top_bits,
            ranges,
        }
    }

    /// Returns the place, in order of the ring, of the shard that owns `key`.
    #[inline]
    pub(crate) fn place(&self, key: HashKey) -> u16 {
        let upper = upper_half(key);
        let top = usize::try_from(upper >> self.top_shift).expect("a few bits");
        let mut place = self.first_place[top];
        // Few cells have an end of a shard in them, and next to no key shares its upper half with one.
        while self.last_uppers[usize::from(place)] <= upper
            && self.ranges[usize::from(place)].last < key
        {
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

/// Lists the places of the first keys of all cells of `top_bits` bits.
fn first_places(ranges: &[HashKeyRange], top_bits: u32) -> Vec<u16> {
    let mut place = 0;
    let first_place = |top: u32| {
        let key = HashKey(u128::from(top) << (u128::BITS - top_bits));
        while ranges[place].last < key {
            place += 1;
        }
        u16::try_from(place).expect("a stream has at most 10,000 open shards")
    };
    (0..1 << top_bits).map(first_place).collect()
}

fn upper_half(key: HashKey) -> u64 {
    u64::try_from(key.0 >> 64).expect("64 bits are left")
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
                load: Load::default(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_key_falls_in_the_shard_that_owns_it(count in 1_u32..10_001, keys: Vec<u128>, near in 0_u128..3) {
            let shards = shards(&HashKeyRange::uniform(count));
            let map = ShardMap::new(&shards);
            let edges = shards.iter().flat_map(|shard| [shard.range.first.0.saturating_sub(near), shard.range.last.0]);
            for key in keys.into_iter().chain(edges).map(HashKey) {
                let owner = map.owner(key).shard.0 as usize;
                prop_assert!(shards[owner].range.contains(key));
            }
        }
    }

    proptest! {
        #[test]
        fn every_key_falls_in_its_shard_however_the_ring_is_cut(
            cuts in prop::collection::btree_set(prop_oneof![1..=u128::MAX, 1..1_000_u128, (1..1_000_u128).prop_map(|low| 7 << 64 | low)], 0..60),
            keys: Vec<u128>,
        ) {
            let firsts: Vec<u128> = std::iter::once(0).chain(cuts.iter().copied()).collect();
            let lasts = cuts.iter().map(|cut| cut - 1).chain([u128::MAX]);
            let range = |(first, last): (&u128, u128)| HashKeyRange { first: HashKey(*first), last: HashKey(last) };
            let shards = shards(&firsts.iter().zip(lasts).map(range).collect::<Vec<_>>());
            let map = ShardMap::new(&shards);
            let edges = firsts.iter().flat_map(|&first| [first, first.saturating_sub(1), first.saturating_add(1)]);
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
