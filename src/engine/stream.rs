//! A stream: shards on the ring over one log, written, read and resharded under one lock.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
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
use crate::engine::daily::Daily;
use crate::engine::daily::LastDay;
use crate::engine::demand::Load;
use crate::engine::error::EngineError;
use crate::engine::lifecycle::Durations;
use crate::engine::lifecycle::Lifecycle;
use crate::engine::lifecycle::Status;
use crate::engine::log::Log;
use crate::engine::log::Slice;
use crate::engine::position::Cut;
use crate::engine::position::Position;
use crate::engine::reshard;
use crate::engine::shard::Shard;
use crate::engine::shard::ShardMap;
use crate::hash_key::HashKey;
use crate::limits::CONSUMERS_CREATING_MAX;
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

/// Which of Amazon's limits hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limits {
    /// Those of the service: rates are throttled, scaling goes in steps.
    Aws,
    /// None: nothing is throttled; sizes and shapes are still checked.
    Off,
}

/// How a stream's capacity is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// By the service.
    OnDemand,
    /// By the number of shards its owner chose.
    Provisioned,
}

/// What routes records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Distribution {
    /// The service, whatever the keys.
    Auto,
    /// Their keys.
    #[default]
    ByKey,
}

/// What the owner of a stream sets and may change.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How capacity is set.
    pub mode: Mode,
    /// Bytes of a record, key counted, at most.
    pub record_bytes_max: usize,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// What routes records.
    pub distribution: Distribution,
    /// The key that records are said to be encrypted with, if they are.
    pub encryption_key: Option<String>,
    /// The indices from which on records are said to be encrypted, or no more.
    encryption_changes: Vec<(u64, bool)>,
    /// Which metrics of single shards are kept.
    pub shard_metrics: BTreeSet<String>,
    /// Throughput that an on-demand stream is ready for, in MiB a second.
    pub warm_throughput: Option<i64>,
}

impl Settings {
    /// Whether the record of an index is said to be encrypted: it stays as it was put.
    pub fn encrypts(&self, index: u64) -> bool {
        let before = self.encryption_changes.partition_point(|&(from, _)| from <= index);
        before.checked_sub(1).is_some_and(|last| self.encryption_changes[last].1)
    }
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
    created: Millis,
    /// The second in which its first shards are born: later than any of a stream of its name before it.
    born_seconds: u64,
    limits: Limits,
    threads: Threads,
    durations: Durations,
    /// Counts the records that the service routes.
    spread: AtomicU64,
    engine_closed: Arc<AtomicBool>,
    state: Mutex<State>,
    bell: Bell,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) log: Log,
    pub(crate) map: Arc<ShardMap>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) settings: Settings,
    pub(crate) consumers: Consumers,
    life: Lifecycle<Change>,
    retention_ms: i64,
    /// What arrived then or before is forgotten, and stays so when retention grows.
    horizon: Millis,
    last_day: LastDay,
    /// When the next busy shard is split, where the stream grows on demand.
    growth_due: Option<Millis>,
    deleted: bool,
}

/// A change of the shards, made when the stream stops being updated.
#[derive(Clone, Copy, Debug)]
enum Change {
    Merge(ShardIndex, ShardIndex),
    Scale(u32),
    Split(ShardIndex, HashKey),
}

impl Stream {
    pub(crate) fn new(
        birth: Birth,
        name: String,
        account: Arc<str>,
        engine_options: &EngineOptions,
        first_index: u64,
        engine_closed: Arc<AtomicBool>,
        options: StreamOptions,
    ) -> Result<Self, EngineError> {
        let Birth { now, seconds: born_seconds } = birth;
        check_shard_count(i64::from(options.shard_count))?;
        check_retention(options.retention_ms)?;
        let shards = reshard::first_shards(now, born_seconds, options.shard_count);
        let state = State {
            log: Log::new(first_index),
            map: Arc::new(ShardMap::new(&shards)),
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
            growth_due: None,
            deleted: false,
        };
        let (state, bell) = (Mutex::new(state), Bell::default());
        let EngineOptions { limits, threads, durations, .. } = *engine_options;
        Ok(Self {
            name,
            account,
            created: now,
            born_seconds,
            limits,
            threads,
            durations,
            spread: AtomicU64::new(0),
            engine_closed,
            state,
            bell,
        })
    }

    /// Appends one record.
    pub fn put(&self, now: Millis, entry: Entry<'_>) -> Result<SequenceNumber, EngineError> {
        let hash_key = entry.hash_key();
        let mut state = self.state_at(now)?;
        state.check_key(entry)?;
        check_size(state.settings.record_bytes_max, entry.bytes(), None)?;
        let arrival = state.log.arrival(now);
        let birth = state.map.owner(hash_key);
        self.admit(&mut state, now, birth, entry.bytes())?;
        let index = state.log.push(arrival, birth, entry.key, entry.data);
        state.trim_now_and_then(now, index);
        drop(state);
        self.bell.ring();
        Ok(SequenceNumber { birth, index, recorded_seconds: arrival.whole_seconds() })
    }

    /// Splits an open shard in two: `at` is the first hash key of the upper child; the middle if it is not given.
    pub fn split_shard(
        &self,
        now: Millis,
        shard: &str,
        at: Option<HashKey>,
    ) -> Result<(), EngineError> {
        let state = self.state_at(now)?;
        self.check_provisioned(&state, "split_shard")?;
        let shard = self.open_shard(&state, shard)?;
        check_shard_count(i64::try_from(state.map.births().len() + 1).unwrap_or(i64::MAX))?;
        let range = state.shards[shard.0 as usize].range;
        // Kinesis leaves each child at least one key, and the lower one two.
        let fits = |at: HashKey| range.first.0.saturating_add(1) < at.0 && at < range.last;
        let at = match at {
            Some(at) if fits(at) => at,
            Some(at) => return Err(EngineError::HashKeyOutsideShard { at, shard, range }),
            None => range
                .middle()
                .filter(|&at| fits(at))
                .ok_or(EngineError::ShardTooNarrow { shard, range })?,
        };
        self.check_active(&state)?;
        self.begin(now, state, Some(Change::Split(shard, at)));
        Ok(())
    }

    /// Merges two open shards, the first of which ends where the second starts.
    pub fn merge_shards(&self, now: Millis, lower: &str, upper: &str) -> Result<(), EngineError> {
        let state = self.state_at(now)?;
        self.check_provisioned(&state, "merge_shards")?;
        let lower = self.open_shard(&state, lower)?;
        let upper = self.open_shard(&state, upper)?;
        let range = |shard: ShardIndex| state.shards[shard.0 as usize].range;
        if !range(lower).is_followed_by(range(upper)) {
            let (stream, account) = (self.name.clone(), self.account.to_string());
            return Err(EngineError::ShardsNotAdjacent { lower, upper, stream, account });
        }
        self.check_active(&state)?;
        self.begin(now, state, Some(Change::Merge(lower, upper)));
        Ok(())
    }

    /// Splits and merges until `count` open shards cut the ring evenly.
    pub fn update_shard_count(&self, now: Millis, count: i64) -> Result<(), EngineError> {
        let count = check_shard_count(count)?;
        let mut state = self.active_at(now)?;
        self.check_provisioned(&state, "update_shard_count")?;
        if self.limits == Limits::Aws {
            self.check_scaling(&mut state, now, count)?;
        }
        self.begin(now, state, Some(Change::Scale(count)));
        Ok(())
    }

    /// Keeps records for longer; what is forgotten already stays so. The same retention again is no error.
    pub fn increase_retention(&self, now: Millis, retention_ms: i64) -> Result<(), EngineError> {
        self.change_retention(
            now,
            retention_ms,
            |current, asked| current <= asked,
            "more",
            "decrease_retention()",
        )
    }

    /// Keeps records for a shorter time; older ones are gone at once. The same retention again is no error.
    pub fn decrease_retention(&self, now: Millis, retention_ms: i64) -> Result<(), EngineError> {
        self.change_retention(
            now,
            retention_ms,
            |current, asked| asked <= current,
            "less",
            "increase_retention()",
        )
    }

    fn change_retention(
        &self,
        now: Millis,
        asked_ms: i64,
        goes_well: fn(i64, i64) -> bool,
        direction: &'static str,
        instead: &'static str,
    ) -> Result<(), EngineError> {
        check_retention(asked_ms)?;
        let mut state = self.active_at(now)?;
        if !goes_well(state.retention_ms, asked_ms) {
            return Err(EngineError::RetentionDirection {
                stream: self.name.clone(),
                current_hours: state.retention_ms / HOUR_MS,
                asked_hours: asked_ms / HOUR_MS,
                direction,
                instead,
            });
        }
        // What is so already takes no time.
        if asked_ms == state.retention_ms {
            return Ok(());
        }
        state.trim(now);
        state.retention_ms = asked_ms;
        state.trim(now);
        self.begin(now, state, None);
        Ok(())
    }

    /// Changes what the owner set, of a stream that is active; it is updated for a while where updates take time.
    pub fn alter<T>(
        &self,
        now: Millis,
        alter: impl FnOnce(&mut Settings) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.alter_and_scale(now, 0, alter)
    }

    /// Like `alter`, to a stream of at least so many open shards.
    pub fn alter_and_scale<T>(
        &self,
        now: Millis,
        shards_min: u32,
        alter: impl FnOnce(&mut Settings) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut state = self.active_at(now)?;
        let answer = alter(&mut state.settings)?;
        let scales = state.map.births().len() < shards_min as usize;
        self.begin(now, state, scales.then_some(Change::Scale(shards_min)));
        Ok(answer)
    }

    /// Says that records from now on are encrypted with a key, or with none.
    pub fn encrypt(&self, now: Millis, key: Option<&str>) -> Result<(), EngineError> {
        let mut state = self.active_at(now)?;
        state.trim(now);
        let (first, end) = (state.log.horizon().0, state.log.end().0);
        let changes = &mut state.settings.encryption_changes;
        // What held for records that are forgotten is forgotten with them.
        let forgotten = changes.partition_point(|&(from, _)| from <= first).saturating_sub(1);
        changes.drain(..forgotten);
        changes.push((end, key.is_some()));
        state.settings.encryption_key = key.map(str::to_owned);
        self.begin(now, state, None);
        Ok(())
    }

    /// Sets labels, which takes no time.
    pub fn label<T>(
        &self,
        now: Millis,
        label: impl FnOnce(&mut BTreeMap<String, String>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut state = self.state_at(now)?;
        match state.life.status() {
            Status::Creating => Err(self.busy(Status::Creating)),
            _ => label(&mut state.settings.tags),
        }
    }

    /// Does what time has made due: forgets records past their retention.
    pub fn tick(&self, now: Millis) -> Result<(), EngineError> {
        self.state_at(now)?.trim(now);
        Ok(())
    }

    /// Begins to go; tells whether it is gone at once.
    pub(crate) fn begin_to_go(&self, now: Millis) -> Result<bool, EngineError> {
        Ok(self.state_at(now)?.life.delete(now, self.durations.delete_ms))
    }

    /// Tells whether the time to go has come.
    pub(crate) fn is_due_to_go(&self, now: Millis) -> bool {
        self.state.lock().life.is_gone(now)
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
        let births = state.shards.iter().map(|shard| shard.birth.created_seconds);
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
        Ok(self.state()?.retention_ms)
    }

    /// Returns how capacity is set.
    pub fn mode(&self) -> Result<Mode, EngineError> {
        Ok(self.state()?.settings.mode)
    }

    /// Returns the labels.
    pub fn tags(&self) -> Result<BTreeMap<String, String>, EngineError> {
        Ok(self.state()?.settings.tags.clone())
    }

    /// Returns what the owner set.
    pub fn settings(&self, now: Millis) -> Result<Settings, EngineError> {
        Ok(self.state_at(now)?.settings.clone())
    }

    /// Returns what the stream is at.
    pub fn status(&self, now: Millis) -> Result<Status, EngineError> {
        Ok(self.state_at(now)?.life.status())
    }

    /// Returns when the oldest records arrived that are kept, or when the stream was created if that was later.
    pub fn horizon(&self, now: Millis) -> Result<Millis, EngineError> {
        let mut state = self.state_at(now)?;
        state.trim(now);
        Ok(state.horizon.max(self.created))
    }

    /// Returns where on the ring the next record goes that the service routes: evenly, whatever comes.
    pub fn next_hash_key(&self) -> HashKey {
        let count = u128::from(self.spread.fetch_add(1, Ordering::Relaxed));
        // Multiples of the golden ratio's part of the ring stay clear of each other for ever.
        HashKey(count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// Says what routes records from now on, which takes no time.
    pub fn distribute(&self, now: Millis, distribution: Distribution) -> Result<(), EngineError> {
        self.active_at(now)?.settings.distribution = distribution;
        Ok(())
    }

    /// Counts a change that a day has only so much room for, where limits hold.
    pub fn admit_daily(&self, now: Millis, change: Daily) -> Result<(), EngineError> {
        let mut state = self.active_at(now)?;
        self.count_daily(&mut state, now, change)
    }

    fn count_daily(
        &self,
        state: &mut State,
        now: Millis,
        change: Daily,
    ) -> Result<(), EngineError> {
        if self.limits == Limits::Off || state.last_day.admit(now, change) {
            return Ok(());
        }
        let (stream, account) = (self.name.clone(), self.account.to_string());
        Err(EngineError::ChangesExhausted { change, stream, account })
    }

    /// Returns how many shards are open.
    pub fn open_shard_count(&self, now: Millis) -> Result<usize, EngineError> {
        Ok(self.state_at(now)?.map.births().len())
    }

    /// Returns the shards, open and closed, by index; closed ones go when their last record has expired.
    pub fn shards(&self, now: Millis) -> Result<Vec<Shard>, EngineError> {
        let mut state = self.state_at(now)?;
        state.trim(now);
        Ok(state.shards.iter().filter(|shard| state.keeps(shard)).cloned().collect())
    }

    /// Returns how many records are kept.
    pub fn record_count(&self, now: Millis) -> Result<u64, EngineError> {
        let mut state = self.state_at(now)?;
        state.trim(now);
        Ok(state.log.end().0 - state.log.horizon().0)
    }

    /// Fixes a position where a read begins.
    pub fn start_cut(
        &self,
        now: Millis,
        position: Position,
        shard: Option<&str>,
    ) -> Result<Cut, EngineError> {
        if let Position::AtTimestamp(asked) = position
            && now < asked
        {
            return Err(EngineError::TimestampInFuture { asked, now });
        }
        self.cut(now, position, shard)
    }

    /// Fixes a position where a read ends; a time to come is the end of what will have arrived by then.
    pub fn end_cut(
        &self,
        now: Millis,
        position: Position,
        shard: Option<&str>,
    ) -> Result<Cut, EngineError> {
        self.cut(now, position, shard)
    }

    fn cut(
        &self,
        now: Millis,
        position: Position,
        shard: Option<&str>,
    ) -> Result<Cut, EngineError> {
        let mut state = self.state_at(now)?;
        state.trim(now);
        let shard = shard.map(|name| self.known_shard(&state, name)).transpose()?;
        match position {
            Position::AfterSequenceNumber(number) => {
                self.check_number(&state, number, shard)?;
                Ok(Cut(number.index.saturating_add(1)))
            }
            Position::AtSequenceNumber(number) => {
                self.check_number(&state, number, shard)?;
                Ok(Cut(number.index))
            }
            Position::AtTimestamp(time) => Ok(state.log.cut_at(time)),
            Position::Latest => Ok(state.log.end()),
            Position::TrimHorizon => Ok(state.log.horizon()),
        }
    }

    /// Returns the records between two cuts, in order of arrival, at most `limit`; and where to go on.
    ///
    /// `shard` picks one shard; all of them together are in order too, parents before children.
    pub fn read(
        &self,
        now: Millis,
        from: Cut,
        until: Cut,
        shard: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Slice>, Cut), EngineError> {
        let mut state = self.state_at(now)?;
        state.trim(now);
        let shard = shard.map(|name| self.known_shard(&state, name)).transpose()?;
        Ok(state.log.read(from, until, shard, limit))
    }

    /// Like `read`, and counted against what the shards may hand out where limits hold: one call of each shard.
    pub fn read_metered(
        &self,
        now: Millis,
        from: Cut,
        until: Cut,
        shard: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Slice>, Cut), EngineError> {
        if self.limits == Limits::Aws {
            self.admit_reads(now, shard)?;
        }
        let (slices, next) = self.read(now, from, until, shard, limit)?;
        if self.limits == Limits::Aws {
            self.count_read_bytes(&slices)?;
        }
        Ok((slices, next))
    }

    /// Tells whether a shard is closed and a cut lies after all of its records.
    pub fn is_exhausted(&self, shard: &str, at: Cut) -> Result<bool, EngineError> {
        let mut state = self.state()?;
        let shard = self.known_shard(&state, shard)?;
        if state.shards[shard.0 as usize].is_open() {
            return Ok(false);
        }
        let (left, _) = state.log.read(at, Cut::END, Some(shard), 1);
        Ok(left.is_empty())
    }

    /// Tells whether the stream was deleted or its engine closed.
    pub fn is_gone(&self) -> bool {
        self.state().is_err()
    }

    pub(crate) fn state(&self) -> Result<MutexGuard<'_, State>, EngineError> {
        if self.engine_closed.load(Ordering::SeqCst) {
            return Err(EngineError::EngineClosed);
        }
        let state = self.state.lock();
        if state.deleted {
            let known = Vec::new();
            let (stream, account) = (self.name.clone(), self.account.to_string());
            return Err(EngineError::StreamNotFound { stream, account, known });
        }
        Ok(state)
    }

    /// The state as of now: what was due by then is done.
    pub(crate) fn state_at(&self, now: Millis) -> Result<MutexGuard<'_, State>, EngineError> {
        let mut state = self.state()?;
        if state.has_due(now) {
            state.settle(now);
        }
        Ok(state)
    }

    /// The state of a stream that takes changes now.
    fn active_at(&self, now: Millis) -> Result<MutexGuard<'_, State>, EngineError> {
        let state = self.state_at(now)?;
        self.check_active(&state)?;
        Ok(state)
    }

    /// Checks that the stream takes changes now.
    pub fn check_takes_changes(&self, now: Millis) -> Result<(), EngineError> {
        self.active_at(now).map(drop)
    }

    fn check_active(&self, state: &State) -> Result<(), EngineError> {
        match state.life.status() {
            Status::Active => Ok(()),
            status => Err(self.busy(status)),
        }
    }

    /// That the stream is at something that does not go with what is asked.
    pub fn busy(&self, status: Status) -> EngineError {
        let (stream, account) = (self.name.clone(), self.account.to_string());
        EngineError::StreamBusy { stream, account, status }
    }

    /// Registers a consumer; `consumers_max` are allowed at once.
    pub fn register_consumer(
        &self,
        now: Millis,
        name: &str,
        consumers_max: usize,
    ) -> Result<Consumer, EngineError> {
        let mut state = self.active_at(now)?;
        let (stream, account) = (self.name.clone(), self.account.to_string());
        if state.consumers.get(name).is_some() {
            return Err(EngineError::ConsumerExists { consumer: name.to_owned(), stream, account });
        }
        if consumers_max <= state.consumers.len() {
            return Err(EngineError::ConsumersExhausted { max: consumers_max, stream, account });
        }
        if CONSUMERS_CREATING_MAX <= state.consumers.creating() {
            return Err(EngineError::TooManyConsumersCreating { stream, account });
        }
        Ok(state.consumers.register(now, name, self.durations.create_ms))
    }

    /// Begins to remove a consumer.
    pub fn deregister_consumer(&self, now: Millis, name: &str) -> Result<(), EngineError> {
        let mut state = self.state_at(now)?;
        state.consumers.deregister(now, name, self.durations.delete_ms);
        drop(state);
        self.bell.ring();
        Ok(())
    }

    /// Subscribes a consumer to a shard, and answers what tells the subscription from others.
    pub(crate) fn subscribe(
        &self,
        now: Millis,
        consumer: &str,
        shard: ShardIndex,
    ) -> Result<Result<u64, NotSubscribed>, EngineError> {
        let subscribed = self.state_at(now)?.consumers.subscribe(now, consumer, shard);
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
        Ok(self.state_at(now)?.consumers.is_subscribed(consumer, shard, id))
    }

    /// Ends a subscription, unless another one took its place.
    pub(crate) fn unsubscribe(&self, consumer: &str, shard: ShardIndex, id: u64) {
        // The service counts five seconds from the last call that went well, whatever became of its subscription.
        let leaves_room = self.limits == Limits::Off;
        self.state.lock().consumers.unsubscribe(consumer, shard, id, leaves_room);
    }

    /// Returns the registered consumers in order of their names.
    pub fn consumers(&self, now: Millis) -> Result<Vec<Consumer>, EngineError> {
        Ok(self.state_at(now)?.consumers.iter().collect())
    }

    /// Begins a change, and makes it at once where updates take no time.
    fn begin(&self, now: Millis, mut state: MutexGuard<'_, State>, change: Option<Change>) {
        if let Some(change) = state.life.begin(now, self.durations.update_ms, change) {
            state.make(now, change);
        }
        drop(state);
        self.bell.ring();
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
        let shard = &mut state.shards[birth.shard.0 as usize];
        if !shard.throttle.admit_record(now, bytes) {
            return Err(self.rate_exceeded(birth.shard));
        }
        if state.settings.mode == Mode::OnDemand
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

    /// Takes room for an iterator of a shard, where limits hold.
    pub(crate) fn admit_iterator(&self, now: Millis, shard: ShardIndex) -> Result<(), EngineError> {
        if self.limits == Limits::Off {
            return Ok(());
        }
        let mut state = self.state_at(now)?;
        let found = state.shards.get_mut(shard.0 as usize);
        if found.is_none_or(|found| found.throttle.admit_iterator(now)) {
            return Ok(());
        }
        Err(self.rate_exceeded(shard))
    }

    fn admit_reads(&self, now: Millis, shard: Option<&str>) -> Result<(), EngineError> {
        let mut state = self.state_at(now)?;
        let shards = match shard {
            Some(name) => {
                let place = self.known_shard(&state, name)?.0 as usize;
                &mut state.shards[place..=place]
            }
            None => &mut state.shards[..],
        };
        // All are asked before any is charged: a refused read costs nothing.
        let full = |each: &mut Shard| !each.throttle.allows_read(now);
        if let Some(place) = shards.iter_mut().position(full) {
            return Err(self.rate_exceeded(shards[place].birth.shard));
        }
        for shard in shards {
            shard.throttle.count_read();
        }
        Ok(())
    }

    fn count_read_bytes(&self, slices: &[Slice]) -> Result<(), EngineError> {
        let mut bytes_by_shard = BTreeMap::<ShardIndex, usize>::new();
        for slice in slices {
            let lens = slice.block.payload.data_lens()?;
            for row in (0..slice.len()).map(|place| slice.row(place)) {
                let bytes = lens[row] as usize + slice.block.keys.value(row).len();
                *bytes_by_shard.entry(slice.block.shard(row)).or_default() += bytes;
            }
        }
        let mut state = self.state()?;
        for (shard, bytes) in bytes_by_shard {
            state.shards[shard.0 as usize].throttle.count_read_bytes(bytes);
        }
        Ok(())
    }

    fn known_shard(&self, state: &State, name: &str) -> Result<ShardIndex, EngineError> {
        let is_known = |shard: &ShardIndex| {
            state.shards.get(shard.0 as usize).is_some_and(|shard| state.keeps(shard))
        };
        ShardIndex::parse(name).filter(is_known).ok_or_else(|| EngineError::ShardNotFound {
            shard: name.chars().take(140).collect(),
            stream: self.name.clone(),
            account: self.account.to_string(),
        })
    }

    fn open_shard(&self, state: &State, name: &str) -> Result<ShardIndex, EngineError> {
        let shard = self.known_shard(state, name)?;
        if state.shards[shard.0 as usize].is_open() {
            return Ok(shard);
        }
        let (stream, account) = (self.name.clone(), self.account.to_string());
        Err(EngineError::ShardClosed { shard, stream, account })
    }

    fn check_provisioned(&self, state: &State, operation: &'static str) -> Result<(), EngineError> {
        match state.settings.mode {
            Mode::OnDemand => Err(EngineError::OnDemand { stream: self.name.clone(), operation }),
            Mode::Provisioned => Ok(()),
        }
    }

    fn check_scaling(&self, state: &mut State, now: Millis, asked: u32) -> Result<(), EngineError> {
        let current =
            u32::try_from(state.map.births().len()).expect("at most 10,000 shards are open");
        if current * 2 < asked || asked < current.div_ceil(2) {
            return Err(EngineError::ShardCountStep { current, asked });
        }
        self.count_daily(state, now, Daily::ShardCount)
    }

    fn check_number(
        &self,
        state: &State,
        number: SequenceNumber,
        used: Option<ShardIndex>,
    ) -> Result<(), EngineError> {
        let encoded = number.birth.shard;
        if let Some(used) = used
            && used != encoded
        {
            return Err(EngineError::SequenceNumberOfOtherShard { encoded, used });
        }
        let shard = state.shards.get(encoded.0 as usize);
        if shard.is_none_or(|shard| shard.birth != number.birth) {
            return Err(EngineError::SequenceNumberForeign { number, stream: self.name.clone() });
        }
        Ok(())
    }
}

impl State {
    /// Checks a record's key; what the service routes need not have one.
    pub(crate) fn check_key(&self, entry: Entry<'_>) -> Result<(), KeyError> {
        if entry.key.is_empty() && self.settings.distribution == Distribution::Auto {
            return Ok(());
        }
        check_key(entry.key)
    }

    /// Whether a shard is there: it is open, or its last record may not have expired.
    fn keeps(&self, shard: &Shard) -> bool {
        shard.closed.is_none_or(|closed| self.horizon < closed)
    }

    /// Whether something may be due by now.
    fn has_due(&self, now: Millis) -> bool {
        self.life.due().is_some()
            || 0 < self.consumers.len()
            || self.growth_due.is_some_and(|due| due <= now)
    }

    /// Does what was due by now.
    fn settle(&mut self, now: Millis) {
        self.consumers.settle(now);
        if let Some((due, Some(change))) = self.life.settle(now) {
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
        if self.settings.mode == Mode::Provisioned || self.life.status() == Status::Deleting {
            self.shards.iter_mut().for_each(|shard| shard.load = Load::default());
            return;
        }
        let each = self.shards.iter().filter_map(|shard| Some((due(shard)?, shard.birth.shard)));
        let mut busy: Vec<(Millis, ShardIndex)> = each.collect();
        busy.sort_unstable();
        let mut open = self.map.births().len();
        for (due, shard) in busy {
            if now < due {
                self.growth_due = Some(due);
                break;
            }
            let middle = self.shards[shard.0 as usize].range.middle();
            if let Some(middle) = middle.filter(|_| open < ON_DEMAND_SHARDS_MAX) {
                reshard::split(&mut self.shards, due, shard, middle);
                open += 1;
            } else {
                self.shards[shard.0 as usize].load = Load::default();
            }
        }
        self.map = Arc::new(ShardMap::new(&self.shards));
    }

    /// Changes the shards.
    fn make(&mut self, now: Millis, change: Change) {
        match change {
            Change::Merge(lower, upper) => {
                reshard::merge(&mut self.shards, now, lower, upper);
            }
            Change::Scale(count) => reshard::scale_uniformly(&mut self.shards, now, count),
            Change::Split(shard, at) => {
                reshard::split(&mut self.shards, now, shard, at);
            }
        }
        self.map = Arc::new(ShardMap::new(&self.shards));
    }

    /// Forgets expired records once in a few thousand puts, so that memory stays bounded though nobody reads.
    fn trim_now_and_then(&mut self, now: Millis, index: u64) {
        if index.is_multiple_of(4_096) {
            self.trim(now);
        }
    }

    pub(crate) fn trim(&mut self, now: Millis) {
        self.horizon = self.horizon.max(now.plus(-self.retention_ms));
        self.log.trim(self.horizon);
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

fn check_retention(asked_ms: i64) -> Result<(), EngineError> {
    let hours = RETENTION_HOURS_MIN..=RETENTION_HOURS_MAX;
    if asked_ms % HOUR_MS == 0 && hours.contains(&(asked_ms / HOUR_MS)) {
        return Ok(());
    }
    Err(EngineError::RetentionOutOfRange { asked_ms })
}
