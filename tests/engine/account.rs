//! Accounts in regions: streams that know nothing of each other, and what an account may have.

use std::sync::Arc;

use shardstream::engine::Durations;
use shardstream::engine::EngineError;
use shardstream::engine::Mode;
use shardstream::engine::StreamOptions;
use shardstream::limits::DAY_MS;
use shardstream::limits::ON_DEMAND_STREAMS_MAX;
use shardstream::limits::STREAMS_CREATING_MAX;

use crate::setup::START;
use crate::setup::assert_says;
use crate::setup::narrow_world;
use crate::setup::options;
use crate::setup::slow_world;
use crate::setup::world;

#[test]
fn accounts_and_regions_have_streams_of_their_own() {
    let world = world();
    let engine = &world.engine;
    let other = engine.account("111122223333", "eu-west-1").unwrap();
    let far = engine.account("123456789012", "us-east-1").unwrap();
    world.clicks(1);
    let theirs = engine.create_stream_in(&other, START, "clicks", options(2)).unwrap();
    assert_eq!(theirs.account(), "111122223333");
    assert_eq!(far.stream_names(START), Vec::<String>::new());
    other.delete_stream(START, "clicks").unwrap();
    assert_eq!(engine.stream_names().unwrap(), ["clicks"]);
    let refused = other.stream(START, "clicks").unwrap_err();
    assert_says(&refused, &["clicks", "111122223333"]);
}

#[test]
fn account_that_is_asked_for_again_is_the_same_one() {
    let world = world();
    let home = world.engine.account("123456789012", "eu-west-1").unwrap();
    assert!(Arc::ptr_eq(&home, world.engine.home()));
    let once = world.engine.account("111122223333", "eu-west-1").unwrap();
    let again = world.engine.account("111122223333", "eu-west-1").unwrap();
    assert!(Arc::ptr_eq(&once, &again));
}

#[test]
fn closed_engine_closes_all_accounts() {
    let world = world();
    let other = world.engine.account("111122223333", "eu-west-1").unwrap();
    let theirs = world.engine.create_stream_in(&other, START, "clicks", options(1)).unwrap();
    world.engine.close().unwrap();
    assert!(matches!(theirs.shards(START), Err(EngineError::EngineClosed)));
    assert!(matches!(
        world.engine.account("111122223333", "eu-west-1"),
        Err(EngineError::EngineClosed)
    ));
}

#[test]
fn account_has_as_many_open_shards_as_its_limit_and_no_more() {
    let world = narrow_world(10);
    world.clicks(6);
    let refused = world.create("views", options(5)).unwrap_err();
    assert!(matches!(refused, EngineError::ShardsExhausted { max: 10, open: 6, asked: 5, .. }));
    assert_says(&refused, &["10", "6", "5", "123456789012"]);
    world.create("views", options(4)).unwrap();
    world.engine.delete_stream("clicks").unwrap();
    world.create("again", options(6)).unwrap();
    let other = world.engine.account("111122223333", "eu-west-1").unwrap();
    world.engine.create_stream_in(&other, START, "clicks", options(10)).unwrap();
}

#[test]
fn absurd_number_of_shards_is_refused_at_once() {
    let world = world();
    let refused = world.create("clicks", options(u32::MAX)).unwrap_err();
    assert!(matches!(refused, EngineError::ShardsExhausted { max: 20_000, open: 0, .. }));
    assert_eq!(world.engine.stream_names().unwrap(), Vec::<String>::new());
}

#[test]
fn closed_shards_leave_room_for_others() {
    let world = narrow_world(3);
    let stream = world.clicks(2);
    let home = world.engine.home();
    assert!(home.check_shards(START, 1, 2).is_ok(), "one becomes two");
    stream.split_shard(START, "shardId-000000000000", None).unwrap();
    assert_eq!(home.usage(START).open_shards, 3);
    assert!(home.check_shards(START, 1, 2).is_err());
    stream.merge_shards(START, "shardId-000000000002", "shardId-000000000003").unwrap();
    assert_eq!(home.usage(START).open_shards, 2);
}

#[test]
fn five_streams_are_made_at_once_and_no_more() {
    let world = slow_world(Durations { create_ms: 100, ..Durations::default() });
    for number in 0..STREAMS_CREATING_MAX {
        world.create(&format!("s{number}"), options(1)).unwrap();
    }
    let refused = world.create("one-more", options(1)).unwrap_err();
    assert!(matches!(refused, EngineError::TooManyCreating { .. }));
    world.later(100);
    world.create("one-more", options(1)).unwrap();
}

#[test]
fn fifty_streams_are_on_demand_and_no_more() {
    let world = world();
    let on_demand = || StreamOptions { mode: Mode::OnDemand, ..options(4) };
    for number in 0..ON_DEMAND_STREAMS_MAX {
        world.create(&format!("s{number}"), on_demand()).unwrap();
    }
    let refused = world.create("one-more", on_demand()).unwrap_err();
    assert!(matches!(refused, EngineError::OnDemandStreamsExhausted { .. }));
    world.create("one-more", options(4)).unwrap();
    let usage = world.engine.home().usage(START);
    assert_eq!(usage.on_demand_streams, ON_DEMAND_STREAMS_MAX);
    assert_eq!(usage.open_shards, 4 * ON_DEMAND_STREAMS_MAX + 4);
}

#[test]
fn commitment_holds_for_a_day_at_least() {
    let world = world();
    let mut commitment = world.engine.home().kept().commitment;
    assert!(!commitment.holds(START));
    commitment.begin(START);
    commitment.end(START.plus(1_000));
    assert!(commitment.holds(START.plus(DAY_MS - 1)));
    assert!(!commitment.holds(START.plus(DAY_MS)));
    commitment.begin(START.plus(2 * DAY_MS));
    commitment.end(START.plus(4 * DAY_MS));
    assert!(!commitment.holds(START.plus(4 * DAY_MS)), "its day is over: it ends at once");
}
