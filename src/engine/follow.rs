//! An engine that reads what another process writes: before each look at the time it takes in what came since the last.

use std::collections::BTreeSet;

use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ledger::Ledger;
use crate::engine::ledger::checkpoint;
use crate::store::Lsn;
use crate::store::StoreError;
use crate::store::journal;
use crate::store::journal::Followed;

/// How far a reader has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Following {
    /// Everything before it was told.
    pub(crate) at: Lsn,
    /// Where the journal stood when the checkpoint began that was read.
    pub(crate) began: Lsn,
}

impl Engine {
    /// Takes in what the writer published since the last time; what cannot be read is told by the next call that asks for
    /// anything.
    pub(crate) fn catch_up(&self, ledger: &Ledger) {
        // Somebody else is at it.
        let Some(mut following) = ledger.following.try_lock() else { return };
        let before = following.at;
        let caught_up = self.take_in(ledger, &mut following);
        if before != following.at {
            ledger.streams().iter().for_each(|stream| stream.end_follow());
        }
        *ledger.unreadable.lock() = caught_up.err();
    }

    fn take_in(&self, ledger: &Ledger, following: &mut Following) -> Result<(), StoreError> {
        let disk = &*ledger.store.disk;
        while let Some(until) = journal::published(disk).filter(|until| following.at < *until) {
            let began = following.began;
            let told = &mut |frame: journal::Frame| self.replay(ledger, began, &frame);
            match journal::follow(disk, ledger.id, following.at, until, told)? {
                // Published, but not there: a power loss took what was not stable, and nobody has written since.
                Followed::UpTo(at) if at == following.at => break,
                Followed::UpTo(at) => following.at = at,
                Followed::Forgotten { .. } => self.begin_again(ledger, following)?,
            }
        }
        Ok(())
    }

    /// Takes the writer's newest checkpoint for everything, where the journal before it is gone.
    fn begin_again(&self, ledger: &Ledger, following: &mut Following) -> Result<(), StoreError> {
        let missing = || StoreError::damaged("@checkpoint", 0, "it is missing");
        let said = checkpoint::read(&*ledger.store.disk)?.ok_or_else(missing)?;
        let there: BTreeSet<u64> = said.streams.iter().map(|stream| stream.entry.id).collect();
        for stream in ledger.streams() {
            let is_there = stream.durable().is_some_and(|durable| there.contains(&durable.id));
            if !is_there
                && let Some(account) = self.known_account(stream.account(), stream.region())
            {
                account.let_go(&stream);
            }
        }
        (following.at, following.began) = (Lsn(said.replay_from), Lsn(said.began));
        self.load(said)
    }

    /// Opens what another process may be writing: as far as that is published, or to the end where nobody writes.
    pub(crate) fn begin_to_follow(
        &self,
        ledger: &Ledger,
        replay_from: Lsn,
        began: Lsn,
    ) -> Result<(), EngineError> {
        let disk = &*ledger.store.disk;
        let mut following = Following { at: replay_from, began };
        if journal::published(disk).is_some_and(|until| began <= until) {
            self.take_in(ledger, &mut following)?;
        } else {
            let told = &mut |frame: journal::Frame| self.replay(ledger, began, &frame);
            following.at = journal::read(disk, ledger.id, replay_from, told)?.at;
        }
        // Though nothing came after the checkpoint: what it tells of must take its place.
        ledger.streams().iter().for_each(|stream| stream.end_follow());
        *ledger.following.lock() = following;
        Ok(())
    }
}
