//! Random lives of a whole engine on a disk in memory that crashes at each step, recovered after each crash and compared with
//! what was acknowledged.

#[path = "../simulated/mod.rs"]
mod simulated;

mod command;
mod dice;
mod life;
mod model;
mod seen;
mod watched;
mod world;

use shardstream::store::Durability;

use crate::life::Course;
use crate::life::live;
use crate::watched::Neglect;

fn course(seed: u64, durability: Durability) -> Course {
    Course { seed, durability, commands: 30, neglect: None, is_wrong: false }
}

fn assert_lives(seeds: impl IntoIterator<Item = u64>, durability: Durability) {
    for seed in seeds {
        if let Err(fault) = live(course(seed, durability)) {
            panic!("{fault}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_a_crash_at_any_step() {
    assert_lives(0..6, Durability::Commit);
}

#[test]
fn loss_of_power_takes_a_suffix_where_nobody_waits_for_the_disk() {
    assert_lives(100..103, Durability::None);
}

#[test]
fn loss_of_power_takes_a_suffix_where_the_disk_is_synced_from_time_to_time() {
    assert_lives(200..202, Durability::Interval);
}

#[test]
fn many() {
    let from: u64 = std::env::var("SIM_SEED").map_or(0, |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("SIM_COUNT").map_or(0, |seed| seed.parse().unwrap());
    for seed in from..from + count {
        let durability =
            [Durability::Commit, Durability::None, Durability::Commit, Durability::Interval]
                [seed as usize % 4];
        if let Err(fault) = live(course(seed, durability)) {
            println!("FAULT {fault}");
        }
    }
}

#[test]
fn same_seed_lives_the_same_life() {
    let lived = |_| live(course(7, Durability::Commit));
    let [one, other] = [(); 2].map(lived);
    assert!(one.is_ok(), "{one:?}");
    assert_eq!(one, other);
}

#[test]
fn disk_that_syncs_nothing_is_found_out() {
    for neglect in [Neglect::Files, Neglect::Folders] {
        let neglect = Some(neglect);
        let lived = (0..9).map(|seed| live(Course { neglect, ..course(seed, Durability::Commit) }));
        let found = lived.filter(Result::is_err).count();
        assert!(0 < found, "{neglect:?}");
    }
}

#[test]
fn model_that_is_wrong_is_found_out() {
    let lived = live(Course { is_wrong: true, ..course(1, Durability::Commit) });
    assert!(lived.is_err());
}
