//! What a shard may take and hand out in a second, and how often an account may ask: buckets that fill on the engine's
//! clock.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::limits::SHARD_ITERATORS_PER_SECOND;
use crate::limits::SHARD_READ_BYTES_PER_SECOND;
use crate::limits::SHARD_READS_PER_SECOND;
use crate::limits::SHARD_WRITE_BYTES_PER_SECOND;
use crate::limits::SHARD_WRITE_RECORDS_PER_SECOND;

/// A bucket of whole units; it holds a second's worth and fills evenly.
#[derive(Clone, Debug)]
struct Bucket {
    per_second: i64,
    /// Thousandths of a unit, so that a millisecond's share is a whole number; negative while in debt.
    level: i64,
    filled: Millis,
}

impl Bucket {
    fn new(per_second: i64, now: Millis) -> Self {
        Self { per_second, level: per_second * 1000, filled: now }
    }

    fn fill(&mut self, now: Millis) {
        // An hour fills any debt: the product below stays small.
        let elapsed_ms = now.since(self.filled).clamp(0, 3_600_000);
        self.level = (self.level + elapsed_ms * self.per_second).min(self.per_second * 1000);
        self.filled = self.filled.max(now);
    }

    /// Tells whether `units` may be taken: they are there, or the bucket is full and goes into debt.
    fn allows(&self, units: i64) -> bool {
        units * 1000 <= self.level || self.level == self.per_second * 1000
    }

    fn take(&mut self, units: i64) {
        self.level -= units * 1000;
    }

    /// Takes units that were not asked for before; more than a second's worth are paid for whole.
    fn charge(&mut self, units: i64) {
        if self.per_second < units {
            self.level = self.level.min(0);
        }
        self.take(units);
    }

    /// Takes one unit if it is there.
    fn admit(&mut self, now: Millis) -> bool {
        self.fill(now);
        let admitted = self.allows(1);
        if admitted {
            self.take(1);
        }
        admitted
    }
}

/// The capacity of one shard.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    write_records: Bucket,
    write_bytes: Bucket,
    reads: Bucket,
    read_bytes: Bucket,
    iterators: Bucket,
}

impl Throttle {
    /// A shard that nobody asked for anything of late.
    pub(crate) fn full() -> Self {
        Self::new(Millis(i64::MIN))
    }

    pub(crate) fn new(now: Millis) -> Self {
        Self {
            write_records: Bucket::new(SHARD_WRITE_RECORDS_PER_SECOND, now),
            write_bytes: Bucket::new(SHARD_WRITE_BYTES_PER_SECOND, now),
            reads: Bucket::new(SHARD_READS_PER_SECOND, now),
            read_bytes: Bucket::new(SHARD_READ_BYTES_PER_SECOND, now),
            iterators: Bucket::new(SHARD_ITERATORS_PER_SECOND, now),
        }
    }

    /// Takes room for one record of `bytes`, key counted, and tells whether there was any.
    pub(crate) fn admit_record(&mut self, now: Millis, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 2000);
        self.write_records.fill(now);
        self.write_bytes.fill(now);
        let admitted = self.write_records.allows(1) && self.write_bytes.allows(bytes);
        if admitted {
            self.write_records.take(1);
            self.write_bytes.take(bytes);
        }
        admitted
    }

    /// Tells whether there is room for one read.
    pub(crate) fn allows_read(&mut self, now: Millis) -> bool {
        self.reads.fill(now);
        self.read_bytes.fill(now);
        self.reads.allows(1) && 0 < self.read_bytes.level
    }

    /// Counts a read that was allowed; its bytes are counted when they are known.
    pub(crate) fn count_read(&mut self) {
        self.reads.take(1);
    }

    /// Counts the bytes that an admitted read handed out; what is over a second's worth delays the next.
    pub(crate) fn count_read_bytes(&mut self, bytes: usize) {
        self.read_bytes.charge(i64::try_from(bytes).unwrap_or(i64::MAX / 2000));
    }

    /// Takes room for one iterator, and tells whether there was any.
    pub(crate) fn admit_iterator(&mut self, now: Millis) -> bool {
        self.iterators.admit(now)
    }
}

/// How often operations were asked for of late, each in the account or of one thing in it.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    buckets: BTreeMap<(&'static str, String), Bucket>,
}

impl Requests {
    /// Buckets beside which full ones are forgotten: whoever makes up names fills no memory.
    const KEPT: usize = 1_024;

    /// Takes room for one request of an operation, and tells whether there was any.
    pub(crate) fn admit(
        &mut self,
        now: Millis,
        operation: &'static str,
        of: &str,
        per_second: i64,
    ) -> bool {
        if Self::KEPT <= self.buckets.len() {
            self.buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.level < bucket.per_second * 1000
            });
        }
        let bucket = self.buckets.entry((operation, of.to_owned()));
        bucket.or_insert_with(|| Bucket::new(per_second, now)).admit(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(throttle: &mut Throttle, now: Millis) -> bool {
        let allowed = throttle.allows_read(now);
        if allowed {
            throttle.count_read();
        }
        allowed
    }

    #[test]
    fn shard_takes_a_thousand_records_a_second_and_no_more() {
        let mut throttle = Throttle::new(Millis(0));
        assert!((0..1_000).all(|_| throttle.admit_record(Millis(0), 1)));
        assert!(!throttle.admit_record(Millis(0), 1));
        assert!(throttle.admit_record(Millis(1), 1));
        assert!(!throttle.admit_record(Millis(1), 1));
        assert_eq!((0..2_000).filter(|_| throttle.admit_record(Millis(5_000), 1)).count(), 1_000);
    }

    #[test]
    fn shard_takes_a_mebibyte_a_second_and_no_more() {
        let mut throttle = Throttle::new(Millis(0));
        assert!(throttle.admit_record(Millis(0), 1024 * 1024));
        assert!(!throttle.admit_record(Millis(0), 1));
        assert!(!throttle.admit_record(Millis(500), 600 * 1024));
        assert!(throttle.admit_record(Millis(500), 500 * 1024));
    }

    #[test]
    fn large_record_may_burst_and_is_paid_back() {
        let mut throttle = Throttle::new(Millis(0));
        assert!(throttle.admit_record(Millis(0), 10 * 1024 * 1024));
        assert!(!throttle.admit_record(Millis(8_999), 1));
        assert!(throttle.admit_record(Millis(9_100), 1));
    }

    #[test]
    fn shard_answers_five_reads_a_second_and_pays_back_bytes() {
        let mut throttle = Throttle::new(Millis(0));
        assert!((0..5).all(|_| read(&mut throttle, Millis(0))));
        assert!(!read(&mut throttle, Millis(0)));
        assert!(read(&mut throttle, Millis(200)));
        throttle.count_read_bytes(10 * 1024 * 1024);
        assert!(!read(&mut throttle, Millis(5_200)));
        assert!(read(&mut throttle, Millis(5_201)));
    }

    #[test]
    fn requests_are_counted_by_operation_and_by_what_they_ask_of() {
        let mut requests = Requests::default();
        let mut many = |now, operation, of| {
            (0..20).filter(|_| requests.admit(Millis(now), operation, of, 5)).count()
        };
        assert_eq!(many(0, "ListStreams", ""), 5);
        assert_eq!(many(0, "ListTagsForStream", ""), 5);
        assert_eq!(many(0, "ListStreamConsumers", "clicks"), 5);
        assert_eq!(many(0, "ListStreamConsumers", "views"), 5);
        assert_eq!(many(600, "ListStreams", ""), 3);
    }

    #[test]
    fn names_without_end_are_forgotten_once_their_second_has_passed() {
        let mut requests = Requests::default();
        for name in 0..10_000 {
            assert!(requests.admit(Millis(name), "ListShards", &name.to_string(), 5));
        }
        assert!(requests.buckets.len() <= Requests::KEPT + 1);
    }

    #[test]
    fn clock_that_goes_back_gives_no_capacity() {
        let mut throttle = Throttle::new(Millis(10_000));
        assert!((0..1_000).all(|_| throttle.admit_record(Millis(10_000), 1)));
        assert!(!throttle.admit_record(Millis(1_000), 1));
        assert!(!throttle.admit_record(Millis(10_000), 1));
    }
}
