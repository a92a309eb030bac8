//! What can still be read of a damaged journal, and what cannot.

use super::cursor::Cursor;
use super::file;
use super::file::StoreId;
use super::reader::ReadEnd;
use super::reader::Told;
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::frame::Frame;
use crate::store::frame::Lsn;

/// Bytes that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// The file, within the store.
    pub path: String,
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
}

/// Reads every whole frame of the journal, in order, and returns what was skipped. A torn end is among that, though nothing
/// that was acknowledged was in it. Without a store's id, that of any store will do.
///
/// # Errors
///
/// A file of a newer version; a disk that cannot be read.
pub fn salvage(
    disk: &dyn Disk,
    store_id: Option<StoreId>,
    told: Told<'_>,
) -> Result<(Vec<Damage>, ReadEnd), StoreError> {
    let files = file::list(disk)?;
    let mut damages = Vec::new();
    let mut end = ReadEnd { at: Lsn(0), file: None, stable: Lsn(0) };
    for (place, start) in files.iter().copied().enumerate() {
        let next = files.get(place + 1).copied();
        match file::has_header(disk, store_id, start) {
            Ok(true) => {}
            Ok(false) => damages.push(damage(start, 0, file::HEADER_LEN)),
            // Its frames are another store's, or belong elsewhere.
            Err(StoreError::Damaged { .. }) => {
                let path = file::path(start);
                let len = disk.len(&path);
                let len = len.map_err(|error| StoreError::io("cannot read", &path, error))?;
                damages.push(damage(start, 0, len));
                continue;
            }
            Err(error) => return Err(error),
        }
        end.at = end.at.max(start);
        end.file = Some(start);
        let mut told = |frame: Frame| {
            end.at = frame.end;
            told(frame)
        };
        salvage_file(disk, start, next, &mut told, &mut damages)?;
    }
    Ok((damages, end))
}

fn damage(start: Lsn, offset: u64, bytes: u64) -> Damage {
    Damage { path: file::path(start), offset, bytes }
}

fn salvage_file(
    disk: &dyn Disk,
    start: Lsn,
    next: Option<Lsn>,
    told: Told<'_>,
    damages: &mut Vec<Damage>,
) -> Result<(), StoreError> {
    let mut cursor = Cursor::new(disk, start, start, next)?;
    loop {
        let stopped = cursor.offset();
        let Some((frame, _)) = cursor.first()? else {
            let bytes = lost(disk, start, stopped, next)?;
            damages.extend((0 < bytes).then(|| damage(start, stopped, bytes)));
            return Ok(());
        };
        let skipped = file::offset(start, frame.at) - stopped;
        damages.extend((0 < skipped).then(|| damage(start, stopped, skipped)));
        told(frame)?;
    }
}

/// Returns how many bytes are lost behind the last frame of a file, at `stopped`: all up to the next file; in the last one, up
/// to the last byte that is no zero.
fn lost(disk: &dyn Disk, start: Lsn, stopped: u64, next: Option<Lsn>) -> Result<u64, StoreError> {
    if let Some(next) = next {
        return Ok(file::offset(start, next).saturating_sub(stopped));
    }
    let mut cursor = Cursor::new(disk, start, start.plus(stopped - file::HEADER_LEN), None)?;
    let mut end = stopped;
    while cursor.skip_zeros()? {
        end = cursor.skip_others()?;
    }
    Ok(end - stopped)
}
