//! Sequence numbers as they are given out: strictly increasing, and carrying shard and second.

use shardstream::record::Record;
use shardstream::record::sequence::SequenceNumber;

use crate::setup::START;
use crate::setup::entry;
use crate::setup::open_shards;
use crate::setup::put;
use crate::setup::read;
use crate::setup::shard_name;
use crate::setup::world;

const START_SECONDS: u64 = 1_767_225_600;

#[test]
fn numbers_of_a_shard_increase_strictly_in_order_of_acknowledgement() {
    let world = world();
    let stream = world.clicks(3);
    let mut last = vec![String::new(); 3];
    for place in 0..600 {
        let now = if place % 50 == 0 { world.later(700) } else { world.now() };
        let number = put(&stream, now, &format!("user-{}", place % 17), "x");
        let shard = number.birth.shard.0 as usize;
        let digits = number.to_string();
        assert_eq!(digits.len(), 56);
        assert!(last[shard] < digits);
        last[shard] = digits;
    }
}

#[test]
fn number_carries_shard_birth_and_second_of_arrival() {
    let world = world();
    let stream = world.clicks(4);
    let number = put(&stream, world.later(61_999), "b", "x");
    assert_eq!(number.birth.shard.0, 2);
    assert_eq!(number.birth.created_seconds, START_SECONDS);
    assert_eq!(number.recorded_seconds, START_SECONDS + 61);
    assert_eq!(SequenceNumber::parse(&number.to_string()), Ok(number));
}

#[test]
fn record_read_has_the_number_that_put_returned() {
    let world = world();
    let stream = world.clicks(4);
    let mut given = Vec::new();
    for place in 0..700 {
        given.push(put(&stream, world.later(3), &format!("user-{place}"), "x"));
    }
    let read: Vec<_> =
        read(&stream, world.now(), None).iter().map(Record::sequence_number).collect();
    assert_eq!(read, given);
}

#[test]
fn numbers_lie_above_the_start_of_their_shard() {
    let world = world();
    let stream = world.clicks(2);
    let number = put(&stream, world.now(), "a", "x").to_string();
    let shard = &open_shards(&stream, world.now())[0];
    assert!(shard.starting_sequence_number().to_string() < number);
    assert_eq!(shard.ending_sequence_number(), None);
}

#[test]
fn numbers_of_many_put_together_are_those_of_one_by_one() {
    let keys: Vec<String> = (0..300).map(|place| format!("user-{place}")).collect();
    let (alone, together) = (world(), world());
    let one_by_one: Vec<_> = {
        let stream = alone.clicks(5);
        keys.iter().map(|key| put(&stream, START, key, key)).collect()
    };
    let stream = together.clicks(5);
    let entries: Vec<_> = keys.iter().map(|key| entry(key, key)).collect();
    let at_once = stream.put_many(START, &entries).unwrap();
    let at_once: Vec<_> = at_once.into_iter().map(Result::unwrap).collect();
    assert_eq!(at_once, one_by_one);
}

#[test]
fn put_many_answers_in_the_order_asked() {
    let world = world();
    let stream = world.clicks(2);
    let entries = [entry("b", "0"), entry("a", "1"), entry("b", "2")];
    let answers = stream.put_many(world.now(), &entries).unwrap();
    let shards: Vec<u32> =
        answers.iter().map(|answer| answer.as_ref().unwrap().birth.shard.0).collect();
    assert_eq!(shards, [1, 0, 1]);
    assert!(stream.put_many(world.now(), &[]).unwrap().is_empty());
}

#[test]
fn clock_that_goes_back_moves_no_record_before_another() {
    let world = world();
    let stream = world.clicks(1);
    let first = put(&stream, START.plus(10_000), "a", "first");
    let second = put(&stream, START, "a", "second");
    assert!(first.to_string() < second.to_string());
    assert_eq!(second.recorded_seconds, START_SECONDS + 10);
    let arrivals: Vec<_> = read(&stream, START.plus(10_000), Some(&shard_name(0)))
        .iter()
        .map(Record::arrival)
        .collect();
    assert_eq!(arrivals, [START.plus(10_000); 2]);
}
