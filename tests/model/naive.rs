//! A stream as one would write it down: a list of all records, and shards searched one after the other.

use md5::Digest;
use md5::Md5;

use crate::seen::Planted;
use crate::seen::Record;
use crate::seen::Shard;
use crate::seen::even_ranges;

/// All that ever happened to a stream.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) now_ms: i64,
    pub(crate) records: Vec<Record>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) retention_ms: i64,
    /// What arrived then or before is forgotten.
    horizon_ms: i64,
    first_index: u64,
    planted: Option<Planted>,
}

fn second(ms: i64) -> u64 {
    u64::try_from(ms / 1_000).expect("the world begins after 1970")
}

impl Model {
    pub(crate) fn new(now_ms: i64, retention_ms: i64, first_index: u64) -> Self {
        Self {
            now_ms,
            records: Vec::new(),
            shards: Vec::new(),
            retention_ms,
            horizon_ms: now_ms - retention_ms,
            first_index,
            planted: None,
        }
    }

    /// Begins with even shards.
    pub(crate) fn with(mut self, shard_count: u32, planted: Option<Planted>) -> Self {
        for range in even_ranges(shard_count) {
            self.bear(range, [None, None], None);
        }
        self.planted = planted;
        self
    }

    pub(crate) fn advance(&mut self, duration_ms: i64) {
        self.now_ms += duration_ms;
        self.horizon_ms = self.horizon_ms.max(self.now_ms - self.retention_ms);
    }

    pub(crate) fn put(
        &mut self,
        key: &str,
        hash: Option<u128>,
        data: &str,
        arrival_ms: i64,
    ) -> Record {
        let hash = hash.unwrap_or_else(|| u128::from_be_bytes(Md5::digest(key.as_bytes()).into()));
        let skewed = self.planted == Some(Planted::RoutesEndsUp) && hash < u128::MAX;
        let hash = if skewed { hash + 1 } else { hash };
        let owns =
            |shard: &&Shard| shard.closed_ms.is_none() && shard.first <= hash && hash <= shard.last;
        let shard = self.shards.iter().find(owns).expect("open shards cover the ring");
        let latest = self.records.last().map_or(self.now_ms, |last| last.arrival_ms);
        let arrival_ms = arrival_ms.max(self.now_ms).max(latest);
        let record = Record {
            shard: shard.number,
            shard_born: shard.born,
            index: self.end(),
            second: second(arrival_ms),
            arrival_ms,
            key: key.to_owned(),
            data: data.to_owned(),
        };
        self.records.push(record.clone());
        record
    }

    fn close(&mut self, shard: u32) -> u64 {
        let shard = &mut self.shards[shard as usize];
        shard.closed_ms = Some(self.now_ms);
        shard.born
    }

    fn bear(
        &mut self,
        (first, last): (u128, u128),
        parents: [Option<u32>; 2],
        parents_born: Option<u64>,
    ) {
        let number = u32::try_from(self.shards.len()).expect("there are few");
        let now = second(self.now_ms);
        let born = parents_born.map_or(now, |parents| now.max(parents) + 1);
        let created_ms = self.now_ms;
        self.shards.push(Shard { number, born, first, last, parents, created_ms, closed_ms: None });
    }

    pub(crate) fn open(&self, shard: u32) -> Option<(u128, u128)> {
        let shard = self.shards.get(shard as usize)?;
        shard.closed_ms.is_none().then_some((shard.first, shard.last))
    }

    /// Splits a shard, if that is allowed.
    pub(crate) fn split(&mut self, shard: u32, at: Option<u128>) -> Option<()> {
        let (first, last) = self.open(shard)?;
        let at = at.or_else(|| (first + (last - first) / 2).checked_add(1))?;
        (at < last && first < at && 1 < at - first).then(|| self.cut(shard, at))
    }

    /// Cuts an open shard in two.
    pub(crate) fn cut(&mut self, shard: u32, at: u128) {
        let (first, last) = self.open(shard).expect("an open shard is cut");
        let born = Some(self.close(shard));
        self.bear((first, at - 1), [Some(shard), None], born);
        self.bear((at, last), [Some(shard), None], born);
    }

    /// Merges two shards, if that is allowed.
    pub(crate) fn merge(&mut self, lower: u32, upper: u32) -> Option<()> {
        let ((first, middle), (next, last)) = (self.open(lower)?, self.open(upper)?);
        if middle.checked_add(1)? != next {
            return None;
        }
        let born = Some(self.close(lower).max(self.close(upper)));
        self.bear((first, last), [Some(lower), Some(upper)], born);
        Some(())
    }

    /// Keeps records for `asked_ms`, if that is allowed.
    pub(crate) fn retain(&mut self, asked_ms: i64, longer: bool) -> Option<()> {
        const HOUR_MS: i64 = 3_600_000;
        let possible =
            (24 * HOUR_MS..=8_760 * HOUR_MS).contains(&asked_ms) && asked_ms % HOUR_MS == 0;
        let directed = asked_ms == self.retention_ms || longer == (self.retention_ms < asked_ms);
        if !possible || !directed {
            return None;
        }
        self.retention_ms = asked_ms;
        self.advance(0);
        Some(())
    }

    pub(crate) fn listed(&self) -> Vec<Shard> {
        let kept = |shard: &&Shard| shard.closed_ms.is_none_or(|closed| self.horizon_ms < closed);
        self.shards.iter().filter(kept).cloned().collect()
    }

    pub(crate) fn has(&self, shard: u32) -> bool {
        self.listed().iter().any(|listed| listed.number == shard)
    }

    pub(crate) fn end(&self) -> u64 {
        self.first_index + self.records.len() as u64
    }

    /// The index of the first record kept, or of the next to come.
    pub(crate) fn horizon(&self) -> u64 {
        let late = i64::from(self.planted == Some(Planted::ForgetsLate));
        self.first_at(self.horizon_ms + 1 - late)
    }

    /// The index of the first record that arrived then or later, or of the next to come.
    pub(crate) fn first_at(&self, time_ms: i64) -> u64 {
        let found = self.records.iter().find(|record| time_ms <= record.arrival_ms);
        found.map_or(self.end(), |record| record.index)
    }

    pub(crate) fn after(&self, index: u64) -> u64 {
        index + u64::from(self.planted != Some(Planted::IncludesAfter))
    }

    /// The records between two indices, and the index to go on from.
    pub(crate) fn read(
        &self,
        from: u64,
        until: u64,
        shard: Option<u32>,
        limit: usize,
    ) -> (Vec<Record>, u64) {
        let from = from.max(self.horizon());
        let until = until.min(self.end()).max(from);
        let wanted = |record: &&Record| {
            from <= record.index
                && record.index < until
                && shard.is_none_or(|shard| shard == record.shard)
        };
        let read: Vec<Record> = self.records.iter().filter(wanted).take(limit).cloned().collect();
        let next = match read.last() {
            _ if limit == 0 => from,
            Some(last) if read.len() == limit => last.index + 1,
            _ => until,
        };
        (read, next)
    }

    pub(crate) fn is_exhausted(&self, shard: u32, at: u64) -> bool {
        self.open(shard).is_none() && self.read(at, u64::MAX, Some(shard), 1).0.is_empty()
    }
}
