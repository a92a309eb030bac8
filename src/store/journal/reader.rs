//! Reading: by the process that recovers, up to the end, and by those that follow the one that writes.

use std::io;

use super::cursor::Cursor;
use super::file;
use super::file::StoreId;
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::frame::Frame;
use crate::store::frame::Lsn;

/// Where reading ended, and writing may go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadEnd {
    /// Behind the last frame.
    pub at: Lsn,
    /// Where the file begins that is to be written on; none if there is none yet.
    pub file: Option<Lsn>,
    /// Up to where the frames themselves say that they are stable.
    pub stable: Lsn,
}

/// How far a reader came that follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Followed {
    /// Frames were read up to here.
    UpTo(Lsn),
    /// Frames from where the reader stands were removed meanwhile: the oldest that are left begin here.
    Forgotten {
        /// Where they begin.
        oldest: Lsn,
    },
}

/// What is told of each frame; it may end the reading with an error.
pub type Told<'t> = &'t mut dyn FnMut(Frame) -> Result<(), StoreError>;

/// Reads the frames from `from` on, where one begins, in order, up to the end.
///
/// A torn end is no error: what lies behind the last whole frame was never acknowledged.
///
/// # Errors
///
/// Damage: a place that cannot be read, and was stable. All frames before it were told. Files that are not there, another
/// store's, or a newer version's.
pub fn read(
    disk: &dyn Disk,
    store_id: StoreId,
    from: Lsn,
    told: Told<'_>,
) -> Result<ReadEnd, StoreError> {
    let files = file::list(disk)?;
    if files.is_empty() && from == Lsn(0) {
        return Ok(ReadEnd { at: from, file: None, stable: from });
    }
    match files.first() {
        Some(oldest) if *oldest <= from => walk(disk, store_id, &files, from, None, told),
        _ => {
            let fault = format!("no file holds what begins at {from}");
            Err(StoreError::damaged(file::FOLDER, 0, fault))
        }
    }
}

/// Reads the frames from `from` up to `until`, which the process that writes has published.
///
/// # Errors
///
/// As [`read`].
pub fn follow(
    disk: &dyn Disk,
    store_id: StoreId,
    from: Lsn,
    until: Lsn,
    told: Told<'_>,
) -> Result<Followed, StoreError> {
    if until <= from {
        return Ok(Followed::UpTo(from));
    }
    let files = file::list(disk)?;
    if let Some(oldest) = forgotten(&files, from) {
        return Ok(Followed::Forgotten { oldest });
    }
    match walk(disk, store_id, &files, from, Some(until), told) {
        Ok(end) => Ok(Followed::UpTo(end.at)),
        // A file that was listed may be removed before it is read.
        Err(error) if is_missing(&error) => {
            let oldest = forgotten(&file::list(disk)?, from);
            oldest.map(|oldest| Followed::Forgotten { oldest }).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn forgotten(files: &[Lsn], from: Lsn) -> Option<Lsn> {
    files.first().copied().filter(|oldest| from < *oldest)
}

fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
}

/// Reads file after file, from the one that `from` lies in.
fn walk(
    disk: &dyn Disk,
    store_id: StoreId,
    files: &[Lsn],
    from: Lsn,
    until: Option<Lsn>,
    told: Told<'_>,
) -> Result<ReadEnd, StoreError> {
    let first = files.partition_point(|start| *start <= from).saturating_sub(1);
    // A file that ended at `from` is written on if the one that begins there has no header yet.
    let before = first.checked_sub(1).and_then(|before| files.get(before).copied());
    let mut end = ReadEnd { at: from, file: before, stable: from };
    for (place, start) in files.iter().copied().enumerate().skip(first) {
        if until.is_some_and(|until| until <= end.at) {
            return Ok(end);
        }
        let next = files.get(place + 1).copied();
        if !file::has_header(disk, Some(store_id), start)? {
            let may_be_new =
                next.is_none() && end.at == start && (end.file.is_some() || start == Lsn(0));
            if may_be_new && Cursor::new(disk, start, start, None)?.first()?.is_none() {
                return Ok(end);
            }
            return Err(StoreError::damaged(&file::path(start), 0, "the file has no header"));
        }
        let bound = next.into_iter().chain(until).min();
        let mut cursor = Cursor::new(disk, start, end.at, bound)?;
        while let Some((frame, synced)) = cursor.next()? {
            end.at = frame.end;
            end.stable = end.stable.max(synced);
            told(frame)?;
        }
        end.file = Some(start);
        check_end(disk, start, &end, next, until)?;
    }
    Ok(end)
}

/// Fails if what reading stopped at is damage.
fn check_end(
    disk: &dyn Disk,
    start: Lsn,
    end: &ReadEnd,
    next: Option<Lsn>,
    until: Option<Lsn>,
) -> Result<(), StoreError> {
    if next == Some(end.at) || until == Some(end.at) {
        return Ok(());
    }
    let mut cursor = Cursor::new(disk, start, end.at, None)?;
    let (path, offset) = (cursor.path().to_owned(), cursor.offset());
    if let Some(next) = next {
        let fault = format!("no whole frame is here, and the next file begins at {next}");
        return Err(StoreError::damaged(&path, offset, fault));
    }
    while let Some((frame, synced)) = cursor.first()? {
        if end.at < synced {
            // The process that writes may have come here meanwhile.
            if Cursor::new(disk, start, end.at, None)?.next()?.is_some() {
                return Ok(());
            }
            let fault = format!(
                "no whole frame is here, and the one at {} says that there was one",
                frame.at
            );
            return Err(StoreError::damaged(&path, offset, fault));
        }
    }
    Ok(())
}
