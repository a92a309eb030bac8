//! Checkpoints of an engine: all that the journal said so far besides records in memory, so that the journal need not be
//! kept for ever.

use serde::Deserialize;
use serde::Serialize;

use crate::engine::ledger::Ledger;
use crate::engine::ledger::entry::AccountEntry;
use crate::engine::ledger::entry::StreamEntry;
use crate::store::Disk;
use crate::store::Durability;
use crate::store::Lsn;
use crate::store::StoreError;
use crate::store::checkpoint;

/// All that the journal said so far, besides records in memory.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Checkpoint {
    /// What tells the store from others, in hex digits.
    pub(crate) store: String,
    /// Which program wrote it.
    pub(crate) written_by: String,
    /// Whether the engine was closed, and nothing follows.
    pub(crate) is_closed: bool,
    /// Whether all that was acknowledged was stable.
    pub(crate) is_commit: bool,
    /// The account and region that the engine was made with.
    pub(crate) account: String,
    pub(crate) region: String,
    /// Frames before it say nothing that is not said here, records apart.
    pub(crate) began: u64,
    /// Frames before it say nothing that is not said here.
    pub(crate) replay_from: u64,
    /// The number of the next stream.
    pub(crate) next_stream: u64,
    /// How many times something may have been lost that somebody saw.
    #[serde(default)]
    pub(crate) losses: u64,
    pub(crate) accounts: Vec<AsOf<AccountEntry>>,
    pub(crate) streams: Vec<AsOf<StreamEntry>>,
}

impl Checkpoint {
    /// What the store was made with.
    pub(crate) fn home(&self) -> Home {
        Home { account: self.account.clone(), region: self.region.clone() }
    }
}

/// Something as the journal before a place said it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AsOf<T> {
    pub(crate) as_of: u64,
    pub(crate) entry: T,
}

/// What the store's first engine was made with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Home {
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
}

/// Reads the checkpoint of a store, if it has one.
pub(crate) fn read(disk: &dyn Disk) -> Result<Option<Checkpoint>, StoreError> {
    let Some(body) = checkpoint::read(disk)? else { return Ok(None) };
    let parsed = serde_json::from_slice(&body);
    parsed.map(Some).map_err(|error| {
        StoreError::damaged(checkpoint::CHECKPOINT, 0, format!("it says nothing known: {error}"))
    })
}

/// Reads the checkpoint of a store, or its copy where it cannot be read, which is told.
pub(crate) fn read_either(
    disk: &dyn Disk,
    told: &mut dyn FnMut(&str, &StoreError),
) -> Result<Checkpoint, StoreError> {
    let missing = || {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        StoreError::io("cannot read", checkpoint::CHECKPOINT, error)
    };
    let refused = match read(disk) {
        Ok(Some(said)) => return Ok(said),
        Ok(None) => missing(),
        Err(error @ StoreError::TooNew { .. }) => return Err(error),
        Err(error) => error,
    };
    let copy = checkpoint::read_copy(disk)?.and_then(|body| serde_json::from_slice(&body).ok());
    let said = copy.ok_or_else(|| refused.clone())?;
    told(checkpoint::CHECKPOINT, &refused);
    Ok(said)
}

pub(crate) fn write(disk: &dyn Disk, said: &Checkpoint) -> Result<(), StoreError> {
    let body = serde_json::to_vec(said).expect("checkpoints have a JSON form");
    checkpoint::write(disk, &body)
}

impl Ledger {
    /// Writes a checkpoint, and lets go of the journal before it.
    pub(crate) fn checkpoint(&self, is_closed: bool) -> Result<(), StoreError> {
        // One at a time: the later one says more.
        let mut last = self.checkpointed.lock();
        if last.is_over {
            return Ok(());
        }
        let said = self.said(is_closed);
        // What it says must not be ahead of the journal, whose places are given out again where it ends early.
        self.journal().sync()?;
        write(&*self.store.disk, &said)?;
        self.journal().forget(Lsn(said.replay_from))?;
        last.at = Lsn(said.began);
        drop(last);
        self.purge();
        Ok(())
    }

    /// Writes a checkpoint of a store that has no journal to speak of.
    pub(crate) fn say(
        &self,
        accounts: Vec<AsOf<AccountEntry>>,
        streams: Vec<AsOf<StreamEntry>>,
        is_closed: bool,
    ) -> Result<(), StoreError> {
        let end = self.journal().end();
        write(&*self.store.disk, &self.saying(end, end, is_closed, accounts, streams))
    }

    fn said(&self, is_closed: bool) -> Checkpoint {
        let (began, streams) = self.streams_as_of();
        let mut replay_from = began;
        let accounts = self.accounts().into_iter().map(|account| {
            let kept = account.kept();
            let as_of = self.journal().end().0;
            AsOf { as_of, entry: account.entry(kept.clone()) }
        });
        let accounts = accounts.collect();
        let streams = streams.into_iter().filter_map(|stream| {
            let (as_of, entry, oldest) = stream.said()?;
            replay_from = replay_from.min(oldest.unwrap_or(began));
            Some(AsOf { as_of: as_of.0, entry })
        });
        let streams = streams.collect();
        self.saying(began, replay_from, is_closed, accounts, streams)
    }

    fn saying(
        &self,
        began: Lsn,
        replay_from: Lsn,
        is_closed: bool,
        accounts: Vec<AsOf<AccountEntry>>,
        streams: Vec<AsOf<StreamEntry>>,
    ) -> Checkpoint {
        Checkpoint {
            store: hex(&self.id),
            written_by: format!("shardstream {}", env!("CARGO_PKG_VERSION")),
            is_closed,
            is_commit: self.store.durability == Durability::Commit,
            account: self.home.account.clone(),
            region: self.home.region.clone(),
            began: began.0,
            replay_from: replay_from.0,
            next_stream: self.next_stream(),
            losses: self.losses(),
            accounts,
            streams,
        }
    }
}

pub(crate) fn hex(id: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

pub(crate) fn unhex(text: &str) -> Option<[u8; 16]> {
    let id = u128::from_str_radix(text, 16).ok()?;
    Some(id.to_be_bytes())
}
