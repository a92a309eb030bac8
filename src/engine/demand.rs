//! How capacity on demand grows: a shard that was busy for a minute is split in the middle some time later.
//!
//! The service says that it splits shards with more than half of their capacity within fifteen minutes, and that a stream
//! is throttled whose traffic more than doubles within fifteen; so here a split comes fifteen minutes after its minute
//! began. AWS names bytes alone; many small records fill a shard too, so they count here as well.

use crate::clock::Millis;
use crate::limits::ON_DEMAND_GROWTH_MS;
use crate::limits::SHARD_WRITE_BYTES_PER_SECOND;
use crate::limits::SHARD_WRITE_RECORDS_PER_SECOND;

const MINUTE_MS: i64 = 60_000;
/// Half of what a shard takes in a minute.
const BUSY_RECORDS: i64 = SHARD_WRITE_RECORDS_PER_SECOND * 60 / 2;
const BUSY_BYTES: i64 = SHARD_WRITE_BYTES_PER_SECOND * 60 / 2;

/// What a shard took in the minute that runs, and when it is split if it was busy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    minute: i64,
    records: i64,
    bytes: i64,
    split_due: Option<Millis>,
}

impl Load {
    /// Counts a record, and answers when the shard is split if that is known now.
    pub(crate) fn count(&mut self, now: Millis, bytes: usize) -> Option<Millis> {
        let minute = now.0.div_euclid(MINUTE_MS);
        if minute != self.minute {
            *self = Self { minute, split_due: self.split_due, ..Self::default() };
        }
        self.records += 1;
        self.bytes += i64::try_from(bytes).unwrap_or(i64::MAX / 2);
        let is_busy = BUSY_RECORDS < self.records || BUSY_BYTES < self.bytes;
        if is_busy && self.split_due.is_none() {
            self.split_due = Some(Millis(minute * MINUTE_MS).plus(ON_DEMAND_GROWTH_MS));
        }
        self.split_due
    }

    /// When the shard is split, if it was busy.
    pub(crate) fn split_due(&self) -> Option<Millis> {
        self.split_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_is_busy_with_more_than_half_of_its_records_or_bytes_in_a_minute() {
        let (mut many, mut large) = (Load::default(), Load::default());
        for _ in 0..30_000 {
            assert_eq!(many.count(Millis(60_000), 10), None);
        }
        assert_eq!(many.count(Millis(119_999), 10), Some(Millis(60_000 + 900_000)));
        assert_eq!(large.count(Millis(5), 30 * 1024 * 1024), None);
        assert_eq!(large.count(Millis(6), 1), Some(Millis(900_000)));
    }

    #[test]
    fn minutes_are_counted_apart_and_a_split_stays_due() {
        let mut load = Load::default();
        for minute in 0..10 {
            for _ in 0..30_000 {
                assert_eq!(load.count(Millis(minute * MINUTE_MS), 1), None);
            }
        }
        let due = load.count(Millis(9 * MINUTE_MS), 1);
        assert_eq!(due, Some(Millis(24 * MINUTE_MS)));
        assert_eq!(load.count(Millis(11 * MINUTE_MS), 1), due);
    }
}
