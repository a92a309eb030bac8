//! Where reads begin and end: five positions, cuts fixed when asked for, limits and going on.

use std::sync::Arc;

use shardstream::clock::Millis;
use shardstream::engine::EngineError;
use shardstream::engine::Stream;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::record::sequence::SequenceNumber;
use shardstream::record::sequence::ShardBirth;
use shardstream::record::sequence::ShardIndex;

use crate::setup::START;
use crate::setup::World;
use crate::setup::assert_says;
use crate::setup::put;
use crate::setup::put_at;
use crate::setup::read_from;
use crate::setup::read_texts;
use crate::setup::records;
use crate::setup::shard_name;
use crate::setup::texts;
use crate::setup::world;

/// Five records, a second apart, falling by turns in the low and the high of two shards.
fn five() -> (World, Arc<Stream>, Vec<SequenceNumber>) {
    let world = world();
    let stream = world.clicks(2);
    let numbers = ["0", "1", "2", "3", "4"]
        .into_iter()
        .zip([0, u128::MAX, 0, u128::MAX, 0])
        .map(|(data, at)| put_at(&stream, world.later(1_000), at, data))
        .collect();
    (world, stream, numbers)
}

fn from(world: &World, stream: &Stream, position: Position, shard: Option<&str>) -> Vec<String> {
    texts(&read_from(stream, world.now(), position, shard))
}

#[test]
fn trim_horizon_is_before_the_oldest() {
    let (world, stream, _) = five();
    let all = from(&world, &stream, Position::TrimHorizon, None);
    assert_eq!(all, ["0", "1", "2", "3", "4"]);
    let low = from(&world, &stream, Position::TrimHorizon, Some(&shard_name(0)));
    assert_eq!(low, ["0", "2", "4"]);
}

#[test]
fn latest_is_fixed_when_it_is_asked_for() {
    let (world, stream, _) = five();
    let latest = stream.start_cut(world.now(), Position::Latest, None).unwrap();
    put(&stream, world.now(), "a", "after");
    let read = stream.read(world.now(), latest, Cut::END, None, 10).unwrap().0;
    assert_eq!(texts(&records(&read)), ["after"]);
}

#[test]
fn latest_as_the_end_leaves_out_what_comes_later() {
    let (world, stream, _) = five();
    let end = stream.end_cut(world.now(), Position::Latest, None).unwrap();
    put(&stream, world.now(), "a", "after");
    let read = stream.read(world.now(), Cut::START, end, None, 100).unwrap().0;
    assert_eq!(texts(&records(&read)), ["0", "1", "2", "3", "4"]);
}

#[test]
fn at_a_sequence_number_includes_it_and_after_does_not() {
    let (world, stream, numbers) = five();
    let at = Position::AtSequenceNumber(numbers[2]);
    let after = Position::AfterSequenceNumber(numbers[2]);
    for shard in [None, Some(shard_name(0))] {
        let shard = shard.as_deref();
        assert_eq!(from(&world, &stream, at, shard)[0], "2");
        assert_ne!(from(&world, &stream, after, shard)[0], "2");
    }
    assert_eq!(from(&world, &stream, after, None), ["3", "4"]);
    assert_eq!(from(&world, &stream, after, Some(&shard_name(0))), ["4"]);
}

#[test]
fn after_the_last_number_there_is_nothing_yet() {
    let (world, stream, numbers) = five();
    let after = Position::AfterSequenceNumber(numbers[4]);
    assert!(from(&world, &stream, after, None).is_empty());
    put(&stream, world.now(), "a", "next");
    assert_eq!(from(&world, &stream, after, None), ["next"]);
}

#[test]
fn shards_starting_number_is_before_its_first_record() {
    let (world, stream, _) = five();
    let shard = &stream.shards(world.now()).unwrap()[1];
    let starting = Position::AtSequenceNumber(shard.starting_sequence_number());
    assert_eq!(from(&world, &stream, starting, Some(&shard_name(1))), ["1", "3"]);
}

#[test]
fn number_that_has_expired_reads_from_the_oldest_kept() {
    let (world, stream, numbers) = five();
    let now = world.later(86_400_000 - 2_000);
    let at = Position::AtSequenceNumber(numbers[0]);
    let kept = texts(&read_from(&stream, now, at, None));
    assert_eq!(kept, ["3", "4"]);
}

#[test]
fn number_of_another_shard_is_refused_and_both_are_named() {
    let (world, stream, numbers) = five();
    for position in
        [Position::AtSequenceNumber(numbers[0]), Position::AfterSequenceNumber(numbers[0])]
    {
        let error = stream.start_cut(world.now(), position, Some(&shard_name(1))).unwrap_err();
        assert_says(&error, &["Invalid StartingSequenceNumber", &shard_name(0), &shard_name(1)]);
    }
}

#[test]
fn number_of_no_shard_of_this_stream_is_refused() {
    let (world, stream, numbers) = five();
    let birth = |shard, created_seconds| ShardBirth { shard: ShardIndex(shard), created_seconds };
    let created = numbers[0].birth.created_seconds;
    for birth in [birth(0, created + 1), birth(2, created)] {
        let foreign = SequenceNumber { birth, ..numbers[0] };
        let error =
            stream.start_cut(world.now(), Position::AtSequenceNumber(foreign), None).unwrap_err();
        assert_says(&error, &[&foreign.to_string(), "clicks", "use one that this stream gave out"]);
    }
}

#[test]
fn timestamp_takes_the_first_record_at_it_or_later() {
    let (world, stream, _) = five();
    let at = |ms: i64| from(&world, &stream, Position::AtTimestamp(START.plus(ms)), None);
    assert_eq!(at(3_000), ["2", "3", "4"]);
    assert_eq!(at(3_001), ["3", "4"]);
    assert_eq!(at(2_999), ["2", "3", "4"]);
    assert_eq!(at(5_000), ["4"]);
}

#[test]
fn timestamp_between_records_of_other_shards_skips_no_record_of_its_own() {
    let (world, stream, _) = five();
    let high = Some(shard_name(1));
    let at = |ms| from(&world, &stream, Position::AtTimestamp(START.plus(ms)), high.as_deref());
    assert_eq!(at(2_000), ["1", "3"]);
    assert_eq!(at(2_001), ["3"]);
    assert!(at(4_001).is_empty());
}

#[test]
fn timestamp_takes_all_of_a_millisecond() {
    let world = world();
    let stream = world.clicks(3);
    for key in 0..600 {
        let now = if key % 100 == 0 { world.later(1) } else { world.now() };
        put(&stream, now, &key.to_string(), &key.to_string());
    }
    let at = Position::AtTimestamp(START.plus(4));
    let expected: Vec<String> = (300..600).map(|key| key.to_string()).collect();
    assert_eq!(from(&world, &stream, at, None), expected);
}

#[test]
fn timestamp_before_the_horizon_is_the_horizon() {
    let (world, stream, _) = five();
    let long_ago = Position::AtTimestamp(Millis(0));
    assert_eq!(from(&world, &stream, long_ago, None), ["0", "1", "2", "3", "4"]);
}

#[test]
fn timestamp_now_is_no_future_but_a_millisecond_later_is() {
    let (world, stream, _) = five();
    let now = world.now();
    assert_eq!(from(&world, &stream, Position::AtTimestamp(now), None), ["4"]);
    let asked = now.plus(1);
    let error = stream.start_cut(now, Position::AtTimestamp(asked), None).unwrap_err();
    assert_eq!(error, EngineError::TimestampInFuture { asked, now });
    assert_says(&error, &["currentTimestampInMillis", &asked.to_string(), &now.to_string()]);
}

#[test]
fn end_may_be_a_time_to_come() {
    let (world, stream, _) = five();
    let end =
        stream.end_cut(world.now(), Position::AtTimestamp(world.now().plus(1)), None).unwrap();
    let read = stream.read(world.now(), Cut::START, end, None, 100).unwrap().0;
    assert_eq!(records(&read).len(), 5);
}

#[test]
fn end_cuts_are_exclusive_at_and_inclusive_after() {
    let (world, stream, numbers) = five();
    let until = |position| {
        let end = stream.end_cut(world.now(), position, None).unwrap();
        texts(&records(&stream.read(world.now(), Cut::START, end, None, 100).unwrap().0))
    };
    assert_eq!(until(Position::AtSequenceNumber(numbers[2])), ["0", "1"]);
    assert_eq!(until(Position::AfterSequenceNumber(numbers[2])), ["0", "1", "2"]);
    assert_eq!(until(Position::AtTimestamp(START.plus(3_000))), ["0", "1"]);
    assert!(until(Position::TrimHorizon).is_empty());
}

#[test]
fn end_before_the_start_reads_nothing() {
    let (world, stream, numbers) = five();
    let from = Position::AtSequenceNumber(numbers[3]);
    let from = stream.start_cut(world.now(), from, None).unwrap();
    let until = Position::AtSequenceNumber(numbers[1]);
    let until = stream.end_cut(world.now(), until, None).unwrap();
    let (slices, next) = stream.read(world.now(), from, until, None, 100).unwrap();
    assert!(slices.is_empty());
    assert_eq!(next, from);
}

#[test]
fn reading_on_in_steps_of_any_size_sees_everything_once() {
    let world = world();
    let stream = world.clicks(3);
    for key in 0..700 {
        put(&stream, world.later(1), &key.to_string(), &key.to_string());
    }
    for shard in [None, Some(shard_name(0)), Some(shard_name(2))] {
        let shard = shard.as_deref();
        let whole = read_texts(&stream, world.now(), shard);
        for limit in [1, 2, 7, 255, 256, 257, 1_000] {
            let mut at = Cut::START;
            let mut seen = Vec::new();
            while seen.len() < whole.len() {
                let (slices, next) = stream.read(world.now(), at, Cut::END, shard, limit).unwrap();
                let step = records(&slices);
                assert!(!step.is_empty() && step.len() <= limit);
                assert!(at < next);
                seen.extend(texts(&step));
                at = next;
            }
            assert_eq!(seen, whole, "{limit} at a time");
            let (rest, _) = stream.read(world.now(), at, Cut::END, shard, limit).unwrap();
            assert!(rest.is_empty());
        }
    }
}

#[test]
fn limit_of_none_reads_nothing_and_stays() {
    let (world, stream, _) = five();
    let from = stream.start_cut(world.now(), Position::TrimHorizon, None).unwrap();
    let (slices, next) = stream.read(world.now(), from, Cut::END, None, 0).unwrap();
    assert!(slices.is_empty());
    assert_eq!(next, from);
}

#[test]
fn reading_on_after_the_end_sees_what_came_since_and_only_that() {
    let (world, stream, _) = five();
    let (_, next) =
        stream.read(world.now(), Cut::START, Cut::END, Some(&shard_name(1)), 9).unwrap();
    put_at(&stream, world.now(), 0, "other shard");
    put_at(&stream, world.now(), u128::MAX, "since");
    let (slices, _) = stream.read(world.now(), next, Cut::END, Some(&shard_name(1)), 9).unwrap();
    assert_eq!(texts(&records(&slices)), ["since"]);
}

#[test]
fn shard_that_is_not_there_is_refused() {
    let (world, stream, _) = five();
    for name in ["shardId-000000000002", "shardId-2", "", "clicks", "shardId-00000000000\u{e9}"] {
        let refusals = [
            stream.start_cut(world.now(), Position::Latest, Some(name)).unwrap_err(),
            stream.end_cut(world.now(), Position::Latest, Some(name)).unwrap_err(),
            stream.read(world.now(), Cut::START, Cut::END, Some(name), 1).unwrap_err(),
        ];
        for error in refusals {
            assert_says(&error, &[name, "clicks", "123456789012", "does not exist"]);
        }
    }
}
