//! Amazon's rates: what a shard takes and hands out in a second, record by record and call by call.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::StringArray;
use shardstream::engine::EngineError;
use shardstream::engine::Stream;
use shardstream::engine::position::Cut;
use shardstream::engine::slice::Slice;
use shardstream::engine::write::Rows;
use shardstream::record::key::KeyColumn;
use shardstream::record::payload::BytesColumn;
use shardstream::record::payload::Payload;

use crate::setup::START;
use crate::setup::World;
use crate::setup::assert_says;
use crate::setup::entry;
use crate::setup::entry_at;
use crate::setup::limited_world;
use crate::setup::put_at;
use crate::setup::read;
use crate::setup::shard_name;
use crate::setup::world;

const HIGH: u128 = u128::MAX;
const MEBIBYTE: usize = 1024 * 1024;

/// Puts small records into the low shard until it is full, and returns how many it took.
fn fill(world: &World, stream: &Stream) -> usize {
    (0..5_000).take_while(|_| stream.put(world.now(), entry_at(0, "x")).is_ok()).count()
}

fn rows(keys: &[&str], data: &[&[u8]], arrivals: Option<Vec<i64>>) -> Rows {
    let keys: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
    let data: ArrayRef = Arc::new(BinaryArray::from(data.to_vec()));
    Rows {
        keys: KeyColumn::from_array(&keys, None).expect("the keys are keys"),
        payload: Payload::Bytes(BytesColumn::from_array(&data).expect("bytes are data")),
        arrivals: arrivals.map(Into::into),
    }
}

#[test]
fn shard_takes_1000_records_a_second_and_names_itself_after_that() {
    let world = limited_world();
    let stream = world.clicks(2);
    assert_eq!(fill(&world, &stream), 1_000);
    let error = stream.put(world.now(), entry_at(0, "x")).unwrap_err();
    assert_says(&error, &["Rate exceeded", &shard_name(0), "clicks", "123456789012"]);
    assert_eq!(read(&stream, world.now(), None).len(), 1_000);
    put_at(&stream, world.now(), HIGH, "the other shard has room");
    world.later(1);
    assert_eq!(fill(&world, &stream), 1);
    world.later(10_000);
    assert_eq!(fill(&world, &stream), 1_000);
}

#[test]
fn shard_takes_a_mebibyte_a_second_keys_counted() {
    let world = limited_world();
    let stream = world.clicks(1);
    let almost = "x".repeat(MEBIBYTE - 1);
    put_at(&stream, world.now(), 0, &almost);
    assert!(stream.put(world.now(), entry_at(0, "")).is_err());
    world.later(500);
    let half = "x".repeat(MEBIBYTE / 2);
    assert!(stream.put(world.now(), entry_at(0, &half)).is_err());
    put_at(&stream, world.now(), 0, &half[1..]);
}

#[test]
fn without_limits_nothing_is_throttled() {
    let world = world();
    let stream = world.clicks(1);
    assert_eq!(fill(&world, &stream), 5_000);
    for _ in 0..50 {
        let read = stream.read_metered(world.now(), Cut::START, Cut::END, None, 10);
        assert!(read.is_ok());
    }
}

#[test]
fn put_many_stores_or_throttles_each_record_by_itself() {
    let world = limited_world();
    let stream = world.clicks(2);
    assert_eq!(fill(&world, &stream), 1_000);
    // "a" falls in the low shard, which is full; "b" in the high one.
    let entries = [entry("a", "0"), entry("b", "1"), entry("a", "2"), entry("b", "3")];
    let answers = stream.put_many(world.now(), &entries).unwrap();
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [false, true, false, true]);
    assert!(matches!(&answers[0], Err(EngineError::RateExceeded { shard, .. }) if shard.0 == 0));
    assert_eq!(read(&stream, world.now(), None).len(), 1_002);
    let indices: Vec<u64> = answers.iter().flatten().map(|number| number.index).collect();
    assert_eq!(indices[1], indices[0] + 1);
}

#[test]
fn small_record_may_pass_where_a_large_one_did_not() {
    let world = limited_world();
    let stream = world.clicks(1);
    let (large, larger) = ("x".repeat(700 * 1024), "x".repeat(800 * 1024));
    let entries = [entry("k", &large), entry("k", &larger), entry("k", "small")];
    let answers = stream.put_many(world.now(), &entries).unwrap();
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [true, false, true]);
}

#[test]
fn write_lists_the_rows_it_throttled_and_stores_the_rest_in_order() {
    let world = limited_world();
    let stream = world.clicks(2);
    for _ in 0..998 {
        put_at(&stream, world.now(), 0, "x");
    }
    let keys = ["a", "b", "a", "a", "b", "a"];
    let data: [&[u8]; 6] = [b"0", b"1", b"2", b"3", b"4", b"5"];
    let written = stream.write(world.now(), rows(&keys, &data, None)).unwrap();
    assert_eq!(written.throttled, [3, 5]);
    assert_eq!((written.rows, written.records()), (6, 4));
    let stored = crate::setup::read_texts(&stream, world.now(), None);
    assert_eq!(stored[998..], ["0", "1", "2", "4"]);
}

#[test]
fn write_of_which_no_row_fits_stores_nothing() {
    let world = limited_world();
    let stream = world.clicks(1);
    assert_eq!(fill(&world, &stream), 1_000);
    let written = stream.write(world.now(), rows(&["a", "b"], &[b"0", b"1"], None)).unwrap();
    assert_eq!(written.throttled, [0, 1]);
    assert_eq!((written.records(), written.blocks.len()), (0, 0));
    assert_eq!(stream.record_count(world.now()).unwrap(), 1_000);
}

#[test]
fn rows_are_judged_when_they_arrive() {
    let world = limited_world();
    let stream = world.clicks(1);
    let keys = vec!["k"; 3_000];
    let data: Vec<&[u8]> = vec![b"x"; 3_000];
    let spread = (0..3_000).map(|row| START.0 + row).collect();
    let written = stream.write(world.now(), rows(&keys, &data, Some(spread))).unwrap();
    assert!(written.throttled.is_empty());
}

#[test]
fn row_said_to_arrive_in_the_past_arrives_now_and_is_judged_now() {
    let world = limited_world();
    let stream = world.clicks(1);
    assert_eq!(fill(&world, &stream), 1_000);
    let now = world.later(1_000);
    let past = vec![START.0; 10];
    let written = stream.write(now, rows(&["k"; 10], &[b"x".as_slice(); 10], Some(past))).unwrap();
    assert!(written.throttled.is_empty(), "throttled {:?}", written.throttled);
    assert_eq!(read(&stream, now, None)[1_009].arrival(), now);
}

#[test]
fn shard_answers_five_reads_a_second() {
    let world = limited_world();
    let stream = world.clicks(2);
    let low = shard_name(0);
    let metered =
        |shard: &str| stream.read_metered(world.now(), Cut::START, Cut::END, Some(shard), 10);
    for _ in 0..5 {
        assert!(metered(&low).is_ok());
    }
    assert_says(&metered(&low).unwrap_err(), &["Rate exceeded", &low, "clicks"]);
    assert!(metered(&shard_name(1)).is_ok());
    world.later(200);
    assert!(metered(&low).is_ok());
    assert!(metered(&low).is_err());
}

#[test]
fn read_of_all_shards_counts_for_each_or_for_none() {
    let world = limited_world();
    let stream = world.clicks(2);
    let metered =
        |shard: Option<&str>| stream.read_metered(world.now(), Cut::START, Cut::END, shard, 10);
    let (low, high) = (shard_name(0), shard_name(1));
    for _ in 0..5 {
        assert!(metered(Some(&high)).is_ok());
    }
    for _ in 0..5 {
        assert!(metered(None).is_err());
    }
    for _ in 0..5 {
        assert!(metered(Some(&low)).is_ok());
    }
}

#[test]
fn shard_hands_out_two_mebibytes_a_second() {
    let world = limited_world();
    let stream = world.clicks(1);
    for _ in 0..6 {
        put_at(&stream, world.later(1_000), 0, &"x".repeat(MEBIBYTE - 1));
    }
    let metered = || stream.read_metered(world.now(), Cut::START, Cut::END, None, 100);
    assert_eq!(metered().unwrap().0.iter().map(Slice::len).sum::<usize>(), 6);
    // Six are three seconds' worth.
    world.later(3_000);
    assert!(metered().is_err());
    world.later(1);
    assert!(metered().is_ok());
}

#[test]
fn plain_reads_are_not_counted() {
    let world = limited_world();
    let stream = world.clicks(1);
    for _ in 0..50 {
        read(&stream, world.now(), None);
    }
    assert!(stream.read_metered(world.now(), Cut::START, Cut::END, None, 1).is_ok());
}

#[test]
fn child_shards_begin_with_room_of_their_own() {
    let world = limited_world();
    let stream = world.clicks(1);
    assert_eq!(fill(&world, &stream), 1_000);
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    assert_eq!(fill(&world, &stream), 1_000);
}
