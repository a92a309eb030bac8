//! Threads that put, seal, fork and delete at once, until the disk crashes under all of them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use shardstream::engine::Durations;
use shardstream::store::Durability;

use crate::command::Bulk;
use crate::command::Command;
use crate::command::Table;
use crate::command::key;
use crate::dice::Dice;
use crate::seen::Record;
use crate::seen::Seen;
use crate::seen::Which;
use crate::simulated::Simulated;
use crate::world::Plan;
use crate::world::START_MS;
use crate::world::World;

const PUT_INTO: Which = (0, "clicks");
const OTHER: Which = (0, "views");

/// Puts until the disk crashes, and returns what was acknowledged.
fn put(world: &World, mut dice: Dice, mut first: u64) -> Vec<Arc<Record>> {
    let mut acknowledged = Vec::new();
    loop {
        let bulk = Bulk { count: 1 + dice.below(9), bytes: dice.one_of(&[0, 90, 900]), first };
        first += bulk.count as u64;
        let table = Table { is_typed: false, apart_ms: 0 };
        let command = match dice.below(3) {
            0 => Command::Put(PUT_INTO, Bulk { count: 1, ..bulk }),
            1 => Command::PutMany(PUT_INTO, bulk),
            _ => Command::Write(PUT_INTO, bulk, table),
        };
        match world.act(&command) {
            Ok(records) => acknowledged.extend(records),
            Err(_) => return acknowledged,
        }
    }
}

/// Makes streams come and go until the disk crashes.
fn come_and_go(world: &World, mut dice: Dice, disk: &Simulated, crash_at: u64) {
    while disk.steps() <= crash_at {
        let command = match dice.below(5) {
            0 => Command::Create(OTHER, 2),
            1 => Command::Delete(OTHER),
            2 => Command::Fork(PUT_INTO, OTHER.1),
            3 => Command::Label(OTHER, "team", dice.roll()),
            _ => Command::Tick,
        };
        // Much of it is refused: the stream is there already, or is not.
        let _refused = world.act(&command);
    }
}

fn assert_holds(seed: u64, plan: Plan, disk: Simulated, acknowledged: &[Vec<Arc<Record>>]) {
    let world = World::open(plan, Arc::new(disk), START_MS);
    let world = world.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let seen = Seen::of(&world.engine).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let records = &seen.streams[&key(PUT_INTO)].records;
    let data: BTreeSet<&[u8]> = records.iter().map(|record| &record.data[..]).collect();
    assert_eq!(data.len(), records.len(), "seed {seed}: each record is there once");
    let by_index: BTreeMap<u64, &Arc<Record>> =
        records.iter().map(|record| (record.number.index, record)).collect();
    assert_eq!(by_index.len(), records.len(), "seed {seed}: each number is given out once");
    for record in acknowledged.iter().flatten() {
        let found = by_index.get(&record.number.index);
        assert_eq!(found, Some(&record), "seed {seed}: what was acknowledged is there");
    }
}

#[test]
fn nothing_acknowledged_to_any_thread_is_lost() {
    let mut records = 0;
    for seed in 400..440 {
        let mut dice = Dice::new(seed);
        let plan = Plan { seal_bytes: 4_000, ..Plan::pick(&mut dice, Durability::Commit) };
        let plan = Plan { durations: Durations::default(), ..plan };
        let disk = Simulated::new();
        let world = World::open(plan, Arc::new(disk.clone()), START_MS).expect("the disk is new");
        world.act(&Command::Create(PUT_INTO, 3)).expect("the name is free");
        let crash_at = disk.steps() + dice.below(1_200) as u64;
        disk.crash_at(crash_at);
        let acknowledged: Vec<Vec<Arc<Record>>> = std::thread::scope(|scope| {
            let world = &world;
            let putting: Vec<_> = (1..4)
                .map(|thread| {
                    let dice = dice.fork();
                    scope.spawn(move || put(world, dice, thread * 1_000_000))
                })
                .collect();
            come_and_go(world, dice.fork(), &disk, crash_at);
            putting.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        records += acknowledged.iter().map(Vec::len).sum::<usize>();
        assert_holds(seed, plan, disk.killed(), &acknowledged);
        assert_holds(seed, plan, disk.survive(&mut || dice.roll()), &acknowledged);
    }
    assert!(500 < records, "{records}");
}
