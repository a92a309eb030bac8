//! What would have been refused, had a hot shard been split or its heavy keys been salted.

use crate::capacity::keys::Keys;
use crate::capacity::keys::Tally;
use crate::capacity::meter::Bin;
use crate::capacity::walk::Part;
use crate::capacity::walk::UNTIMED;
use crate::clock::Millis;
use crate::engine::shard::Shard;
use crate::engine::throttle::Throttle;
use crate::hash_key::HashKey;
use crate::limits::SHARD_WRITE_BYTES_PER_SECOND;
use crate::limits::SHARD_WRITE_RECORDS_PER_SECOND;
use crate::record::sequence::ShardIndex;

/// Into how many sub-keys heavy keys are salted.
pub(super) const SALTS: [u32; 3] = [2, 4, 8];
/// A key of this part of its shard's load or more is heavy, and so is the heaviest.
const HEAVY_SHARE: (u64, u64) = (1, 5);

/// A split of a shard in two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Split {
    /// The first hash key of the upper part: where the load falls apart most evenly.
    pub at: HashKey,
    /// Records that the two together would still have refused.
    pub over_limit: u64,
}

/// A shard that was asked for too much.
#[derive(Debug)]
pub(super) struct Hot<'a> {
    pub(super) shard: &'a Shard,
    keys: &'a Keys,
    /// The heavy keys, the heaviest first.
    pub(super) heavy: Vec<&'a Tally>,
    /// Records of keys that lie outside of the shard's range: they were routed by an explicit hash key.
    pub(super) explicit: u64,
    cut: Option<HashKey>,
    /// Of each tally, whether it lies above the cut.
    is_upper: Vec<bool>,
    /// Of each tally, which of the heavy keys it is.
    heavy_of: Vec<Option<u8>>,
    /// Whether parts remember the places of keys among the tallies.
    is_remembered: bool,
}

impl<'a> Hot<'a> {
    pub(super) fn new(shard: &'a Shard, keys: &'a Keys, total: Bin, remembers: bool) -> Self {
        let by_records = is_by_records(total);
        let weight = |tally: &Tally| weight(tally, by_records);
        // No more keys than that can each have such a part of the load.
        let most = usize::try_from(HEAVY_SHARE.1).expect("a few");
        let mut heavy = heaviest(keys, by_records, most);
        let whole = if by_records { total.records } else { total.bytes };
        let is_heavy = |tally: &&&Tally| whole * HEAVY_SHARE.0 <= weight(tally) * HEAVY_SHARE.1;
        let count = heavy.iter().take_while(is_heavy).count().max(1);
        heavy.truncate(count);
        let places: Vec<HashKey> =
            keys.tallies().iter().map(|tally| HashKey::of(&tally.key)).collect();
        let placed = || places.iter().zip(keys.tallies());
        let inside = |place: &HashKey| shard.range.contains(*place);
        let mut loads: Vec<(HashKey, u64)> = placed()
            .filter(|(place, _)| inside(place))
            .map(|(&place, tally)| (place, weight(tally)))
            .collect();
        loads.sort_unstable();
        let cut = best_cut(&loads);
        let explicit =
            placed().filter(|(place, _)| !inside(place)).map(|(_, tally)| tally.records).sum();
        let is_upper = |place: &HashKey| inside(place) && cut.is_some_and(|cut| cut <= *place);
        let is_upper = places.iter().map(is_upper).collect();
        let mut heavy_of = vec![None; keys.tallies().len()];
        for (number, tally) in (0..).zip(&heavy) {
            let place = keys.place(&tally.key).expect("it is one of them");
            heavy_of[place] = Some(number);
        }
        // Places change when keys are forgotten.
        let is_remembered = remembers && keys.forgotten() == 0;
        Self { shard, keys, heavy, explicit, cut, is_upper, heavy_of, is_remembered }
    }

    /// The place of a row's key among the tallies; none where it came so seldom that it was forgotten.
    fn place(&self, part: &Part, row: usize) -> Option<usize> {
        if self.is_remembered {
            return Some(part.key(row));
        }
        self.keys.place(part.block.keys.value(row))
    }

    fn is_upper(&self, part: &Part, row: usize) -> bool {
        match self.place(part, row) {
            Some(place) => self.is_upper[place],
            None => self.cut.is_some_and(|cut| cut <= HashKey::of(part.block.keys.value(row))),
        }
    }
}

/// Whether a shard comes nearer to its limit of records than to that of bytes.
pub(super) fn is_by_records(total: Bin) -> bool {
    let [records, bytes] = [SHARD_WRITE_RECORDS_PER_SECOND, SHARD_WRITE_BYTES_PER_SECOND]
        .map(|limit| u128::from(limit.unsigned_abs()));
    u128::from(total.bytes) * records <= u128::from(total.records) * bytes
}

/// How much of the nearer limit a key takes.
pub(super) fn weight(tally: &Tally, by_records: bool) -> u64 {
    if by_records { tally.records } else { tally.bytes }
}

/// The heaviest keys of a shard, the heaviest first.
pub(super) fn heaviest(keys: &Keys, by_records: bool, most: usize) -> Vec<&Tally> {
    let heavier_first = |one: &&Tally, other: &&Tally| {
        let weights = [one, other].map(|tally| weight(tally, by_records));
        weights[1].cmp(&weights[0]).then_with(|| one.key.cmp(&other.key))
    };
    let mut tallies: Vec<&Tally> = keys.tallies().iter().collect();
    if most < tallies.len() {
        tallies.select_nth_unstable_by(most, heavier_first);
        tallies.truncate(most);
    }
    tallies.sort_unstable_by(heavier_first);
    tallies
}

/// Finds where loads in order of the ring fall in two parts, the larger of which is as small as can be.
fn best_cut(loads: &[(HashKey, u64)]) -> Option<HashKey> {
    let whole: u64 = loads.iter().map(|&(_, weight)| weight).sum();
    let mut below = 0;
    let mut best: Option<(u64, HashKey)> = None;
    for pair in loads.windows(2) {
        let [(lower, weight), (upper, _)] = [pair[0], pair[1]];
        below += weight;
        let larger = below.max(whole - below);
        if lower < upper && best.is_none_or(|(least, _)| larger < least) {
            best = Some((larger, HashKey(lower.0 + (upper.0 - lower.0) / 2 + 1)));
        }
    }
    // Right after the lower key where both are neighbours, and never above the upper.
    best.map(|(_, cut)| cut)
}

/// Something done about hot shards, played over all records.
pub(super) enum Plan<'a> {
    Salt(Salt<'a>),
    Split(Vec<SplitPlay<'a>>),
}

impl Plan<'_> {
    pub(super) fn take(&mut self, part: &Part) {
        match self {
            Self::Salt(salt) => salt.take(part),
            Self::Split(splits) => splits.iter_mut().for_each(|split| split.take(part)),
        }
    }
}

/// One hot shard as two.
pub(super) struct SplitPlay<'a> {
    hot: &'a Hot<'a>,
    throttles: [Throttle; 2],
    over_limit: u64,
}

impl<'a> SplitPlay<'a> {
    pub(super) fn new(hot: &'a Hot<'a>) -> Self {
        Self { hot, throttles: [Throttle::full(), Throttle::full()], over_limit: 0 }
    }

    /// What came of it; nothing where the shard has one key alone.
    pub(super) fn outcome(&self) -> Option<Split> {
        self.hot.cut.map(|at| Split { at, over_limit: self.over_limit })
    }

    fn take(&mut self, part: &Part) {
        let Self { hot, throttles, over_limit } = self;
        if hot.cut.is_none() {
            return;
        }
        part.each_of(hot.shard.birth.shard, |row, bytes, time| {
            if time != UNTIMED {
                let side = usize::from(hot.is_upper(part, row));
                let admitted = throttles[side].admit_record(Millis(time), bytes as usize);
                *over_limit += u64::from(!admitted);
            }
        });
    }
}

/// The heavy keys of all hot shards salted: each record of one goes to the next of its sub-keys.
pub(super) struct Salt<'a> {
    shards: &'a [Shard],
    throttles: Vec<Throttle>,
    hot: &'a [Hot<'a>],
    /// By shard, the hot one that it is.
    hot_of: Vec<Option<usize>>,
    /// By hot shard and heavy key.
    heavy: Vec<Vec<Salted>>,
    /// Records of each hot shard that would still have been refused, wherever they went.
    pub(super) over_limit: Vec<u64>,
    /// Those of all shards.
    pub(super) total: u64,
}

/// A key whose records go to sub-keys in turn.
struct Salted {
    next: usize,
    /// Of each sub-key, the shards that own it in their time, and the bytes that it is longer.
    sub_keys: Vec<(Vec<usize>, usize)>,
}

impl<'a> Salt<'a> {
    /// `shards` are in order of their index.
    pub(super) fn new(shards: &'a [Shard], hot: &'a [Hot<'a>], sub_keys: u32) -> Self {
        let owners = |hash_key: HashKey| -> Vec<usize> {
            (0..shards.len()).filter(|&place| shards[place].range.contains(hash_key)).collect()
        };
        let salted = |tally: &&'a Tally| Salted {
            next: 0,
            sub_keys: (0..sub_keys)
                .map(|salt| {
                    let suffix = format!("-{salt}");
                    (owners(HashKey::of(&format!("{}{suffix}", tally.key))), suffix.len())
                })
                .collect(),
        };
        let is_hot =
            |shard: &Shard| hot.iter().position(|hot| hot.shard.birth.shard == shard.birth.shard);
        Self {
            shards,
            throttles: shards.iter().map(|_| Throttle::full()).collect(),
            hot,
            hot_of: shards.iter().map(is_hot).collect(),
            heavy: hot.iter().map(|hot| hot.heavy.iter().map(salted).collect()).collect(),
            over_limit: vec![0; hot.len()],
            total: 0,
        }
    }

    fn take(&mut self, part: &Part) {
        let routes = &part.block.routes;
        let places: Vec<Option<usize>> =
            routes.runs().iter().map(|run| place_of(self.shards, run.birth.shard)).collect();
        for row in part.rows.clone() {
            let run = routes.places().map_or(0, |places| usize::from(places[row]));
            let (Some(home), time) = (places[run], part.time(row)) else { continue };
            if time == UNTIMED {
                continue;
            }
            let hot = self.hot_of[home];
            let (place, suffix_bytes) = match hot {
                Some(hot) => self.salted(hot, home, part, row),
                None => (home, 0),
            };
            let bytes = part.bytes(row) as usize + suffix_bytes;
            if !self.throttles[place].admit_record(Millis(time), bytes) {
                self.total += 1;
                if let Some(hot) = hot {
                    self.over_limit[hot] += 1;
                }
            }
        }
    }

    /// Where a record of a hot shard goes, and by how many bytes its key is longer then.
    fn salted(&mut self, hot: usize, home: usize, part: &Part, row: usize) -> (usize, usize) {
        let known = &self.hot[hot];
        let heavy = known.place(part, row).and_then(|place| known.heavy_of[place]);
        let Some(heavy) = heavy else { return (home, 0) };
        let salted = &mut self.heavy[hot][usize::from(heavy)];
        let (owners, suffix_bytes) = &salted.sub_keys[salted.next];
        salted.next = (salted.next + 1) % salted.sub_keys.len();
        let arrival = Millis(part.arrival(row));
        let is_open = |shard: &Shard| {
            shard.created <= arrival && shard.closed.is_none_or(|closed| arrival < closed)
        };
        let owner = owners.iter().copied().find(|&place| is_open(&self.shards[place]));
        (owner.unwrap_or(home), *suffix_bytes)
    }
}

/// The place of a shard among shards in order of their index.
pub(super) fn place_of(shards: &[Shard], shard: ShardIndex) -> Option<usize> {
    shards.binary_search_by_key(&shard, |each| each.birth.shard).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_cut_is_better_than_the_best(loads in prop::collection::btree_map(any::<u128>(), 1..1_000_u64, 0..12)) {
            let loads: Vec<(HashKey, u64)> = loads.into_iter().map(|(key, weight)| (HashKey(key), weight)).collect();
            let larger = |cut: HashKey| {
                let sum = |upper: bool| loads.iter().filter(|(key, _)| (cut <= *key) == upper).map(|&(_, weight)| weight).sum::<u64>();
                sum(true).max(sum(false))
            };
            let cuts = loads.iter().skip(1).map(|&(key, _)| larger(key));
            prop_assert_eq!(best_cut(&loads).map(larger), cuts.min());
        }
    }
}
