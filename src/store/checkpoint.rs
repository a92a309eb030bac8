//! A checkpoint: one file, replaced whole, that says what the journal before it came to.

use std::io;

use crate::store::Disk;
use crate::store::StoreError;

/// The file.
pub const CHECKPOINT: &str = "@checkpoint";
/// The same again, for the day when the first cannot be read.
pub const COPY: &str = "@checkpoint.copy";
/// Where the next one is made.
const NEXT: &str = "@checkpoint.tmp";
/// The newest version of the format that is known.
pub const VERSION: u32 = 1;
/// What the first line begins with.
const TITLE: &str = "shardstream checkpoint";

/// Replaces the checkpoint and its copy; both are stable when this returns.
pub fn write(disk: &dyn Disk, body: &[u8]) -> Result<(), StoreError> {
    write_as(disk, CHECKPOINT, body)?;
    write_as(disk, COPY, body)
}

fn write_as(disk: &dyn Disk, path: &str, body: &[u8]) -> Result<(), StoreError> {
    let refused = |error| StoreError::io("cannot write", path, error);
    let lacking = body.len() as u64;
    let no_room = |error: io::Error| StoreError::no_room(path, lacking, error);
    let mut bytes =
        format!("{TITLE} {VERSION} {:08x} {}\n", checksum(body), body.len()).into_bytes();
    bytes.extend_from_slice(body);
    let mut file = disk.create(NEXT).map_err(no_room)?;
    file.write_at(0, &bytes).map_err(no_room)?;
    // Before it takes the place of the one before: a name never stands for half a file.
    file.sync().map_err(refused)?;
    drop(file);
    disk.rename(NEXT, path).map_err(refused)?;
    // The journal before it is removed next: so it must be the one that is found.
    disk.sync_folder("").map_err(refused)
}

/// Reads the checkpoint, if there is one.
pub fn read(disk: &dyn Disk) -> Result<Option<Vec<u8>>, StoreError> {
    read_as(disk, CHECKPOINT)
}

/// Reads the checkpoint's copy, if there is one: what the checkpoint says, or the one before it.
pub fn read_copy(disk: &dyn Disk) -> Result<Option<Vec<u8>>, StoreError> {
    read_as(disk, COPY)
}

fn read_as(disk: &dyn Disk, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
    // Whole, by one look: another process may put the next one in its place at any time.
    match disk.read_at(path, 0, usize::MAX) {
        Ok(bytes) => parse(path, bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("cannot read", path, error)),
    }
}

/// Takes the first line off, and checks what it says of the rest.
pub fn parse(path: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let damaged = |offset: usize, fault: &str| StoreError::damaged(path, offset as u64, fault);
    let end = bytes.iter().take(128).position(|&byte| byte == b'\n');
    let end = end.ok_or_else(|| damaged(0, "it has no first line"))?;
    let line = std::str::from_utf8(&bytes[..end]).ok().and_then(|line| line.strip_prefix(TITLE));
    let mut words = line.ok_or_else(|| damaged(0, "it is no checkpoint"))?.split_ascii_whitespace();
    let version = words.next().and_then(|word| word.parse::<u32>().ok());
    let version = version.ok_or_else(|| damaged(0, "it has no version"))?;
    if VERSION < version {
        let path = path.to_owned();
        return Err(StoreError::TooNew { path, version, known: VERSION });
    }
    let sum = words.next().and_then(|word| u32::from_str_radix(word, 16).ok());
    let len = words.next().and_then(|word| word.parse::<usize>().ok());
    let body = bytes.split_off(end + 1);
    if len != Some(body.len()) {
        return Err(damaged(end, "it is not as long as its first line says"));
    }
    if sum != Some(checksum(&body)) {
        return Err(damaged(end, "its checksum does not fit"));
    }
    Ok(body)
}

fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}
