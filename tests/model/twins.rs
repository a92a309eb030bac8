//! One life lived twice, by the engine and by the model, and every answer compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::StringArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use shardstream::clock::Clock;
use shardstream::clock::ManualClock;
use shardstream::clock::Millis;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::engine::stream::Entry;
use shardstream::engine::write::Rows;
use shardstream::hash_key::HashKey;
use shardstream::record;
use shardstream::record::key::KeyColumn;
use shardstream::record::payload::BytesColumn;
use shardstream::record::payload::Payload;
use shardstream::record::sequence::ShardIndex;
use shardstream::threads::Threads;

use crate::command::Command;
use crate::command::Hash;
use crate::command::Place;
use crate::naive::Model;
use crate::seen::Planted;
use crate::seen::Record;
use crate::seen::Shard;
use crate::seen::even_ranges;
use crate::seen::name;
use crate::seen::number_of;
use crate::seen::seen;
use crate::seen::shards;

const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;

/// The engine's stream and the model of it.
struct Twins {
    stream: Arc<Stream>,
    model: Model,
    /// Where reads ended, and which shard they read.
    marks: Vec<(Cut, Option<u32>)>,
    /// Records put so far: each carries its number.
    puts: u64,
}

pub(crate) type Outcome = Result<(), TestCaseError>;

impl Twins {
    fn new(shards: u32, planted: Option<Planted>) -> Self {
        let now = Millis(START_MS);
        let engine = Engine::new(EngineOptions {
            clock: Clock::Manual(Arc::new(ManualClock::new(now))),
            limits: Limits::Off,
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: 7,
            threads: Threads::new(Some(2)).expect("two are some"),
            durations: Durations::default(),
            shard_limit: None,
        });
        let options = StreamOptions {
            shard_count: shards,
            retention_ms: DAY_MS,
            mode: Mode::Provisioned,
            record_bytes_max: 1024 * 1024,
            tags: BTreeMap::new(),
            distribution: shardstream::engine::Distribution::ByKey,
            warm_throughput: None,
        };
        let stream = engine.create_stream(now, "model", options).expect("the options are good");
        let start = stream.start_cut(now, Position::Latest, None).expect("the stream is there");
        let model = Model::new(START_MS, DAY_MS, start.0).with(shards, planted);
        Self { stream, model, marks: Vec::new(), puts: 0 }
    }

    fn now(&self) -> Millis {
        Millis(self.model.now_ms)
    }

    /// The next `count` records' keys and data; keys repeat.
    fn rows(&mut self, count: u16, key: u8) -> (Vec<String>, Vec<String>) {
        let first = self.puts;
        self.puts += u64::from(count);
        let each = first..self.puts;
        let key = |row: u64| format!("key-{}", (u64::from(key) + row * row) % 23);
        (each.clone().map(key).collect(), each.map(|row| row.to_string()).collect())
    }

    fn live(&mut self, command: &Command) -> Outcome {
        match command {
            Command::Advance(duration_ms) => self.model.advance(*duration_ms),
            Command::Look => self.look()?,
            Command::Merge(lower, upper) => self.merge(*lower, *upper)?,
            Command::Put(key, hash) => self.put(*key, hash.as_ref())?,
            Command::PutMany(count, key) => self.put_many(*count, *key)?,
            Command::Read(from, until, shard, limit) => {
                self.read(from, until.as_ref(), *shard, *limit)?;
            }
            Command::ReadOn(mark, limit) => self.read_on(*mark, *limit)?,
            Command::Retain(asked_ms, longer) => self.retain(*asked_ms, *longer)?,
            Command::Split(shard, at) => self.split(*shard, *at)?,
            Command::Tick => self.stream.tick(self.now()).expect("the stream is there"),
            Command::UpdateShardCount(count) => self.update_shard_count(*count)?,
            Command::Write(count, key, encoding, arrivals) => {
                self.write(*count, *key, *encoding, *arrivals)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, key: u8, hash: Option<&Hash>) -> Outcome {
        let (keys, data) = self.rows(1, key);
        let shard = |index: &Index| &self.model.shards[index.index(self.model.shards.len())];
        let hash = hash.map(|hash| match hash {
            Hash::Anywhere(at) => *at,
            Hash::First(index) => shard(index).first,
            Hash::Last(index) => shard(index).last,
        });
        let entry =
            Entry { data: data[0].as_bytes(), key: &keys[0], explicit_hash_key: hash.map(HashKey) };
        let number = self.stream.put(self.now(), entry).expect("the record is good");
        let expected = self.model.put(&keys[0], hash, &data[0], self.model.now_ms);
        prop_assert_eq!(number, number_of(&expected));
        Ok(())
    }

    fn put_many(&mut self, count: u16, key: u8) -> Outcome {
        let (keys, data) = self.rows(count, key);
        let entry = |(key, data): (&'_ String, &'_ String)| (key.clone(), data.clone());
        let pairs: Vec<(String, String)> = keys.iter().zip(&data).map(entry).collect();
        let entries: Vec<Entry<'_>> = pairs
            .iter()
            .map(|(key, data)| Entry { data: data.as_bytes(), key, explicit_hash_key: None })
            .collect();
        let answers = self.stream.put_many(self.now(), &entries).expect("the records are good");
        prop_assert_eq!(answers.len(), usize::from(count));
        for (answer, (key, data)) in answers.into_iter().zip(&pairs) {
            let expected = self.model.put(key, None, data, self.model.now_ms);
            prop_assert_eq!(answer, Ok(number_of(&expected)));
        }
        Ok(())
    }

    fn write(
        &mut self,
        count: u16,
        key: u8,
        encoding: u8,
        arrivals: Option<(i64, i64)>,
    ) -> Outcome {
        let (keys, data) = self.rows(count, key);
        let text =
            |values: &[String]| -> ArrayRef { Arc::new(StringArray::from_iter_values(values)) };
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let encodings = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary];
        let coded =
            cast(&text(&keys), &encodings[usize::from(encoding)]).expect("text is cast to text");
        let now_ms = self.model.now_ms;
        let arrivals: Option<Vec<i64>> = arrivals.map(|(start, step)| {
            (0..i64::from(count)).map(|row| now_ms + start + row * step).collect()
        });
        let rows = Rows {
            keys: KeyColumn::from_array(&coded, None).expect("the keys are keys"),
            payload: Payload::Bytes(BytesColumn::from_array(&text(&data)).expect("text is data")),
            arrivals: arrivals.clone().map(Into::into),
        };
        let written = self.stream.write(self.now(), rows).expect("the rows are good");
        let mut per_shard = BTreeMap::<ShardIndex, u64>::new();
        for (row, (key, data)) in keys.iter().zip(&data).enumerate() {
            let arrival_ms = arrivals.as_ref().map_or(now_ms, |arrivals| arrivals[row]);
            let expected = self.model.put(key, None, data, arrival_ms);
            *per_shard.entry(ShardIndex(expected.shard)).or_default() += 1;
        }
        prop_assert_eq!(written.per_shard, per_shard);
        prop_assert_eq!(written.rows, u64::from(count));
        prop_assert!(written.throttled.is_empty());
        Ok(())
    }

    /// Picks a shard, now and then one that is not there.
    fn pick(&self, index: Index) -> u32 {
        u32::try_from(index.index(self.model.shards.len() + 1)).expect("there are few")
    }

    fn split(&mut self, shard: Index, at: Option<u128>) -> Outcome {
        let shard = self.pick(shard);
        // One time in two inside the shard, if it is there.
        let known = self.model.shards.get(shard as usize);
        let at = at.map(|at| match known {
            Some(known) if at % 2 == 0 => known.first + at % (known.last - known.first).max(1),
            _ => at,
        });
        let answer = self.stream.split_shard(self.now(), &name(shard), at.map(HashKey));
        prop_assert_eq!(answer.is_ok(), self.model.split(shard, at).is_some());
        Ok(())
    }

    fn merge(&mut self, lower: Index, upper: Option<Index>) -> Outcome {
        let lower = self.pick(lower);
        let last = self.model.shards.get(lower as usize).map(|shard| shard.last);
        let follows =
            |shard: &&Shard| shard.closed_ms.is_none() && last == shard.first.checked_sub(1);
        let neighbour = self.model.shards.iter().find(follows).map(|shard| shard.number);
        let upper = match (upper, neighbour) {
            (None, Some(neighbour)) => neighbour,
            (None, None) => lower,
            (Some(upper), _) => self.pick(upper),
        };
        let answer = self.stream.merge_shards(self.now(), &name(lower), &name(upper));
        prop_assert_eq!(answer.is_ok(), self.model.merge(lower, upper).is_some());
        Ok(())
    }

    /// Which way the engine takes to a count is its own affair, if each step is a split or a merge.
    fn update_shard_count(&mut self, count: i64) -> Outcome {
        let answer = self.stream.update_shard_count(self.now(), count);
        prop_assert_eq!(answer.is_ok(), 1 <= count);
        let listed = shards(&self.stream, self.now());
        let known = self.model.shards.len();
        for child in listed.iter().filter(|shard| known <= shard.number as usize) {
            if self.model.shards.len() == child.number as usize {
                let step = match child.parents {
                    [Some(parent), None] => {
                        let inside = |(first, last)| first <= child.last && child.last < last;
                        let parent_splits = self.model.open(parent).is_some_and(inside);
                        parent_splits.then(|| self.model.cut(parent, child.last + 1))
                    }
                    [Some(lower), Some(upper)] => self.model.merge(lower, upper),
                    _ => None,
                };
                prop_assert!(step.is_some(), "{:?} is born of no split or merge", child);
            }
        }
        prop_assert_eq!(&listed, &self.model.listed());
        if let (Ok(()), Ok(count)) = (answer, u32::try_from(count)) {
            let open = listed.iter().filter(|shard| shard.closed_ms.is_none());
            let mut ranges: Vec<(u128, u128)> =
                open.map(|shard| (shard.first, shard.last)).collect();
            ranges.sort_unstable();
            prop_assert_eq!(ranges, even_ranges(count));
        }
        Ok(())
    }

    fn retain(&mut self, asked_ms: i64, longer: bool) -> Outcome {
        let now = self.now();
        let answer = if longer {
            self.stream.increase_retention(now, asked_ms)
        } else {
            self.stream.decrease_retention(now, asked_ms)
        };
        prop_assert_eq!(answer.is_ok(), self.model.retain(asked_ms, longer).is_some());
        Ok(())
    }

    /// A place as the engine is told it, and as the model knows it: where, and of which shard.
    fn position(&self, place: &Place) -> (Position, u64, Option<u32>) {
        let records = &self.model.records;
        let picked =
            |index: &Index| (!records.is_empty()).then(|| &records[index.index(records.len())]);
        let horizon = (Position::TrimHorizon, self.model.horizon(), None);
        match place {
            Place::Horizon => horizon,
            Place::Latest => (Position::Latest, self.model.end(), None),
            Place::At(index) => picked(index).map_or(horizon, |record| {
                let at = Position::AtSequenceNumber(number_of(record));
                (at, record.index, Some(record.shard))
            }),
            Place::After(index) => picked(index).map_or(horizon, |record| {
                let after = Position::AfterSequenceNumber(number_of(record));
                (after, self.model.after(record.index), Some(record.shard))
            }),
            Place::Time(index, delta) => {
                let near = picked(index).map_or(self.model.now_ms, |record| record.arrival_ms);
                let time = near + delta;
                (Position::AtTimestamp(Millis(time)), self.model.first_at(time), None)
            }
        }
    }

    fn read(
        &mut self,
        from: &Place,
        until: Option<&Place>,
        shard: Option<Index>,
        limit: usize,
    ) -> Outcome {
        let now = self.now();
        let shard = shard.map(|index| self.pick(index));
        let named = shard.map(name);
        let there = shard.is_none_or(|shard| self.model.has(shard));
        let fits = |of: Option<u32>| there && (of.is_none() || shard.is_none() || of == shard);

        let (position, start, of) = self.position(from);
        let future = matches!(position, Position::AtTimestamp(time) if now < time);
        let begin = self.stream.start_cut(now, position, named.as_deref());
        prop_assert_eq!(begin.is_ok(), fits(of) && !future);
        let (end, stop) = match until {
            None => (Ok(Cut::END), u64::MAX),
            Some(place) => {
                let (position, stop, of) = self.position(place);
                let end = self.stream.end_cut(now, position, named.as_deref());
                prop_assert_eq!(end.is_ok(), fits(of));
                (end, stop)
            }
        };
        if let (Ok(begin), Ok(end)) = (begin, end) {
            self.marks.push((begin, shard));
            return self.compare(begin, end, shard, limit, (start, stop));
        }
        Ok(())
    }

    fn read_on(&mut self, mark: Index, limit: usize) -> Outcome {
        if self.marks.is_empty() {
            return Ok(());
        }
        let (from, shard) = self.marks[mark.index(self.marks.len())];
        self.compare(from, Cut::END, shard, limit, (from.0, u64::MAX))
    }

    /// Reads between two cuts, and between the indices that the model takes for the same.
    fn compare(
        &mut self,
        from: Cut,
        until: Cut,
        shard: Option<u32>,
        limit: usize,
        indices: (u64, u64),
    ) -> Outcome {
        let named = shard.map(name);
        let read = self.stream.read(self.now(), from, until, named.as_deref(), limit);
        if shard.is_some_and(|shard| !self.model.has(shard)) {
            prop_assert!(read.is_err(), "a shard that has expired is not there");
            return Ok(());
        }
        let (slices, next) = read.expect("the shard is there");
        prop_assert!(slices.iter().all(|slice| !slice.is_empty()));
        let each = slices.iter().flat_map(|slice| {
            let block = slice.block().expect("it is in memory");
            (0..slice.len())
                .map(move |place| record::Record::new(Arc::clone(&block), slice.row(place)))
        });
        let read: Vec<Record> = each.map(|record| seen(&record)).collect();
        let (expected, onward) = self.model.read(indices.0, indices.1, shard, limit);
        prop_assert_eq!(read, expected);
        prop_assert_eq!(next.0, onward);
        if let (Some(shard), Some(named)) = (shard, named) {
            let exhausted = self.stream.is_exhausted(&named, next).expect("the shard is there");
            prop_assert_eq!(exhausted, self.model.is_exhausted(shard, onward));
        }
        self.marks.push((next, shard));
        Ok(())
    }

    fn look(&mut self) -> Outcome {
        let now = self.now();
        prop_assert_eq!(shards(&self.stream, now), self.model.listed());
        let kept = self.stream.record_count(now).expect("the stream is there");
        prop_assert_eq!(kept, self.model.end() - self.model.horizon());
        let retention_ms = self.stream.retention_ms().expect("the stream is there");
        prop_assert_eq!(retention_ms, self.model.retention_ms);
        Ok(())
    }
}

/// Lives a life twice, and looks at all that is left at its end.
pub(crate) fn live(shard_count: u32, commands: &[Command], planted: Option<Planted>) -> Outcome {
    let mut twins = Twins::new(shard_count, planted);
    for command in commands {
        twins.live(command)?;
    }
    twins.read(&Place::Horizon, None, None, usize::MAX)?;
    twins.look()
}
