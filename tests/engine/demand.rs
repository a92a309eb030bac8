//! Capacity on demand: busy shards are split some time later, and until then they throttle.

use std::sync::Arc;

use shardstream::engine::Mode;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;

use crate::setup::START;
use crate::setup::World;
use crate::setup::entry_at;
use crate::setup::limited_world;
use crate::setup::open_shards;
use crate::setup::options;
use crate::setup::put_at;
use crate::setup::read_texts;
use crate::setup::world;

const MINUTE_MS: i64 = 60_000;

fn on_demand(world: &World, shard_count: u32) -> Arc<Stream> {
    let options = StreamOptions { mode: Mode::OnDemand, ..options(shard_count) };
    world.create("clicks", options).expect("the world is new")
}

/// Puts 600 records a second into the shard of a place on the ring, for a minute.
fn keep_busy(world: &World, stream: &Stream, at: u128) {
    for _ in 0..60 {
        for _ in 0..600 {
            put_at(stream, world.now(), at, "x");
        }
        world.later(1_000);
    }
}

fn open_count(world: &World, stream: &Stream) -> usize {
    stream.open_shard_count(world.now()).expect("the stream is there")
}

#[test]
fn busy_shard_of_a_stream_on_demand_is_split_within_fifteen_minutes() {
    let world = limited_world();
    let stream = on_demand(&world, 4);
    keep_busy(&world, &stream, 0);
    world.later(14 * MINUTE_MS - 1);
    assert_eq!(open_count(&world, &stream), 4);
    let due = world.later(1);
    assert_eq!(due.since(START), 15 * MINUTE_MS);
    let open = open_shards(&stream, due);
    assert_eq!(open.len(), 5);
    let children: Vec<_> =
        open.iter().filter(|shard| shard.parent.is_some_and(|parent| parent.0 == 0)).collect();
    assert_eq!(children.len(), 2);
    assert_eq!(children[0].range.last.0 + 1, 1 << 125, "the shard is cut in the middle");
    assert_eq!(children[0].created, due);
}

#[test]
fn stream_on_demand_throttles_until_it_has_grown() {
    let world = limited_world();
    let stream = on_demand(&world, 4);
    let both_halves = |second: i64| {
        let at = |number: u128| if number.is_multiple_of(2) { 0 } else { 1 << 125 };
        let now = world.later(second);
        (0..2_500).filter(|&number| stream.put(now, entry_at(at(number), "x")).is_ok()).count()
    };
    keep_busy(&world, &stream, 0);
    assert_eq!(both_halves(1_000), 1_000);
    world.later(15 * MINUTE_MS);
    assert_eq!(both_halves(0), 2_000);
}

#[test]
fn growth_comes_at_its_time_though_nobody_looked() {
    let world = limited_world();
    let stream = on_demand(&world, 4);
    keep_busy(&world, &stream, 0);
    let late = world.later(90 * MINUTE_MS);
    put_at(&stream, late, 0, "late");
    let closed = stream.shards(late).unwrap()[0].closed.expect("the parent is closed");
    assert_eq!(closed.since(START), 15 * MINUTE_MS);
    let child = open_shards(&stream, late)[3].birth.shard.to_string();
    assert_eq!(read_texts(&stream, late, Some(&child)), ["late"]);
}

#[test]
fn idle_shards_other_modes_and_worlds_without_limits_do_not_grow() {
    for (world, mode, a_minute) in [
        (limited_world(), Mode::Provisioned, 600),
        (world(), Mode::OnDemand, 600),
        (limited_world(), Mode::OnDemand, 500),
    ] {
        let stream = world.create("clicks", StreamOptions { mode, ..options(4) }).unwrap();
        for _ in 0..60 {
            for _ in 0..a_minute {
                put_at(&stream, world.now(), 0, "x");
            }
            world.later(1_000);
        }
        world.later(30 * MINUTE_MS);
        assert_eq!(open_count(&world, &stream), 4, "{mode:?}");
    }
}

#[test]
fn stream_on_demand_grows_to_two_hundred_shards() {
    let world = limited_world();
    let stream = on_demand(&world, 199);
    for at in [0, u128::MAX] {
        keep_busy(&world, &stream, at);
    }
    world.later(20 * MINUTE_MS);
    assert_eq!(open_count(&world, &stream), 200);
    keep_busy(&world, &stream, u128::MAX);
    world.later(20 * MINUTE_MS);
    assert_eq!(open_count(&world, &stream), 200);
}
