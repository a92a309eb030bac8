//! What an engine must hold: what was acknowledged, as one would write it down.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::command::Command;
use crate::command::key;
use crate::seen::Record;
use crate::seen::Seen;
use crate::seen::StreamSeen;

/// A sequence number that a stream gave out: its account, name, shard, birth and index.
type Number = (usize, String, u32, u64, u64);

/// All that was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) seen: Seen,
    /// By stream, when its newest record arrived, forgotten ones counted.
    pub(crate) last_arrivals: BTreeMap<(usize, String), i64>,
    /// All sequence numbers that were given out, whatever became of the records.
    pub(crate) numbers: BTreeSet<Number>,
    /// The number of the next record that is put, by which its data are known.
    pub(crate) next: u64,
}

impl Model {
    /// Whether nothing was ever done.
    pub(crate) fn is_new(&self) -> bool {
        self.seen.streams.is_empty()
    }

    /// What is to be held once a command was answered. Records are this model's own; of what is said of streams it takes what
    /// readers see in the engine that was not interrupted, and checks what the command was for.
    pub(crate) fn after(
        &self,
        command: &Command,
        acknowledged: Option<Vec<Arc<Record>>>,
        live: Seen,
        now_ms: i64,
    ) -> Result<Self, String> {
        let mut after = self.clone();
        after.next += command.bulk().map_or(0, |bulk| bulk.count as u64);
        after.seen = self.seen.at(now_ms);
        if let Some(records) = acknowledged {
            after.take_in(command, records)?;
            check_effect(command, &live)?;
        }
        for (which, stream) in &live.streams {
            let held = after.seen.streams.get(which).map(|stream| &stream.records);
            let horizon_ms = now_ms - stream.retention_ms;
            let held = held.into_iter().flatten().filter(|each| horizon_ms < each.arrival_ms);
            if !stream.records.iter().eq(held) {
                let held = after.seen.streams.get(which).map(|stream| stream.records.len());
                return Err(format!("{which:?} shows {} of {held:?}", stream.records.len()));
            }
        }
        for (which, stream) in &after.seen.streams {
            let is_there = live.streams.contains_key(which);
            let may_go = matches!(command, Command::Delete(_)) || stream.status == "DELETING";
            if !is_there && !may_go {
                return Err(format!("{which:?} is gone"));
            }
        }
        after.last_arrivals.retain(|which, _| live.streams.contains_key(which));
        after.seen = live;
        Ok(after)
    }

    fn take_in(&mut self, command: &Command, records: Vec<Arc<Record>>) -> Result<(), String> {
        let Some(which) = command.which().map(key) else { return Ok(()) };
        match command {
            Command::Create(..) => drop(self.seen.streams.insert(which, StreamSeen::default())),
            Command::Fork(source, _) => {
                let source = key(*source);
                let copy = self.seen.streams.get(&source).cloned().ok_or("no source")?;
                if let Some(&last) = self.last_arrivals.get(&source) {
                    self.last_arrivals.insert(which.clone(), last);
                }
                // It goes on from the source's last number, as the one before it of its name may have done.
                self.numbers.retain(|(account, name, ..)| (account, name) != (&which.0, &which.1));
                self.seen.streams.insert(which, copy);
            }
            _ => {
                for record in records {
                    self.put(&which, &record)?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, which: &(usize, String), record: &Record) -> Result<(), String> {
        let birth = record.number.birth;
        let number =
            (which.0, which.1.clone(), birth.shard.0, birth.created_seconds, record.number.index);
        if !self.numbers.insert(number) {
            return Err(format!("{which:?} gives {:?} out twice", record.number));
        }
        let last = self.last_arrivals.entry(which.clone()).or_insert(i64::MIN);
        *last = record.arrival_ms.max(*last);
        let record = Arc::new(Record { arrival_ms: *last, ..record.clone() });
        let stream =
            self.seen.streams.get_mut(which).ok_or("it is put into a stream that is not there")?;
        if stream.records.last().is_some_and(|before| record.number.index <= before.number.index) {
            return Err(format!("{which:?} puts {:?} where it was before", record.number));
        }
        stream.records.push(record);
        Ok(())
    }
}

/// Checks that what was acknowledged is so.
fn check_effect(command: &Command, live: &Seen) -> Result<(), String> {
    let Some(stream) = command.which().and_then(|which| live.streams.get(&key(which))) else {
        return Ok(());
    };
    let has_consumer = |name: &str| stream.consumers.iter().any(|(each, ..)| each == name);
    let is_so = match command {
        Command::Label(_, label, number) => stream.tags.get(*label) == Some(&number.to_string()),
        Command::Unlabel(_, label) => !stream.tags.contains_key(*label),
        Command::Register(_, name) => has_consumer(name),
        Command::Retain(_, hours) => stream.retention_ms == hours * 3_600_000,
        Command::Policy(_, number) => {
            live.policies.values().any(|policy| *policy == format!("policy {number}"))
        }
        _ => true,
    };
    if is_so { Ok(()) } else { Err("it is acknowledged, and is not so".to_owned()) }
}

/// Says in what two views of an engine differ.
pub(crate) fn difference(held: &Seen, found: &Seen) -> String {
    if held.policies != found.policies {
        return format!("policies {:?} are {:?}", held.policies, found.policies);
    }
    let (names, others): (Vec<_>, Vec<_>) =
        (held.streams.keys().collect(), found.streams.keys().collect());
    if names != others {
        return format!("streams {names:?} are {others:?}");
    }
    let differs = |(one, other): &(&StreamSeen, &StreamSeen)| one != other;
    let mut pairs = held.streams.values().zip(found.streams.values());
    let Some((one, other)) = pairs.find(differs) else { return "nothing".to_owned() };
    let bare = |stream: &StreamSeen| StreamSeen { records: Vec::new(), ..stream.clone() };
    if bare(one) != bare(other) {
        return format!("{:#?} is {:#?}", bare(one), bare(other));
    }
    let place =
        one.records.iter().zip(&other.records).take_while(|(one, other)| one == other).count();
    let (len, other_len) = (one.records.len(), other.records.len());
    let (one, other) = (one.records.get(place), other.records.get(place));
    format!("{len} records are {other_len}, from {place} on: {one:?} is {other:?}")
}
