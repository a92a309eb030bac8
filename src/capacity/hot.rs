//! Which shards were hot, which keys made them so, and what would have helped.

use crate::capacity::GoOn;
use crate::capacity::keys::Keys;
use crate::capacity::keys::Tally;
use crate::capacity::meter::Bin;
use crate::capacity::meter::Meter;
use crate::capacity::meter::Second;
use crate::capacity::traffic::measure;
use crate::capacity::walk::Walk;
use crate::capacity::what_if::Hot;
use crate::capacity::what_if::Plan;
use crate::capacity::what_if::SALTS;
use crate::capacity::what_if::Salt;
use crate::capacity::what_if::Split;
use crate::capacity::what_if::SplitPlay;
use crate::capacity::what_if::heaviest;
use crate::capacity::what_if::is_by_records;
use crate::capacity::what_if::place_of;
use crate::capacity::what_if::weight;
use crate::engine::shard::Shard;
use crate::engine::slice::Slice;
use crate::query::QueryError;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;

/// As few bins as there can be: nobody looks at them.
const BINS: usize = 8;

/// A key, and what it brought to a shard.
#[derive(Clone, Debug, PartialEq)]
pub struct HotKey {
    /// The shard.
    pub shard: ShardIndex,
    /// The key.
    pub key: String,
    /// Its records there.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The part of the shard's load that is this key's: of its records or of its bytes, whichever limit is nearer.
    pub share: f64,
}

/// A shard, why it was hot, and what would have helped.
#[derive(Clone, Debug)]
pub struct HotShard {
    /// The shard.
    pub shard: ShardIndex,
    /// What it took; of it, what would have been refused.
    pub total: Bin,
    /// Whether it comes nearer to its limit of records than to that of bytes.
    pub is_by_records: bool,
    /// The second in which most would have been refused.
    pub worst: Second,
    /// In how many seconds any would have been.
    pub seconds_over: u64,
    /// Distinct keys, as far as they were counted.
    pub keys: u64,
    /// Records of keys that came too seldom to be counted among so many.
    pub uncounted: u64,
    /// Records that an explicit hash key brought here.
    pub explicit: u64,
    /// The keys that were salted.
    pub salted_keys: Vec<String>,
    /// What a split would have done, where anything was refused and there are keys to part.
    pub split: Option<Split>,
    /// By number of sub-keys, what salting would have left, where anything was refused.
    pub salted: Vec<(u32, u64)>,
}

/// Which shards were hot.
#[derive(Clone, Debug)]
pub struct HotReport {
    /// All records.
    pub total: Bin,
    /// The shards that had most refused, then those that took most.
    pub shards: Vec<HotShard>,
    /// Their heaviest keys, shard by shard.
    pub keys: Vec<HotKey>,
    /// What all shards would have refused, had all hot ones been split.
    pub splitting: u64,
    /// By number of sub-keys, what all shards would have refused, had the heavy keys of all hot ones been salted.
    pub salting: Vec<(u32, u64)>,
}

/// Explains the `top` hottest shards by their `top` heaviest keys, and tries what would have helped.
///
/// `shards` are in order of their index. Records are looked at by when they arrived, or by a column of event times.
pub fn explain_hot(
    shards: &[Shard],
    slices: &[Slice],
    time: Option<&str>,
    top: usize,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<HotReport, QueryError> {
    let meter = |shard: &Shard| Meter::new(shard.birth.shard, BINS, Some(Keys::default()));
    let mut meters: Vec<Meter> = shards.iter().map(meter).collect();
    let mut walk = Walk::new(slices, time, threads, go_on)?;
    walk.look(|walk, parts| measure(&mut meters, walk, parts))?;
    let mut total = Bin::default();
    for meter in &meters {
        total += meter.total;
    }
    meters.retain(|meter| 0 < meter.total.records);
    meters.sort_by_key(|meter| {
        std::cmp::Reverse((meter.total.over_limit, meter.total.records, meter.total.bytes))
    });
    meters.truncate(top);
    let hot: Vec<Hot<'_>> = meters
        .iter()
        .take_while(|meter| 0 < meter.total.over_limit)
        .filter_map(|meter| {
            let shard = &shards[place_of(shards, meter.shard)?];
            Some(Hot::new(shard, meter.keys.as_ref()?, meter.total, walk.remembers()))
        })
        .collect();
    let mut plans = vec![Plan::Split(hot.iter().map(SplitPlay::new).collect())];
    plans.extend(SALTS.map(|salt| Plan::Salt(Salt::new(shards, &hot, salt))));
    if !hot.is_empty() {
        walk.look(|walk, parts| {
            walk.on_each(plans.iter_mut(), |plan| {
                for part in parts {
                    plan.take(part);
                }
            })
        })?;
    }
    Ok(report(total, &meters, &hot, &plans, top))
}

fn report(
    total: Bin,
    meters: &[Meter],
    hot: &[Hot<'_>],
    plans: &[Plan<'_>],
    top: usize,
) -> HotReport {
    let splits: Vec<Option<Split>> = plans
        .iter()
        .filter_map(|plan| match plan {
            Plan::Split(splits) => Some(splits.iter().map(SplitPlay::outcome)),
            Plan::Salt(_) => None,
        })
        .flatten()
        .collect();
    let salts: Vec<(u32, &Salt<'_>)> = SALTS
        .into_iter()
        .zip(plans.iter().filter_map(|plan| match plan {
            Plan::Salt(salt) => Some(salt),
            Plan::Split(_) => None,
        }))
        .collect();
    // A split may also make it worse: a record that went into the shard's debt alone lets others through.
    let splitting = splits.iter().zip(meters).fold(total.over_limit, |left, (split, meter)| {
        split.map_or(left, |split| left - meter.total.over_limit + split.over_limit)
    });
    let mut keys = Vec::new();
    let shards = meters.iter().enumerate().map(|(place, meter)| {
        let is_by_records = is_by_records(meter.total);
        keys.extend(hot_keys(meter, is_by_records, top));
        let hot = hot.get(place);
        HotShard {
            shard: meter.shard,
            total: meter.total,
            is_by_records,
            worst: meter.worst,
            seconds_over: meter.seconds_over,
            keys: meter.keys.as_ref().map_or(0, |keys| keys.tallies().len() as u64),
            uncounted: meter.keys.as_ref().map_or(0, Keys::forgotten),
            explicit: hot.map_or(0, |hot| hot.explicit),
            salted_keys: hot
                .map(|hot| hot.heavy.iter().map(|tally| tally.key.to_string()).collect())
                .unwrap_or_default(),
            split: splits.get(place).copied().flatten(),
            salted: hot
                .map(|_| salts.iter().map(|(salt, play)| (*salt, play.over_limit[place])).collect())
                .unwrap_or_default(),
        }
    });
    let shards = shards.collect();
    let salting = if hot.is_empty() {
        Vec::new()
    } else {
        salts.iter().map(|(salt, play)| (*salt, play.total)).collect()
    };
    HotReport { total, shards, keys, splitting, salting }
}

#[expect(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
fn part(of: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { of as f64 / whole as f64 }
}

/// The heaviest keys of a shard, the heaviest first.
fn hot_keys(meter: &Meter, by_records: bool, top: usize) -> Vec<HotKey> {
    let Some(keys) = &meter.keys else { return Vec::new() };
    let whole = if by_records { meter.total.records } else { meter.total.bytes };
    let hot_key = |tally: &Tally| HotKey {
        share: part(weight(tally, by_records), whole),
        shard: meter.shard,
        key: tally.key.to_string(),
        records: tally.records,
        bytes: tally.bytes,
    };
    heaviest(keys, by_records, top).into_iter().map(hot_key).collect()
}
