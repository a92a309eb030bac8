//! A world to test in: an engine, the clock that only the test moves, and short ways to put and read.

use std::collections::BTreeMap;
use std::sync::Arc;

use shardstream::clock::Clock;
use shardstream::clock::ManualClock;
use shardstream::clock::Millis;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineError;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::engine::shard::Shard;
use shardstream::engine::slice::Slice;
use shardstream::engine::stream::Entry;
use shardstream::hash_key::HashKey;
use shardstream::limits::DAY_MS;
use shardstream::record::Record;
use shardstream::record::sequence::SequenceNumber;
use shardstream::threads::Threads;

/// 2026-01-01T00:00:00Z, when every world begins.
pub(crate) const START: Millis = Millis(1_767_225_600_000);

/// An engine and the clock it lives by.
pub(crate) struct World {
    pub(crate) engine: Engine,
    clock: Arc<ManualClock>,
}

/// A world without limits.
pub(crate) fn world() -> World {
    world_of(Limits::Off, 7)
}

/// A world with Amazon's limits.
pub(crate) fn limited_world() -> World {
    world_of(Limits::Aws, 7)
}

pub(crate) fn world_of(limits: Limits, seed: u64) -> World {
    world_with(limits, seed, Durations::default(), None)
}

/// A world where streams take their time.
pub(crate) fn slow_world(durations: Durations) -> World {
    world_with(Limits::Off, 7, durations, None)
}

/// A world where an account has so many shards at most.
pub(crate) fn narrow_world(shard_limit: u32) -> World {
    world_with(Limits::Off, 7, Durations::default(), Some(shard_limit))
}

fn world_with(limits: Limits, seed: u64, durations: Durations, shard_limit: Option<u32>) -> World {
    let clock = Arc::new(ManualClock::new(START));
    let engine = Engine::new(EngineOptions {
        clock: Clock::Manual(Arc::clone(&clock)),
        limits,
        region: "eu-west-1".to_owned(),
        account_id: "123456789012".to_owned(),
        seed,
        threads: Threads::new(Some(2)).expect("two are some"),
        durations,
        shard_limit,
    });
    World { engine, clock }
}

impl World {
    pub(crate) fn now(&self) -> Millis {
        self.engine.now()
    }

    /// Moves the clock on, and returns the new time.
    pub(crate) fn later(&self, duration_ms: i64) -> Millis {
        self.clock.advance(duration_ms)
    }

    /// Creates the stream `clicks`.
    pub(crate) fn clicks(&self, shard_count: u32) -> Arc<Stream> {
        self.create("clicks", options(shard_count)).expect("the world is new")
    }

    pub(crate) fn create(
        &self,
        name: &str,
        options: StreamOptions,
    ) -> Result<Arc<Stream>, EngineError> {
        self.engine.create_stream(self.now(), name, options)
    }
}

pub(crate) fn options(shard_count: u32) -> StreamOptions {
    StreamOptions {
        shard_count,
        retention_ms: DAY_MS,
        mode: Mode::Provisioned,
        record_bytes_max: 1024 * 1024,
        tags: BTreeMap::new(),
        distribution: shardstream::engine::Distribution::ByKey,
        warm_throughput: None,
    }
}

pub(crate) fn entry<'a>(key: &'a str, data: &'a str) -> Entry<'a> {
    Entry { data: data.as_bytes(), key, explicit_hash_key: None }
}

/// An entry that falls at one place on the ring, whatever its key.
pub(crate) fn entry_at(at: u128, data: &str) -> Entry<'_> {
    Entry { data: data.as_bytes(), key: "k", explicit_hash_key: Some(HashKey(at)) }
}

pub(crate) fn put(stream: &Stream, now: Millis, key: &str, data: &str) -> SequenceNumber {
    stream.put(now, entry(key, data)).expect("the record is well-formed")
}

pub(crate) fn put_at(stream: &Stream, now: Millis, at: u128, data: &str) -> SequenceNumber {
    stream.put(now, entry_at(at, data)).expect("the record is well-formed")
}

/// Reads all there is, of one shard or of the stream.
pub(crate) fn read(stream: &Stream, now: Millis, shard: Option<&str>) -> Vec<Record> {
    read_from(stream, now, Position::TrimHorizon, shard)
}

/// Reads from a position to the end.
pub(crate) fn read_from(
    stream: &Stream,
    now: Millis,
    position: Position,
    shard: Option<&str>,
) -> Vec<Record> {
    let from = stream.start_cut(now, position, shard).expect("the position is of the stream");
    let read = stream.read(now, from, Cut::END, shard, usize::MAX);
    records(&read.expect("the stream is there").0)
}

pub(crate) fn records(slices: &[Slice]) -> Vec<Record> {
    let each = |slice: &Slice| -> Vec<Record> {
        let block = slice.block().expect("it is in memory");
        (0..slice.len()).map(|place| Record::new(Arc::clone(&block), slice.row(place))).collect()
    };
    slices.iter().flat_map(each).collect()
}

/// The records' data, as text.
pub(crate) fn texts(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| {
        let data = record.data().expect("bytes were put").into_owned();
        String::from_utf8(data).expect("text was put")
    };
    records.iter().map(text).collect()
}

/// The data of all there is, of one shard or of the stream.
pub(crate) fn read_texts(stream: &Stream, now: Millis, shard: Option<&str>) -> Vec<String> {
    texts(&read(stream, now, shard))
}

pub(crate) fn shard_name(shard: u32) -> String {
    format!("shardId-{shard:012}")
}

/// The open shards, by index.
pub(crate) fn open_shards(stream: &Stream, now: Millis) -> Vec<Shard> {
    let mut shards = stream.shards(now).expect("the stream is there");
    shards.retain(Shard::is_open);
    shards
}

/// Asserts that words are in a message, so that whoever reads it knows what, how much, and the way out.
pub(crate) fn assert_says(error: &EngineError, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}
