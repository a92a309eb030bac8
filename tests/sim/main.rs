//! Random lives of a whole engine on a disk in memory that crashes at each step, recovered after each crash and compared with
//! what was acknowledged.

#[path = "../simulated/mod.rs"]
mod simulated;

mod command;
mod dice;
mod faults;
mod found;
mod life;
mod model;
mod run;
mod seen;
mod threads;
mod watched;
mod world;

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use shardstream::clock::Clock;
use shardstream::store::Durability;
use shardstream::threads::Threads;

use crate::life::Course;
use crate::life::live;
use crate::watched::Neglect;

const DURABILITIES: [Durability; 3] = [Durability::Commit, Durability::Interval, Durability::None];

fn course(seed: u64, durability: Durability) -> Course {
    Course { seed, durability, commands: 30, neglect: None, is_wrong: false }
}

fn assert_lives(seeds: impl IntoIterator<Item = u64>, durability: Durability) {
    for seed in seeds {
        live(course(seed, durability)).unwrap_or_else(|fault| panic!("{fault}"));
    }
}

/// What is said in the environment, if it is a number.
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_acknowledged_is_lost_in_a_crash_at_any_step() {
    assert_lives(1..4, Durability::Commit);
}

#[test]
fn loss_of_power_takes_a_suffix_where_nobody_waits_for_the_disk() {
    assert_lives(4..5, Durability::None);
}

#[test]
fn loss_of_power_takes_a_suffix_where_the_disk_is_synced_from_time_to_time() {
    assert_lives(6..7, Durability::Interval);
}

/// One seed, or as many as there is time for; `SIM_SEED` and `SIM_SECONDS` say which, and how long.
#[test]
fn random_lives_hold() {
    let clock = Clock::System;
    let until =
        clock.now().plus(told("SIM_SECONDS").map_or(0, |seconds| 1_000 * seconds.cast_signed()));
    let is_long = told("SIM_SECONDS").is_some();
    let first = told("SIM_SEED").unwrap_or(if is_long { clock.now().0.cast_unsigned() } else { 9 });
    println!("seeds from {first} on");
    let lives = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..if is_long { Threads::new(None).expect("there are cores").count() } else { 1 } {
            scope.spawn(|| {
                loop {
                    let seed = first + lives.fetch_add(1, Ordering::Relaxed);
                    for durability in DURABILITIES {
                        assert_lives([seed], durability);
                    }
                    if until <= clock.now() {
                        break;
                    }
                }
            });
        }
    });
    println!("{} seeds, each with all durabilities", lives.into_inner());
}

#[test]
fn same_seed_lives_the_same_life() {
    for durability in [Durability::Commit, Durability::None] {
        let [one, other] = [(); 2].map(|()| live(course(7, durability)));
        assert!(one.is_ok(), "{one:?}");
        assert_eq!(one, other);
    }
}

#[test]
fn disk_that_neglects_a_kind_of_sync_is_found_out() {
    for neglect in [Neglect::Files, Neglect::Folders] {
        let neglect = Some(neglect);
        let lived = (0..9).map(|seed| live(Course { neglect, ..course(seed, Durability::Commit) }));
        assert!(lived.into_iter().any(|lived| lived.is_err()), "{neglect:?}");
    }
}

#[test]
fn model_that_is_wrong_is_found_out() {
    let lived = live(Course { is_wrong: true, ..course(1, Durability::Commit) });
    assert!(lived.is_err());
}
