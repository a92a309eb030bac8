//! Splits, merges and changes of the shard count: lineage, what stays readable, and what is refused.

use std::collections::BTreeMap;

use shardstream::engine::Mode;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::hash_key::HashKey;
use shardstream::hash_key::HashKeyRange;

use crate::setup::assert_says;
use crate::setup::entry_at;
use crate::setup::limited_world;
use crate::setup::open_shards;
use crate::setup::options;
use crate::setup::put;
use crate::setup::put_at;
use crate::setup::read;
use crate::setup::read_texts;
use crate::setup::shard_name;
use crate::setup::world;

/// What the open shards own, in order of the ring.
fn open_ranges(
    world: &crate::setup::World,
    stream: &shardstream::engine::Stream,
) -> Vec<HashKeyRange> {
    let mut ranges: Vec<_> =
        open_shards(stream, world.now()).iter().map(|shard| shard.range).collect();
    ranges.sort_by_key(|range| range.first);
    ranges
}

#[test]
fn split_without_a_key_cuts_at_the_middle() {
    let world = world();
    let stream = world.clicks(1);
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    assert_eq!(open_ranges(&world, &stream), HashKeyRange::uniform(2));
}

#[test]
fn split_at_a_key_makes_it_the_first_of_the_upper_child() {
    let world = world();
    let stream = world.clicks(1);
    stream.split_shard(world.now(), &shard_name(0), Some(HashKey(1_000))).unwrap();
    assert_eq!(put_at(&stream, world.now(), 999, "x").birth.shard.0, 1);
    assert_eq!(put_at(&stream, world.now(), 1_000, "x").birth.shard.0, 2);
}

#[test]
fn children_name_their_parent_and_the_parent_is_closed() {
    let world = world();
    let stream = world.clicks(2);
    let closed = world.later(5_000);
    stream.split_shard(closed, &shard_name(1), None).unwrap();
    let shards = stream.shards(closed).unwrap();
    assert_eq!(shards.len(), 4);
    assert_eq!(shards[1].closed, Some(closed));
    assert_eq!(
        shards[1].ending_sequence_number().unwrap().recorded_seconds,
        closed.whole_seconds()
    );
    for child in &shards[2..] {
        assert_eq!(child.parent, Some(shards[1].birth.shard));
        assert_eq!(child.adjacent_parent, None);
        assert_eq!(child.created, closed);
        assert!(child.is_open());
    }
}

#[test]
fn merged_child_names_both_parents_and_owns_both_ranges() {
    let world = world();
    let stream = world.clicks(3);
    stream.merge_shards(world.now(), &shard_name(0), &shard_name(1)).unwrap();
    let shards = stream.shards(world.now()).unwrap();
    let child = &shards[3];
    assert_eq!(child.parent, Some(shards[0].birth.shard));
    assert_eq!(child.adjacent_parent, Some(shards[1].birth.shard));
    assert_eq!(
        (child.range.first, child.range.last),
        (shards[0].range.first, shards[1].range.last)
    );
    assert!(!shards[0].is_open() && !shards[1].is_open() && shards[2].is_open());
}

#[test]
fn parents_stay_readable_with_their_data_and_take_no_more() {
    let world = world();
    let stream = world.clicks(1);
    put_at(&stream, world.now(), 7, "before");
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    put_at(&stream, world.now(), 7, "after");
    assert_eq!(read_texts(&stream, world.now(), Some(&shard_name(0))), ["before"]);
    assert_eq!(read_texts(&stream, world.now(), Some(&shard_name(1))), ["after"]);
    assert!(read_texts(&stream, world.now(), Some(&shard_name(2))).is_empty());
    assert_eq!(read_texts(&stream, world.now(), None), ["before", "after"]);
}

#[test]
fn order_per_key_holds_across_reshards() {
    let world = world();
    let stream = world.clicks(2);
    for round in 0..40 {
        for key in 0..10 {
            put(&stream, world.now(), &format!("user-{key}"), &round.to_string());
        }
        let count = [3, 8, 1, 5][round % 4];
        stream.update_shard_count(world.later(100), count).unwrap();
    }
    let mut by_key = BTreeMap::<String, Vec<String>>::new();
    for record in read(&stream, world.now(), None) {
        let data = String::from_utf8(record.data().unwrap().into_owned()).unwrap();
        by_key.entry(record.partition_key().to_owned()).or_default().push(data);
    }
    let expected: Vec<String> = (0..40).map(|round| round.to_string()).collect();
    assert_eq!(by_key.len(), 10);
    assert!(by_key.values().all(|rounds| *rounds == expected));
}

#[test]
fn numbers_of_children_lie_above_all_of_their_parents() {
    let world = world();
    let stream = world.clicks(2);
    for round in 0..12_u128 {
        for place in 0..20 {
            put_at(&stream, world.now(), round << 100 | place << 123, "x");
        }
        // All within one second: only the births tell generations apart.
        let count = [4, 2, 7, 1][usize::try_from(round % 4).unwrap()];
        stream.update_shard_count(world.later(10), count).unwrap();
    }
    let shards = stream.shards(world.now()).unwrap();
    let mut last = vec![String::new(); shards.len()];
    let mut first = vec![None; shards.len()];
    for record in read(&stream, world.now(), None) {
        let shard = record.shard().0 as usize;
        last[shard] = record.sequence_number().to_string();
        first[shard].get_or_insert_with(|| record.sequence_number().to_string());
    }
    for shard in &shards {
        for parent in [shard.parent, shard.adjacent_parent].into_iter().flatten() {
            let ending = shards[parent.0 as usize].ending_sequence_number().unwrap().to_string();
            assert!(last[parent.0 as usize] < ending);
            assert!(ending < shard.starting_sequence_number().to_string());
            let own = first[shard.birth.shard.0 as usize].as_ref();
            assert!(own.is_none_or(|own| ending < *own));
        }
    }
}

#[test]
fn shard_count_walks_anywhere_and_the_ring_stays_even() {
    let world = world();
    let stream = world.clicks(1);
    for count in [2, 3, 100, 7, 7, 1, 1_000, 999] {
        stream.update_shard_count(world.later(1_000), count).unwrap();
        let count = u32::try_from(count).unwrap();
        assert_eq!(open_ranges(&world, &stream), HashKeyRange::uniform(count));
    }
}

#[test]
fn shard_names_are_never_used_again() {
    let world = world();
    let stream = world.clicks(2);
    for count in [4, 1, 3] {
        stream.update_shard_count(world.now(), count).unwrap();
    }
    let shards = stream.shards(world.now()).unwrap();
    for (place, shard) in (0..).zip(&shards) {
        assert_eq!(shard.birth.shard.0, place);
    }
}

#[test]
fn split_key_lies_strictly_inside_with_two_keys_below() {
    let world = world();
    let stream = world.clicks(1);
    stream.split_shard(world.now(), &shard_name(0), Some(HashKey(1_000))).unwrap();
    // Shard 2 owns 1000 to the end of the ring.
    for bad in [0, 999, 1_000, 1_001, u128::MAX] {
        let at = Some(HashKey(bad));
        let error = stream.split_shard(world.now(), &shard_name(2), at).unwrap_err();
        assert_says(&error, &[&bad.to_string(), &shard_name(2), "1000-", "give one in between"]);
    }
    stream.split_shard(world.now(), &shard_name(2), Some(HashKey(1_002))).unwrap();
    let highest = Some(HashKey(u128::MAX - 1));
    stream.split_shard(world.now(), &shard_name(4), highest).unwrap();
    assert_eq!(put_at(&stream, world.now(), 1_001, "x").birth.shard.0, 3);
    assert_eq!(put_at(&stream, world.now(), u128::MAX, "x").birth.shard.0, 6);
}

#[test]
fn shard_of_three_keys_is_too_narrow_and_of_four_is_not() {
    let world = world();
    for (keys, splits) in [(2, false), (3, false), (4, true)] {
        let stream = world.create(&format!("of-{keys}"), options(1)).unwrap();
        let cut = Some(HashKey(keys));
        stream.split_shard(world.now(), &shard_name(0), cut).unwrap();
        let split = stream.split_shard(world.now(), &shard_name(1), None);
        assert_eq!(split.is_ok(), splits, "{keys} keys");
        if let Err(error) = split {
            assert_says(
                &error,
                &[&shard_name(1), "too narrow to split", &format!("0-{}", keys - 1)],
            );
        }
    }
}

#[test]
fn refused_reshard_changes_nothing() {
    let world = world();
    let stream = world.clicks(3);
    let before: Vec<_> = stream
        .shards(world.now())
        .unwrap()
        .iter()
        .map(|shard| (shard.birth, shard.closed))
        .collect();
    assert!(stream.split_shard(world.now(), &shard_name(0), Some(HashKey(1))).is_err());
    assert!(stream.merge_shards(world.now(), &shard_name(0), &shard_name(2)).is_err());
    assert!(stream.update_shard_count(world.now(), 0).is_err());
    let after: Vec<_> = stream
        .shards(world.now())
        .unwrap()
        .iter()
        .map(|shard| (shard.birth, shard.closed))
        .collect();
    assert_eq!(after, before);
}

#[test]
fn shards_apart_in_the_wrong_order_or_the_same_are_not_merged() {
    let world = world();
    let stream = world.clicks(3);
    for (lower, upper) in [(0, 2), (1, 0), (2, 0), (1, 1)] {
        let (lower, upper) = (shard_name(lower), shard_name(upper));
        let error = stream.merge_shards(world.now(), &lower, &upper).unwrap_err();
        assert_says(
            &error,
            &[
                &lower,
                &upper,
                "clicks",
                "123456789012",
                "not an adjacent pair",
                "the first must end where the second starts",
            ],
        );
    }
}

#[test]
fn closed_shard_is_not_resharded_again() {
    let world = world();
    let stream = world.clicks(2);
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    let refusals = [
        stream.split_shard(world.now(), &shard_name(0), None).unwrap_err(),
        stream.merge_shards(world.now(), &shard_name(0), &shard_name(1)).unwrap_err(),
        stream.merge_shards(world.now(), &shard_name(3), &shard_name(0)).unwrap_err(),
    ];
    for error in refusals {
        assert_says(&error, &[&shard_name(0), "clicks", "closed", "open descendants"]);
    }
}

#[test]
fn unknown_shard_is_not_resharded() {
    let world = world();
    let stream = world.clicks(2);
    for name in [shard_name(2).as_str(), "0", ""] {
        let refusals = [
            stream.split_shard(world.now(), name, None).unwrap_err(),
            stream.merge_shards(world.now(), name, &shard_name(1)).unwrap_err(),
            stream.merge_shards(world.now(), &shard_name(0), name).unwrap_err(),
        ];
        for error in refusals {
            assert_says(&error, &[name, "clicks", "does not exist"]);
        }
    }
}

#[test]
fn on_demand_stream_is_not_resharded_by_hand() {
    let world = world();
    let on_demand = StreamOptions { mode: Mode::OnDemand, ..options(4) };
    let stream = world.create("clicks", on_demand).unwrap();
    let refusals = [
        ("split_shard", stream.split_shard(world.now(), &shard_name(0), None)),
        ("merge_shards", stream.merge_shards(world.now(), &shard_name(0), &shard_name(1))),
        ("update_shard_count", stream.update_shard_count(world.now(), 8)),
    ];
    for (operation, refused) in refusals {
        assert_says(&refused.unwrap_err(), &["clicks", "on demand", operation, "PROVISIONED"]);
    }
}

#[test]
fn shard_count_is_1_to_10_000() {
    let world = world();
    let stream = world.clicks(1);
    for asked in [0, -1, 10_001, i64::MAX, i64::MIN] {
        let error = stream.update_shard_count(world.now(), asked).unwrap_err();
        assert_says(&error, &["1 to 10000 shards", &asked.to_string()]);
    }
    assert!(world.create("none", options(0)).is_err());
    assert!(world.create("too-many", options(10_001)).is_err());
    assert!(world.create("all", options(10_000)).is_ok());
}

#[test]
fn split_past_10_000_shards_is_refused() {
    let world = world();
    let stream = world.clicks(10_000);
    let error = stream.split_shard(world.now(), &shard_name(0), None).unwrap_err();
    assert_says(&error, &["1 to 10000 shards", "10001"]);
    stream.merge_shards(world.now(), &shard_name(0), &shard_name(1)).unwrap();
    stream.split_shard(world.now(), &shard_name(2), None).unwrap();
}

#[test]
fn with_limits_a_count_at_most_doubles_or_halves() {
    let world = limited_world();
    let stream = world.clicks(5);
    for (asked, goes) in
        [(11, false), (2, false), (10, true), (21, false), (4, false), (5, true), (3, true)]
    {
        let updated = stream.update_shard_count(world.now(), asked);
        assert_eq!(updated.is_ok(), goes, "{asked}");
        if let Err(error) = updated {
            assert_says(&error, &[&asked.to_string(), "double", "half", "go in steps"]);
        }
    }
}

#[test]
fn with_limits_a_count_changes_ten_times_in_any_24_hours() {
    let world = limited_world();
    let stream = world.clicks(2);
    for round in 0..10 {
        stream.update_shard_count(world.later(1_000), 3 - round % 2).unwrap();
    }
    let error = stream.update_shard_count(world.now(), 4).unwrap_err();
    assert_says(&error, &["clicks", "10 times in 24 hours"]);
    // The first change was nine seconds before the last.
    let first_leaves = 86_400_000 - 9_000;
    assert!(stream.update_shard_count(world.later(first_leaves - 1), 4).is_err());
    stream.update_shard_count(world.later(1), 4).unwrap();
    assert!(stream.update_shard_count(world.now(), 4).is_err());
}

#[test]
fn closed_shard_is_exhausted_after_its_last_record_and_an_open_one_never() {
    let world = world();
    let stream = world.clicks(1);
    let parent = shard_name(0);
    let first = put_at(&stream, world.now(), 0, "0");
    let last = put_at(&stream, world.now(), 0, "1");
    let cut = |position| stream.start_cut(world.now(), position, Some(&parent)).unwrap();
    let end = cut(Position::AfterSequenceNumber(last));
    assert!(!stream.is_exhausted(&parent, end).unwrap());
    stream.split_shard(world.now(), &parent, None).unwrap();
    assert!(stream.is_exhausted(&parent, end).unwrap());
    assert!(!stream.is_exhausted(&parent, cut(Position::AfterSequenceNumber(first))).unwrap());
    assert!(!stream.is_exhausted(&shard_name(1), Cut::END).unwrap());
}

#[test]
fn closed_shard_stays_exhausted_when_its_children_take_records() {
    let world = world();
    let stream = world.clicks(1);
    let parent = shard_name(0);
    put_at(&stream, world.now(), 0, "parent's");
    stream.split_shard(world.now(), &parent, None).unwrap();
    let (_, end) = stream.read(world.now(), Cut::START, Cut::END, Some(&parent), 10).unwrap();
    for place in 0..300 {
        stream.put(world.now(), entry_at(place, "child's")).unwrap();
        assert!(stream.is_exhausted(&parent, end).unwrap());
    }
}

#[test]
fn ending_number_of_a_closed_shard_is_after_its_records() {
    let world = world();
    let stream = world.clicks(1);
    put_at(&stream, world.now(), 0, "x");
    stream.split_shard(world.now(), &shard_name(0), None).unwrap();
    let ending = stream.shards(world.now()).unwrap()[0].ending_sequence_number().unwrap();
    for position in [Position::AtSequenceNumber(ending), Position::AfterSequenceNumber(ending)] {
        let cut = stream.start_cut(world.now(), position, Some(&shard_name(0))).unwrap();
        let (slices, _) =
            stream.read(world.now(), cut, Cut::END, Some(&shard_name(0)), 10).unwrap();
        assert!(slices.is_empty());
        assert!(stream.is_exhausted(&shard_name(0), cut).unwrap());
    }
}
