//! Same seed, same clock, same input: the same sequence numbers; another seed or name: others.

use shardstream::engine::Limits;

use crate::setup::START;
use crate::setup::options;
use crate::setup::put;
use crate::setup::read;
use crate::setup::world_of;

/// Puts and reshards a little, and returns the digits that readers see.
fn life(seed: u64, name: &str) -> Vec<String> {
    let world = world_of(Limits::Off, seed);
    let stream = world.create(name, options(3)).expect("the world is new");
    for place in 0..200 {
        put(&stream, world.later(37), &format!("user-{}", place % 13), "x");
        if place % 50 == 49 {
            let count = [5, 2, 3, 4][place / 50];
            stream.update_shard_count(world.now(), count).expect("limits are off");
        }
    }
    let digits = read(&stream, world.now(), None);
    digits.iter().map(|record| record.sequence_number().to_string()).collect()
}

#[test]
fn same_seed_clock_and_input_give_the_same_numbers() {
    assert_eq!(life(7, "clicks"), life(7, "clicks"));
}

#[test]
fn another_seed_gives_other_numbers() {
    assert_ne!(life(7, "clicks"), life(8, "clicks"));
}

#[test]
fn another_name_gives_other_numbers() {
    assert_ne!(life(7, "clicks"), life(7, "views"));
}

#[test]
fn numbers_of_a_stream_do_not_hang_on_the_other_streams() {
    let alone = world_of(Limits::Off, 7);
    let beside = world_of(Limits::Off, 7);
    let views = beside.create("views", options(2)).unwrap();
    put(&views, START, "a", "x");
    let number = |world: &crate::setup::World| put(&world.clicks(2), START, "a", "x");
    assert_eq!(number(&alone), number(&beside));
}
