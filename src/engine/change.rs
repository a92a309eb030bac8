//! Changes of a stream: resharding, retention, settings, labels and consumers; each is written down before it is seen.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::engine::consumer::Consumer;
use crate::engine::daily::Daily;
use crate::engine::error::EngineError;
use crate::engine::kept::Change;
use crate::engine::kept::Distribution;
use crate::engine::kept::Mode;
use crate::engine::kept::Settings;
use crate::engine::lifecycle::Status;
use crate::engine::stream::Limits;
use crate::engine::stream::State;
use crate::engine::stream::Stream;
use crate::engine::stream::check_retention;
use crate::engine::stream::check_shard_count;
use crate::hash_key::HashKey;
use crate::limits::CONSUMERS_CREATING_MAX;
use crate::limits::HOUR_MS;
use crate::record::sequence::ShardIndex;

impl Stream {
    /// Splits an open shard in two: `at` is the first hash key of the upper child; the middle if it is not given.
    pub fn split_shard(
        &self,
        now: Millis,
        shard: &str,
        at: Option<HashKey>,
    ) -> Result<(), EngineError> {
        self.change(now, |state| {
            self.check_provisioned(state, "split_shard")?;
            let shard = self.open_shard(state, shard)?;
            check_shard_count(i64::try_from(state.map.births().len() + 1).unwrap_or(i64::MAX))?;
            let range = state.kept.shards[shard.0 as usize].range;
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
            self.check_active(state)?;
            self.begin(now, state, Some(Change::Split(shard, at)));
            Ok(())
        })
    }

    /// Merges two open shards, the first of which ends where the second starts.
    pub fn merge_shards(&self, now: Millis, lower: &str, upper: &str) -> Result<(), EngineError> {
        self.change(now, |state| {
            self.check_provisioned(state, "merge_shards")?;
            let lower = self.open_shard(state, lower)?;
            let upper = self.open_shard(state, upper)?;
            let range = |shard: ShardIndex| state.kept.shards[shard.0 as usize].range;
            if !range(lower).is_followed_by(range(upper)) {
                let (stream, account) = (self.name().to_owned(), self.account().to_owned());
                return Err(EngineError::ShardsNotAdjacent { lower, upper, stream, account });
            }
            self.check_active(state)?;
            self.begin(now, state, Some(Change::Merge(lower, upper)));
            Ok(())
        })
    }

    /// Splits and merges until `count` open shards cut the ring evenly.
    pub fn update_shard_count(&self, now: Millis, count: i64) -> Result<(), EngineError> {
        let count = check_shard_count(count)?;
        self.change(now, |state| {
            self.check_active(state)?;
            self.check_provisioned(state, "update_shard_count")?;
            if self.limits() == Limits::Aws {
                self.check_scaling(state, now, count)?;
            }
            self.begin(now, state, Some(Change::Scale(count)));
            Ok(())
        })
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
        self.change(now, |state| {
            self.check_active(state)?;
            if !goes_well(state.kept.retention_ms, asked_ms) {
                return Err(EngineError::RetentionDirection {
                    stream: self.name().to_owned(),
                    current_hours: state.kept.retention_ms / HOUR_MS,
                    asked_hours: asked_ms / HOUR_MS,
                    direction,
                    instead,
                });
            }
            // What is so already takes no time.
            if asked_ms == state.kept.retention_ms {
                return Ok(());
            }
            state.trim(now);
            state.kept.retention_ms = asked_ms;
            state.trim(now);
            self.begin(now, state, None);
            Ok(())
        })
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
        self.change(now, |state| {
            self.check_active(state)?;
            let answer = alter(&mut state.kept.settings)?;
            let scales = state.map.births().len() < shards_min as usize;
            self.begin(now, state, scales.then_some(Change::Scale(shards_min)));
            Ok(answer)
        })
    }

    /// Says that records from now on are encrypted with a key, or with none.
    pub fn encrypt(&self, now: Millis, key: Option<&str>) -> Result<(), EngineError> {
        self.change(now, |state| {
            self.check_active(state)?;
            state.trim(now);
            let (first, end) = (state.log.horizon().0, state.log.end().0);
            let changes = &mut state.kept.settings.encryption_changes;
            // What held for records that are forgotten is forgotten with them.
            let forgotten = changes.partition_point(|&(from, _)| from <= first).saturating_sub(1);
            changes.drain(..forgotten);
            changes.push((end, key.is_some()));
            state.kept.settings.encryption_key = key.map(str::to_owned);
            self.begin(now, state, None);
            Ok(())
        })
    }

    /// Sets labels, which takes no time.
    pub fn label<T>(
        &self,
        now: Millis,
        label: impl FnOnce(&mut BTreeMap<String, String>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.change(now, |state| match state.kept.life.status() {
            Status::Creating => Err(self.busy(Status::Creating)),
            _ => label(&mut state.kept.settings.tags),
        })
    }

    /// Says what routes records from now on, which takes no time.
    pub fn distribute(&self, now: Millis, distribution: Distribution) -> Result<(), EngineError> {
        self.change(now, |state| {
            self.check_active(state)?;
            state.kept.settings.distribution = distribution;
            Ok(())
        })
    }

    /// Counts a change that a day has only so much room for, where limits hold.
    pub fn admit_daily(&self, now: Millis, change: Daily) -> Result<(), EngineError> {
        if self.limits() == Limits::Off {
            return self.check_takes_changes(now);
        }
        self.change(now, |state| {
            self.check_active(state)?;
            self.count_daily(state, now, change)
        })
    }

    fn count_daily(
        &self,
        state: &mut State,
        now: Millis,
        change: Daily,
    ) -> Result<(), EngineError> {
        if self.limits() == Limits::Off || state.kept.last_day.admit(now, change) {
            return Ok(());
        }
        let (stream, account) = (self.name().to_owned(), self.account().to_owned());
        Err(EngineError::ChangesExhausted { change, stream, account })
    }

    /// Registers a consumer; `consumers_max` are allowed at once.
    pub fn register_consumer(
        &self,
        now: Millis,
        name: &str,
        consumers_max: usize,
    ) -> Result<Consumer, EngineError> {
        self.change(now, |state| {
            self.check_active(state)?;
            let (stream, account) = (self.name().to_owned(), self.account().to_owned());
            if state.kept.consumers.get(name).is_some() {
                let consumer = name.to_owned();
                return Err(EngineError::ConsumerExists { consumer, stream, account });
            }
            if consumers_max <= state.kept.consumers.len() {
                return Err(EngineError::ConsumersExhausted {
                    max: consumers_max,
                    stream,
                    account,
                });
            }
            if CONSUMERS_CREATING_MAX <= state.kept.consumers.creating() {
                return Err(EngineError::TooManyConsumersCreating { stream, account });
            }
            Ok(state.kept.consumers.register(now, name, self.durations().create_ms))
        })
    }

    /// Begins to remove a consumer.
    pub fn deregister_consumer(&self, now: Millis, name: &str) -> Result<(), EngineError> {
        self.change(now, |state| {
            state.kept.consumers.deregister(now, name, self.durations().delete_ms);
            Ok(())
        })
    }

    /// Begins to go; tells whether it is gone at once.
    pub(crate) fn begin_to_go(&self, now: Millis) -> Result<bool, EngineError> {
        self.change(now, |state| Ok(state.kept.life.delete(now, self.durations().delete_ms)))
    }

    /// Begins a change of the shards, if any, and makes it at once where updates take no time.
    fn begin(&self, now: Millis, state: &mut State, change: Option<Change>) {
        if let Some(change) = state.kept.life.begin(now, self.durations().update_ms, change) {
            state.make(now, change);
        }
    }

    /// Checks that the stream takes changes now.
    pub fn check_takes_changes(&self, now: Millis) -> Result<(), EngineError> {
        let state = self.state_at(now)?;
        self.check_active(&state)
    }

    fn check_active(&self, state: &State) -> Result<(), EngineError> {
        match state.kept.life.status() {
            Status::Active => Ok(()),
            status => Err(self.busy(status)),
        }
    }

    /// That the stream is at something that does not go with what is asked.
    pub fn busy(&self, status: Status) -> EngineError {
        let (stream, account) = (self.name().to_owned(), self.account().to_owned());
        EngineError::StreamBusy { stream, account, status }
    }

    fn open_shard(&self, state: &State, name: &str) -> Result<ShardIndex, EngineError> {
        let shard = self.known_shard(state, name)?;
        if state.kept.shards[shard.0 as usize].is_open() {
            return Ok(shard);
        }
        let (stream, account) = (self.name().to_owned(), self.account().to_owned());
        Err(EngineError::ShardClosed { shard, stream, account })
    }

    fn check_provisioned(&self, state: &State, operation: &'static str) -> Result<(), EngineError> {
        match state.kept.settings.mode {
            Mode::OnDemand => {
                Err(EngineError::OnDemand { stream: self.name().to_owned(), operation })
            }
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
}
