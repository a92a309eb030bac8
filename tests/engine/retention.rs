//! How long records are kept: to the millisecond, and for ever gone after.

use shardstream::engine::EngineError;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::limits::DAY_MS;
use shardstream::limits::HOUR_MS;

use crate::setup::START;
use crate::setup::World;
use crate::setup::assert_says;
use crate::setup::options;
use crate::setup::put;
use crate::setup::put_at;
use crate::setup::read;
use crate::setup::read_texts;
use crate::setup::records;
use crate::setup::shard_name;
use crate::setup::texts;
use crate::setup::world;

fn keeping(hours: i64) -> StreamOptions {
    StreamOptions { retention_ms: hours * HOUR_MS, ..options(2) }
}

/// The indices of the shards that are listed.
fn listed(world: &World, stream: &shardstream::engine::Stream) -> Vec<u32> {
    let shards = stream.shards(world.now()).expect("the stream is there");
    shards.iter().map(|shard| shard.birth.shard.0).collect()
}

#[test]
fn record_is_kept_for_24_hours_and_gone_on_the_dot() {
    let world = world();
    let stream = world.clicks(2);
    put(&stream, world.now(), "a", "old");
    put(&stream, world.later(1), "a", "young");
    let almost = world.later(DAY_MS - 2);
    assert_eq!(read_texts(&stream, almost, None), ["old", "young"]);
    let on_the_dot = world.later(1);
    assert_eq!(read_texts(&stream, on_the_dot, None), ["young"]);
    assert_eq!(stream.record_count(on_the_dot).unwrap(), 1);
    assert!(read(&stream, world.later(1), None).is_empty());
}

#[test]
fn expiry_cuts_through_blocks_and_the_tail() {
    for count in [10, 300, 5_000] {
        let world = world();
        let stream = world.clicks(2);
        let all: Vec<String> = (0..count).map(|place: i64| place.to_string()).collect();
        for data in &all {
            put(&stream, world.later(1), data, data);
        }
        // A read of a long tail seals it; a read of a short one does not.
        assert_eq!(read_texts(&stream, world.now(), None), all);
        for gone in [1, count / 2, count - 1] {
            let kept = read_texts(&stream, START.plus(DAY_MS + gone), None);
            let first = all.iter().position(|data| *data == gone.to_string()).unwrap();
            assert_eq!(kept, all[first..]);
        }
    }
}

#[test]
fn expired_records_do_not_come_back_when_the_clock_goes_back() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, START, "a", "old");
    assert!(read(&stream, START.plus(DAY_MS), None).is_empty());
    assert!(read(&stream, START, None).is_empty());
}

#[test]
fn more_retention_keeps_what_is_there_but_resurrects_nothing() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, world.now(), "a", "expires");
    put(&stream, world.later(HOUR_MS), "a", "stays");
    // Nobody has read or trimmed since the first record expired.
    let now = world.later(DAY_MS - HOUR_MS);
    stream.increase_retention(now, 48 * HOUR_MS).unwrap();
    assert_eq!(read_texts(&stream, now, None), ["stays"]);
    assert_eq!(read_texts(&stream, world.later(DAY_MS), None), ["stays"]);
    assert!(read(&stream, world.later(HOUR_MS), None).is_empty());
}

#[test]
fn less_retention_forgets_at_once() {
    let world = world();
    let stream = world.create("long", keeping(72)).unwrap();
    put(&stream, world.now(), "a", "old");
    put(&stream, world.later(30 * HOUR_MS), "a", "young");
    let now = world.now();
    assert_eq!(read(&stream, now, None).len(), 2);
    stream.decrease_retention(now, 24 * HOUR_MS).unwrap();
    assert_eq!(read_texts(&stream, now, None), ["young"]);
    stream.increase_retention(now, 72 * HOUR_MS).unwrap();
    assert_eq!(read_texts(&stream, now, None), ["young"]);
}

#[test]
fn same_retention_is_no_error_either_way() {
    let world = world();
    let stream = world.create("same", keeping(36)).unwrap();
    stream.increase_retention(world.now(), 36 * HOUR_MS).unwrap();
    stream.decrease_retention(world.now(), 36 * HOUR_MS).unwrap();
    assert_eq!(stream.retention_ms().unwrap(), 36 * HOUR_MS);
}

#[test]
fn retention_in_the_wrong_direction_names_the_right_call() {
    let world = world();
    let stream = world.create("clicks", keeping(48)).unwrap();
    let error = stream.increase_retention(world.now(), 47 * HOUR_MS).unwrap_err();
    assert_says(&error, &["clicks", "48 hours", "47", "not more", "use decrease_retention()"]);
    let error = stream.decrease_retention(world.now(), 49 * HOUR_MS).unwrap_err();
    assert_says(&error, &["clicks", "48 hours", "49", "not less", "use increase_retention()"]);
    assert_eq!(stream.retention_ms().unwrap(), 48 * HOUR_MS);
}

#[test]
fn retention_is_24_hours_to_a_year_in_whole_hours() {
    let world = world();
    for hours in [24, 8_760] {
        assert!(world.create(&format!("of-{hours}"), keeping(hours)).is_ok());
    }
    for asked_ms in [23 * HOUR_MS, 8_761 * HOUR_MS, 0, -HOUR_MS, DAY_MS + 1, i64::MAX, i64::MIN] {
        let refused = StreamOptions { retention_ms: asked_ms, ..options(1) };
        let error = world.create("refused", refused).unwrap_err();
        assert_eq!(error, EngineError::RetentionOutOfRange { asked_ms });
        assert_says(&error, &["24 to 8760", &asked_ms.to_string()]);
    }
    let stream = world.clicks(1);
    assert!(stream.increase_retention(world.now(), 8_761 * HOUR_MS).is_err());
    assert!(stream.decrease_retention(world.now(), 23 * HOUR_MS).is_err());
    assert_eq!(stream.retention_ms().unwrap(), DAY_MS);
}

#[test]
fn closed_shard_is_listed_until_its_last_record_could_have_expired() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, world.now(), "a", "old");
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    world.later(DAY_MS - 1);
    assert_eq!(listed(&world, &stream), [0, 1, 2]);
    world.later(1);
    assert_eq!(listed(&world, &stream), [1, 2]);
}

#[test]
fn closed_shard_that_has_vanished_stays_so_when_retention_grows() {
    let world = world();
    let stream = world.clicks(1);
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    world.later(DAY_MS);
    assert_eq!(listed(&world, &stream), [1, 2]);
    stream.increase_retention(world.now(), 48 * HOUR_MS).unwrap();
    assert_eq!(listed(&world, &stream), [1, 2]);
}

#[test]
fn reader_whose_place_has_expired_goes_on_at_the_horizon() {
    let world = world();
    let stream = world.clicks(2);
    put_at(&stream, world.now(), 0, "0");
    let shard = shard_name(0);
    let (_, next) = stream.read(world.now(), Cut::START, Cut::END, Some(&shard), 1).unwrap();
    put_at(&stream, world.later(1), 0, "expires unread");
    put_at(&stream, world.later(HOUR_MS), 0, "kept");
    let now = world.later(DAY_MS - 1);
    let (slices, _) = stream.read(now, next, Cut::END, Some(&shard), 10).unwrap();
    assert_eq!(texts(&records(&slices)), ["kept"]);
}

#[test]
fn records_already_read_outlive_their_stream_retention() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, world.now(), "a", "held");
    let held = read(&stream, world.now(), None);
    let now = world.later(2 * DAY_MS);
    world.engine.tick(now).unwrap();
    assert_eq!(stream.record_count(now).unwrap(), 0);
    assert_eq!(texts(&held), ["held"]);
}
