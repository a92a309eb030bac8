//! A stream: shards on the ring over one log, written, read and resharded under one lock.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use parking_lot::MutexGuard;

use crate::clock::Bell;
use crate::clock::Millis;
use crate::engine::EngineOptions;
use crate::engine::consumer::Consumer;
use crate::engine::consumer::Consumers;
use crate::engine::consumer::NotSubscribed;
use crate::engine::daily::LastDay;
use crate::engine::demand::Load;
use crate::engine::durable::Durable;
use crate::engine::durable::Turn;
use crate::engine::error::EngineError;
use crate::engine::gate::Gate;
use crate::engine::kept::Change;
use crate::engine::kept::Distribution;
use crate::engine::kept::Kept;
use crate::engine::kept::Mode;
use crate::engine::kept::Settings;
use crate::engine::ledger::entry::LogEntry;
use crate::engine::ledger::entry::Put;
use crate::engine::lifecycle::Durations;
use crate::engine::lifecycle::Lifecycle;
use crate::engine::lifecycle::Status;
use crate::engine::log::Chunk;
use crate::engine::log::Log;
use crate::engine::position::Cut;
use crate::engine::reshard;
use crate::engine::shard::Shard;
use crate::engine::shard::ShardMap;
use crate::engine::timeline::Timeline;
use crate::hash_key::HashKey;
use crate::limits::HOUR_MS;
use crate::limits::ON_DEMAND_SHARDS_MAX;
use crate::limits::RETENTION_HOURS_MAX;
use crate::limits::RETENTION_HOURS_MIN;
use crate::limits::SHARDS_PER_STREAM_MAX;
use crate::record::key::KeyError;
use crate::record::key::check_key;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;

/// Bins of the time in which a shard refused records.
const REFUSED_BINS: usize = 240;

/// Which of Amazon's limits hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limits {
    /// Those of the service: rates are throttled, scaling goes in steps.
    Aws,
    /// None: nothing is throttled; sizes and shapes are still checked.
    Off,
}

/// What a stream is made with.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Open shards at the start.
    pub shard_count: u32,
    /// How long records are kept.
    pub retention_ms: i64,
    /// How capacity is set.
    pub mode: Mode,
    /// Bytes of a record, key counted, at most.
    pub record_bytes_max: usize,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// What routes records.
    pub distribution: Distribution,
    /// Throughput that an on-demand stream is ready for, in MiB a second.
    pub warm_throughput: Option<i64>,
}

/// When a stream is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    /// The time.
    pub(crate) now: Millis,
    /// The second in which its first shards are born, which may be later.
    pub(crate) seconds: u64,
}

/// One record on its way in.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it carries.
    pub data: &'a [u8],
    /// What routes it.
    pub key: &'a str,
    /// What routes it instead, where given.
    pub explicit_hash_key: Option<HashKey>,
}

impl Entry<'_> {
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() + self.key.len()
    }

    fn hash_key(&self) -> HashKey {
        self.explicit_hash_key.unwrap_or_else(|| HashKey::of(self.key))
    }
}

/// A handle to a stream; clones share it.
#[derive(Debug)]
pub struct Stream {
    name: String,
    account: Arc<str>,
    region: Arc<str>,
    created: Millis,
    /// The second in which its first shards are born: later than any of a stream of its name before it.
    born_seconds: u64,
    limits: Limits,
    threads: Threads,
    durations: Durations,
    /// Counts the records that the service routes.
    spread: AtomicU64,
    /// Whether its engine takes calls.
    gate: Arc<Gate>,
    /// How it is kept, where it is kept on a store.
    durable: Option<Durable>,
    state: Mutex<State>,
    bell: Bell,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) log: Log,
    pub(crate) map: Arc<ShardMap>,
    pub(crate) kept: Kept,
    /// When the next busy shard is split, where the stream grows on demand.
    growth_due: Option<Millis>,
    /// The records that shards refused as too many, since the engine was opened.
    refused: BTreeMap<ShardIndex, Timeline<u64>>,
    deleted: bool,
}

/// Where a stream stands: its engine, its account, and its store if it has one.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) name: String,
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
    pub(crate) options: &'a EngineOptions,
    pub(crate) gate: Arc<Gate>,
    pub(crate) durable: Option<Durable>,
}

impl Stream {
    pub(crate) fn new(
        birth: Birth,
        place: Place<'_>,
        first_index: u64,
        options: StreamOptions,
    ) -> Result<Self, EngineError> {
        let Birth { now, seconds: born_seconds } = birth;
        let engine_options = place.options;
        check_shard_count(i64::from(options.shard_count))?;
        check_retention(options.retention_ms)?;
        let shards = reshard::first_shards(now, born_seconds, options.shard_count);
        let kept = Kept {
            shards,
            settings: Settings {
                mode: options.mode,
                record_bytes_max: options.record_bytes_max,
                tags: options.tags,
                distribution: options.distribution,
                encryption_key: None,
                encryption_changes: Vec::new(),
                shard_metrics: BTreeSet::new(),
                warm_throughput: options.warm_throughput,
            },
            consumers: Consumers::default(),
            life: Lifecycle::creating(now, engine_options.durations.create_ms),
            retention_ms: options.retention_ms,
            horizon: Millis(i64::MIN),
            last_day: LastDay::default(),
        };
        Ok(Self::with(place, now, born_seconds, kept, Log::new(first_index)))
    }

    /// Makes a stream of what was kept of it, and its log.
    pub(crate) fn with(
        place: Place<'_>,
        created: Millis,
        born_seconds: u64,
        kept: Kept,
        mut log: Log,
    ) -> Self {
        if place.durable.as_ref().is_some_and(|durable| durable.ledger.hides()) {
            log.hide();
        }
        let map = Arc::new(ShardMap::new(&kept.shards));
        let state =
            State { log, map, kept, growth_due: None, refused: BTreeMap::new(), deleted: false };
        let EngineOptions { limits, threads, durations, .. } = *place.options;
        Self {
            name: place.name,
            account: place.account,
            region: place.region,
            created,
            born_seconds,
            limits,
            threads,
            durations,
            spread: AtomicU64::new(0),
            gate: place.gate,
            durable: place.durable,
            state: Mutex::new(state),
            bell: Bell::default(),
        }
    }

    /// Returns the shard that a record goes to now.
    pub fn shard_of(&self, now: Millis, entry: Entry<'_>) -> Result<ShardIndex, EngineError> {
        Ok(self.trimmed_at(now)?.map.owner(entry.hash_key()).shard)
    }

    /// Appends one record.
    pub fn put(&self, now: Millis, entry: Entry<'_>) -> Result<SequenceNumber, EngineError> {
        let hash_key = entry.hash_key();
        let turn = self.turn()?;
        let mut state = self.state_in_turn(&turn, now)?;
        state.check_key(entry)?;
        check_size(state.kept.settings.record_bytes_max, entry.bytes(), None)?;
        let arrival = state.log.arrival(now);
        let birth = state.map.owner(hash_key);
        self.admit(&mut state, now, birth, entry.bytes())?;
        let put = Put { shard: birth.shard, key: entry.key, data: entry.data };
        let logged = self.log_puts(&state.log, arrival, 1, |_| put);
        if let Some(refusal) = logged.refusal {
            return Err(refusal);
        }
        let index = state.log.push(arrival, birth, entry.key, entry.data);
        self.trim_now_and_then(&mut state, now, index);
        drop(state);
        drop(turn);
        self.acknowledge(logged.upto, Cut(index + 1))?;
        self.bell.ring();
        Ok(SequenceNumber { birth, index, recorded_seconds: arrival.whole_seconds() })
    }

    /// Does what time has made due: forgets records past their retention.
    pub fn tick(&self, now: Millis) -> Result<(), EngineError> {
        let mut state = self.trimmed_at(now)?;
        self.sweep(&mut state);
        Ok(())
    }

    /// Forgets expired records once in a few thousand puts, so that memory stays bounded though nobody reads.
    fn trim_now_and_then(&self, state: &mut State, now: Millis, index: u64) {
        if index.is_multiple_of(4_096) {
            state.trim(now);
            self.sweep(state);
        }
    }

    /// Tells whether the time to go has come.
    pub(crate) fn is_due_to_go(&self, now: Millis) -> bool {
        self.state.lock().kept.life.is_gone(now)
    }

    /// Marks the stream as gone: every later call is refused, and those who wait are woken.
    pub(crate) fn delete(&self) {
        self.state.lock().deleted = true;
        self.bell.ring();
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the account it belongs to.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Returns the region it belongs to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// How it is kept, where it is kept on a store.
    pub(crate) fn durable(&self) -> Option<&Durable> {
        self.durable.as_ref()
    }

    /// Tells whether what is put waits for a disk.
    pub fn waits(&self) -> bool {
        self.durable.is_some()
    }

    /// How long changes take.
    pub(crate) fn durations(&self) -> Durations {
        self.durations
    }

    /// Returns when it was created.
    pub fn created(&self) -> Millis {
        self.created
    }

    /// Returns the second that tells the stream from others of its name, before it and after it.
    pub fn born_seconds(&self) -> u64 {
        self.born_seconds
    }

    /// Returns the second in which its youngest shards were born.
    pub(crate) fn last_birth_seconds(&self) -> u64 {
        let state = self.state.lock();
        let births = state.kept.shards.iter().map(|shard| shard.birth.created_seconds);
        births.max().unwrap_or(self.born_seconds)
    }

    /// Returns which limits hold.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns how many threads bulk work may use.
    pub fn threads(&self) -> Threads {
        self.threads
    }

    /// Returns what rings when records come or the stream goes.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Returns how long records are kept.
    pub fn retention_ms(&self) -> Result<i64, EngineError> {
        Ok(self.state()?.kept.retention_ms)
    }

    /// Returns how capacity is set.
    pub fn mode(&self) -> Result<Mode, EngineError> {
        Ok(self.state()?.kept.settings.mode)
    }

    /// Returns the labels.
    pub fn tags(&self) -> Result<BTreeMap<String, String>, EngineError> {
        Ok(self.state()?.kept.settings.tags.clone())
    }

    /// Returns what the owner set.
    pub fn settings(&self, now: Millis) -> Result<Settings, EngineError> {
        Ok(self.state_at(now)?.kept.settings.clone())
    }

    /// Returns what the stream is at.
    pub fn status(&self, now: Millis) -> Result<Status, EngineError> {
        Ok(self.state_at(now)?.kept.life.status())
    }

    /// Returns where on the ring the next record goes that the service routes: evenly, whatever comes.
    pub fn next_hash_key(&self) -> HashKey {
        let count = u128::from(self.spread.fetch_add(1, Ordering::Relaxed));
        // Multiples of the golden ratio's part of the ring stay clear of each other for ever.
        HashKey(count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// Returns how many shards are open.
    pub fn open_shard_count(&self, now: Millis) -> Result<usize, EngineError> {
        Ok(self.state_at(now)?.map.births().len())
    }

    /// Returns the shards, open and closed, by index; closed ones go when their last record has expired.
    pub fn shards(&self, now: Millis) -> Result<Vec<Shard>, EngineError> {
        let state = self.trimmed_at(now)?;
        Ok(state.kept.shards.iter().filter(|shard| state.keeps(shard)).cloned().collect())
    }

    /// The state, whatever it is at.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Tells whether the stream was deleted or its engine closed.
    pub fn is_gone(&self) -> bool {
        let gone =
            |error| matches!(error, EngineError::EngineClosed | EngineError::StreamNotFound { .. });
        self.state().is_err_and(gone)
    }

    pub(crate) fn state(&self) -> Result<MutexGuard<'_, State>, EngineError> {
        self.gate.check()?;
        self.check_store()?;
        let state = self.state.lock();
        if state.deleted {
            let known = Vec::new();
            let (stream, account) = (self.name.clone(), self.account.to_string());
            return Err(EngineError::StreamNotFound { stream, account, known });
        }
        Ok(state)
    }

    /// The state as of now: what was due by then is done, unless somebody is at his turn, who does it next.
    pub(crate) fn state_at(&self, now: Millis) -> Result<MutexGuard<'_, State>, EngineError> {
        let mut state = self.state()?;
        if state.has_due(now)
            && let Some(_turn) = self.try_turn()
        {
            self.settle(&mut state, now);
        }
        Ok(state)
    }

    /// The state as of now, without records past their retention.
    pub(crate) fn trimmed_at(&self, now: Millis) -> Result<MutexGuard<'_, State>, EngineError> {
        let mut state = self.state_at(now)?;
        state.trim(now);
        Ok(state)
    }

    /// The state as of now, for whoever has his turn.
    pub(crate) fn state_in_turn(
        &self,
        _turn: &Turn<'_>,
        now: Millis,
    ) -> Result<MutexGuard<'_, State>, EngineError> {
        let mut state = self.state()?;
        if state.has_due(now) {
            self.settle(&mut state, now);
        }
        Ok(state)
    }

    /// Subscribes a consumer to a shard, and answers what tells the subscription from others.
    pub(crate) fn subscribe(
        &self,
        now: Millis,
        consumer: &str,
        shard: ShardIndex,
    ) -> Result<Result<u64, NotSubscribed>, EngineError> {
        let subscribed = self.state_at(now)?.kept.consumers.subscribe(now, consumer, shard);
        // Whoever was subscribed before looks, and ends.
        self.bell.ring();
        Ok(subscribed)
    }

    /// Whether a subscription still holds.
    pub(crate) fn is_subscribed(
        &self,
        now: Millis,
        consumer: &str,
        shard: ShardIndex,
        id: u64,
    ) -> Result<bool, EngineError> {
        Ok(self.state_at(now)?.kept.consumers.is_subscribed(consumer, shard, id))
    }

    /// Ends a subscription, unless another one took its place.
    pub(crate) fn unsubscribe(&self, consumer: &str, shard: ShardIndex, id: u64) {
        // The service counts five seconds from the last call that went well, whatever became of its subscription.
        let leaves_room = self.limits == Limits::Off;
        self.state.lock().kept.consumers.unsubscribe(consumer, shard, id, leaves_room);
    }

    /// Returns how many records each shard refused as too many, and when, since the engine was opened.
    pub fn refused(&self, now: Millis) -> Result<BTreeMap<ShardIndex, Timeline<u64>>, EngineError> {
        Ok(self.state_at(now)?.refused.clone())
    }

    /// Returns the registered consumers in order of their names.
    pub fn consumers(&self, now: Millis) -> Result<Vec<Consumer>, EngineError> {
        Ok(self.state_at(now)?.kept.consumers.iter().collect())
    }

    /// Takes room for a record in its shard, where limits hold.
    pub(crate) fn admit(
        &self,
        state: &mut State,
        now: Millis,
        birth: ShardBirth,
        bytes: usize,
    ) -> Result<(), EngineError> {
        if self.limits == Limits::Off {
            return Ok(());
        }
        let shard = &mut state.kept.shards[birth.shard.0 as usize];
        if !shard.throttle.admit_record(now, bytes) {
            let refused = state.refused.entry(birth.shard);
            refused.or_insert_with(|| Timeline::new(REFUSED_BINS)).add(now, 1);
            return Err(self.rate_exceeded(birth.shard));
        }
        if state.kept.settings.mode == Mode::OnDemand
            && let Some(due) = shard.load.count(now, bytes)
        {
            state.growth_due = Some(state.growth_due.map_or(due, |before| before.min(due)));
        }
        Ok(())
    }

    pub(crate) fn rate_exceeded(&self, shard: ShardIndex) -> EngineError {
        let (stream, account) = (self.name.clone(), self.account.to_string());
        EngineError::RateExceeded { shard, stream, account }
    }

    pub(crate) fn known_shard(&self, state: &State, name: &str) -> Result<ShardIndex, EngineError> {
        let is_known = |shard: &ShardIndex| {
            state.kept.shards.get(shard.0 as usize).is_some_and(|shard| state.keeps(shard))
        };
        ShardIndex::parse(name).filter(is_known).ok_or_else(|| EngineError::ShardNotFound {
            shard: name.chars().take(140).collect(),
            stream: self.name.clone(),
            account: self.account.to_string(),
        })
    }
}

impl State {
    /// Checks a record's key; what the service routes need not have one.
    pub(crate) fn check_key(&self, entry: Entry<'_>) -> Result<(), KeyError> {
        if entry.key.is_empty() && self.kept.settings.distribution == Distribution::Auto {
            return Ok(());
        }
        check_key(entry.key)
    }

    /// Whether a shard is there: it is open, or its last record may not have expired.
    fn keeps(&self, shard: &Shard) -> bool {
        shard.closed.is_none_or(|closed| self.kept.horizon < closed)
    }

    /// Whether something may be due by now.
    fn has_due(&self, now: Millis) -> bool {
        let lives = [self.kept.life.due(), self.kept.consumers.due()];
        lives.into_iter().flatten().any(|due| due <= now)
            || self.growth_due.is_some_and(|due| due <= now)
    }

    /// What is kept as it is now, to be put back where it cannot be changed.
    pub(crate) fn copy_kept(&self) -> (Kept, Arc<ShardMap>) {
        (self.kept.clone(), Arc::clone(&self.map))
    }

    /// What the log is without the records that are in memory.
    pub(crate) fn log_entry(&mut self) -> LogEntry {
        let chunks = self.log.chunks();
        let generations = chunks.iter().filter_map(Chunk::generation);
        LogEntry {
            horizon_index: self.log.horizon().0,
            end_index: self.log.end().0,
            last_arrival: self.log.last_arrival(),
            generations: generations.map(|generation| generation.info().clone()).collect(),
        }
    }

    /// Puts back what was kept before.
    pub(crate) fn restore(&mut self, (kept, map): (Kept, Arc<ShardMap>)) {
        (self.kept, self.map) = (kept, map);
    }

    /// Takes what is kept from whoever wrote it down.
    pub(crate) fn replace_kept(&mut self, kept: Kept) {
        self.map = Arc::new(ShardMap::new(&kept.shards));
        self.kept = kept;
    }

    /// Does what was due by now.
    pub(crate) fn settle(&mut self, now: Millis) {
        self.kept.consumers.settle(now);
        if let Some((due, Some(change))) = self.kept.life.settle(now) {
            self.make(due, change);
        }
        if self.growth_due.is_some_and(|due| due <= now) {
            self.grow(now);
        }
    }

    /// Splits the shards that were busy, each at its time, as long as the stream may grow.
    fn grow(&mut self, now: Millis) {
        let due = |shard: &Shard| shard.load.split_due().filter(|_| shard.is_open());
        self.growth_due = None;
        if self.kept.settings.mode == Mode::Provisioned
            || self.kept.life.status() == Status::Deleting
        {
            self.kept.shards.iter_mut().for_each(|shard| shard.load = Load::default());
            return;
        }
        let each =
            self.kept.shards.iter().filter_map(|shard| Some((due(shard)?, shard.birth.shard)));
        let mut busy: Vec<(Millis, ShardIndex)> = each.collect();
        busy.sort_unstable();
        let mut open = self.map.births().len();
        for (due, shard) in busy {
            if now < due {
                self.growth_due = Some(due);
                break;
            }
            let middle = self.kept.shards[shard.0 as usize].range.middle();
            if let Some(middle) = middle.filter(|_| open < ON_DEMAND_SHARDS_MAX) {
                reshard::split(&mut self.kept.shards, due, shard, middle);
                open += 1;
            } else {
                self.kept.shards[shard.0 as usize].load = Load::default();
            }
        }
        self.map = Arc::new(ShardMap::new(&self.kept.shards));
    }

    /// Changes the shards.
    pub(crate) fn make(&mut self, now: Millis, change: Change) {
        match change {
            Change::Merge(lower, upper) => {
                reshard::merge(&mut self.kept.shards, now, lower, upper);
            }
            Change::Scale(count) => reshard::scale_uniformly(&mut self.kept.shards, now, count),
            Change::Split(shard, at) => {
                reshard::split(&mut self.kept.shards, now, shard, at);
            }
        }
        self.map = Arc::new(ShardMap::new(&self.kept.shards));
    }

    pub(crate) fn trim(&mut self, now: Millis) {
        self.kept.horizon = self.kept.horizon.max(now.plus(-self.kept.retention_ms));
        self.log.trim(self.kept.horizon);
    }
}

/// Checks a record's size, key counted.
pub(crate) fn check_size(
    bytes_max: usize,
    bytes: usize,
    index: Option<usize>,
) -> Result<(), EngineError> {
    if bytes_max < bytes {
        Err(EngineError::RecordTooLarge { index, bytes, bytes_max })
    } else {
        Ok(())
    }
}

/// Checks a number of shards: 1 to 10,000.
pub fn check_shard_count(asked: i64) -> Result<u32, EngineError> {
    let max = SHARDS_PER_STREAM_MAX;
    let count = u32::try_from(asked).ok().filter(|count| (1..=max).contains(count));
    count.ok_or(EngineError::ShardCountOutOfRange { asked, max })
}

pub(crate) fn check_retention(asked_ms: i64) -> Result<(), EngineError> {
    let hours = RETENTION_HOURS_MIN..=RETENTION_HOURS_MAX;
    if asked_ms % HOUR_MS == 0 && hours.contains(&(asked_ms / HOUR_MS)) {
        return Ok(());
    }
    Err(EngineError::RetentionOutOfRange { asked_ms })
}
