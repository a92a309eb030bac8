//! Streams as a deterministic state machine: everything timed takes `now`, nothing reads a clock.

pub mod account;
pub(crate) mod change;
pub mod consumer;
pub mod daily;
pub(crate) mod demand;
pub(crate) mod durable;
pub mod error;
pub(crate) mod follow;
mod gate;
pub(crate) mod kept;
pub(crate) mod ledger;
pub mod lifecycle;
pub mod log;
pub mod position;
pub mod put_many;
pub(crate) mod read;
pub(crate) mod recovery;
pub mod records;
pub mod repair;
pub(crate) mod reshard;
pub mod shard;
pub mod slice;
pub mod snapshot;
pub mod stream;
pub(crate) mod throttle;
pub mod timeline;
pub mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

pub use account::Account;
pub use error::EngineError;
pub use kept::Distribution;
pub use kept::Mode;
pub use kept::Settings;
pub use ledger::SEAL_BYTES;
pub use ledger::StoreOptions;
pub use ledger::checkpoint::Home;
pub use lifecycle::Durations;
pub use lifecycle::Status;
pub use stream::Limits;
pub use stream::Stream;
pub use stream::StreamOptions;

use crate::clock::Clock;
use crate::clock::Millis;
use crate::engine::durable::Durable;
use crate::engine::gate::Gate;
use crate::engine::ledger::Ledger;
use crate::engine::stream::Place;
use crate::hash_key::HashKey;
use crate::limits::STREAM_NAME_CHARS_MAX;
use crate::limits::TAG_KEY_CHARS_MAX;
use crate::limits::TAG_VALUE_CHARS_MAX;
use crate::limits::TAGS_PER_STREAM_MAX;
use crate::store::Lock;
use crate::threads::Threads;

/// Accounts in regions that one engine holds: whoever makes up credentials without end fills no memory.
const ACCOUNTS_MAX: usize = 4_096;

/// What an engine is made with.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where time comes from.
    pub clock: Clock,
    /// Which limits hold.
    pub limits: Limits,
    /// The region in ARNs.
    pub region: String,
    /// The account in ARNs and messages.
    pub account_id: String,
    /// What sequence numbers start from: the same seed, clock and input give the same ones.
    pub seed: u64,
    /// How many threads writes and queries use at most.
    pub threads: Threads,
    /// How long streams take for what the service takes its time for.
    pub durations: Durations,
    /// Open shards of an account in a region, at most; the service's default where not given.
    pub shard_limit: Option<u32>,
}

/// Accounts in regions, the one that the engine was made with first.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    gate: Arc<Gate>,
    /// What it writes down, where it does.
    ledger: Option<Arc<Ledger>>,
    home: Arc<Account>,
    /// By number and region.
    others: RwLock<BTreeMap<(String, String), Arc<Account>>>,
}

impl Engine {
    /// Makes an engine without streams.
    pub fn new(options: EngineOptions) -> Self {
        Self::with(options, None)
    }

    /// Makes an engine without streams, on a store or in memory.
    pub(crate) fn with(options: EngineOptions, ledger: Option<Arc<Ledger>>) -> Self {
        let home = account_of(&options, &options.account_id, &options.region, ledger.as_ref());
        Self { options, gate: Arc::default(), ledger, home, others: RwLock::default() }
    }

    /// Creates a stream; it is ACTIVE at once unless creating takes time.
    pub fn create_stream(
        &self,
        now: Millis,
        name: &str,
        options: StreamOptions,
    ) -> Result<Arc<Stream>, EngineError> {
        self.create_stream_in(&self.home, now, name, options)
    }

    /// Creates a stream of an account.
    pub fn create_stream_in(
        &self,
        account: &Account,
        now: Millis,
        name: &str,
        options: StreamOptions,
    ) -> Result<Arc<Stream>, EngineError> {
        self.check_open()?;
        check_stream_name(name)?;
        check_tags(&options.tags)?;
        account.create_stream(now, name, &options.clone(), |birth| {
            let place = self.place(account, name, None);
            Stream::new(birth, place, self.first_index(name), options)
        })
    }

    /// Where a stream stands; on a store it has the number given, or a new one.
    pub(crate) fn place(&self, account: &Account, name: &str, id: Option<u64>) -> Place<'_> {
        let durable = self.ledger.as_ref().map(|ledger| {
            let folder = ledger::folder_of(&ledger.home, account.id(), account.region(), name);
            Durable::new(Arc::clone(ledger), id.unwrap_or_else(|| ledger.number_stream()), folder)
        });
        Place {
            name: name.to_owned(),
            account: account.id().into(),
            region: account.region().into(),
            options: &self.options,
            gate: Arc::clone(&self.gate),
            durable,
        }
    }

    /// Returns a stream.
    pub fn stream(&self, name: &str) -> Result<Arc<Stream>, EngineError> {
        self.check_open()?;
        self.home.stream(self.now(), name)
    }

    /// Deletes a stream and its records.
    pub fn delete_stream(&self, name: &str) -> Result<(), EngineError> {
        self.check_open()?;
        self.home.delete_stream(self.now(), name)
    }

    /// Lets go of all streams; every later call is refused. On a store, all of them are there when it is opened again.
    ///
    /// # Errors
    ///
    /// The store cannot make stable what it took in; the engine is closed all the same.
    pub fn close(&self) -> Result<(), EngineError> {
        if self.ledger.as_ref().is_some_and(|ledger| ledger.check_process().is_err()) {
            // Forked off: nothing is touched, for others held locks here that nobody will let go of.
            self.gate.close();
            return Ok(());
        }
        if self.gate.is_forked() {
            return Ok(());
        }
        let was_closed = self.is_closed();
        let was_poisoned = self.ledger.as_ref().is_some_and(|ledger| ledger.is_poisoned());
        let saved = if was_closed { Ok(()) } else { self.save() };
        self.gate.close();
        for account in self.accounts() {
            account.close();
        }
        let ended =
            self.ledger.as_ref().filter(|_| !was_closed).map_or(Ok(()), |ledger| ledger.end());
        // What failed before was told to whoever wrote.
        saved.and(if was_poisoned { Ok(()) } else { ended.map_err(EngineError::from) })
    }

    /// Refuses every later call, in a process that was forked off: others held locks here that nobody will let go of.
    pub fn leave_behind(&self) {
        self.gate.leave_behind();
    }

    /// Keeps what says that this process alone writes the engine's store, until it is closed.
    pub fn hold(&self, lock: Lock) {
        if let Some(ledger) = &self.ledger {
            ledger.hold(lock);
        }
    }

    /// Tells whether what is put waits for a disk.
    pub fn waits_for_disk(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.hides())
    }

    /// Tells whether the engine reads what another process writes.
    pub fn is_read_only(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.store.read_only)
    }

    /// Does what time has made due in every stream.
    pub fn tick(&self, now: Millis) -> Result<(), EngineError> {
        self.check_open()?;
        for account in self.accounts() {
            account.tick(now);
        }
        match &self.ledger {
            Some(ledger) if !ledger.store.read_only => Ok(ledger.sweep()?),
            _ => Ok(()),
        }
    }

    /// Returns the names of the streams, in order.
    pub fn stream_names(&self) -> Result<Vec<String>, EngineError> {
        self.check_open()?;
        Ok(self.home.stream_names(self.now()))
    }

    /// Returns the account that the engine was made with.
    pub fn home(&self) -> &Arc<Account> {
        &self.home
    }

    /// Returns an account in a region, which is there as soon as somebody asks for it.
    pub fn account(&self, id: &str, region: &str) -> Result<Arc<Account>, EngineError> {
        self.check_open()?;
        if self.home.id() == id && self.home.region() == region {
            return Ok(Arc::clone(&self.home));
        }
        let key = (id.to_owned(), region.to_owned());
        if let Some(account) = self.others.read().get(&key) {
            return Ok(Arc::clone(account));
        }
        let mut others = self.others.write();
        if ACCOUNTS_MAX <= others.len() && !others.contains_key(&key) {
            return Err(EngineError::TooManyAccounts { max: ACCOUNTS_MAX });
        }
        let ledger = self.ledger.as_ref();
        let account =
            others.entry(key).or_insert_with(|| account_of(&self.options, id, region, ledger));
        Ok(Arc::clone(account))
    }

    /// Returns an account in a region, if anybody asked for it before.
    pub fn known_account(&self, id: &str, region: &str) -> Option<Arc<Account>> {
        if self.home.id() == id && self.home.region() == region {
            return Some(Arc::clone(&self.home));
        }
        self.others.read().get(&(id.to_owned(), region.to_owned())).map(Arc::clone)
    }

    pub(crate) fn accounts(&self) -> Vec<Arc<Account>> {
        let others = self.others.read();
        std::iter::once(&self.home).chain(others.values()).map(Arc::clone).collect()
    }

    /// Tells whether the engine was closed.
    pub fn is_closed(&self) -> bool {
        self.gate.is_closed()
    }

    /// Returns what the engine was made with.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Returns the time, as of which an engine that reads what another process writes has taken in what is there.
    pub fn now(&self) -> Millis {
        if let Some(ledger) = self.ledger.as_ref().filter(|ledger| ledger.store.read_only) {
            self.catch_up(ledger);
        }
        self.options.clock.now()
    }

    fn check_open(&self) -> Result<(), EngineError> {
        self.gate.check()?;
        match &self.ledger {
            Some(ledger) => Ok(ledger.check_process()?),
            None => Ok(()),
        }
    }

    /// Sequence indices of a stream start at a number that looks like Kinesis's and depends on nothing but seed and name,
    /// and on what its store lost.
    fn first_index(&self, name: &str) -> u64 {
        let mixed = HashKey::of(&format!("{}/{name}", self.options.seed));
        let lost = self.ledger.as_ref().map_or(0, |ledger| ledger.lost_indices());
        1 + u64::from(u32::try_from(mixed.0 >> 96).expect("32 bits are left")) + lost
    }
}

fn account_of(
    options: &EngineOptions,
    id: &str,
    region: &str,
    ledger: Option<&Arc<Ledger>>,
) -> Arc<Account> {
    let shards_max = account::shards_max(options, region);
    let account = Account::new(id.into(), region.into(), shards_max, ledger.cloned());
    let account = Arc::new(account);
    if let Some(ledger) = ledger {
        ledger.add_account(&account);
    }
    account
}

fn check_stream_name(name: &str) -> Result<(), EngineError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let fault = if name.is_empty() {
        "is empty"
    } else if STREAM_NAME_CHARS_MAX < name.chars().count() {
        "is longer"
    } else if !name.chars().all(allowed) {
        "has other characters"
    } else {
        return Ok(());
    };
    Err(EngineError::StreamNameInvalid { name: name.chars().take(140).collect(), fault })
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), EngineError> {
    let invalid = |fault: String| Err(EngineError::TagsInvalid { fault });
    if TAGS_PER_STREAM_MAX < tags.len() {
        return invalid(format!("a stream has at most {TAGS_PER_STREAM_MAX}, not {}", tags.len()));
    }
    for (key, value) in tags {
        if key.is_empty() || TAG_KEY_CHARS_MAX < key.chars().count() {
            return invalid(format!(
                "a key has 1 to {TAG_KEY_CHARS_MAX} characters, unlike `{key}`"
            ));
        }
        if TAG_VALUE_CHARS_MAX < value.chars().count() {
            return invalid(format!(
                "the value of `{key}` has more than {TAG_VALUE_CHARS_MAX} characters"
            ));
        }
    }
    Ok(())
}
