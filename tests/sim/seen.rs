//! What readers see of an engine, in plain values that can be compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use shardstream::clock::Millis;
use shardstream::engine::Engine;
use shardstream::engine::EngineError;
use shardstream::engine::Stream;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::engine::slice::Slice;
use shardstream::record;
use shardstream::record::sequence::SequenceNumber;

/// The accounts that a world has, the engine's own first.
pub(crate) const ACCOUNTS: [(&str, &str); 2] =
    [("123456789012", "eu-west-1"), ("210987654321", "us-east-2")];

/// A stream, by its account's place and its name.
pub(crate) type Which = (usize, &'static str);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) number: SequenceNumber,
    pub(crate) arrival_ms: i64,
    pub(crate) key: String,
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shard {
    pub(crate) name: String,
    pub(crate) born: u64,
    pub(crate) range: (u128, u128),
    pub(crate) parents: [Option<u32>; 2],
    pub(crate) created_ms: i64,
    pub(crate) closed_ms: Option<i64>,
}

/// All that can be seen of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StreamSeen {
    pub(crate) created_ms: i64,
    pub(crate) born_seconds: u64,
    pub(crate) status: &'static str,
    pub(crate) retention_ms: i64,
    pub(crate) horizon_ms: i64,
    pub(crate) tags: BTreeMap<String, String>,
    /// All that was set, in words.
    pub(crate) settings: String,
    pub(crate) consumers: Vec<(String, i64, &'static str)>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) records: Vec<Arc<Record>>,
}

/// All that can be seen of an engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) streams: BTreeMap<(usize, String), StreamSeen>,
    pub(crate) policies: BTreeMap<String, String>,
}

impl Seen {
    /// Looks at all there is.
    pub(crate) fn of(engine: &Engine) -> Result<Self, EngineError> {
        let now = engine.now();
        let mut seen = Self::default();
        for (place, (id, region)) in ACCOUNTS.into_iter().enumerate() {
            let account = engine.account(id, region)?;
            for name in account.stream_names(now) {
                let stream = account.stream(now, &name)?;
                seen.streams.insert((place, name), StreamSeen::of(&stream, now)?);
            }
        }
        // Last, as streams that go take their policies with them.
        seen.policies.clone_from(&engine.home().kept().policies);
        Ok(seen)
    }

    /// What can be seen later, as nothing was done since.
    pub(crate) fn at(&self, now_ms: i64) -> Self {
        let mut later = self.clone();
        for stream in later.streams.values_mut() {
            let horizon_ms = now_ms - stream.retention_ms;
            stream.horizon_ms = stream.horizon_ms.max(horizon_ms);
            stream.records.retain(|record| horizon_ms < record.arrival_ms);
            stream.shards.retain(|shard| shard.closed_ms.is_none_or(|closed| horizon_ms < closed));
        }
        later
    }
}

impl StreamSeen {
    fn of(stream: &Stream, now: Millis) -> Result<Self, EngineError> {
        let settings = stream.settings(now)?;
        let consumers = stream.consumers(now)?.into_iter();
        let mut seen = Self {
            created_ms: stream.created().0,
            born_seconds: stream.born_seconds(),
            status: stream.status(now)?.name(),
            retention_ms: stream.retention_ms()?,
            horizon_ms: stream.horizon(now)?.0,
            tags: settings.tags.clone(),
            settings: format!("{settings:?}"),
            consumers: consumers
                .map(|each| (each.name, each.created.0, each.status.name()))
                .collect(),
            shards: stream.shards(now)?.iter().map(shard).collect(),
            records: Vec::new(),
        };
        seen.records = read(stream, now, Cut::START, None)?;
        seen.check_ways_to_read(stream, now)?;
        Ok(seen)
    }

    /// Checks that whoever reads in another way sees the same records.
    fn check_ways_to_read(&self, stream: &Stream, now: Millis) -> Result<(), EngineError> {
        assert_eq!(stream.record_count(now)?, self.records.len() as u64, "records are counted");
        for shard in &self.shards {
            let of_shard = read(stream, now, Cut::START, Some(&shard.name))?;
            let of_all = self.records.iter().filter(|record| name(record) == shard.name);
            assert!(of_shard.iter().eq(of_all), "{} is read as a part of the stream", shard.name);
        }
        if let Some(middle) = self.records.get(self.records.len() / 2) {
            let at = Position::AtTimestamp(Millis(middle.arrival_ms.min(now.0)));
            let cut = stream.start_cut(now, at, None)?;
            let first = read(stream, now, cut, None)?.into_iter().next();
            let later = |record: &&Arc<Record>| middle.arrival_ms.min(now.0) <= record.arrival_ms;
            assert_eq!(
                first.as_ref(),
                self.records.iter().find(later),
                "records are found by time"
            );
        }
        Ok(())
    }
}

fn name(record: &Record) -> String {
    record.number.birth.shard.to_string()
}

fn shard(shard: &shardstream::engine::shard::Shard) -> Shard {
    Shard {
        name: shard.birth.shard.to_string(),
        born: shard.birth.created_seconds,
        range: (shard.range.first.0, shard.range.last.0),
        parents: [shard.parent, shard.adjacent_parent].map(|parent| parent.map(|shard| shard.0)),
        created_ms: shard.created.0,
        closed_ms: shard.closed.map(|closed| closed.0),
    }
}

fn read(
    stream: &Stream,
    now: Millis,
    from: Cut,
    shard: Option<&str>,
) -> Result<Vec<Arc<Record>>, EngineError> {
    let (slices, _) = stream.read(now, from, Cut::END, shard, usize::MAX)?;
    let mut records = Vec::new();
    for slice in &slices {
        records.extend(of_slice(slice)?);
    }
    Ok(records)
}

fn of_slice(slice: &Slice) -> Result<Vec<Arc<Record>>, EngineError> {
    let block = slice.block()?;
    let record = |place| record(&record::Record::new(Arc::clone(&block), slice.row(place)));
    (0..slice.len()).map(record).collect()
}

pub(crate) fn record(record: &record::Record) -> Result<Arc<Record>, EngineError> {
    Ok(Arc::new(Record {
        number: record.sequence_number(),
        arrival_ms: record.arrival().0,
        key: record.partition_key().to_owned(),
        data: record.data()?.into_owned(),
    }))
}
