//! What readers see of a stream, in plain values that engine and model can be compared by.

use shardstream::clock::Millis;
use shardstream::engine::Stream;
use shardstream::record;
use shardstream::record::sequence::SequenceNumber;
use shardstream::record::sequence::ShardBirth;
use shardstream::record::sequence::ShardIndex;

/// A mistake that a model can be made to make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Planted {
    /// A record is kept a millisecond too long.
    ForgetsLate,
    /// A read after a record begins with it.
    IncludesAfter,
    /// The last place of a range is taken for the next one's.
    RoutesEndsUp,
}

/// A record as readers see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) shard: u32,
    pub(crate) shard_born: u64,
    pub(crate) index: u64,
    pub(crate) second: u64,
    pub(crate) arrival_ms: i64,
    pub(crate) key: String,
    pub(crate) data: String,
}

/// A shard as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shard {
    pub(crate) number: u32,
    pub(crate) born: u64,
    pub(crate) first: u128,
    pub(crate) last: u128,
    pub(crate) parents: [Option<u32>; 2],
    pub(crate) created_ms: i64,
    pub(crate) closed_ms: Option<i64>,
}

pub(crate) fn name(shard: u32) -> String {
    format!("shardId-{shard:012}")
}

pub(crate) fn number_of(record: &Record) -> SequenceNumber {
    SequenceNumber {
        birth: ShardBirth { shard: ShardIndex(record.shard), created_seconds: record.shard_born },
        index: record.index,
        recorded_seconds: record.second,
    }
}

pub(crate) fn seen(record: &record::Record) -> Record {
    let number = record.sequence_number();
    Record {
        shard: record.shard().0,
        shard_born: number.birth.created_seconds,
        index: number.index,
        second: number.recorded_seconds,
        arrival_ms: record.arrival().0,
        key: record.partition_key().to_owned(),
        data: String::from_utf8_lossy(&record.data().expect("bytes were put")).into_owned(),
    }
}

pub(crate) fn shards(stream: &Stream, now: Millis) -> Vec<Shard> {
    let listed = stream.shards(now).expect("the stream is there");
    let shard = |shard: &shardstream::engine::shard::Shard| Shard {
        number: shard.birth.shard.0,
        born: shard.birth.created_seconds,
        first: shard.range.first.0,
        last: shard.range.last.0,
        parents: [shard.parent, shard.adjacent_parent].map(|parent| parent.map(|parent| parent.0)),
        created_ms: shard.created.0,
        closed_ms: shard.closed.map(|closed| closed.0),
    };
    listed.iter().map(shard).collect()
}

/// The ends of `count` even ranges; after the last place of the ring comes the first.
pub(crate) fn even_ranges(count: u32) -> Vec<(u128, u128)> {
    let count = u128::from(count);
    let width = (u128::MAX / count).wrapping_add(u128::from(u128::MAX % count == count - 1));
    let first = |place: u128| if place == count { 0 } else { place * width };
    (0..count).map(|place| (first(place), first(place + 1).wrapping_sub(1))).collect()
}
