//! A workload without crashes, on a disk that may fail.

use std::sync::Arc;

use shardstream::engine::Durations;
use shardstream::engine::EngineError;
use shardstream::store::Durability;
use shardstream::store::StoreError;

use crate::command::Command;
use crate::command::key;
use crate::dice::Dice;
use crate::model::Model;
use crate::model::difference;
use crate::seen::Seen;
use crate::seen::StreamSeen;
use crate::simulated::Simulated;
use crate::world::Plan;
use crate::world::START_MS;
use crate::world::World;

/// An engine that works on a disk, and what it acknowledged.
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) dice: Dice,
    pub(crate) plan: Plan,
    pub(crate) disk: Simulated,
    pub(crate) world: World,
    pub(crate) model: Model,
}

/// What the store refused, and why.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) command: Command,
    pub(crate) error: StoreError,
}

impl Run {
    /// Begins on a new disk; a plan of the seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let plan = Plan::pick(&mut dice, Durability::Commit);
        // What is due and cannot be written down is not done: so nothing takes its time here.
        let plan = Plan { durations: Durations::default(), ..plan };
        Self::begin(seed, dice, plan)
    }

    /// Begins on a new disk; what a stream holds in memory is sealed after so many bytes.
    pub(crate) fn sealing_after(seal_bytes: usize) -> Self {
        let mut dice = Dice::new(0);
        let plan = Plan::pick(&mut dice, Durability::Commit);
        let plan = Plan { durations: Durations::default(), seal_bytes, ..plan };
        Self::begin(0, dice, plan)
    }

    fn begin(seed: u64, dice: Dice, plan: Plan) -> Self {
        let disk = Simulated::new();
        let world = World::open(plan, Arc::new(disk.clone()), START_MS).expect("the disk is new");
        Self { seed, dice, plan, disk, world, model: Model::default() }
    }

    /// Carries a command out that is not refused, and checks its answer.
    pub(crate) fn act(&mut self, command: &Command) {
        let records = self.world.act(command);
        let records = records.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let after = self.model.after(command, Some(records), self.look(), self.world.now_ms());
        self.model = after.unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    }

    /// Carries a random command out, and checks its answer; what the store refused is handed back.
    pub(crate) fn step(&mut self) -> Result<(), Box<Refused>> {
        let command = Command::pick(&mut self.dice, &self.model.seen, self.model.next);
        let command = if let Command::Reopen(_) = command { Command::Tick } else { command };
        let answer = match self.world.act(&command) {
            Ok(records) => Some(records),
            Err(EngineError::Store(error)) => return Err(Box::new(Refused { command, error })),
            Err(_) => None,
        };
        let after = self.model.after(&command, answer, self.look(), self.world.now_ms());
        self.model =
            after.unwrap_or_else(|fault| panic!("seed {}, {command:?}: {fault}", self.seed));
        Ok(())
    }

    /// Works for so many commands, or until the store refuses one.
    pub(crate) fn work(&mut self, commands: usize) -> Result<(), Box<Refused>> {
        (0..commands).try_for_each(|_| self.step())
    }

    pub(crate) fn look(&self) -> Seen {
        Seen::of(&self.world.engine).unwrap_or_else(|error| panic!("seed {}: {error}", self.seed))
    }

    /// Checks that a disk holds all that was acknowledged, and of what was refused all, nothing or a beginning.
    pub(crate) fn assert_held(&self, disk: Simulated, refused: Option<&Refused>) {
        let what = format!("seed {}, after {refused:?}", self.seed);
        let world = World::open(self.plan, Arc::new(disk), self.world.now_ms());
        let world = world.unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = Seen::of(&world.engine).unwrap_or_else(|error| panic!("{what}: {error}"));
        self.assert_seen(&found, refused);
    }

    /// Checks the same of what is seen.
    pub(crate) fn assert_seen(&self, found: &Seen, refused: Option<&Refused>) {
        let held = self.model.seen.at(self.world.now_ms());
        let is_held = held == *found
            || refused.is_some_and(|refused| may_become(&held, found, &refused.command));
        let seed = self.seed;
        assert!(is_held, "seed {seed}, after {refused:?}: {}", difference(&held, found));
    }
}

/// Whether a command that was not answered may have led from one view to another.
fn may_become(before: &Seen, found: &Seen, command: &Command) -> bool {
    let Some(which) = command.which().map(key) else { return false };
    let others = |seen: &Seen| {
        let mut others = seen.streams.clone();
        others.remove(&which);
        others
    };
    if others(before) != others(found) {
        return false;
    }
    match (before.streams.get(&which), found.streams.get(&which)) {
        (Some(before), Some(found)) => may_have_become(before, found, command),
        (Some(_), None) => matches!(command, Command::Delete(_)),
        (None, Some(_)) => matches!(command, Command::Create(..) | Command::Fork(..)),
        (None, None) => true,
    }
}

fn may_have_become(before: &StreamSeen, found: &StreamSeen, command: &Command) -> bool {
    let (records, count) = (&found.records, before.records.len());
    match command.bulk() {
        // Records, and nothing else.
        Some(bulk) => {
            let rest = StreamSeen { records: records.clone(), ..before.clone() };
            rest == *found
                && records.starts_with(&before.records)
                && records.len() <= count + bulk.count
        }
        // Anything but records, of which a shorter retention leaves the last ones.
        None => before.records.ends_with(records),
    }
}
