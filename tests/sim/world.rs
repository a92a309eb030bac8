//! An engine on a simulated disk, the clock it lives by, and how commands are carried out on it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use shardstream::clock::Clock;
use shardstream::clock::ManualClock;
use shardstream::clock::Millis;
use shardstream::engine::Account;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineError;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::StoreOptions;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::stream::Entry;
use shardstream::engine::write::Roles;
use shardstream::engine::write::Rows;
use shardstream::record;
use shardstream::store::Compression;
use shardstream::store::Disk;
use shardstream::store::Durability;
use shardstream::threads::Threads;

use crate::command::Bulk;
use crate::command::Command;
use crate::command::Table;
use crate::dice::Dice;
use crate::seen;
use crate::seen::ACCOUNTS;
use crate::seen::Record;
use crate::seen::Which;

/// 2026-01-01T00:00:00Z, when every world begins.
pub(crate) const START_MS: i64 = 1_767_225_600_000;
const HOUR_MS: i64 = 3_600_000;

/// What an engine is opened with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) durability: Durability,
    pub(crate) compression: Compression,
    pub(crate) seal_bytes: usize,
    pub(crate) durations: Durations,
}

impl Plan {
    pub(crate) fn pick(dice: &mut Dice, durability: Durability) -> Self {
        let is_slow = durability == Durability::Commit && dice.once_in(4);
        let ms = if is_slow { 500 } else { 0 };
        Self {
            durability,
            compression: dice.one_of(&[Compression::None, Compression::Lz4, Compression::Zstd]),
            seal_bytes: dice.one_of(&[600, 4_000, 12_000]),
            durations: Durations { create_ms: ms, delete_ms: ms, update_ms: ms },
        }
    }
}

impl Plan {
    /// What an engine is opened on.
    pub(crate) fn store(self, disk: Arc<dyn Disk>) -> StoreOptions {
        let Self { durability, compression, seal_bytes, .. } = self;
        StoreOptions { disk, durability, compression, read_only: false, seal_bytes }
    }
}

/// An engine and its clock.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    clock: Arc<ManualClock>,
}

impl World {
    pub(crate) fn open(plan: Plan, disk: Arc<dyn Disk>, now_ms: i64) -> Result<Self, EngineError> {
        Self::open_store(plan, plan.store(disk), now_ms)
    }

    /// Opens what another process may be writing.
    pub(crate) fn open_to_read(
        plan: Plan,
        disk: Arc<dyn Disk>,
        now_ms: i64,
    ) -> Result<Self, EngineError> {
        Self::open_store(plan, StoreOptions { read_only: true, ..plan.store(disk) }, now_ms)
    }

    fn open_store(plan: Plan, store: StoreOptions, now_ms: i64) -> Result<Self, EngineError> {
        let clock = Arc::new(ManualClock::new(Millis(now_ms)));
        let options = EngineOptions {
            clock: Clock::Manual(Arc::clone(&clock)),
            limits: Limits::Off,
            region: ACCOUNTS[0].1.to_owned(),
            account_id: ACCOUNTS[0].0.to_owned(),
            seed: 7,
            threads: Threads::new(Some(1)).expect("one is some"),
            durations: plan.durations,
            shard_limit: None,
        };
        Ok(Self { engine: Engine::open(options, store)?, clock })
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.engine.now().0
    }

    fn account(&self, (account, _): Which) -> Result<Arc<Account>, EngineError> {
        let (id, region) = ACCOUNTS[account];
        self.engine.account(id, region)
    }

    fn stream(&self, which: Which) -> Result<Arc<Stream>, EngineError> {
        self.account(which)?.stream(self.engine.now(), which.1)
    }

    /// Does what is asked, and returns the records that were acknowledged.
    pub(crate) fn act(&self, command: &Command) -> Result<Vec<Arc<Record>>, EngineError> {
        match command {
            Command::Put(which, bulk) => self.put(*which, *bulk),
            Command::PutMany(which, bulk) => self.put_many(*which, *bulk),
            Command::Write(which, bulk, table) => self.write(*which, *bulk, *table),
            other => self.change(other).map(|()| Vec::new()),
        }
    }

    fn change(&self, command: &Command) -> Result<(), EngineError> {
        let now = self.engine.now();
        match command {
            Command::Advance(ms) => drop(self.clock.advance(*ms)),
            Command::Create(which, shards) => {
                let account = self.account(*which)?;
                self.engine.create_stream_in(&account, now, which.1, options(*shards))?;
            }
            Command::Delete(which) => self.account(*which)?.delete_stream(now, which.1)?,
            Command::Fork(which, name) => {
                self.engine.fork_stream(now, &*self.stream(*which)?, name)?;
            }
            Command::Policy(which, number) => self.engine.home().change(|kept| {
                let arn = format!("arn:aws:kinesis:eu-west-1:123456789012:stream/{}", which.1);
                kept.policies.insert(arn, format!("policy {number}"));
                Ok::<(), EngineError>(())
            })?,
            Command::Tick => self.engine.tick(now)?,
            other => self.change_stream(&*self.stream(other.which().expect("a stream"))?, other)?,
        }
        Ok(())
    }

    fn change_stream(&self, stream: &Stream, command: &Command) -> Result<(), EngineError> {
        let now = self.engine.now();
        match command {
            Command::Deregister(_, name) => stream.deregister_consumer(now, name),
            Command::Encrypt(_, is_on) => stream.encrypt(now, is_on.then_some("alias/key")),
            Command::Label(_, label, number) => stream.label(now, |tags| {
                tags.insert((*label).to_owned(), number.to_string());
                Ok(())
            }),
            Command::Unlabel(_, label) => stream.label(now, |tags| {
                tags.remove(*label);
                Ok(())
            }),
            Command::Limit(_, bytes) => stream.alter(now, |settings| {
                settings.record_bytes_max = *bytes;
                Ok(())
            }),
            Command::Merge(_, lower, upper) => stream.merge_shards(now, lower, upper),
            Command::Register(_, name) => stream.register_consumer(now, name, 20).map(drop),
            Command::Retain(_, hours) => {
                let asked = hours * HOUR_MS;
                let is_more = stream.retention_ms()? < asked;
                let change =
                    if is_more { Stream::increase_retention } else { Stream::decrease_retention };
                change(stream, now, asked)
            }
            Command::Scale(_, count) => stream.update_shard_count(now, *count),
            Command::Split(_, shard) => stream.split_shard(now, shard, None),
            other => unreachable!("{other:?} is no change of a stream"),
        }
    }

    fn put(&self, which: Which, bulk: Bulk) -> Result<Vec<Arc<Record>>, EngineError> {
        let (key, data) = (key(bulk.first), data(bulk, 0));
        let entry = Entry { data: &data, key: &key, explicit_hash_key: None };
        let stream = self.stream(which)?;
        let number = stream.put(self.engine.now(), entry)?;
        let arrival_ms = self.now_ms();
        Ok(vec![Arc::new(Record { number, arrival_ms, key, data })])
    }

    fn put_many(&self, which: Which, bulk: Bulk) -> Result<Vec<Arc<Record>>, EngineError> {
        let each = (0..bulk.count).map(|place| (key(bulk.first + place as u64), data(bulk, place)));
        let each: Vec<(String, Vec<u8>)> = each.collect();
        let entry = |(key, data): &'_ (String, Vec<u8>)| (key.clone(), data.clone());
        let entries: Vec<Entry<'_>> =
            each.iter().map(|(key, data)| Entry { data, key, explicit_hash_key: None }).collect();
        let stream = self.stream(which)?;
        let answers = stream.put_many(self.engine.now(), &entries)?;
        let arrival_ms = self.now_ms();
        let acknowledged = answers.into_iter().zip(&each).map(|(answer, each)| {
            let (key, data) = entry(each);
            Ok(Arc::new(Record { number: answer?, arrival_ms, key, data }))
        });
        acknowledged.collect()
    }

    fn write(
        &self,
        which: Which,
        bulk: Bulk,
        table: Table,
    ) -> Result<Vec<Arc<Record>>, EngineError> {
        let now = self.engine.now();
        let mut rows = Rows::from_batch(batch(bulk), roles(table), 0).expect("the table is one");
        if 0 < table.apart_ms {
            let arrivals = (0..).map(|row| now.0 + row * table.apart_ms);
            rows.arrivals = Some(arrivals.take(bulk.count).collect());
        }
        let written = self.stream(which)?.write(now, rows)?;
        let records = written.blocks.iter().flat_map(|block| {
            (0..block.len()).map(|row| record::Record::new(Arc::clone(block), row))
        });
        records.map(|record| seen::record(&record)).collect()
    }
}

fn options(shard_count: u32) -> StreamOptions {
    StreamOptions {
        shard_count,
        retention_ms: 24 * HOUR_MS,
        mode: Mode::Provisioned,
        record_bytes_max: 1 << 20,
        tags: [("made".to_owned(), "here".to_owned())].into(),
        distribution: shardstream::engine::Distribution::ByKey,
        warm_throughput: None,
    }
}

fn key(number: u64) -> String {
    format!("user-{}", number % 17)
}

fn data(bulk: Bulk, place: usize) -> Vec<u8> {
    let mut data = format!("{}:", bulk.first + place as u64).into_bytes();
    data.resize(data.len() + bulk.bytes, b"abcdefg"[place % 7]);
    data
}

fn roles(table: Table) -> Roles<'static> {
    Roles { key: "user", data: (!table.is_typed).then_some("data"), null_key: None }
}

fn batch(bulk: Bulk) -> RecordBatch {
    let numbers = (0..bulk.count).map(|place| bulk.first + place as u64);
    let keys = StringArray::from_iter_values(numbers.clone().map(key));
    let data: Vec<Vec<u8>> = (0..bulk.count).map(|place| data(bulk, place)).collect();
    let text = StringArray::from_iter_values(data.iter().map(|data| String::from_utf8_lossy(data)));
    let numbers = Int64Array::from_iter_values(numbers.map(u64::cast_signed));
    let columns: [(&str, ArrayRef); 4] = [
        ("user", Arc::new(keys)),
        ("data", Arc::new(BinaryArray::from_iter_values(&data))),
        ("text", Arc::new(text)),
        ("number", Arc::new(numbers)),
    ];
    RecordBatch::try_from_iter(columns).expect("the columns are alike")
}
