//! What random lives found once, each by its shortest way.

use std::sync::Arc;

use shardstream::store::Durability;

use crate::command::Bulk;
use crate::command::Command;
use crate::command::Table;
use crate::command::key;
use crate::dice::Dice;
use crate::run::Run;
use crate::seen::Record;
use crate::seen::Seen;
use crate::seen::Which;
use crate::simulated::Simulated;
use crate::world::Plan;
use crate::world::START_MS;
use crate::world::World;

const CLICKS: Which = (0, "clicks");
const VIEWS: Which = (0, "views");
const HOUR_MS: i64 = 3_600_000;

/// A run of an engine that seals after 4,000 bytes, on which commands were carried out.
fn done(commands: &[Command]) -> Run {
    let mut run = Run::sealing_after(4_000);
    for command in commands {
        run.act(command);
    }
    run
}

fn bulk(count: usize, bytes: usize, first: u64) -> Bulk {
    Bulk { count, bytes, first }
}

fn opened(run: &Run, disk: Simulated) -> Seen {
    let world = World::open(run.plan, Arc::new(disk), run.world.now_ms());
    Seen::of(&world.expect("it opens").engine).expect("it can be read")
}

#[test]
fn table_in_segments_is_there_after_a_loss_of_power() {
    let table = Table { is_typed: false, apart_ms: 0 };
    let create = Command::Create((1, "clicks"), 2);
    let run = done(&[create, Command::Write((1, "clicks"), bulk(9, 900, 0), table)]);
    for seed in 0..20 {
        let mut dice = Dice::new(seed);
        let found = opened(&run, run.disk.survive(&mut || dice.roll()));
        assert_eq!(found, run.look(), "seed {seed}");
    }
}

#[test]
fn table_whose_first_rows_are_forgotten_keeps_the_others() {
    let table = Table { is_typed: true, apart_ms: HOUR_MS };
    let mut run = done(&[
        Command::Create(CLICKS, 2),
        Command::Create(VIEWS, 1),
        Command::Write(CLICKS, bulk(10, 0, 0), table),
        Command::Advance(28 * HOUR_MS),
    ]);
    // Enough for a checkpoint, which says what is forgotten of rows that are in the journal alone.
    for first in 1..9 {
        run.act(&Command::PutMany(VIEWS, bulk(9, 500, 10 * first)));
    }
    let found = opened(&run, run.disk.killed());
    assert_eq!(found.streams[&key(CLICKS)].records.len(), 5);
    assert_eq!(found, run.look());
}

#[test]
fn rows_that_were_sealed_apart_are_there_once_when_they_are_told_again() {
    let run = done(&[
        Command::Create(CLICKS, 1),
        Command::Put(CLICKS, bulk(1, 20, 0)),
        // What was put before is forgotten, and what comes is sealed by itself.
        Command::Advance(25 * HOUR_MS),
        Command::PutMany(CLICKS, bulk(9, 500, 1)),
        Command::Label(CLICKS, "team", 7),
    ]);
    assert_eq!(opened(&run, run.disk.killed()), run.look());
}

#[test]
fn reader_sees_what_is_sealed_though_nothing_came_after_the_checkpoint() {
    let run = done(&[Command::Create(CLICKS, 1), Command::PutMany(CLICKS, bulk(9, 500, 0))]);
    run.world.engine.close().expect("the disk is well");
    let disk = run.disk.killed();
    let writer = World::open(run.plan, Arc::new(disk.clone()), run.world.now_ms());
    let writer = writer.expect("it opens");
    let reader = World::open_to_read(run.plan, Arc::new(disk), run.world.now_ms());
    assert_eq!(reader.and_then(|reader| Seen::of(&reader.engine)), Seen::of(&writer.engine));
}

#[test]
fn fork_is_there_whose_name_a_stream_had_before() {
    let forked = Command::Fork(CLICKS, VIEWS.1);
    let run = done(&[
        Command::Create(CLICKS, 2),
        Command::PutMany(CLICKS, bulk(9, 200, 0)),
        forked.clone(),
        Command::Delete(VIEWS),
        // Its files have the names of those that go with the stream before it.
        forked,
        Command::PutMany(VIEWS, bulk(9, 200, 9)),
        Command::Tick,
    ]);
    assert_eq!(opened(&run, run.disk.killed()), run.look());
}

#[test]
fn stream_that_was_lost_and_the_next_of_its_name_share_no_number() {
    let (create, put) = (Command::Create(CLICKS, 1), Command::Put(CLICKS, bulk(1, 0, 0)));
    let plan = Plan { durability: Durability::None, ..done(&[]).plan };
    let mut lost = 0;
    for seed in 0..40 {
        let disk = Simulated::new();
        let world = World::open(plan, Arc::new(disk.clone()), START_MS).expect("the disk is new");
        let act = |world: &World, command| world.act(command).expect("the disk is well");
        // The second of its name within a second is of the next one.
        for command in [&create, &Command::Delete(CLICKS), &create] {
            act(&world, command);
        }
        let before = act(&world, &put);
        let mut dice = Dice::new(seed);
        let disk = Arc::new(disk.survive(&mut || dice.roll()));
        let world = World::open(plan, disk, START_MS + 1_000).expect("it opens");
        let found = Seen::of(&world.engine).expect("it can be read");
        if !found.streams.contains_key(&key(CLICKS)) {
            lost += 1;
            act(&world, &create);
        }
        let place = |record: &Record| (record.number.birth, record.number.index);
        assert_ne!(place(&act(&world, &put)[0]), place(&before[0]), "seed {seed}");
    }
    assert!(0 < lost);
}
