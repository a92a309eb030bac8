//! Which shard took what and when, and what it refused or should have.

use std::collections::BTreeMap;

use crate::capacity::GoOn;
use crate::capacity::meter::Meter;
use crate::capacity::walk::Part;
use crate::capacity::walk::Walk;
use crate::clock::Millis;
use crate::engine::shard::Shard;
use crate::engine::slice::Slice;
use crate::engine::timeline::Timeline;
use crate::query::QueryError;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;

pub use crate::capacity::meter::Bin;

/// What one shard took.
#[derive(Clone, Debug)]
pub struct ShardTraffic {
    /// The shard.
    pub shard: ShardIndex,
    /// All of it.
    pub total: Bin,
    /// Records that it refused because of its limits, since the engine was opened.
    pub refused: u64,
    /// The earliest and the latest time of a record.
    pub times: Option<(Millis, Millis)>,
    /// By time: what it took, and what it refused; bins without either are left out.
    pub bins: Vec<(Millis, Bin, u64)>,
}

/// What the shards of a stream took.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// How wide bins are.
    pub bin_ms: i64,
    /// The first bin's start, and the end of the last; nothing where nothing came.
    pub span: Option<(Millis, Millis)>,
    /// The shards that took or refused any, in order.
    pub shards: Vec<ShardTraffic>,
}

/// Measures records by shard: by when they arrived, or by a column of event times.
pub fn traffic(
    shards: &[Shard],
    refused: &BTreeMap<ShardIndex, Timeline<u64>>,
    slices: &[Slice],
    time: Option<&str>,
    bins: usize,
    threads: Threads,
    go_on: GoOn<'_>,
) -> Result<Traffic, QueryError> {
    let mut meters: Vec<Meter> =
        shards.iter().map(|shard| Meter::new(shard.birth.shard, bins, None)).collect();
    let mut walk = Walk::new(slices, time, threads, go_on)?;
    walk.look(|walk, parts| measure(&mut meters, walk, parts))?;
    // When records were refused is known by arrival alone.
    let by_arrival = walk.is_by_arrival();
    let mut lines: Vec<(Meter, Timeline<u64>, u64)> = meters
        .into_iter()
        .map(|meter| {
            let line = refused.get(&meter.shard);
            let total = line.map_or(0, Timeline::total);
            let line = line.filter(|_| by_arrival).cloned();
            (meter, line.unwrap_or_else(|| Timeline::new(bins)), total)
        })
        .filter(|(meter, _, total)| 0 < meter.total.records + total)
        .collect();
    let spans = lines.iter().flat_map(|(meter, line, _)| [meter.timeline.span(), line.span()]);
    let span = spans.flatten().reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let mut width_ms = 1;
    if let Some(span) = span {
        for (meter, line, _) in &mut lines {
            meter.timeline.cover(span);
            line.cover(span);
            width_ms = width_ms.max(meter.timeline.width_ms()).max(line.width_ms());
        }
    }
    let mut traffic = Traffic { bin_ms: width_ms, span: None, shards: Vec::new() };
    for (mut meter, mut line, refused) in lines {
        meter.timeline.widen_to(width_ms);
        line.widen_to(width_ms);
        traffic.span = meter.timeline.span();
        let both = meter.timeline.iter().zip(line.iter());
        let bins = both.map(|((start, bin), (_, refused))| (start, bin, refused));
        let bins = bins.filter(|(_, bin, refused)| 0 < bin.records + refused).collect();
        let (shard, total, times) = (meter.shard, meter.total, meter.times);
        traffic.shards.push(ShardTraffic { shard, total, refused, times, bins });
    }
    Ok(traffic)
}

/// Has each shard's records counted by the thread that is free next.
pub(super) fn measure(
    meters: &mut [Meter],
    walk: &Walk<'_>,
    parts: &[Part],
) -> Result<(), QueryError> {
    walk.on_each(meters.iter_mut(), |meter| {
        for part in parts {
            part.each_of(meter.shard, |row, bytes, time| {
                meter.count(time, bytes);
                if let Some(keys) = &mut meter.keys {
                    part.set_key(row, keys.count(part.block.keys.value(row), bytes));
                }
            });
        }
    })
}
