//! Streams that take their time: what they are at, and what goes on meanwhile.

use shardstream::clock::Millis;
use shardstream::engine::Durations;
use shardstream::engine::EngineError;
use shardstream::engine::Status;
use shardstream::engine::Stream;

use crate::setup::START;
use crate::setup::assert_says;
use crate::setup::open_shards;
use crate::setup::options;
use crate::setup::put;
use crate::setup::put_at;
use crate::setup::read_texts;
use crate::setup::shard_name;
use crate::setup::slow_world;
use crate::setup::world;

const SLOW: Durations = Durations { create_ms: 500, delete_ms: 100, update_ms: 200 };

fn status(stream: &Stream, now: Millis) -> Status {
    stream.status(now).expect("the stream is there")
}

#[test]
fn states_take_no_time_unless_they_are_told_to() {
    let world = world();
    let stream = world.clicks(1);
    assert_eq!(status(&stream, START), Status::Active);
    stream.split_shard(START, &shard_name(0), None).unwrap();
    assert_eq!(status(&stream, START), Status::Active);
    assert_eq!(open_shards(&stream, START).len(), 2);
    world.engine.delete_stream("clicks").unwrap();
    assert!(world.engine.stream("clicks").is_err());
}

#[test]
fn stream_is_being_made_for_as_long_as_it_takes() {
    let world = slow_world(SLOW);
    let stream = world.clicks(1);
    assert_eq!(status(&stream, world.later(499)), Status::Creating);
    assert_eq!(status(&stream, world.later(1)), Status::Active);
}

#[test]
fn split_is_made_when_its_time_has_come_and_the_parent_takes_records_till_then() {
    let world = slow_world(SLOW);
    let stream = world.clicks(1);
    let begun = world.later(500);
    stream.split_shard(begun, &shard_name(0), None).unwrap();
    let last = put_at(&stream, world.later(199), 7, "to the parent");
    assert_eq!((last.birth.shard.0, status(&stream, world.now())), (0, Status::Updating));
    let first = put_at(&stream, world.later(1), 7, "to a child");
    assert_eq!((first.birth.shard.0, status(&stream, world.now())), (1, Status::Active));
    assert_eq!(read_texts(&stream, world.now(), Some(&shard_name(0))), ["to the parent"]);
    assert_eq!(read_texts(&stream, world.now(), None), ["to the parent", "to a child"]);
    assert!(last.to_string() < first.to_string(), "a child's numbers lie above its parent's");
}

#[test]
fn change_is_made_at_its_time_though_nobody_looked() {
    let world = slow_world(SLOW);
    let stream = world.clicks(2);
    let begun = world.later(500);
    stream.merge_shards(begun, &shard_name(0), &shard_name(1)).unwrap();
    let shards = stream.shards(world.later(3_600_000)).unwrap();
    assert_eq!(shards.len(), 3);
    assert_eq!(shards[0].closed, Some(begun.plus(200)));
    assert!(shards[2].is_open());
}

#[test]
fn scaling_is_made_when_its_time_has_come() {
    let world = slow_world(SLOW);
    let stream = world.clicks(1);
    stream.update_shard_count(world.later(500), 4).unwrap();
    assert_eq!(stream.open_shard_count(world.later(199)).unwrap(), 1);
    assert_eq!(stream.open_shard_count(world.later(1)).unwrap(), 4);
}

#[test]
fn busy_stream_takes_no_other_change() {
    let world = slow_world(SLOW);
    let stream = world.clicks(1);
    let refused = stream.split_shard(START, &shard_name(0), None).unwrap_err();
    assert!(matches!(refused, EngineError::StreamBusy { status: Status::Creating, .. }));
    let now = world.later(500);
    stream.increase_retention(now, 48 * 3_600_000).unwrap();
    for refused in [
        stream.split_shard(now, &shard_name(0), None).unwrap_err(),
        stream.update_shard_count(now, 2).unwrap_err(),
        stream.increase_retention(now, 72 * 3_600_000).unwrap_err(),
        stream.register_consumer(now, "app", 20).unwrap_err(),
    ] {
        assert!(matches!(refused, EngineError::StreamBusy { status: Status::Updating, .. }));
        assert_says(&refused, &["clicks", "123456789012", "not ACTIVE", "UPDATING"]);
    }
    stream.split_shard(world.later(200), &shard_name(0), None).unwrap();
}

#[test]
fn stream_goes_for_as_long_as_it_takes_and_its_name_is_free_after_that() {
    let world = slow_world(SLOW);
    let stream = world.clicks(1);
    put(&stream, world.later(500), "k", "x");
    world.engine.delete_stream("clicks").unwrap();
    assert_eq!(status(&stream, world.later(99)), Status::Deleting);
    assert!(matches!(world.create("clicks", options(1)), Err(EngineError::StreamExists { .. })));
    world.later(1);
    assert!(world.engine.stream("clicks").is_err());
    assert_eq!(world.engine.stream_names().unwrap(), Vec::<String>::new());
    assert!(matches!(stream.shards(world.now()), Err(EngineError::StreamNotFound { .. })));
    let again = world.create("clicks", options(1)).unwrap();
    assert_eq!(read_texts(&again, world.now(), None), Vec::<String>::new());
}
