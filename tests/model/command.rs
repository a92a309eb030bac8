//! What may happen to a stream, and how a random life is put together from it.

use proptest::prelude::*;
use proptest::sample::Index;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Where a read begins or ends; records are picked among all there ever were.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    After(Index),
    At(Index),
    Horizon,
    Latest,
    /// Near the arrival of a record, or near now where there is none.
    Time(Index, i64),
}

/// What routes a record that brings a hash key: an end of a shard's range, or anywhere.
#[derive(Clone, Debug)]
pub(crate) enum Hash {
    Anywhere(u128),
    First(Index),
    Last(Index),
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Advance(i64),
    Look,
    Merge(Index, Option<Index>),
    Put(u8, Option<Hash>),
    PutMany(u16, u8),
    Read(Place, Option<Place>, Option<Index>, usize),
    /// Goes on where an earlier read ended.
    ReadOn(Index, usize),
    Retain(i64, bool),
    Split(Index, Option<u128>),
    Tick,
    UpdateShardCount(i64),
    Write(u16, u8, u8, Option<(i64, i64)>),
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Horizon),
        Just(Place::Latest),
        any::<Index>().prop_map(Place::At),
        any::<Index>().prop_map(Place::After),
        (any::<Index>(), -1..=1_i64).prop_map(|(record, delta)| Place::Time(record, delta)),
    ]
}

fn hash() -> impl Strategy<Value = Hash> {
    prop_oneof![
        any::<u128>().prop_map(Hash::Anywhere),
        any::<Index>().prop_map(Hash::First),
        any::<Index>().prop_map(Hash::Last),
    ]
}

fn duration_ms() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(1),
        1..3_000_i64,
        Just(DAY_MS - 1),
        Just(DAY_MS),
        (0..50_i64).prop_map(|hours| hours * HOUR_MS),
    ]
}

fn count() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0..4_u16, 2 => 4..40_u16, 1 => 200..600_u16]
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..6_usize, 2 => 6..400_usize, 2 => Just(usize::MAX)]
}

fn command() -> impl Strategy<Value = Command> {
    let hours = prop_oneof![Just(23), Just(24), Just(25), Just(36), Just(48), Just(8_761)];
    let arrivals = (-2_000..2_000_i64, 0..4_i64);
    prop_oneof![
        4 => duration_ms().prop_map(Command::Advance),
        1 => Just(Command::Look),
        1 => Just(Command::Tick),
        2 => (any::<Index>(), prop::option::weighted(0.3, any::<Index>()))
            .prop_map(|(lower, upper)| Command::Merge(lower, upper)),
        6 => (any::<u8>(), prop::option::of(hash())).prop_map(|(key, hash)| Command::Put(key, hash)),
        2 => (count(), any::<u8>()).prop_map(|(count, key)| Command::PutMany(count, key)),
        8 => (place(), prop::option::of(place()), prop::option::of(any::<Index>()), limit())
            .prop_map(|(from, until, shard, limit)| Command::Read(from, until, shard, limit)),
        4 => (any::<Index>(), limit()).prop_map(|(mark, limit)| Command::ReadOn(mark, limit)),
        2 => (hours, any::<bool>()).prop_map(|(hours, longer)| Command::Retain(hours * HOUR_MS, longer)),
        3 => (any::<Index>(), prop::option::of(any::<u128>())).prop_map(|(shard, at)| Command::Split(shard, at)),
        2 => (-1..12_i64).prop_map(Command::UpdateShardCount),
        3 => (count(), any::<u8>(), 0..4_u8, prop::option::of(arrivals))
            .prop_map(|(count, key, encoding, arrivals)| Command::Write(count, key, encoding, arrivals)),
    ]
}

pub(crate) fn lives() -> impl Strategy<Value = (u32, Vec<Command>)> {
    (1..6_u32, prop::collection::vec(command(), 1..60))
}
