//! Random lives of a stream, lived by the engine and by a naive model: equal in every answer, or shrunk to why not.

mod command;
mod naive;
mod seen;
mod twins;

use proptest::prelude::*;
use proptest::test_runner::Config;
use proptest::test_runner::FileFailurePersistence;
use proptest::test_runner::RngAlgorithm;
use proptest::test_runner::TestError;
use proptest::test_runner::TestRng;
use proptest::test_runner::TestRunner;

use crate::command::Command;
use crate::command::lives;
use crate::seen::Planted;
use crate::twins::live;

proptest! {
    #![proptest_config(Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("found"))),
        ..Config::default()
    })]

    #[test]
    fn engine_answers_as_the_naive_model_does((shard_count, commands) in lives()) {
        live(shard_count, &commands, None)?;
    }
}

/// Lives against a model with a planted mistake until it shows, and returns the shortest life that shows it.
fn shortest_life_that_shows(planted: Planted) -> Vec<Command> {
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&lives(), |(shards, commands)| live(shards, &commands, Some(planted)));
    match outcome {
        Err(TestError::Fail(_, (_, commands))) => commands,
        other => panic!("{planted:?} stayed hidden: {other:?}"),
    }
}

#[test]
fn planted_mistakes_are_found_and_shrunk() {
    for planted in [Planted::ForgetsLate, Planted::IncludesAfter, Planted::RoutesEndsUp] {
        let commands = shortest_life_that_shows(planted);
        assert!(commands.len() <= 6, "{planted:?} shows in {commands:?}");
    }
}
