//! The life of an engine under a seed: commands, crashes at each of their steps, and what is found after each.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use parking_lot::Mutex;
use shardstream::engine::EngineError;
use shardstream::store::Durability;

use crate::command::Command;
use crate::dice::Dice;
use crate::model::Model;
use crate::model::difference;
use crate::seen::Seen;
use crate::simulated::Simulated;
use crate::watched::Crash;
use crate::watched::Left;
use crate::watched::Neglect;
use crate::watched::Watched;
use crate::world::Plan;
use crate::world::START_MS;
use crate::world::World;

/// Of so many crashes one is followed by more of the workload, and by crashes of it.
const GOES_ON_ONCE_IN: usize = 40;
/// How many commands follow.
const GOES_ON_FOR: usize = 3;

/// How a life is lived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) seed: u64,
    pub(crate) durability: Durability,
    pub(crate) commands: usize,
    /// What the disk does not do.
    pub(crate) neglect: Option<Neglect>,
    /// Whether the model is wrong: it says that what was going on when a crash came is never there.
    pub(crate) is_wrong: bool,
}

/// What happened, in words.
type Trace = Arc<Mutex<Vec<String>>>;

/// Lives a life, and returns what happened.
pub(crate) fn live(course: Course) -> Result<Vec<String>, String> {
    let trace = Trace::default();
    let lived = catch_unwind(AssertUnwindSafe(|| Life::new(course, Arc::clone(&trace)).live()));
    let fault = match lived {
        Ok(Ok(())) => return Ok(std::mem::take(&mut *trace.lock())),
        Ok(Err(fault)) => fault,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("panicked: {}", text.unwrap_or("without a word"))
        }
    };
    let trace = trace.lock().join("\n  ");
    Err(format!("{fault}\n{course:?}; see it again with SIM_SEED={}\n  {trace}", course.seed))
}

struct Life {
    course: Course,
    plan: Plan,
    dice: Dice,
    disk: Watched,
    model: Model,
    /// What was held since everything was stable last.
    history: Vec<Model>,
    /// Whether crashes here are followed by more.
    goes_on: bool,
    trace: Trace,
}

impl Life {
    fn new(course: Course, trace: Trace) -> Self {
        let mut dice = Dice::new(course.seed);
        let plan = Plan::pick(&mut dice, course.durability);
        let disk = Watched::new(Simulated::new(), Some(dice.fork())).neglecting(course.neglect);
        trace.lock().push(format!("{plan:?}"));
        let (model, history) = (Model::default(), vec![Model::default()]);
        Self { course, plan, dice, disk, model, history, goes_on: true, trace }
    }

    fn say(&self, what: String) {
        let margin = if self.goes_on { "" } else { "    " };
        self.trace.lock().push(format!("{margin}{what}"));
    }

    fn live(mut self) -> Result<(), String> {
        let world = self.open(START_MS)?;
        let world = self.work(world, self.course.commands)?;
        self.close(world).map(drop)
    }

    fn open(&mut self, now_ms: i64) -> Result<World, String> {
        let disk = Arc::new(self.disk.clone());
        let world =
            World::open(self.plan, disk, now_ms).map_err(|error| format!("opening: {error}"))?;
        let found = Seen::of(&world.engine).map_err(|error| format!("looking: {error}"))?;
        let held = self.model.seen.at(now_ms);
        if found != held {
            return Err(format!("opened: {}", difference(&held, &found)));
        }
        self.model.seen = found;
        self.history = vec![self.model.clone()];
        self.check_crashes(None, now_ms)?;
        Ok(world)
    }

    fn close(&mut self, world: World) -> Result<i64, String> {
        let now_ms = world.now_ms();
        world.engine.close().map_err(|error| format!("closing: {error}"))?;
        drop(world);
        self.check_crashes(None, now_ms)?;
        // Whatever was promised, nothing is lost after this.
        self.history = vec![self.model.clone()];
        let mut dice = self.dice.fork();
        let (disk, crash) = (self.disk.disk.survive(&mut || dice.roll()), Crash::PowerLoss);
        self.check(Left { disk, crash, step: self.disk.disk.steps() }, None, now_ms)?;
        Ok(now_ms)
    }

    fn work(&mut self, mut world: World, commands: usize) -> Result<World, String> {
        for _ in 0..commands {
            let command = Command::pick(&mut self.dice, &self.model.seen, self.model.next);
            self.say(format!("{} {command:?}", self.disk.disk.steps()));
            world = match command {
                Command::Reopen(ms) => {
                    let now_ms = self.close(world)?;
                    // What takes its time ends in between: that is for clocks that go on.
                    let is_slow = 0 < self.plan.durations.update_ms;
                    self.open(if is_slow { now_ms } else { now_ms + ms })?
                }
                command => {
                    self.act(&world, &command)?;
                    world
                }
            };
        }
        Ok(world)
    }

    fn act(&mut self, world: &World, command: &Command) -> Result<(), String> {
        let answer = match world.act(command) {
            Ok(records) => Some(records),
            Err(EngineError::Store(error)) => return Err(format!("refused: {error}")),
            Err(refusal) => {
                self.say(format!("  refused: {refusal}"));
                None
            }
        };
        let live = Seen::of(&world.engine).map_err(|error| format!("looking: {error}"))?;
        let after = self.model.after(command, answer, live, world.now_ms())?;
        let before = std::mem::replace(&mut self.model, after);
        self.check_crashes(Some((&before, command)), world.now_ms())?;
        self.history.push(self.model.clone());
        Ok(())
    }

    /// Looks at what each crash left that came since this was asked last, while `going_on` was.
    fn check_crashes(
        &mut self,
        going_on: Option<(&Model, &Command)>,
        now_ms: i64,
    ) -> Result<(), String> {
        for left in self.disk.take_left() {
            self.check(left, going_on, now_ms)?;
        }
        Ok(())
    }

    fn check(
        &mut self,
        left: Left,
        going_on: Option<(&Model, &Command)>,
        now_ms: i64,
    ) -> Result<(), String> {
        let what = format!("{:?} before step {}", left.crash, left.step);
        let fault = |fault: String| format!("{what}: {fault}");
        let may_lose =
            self.course.durability != Durability::Commit && left.crash == Crash::PowerLoss;
        // A machine takes a second to start at least.
        let now_ms = now_ms + if may_lose { 1_000 } else { 0 };
        let goes_on = self.goes_on && self.dice.once_in(GOES_ON_ONCE_IN);
        let dice = goes_on.then(|| self.dice.fork());
        let disk = Watched::new(left.disk, dice).neglecting(self.course.neglect);
        let world = World::open(self.plan, Arc::new(disk.clone()), now_ms);
        let world = world.map_err(|error| fault(format!("opening: {error}")))?;
        let found = Seen::of(&world.engine).map_err(|error| fault(format!("looking: {error}")))?;
        let mut model = self.held(&found, going_on, may_lose, now_ms).map_err(fault)?;
        if !goes_on {
            return Ok(());
        }
        let acknowledged = going_on.map_or(&self.model, |(before, _)| before);
        model.numbers.extend(acknowledged.numbers.iter().cloned());
        model.next = self.model.next;
        self.say(format!("  goes on after {what}"));
        let history = if left.crash == Crash::Kill { self.history.clone() } else { Vec::new() };
        let dice = self.dice.fork();
        let (course, plan, trace) = (self.course, self.plan, Arc::clone(&self.trace));
        let mut next = Self { course, plan, dice, disk, model, history, goes_on: false, trace };
        // While it was opened it may have crashed again, and was not stable before.
        let before = going_on.map(|(before, command)| (before.clone(), command));
        let again = before.as_ref().map(|(before, command)| (before, *command));
        next.history.push(next.model.clone());
        next.history.push(self.model.clone());
        next.check_crashes(again.filter(|_| left.crash == Crash::Kill), now_ms)?;
        next.history = vec![next.model.clone()];
        next.work(world, GOES_ON_FOR).map(drop).map_err(fault)
    }

    /// Finds which of what may be held was found.
    fn held(
        &self,
        found: &Seen,
        going_on: Option<(&Model, &Command)>,
        may_lose: bool,
        now_ms: i64,
    ) -> Result<Model, String> {
        let is_found = |model: &&Model| model.seen.at(now_ms) == *found;
        let before = going_on.map(|(before, _)| before);
        let after = Some(&self.model).filter(|_| !(self.course.is_wrong && before.is_some()));
        let earlier = self.history.iter().rev().filter(|_| may_lose);
        let mut candidates = after.into_iter().chain(before).chain(earlier);
        if let Some(model) = candidates.find(is_found) {
            return Ok(model.clone());
        }
        if let Some((before, Command::PutMany(..))) = going_on
            && is_part(&before.seen.at(now_ms), &self.model.seen.at(now_ms), found)
        {
            return Ok(Model { seen: found.clone(), ..self.model.clone() });
        }
        let to_before = before.map(|before| difference(&before.seen.at(now_ms), found));
        let to_after = difference(&self.model.seen.at(now_ms), found);
        Err(format!("to what was before: {to_before:?}\nto what comes after: {to_after}"))
    }
}

/// Whether of the records that come in between a beginning is there.
fn is_part(before: &Seen, after: &Seen, found: &Seen) -> bool {
    let names = |seen: &Seen| seen.streams.keys().cloned().collect::<Vec<_>>();
    if names(before) != names(found) || before.policies != found.policies {
        return false;
    }
    let streams = before.streams.iter().zip(after.streams.values()).zip(found.streams.values());
    streams.into_iter().all(|(((_, before), after), found)| {
        let rest = crate::seen::StreamSeen { records: found.records.clone(), ..before.clone() };
        rest == *found
            && found.records.starts_with(&before.records)
            && after.records.starts_with(&found.records)
    })
}
