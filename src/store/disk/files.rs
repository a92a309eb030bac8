//! The disk that there is: a folder of the operating system's files.

use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;
use std::path::PathBuf;

use bytes::Bytes;
use memmap2::Mmap;

use super::Disk;
use super::DiskFile;
use super::Name;
use super::names;

/// A folder of the operating system's files.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Makes a disk of a folder, which may be made later.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn within(&self, path: &str) -> PathBuf {
        names(path).fold(self.root.clone(), |folder, name| folder.join(name))
    }
}

impl Disk for Files {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.within(path))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.within(path);
        // Emptied in place, a file would change under those who have it open or mapped.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).open(path)?))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(self.within(path))?))
    }

    fn map(&self, path: &str) -> io::Result<Bytes> {
        let file = File::open(self.within(path))?;
        // There is no such thing as a map of nothing.
        if file.metadata()?.len() == 0 {
            return Ok(Bytes::new());
        }
        map(&file).map(Bytes::from_owner)
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.within(path))?;
        // A length that was read from a damaged file may be any: no more memory is asked for than there are bytes.
        let rest = file.metadata()?.len().saturating_sub(offset);
        let len = rest.min(u64::try_from(len).unwrap_or(u64::MAX));
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(usize::MAX));
        if len == 0 {
            return Ok(bytes);
        }
        file.seek(SeekFrom::Start(offset))?;
        file.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn len(&self, path: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.within(path))?.len())
    }

    fn list(&self, path: &str) -> io::Result<Vec<Name>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.within(path))? {
            let entry = entry?;
            let mut kind = entry.file_type()?;
            if kind.is_symlink() {
                // A stream may lie on another disk. A link to nothing is as little here as no link.
                let Ok(metadata) = fs::metadata(entry.path()) else { continue };
                kind = metadata.file_type();
            }
            // What is not text was not named here.
            let Ok(name) = OsString::into_string(entry.file_name()) else { continue };
            found.push(Name { name, is_folder: kind.is_dir() });
        }
        found.sort_unstable();
        Ok(found)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.within(from), self.within(to))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.within(from), self.within(to))
    }

    fn link_out(&self, from: &str, to: &Path) -> io::Result<()> {
        let from = self.within(from);
        match fs::hard_link(&from, to) {
            Err(error) if wants_copy(error.kind()) => copy(&from, to),
            linked => linked,
        }
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.within(path))
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        fs::remove_dir(self.within(path))
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        sync_names(&self.within(path))
    }
}

impl DiskFile for File {
    #[cfg(unix)]
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }

    #[cfg(not(unix))]
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        io::Write::write_all(self, bytes)
    }

    // The bytes, and the length without which they cannot be read; the times of a file are nobody's promise, and writing
    // them down costs a second trip to the disk.
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }
}

/// Maps a file that holds something.
///
/// The only `unsafe` of this crate. It is worth it: all of a file of 1 GB that the page cache holds was looked at in a
/// fifth of the time that reading it into memory and looking at it there took (0.13 s, 0.70 s), a fifth of it, as a query
/// of one column looks, in a twentieth (0.03 s, 0.62 s); and memory that is mapped can be dropped and read again when the
/// machine needs it for something else.
#[allow(unsafe_code, reason = "measured above; what makes it sound is said below")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: what is mapped must not change. Files that are mapped are written under another name, renamed when they are
    // whole, and never written, grown or shortened after that: to `create` a file of the same name unlinks this one, which
    // stays whole for as long as it is mapped, and so does one that is removed. A program that is not this one and writes
    // into the files of a store, or shortens them, breaks this, as it breaks every program that maps files.
    unsafe { Mmap::map(file) }
}

/// Tells whether a file that cannot be linked can be copied: it lies on another file system, on one that knows no links,
/// or has as many names as a file can have.
fn wants_copy(refusal: ErrorKind) -> bool {
    matches!(
        refusal,
        ErrorKind::CrossesDevices
            | ErrorKind::PermissionDenied
            | ErrorKind::TooManyLinks
            | ErrorKind::Unsupported
    )
}

/// Copies a file to where none is, whole or not at all.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
    let copied = io::copy(&mut from, &mut copy);
    // What was synced before it was linked is on stable storage under its second name, and so must a copy be.
    copied.and_then(|_| copy.sync_data()).inspect_err(|_| {
        // The disk may be full: half a file would take the room and bear the name of a whole one.
        let _ = fs::remove_file(to);
    })
}

#[cfg(unix)]
fn sync_names(folder: &Path) -> io::Result<()> {
    // All of it, not its data alone: the standards do not say which of the two a folder's names are.
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened; names are in the file system's own journal.
#[cfg(not(unix))]
fn sync_names(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(|_| ())
}

#[cfg(test)]
mod tests;
