//! Streams that come and go, and an engine that is closed: no call on what is gone succeeds.

use shardstream::engine::EngineError;
use shardstream::engine::Mode;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::limits::DAY_MS;

use crate::setup::START;
use crate::setup::assert_says;
use crate::setup::entry;
use crate::setup::options;
use crate::setup::put;
use crate::setup::read;
use crate::setup::shard_name;
use crate::setup::world;

/// Calls everything a stream can do, and returns the refusals.
fn refusals(stream: &Stream) -> Vec<EngineError> {
    let name = shard_name(0);
    let answers = [
        stream.put(START, entry("a", "x")).err(),
        stream.put_many(START, &[entry("a", "x")]).err(),
        stream.put_many(START, &[]).err(),
        stream.split_shard(START, &name, None).err(),
        stream.merge_shards(START, &name, &shard_name(1)).err(),
        stream.update_shard_count(START, 2).err(),
        stream.increase_retention(START, DAY_MS).err(),
        stream.decrease_retention(START, DAY_MS).err(),
        stream.tick(START).err(),
        stream.retention_ms().err(),
        stream.mode().err(),
        stream.tags().err(),
        stream.shards(START).err(),
        stream.record_count(START).err(),
        stream.start_cut(START, Position::Latest, None).err(),
        stream.end_cut(START, Position::Latest, None).err(),
        stream.read(START, Cut::START, Cut::END, None, 1).err(),
        stream.read_metered(START, Cut::START, Cut::END, None, 1).err(),
        stream.is_exhausted(&name, Cut::START).err(),
    ];
    let count = answers.len();
    let refusals: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(refusals.len(), count, "every call is refused");
    refusals
}

#[test]
fn new_stream_tells_what_it_was_made_with() {
    let world = world();
    let tags = [("team".to_owned(), "data".to_owned())].into();
    let made = StreamOptions { tags, mode: Mode::OnDemand, retention_ms: 2 * DAY_MS, ..options(3) };
    let stream = world.create("clicks", made).unwrap();
    assert_eq!((stream.name(), stream.account()), ("clicks", "123456789012"));
    assert_eq!((stream.created(), stream.mode().unwrap()), (START, Mode::OnDemand));
    assert_eq!(stream.retention_ms().unwrap(), 2 * DAY_MS);
    assert_eq!(stream.tags().unwrap()["team"], "data");
    assert_eq!(stream.shards(START).unwrap().len(), 3);
}

#[test]
fn streams_are_listed_by_name_in_order() {
    let world = world();
    for name in ["b", "c", "a"] {
        world.create(name, options(1)).unwrap();
    }
    assert_eq!(world.engine.stream_names().unwrap(), ["a", "b", "c"]);
    world.engine.delete_stream("b").unwrap();
    assert_eq!(world.engine.stream_names().unwrap(), ["a", "c"]);
}

#[test]
fn handles_to_a_stream_share_it() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, START, "a", "x");
    let other = world.engine.stream("clicks").unwrap();
    assert_eq!(read(&other, START, None).len(), 1);
}

#[test]
fn deleted_stream_refuses_every_call_and_names_itself() {
    let world = world();
    let stream = world.clicks(2);
    world.create("views", options(1)).unwrap();
    world.engine.delete_stream("clicks").unwrap();
    assert!(stream.is_gone());
    for error in refusals(&stream) {
        assert_says(
            &error,
            &["Stream clicks under account 123456789012 not found", "create_stream()"],
        );
        assert!(!error.to_string().contains("There are no streams"), "views is there");
    }
    assert!(world.engine.stream("clicks").is_err());
    assert!(world.engine.delete_stream("clicks").is_err());
}

#[test]
fn stream_made_anew_is_empty_and_apart_from_the_old() {
    let world = world();
    let old = world.clicks(1);
    put(&old, START, "a", "old");
    world.engine.delete_stream("clicks").unwrap();
    let new = world.clicks(1);
    assert!(read(&new, START, None).is_empty());
    assert!(old.is_gone() && !new.is_gone());
    assert!(old.put(START, entry("a", "x")).is_err());
}

#[test]
fn closed_engine_refuses_every_call_with_the_way_out() {
    let world = world();
    let stream = world.clicks(2);
    let engine = &world.engine;
    engine.close().unwrap();
    assert!(engine.is_closed() && stream.is_gone());
    let mut all = refusals(&stream);
    all.extend([
        world.create("other", options(1)).unwrap_err(),
        engine.stream("clicks").unwrap_err(),
        engine.delete_stream("clicks").unwrap_err(),
        engine.tick(START).unwrap_err(),
        engine.stream_names().unwrap_err(),
    ]);
    for error in all {
        assert_eq!(error, EngineError::EngineClosed);
        assert_says(&error, &["engine is closed", "make a new one"]);
    }
    engine.close().unwrap();
}

#[test]
fn records_read_outlive_their_stream_and_engine() {
    let world = world();
    let stream = world.clicks(1);
    put(&stream, START, "a", "held");
    let held = read(&stream, START, None);
    world.engine.close().unwrap();
    assert_eq!(crate::setup::texts(&held), ["held"]);
}

#[test]
fn bell_rings_for_puts_reshards_and_the_end() {
    let world = world();
    let stream = world.clicks(1);
    let rings = || stream.bell().rings();
    let mut before = rings();
    let mut rang = || {
        let since = rings() - before;
        before = rings();
        0 < since
    };
    put(&stream, START, "a", "x");
    assert!(rang());
    stream.put_many(START, &[entry("a", "x")]).unwrap();
    assert!(rang());
    stream.split_shard(START, &shard_name(0), None).unwrap();
    assert!(rang());
    read(&stream, START, None);
    assert!(!rang());
    world.engine.delete_stream("clicks").unwrap();
    assert!(rang());
}
