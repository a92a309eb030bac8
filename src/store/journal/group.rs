//! Group commit: of all who wait for their frames, one makes those of all stable, while the next ones come in.

use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use parking_lot::MutexGuard;

use super::writer::Refusal;
use super::writer::Writer;
use crate::clock::Bell;
use crate::store::error::StoreError;
use crate::store::frame::Lsn;

/// Longer than anybody waits for a sync; who waits is woken by its end.
const LONG: Duration = Duration::from_secs(3600);

/// The writer, shared by threads.
#[derive(Debug)]
pub(super) struct Group {
    state: Mutex<State>,
    /// Rings after each sync.
    synced: Bell,
}

#[derive(Debug)]
struct State {
    writer: Writer,
    /// Whether somebody is making frames stable.
    is_led: bool,
    /// How many wait for that.
    waiting: usize,
    /// Whether anybody waited for the last sync.
    was_shared: bool,
    /// What failed, if a write or a sync did.
    poison: Option<String>,
    /// Whether nothing is taken in any more.
    is_over: bool,
}

impl State {
    fn check(&self) -> Result<(), StoreError> {
        self.poison.clone().map_or(Ok(()), |cause| Err(StoreError::Poisoned { cause }))
    }

    /// Remembers the first failure: the disk may not hold what was written, and a sync that is tried again would say that it
    /// does.
    fn poison(&mut self, error: &StoreError) -> StoreError {
        let cause = self.poison.get_or_insert_with(|| error.to_string()).clone();
        StoreError::Poisoned { cause }
    }
}

impl Group {
    /// Shares a writer.
    pub(super) fn new(writer: Writer) -> Self {
        let (is_led, was_shared, is_over) = (false, false, false);
        let state = State { writer, is_led, waiting: 0, was_shared, poison: None, is_over };
        Self { state: Mutex::new(state), synced: Bell::default() }
    }

    /// Does something to the writer, unless a write has failed; one that fails now poisons.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, Refusal>,
    ) -> Result<T, StoreError> {
        let mut state = self.state.lock();
        state.check()?;
        if state.is_over {
            return Err(StoreError::Closed);
        }
        work(&mut state.writer).map_err(|refusal| match refusal {
            Refusal::Harmless(error) => error,
            Refusal::Poisons(error) => state.poison(&error),
        })
    }

    /// Looks at the writer.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Writer) -> T) -> T {
        look(&mut self.state.lock().writer)
    }

    /// Fails if a write or sync has failed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.state.lock().check()
    }

    /// Returns once everything before `lsn` is stable.
    pub(super) fn make_stable(&self, lsn: Lsn) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let lsn = lsn.min(state.writer.end());
        let mut has_yielded = false;
        loop {
            if lsn <= state.writer.synced() {
                return Ok(());
            }
            state.check()?;
            if !state.is_led {
                if state.was_shared && !has_yielded {
                    // Those whom the last sync let go come back with their next frames: a sync for one of them would keep the
                    // others waiting. Eight threads share each sync by it, which else are four and four.
                    has_yielded = true;
                    MutexGuard::unlocked(&mut state, thread::yield_now);
                } else {
                    state = self.lead(state);
                }
                continue;
            }
            state.waiting += 1;
            let rings = self.synced.rings();
            MutexGuard::unlocked(&mut state, || self.synced.wait(rings, LONG));
            state.waiting -= 1;
        }
    }

    /// Takes nothing in any more, and makes stable what was taken in.
    pub(super) fn end(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.is_over = true;
        let end = state.writer.end();
        drop(state);
        self.make_stable(end)
    }

    /// Makes all that was taken in stable. Frames are taken in meanwhile: they are the next batch.
    fn lead<'s>(&'s self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        state.is_led = true;
        let (batch, syncer) = state.writer.take();
        // Taken while nobody can end the file: the batch belongs into this one.
        let mut file = syncer.lock();
        drop(state);
        let stable = batch.make_stable(&mut *file);
        drop(file);
        let mut state = self.state.lock();
        state.is_led = false;
        state.was_shared = 0 < state.waiting;
        match stable {
            Ok(()) => state.writer.is_stable(batch),
            Err(error) => drop(state.poison(&error)),
        }
        self.synced.ring();
        state
    }
}
