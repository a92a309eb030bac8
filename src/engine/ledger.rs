//! What an engine writes down so that nothing is lost: frames of a journal, sealed generations, and checkpoints.

pub(crate) mod entry;
pub(crate) mod checkpoint;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::Weak;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use serde::Serialize;

use crate::engine::EngineError;
use crate::engine::account::Account;
use crate::engine::follow::Following;
use crate::engine::ledger::checkpoint::Home;
use crate::engine::ledger::entry::Kind;
use crate::engine::stream::Stream;
use crate::store::Compression;
use crate::store::Disk;
use crate::store::Durability;
use crate::store::Journal;
use crate::store::Lock;
use crate::store::Lsn;
use crate::store::StoreError;

/// Bytes of records that a stream holds in memory before it seals them.
pub const SEAL_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that a stream holds for each of its shards before it seals, so that shards by the thousand make no crumbs.
const SEAL_SHARD_BYTES: usize = 1024 * 1024;
/// Bytes that a stream holds at most.
const SEAL_BYTES_MAX: usize = 8 * SEAL_BYTES;
/// Bytes of the journal after which a checkpoint is worth its write: a few generations' worth.
const CHECKPOINT_BYTES: u64 = 4 * SEAL_BYTES as u64;
/// Indices that no record gets after records may have been lost that somebody saw: so no number is given out twice.
pub(crate) const LOST_INDICES: u64 = 1 << 40;

/// What an engine is opened on.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The folder.
    pub disk: Arc<dyn Disk>,
    /// When what is acknowledged is on stable storage.
    pub durability: Durability,
    /// How sealed segments are compressed.
    pub compression: Compression,
    /// Whether the engine reads what another process writes.
    pub read_only: bool,
    /// Bytes of records that a stream holds in memory before it seals them.
    pub seal_bytes: usize,
}

/// How far checkpoints came.
#[derive(Debug, Default)]
struct Checkpointed {
    /// Where the journal stood at the last one.
    at: Lsn,
    /// Whether there will be none any more: somebody else may write by now.
    is_over: bool,
}

/// Files that go when the journal is stable up to where it says so.
#[derive(Debug)]
struct Doomed {
    from: Lsn,
    paths: Vec<String>,
    /// Whether their stream is gone, and its folder goes with them.
    is_all: bool,
}

/// The store of an engine.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) store: StoreOptions,
    pub(crate) id: [u8; 16],
    pub(crate) home: Home,
    /// The process that opened it: no other may use it.
    process: u32,
    /// There once everything is read that was written before.
    journal: OnceLock<Journal>,
    streams: Mutex<BTreeMap<u64, Weak<Stream>>>,
    accounts: Mutex<Vec<Weak<Account>>>,
    next_stream: AtomicU64,
    losses: AtomicU64,
    doomed: Mutex<Vec<Doomed>>,
    checkpointed: Mutex<Checkpointed>,
    /// How far a reader has come.
    pub(crate) following: Mutex<Following>,
    /// Why a reader comes no further, where it does not.
    pub(crate) unreadable: Mutex<Option<StoreError>>,
    /// That this process alone writes.
    lock: Mutex<Option<Lock>>,
}

impl Ledger {
    pub(crate) fn new(store: StoreOptions, id: [u8; 16], home: Home) -> Self {
        Self {
            store,
            id,
            home,
            process: std::process::id(),
            journal: OnceLock::new(),
            streams: Mutex::default(),
            accounts: Mutex::default(),
            next_stream: AtomicU64::new(1),
            losses: AtomicU64::new(0),
            doomed: Mutex::default(),
            checkpointed: Mutex::default(),
            following: Mutex::default(),
            unreadable: Mutex::default(),
            lock: Mutex::default(),
        }
    }

    /// Writes from now on.
    pub(crate) fn begin(&self, journal: Journal) {
        self.checkpointed.lock().at = journal.end();
        assert!(self.journal.set(journal).is_ok(), "a ledger begins once");
    }

    /// Checks that this is the process that opened it.
    pub(crate) fn check_process(&self) -> Result<(), StoreError> {
        let (opener, process) = (self.process, std::process::id());
        if opener == process { Ok(()) } else { Err(StoreError::Forked { opener, process }) }
    }

    /// Checks that what the writer wrote can be read.
    pub(crate) fn check_reads(&self) -> Result<(), StoreError> {
        self.check_process()?;
        if !self.store.read_only {
            return Ok(());
        }
        self.unreadable.lock().clone().map_or(Ok(()), Err)
    }

    /// Keeps what says that this process alone writes.
    pub(crate) fn hold(&self, lock: Lock) {
        *self.lock.lock() = Some(lock);
    }

    /// Writes nothing any more, and lets others write.
    pub(crate) fn end(&self) -> Result<(), StoreError> {
        let mut checkpointed = self.checkpointed.lock();
        checkpointed.is_over = true;
        drop(checkpointed);
        let ended = match self.journal.get() {
            // The one that opened it goes on writing.
            Some(journal) if self.check_process().is_err() => {
                journal.abandon();
                Ok(())
            }
            Some(journal) => journal.finish(),
            None => Ok(()),
        };
        drop(self.lock.lock().take());
        ended
    }

    /// Checks that things may be written.
    pub(crate) fn check_writes(&self) -> Result<(), StoreError> {
        if self.store.read_only {
            return Err(StoreError::ReadOnly { action: "writing" });
        }
        Ok(())
    }

    pub(crate) fn journal(&self) -> &Journal {
        self.journal.get().expect("what writes has begun to")
    }

    /// Whether a write or sync has failed.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.journal.get().is_some_and(|journal| journal.poison().is_some())
    }

    /// Whether records are shown only when they are stable.
    pub(crate) fn hides(&self) -> bool {
        self.store.durability == Durability::Commit && !self.store.read_only
    }

    /// Makes an account known to checkpoints.
    pub(crate) fn add_account(&self, account: &Arc<Account>) {
        self.accounts.lock().push(Arc::downgrade(account));
    }

    pub(crate) fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// Makes a stream known by its number once `told` has written it down: no checkpoint comes in between.
    pub(crate) fn add_stream<T>(
        &self,
        id: u64,
        stream: &Arc<Stream>,
        told: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut streams = self.streams.lock();
        let answer = told()?;
        self.next_stream.fetch_max(id + 1, Ordering::SeqCst);
        streams.insert(id, Arc::downgrade(stream));
        Ok(answer)
    }

    /// Forgets a stream once `told` has written down that it is gone: no checkpoint comes in between.
    pub(crate) fn remove_stream<T>(
        &self,
        id: u64,
        told: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut streams = self.streams.lock();
        let answer = told()?;
        streams.remove(&id);
        Ok(answer)
    }

    /// Where the journal stands, and the streams there are by then.
    pub(crate) fn streams_as_of(&self) -> (Lsn, Vec<Arc<Stream>>) {
        let streams = self.streams.lock();
        (self.journal().end(), streams.values().filter_map(Weak::upgrade).collect())
    }

    pub(crate) fn stream(&self, id: u64) -> Option<Arc<Stream>> {
        self.streams.lock().get(&id).and_then(Weak::upgrade)
    }

    pub(crate) fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// A number that no stream of this store has or had.
    pub(crate) fn number_stream(&self) -> u64 {
        self.next_stream.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn next_stream(&self) -> u64 {
        self.next_stream.load(Ordering::SeqCst)
    }

    pub(crate) fn number_streams_from(&self, next: u64) {
        self.next_stream.fetch_max(next, Ordering::SeqCst);
    }

    /// How many times something may have been lost that somebody saw.
    pub(crate) fn losses(&self) -> u64 {
        self.losses.load(Ordering::SeqCst)
    }

    pub(crate) fn count_losses(&self, count: u64) {
        self.losses.fetch_add(count, Ordering::SeqCst);
    }

    /// Indices that no record of a new stream gets: one that was lost may have had its name, and its birth.
    pub(crate) fn lost_indices(&self) -> u64 {
        self.losses().saturating_mul(LOST_INDICES)
    }

    /// Takes an entry in, behind all before it.
    pub(crate) fn append(&self, kind: Kind, entry: &impl Serialize) -> Result<Lsn, StoreError> {
        let body = serde_json::to_vec(entry).expect("entries have a JSON form");
        self.journal().append(kind as u8, body.len(), |frame| frame.extend_from_slice(&body))
    }

    /// Waits until an entry is as stable as the engine promises.
    pub(crate) fn wait(&self, lsn: Lsn) -> Result<(), StoreError> {
        self.journal().wait(lsn)
    }

    /// Takes nothing any more where a name could not be made stable: asked again, the disk may say that it is.
    pub(crate) fn poisoned_by<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        done.map_err(|error| if error.is_of_sync() { self.journal().refuse(&error) } else { error })
    }

    /// Has files removed once the journal is stable up to where it says that they are not needed any more.
    pub(crate) fn doom(&self, from: Lsn, paths: Vec<String>, is_all: bool) {
        self.doomed.lock().push(Doomed { from, paths, is_all });
    }

    /// Removes files that nothing needs any more.
    pub(crate) fn purge(&self) {
        let synced = self.journal().synced();
        // Held while they are removed: a new stream may have files of the same names as soon as none is doomed.
        let mut doomed = self.doomed.lock();
        for due in doomed.extract_if(.., |doomed| doomed.from <= synced) {
            self.remove(due);
        }
    }

    /// Removes files; what stays is found and removed when the store is opened after a crash.
    fn remove(&self, doomed: Doomed) {
        let disk = &*self.store.disk;
        let within = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let folders: BTreeSet<String> =
            doomed.paths.iter().filter_map(|path| within(path)).collect();
        for path in &doomed.paths {
            let _left = disk.remove(path);
        }
        for folder in &folders {
            // So that a store that is closed next has no file that nobody knows.
            let synced = disk.sync_folder(folder);
            let synced = synced.map_err(|error| StoreError::io("cannot sync", folder, error));
            // Names of other files may be lost with it, which poisons.
            let _left = self.poisoned_by(synced);
            if doomed.is_all {
                let _left = disk.remove_folder(folder);
            }
        }
        if let Some(of_stream) = folders.first().and_then(|folder| within(folder))
            && doomed.is_all
        {
            let _left = disk.remove_folder(&of_stream);
        }
    }

    /// Removes files that nothing needs any more, at once.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        if !self.doomed.lock().is_empty() {
            self.journal().sync()?;
            self.purge();
        }
        Ok(())
    }

    /// How many bytes a stream of so many open shards holds in memory before it seals them.
    pub(crate) fn seal_bytes(&self, open_shards: usize) -> usize {
        let most = self.store.seal_bytes.saturating_mul(SEAL_BYTES_MAX / SEAL_BYTES);
        let each = SEAL_SHARD_BYTES.min(self.store.seal_bytes);
        self.store.seal_bytes.max(open_shards.saturating_mul(each)).min(most)
    }

    /// Tells whether the journal has grown enough for a checkpoint.
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        let grown = self.journal().end().0 - self.checkpointed.lock().at.0;
        let most = CHECKPOINT_BYTES.min(4 * self.store.seal_bytes as u64);
        most <= grown
    }
}

/// The folder of a stream in a store: its name, made safe; streams of other accounts than the first have theirs in a
/// folder of their own. `@` stands in no name.
pub(crate) fn folder_of(home: &Home, account: &str, region: &str, name: &str) -> String {
    let mut folder = String::new();
    if account != home.account || region != home.region {
        let (account, region) = (safe(account), safe(region));
        let _infallible = write!(folder, "@{account}@{region}/");
    }
    if name.starts_with('.') {
        folder.push('@');
    }
    folder.push_str(name);
    folder
}

/// A text that clients choose, as part of a file's name: what is neither letter, digit nor `-` is written as its bytes.
fn safe(text: &str) -> String {
    let mut safe = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            safe.push(char::from(byte));
        } else {
            let _infallible = write!(safe, "%{byte:02x}");
        }
    }
    safe
}
