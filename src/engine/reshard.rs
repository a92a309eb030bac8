//! Splits, merges and uniform maps: which shards close and which are born, as a plan over a stream's shards.

use crate::clock::Millis;
use crate::engine::demand::Load;
use crate::engine::shard::Shard;
use crate::engine::throttle::Throttle;
use crate::hash_key::HashKey;
use crate::hash_key::HashKeyRange;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;

/// The shards a stream begins with: the ring cut evenly.
pub(crate) fn first_shards(now: Millis, born_seconds: u64, count: u32) -> Vec<Shard> {
    let ranges = HashKeyRange::uniform(count);
    let shard = |(index, range)| Shard {
        birth: ShardBirth { shard: ShardIndex(index), created_seconds: born_seconds },
        range,
        parent: None,
        adjacent_parent: None,
        created: now,
        closed: None,
        throttle: Throttle::new(now),
        load: Load::default(),
    };
    (0..).zip(ranges).map(shard).collect()
}

/// Splits an open shard at `at`, which lies inside it, and returns its children.
pub(crate) fn split(
    shards: &mut Vec<Shard>,
    now: Millis,
    shard: ShardIndex,
    at: HashKey,
) -> [ShardIndex; 2] {
    let (lower, upper) = shards[shard.0 as usize].range.split(at);
    close(shards, now, shard);
    [bear(shards, now, lower, shard, None), bear(shards, now, upper, shard, None)]
}

/// Merges two open neighbours and returns their child.
pub(crate) fn merge(
    shards: &mut Vec<Shard>,
    now: Millis,
    lower: ShardIndex,
    upper: ShardIndex,
) -> ShardIndex {
    let (below, above) = (shards[lower.0 as usize].range, shards[upper.0 as usize].range);
    assert!(below.is_followed_by(above), "only neighbours are merged");
    close(shards, now, lower);
    close(shards, now, upper);
    bear(shards, now, HashKeyRange { first: below.first, last: above.last }, lower, Some(upper))
}

/// Splits and merges open shards until they cut the ring evenly into `count`.
///
/// Each step is a split or a merge, so lineage stays a chain of them; shards born and closed on the way hold no
/// records, and may be narrower than a user may cut.
pub(crate) fn scale_uniformly(shards: &mut Vec<Shard>, now: Millis, count: u32) {
    let targets = HashKeyRange::uniform(count);
    let mut pieces = Vec::new();
    for shard in open_in_order(shards) {
        let range = shards[shard.0 as usize].range;
        let inside =
            |target: &&HashKeyRange| range.first < target.first && target.first <= range.last;
        let cuts: Vec<HashKey> = targets.iter().filter(inside).map(|target| target.first).collect();
        split_at_all(shards, now, shard, &cuts, &mut pieces);
    }
    let mut rest = pieces.as_slice();
    for target in targets {
        let whole =
            rest.partition_point(|piece| shards[piece.0 as usize].range.last <= target.last);
        merge_all(shards, now, &rest[..whole]);
        rest = &rest[whole..];
    }
}

/// Splits one shard at every cut, in halves of the cuts so that no lineage grows long, and lists the pieces in order.
fn split_at_all(
    shards: &mut Vec<Shard>,
    now: Millis,
    shard: ShardIndex,
    cuts: &[HashKey],
    pieces: &mut Vec<ShardIndex>,
) {
    let Some(&at) = cuts.get(cuts.len() / 2) else {
        pieces.push(shard);
        return;
    };
    let [lower, upper] = split(shards, now, shard, at);
    split_at_all(shards, now, lower, &cuts[..cuts.len() / 2], pieces);
    split_at_all(shards, now, upper, &cuts[cuts.len() / 2 + 1..], pieces);
}

/// Merges neighbours into one, pair by pair.
fn merge_all(shards: &mut Vec<Shard>, now: Millis, pieces: &[ShardIndex]) -> ShardIndex {
    match *pieces {
        [] => unreachable!("every target holds a piece: cuts were made at its ends"),
        [only] => only,
        _ => {
            let (lower, upper) = pieces.split_at(pieces.len() / 2);
            let lower = merge_all(shards, now, lower);
            let upper = merge_all(shards, now, upper);
            merge(shards, now, lower, upper)
        }
    }
}

pub(crate) fn open_in_order(shards: &[Shard]) -> Vec<ShardIndex> {
    let mut open: Vec<&Shard> = shards.iter().filter(|shard| shard.is_open()).collect();
    open.sort_by_key(|shard| shard.range.first);
    open.iter().map(|shard| shard.birth.shard).collect()
}

fn close(shards: &mut [Shard], now: Millis, shard: ShardIndex) {
    let shard = &mut shards[shard.0 as usize];
    assert!(shard.is_open(), "a shard is closed once");
    shard.closed = Some(now);
}

fn bear(
    shards: &mut Vec<Shard>,
    now: Millis,
    range: HashKeyRange,
    parent: ShardIndex,
    adjacent_parent: Option<ShardIndex>,
) -> ShardIndex {
    let created_before = |parent: ShardIndex| shards[parent.0 as usize].birth.created_seconds;
    let parents_created = created_before(parent).max(adjacent_parent.map_or(0, created_before));
    let index = ShardIndex(u32::try_from(shards.len()).expect("shards of a stream fit 32 bits"));
    shards.push(Shard {
        // A second above its parents': so all of its sequence numbers are above theirs.
        birth: ShardBirth {
            shard: index,
            created_seconds: now.whole_seconds().max(parents_created) + 1,
        },
        range,
        parent: Some(parent),
        adjacent_parent,
        created: now,
        closed: None,
        throttle: Throttle::new(now),
        load: Load::default(),
    });
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::shard::ShardMap;
    use proptest::prelude::*;

    fn open_ranges(shards: &[Shard]) -> Vec<HashKeyRange> {
        ShardMap::new(shards).ranges().to_vec()
    }

    #[test]
    fn two_to_three_splits_both_and_merges_the_middle() {
        let mut shards = first_shards(Millis(0), 0, 2);
        scale_uniformly(&mut shards, Millis(0), 3);
        assert_eq!(open_ranges(&shards), HashKeyRange::uniform(3));
        let last = shards.last().unwrap();
        assert_eq!((last.parent, last.adjacent_parent), (Some(ShardIndex(3)), Some(ShardIndex(4))));
        assert_eq!(shards.len(), 7);
    }

    #[test]
    fn same_count_of_even_shards_changes_nothing() {
        let mut shards = first_shards(Millis(0), 0, 5);
        scale_uniformly(&mut shards, Millis(0), 5);
        assert_eq!(shards.len(), 5);
    }

    proptest! {
        #[test]
        fn any_walk_of_counts_ends_even_with_children_above_parents(
            start in 1_u32..40, counts in prop::collection::vec(1_u32..40, 1..6), cut: u128,
        ) {
            let mut shards = first_shards(Millis(0), 0, start);
            for count in counts {
                let first = open_in_order(&shards)[0];
                let range = shards[first.0 as usize].range;
                split(&mut shards, Millis(5), first, HashKey(range.first.0 + 1 + cut % (range.last.0 - range.first.0)));
                scale_uniformly(&mut shards, Millis(9), count);
                prop_assert_eq!(open_ranges(&shards), HashKeyRange::uniform(count));
            }
            for shard in &shards {
                for parent in [shard.parent, shard.adjacent_parent].into_iter().flatten() {
                    let parent = &shards[parent.0 as usize];
                    let ending = parent.ending_sequence_number().unwrap().to_string();
                    prop_assert!(ending < shard.starting_sequence_number().to_string());
                }
            }
        }
    }
}
