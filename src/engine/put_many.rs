//! Records put together: hashed many at once outside of the lock, stored in a row under it.

use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::error::EngineError;
use crate::engine::ledger::entry::Put;
use crate::engine::shard::ShardMap;
use crate::engine::stream::Entry;
use crate::engine::stream::Stream;
use crate::engine::stream::check_size;
use crate::hash_key::many::hash_each;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardIndex;
use crate::record::sequence::many::Printer;

/// Records that are worth a thread of their own.
const RUN: usize = 16_384;

/// What became of records put together, in their order: two bytes a record, made into results when asked for.
#[derive(Debug)]
pub struct Answers {
    map: Arc<ShardMap>,
    /// By record, its shard's place on the ring.
    places: Vec<u16>,
    /// The index of the first record stored; the others follow in a row.
    first_index: u64,
    recorded_seconds: u64,
    /// The records that were not stored, ascending, and why.
    refused: Vec<(usize, EngineError)>,
    stored_bytes: u64,
}

impl Answers {
    /// Returns how many records there were.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether there were none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns how many were not stored.
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// Returns the bytes that were stored, keys counted.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Returns what became of a record, if there were that many.
    pub fn at(&self, place: usize) -> Option<Result<SequenceNumber, &EngineError>> {
        let slot = usize::from(*self.places.get(place)?);
        match self.refused.binary_search_by_key(&place, |&(refused, _)| refused) {
            Ok(refusal) => Some(Err(&self.refused[refusal].1)),
            Err(refused_before) => Some(Ok(SequenceNumber {
                birth: self.map.births()[slot],
                index: self.first_index + (place - refused_before) as u64,
                recorded_seconds: self.recorded_seconds,
            })),
        }
    }

    /// Tells the digits of each record's number and its shard, or why it was not stored; in their order, many at once.
    pub fn each(
        &self,
        mut told: impl FnMut(Result<([u8; SEQUENCE_DIGITS], ShardIndex), &EngineError>),
    ) {
        let births = self.map.births();
        let printer = Printer::new(births.iter().copied(), self.first_index);
        let mut refused = self.refused.iter().peekable();
        let mut row = 0;
        for (place, &slot) in self.places.iter().enumerate() {
            if let Some((_, error)) = refused.next_if(|(refused, _)| *refused == place) {
                told(Err(error));
                continue;
            }
            let mut digits = [0; SEQUENCE_DIGITS];
            printer.write(usize::from(slot), row, self.recorded_seconds, &mut digits);
            row += 1;
            told(Ok((digits, births[usize::from(slot)].shard)));
        }
    }

    /// Walks what became of each record.
    pub fn iter(&self) -> impl Iterator<Item = Result<SequenceNumber, &EngineError>> {
        (0..self.len()).map_while(|place| self.at(place))
    }
}

impl Stream {
    /// Appends records in order; each is stored or throttled by itself.
    ///
    /// A record that no stream may hold refuses the call, and nothing is stored.
    pub fn put_many(
        &self,
        now: Millis,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Result<SequenceNumber, EngineError>>, EngineError> {
        let answers = self.put_each(now, entries.len(), |place| entries[place])?;
        Ok(answers.iter().map(|answer| answer.map_err(EngineError::clone)).collect())
    }

    /// Like `put_many`, of the `count` records that `entry` gives by their place.
    pub fn put_each<'a>(
        &self,
        now: Millis,
        count: usize,
        entry: impl Fn(usize) -> Entry<'a> + Sync,
    ) -> Result<Answers, EngineError> {
        let mut turn = self.turn()?;
        let mut state = self.state_in_turn(&turn, now)?;
        for index in 0..count {
            let checked = state.check_key(entry(index));
            checked.map_err(|error| EngineError::EntryKey { index, error })?;
        }
        let (mut map, mut places) = (Arc::clone(&state.map), vec![0; count]);
        loop {
            drop(state);
            drop(turn);
            self.find_places(&map, &entry, &mut places);
            turn = self.turn()?;
            state = self.state_in_turn(&turn, now)?;
            // A reshard in between sends them elsewhere.
            if Arc::ptr_eq(&map, &state.map) {
                break;
            }
            map = Arc::clone(&state.map);
        }
        for index in 0..count {
            check_size(state.kept.settings.record_bytes_max, entry(index).bytes(), Some(index))?;
        }
        let arrival = state.log.arrival(now);
        let first_index = state.log.end().0;
        let (mut refused, mut stored_bytes) = (Vec::new(), 0);
        let birth = |index: usize| map.births()[usize::from(places[index])];
        // Where they are written down, all of them are before any is stored.
        let is_logged = self.durable().is_some();
        let mut admitted = Vec::with_capacity(if is_logged { count } else { 0 });
        for index in 0..count {
            let (entry, birth) = (entry(index), birth(index));
            match self.admit(&mut state, now, birth, entry.bytes()) {
                Ok(()) if is_logged => admitted.push(index),
                Ok(()) => {
                    state.log.push(arrival, birth, entry.key, entry.data);
                }
                Err(error) => {
                    refused.push((index, error));
                    continue;
                }
            }
            stored_bytes += entry.bytes() as u64;
        }
        let logged = self.log_puts(&state.log, arrival, admitted.len(), |place| {
            let Entry { key, data, .. } = entry(admitted[place]);
            Put { shard: birth(admitted[place]).shard, key, data }
        });
        if let Some(refusal) = logged.refusal {
            // Nothing was written down, or the first ones were, which are stored.
            if logged.count == 0 {
                return Err(refusal);
            }
            for index in admitted.drain(logged.count..) {
                stored_bytes -= entry(index).bytes() as u64;
                refused.push((index, refusal.clone()));
            }
            refused.sort_by_key(|&(index, _)| index);
        }
        for &index in &admitted {
            let Entry { key, data, .. } = entry(index);
            state.log.push(arrival, birth(index), key, data);
        }
        state.trim(now);
        self.sweep(&mut state);
        let end = state.log.end();
        drop(state);
        drop(turn);
        self.acknowledge(logged.upto, end)?;
        self.bell().ring();
        let recorded_seconds = arrival.whole_seconds();
        Ok(Answers { map, places, first_index, recorded_seconds, refused, stored_bytes })
    }

    fn find_places<'a>(
        &self,
        map: &ShardMap,
        entry: &(impl Fn(usize) -> Entry<'a> + Sync),
        places: &mut [u16],
    ) {
        let runs = places.chunks_mut(RUN).enumerate();
        self.threads().on_each(
            runs,
            || true,
            |(run, places)| {
                let first = run * RUN;
                let key = |place: usize| entry(first + place).key.into();
                hash_each(key, |hash| map.place(hash), places);
                for (index, place) in (first..).zip(places) {
                    if let Some(hash_key) = entry(index).explicit_hash_key {
                        *place = map.place(hash_key);
                    }
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::engine::Engine;
    use crate::engine::EngineOptions;
    use crate::engine::Limits;
    use crate::engine::Mode;
    use crate::engine::StreamOptions;
    use crate::hash_key::HashKey;
    use crate::limits::DAY_MS;
    use crate::threads::Threads;

    fn stream(limits: Limits, threads: usize) -> Arc<Stream> {
        let engine = Engine::new(EngineOptions {
            clock: Clock::System,
            limits,
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: 7,
            threads: Threads::new(Some(threads)).unwrap(),
            durations: crate::engine::Durations::default(),
            shard_limit: None,
        });
        let options = StreamOptions {
            shard_count: 5,
            retention_ms: DAY_MS,
            mode: Mode::Provisioned,
            record_bytes_max: 1024 * 1024,
            tags: std::collections::BTreeMap::new(),
            distribution: crate::engine::Distribution::ByKey,
            warm_throughput: None,
        };
        engine.create_stream(Millis(0), "clicks", options).unwrap()
    }

    #[test]
    fn many_runs_by_many_threads_answer_as_one_record_after_another() {
        let keys: Vec<String> = (0..3 * RUN + 5).map(|place| format!("user-{place}")).collect();
        let entry = |place: usize| Entry {
            data: &keys[place].as_bytes()[..2],
            key: &keys[place],
            explicit_hash_key: place
                .is_multiple_of(7)
                .then(|| HashKey(u128::MAX / 70_000 * place as u128)),
        };
        for (limits, threads) in [(Limits::Off, 1), (Limits::Off, 3), (Limits::Aws, 2)] {
            let (alone, together) = (stream(limits, 1), stream(limits, threads));
            let answers = together.put_each(Millis(0), keys.len(), entry).unwrap();
            let mut stored_bytes = 0;
            for (place, answer) in answers.iter().enumerate() {
                let one = alone.put(Millis(0), entry(place));
                stored_bytes += one.as_ref().map_or(0, |_| entry(place).bytes() as u64);
                assert_eq!(answer.map_err(EngineError::clone), one, "{place}");
            }
            assert_eq!((answers.len(), answers.at(keys.len())), (keys.len(), None));
            assert_eq!(answers.stored_bytes(), stored_bytes);
            let refused = answers.iter().filter(Result::is_err).count();
            assert_eq!(answers.refused_count(), refused);
            assert_eq!(limits == Limits::Aws, 0 < refused);
        }
    }
}
