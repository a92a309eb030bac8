//! What a store asks of a file system: few things, so that a test can be the disk.

pub mod files;
#[cfg(test)]
pub(crate) mod scratch;

use std::fmt::Debug;
use std::io;
use std::path::Component;
use std::path::Path;

use bytes::Bytes;

/// A name in a folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Name {
    /// The name, without the folder's.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// A folder of files. Paths are relative to it, with `/`; the folder itself is the empty path.
///
/// What was written is on stable storage once the file was synced; that a name is there, gone or another file's once the
/// folder it stands in was synced. Until then a crash may undo each write and each change of a name, whole or in part, in
/// any order.
pub trait Disk: Debug + Send + Sync {
    /// Makes a folder, and those above it that are not there.
    fn create_folder(&self, path: &str) -> io::Result<()>;
    /// Makes an empty file; one that has its name loses it first, and stays as it is for those who have it open.
    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that is there, to be written.
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Returns what a file holds, without reading it before it is looked at; the file must not change any more.
    fn map(&self, path: &str) -> io::Result<Bytes>;
    /// Reads up to `len` bytes from `offset` on: fewer where the file ends.
    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>>;
    /// Returns how long a file is.
    fn len(&self, path: &str) -> io::Result<u64>;
    /// Lists the names in a folder, in order.
    fn list(&self, path: &str) -> io::Result<Vec<Name>>;
    /// Gives a file another name; a file that had it loses it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Gives a file a second name, in a folder that is there.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;
    /// Gives a file a second name outside of this folder.
    fn link_out(&self, from: &str, to: &Path) -> io::Result<()>;
    /// Takes a file's name away.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Takes an empty folder away.
    fn remove_folder(&self, path: &str) -> io::Result<()>;
    /// Makes the names in a folder stable.
    fn sync_folder(&self, path: &str) -> io::Result<()>;
}

/// A file that is open to be written.
pub trait DiskFile: Debug + Send {
    /// Writes all of `bytes` at `offset`; the file grows where it must.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written stable, and the file's length.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes the file so long: shorter, or longer by zeros.
    fn set_len(&mut self, len: u64) -> io::Result<()>;
}

/// Splits a path into its names, and panics at one that could lead out of the folder: names come from code and from what
/// `list` gave, so such a path is a mistake here, not a fault of the disk.
pub fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|_| !path.is_empty()).inspect(move |name| {
        let mut parts = Path::new(name).components();
        let is_name = parts.next() == Some(Component::Normal(name.as_ref()));
        assert!(is_name && parts.next().is_none(), "`{path}` is no path within a folder");
    })
}

/// Walks from a folder up to the one that paths are relative to.
pub(crate) fn with_those_above(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| {
        (!folder.is_empty()).then(|| folder.rsplit_once('/').map_or("", |(above, _)| above))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn paths_are_names_between_slashes() {
        assert_eq!(names("").count(), 0);
        assert_eq!(names("@lock").collect::<Vec<_>>(), ["@lock"]);
        assert_eq!(names("a/..b/c.arrow").collect::<Vec<_>>(), ["a", "..b", "c.arrow"]);
    }

    #[test]
    fn folders_stand_in_those_above_them() {
        assert_eq!(with_those_above("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(with_those_above("").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn path_that_could_lead_out_is_a_mistake() {
        for path in ["/", "/etc/passwd", "..", "a/..", "a/../b", ".", "a/./b", "a//b", "a/"] {
            let walk = catch_unwind(|| names(path).count());
            assert!(walk.is_err(), "{path}");
        }
    }
}
