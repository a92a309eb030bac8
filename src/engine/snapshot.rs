//! Copies that share what is sealed: an engine written to another store, and streams forked.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::StreamOptions;
use crate::engine::consumer::Consumers;
use crate::engine::daily::LastDay;
use crate::engine::kept::Kept;
use crate::engine::ledger::Ledger;
use crate::engine::ledger::StoreOptions;
use crate::engine::ledger::checkpoint::AsOf;
use crate::engine::ledger::checkpoint::Home;
use crate::engine::ledger::entry::LogEntry;
use crate::engine::ledger::entry::StreamEntry;
use crate::engine::ledger::folder_of;
use crate::engine::lifecycle::Lifecycle;
use crate::engine::log::Chunk;
use crate::engine::log::Log;
use crate::engine::log::resident_run;
use crate::engine::stream::Stream;
use crate::store::Disk;
use crate::store::GenerationInfo;
use crate::store::Journal;
use crate::store::StoreError;
use crate::store::generation;
use crate::threads::Threads;

/// Where an engine is written to: a folder that is there, and empty.
#[derive(Clone, Debug)]
pub struct Target {
    /// The store to be.
    pub store: StoreOptions,
    /// The folder, where files of another store are given second names.
    pub root: PathBuf,
}

impl Engine {
    /// Writes all streams to a new store; what this engine has sealed is shared with it, not copied.
    ///
    /// # Errors
    ///
    /// There is something in the folder, or the disk fails; what was written stays where it is.
    pub fn snapshot(&self, now: Millis, target: Target) -> Result<(), EngineError> {
        self.check_open()?;
        let disk = &*target.store.disk;
        let names = disk.list("").map_err(|error| StoreError::io("cannot list", "", error))?;
        if let Some(first) = names.first() {
            let folder = target.root.display().to_string();
            return Err(EngineError::FolderInUse { folder, holds: first.name.clone() });
        }
        let id = *uuid::Uuid::new_v4().as_bytes();
        let options = self.options();
        let home = self.ledger.as_ref().map_or_else(
            || Home { account: options.account_id.clone(), region: options.region.clone() },
            |ledger| ledger.home.clone(),
        );
        let durability = target.store.durability;
        let journal = Journal::create(Arc::clone(&target.store.disk), id, durability)?;
        let ledger = Ledger::new(target.store.clone(), id, home);
        ledger.begin(journal);
        let (mut accounts, mut streams) = (Vec::new(), Vec::new());
        for account in self.accounts() {
            let kept = account.kept().clone();
            accounts.push(AsOf { as_of: 0, entry: account.entry(kept) });
            for stream in account.streams() {
                let taken = match stream.taken(now) {
                    // One that went meanwhile is not there.
                    Err(EngineError::StreamNotFound { .. }) => continue,
                    taken => taken?,
                };
                let place = Copying { ledger: &ledger, target: &target, threads: options.threads };
                let entry = place.stream(&stream, taken)?;
                streams.push(AsOf { as_of: 0, entry });
            }
        }
        ledger.say(accounts, streams, true)?;
        ledger.journal().abandon();
        Ok(())
    }

    /// Makes a stream that begins with another's shards and records, and goes its own way from there.
    ///
    /// # Errors
    ///
    /// There is a stream of this name, or the disk fails.
    pub fn fork_stream(
        &self,
        now: Millis,
        source: &Stream,
        name: &str,
    ) -> Result<Arc<Stream>, EngineError> {
        self.check_open()?;
        super::check_stream_name(name)?;
        let account = self.account(source.account(), source.region())?;
        let settings = source.settings(now)?;
        let options = StreamOptions {
            shard_count: u32::try_from(source.open_shard_count(now)?).unwrap_or(u32::MAX),
            retention_ms: source.retention_ms()?,
            mode: settings.mode,
            record_bytes_max: settings.record_bytes_max,
            tags: settings.tags,
            distribution: settings.distribution,
            warm_throughput: settings.warm_throughput,
        };
        account.clear_name(name)?;
        let taken = source.taken(now)?;
        let place = self.place(&account, name, None);
        let disk = self.ledger.as_ref().map(|ledger| Arc::clone(&ledger.store.disk));
        let (mut copied, mut folder) = (Vec::new(), String::new());
        let chunks = match &place.durable {
            None => taken.chunks,
            Some(durable) => {
                let ledger = &durable.ledger;
                let (disk, store) = (&*ledger.store.disk, &ledger.store);
                folder.clone_from(&durable.folder);
                let link = &mut |from: &str, to: &str| disk.link(from, to);
                let threads = self.options.threads;
                let done = copy(disk, &folder, &taken.chunks, store, threads, link);
                copied = ledger.poisoned_by(done)?;
                let generations = copied.iter().map(|info| durable.generation(info.clone()));
                generations.map(Chunk::Sealed).collect()
            }
        };
        let log = Log::of(chunks, taken.horizon_index, taken.end_index, taken.last_arrival);
        let forked = account.create_stream(now, name, &options, |birth| {
            Ok(Stream::with(place, birth.now, birth.seconds, taken.kept, log))
        });
        if let Some(disk) = disk.filter(|_| forked.is_err() && account.check_name(name).is_ok()) {
            remove(&*disk, &folder, &copied);
        }
        forked
    }
}

/// What a copy of a stream begins with.
pub(crate) struct Taken {
    kept: Kept,
    chunks: Vec<Chunk>,
    horizon_index: u64,
    end_index: u64,
    last_arrival: Millis,
}

impl Stream {
    /// What a copy of the stream begins with: all that is stable, and no consumers.
    fn taken(&self, now: Millis) -> Result<Taken, EngineError> {
        if let Some(durable) = self.durable().filter(|durable| !durable.ledger.store.read_only) {
            // What is on its way to stable storage may be in the copy as soon as it is there.
            durable.ledger.journal().sync()?;
        }
        let mut state = self.trimmed_at(now)?;
        // Generations are taken whole: what is in them is stable, whether it is shown already or not.
        let end = state.log.shown_end().max(state.log.sealed_end());
        let kept = Kept {
            consumers: Consumers::default(),
            life: Lifecycle::creating(now, 0),
            last_day: LastDay::default(),
            ..state.kept.clone()
        };
        Ok(Taken {
            kept,
            chunks: state.log.chunks_below(end),
            horizon_index: state.log.horizon().0,
            end_index: end.0,
            last_arrival: state.log.last_arrival(),
        })
    }
}

/// A store that streams are copied to.
struct Copying<'a> {
    ledger: &'a Ledger,
    target: &'a Target,
    threads: Threads,
}

impl Copying<'_> {
    fn stream(&self, stream: &Stream, taken: Taken) -> Result<StreamEntry, EngineError> {
        let home = &self.ledger.home;
        let folder = folder_of(home, stream.account(), stream.region(), stream.name());
        let store = &self.target.store;
        let from = stream.durable().map(|durable| Arc::clone(&durable.ledger.store.disk));
        let generations =
            copy(&*store.disk, &folder, &taken.chunks, store, self.threads, &mut |path, to| {
                match &from {
                    Some(from) => from.link_out(path, &self.target.root.join(to)),
                    None => Err(std::io::Error::other("records in memory have no files")),
                }
            })?;
        let log = LogEntry {
            horizon_index: taken.horizon_index,
            end_index: taken.end_index,
            last_arrival: taken.last_arrival,
            generations,
        };
        Ok(stream.entry(self.ledger.number_stream(), taken.kept, Some(log)))
    }
}

/// Gives a log's segments second names in a folder, and seals there what is in memory. What fails leaves nothing.
fn copy(
    disk: &dyn Disk,
    folder: &str,
    chunks: &[Chunk],
    store: &StoreOptions,
    threads: Threads,
    link: generation::Link<'_>,
) -> Result<Vec<GenerationInfo>, StoreError> {
    let mut copied = Vec::new();
    let mut rest = chunks;
    while let Some(first) = rest.first() {
        let (taken, generation) = match first {
            Chunk::Resident(_) => {
                let run = resident_run(rest);
                (run.len(), generation::seal(disk, folder, &run, store.compression, threads))
            }
            Chunk::Sealed(sealed) => (1, generation::link(disk, folder, sealed, link)),
        };
        copied.push(generation.inspect_err(|_| remove(disk, folder, &copied))?);
        rest = &rest[taken..];
    }
    Ok(copied)
}

/// Takes away what was copied of generations.
fn remove(disk: &dyn Disk, folder: &str, copied: &[GenerationInfo]) {
    for info in copied {
        generation::remove(disk, folder, &info.segments);
    }
}
