//! The journal: frames in the order in which they were taken in, on stable storage before that is said of them.
//!
//! It is one sequence of frames without an end, cut into files. A place in it, an [`Lsn`], counts the bytes of frames before
//! it; headers and zeros do not count, so that each frame begins where the one before it ends, in whichever file.
//!
//! ```text
//! @journal/00000000000000000000.log   header | frame | frame | frame
//! @journal/00000000000067108911.log   header | frame | frame | zeros
//! @journal/seen                       up to where other processes may read
//! ```
//!
//! What always holds:
//!
//! 1. A file is stable, up to its last frame, before the next one has a name. So only the last file may be torn, and a file
//!    that stops before the next one begins is damaged.
//! 2. A file's header and name are stable before its first frame is taken in. So a header that is not whole in a file
//!    with frames is damage, and in a last file without frames it is none.
//! 3. Each frame says up to where everything was stable when it was taken in. So a place that cannot be read is damage if a
//!    whole frame behind it says that it was stable, and else the torn end of what was never acknowledged.
//! 4. A write or a sync that failed is the last one. Another sync could succeed without having written what the first one
//!    lost.
//! 5. Before frames are written behind an end that was found, everything before it is stable and nothing is behind it.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use self::group::Group;
use self::ticker::Ticker;
use self::writer::Writer;
use crate::store::Durability;
use crate::store::disk::Disk;
use crate::store::error::StoreError;

pub use self::file::StoreId;
pub use self::reader::Followed;
pub use self::reader::ReadEnd;
pub use self::reader::Told;
pub use self::reader::follow;
pub use self::reader::read;
pub use self::salvage::Damage;
pub use self::salvage::salvage;
pub use self::seen::published;
pub use crate::store::frame::Frame;
pub use crate::store::frame::Lsn;

mod cursor;
mod file;
mod group;
mod reader;
mod salvage;
mod seen;
mod ticker;
mod writer;

#[cfg(test)]
mod tests;

/// How a journal is kept.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// When what was appended is on stable storage.
    pub durability: Durability,
    /// A file with so many bytes of frames is followed by the next one.
    pub file_bytes: u64,
}

impl From<Durability> for JournalOptions {
    fn from(durability: Durability) -> Self {
        Self { durability, file_bytes: 64 << 20 }
    }
}

/// A journal that is written, by as many threads as like.
///
/// Dropped, it makes stable what was taken in, in every mode; in a process that was forked off it does nothing.
#[derive(Debug)]
pub struct Journal {
    group: Arc<Group>,
    disk: Arc<dyn Disk>,
    durability: Durability,
    ticker: Mutex<Option<Ticker>>,
    /// The process that opened it.
    opener: u32,
    is_abandoned: AtomicBool,
}

impl Journal {
    /// Begins a journal in a store that has none.
    pub fn create(
        disk: Arc<dyn Disk>,
        store_id: StoreId,
        options: impl Into<JournalOptions>,
    ) -> Result<Self, StoreError> {
        let options = options.into();
        let writer = Writer::create(Arc::clone(&disk), store_id, Lsn(0), options)?;
        Self::new(disk, writer, options)
    }

    /// Goes on where reading ended. What lies behind that was never acknowledged; it is taken away, so that no frame of it is
    /// ever taken for a later one.
    pub fn open(
        disk: Arc<dyn Disk>,
        store_id: StoreId,
        end: ReadEnd,
        options: impl Into<JournalOptions>,
    ) -> Result<Self, StoreError> {
        let options = options.into();
        let writer = Writer::open(Arc::clone(&disk), store_id, end, options)?;
        Self::new(disk, writer, options)
    }

    fn new(
        disk: Arc<dyn Disk>,
        writer: Writer,
        options: JournalOptions,
    ) -> Result<Self, StoreError> {
        let durability = options.durability;
        let group = Arc::new(Group::new(writer));
        let ticker = match durability {
            Durability::Interval => Some(Ticker::begin(Arc::clone(&group))),
            Durability::Commit | Durability::None => None,
        };
        let failed =
            |error: io::Error| StoreError::io("cannot begin a thread for", "@journal", error);
        let ticker = ticker.transpose().map_err(failed)?;
        let (opener, is_abandoned) = (process::id(), AtomicBool::new(false));
        let ticker = Mutex::new(ticker);
        Ok(Self { group, disk, durability, ticker, opener, is_abandoned })
    }

    /// Takes a frame in, behind all that were taken in before, and returns where it ends. `body` writes behind what is in the
    /// vector.
    ///
    /// With `Commit` it is kept in memory until somebody waits for it, or much has come together; else it is written at once,
    /// so that it outlives this process.
    ///
    /// # Errors
    ///
    /// A full disk or a body of more than 256 MiB: nothing was taken in, and the journal goes on. A write that failed: the
    /// journal takes nothing any more.
    pub fn append(
        &self,
        kind: u8,
        body_len_hint: usize,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Lsn, StoreError> {
        let (end, was_stable) = self.group.write(|writer| {
            let was_stable = writer.end() == writer.synced();
            Ok((writer.append(kind, body_len_hint, body)?, was_stable))
        })?;
        if was_stable
            && self.durability == Durability::Interval
            && let Some(ticker) = &*self.ticker.lock()
        {
            ticker.wake();
        }
        Ok(end)
    }

    /// Returns once everything before `lsn` is as durable as this journal promises: stable with `Commit`, and at once else.
    ///
    /// # Errors
    ///
    /// A write or sync that failed, now or before.
    pub fn wait(&self, lsn: Lsn) -> Result<(), StoreError> {
        match self.durability {
            Durability::Commit => self.group.make_stable(lsn),
            Durability::Interval | Durability::None => self.group.check(),
        }
    }

    /// Makes everything stable that was taken in, and returns where that ends.
    pub fn sync(&self) -> Result<Lsn, StoreError> {
        let end = self.end();
        self.group.make_stable(end)?;
        Ok(end)
    }

    /// Where the last frame ends that was taken in.
    pub fn end(&self) -> Lsn {
        self.group.look(|writer| writer.end())
    }

    /// Up to where everything is stable.
    pub fn synced(&self) -> Lsn {
        self.group.look(|writer| writer.synced())
    }

    /// How many bytes all files of the journal have, room ahead counted.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty: a file has a header")]
    pub fn len(&self) -> u64 {
        self.group.look(|writer| writer.len())
    }

    /// Makes everything stable and begins a new file, so that the files before it change no more; returns where it begins.
    pub fn begin_file(&self) -> Result<Lsn, StoreError> {
        self.group.write(|writer| {
            writer.begin_file()?;
            Ok(writer.end())
        })
    }

    /// Removes the files that lie wholly before `lsn`, never the one that is written. Not synced: a file that a crash brings
    /// back lies before what is read, and the next call removes it.
    pub fn forget(&self, lsn: Lsn) -> Result<(), StoreError> {
        for start in self.group.look(|writer| writer.files_behind(lsn)) {
            let path = file::path(start);
            match self.disk.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("cannot remove", &path, error));
                }
                _ => self.group.look(|writer| writer.is_forgotten(start)),
            }
        }
        Ok(())
    }

    /// Returns what the journal answers since a write or sync failed, if one did.
    pub fn poison(&self) -> Option<StoreError> {
        self.group.check().err()
    }

    /// Takes nothing in any more, and makes stable what was taken in: from then on another process may write.
    ///
    /// # Errors
    ///
    /// A write or sync that failed, now or before.
    pub fn finish(&self) -> Result<(), StoreError> {
        let ended = self.group.end();
        drop(self.ticker.lock().take());
        ended
    }

    /// Lets it be dropped without a word: for a process that was forked off, where its thread is not and its locks may be held
    /// for ever.
    pub fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.is_abandoned.load(Ordering::SeqCst) || self.opener != process::id() {
            if let Some(ticker) = self.ticker.get_mut() {
                ticker.forget();
            }
            return;
        }
        drop(self.ticker.get_mut().take());
        // Whatever was promised, a clean end loses nothing. Nobody is left who could be told that it failed.
        drop(self.sync());
    }
}
