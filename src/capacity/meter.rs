//! What one shard took, and what its limits would have refused of it.

use std::ops::AddAssign;

use crate::capacity::keys::Keys;
use crate::capacity::walk::UNTIMED;
use crate::clock::Millis;
use crate::engine::throttle::Throttle;
use crate::engine::timeline::Timeline;
use crate::record::sequence::ShardIndex;

/// What a shard took in some time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bin {
    /// Records.
    pub records: u64,
    /// Their bytes, keys counted.
    pub bytes: u64,
    /// Those of them that a shard of the service would have refused.
    pub over_limit: u64,
}

impl AddAssign for Bin {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.over_limit += other.over_limit;
    }
}

/// A second, and how many records were too many in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Second {
    /// The second, since 1970.
    pub at: i64,
    /// Records that would have been refused.
    pub over_limit: u64,
}

/// A shard, measured record by record.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) shard: ShardIndex,
    pub(super) total: Bin,
    /// The earliest and the latest time of a record.
    pub(super) times: Option<(Millis, Millis)>,
    pub(super) timeline: Timeline<Bin>,
    pub(super) keys: Option<Keys>,
    pub(super) worst: Second,
    /// Seconds in which records would have been refused.
    pub(super) seconds_over: u64,
    throttle: Throttle,
    second: Second,
}

impl Meter {
    pub(super) fn new(shard: ShardIndex, bins: usize, keys: Option<Keys>) -> Self {
        Self {
            shard,
            total: Bin::default(),
            times: None,
            timeline: Timeline::new(bins),
            keys,
            worst: Second::default(),
            seconds_over: 0,
            throttle: Throttle::full(),
            second: Second::default(),
        }
    }

    /// Counts a record; one without a time is counted and asked no limit for.
    pub(super) fn count(&mut self, time: i64, bytes: u32) {
        let mut bin = Bin { records: 1, bytes: bytes.into(), over_limit: 0 };
        if time != UNTIMED {
            let time = Millis(time);
            if !self.throttle.admit_record(time, bytes as usize) {
                bin.over_limit = 1;
                self.refuse(time.0.div_euclid(1_000));
            }
            self.times = Some(match self.times {
                None => (time, time),
                Some((first, last)) => (first.min(time), last.max(time)),
            });
            self.timeline.add(time, bin);
        }
        self.total += bin;
    }

    fn refuse(&mut self, at: i64) {
        if self.second.at != at || self.second.over_limit == 0 {
            self.second = Second { at, over_limit: 0 };
            self.seconds_over += 1;
        }
        self.second.over_limit += 1;
        if self.worst.over_limit < self.second.over_limit {
            self.worst = self.second;
        }
    }
}
