//! An account in a region: its streams by name, and what holds for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use parking_lot::MutexGuard;
use parking_lot::RwLock;
use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::engine::EngineOptions;
use crate::engine::error::EngineError;
use crate::engine::kept::Mode;
use crate::engine::ledger::Ledger;
use crate::engine::ledger::entry::AccountEntry;
use crate::engine::ledger::entry::Kind;
use crate::engine::lifecycle::Status;
use crate::engine::stream::Birth;
use crate::engine::stream::Stream;
use crate::engine::stream::StreamOptions;
use crate::engine::throttle::Requests;
use crate::limits::DAY_MS;
use crate::limits::ON_DEMAND_STREAMS_MAX;
use crate::limits::STREAM_NAME_CHARS_MAX;
use crate::limits::STREAMS_CREATING_MAX;
use crate::store::Lsn;

/// Names of streams that an error lists, at most.
const KNOWN_STREAMS_MAX: usize = 8;

/// Streams by name.
#[derive(Debug)]
pub struct Account {
    id: Arc<str>,
    region: Arc<str>,
    shards_max: u32,
    streams: RwLock<BTreeMap<String, Arc<Stream>>>,
    kept: Mutex<AccountKept>,
    requests: Mutex<Requests>,
    /// What the journal said before that place is told, where it was opened.
    as_of: AtomicU64,
    /// Where it is written down, where it is.
    ledger: Option<Arc<Ledger>>,
}

/// What is said of an account besides its streams.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct AccountKept {
    /// What it committed itself to.
    pub commitment: Commitment,
    /// Policies of resources, by ARN.
    pub policies: BTreeMap<String, String>,
    /// Labels of resources other than streams, by ARN.
    pub resource_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// The second in which the last shard was born of streams that went of late, by name.
    pub(crate) last_births: BTreeMap<String, u64>,
}

/// Whether the account committed itself to a throughput, which on-demand streams are billed by.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Commitment {
    /// Since when, where it did.
    pub started: Option<Millis>,
    /// When it ended or will, where that was said.
    pub ended: Option<Millis>,
}

impl Commitment {
    /// Whether it holds.
    pub fn holds(&self, now: Millis) -> bool {
        self.started.is_some() && self.ended.is_none_or(|ended| now < ended)
    }

    /// When it may end at the earliest: it holds for a day at least.
    pub fn earliest_end(&self) -> Option<Millis> {
        self.started.map(|started| started.plus(DAY_MS))
    }

    /// Begins to hold, or holds on.
    pub fn begin(&mut self, now: Millis) {
        if !self.holds(now) {
            self.started = Some(now);
        }
        self.ended = None;
    }

    /// Ends as soon as it may.
    pub fn end(&mut self, now: Millis) {
        if self.holds(now) && self.ended.is_none() {
            self.ended = self.earliest_end().map(|earliest| earliest.max(now));
        }
    }
}

/// What an account has, counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Open shards of all streams.
    pub open_shards: u32,
    /// Streams on demand.
    pub on_demand_streams: u32,
    /// Streams that are being created or deleted.
    pub coming_or_going: usize,
}

impl Account {
    pub(crate) fn new(
        id: Arc<str>,
        region: Arc<str>,
        shards_max: u32,
        ledger: Option<Arc<Ledger>>,
    ) -> Self {
        Self {
            id,
            region,
            shards_max,
            streams: RwLock::default(),
            kept: Mutex::default(),
            requests: Mutex::default(),
            as_of: AtomicU64::new(0),
            ledger,
        }
    }

    /// Adds a stream, which `make` makes by its birth, where its name and the account's limits leave room.
    pub(crate) fn create_stream(
        &self,
        now: Millis,
        name: &str,
        options: &StreamOptions,
        make: impl FnOnce(Birth) -> Result<Stream, EngineError>,
    ) -> Result<Arc<Stream>, EngineError> {
        self.settle(now);
        self.clear_name(name)?;
        let mut streams = self.streams.write();
        if streams.contains_key(name) {
            let (stream, account) = (name.to_owned(), self.id.to_string());
            return Err(EngineError::StreamExists { stream, account });
        }
        let usage = usage(&streams, now);
        if STREAMS_CREATING_MAX <= usage.coming_or_going {
            return Err(EngineError::TooManyCreating {
                account: self.id.to_string(),
                max: STREAMS_CREATING_MAX,
            });
        }
        if options.mode == Mode::OnDemand {
            check_on_demand(self, &usage)?;
        }
        self.check_room(&usage, 0, options.shard_count)?;
        let stream = Arc::new(make(self.birth(now, name))?);
        let logged = stream
            .durable()
            .map(|durable| durable.ledger.add_stream(durable.id, &stream, || stream.log_birth()));
        let logged = logged.transpose()?;
        streams.insert(name.to_owned(), Arc::clone(&stream));
        drop(streams);
        self.wait(logged)?;
        Ok(stream)
    }

    /// Takes a stream in that was written down before.
    pub(crate) fn take_in(&self, stream: Stream) -> Result<(), EngineError> {
        let stream = Arc::new(stream);
        if let Some(durable) = stream.durable() {
            durable.ledger.add_stream(durable.id, &stream, || Ok(()))?;
        }
        self.streams.write().insert(stream.name().to_owned(), stream);
        Ok(())
    }

    /// Checks that a stream may be made of a name, and takes away what is left of one that had it: its files must not be removed
    /// when they are the new one's.
    pub(crate) fn clear_name(&self, name: &str) -> Result<(), EngineError> {
        self.check_name(name)?;
        if let Some(ledger) = &self.ledger {
            ledger.check_writes()?;
            ledger.sweep()?;
        }
        Ok(())
    }

    /// Checks that no stream has a name.
    pub(crate) fn check_name(&self, name: &str) -> Result<(), EngineError> {
        if !self.streams.read().contains_key(name) {
            return Ok(());
        }
        let (stream, account) = (name.to_owned(), self.id.to_string());
        Err(EngineError::StreamExists { stream, account })
    }

    fn wait(&self, logged: Option<Lsn>) -> Result<(), EngineError> {
        match (&self.ledger, logged) {
            (Some(ledger), Some(lsn)) => Ok(ledger.wait(lsn)?),
            _ => Ok(()),
        }
    }

    /// Checks that one more stream may be on demand.
    pub fn check_on_demand(&self, now: Millis) -> Result<(), EngineError> {
        check_on_demand(self, &usage(&self.streams.read(), now))
    }

    /// Checks that so many shards may take the place of others that are open.
    pub fn check_shards(&self, now: Millis, instead: u32, shards: u32) -> Result<(), EngineError> {
        self.check_room(&usage(&self.streams.read(), now), instead, shards)
    }

    fn check_room(&self, usage: &Usage, instead: u32, shards: u32) -> Result<(), EngineError> {
        let others = usage.open_shards.saturating_sub(instead);
        if shards <= self.shards_max.saturating_sub(others) {
            return Ok(());
        }
        Err(EngineError::ShardsExhausted {
            account: self.id.to_string(),
            max: self.shards_max,
            region: self.region.to_string(),
            open: usage.open_shards,
            asked: shards,
        })
    }

    /// Returns a stream.
    pub fn stream(&self, now: Millis, name: &str) -> Result<Arc<Stream>, EngineError> {
        self.settle(now);
        let streams = self.streams.read();
        streams.get(name).map(Arc::clone).ok_or_else(|| self.not_found(name, &streams))
    }

    /// Deletes a stream and its records; it goes for a while where that takes time.
    pub fn delete_stream(&self, now: Millis, name: &str) -> Result<(), EngineError> {
        let stream = self.stream(now, name)?;
        if stream.begin_to_go(now)? {
            let logged = stream.log_end(now, || self.forget(now, &stream))?;
            self.let_go(&stream);
            self.wait(logged)?;
        }
        Ok(())
    }

    /// Lets go of a stream of which everything else is forgotten.
    pub(crate) fn let_go(&self, stream: &Stream) {
        self.streams.write().retain(|_, other| Arc::as_ptr(other) != std::ptr::from_ref(stream));
        stream.delete();
    }

    /// Forgets what was said of a stream and its consumers, and remembers when its last shard was born.
    fn forget(&self, now: Millis, stream: &Stream) {
        let mut kept = self.kept.lock();
        // Seconds that have passed bind nobody.
        kept.last_births.retain(|_, second| now.whole_seconds() <= *second);
        kept.last_births.insert(stream.name().to_owned(), stream.last_birth_seconds());
        let is_of_it = |arn: &str| {
            let resource = arn.split_once(":stream/").map_or("", |(_, resource)| resource);
            resource.split('/').next() == Some(stream.name())
        };
        kept.policies.retain(|arn, _| !is_of_it(arn));
        kept.resource_tags.retain(|arn, _| !is_of_it(arn));
    }

    /// The birth of a new stream, so that no sequence number of it is one of a stream that had its name before.
    fn birth(&self, now: Millis, name: &str) -> Birth {
        let after = self.kept.lock().last_births.get(name).map_or(0, |last| last + 1);
        Birth { now, seconds: now.whole_seconds().max(after) }
    }

    /// Lets go of all streams.
    pub(crate) fn close(&self) {
        for stream in std::mem::take(&mut *self.streams.write()).into_values() {
            stream.delete();
        }
    }

    /// Does what time has made due in every stream.
    pub(crate) fn tick(&self, now: Millis) {
        self.settle(now);
        for stream in self.streams() {
            // A stream that was deleted meanwhile has nothing due.
            let _gone = stream.tick(now);
        }
    }

    /// Forgets streams whose time to go has come.
    fn settle(&self, now: Millis) {
        if !self.streams.read().values().any(|stream| stream.is_due_to_go(now)) {
            return;
        }
        let is_reading = self.ledger.as_ref().is_some_and(|ledger| ledger.store.read_only);
        for stream in self.streams().into_iter().filter(|stream| stream.is_due_to_go(now)) {
            // What cannot be written down stays due; whoever reads is told by the writer.
            if !is_reading && stream.log_end(now, || self.forget(now, &stream)).is_ok() {
                self.let_go(&stream);
            }
        }
    }

    /// Returns the streams in order of their names.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.read().values().map(Arc::clone).collect()
    }

    /// Returns the names of the streams, in order.
    pub fn stream_names(&self, now: Millis) -> Vec<String> {
        self.settle(now);
        self.streams.read().keys().cloned().collect()
    }

    /// Counts what the account has.
    pub fn usage(&self, now: Millis) -> Usage {
        self.settle(now);
        usage(&self.streams.read(), now)
    }

    /// Returns the account's number.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns how many shards may be open at once.
    pub fn shards_max(&self) -> u32 {
        self.shards_max
    }

    /// What is said of the account besides its streams.
    pub fn kept(&self) -> MutexGuard<'_, AccountKept> {
        self.kept.lock()
    }

    /// Changes what is said of the account: whole, and written down before anybody sees it, or not at all.
    pub fn change<T, E: From<EngineError>>(
        &self,
        change: impl FnOnce(&mut AccountKept) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(ledger) = &self.ledger else { return change(&mut self.kept.lock()) };
        ledger.check_writes().map_err(EngineError::from)?;
        let mut kept = self.kept.lock();
        let mut changed = kept.clone();
        let answer = change(&mut changed)?;
        let entry = self.entry(changed);
        let logged = ledger.append(Kind::Account, &entry).map_err(EngineError::from)?;
        *kept = entry.kept;
        drop(kept);
        self.wait(Some(logged))?;
        Ok(answer)
    }

    pub(crate) fn entry(&self, kept: AccountKept) -> AccountEntry {
        AccountEntry { id: self.id.to_string(), region: self.region.to_string(), kept }
    }

    /// Lets go of a stream that was written down to be gone.
    pub(crate) fn replay_end(&self, now: Millis, stream: &Stream, at: Lsn) {
        if self.as_of.load(Ordering::SeqCst) <= at.0 {
            self.forget(now, stream);
        }
        self.let_go(stream);
    }

    /// Takes what is said of the account from whoever wrote it down, where it is news.
    pub(crate) fn replay_kept(&self, kept: AccountKept, at: Lsn) {
        if self.as_of.fetch_max(at.0, Ordering::SeqCst) <= at.0 {
            *self.kept.lock() = kept;
        }
    }

    /// Counts a request of an operation, of the account or of one thing in it, and tells whether it comes too soon.
    pub(crate) fn admit_request(
        &self,
        now: Millis,
        operation: &'static str,
        of: &str,
        per_second: i64,
    ) -> bool {
        self.requests.lock().admit(now, operation, of, per_second)
    }

    fn not_found(&self, name: &str, streams: &BTreeMap<String, Arc<Stream>>) -> EngineError {
        EngineError::StreamNotFound {
            stream: name.chars().take(STREAM_NAME_CHARS_MAX).collect(),
            account: self.id.to_string(),
            known: streams.keys().take(KNOWN_STREAMS_MAX).cloned().collect(),
        }
    }
}

/// The shards that an account may have open in a region, unless told otherwise.
pub(crate) fn shards_max(options: &EngineOptions, region: &str) -> u32 {
    options.shard_limit.unwrap_or(match region {
        "us-east-1" | "us-west-2" | "eu-west-1" => crate::limits::SHARDS_PER_ACCOUNT_LARGE_REGION,
        _ => crate::limits::SHARDS_PER_ACCOUNT,
    })
}

fn check_on_demand(account: &Account, usage: &Usage) -> Result<(), EngineError> {
    let (max, count) = (ON_DEMAND_STREAMS_MAX, usage.on_demand_streams);
    if count < max {
        return Ok(());
    }
    let (account, region) = (account.id.to_string(), account.region.to_string());
    Err(EngineError::OnDemandStreamsExhausted { account, region, count, max })
}

fn usage(streams: &BTreeMap<String, Arc<Stream>>, now: Millis) -> Usage {
    let mut usage = Usage::default();
    for stream in streams.values() {
        let (Ok(status), Ok(settings), Ok(shards)) =
            (stream.status(now), stream.settings(now), stream.open_shard_count(now))
        else {
            continue;
        };
        usage.coming_or_going += usize::from(matches!(status, Status::Creating | Status::Deleting));
        usage.on_demand_streams += u32::from(settings.mode == Mode::OnDemand);
        usage.open_shards += u32::try_from(shards).unwrap_or(u32::MAX);
    }
    usage
}
