//! What is taken in and where it goes: frames in memory, the file they are written to, and the files before it.

use std::io;
use std::mem;
use std::sync::Arc;

use super::JournalOptions;
use super::ReadEnd;
use super::file;
use super::file::LogFile;
use super::file::StoreId;
use super::file::Syncer;
use super::seen::Seen;
use crate::store::Durability;
use crate::store::disk::Disk;
use crate::store::disk::DiskFile;
use crate::store::error::StoreError;
use crate::store::frame;
use crate::store::frame::Lsn;

/// How much is kept in memory before it is written though nobody waits for it.
const PENDING_MOST: usize = 1 << 20;

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It changed nothing, and may be tried again.
    Harmless(StoreError),
    /// What is on the disk is not known any more.
    Poisons(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } => Self::Harmless(error),
            _ => Self::Poisons(error),
        }
    }
}

/// The writing end of the journal.
#[derive(Debug)]
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    store_id: StoreId,
    options: JournalOptions,
    file: LogFile,
    /// Files before it that are kept: where each begins, and how long it is.
    older: Vec<(Lsn, u64)>,
    seen: Seen,
    /// Frames that are not written yet, up to `end`.
    pending: Vec<u8>,
    pending_at: Lsn,
    /// Memory for the next ones.
    spare: Vec<u8>,
    end: Lsn,
    synced: Lsn,
}

/// Frames on their way to the disk, with what makes them stable.
#[derive(Debug)]
pub(super) struct Batch {
    frames: Vec<u8>,
    offset: u64,
    path: String,
    /// Where they end.
    pub(super) end: Lsn,
}

impl Batch {
    /// Writes the frames, and makes all that is written to their file stable.
    pub(super) fn make_stable(&self, file: &mut dyn DiskFile) -> Result<(), StoreError> {
        if !self.frames.is_empty() {
            let written = file.write_at(self.offset, &self.frames);
            written.map_err(|error| StoreError::io("cannot write", &self.path, error))?;
        }
        // Before those who wait are told that their frames will be there after a crash.
        file.sync().map_err(|error| StoreError::io("cannot sync", &self.path, error))
    }
}

impl Writer {
    /// Begins a journal with a file at `start`.
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        store_id: StoreId,
        start: Lsn,
        options: JournalOptions,
    ) -> Result<Self, StoreError> {
        let made = disk.create_folder(file::FOLDER);
        made.map_err(|error| StoreError::io("cannot create", file::FOLDER, error))?;
        // The journal's own name: its files are lost with it.
        disk.sync_folder("").map_err(|error| StoreError::io("cannot sync", "the store", error))?;
        let file = LogFile::create(&*disk, store_id, start, options.file_bytes)?;
        Self::new(disk, store_id, options, file, start)
    }

    /// Goes on where reading ended.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        store_id: StoreId,
        end: ReadEnd,
        options: JournalOptions,
    ) -> Result<Self, StoreError> {
        let Some(start) = end.file else { return Self::create(disk, store_id, end.at, options) };
        for later in file::list(&*disk)?.into_iter().filter(|later| start < *later) {
            let path = file::path(later);
            disk.remove(&path).map_err(|error| StoreError::io("cannot remove", &path, error))?;
        }
        // Both ways: a file without a first frame must not come back behind the one that goes on, and the name of that one
        // may not be stable yet, if whoever made it was killed.
        for folder in ["", file::FOLDER] {
            let synced = disk.sync_folder(folder);
            synced.map_err(|error| StoreError::io("cannot sync", file::FOLDER, error))?;
        }
        let unstable = end.stable..end.at;
        let file = LogFile::open(&*disk, store_id, start, unstable, options.file_bytes)?;
        let mut opened = Self::new(disk, store_id, options, file, end.at)?;
        opened.older = opened.files_before(start)?;
        Ok(opened)
    }

    fn new(
        disk: Arc<dyn Disk>,
        store_id: StoreId,
        options: JournalOptions,
        file: LogFile,
        end: Lsn,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            seen: Seen::begin(&*disk, end)?,
            disk,
            store_id,
            options,
            file,
            older: Vec::new(),
            pending: Vec::new(),
            pending_at: end,
            spare: Vec::new(),
            end,
            synced: end,
        })
    }

    fn files_before(&self, start: Lsn) -> Result<Vec<(Lsn, u64)>, StoreError> {
        let mut starts = file::list(&*self.disk)?;
        starts.retain(|older| *older < start);
        let sized = starts.into_iter().map(|start| {
            let path = file::path(start);
            let len = self.disk.len(&path);
            Ok((start, len.map_err(|error| StoreError::io("cannot read", &path, error))?))
        });
        sized.collect()
    }

    /// Where the last frame ends.
    pub(super) fn end(&self) -> Lsn {
        self.end
    }

    /// Up to where everything is stable.
    pub(super) fn synced(&self) -> Lsn {
        self.synced
    }

    /// How long all files are.
    pub(super) fn len(&self) -> u64 {
        self.older.iter().map(|(_, len)| len).sum::<u64>() + self.file.room
    }

    /// Takes a frame in and returns where it ends.
    pub(super) fn append(
        &mut self,
        kind: u8,
        body_len_hint: usize,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Lsn, Refusal> {
        if self.options.file_bytes <= self.end.since(self.file.start) {
            self.begin_file()?;
        }
        // Else, what a body wrote that panicked would stand before this frame.
        let pending = usize::try_from(self.end.since(self.pending_at)).unwrap_or(usize::MAX);
        self.pending.truncate(pending);
        self.pending.reserve(frame::HEADER_LEN + body_len_hint);
        let end = frame::encode(&mut self.pending, self.end, kind, self.synced, body);
        let end = end.ok_or_else(|| self.too_long())?;
        if let Err(error) = self.file.make_room(end) {
            self.pending.truncate(pending);
            return Err(error.into());
        }
        self.end = end;
        let is_kept = self.options.durability == Durability::Commit;
        if !is_kept || PENDING_MOST <= self.pending.len() {
            self.write_pending()?;
        }
        if !is_kept {
            self.seen.publish(end);
        }
        Ok(end)
    }

    fn too_long(&self) -> Refusal {
        let error = io::Error::from(io::ErrorKind::InvalidInput);
        let action = "cannot take a frame of more than 256 MiB into";
        Refusal::Harmless(StoreError::io(action, &self.file.path, error))
    }

    fn write_pending(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.file.write_frames(self.pending_at, &self.pending)?;
        self.pending.clear();
        self.pending.shrink_to(2 * PENDING_MOST);
        self.pending_at = self.end;
        Ok(())
    }

    /// Ends the file with the last frame, and begins the next one; nothing happens in a file without frames.
    pub(super) fn begin_file(&mut self) -> Result<(), Refusal> {
        if self.end == self.file.start {
            return Ok(());
        }
        // Whoever makes a batch stable has it: that batch is in the file before its end is made stable.
        let syncer = Arc::clone(&self.file.syncer);
        let mut syncer = syncer.lock();
        self.write_pending()?;
        self.file.cut(self.end)?;
        // Before there is a next file: that there is one says that this one is whole.
        syncer.sync().map_err(|error| StoreError::io("cannot sync", &self.file.path, error))?;
        drop(syncer);
        self.is_stable_up_to(self.end);
        let next = LogFile::create(&*self.disk, self.store_id, self.end, self.options.file_bytes)?;
        let ended = mem::replace(&mut self.file, next);
        self.older.push((ended.start, ended.room));
        Ok(())
    }

    /// Hands over what is not written yet; it must be written before the syncer is let go of.
    pub(super) fn take(&mut self) -> (Batch, Syncer) {
        let frames = mem::replace(&mut self.pending, mem::take(&mut self.spare));
        let offset = file::offset(self.file.start, self.pending_at);
        self.pending_at = self.end;
        let batch = Batch { frames, offset, path: self.file.path.clone(), end: self.end };
        (batch, Arc::clone(&self.file.syncer))
    }

    /// Takes a batch back that is stable now.
    pub(super) fn is_stable(&mut self, batch: Batch) {
        self.is_stable_up_to(batch.end);
        self.spare = batch.frames;
        self.spare.clear();
        self.spare.shrink_to(2 * PENDING_MOST);
    }

    fn is_stable_up_to(&mut self, end: Lsn) {
        // A file that ended meanwhile was made stable after the batch was taken.
        self.synced = self.synced.max(end);
        if self.options.durability == Durability::Commit {
            self.seen.publish(self.synced);
        }
    }

    /// Returns which files lie wholly before `lsn`.
    pub(super) fn files_behind(&self, lsn: Lsn) -> Vec<Lsn> {
        let ends = self.older.iter().skip(1).map(|(start, _)| *start).chain([self.file.start]);
        let with_ends = self.older.iter().zip(ends);
        with_ends.filter(|(_, end)| *end <= lsn).map(|((start, _), _)| *start).collect()
    }

    /// Counts a file no more.
    pub(super) fn is_forgotten(&mut self, start: Lsn) {
        self.older.retain(|(older, _)| *older != start);
    }
}
