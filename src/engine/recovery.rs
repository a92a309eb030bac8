//! An engine opened on a store: what was written down is told again, in order, to the code that wrote it.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::EngineOptions;
use crate::engine::durable::Durable;
use crate::engine::durable::Replayed;
use crate::engine::kept::Kept;
use crate::engine::ledger::LOST_INDICES;
use crate::engine::ledger::Ledger;
use crate::engine::ledger::StoreOptions;
use crate::engine::ledger::checkpoint;
use crate::engine::ledger::checkpoint::AsOf;
use crate::engine::ledger::checkpoint::Checkpoint;
use crate::engine::ledger::checkpoint::Home;
use crate::engine::ledger::entry::AccountEntry;
use crate::engine::ledger::entry::BlockFrame;
use crate::engine::ledger::entry::EntryError;
use crate::engine::ledger::entry::GoneEntry;
use crate::engine::ledger::entry::Kind;
use crate::engine::ledger::entry::LogEntry;
use crate::engine::ledger::entry::Records;
use crate::engine::ledger::entry::SealedEntry;
use crate::engine::ledger::entry::StreamEntry;
use crate::engine::ledger::entry::TrimmedEntry;
use crate::engine::log::Chunk;
use crate::engine::log::Log;
use crate::engine::position::Cut;
use crate::engine::stream::Place;
use crate::engine::stream::Stream;
use crate::record::sequence::ShardIndex;
use crate::store::Disk;
use crate::store::Generation;
use crate::store::GenerationInfo;
use crate::store::Journal;
use crate::store::Lsn;
use crate::store::StoreError;
use crate::store::checkpoint::COPY;
use crate::store::disk::Name;
use crate::store::journal;
use crate::store::journal::Frame;

/// What a checkpoint tells of the journal after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) began: Lsn,
    pub(crate) replay_from: Lsn,
    was_commit: bool,
    was_closed: bool,
}

impl Engine {
    /// Opens an engine on a store, which is made where there is none.
    ///
    /// # Errors
    ///
    /// The store is damaged, of a newer format, or the disk fails.
    pub fn open(options: EngineOptions, store: StoreOptions) -> Result<Self, EngineError> {
        Self::open_with(store, |_| options)
    }

    /// Like `open`, with options that may depend on what the store was made with, if it is there.
    pub fn open_with(
        store: StoreOptions,
        options: impl FnOnce(Option<Home>) -> EngineOptions,
    ) -> Result<Self, EngineError> {
        let said = checkpoint::read(&*store.disk)?;
        let options = options(said.as_ref().map(Checkpoint::home));
        match said {
            Some(said) => Self::recover(options, store, said),
            None if store.read_only => {
                let error = std::io::Error::from(std::io::ErrorKind::NotFound);
                Err(StoreError::io("cannot read", "@checkpoint", error).into())
            }
            None => Self::found(options, store),
        }
    }

    /// Makes a store.
    fn found(options: EngineOptions, store: StoreOptions) -> Result<Self, EngineError> {
        check_is_new(&*store.disk)?;
        let id = *uuid::Uuid::new_v4().as_bytes();
        let home = Home { account: options.account_id.clone(), region: options.region.clone() };
        let journal = Journal::create(Arc::clone(&store.disk), id, store.durability)?;
        let ledger = Arc::new(Ledger::new(store, id, home));
        ledger.begin(journal);
        let engine = Self::with(options, Some(Arc::clone(&ledger)));
        ledger.checkpoint(false)?;
        Ok(engine)
    }

    fn recover(
        options: EngineOptions,
        store: StoreOptions,
        said: Checkpoint,
    ) -> Result<Self, EngineError> {
        let (ledger, engine, Told { began, replay_from, was_commit, was_closed }) =
            Self::begin(options, store, said)?;
        if ledger.store.read_only {
            engine.begin_to_follow(&ledger, replay_from, began)?;
            return Ok(engine);
        }
        let disk = Arc::clone(&ledger.store.disk);
        let told = &mut |frame: Frame| engine.replay(&ledger, began, &frame);
        let end = journal::read(&*disk, ledger.id, replay_from, told)?;
        if end.at < began {
            // All of it was stable before the checkpoint was written.
            let fault = format!("the journal ends at {}, and went on to {began} at least", end.at);
            return Err(StoreError::damaged("@journal", 0, fault).into());
        }
        ledger.end_replay(!was_commit && !was_closed);
        ledger.begin(Journal::open(disk, ledger.id, end, ledger.store.durability)?);
        ledger.remove_strays(was_closed);
        ledger.checkpoint(false)?;
        Ok(engine)
    }

    /// Makes an engine of what a checkpoint says, before the journal after it is told.
    pub(crate) fn begin(
        options: EngineOptions,
        store: StoreOptions,
        said: Checkpoint,
    ) -> Result<(Arc<Ledger>, Self, Told), EngineError> {
        let damaged = || StoreError::damaged("@checkpoint", 0, "its store has no number");
        let id = checkpoint::unhex(&said.store).ok_or_else(damaged)?;
        let ledger = Arc::new(Ledger::new(store, id, said.home()));
        ledger.number_streams_from(said.next_stream);
        ledger.count_losses(said.losses);
        let engine = Self::with(options, Some(Arc::clone(&ledger)));
        let told = Told {
            began: Lsn(said.began),
            replay_from: Lsn(said.replay_from),
            was_commit: said.is_commit,
            was_closed: said.is_closed,
        };
        engine.load(said)?;
        Ok((ledger, engine, told))
    }

    /// Takes what a checkpoint says in.
    pub(crate) fn load(&self, said: Checkpoint) -> Result<(), StoreError> {
        for AsOf { as_of, entry } in said.accounts {
            self.replay_account(entry, Lsn(as_of)).map_err(in_checkpoint)?;
        }
        for AsOf { as_of, entry } in said.streams {
            self.replay_stream(entry, Lsn(as_of)).map_err(in_checkpoint)?;
        }
        Ok(())
    }

    /// Makes stable what the store took in, and says that it is closed.
    pub(crate) fn save(&self) -> Result<(), EngineError> {
        let Some(ledger) = self.ledger.as_ref().filter(|ledger| !ledger.store.read_only) else {
            return Ok(());
        };
        ledger.check_process()?;
        if ledger.is_poisoned() {
            // Whoever wrote was told.
            return Ok(());
        }
        // This is the promise. What follows makes the next opening short, and its segments whole for other tools; where it
        // fails, the journal has everything.
        ledger.journal().sync()?;
        let now = self.options().clock.now();
        self.accounts().iter().for_each(|account| account.tick(now));
        let sealed = ledger.streams().iter().all(|stream| stream.seal().is_ok());
        let _slower = ledger.checkpoint(sealed);
        Ok(())
    }

    /// Does again what a frame says was done.
    pub(crate) fn replay(
        &self,
        ledger: &Ledger,
        began: Lsn,
        frame: &Frame,
    ) -> Result<(), StoreError> {
        let told = self.replay_entry(ledger, began, frame);
        told.map_err(|error| {
            StoreError::damaged(
                "@journal",
                frame.at.0,
                format!("a frame says nothing known: {error}"),
            )
        })
    }

    fn replay_entry(&self, ledger: &Ledger, began: Lsn, frame: &Frame) -> Result<(), EntryError> {
        let kind = Kind::of(frame.kind).ok_or(EntryError::Strange("its kind is unknown"))?;
        match kind {
            Kind::Records => {
                let records = Records::read(&frame.body)?;
                if let Some(stream) = ledger.stream(records.stream) {
                    stream.mark(records.first_index, frame.at);
                    stream.replay_records(records)?;
                }
            }
            Kind::Rows => {
                let rows = BlockFrame::read(&frame.body)?;
                if let Some(stream) = ledger.stream(rows.stream) {
                    stream.mark(rows.first_index, frame.at);
                    stream.replay_block(&rows)?;
                }
            }
            Kind::Stream => {
                let entry: StreamEntry = serde_json::from_slice(&frame.body)?;
                match ledger.stream(entry.id) {
                    Some(stream) => stream.replay_kept(entry.kept, frame.at),
                    // One that the checkpoint does not know any more went before it.
                    None if frame.at < began => {}
                    // Or it went while the checkpoint was made or the change was written down.
                    None if entry.log.is_none() => {}
                    None => self.replay_stream(entry, frame.end)?,
                }
            }
            Kind::Gone => {
                let entry: GoneEntry = serde_json::from_slice(&frame.body)?;
                if let Some(stream) = ledger.stream(entry.stream) {
                    ledger.remove_stream(entry.stream, || Ok(())).map_err(stranger)?;
                    if let Some(account) = self.known_account(stream.account(), stream.region()) {
                        account.replay_end(entry.at, &stream, frame.at);
                    }
                }
            }
            Kind::Account => {
                let entry: AccountEntry = serde_json::from_slice(&frame.body)?;
                self.replay_account(entry, frame.at)?;
            }
            Kind::Sealed => {
                let entry: SealedEntry = serde_json::from_slice(&frame.body)?;
                if let Some(stream) = ledger.stream(entry.stream) {
                    stream.replay_sealed(entry.generation, frame.at);
                }
            }
            Kind::Trimmed => {
                let entry: TrimmedEntry = serde_json::from_slice(&frame.body)?;
                if let Some(stream) = ledger.stream(entry.stream) {
                    stream.replay_trimmed(&entry, frame.at);
                }
            }
        }
        Ok(())
    }

    fn replay_account(&self, entry: AccountEntry, at: Lsn) -> Result<(), EntryError> {
        let account = self.account(&entry.id, &entry.region).map_err(stranger)?;
        account.replay_kept(entry.kept, at);
        Ok(())
    }

    /// Makes a stream that was written down, as of a place in the journal.
    fn replay_stream(&self, entry: StreamEntry, as_of: Lsn) -> Result<(), EntryError> {
        let account = self.account(&entry.account, &entry.region).map_err(stranger)?;
        let log = entry.log.ok_or(EntryError::Strange("a stream has no log"))?;
        if let Some(known) = self.ledger.as_ref().and_then(|ledger| ledger.stream(entry.id)) {
            known.begin_again(entry.kept, log, as_of);
            return Ok(());
        }
        let place = self.place(&account, &entry.name, Some(entry.id));
        let stream =
            Stream::recovered(place, entry.created, entry.born_seconds, entry.kept, log, as_of);
        account.take_in(stream).map_err(stranger)
    }
}

fn in_checkpoint(error: EntryError) -> StoreError {
    StoreError::damaged("@checkpoint", 0, format!("it says nothing known: {error}"))
}

/// Whether nothing was ever written to the journal that is there.
fn is_unused(disk: &dyn Disk) -> Result<bool, StoreError> {
    let mut is_unused = true;
    journal::salvage(disk, None, &mut |_| {
        is_unused = false;
        Ok(())
    })?;
    Ok(is_unused)
}

fn stranger(error: EngineError) -> EntryError {
    EntryError::Refused(error.to_string())
}

/// Checks that nothing of a store is where one is to be made: one without its checkpoint is not new.
fn check_is_new(disk: &dyn Disk) -> Result<(), EngineError> {
    let missing = |beside: &str| {
        let fault = format!("it is missing, and there is {beside}");
        Err(StoreError::damaged("@checkpoint", 0, fault).into())
    };
    if names(disk, "").any(|name| name.name == COPY) {
        return missing(COPY);
    }
    if let Some(folder) =
        stream_folders(disk).into_iter().find(|folder| !segment_files(disk, folder).is_empty())
    {
        return missing(&folder);
    }
    let has_journal = names(disk, "@journal").next().is_some();
    if has_journal && !is_unused(disk)? { missing("@journal") } else { Ok(()) }
}

impl Stream {
    /// Makes a stream of what was written down of it.
    fn recovered(
        place: Place<'_>,
        created: Millis,
        born_seconds: u64,
        kept: Kept,
        log: LogEntry,
        as_of: Lsn,
    ) -> Self {
        let durable = place.durable.as_ref().expect("a stream on a store");
        let told = durable.told(log, as_of);
        Self::with(place, created, born_seconds, kept, told)
    }

    /// Begins again with what a later checkpoint says.
    fn begin_again(&self, kept: Kept, log: LogEntry, as_of: Lsn) {
        if let Some(durable) = self.durable() {
            let mut state = self.lock();
            state.replace_kept(kept);
            state.log = durable.told(log, as_of);
        }
        self.bell().ring();
    }

    /// Remembers where in the journal records begin that are told again.
    fn mark(&self, index: u64, at: Lsn) {
        self.durable().into_iter().for_each(|durable| durable.mark(index, at));
    }

    /// Whether what stands at a place in the journal is news to the stream.
    fn is_news(&self, at: Lsn) -> bool {
        self.durable().is_some_and(|durable| durable.replayed.lock().as_of <= at)
    }

    fn replay_kept(&self, kept: Kept, at: Lsn) {
        if self.is_news(at) {
            self.lock().replace_kept(kept);
            self.bell().ring();
        }
    }

    fn replay_sealed(&self, info: GenerationInfo, at: Lsn) {
        if let Some(durable) = self.durable().filter(|_| self.is_news(at)) {
            let mut state = self.lock();
            state.log.reach(u64::MAX);
            state.log.install(durable.generation(info));
        }
    }

    fn replay_trimmed(&self, entry: &TrimmedEntry, at: Lsn) {
        if self.is_news(at) {
            let mut state = self.lock();
            state.kept.horizon = state.kept.horizon.max(entry.horizon);
            state.log.reach(u64::MAX);
            state.log.trim_below(Cut(entry.horizon_index));
            // Whoever wrote it removes the files.
            drop(state.log.take_forgotten());
        }
    }

    /// Everything that a writer published so far is told.
    pub(crate) fn end_follow(&self) {
        self.lock().log.reach(u64::MAX);
    }

    /// Everything that was written down is told.
    fn end_replay(&self, lost: u64) {
        let Some(durable) = self.durable() else { return };
        let replayed = *durable.replayed.lock();
        let mut state = self.lock();
        state.log.reach(u64::MAX);
        state.log.arrived(replayed.last_arrival);
        let end = state.log.end().0.max(replayed.end_index);
        state.log.skip_to(end + lost);
        let end = state.log.end();
        state.log.show(end);
    }
}

impl Ledger {
    /// Goes on from all that was told, behind what may have been lost.
    pub(crate) fn end_replay(&self, may_have_lost: bool) {
        self.count_losses(u64::from(may_have_lost));
        let lost = if may_have_lost { LOST_INDICES } else { 0 };
        self.streams().iter().for_each(|stream| stream.end_replay(lost));
    }
}

impl Durable {
    /// The log that an entry tells of, as of a place in the journal.
    fn told(&self, log: LogEntry, as_of: Lsn) -> Log {
        let generations: VecDeque<_> =
            log.generations.into_iter().map(|info| self.generation(info)).collect();
        *self.replayed.lock() =
            Replayed { as_of, end_index: log.end_index, last_arrival: log.last_arrival };
        let first = generations.front().map(|generation| generation.info().first_index);
        let first = first.unwrap_or(log.horizon_index).min(log.horizon_index);
        let mut told = Log::awaiting(first, generations);
        told.trim_below(Cut(log.horizon_index));
        told
    }
}

impl Ledger {
    /// Removes segments that a crash left behind: half written, or written and taken in by nobody, or forgotten. Other
    /// files are not touched.
    fn remove_strays(&self, was_closed: bool) {
        if was_closed {
            return;
        }
        for folder in stream_folders(&*self.store.disk) {
            let known: BTreeSet<String> = self.segment_paths(&folder);
            let files = segment_files(&*self.store.disk, &folder);
            for stray in files.iter().filter(|path| !known.contains(*path)) {
                // What stays does no harm: nobody reads it.
                let _left = self.store.disk.remove(stray);
            }
        }
    }

    fn segment_paths(&self, folder: &str) -> BTreeSet<String> {
        let of_folder =
            |stream: &Arc<Stream>| stream.durable().is_some_and(|durable| durable.folder == folder);
        let streams = self.streams().into_iter().filter(of_folder);
        let chunks = streams.flat_map(|stream| stream.lock().log.chunks());
        let paths = |chunk: Chunk| chunk.generation().map(Generation::paths).unwrap_or_default();
        chunks.flat_map(paths).collect()
    }
}

/// The folders that may be those of streams, gone ones among them.
fn stream_folders(disk: &dyn Disk) -> Vec<String> {
    let mut folders = Vec::new();
    for top in names(disk, "").filter(|name| name.is_folder) {
        let is_of_account = top.name.starts_with('@') && !top.name.starts_with("@.");
        if is_of_account && top.name != "@journal" {
            let within = names(disk, &top.name).filter(|name| name.is_folder);
            folders.extend(within.map(|name| format!("{}/{}", top.name, name.name)));
        } else {
            folders.push(top.name);
        }
    }
    folders
}

/// The files in a folder that are named as a stream's segments are, whole or half written.
fn segment_files(disk: &dyn Disk, folder: &str) -> Vec<String> {
    let is_shard = |name: &Name| name.is_folder && ShardIndex::parse(&name.name).is_some();
    let shards = names(disk, folder).filter(is_shard);
    let within = shards.map(|shard| format!("{folder}/{}", shard.name));
    let files = within.flat_map(|within| {
        let files = names(disk, &within).filter(|file| is_segment(&file.name));
        files.map(move |file| format!("{within}/{}", file.name))
    });
    files.collect()
}

fn names(disk: &dyn Disk, folder: &str) -> impl Iterator<Item = Name> + use<> {
    disk.list(folder).unwrap_or_default().into_iter()
}

/// Whether a file is named as segments are, whole or half written.
fn is_segment(name: &str) -> bool {
    let number = name.split('.').next().unwrap_or_default();
    let is_number = number.len() == 20 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && [".arrow", ".arrow.tmp"].contains(&&name[number.len()..])
}
