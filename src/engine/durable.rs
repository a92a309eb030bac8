//! A stream on a store: what is put is written to the journal before it is acknowledged, and sealed when there is enough.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use parking_lot::MutexGuard;

use crate::clock::Millis;
use crate::engine::error::EngineError;
use crate::engine::kept::Kept;
use crate::engine::ledger::Ledger;
use crate::engine::ledger::entry;
use crate::engine::ledger::entry::BlockFrame;
use crate::engine::ledger::entry::EntryError;
use crate::engine::ledger::entry::GoneEntry;
use crate::engine::ledger::entry::Kind;
use crate::engine::ledger::entry::LogEntry;
use crate::engine::ledger::entry::Put;
use crate::engine::ledger::entry::Records;
use crate::engine::ledger::entry::SealedEntry;
use crate::engine::ledger::entry::StreamEntry;
use crate::engine::ledger::entry::TrimmedEntry;
use crate::engine::log::Chunk;
use crate::engine::log::Log;
use crate::engine::position::Cut;
use crate::engine::stream::State;
use crate::engine::stream::Stream;
use crate::record::block::Block;
use crate::store::Generation;
use crate::store::GenerationInfo;
use crate::store::Lsn;
use crate::store::StoreError;
use crate::store::generation;

/// Records of a frame at most, and their bytes, about.
const FRAME_RECORDS_MAX: usize = 65_536;
const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a table that go to segments at once instead of through the journal.
const DIRECT_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of the journal between two marks.
const MARK_BYTES: u64 = 1024 * 1024;

/// How a stream is kept on a store.
#[derive(Debug)]
pub(crate) struct Durable {
    pub(crate) ledger: Arc<Ledger>,
    /// The stream's number in the store.
    pub(crate) id: u64,
    /// Its folder.
    pub(crate) folder: String,
    /// Whose turn it is to append: a table that goes to segments takes it for as long as these are written.
    turn: Mutex<()>,
    /// Whoever seals.
    sealing: Mutex<()>,
    /// Whether so much is in memory that it must be sealed before more comes.
    is_behind: AtomicBool,
    /// Indices, ascending, and where in the journal their records begin at the earliest.
    marks: Mutex<VecDeque<(u64, Lsn)>>,
    /// What was told of it when it was opened.
    pub(crate) replayed: Mutex<Replayed>,
}

/// What a checkpoint or its first frame told of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replayed {
    /// What the journal said before it is told.
    pub(crate) as_of: Lsn,
    /// The index of the next record, at least.
    pub(crate) end_index: u64,
    /// When its newest record arrived.
    pub(crate) last_arrival: Millis,
}

/// What became of records that were to be written down.
#[derive(Debug)]
pub(crate) struct Logged {
    /// Where in the journal they end.
    pub(crate) upto: Option<Lsn>,
    /// How many of them, from the first on.
    pub(crate) count: usize,
    /// Why not the others.
    pub(crate) refusal: Option<EngineError>,
}

/// A turn to append; nobody takes turns in memory.
pub(crate) type Turn<'a> = Option<MutexGuard<'a, ()>>;

impl Durable {
    pub(crate) fn new(ledger: Arc<Ledger>, id: u64, folder: String) -> Self {
        Self {
            ledger,
            id,
            folder,
            turn: Mutex::default(),
            sealing: Mutex::default(),
            is_behind: AtomicBool::new(false),
            marks: Mutex::default(),
            replayed: Mutex::default(),
        }
    }

    /// Remembers where in the journal records from an index on begin.
    pub(crate) fn mark(&self, index: u64, at: Lsn) {
        let mut marks = self.marks.lock();
        if marks.back().is_none_or(|(_, last)| last.0 + MARK_BYTES <= at.0) {
            marks.push_back((index, at));
        }
    }

    /// Where in the journal the records from an index on begin, at the earliest.
    pub(crate) fn marked(&self, index: u64) -> Option<Lsn> {
        let mut marks = self.marks.lock();
        let after = marks.partition_point(|&(first, _)| first <= index);
        marks.drain(..after.saturating_sub(1));
        marks.front().map(|&(_, at)| at)
    }

    pub(crate) fn generation(&self, info: GenerationInfo) -> Arc<Generation> {
        Arc::new(Generation::new(Arc::clone(&self.ledger.store.disk), &self.folder, info))
    }
}

impl Stream {
    /// Takes the turn to change or append to the stream.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, EngineError> {
        let Some(durable) = self.durable() else { return Ok(None) };
        durable.ledger.check_process()?;
        durable.ledger.check_writes()?;
        if durable.is_behind.load(Ordering::Relaxed) {
            self.seal()?;
        }
        Ok(Some(durable.turn.lock()))
    }

    /// Takes the turn if nobody has it.
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        match self.durable() {
            None => Some(None),
            Some(durable) => durable.turn.try_lock().map(Some),
        }
    }

    /// Changes what is kept: whole, and written down before anybody sees it, or not at all.
    pub(crate) fn change<T>(
        &self,
        now: Millis,
        change: impl FnOnce(&mut State) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let turn = self.turn()?;
        let mut state = self.state_in_turn(&turn, now)?;
        let before = turn.is_some().then(|| state.copy_kept());
        let changed = change(&mut state).and_then(|answer| Ok((answer, self.log_kept(&state)?)));
        let (answer, logged) = match changed {
            Ok(changed) => changed,
            Err(error) => {
                if let Some(before) = before {
                    state.restore(before);
                }
                return Err(error);
            }
        };
        drop(state);
        drop(turn);
        if let (Some(durable), Some(lsn)) = (self.durable(), logged) {
            durable.ledger.wait(lsn)?;
        }
        self.bell().ring();
        Ok(answer)
    }

    /// Does what time has made due, and writes it down; where that cannot be, it stays due.
    pub(crate) fn settle(&self, state: &mut State, now: Millis) {
        let writes = self.durable().is_some_and(|durable| !durable.ledger.store.read_only);
        let before = writes.then(|| state.copy_kept());
        state.settle(now);
        if let Some(before) = before
            && self.log_kept(state).is_err()
        {
            state.restore(before);
        }
    }

    /// Writes down that the stream is there, as it is.
    pub(crate) fn log_birth(&self) -> Result<Lsn, EngineError> {
        let durable = self.durable().expect("a stream on a store");
        durable.ledger.check_writes()?;
        let mut state = self.state()?;
        let log = Some(state.log_entry());
        let entry = self.entry(durable.id, state.kept.clone(), log);
        // A new log has records of others' segments alone, which are stable.
        let end = state.log.end();
        state.log.show(end);
        Ok(durable.ledger.append(Kind::Stream, &entry)?)
    }

    /// Writes down that the stream is gone, has its files removed, and what else is known of it forgotten.
    pub(crate) fn log_end(
        &self,
        now: Millis,
        forget: impl FnOnce(),
    ) -> Result<Option<Lsn>, EngineError> {
        let Some(durable) = self.durable() else {
            forget();
            return Ok(None);
        };
        let entry = GoneEntry { stream: durable.id, at: now };
        let lsn = durable.ledger.remove_stream(durable.id, || {
            let lsn = durable.ledger.append(Kind::Gone, &entry)?;
            forget();
            Ok(lsn)
        })?;
        let generations = self.lock().log.chunks();
        let paths = generations.iter().filter_map(Chunk::generation).flat_map(Generation::paths);
        durable.ledger.doom(lsn, paths.collect(), true);
        Ok(Some(lsn))
    }

    /// Writes down what the stream is now besides its records.
    fn log_kept(&self, state: &State) -> Result<Option<Lsn>, EngineError> {
        let Some(durable) = self.durable() else { return Ok(None) };
        let entry = self.entry(durable.id, state.kept.clone(), None);
        Ok(Some(durable.ledger.append(Kind::Stream, &entry)?))
    }

    /// What is written down of the stream, with what is kept of it and, where the entry makes it, its log.
    pub(crate) fn entry(&self, id: u64, kept: Kept, log: Option<LogEntry>) -> StreamEntry {
        StreamEntry {
            id,
            account: self.account().to_owned(),
            region: self.region().to_owned(),
            name: self.name().to_owned(),
            created: self.created(),
            born_seconds: self.born_seconds(),
            kept,
            log,
        }
    }

    /// Writes records down that come next, and arrive together: all of them, or as many as there is room for.
    pub(crate) fn log_puts<'a>(
        &self,
        log: &Log,
        arrival: Millis,
        count: usize,
        put: impl Fn(usize) -> Put<'a>,
    ) -> Logged {
        let Some(durable) = self.durable() else {
            return Logged { upto: None, count, refusal: None };
        };
        let journal = durable.ledger.journal();
        let (mut upto, mut first) = (None, 0);
        while first < count {
            let mut bytes = entry::RECORDS_HEAD_BYTES;
            let mut end = first;
            while end < count && end - first < FRAME_RECORDS_MAX && bytes < FRAME_BYTES_MAX {
                let Put { key, data, .. } = put(end);
                bytes += entry::PUT_BYTES + key.len() + data.len();
                end += 1;
            }
            let index = log.end().0 + first as u64;
            durable.mark(index, journal.end());
            let appended = journal.append(Kind::Records as u8, bytes, |frame| {
                let count = u32::try_from(end - first).expect("a frame has 65,536 records at most");
                entry::begin_records(frame, durable.id, index, arrival, count);
                (first..end).for_each(|place| entry::add_record(frame, put(place)));
            });
            match appended {
                Ok(lsn) => (upto, first) = (Some(lsn), end),
                Err(error) => return Logged { upto, count: first, refusal: Some(error.into()) },
            }
        }
        Logged { upto, count, refusal: None }
    }

    /// Writes a block down that comes next.
    pub(crate) fn log_block(&self, block: &Block) -> Result<Option<Lsn>, EngineError> {
        let Some(durable) = self.durable() else { return Ok(None) };
        let mut body = Vec::new();
        entry::write_block(&mut body, durable.id, block)
            .map_err(|error| EngineError::Unwritable { reason: error.to_string() })?;
        let journal = durable.ledger.journal();
        durable.mark(block.first_index(), journal.end());
        let append = |frame: &mut Vec<u8>| frame.extend_from_slice(&body);
        Ok(Some(journal.append(Kind::Rows as u8, body.len(), append)?))
    }

    /// Tells whether a block goes to segments at once.
    pub(crate) fn goes_to_segments(&self, block: &Block) -> bool {
        self.durable().is_some_and(|durable| {
            DIRECT_BYTES.min(durable.ledger.store.seal_bytes) <= block.bytes()
        })
    }

    /// Writes blocks to segments, which nobody reads until all are taken into the log; readers go on meanwhile.
    pub(crate) fn take_to_segments(
        &self,
        blocks: &[Arc<Block>],
    ) -> Result<(Lsn, MutexGuard<'_, State>), EngineError> {
        let durable = self.durable().expect("a stream on a store");
        let Durable { ledger, folder, .. } = durable;
        let (disk, compression) = (&*ledger.store.disk, ledger.store.compression);
        let sealed = generation::seal(disk, folder, blocks, compression, self.threads());
        let generation = ledger.poisoned_by(sealed)?;
        let entry = SealedEntry { stream: durable.id, generation };
        // Segments that are not taken in are nobody's.
        let taken_in =
            self.state().and_then(|state| Ok((ledger.append(Kind::Sealed, &entry)?, state)));
        let refused = taken_in.inspect_err(|_| {
            generation::remove(disk, folder, &entry.generation.segments);
        });
        let (lsn, mut state) = refused?;
        state.log.install(durable.generation(entry.generation));
        Ok((lsn, state))
    }

    /// Waits until what was logged is as stable as the engine promises, shows records below `end`, and seals where there
    /// is enough.
    pub(crate) fn acknowledge(&self, logged: Option<Lsn>, end: Cut) -> Result<(), EngineError> {
        let (Some(durable), Some(lsn)) = (self.durable(), logged) else { return Ok(()) };
        durable.ledger.wait(lsn)?;
        let mut state = self.state()?;
        if durable.ledger.hides() {
            state.log.show(end);
        }
        let seal_bytes = durable.ledger.seal_bytes(state.map.births().len());
        let resident_bytes = state.log.resident_bytes();
        drop(state);
        durable.is_behind.store(2 * seal_bytes <= resident_bytes, Ordering::Relaxed);
        if seal_bytes <= resident_bytes
            && let Some(sealing) = durable.sealing.try_lock()
        {
            // What was put is stable in the journal: where sealing fails it is tried again before much more comes.
            let _later = self.seal_all(sealing);
        }
        Ok(())
    }

    /// Seals what is in memory.
    ///
    /// # Errors
    ///
    /// The disk is full or fails; the records stay in memory and in the journal.
    pub(crate) fn seal(&self) -> Result<(), EngineError> {
        let Some(durable) = self.durable() else { return Ok(()) };
        self.seal_all(durable.sealing.lock())
    }

    fn seal_all(&self, _sealing: MutexGuard<'_, ()>) -> Result<(), EngineError> {
        let durable = self.durable().expect("a stream on a store");
        // What comes meanwhile is for the next time.
        let end = self.state()?.log.end().0;
        loop {
            let blocks = self.state()?.log.resident_run();
            if blocks.first().is_none_or(|first| end <= first.first_index()) {
                break;
            }
            drop(self.take_to_segments(&blocks)?);
        }
        durable.is_behind.store(false, Ordering::Relaxed);
        if durable.ledger.is_checkpoint_due() {
            durable.ledger.checkpoint(false)?;
        }
        Ok(())
    }

    /// Lets go of segments whose records are forgotten.
    pub(crate) fn sweep(&self, state: &mut State) {
        let forgotten = state.log.take_forgotten();
        let Some(durable) = self.durable().filter(|_| !forgotten.is_empty()) else { return };
        if durable.ledger.store.read_only {
            return;
        }
        let entry = TrimmedEntry {
            stream: durable.id,
            horizon_index: state.log.horizon().0,
            horizon: state.kept.horizon,
        };
        // Where the journal takes nothing any more the files stay, and go when the store is opened next.
        if let Ok(lsn) = durable.ledger.append(Kind::Trimmed, &entry) {
            let paths = forgotten.iter().flat_map(|generation| generation.paths()).collect();
            durable.ledger.doom(lsn, paths, false);
        }
        durable.ledger.purge();
    }

    /// What a checkpoint says of the stream: up to where in the journal, what, and where its records begin that the
    /// journal alone has.
    pub(crate) fn said(&self) -> Option<(Lsn, StreamEntry, Option<Lsn>)> {
        let durable = self.durable()?;
        // Whatever it is at: one that is gone was taken off the list when that was written down.
        let mut state = self.lock();
        let log = Some(state.log_entry());
        let entry = self.entry(durable.id, state.kept.clone(), log);
        let (first, end) = (state.log.first_resident(), state.log.end().0);
        let oldest = if first < end { durable.marked(first) } else { None };
        Some((durable.ledger.journal().end(), entry, oldest))
    }

    /// Takes records in that were written down before.
    pub(crate) fn replay_records(&self, mut records: Records<'_>) -> Result<(), EntryError> {
        let mut state = self.lock();
        let mut index = records.first_index;
        while let Some(put) = records.next()? {
            state.log.reach(index);
            if state.log.end().0 <= index {
                let shard = state.kept.shards.get(put.shard.0 as usize);
                let birth = shard.ok_or(EntryError::Strange("it names an unknown shard"))?.birth;
                let arrival = state.log.arrival(records.arrival);
                state.log.skip_to(index);
                state.log.push(arrival, birth, put.key, put.data);
            }
            index += 1;
        }
        drop(state);
        self.bell().ring();
        Ok(())
    }

    /// Takes a table in that was written down before.
    pub(crate) fn replay_block(&self, frame: &BlockFrame<'_>) -> Result<(), EntryError> {
        let mut state = self.lock();
        state.log.reach(frame.first_index);
        let block = frame.block(&state.kept.shards)?;
        // Its first rows may be forgotten by now, or sealed.
        let known = block.row_of(state.log.end().0);
        if known < block.len() {
            state.log.append(if known == 0 { block } else { block.part(known..block.len()) });
        }
        drop(state);
        self.bell().ring();
        Ok(())
    }

    /// The store's refusals of what a reader asks for.
    pub(crate) fn check_store(&self) -> Result<(), StoreError> {
        self.durable().map_or(Ok(()), |durable| durable.ledger.check_reads())
    }
}
