//! A disk for tests: in memory, it fails when told to, and knows what a crash would undo.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::store::Disk;
use crate::store::DiskFile;
use crate::store::disk::Name;
use crate::store::disk::with_those_above;

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    is_synced: bool,
}

/// A disk in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    files: Mutex<BTreeMap<String, Arc<Mutex<File>>>>,
    folders: Mutex<BTreeSet<String>>,
    /// Folders with names that a crash would undo.
    unsynced: Mutex<BTreeSet<String>>,
    /// What was mapped, in order.
    pub(crate) mapped: Mutex<Vec<(String, Bytes)>>,
    /// How many more calls succeed; `None`: all.
    pub(crate) left: Arc<Mutex<Option<usize>>>,
}

fn no_file() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn count(left: &Mutex<Option<usize>>) -> io::Result<()> {
    match left.lock().as_mut() {
        Some(0) => Err(io::ErrorKind::StorageFull.into()),
        Some(left) => {
            *left -= 1;
            Ok(())
        }
        None => Ok(()),
    }
}

fn folder(path: &str) -> String {
    path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
}

impl Memory {
    fn file(&self, path: &str) -> io::Result<Arc<Mutex<File>>> {
        self.files.lock().get(path).cloned().ok_or_else(no_file)
    }

    fn changes(&self, path: &str) {
        self.unsynced.lock().insert(folder(path));
    }

    /// What a file holds.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        self.file(path).unwrap().lock().bytes.clone()
    }

    /// Makes a file hold something.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let file = File { bytes: bytes.to_vec(), is_synced: true };
        self.files.lock().insert(path.to_owned(), Arc::new(Mutex::new(file)));
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        self.files.lock().keys().cloned().collect()
    }

    /// Whether a crash now would undo nothing.
    pub(crate) fn is_stable(&self) -> bool {
        let synced = self.files.lock().values().all(|file| file.lock().is_synced);
        synced && self.unsynced.lock().is_empty()
    }
}

#[derive(Debug)]
struct Open(Arc<Mutex<File>>, Arc<Mutex<Option<usize>>>);

impl DiskFile for Open {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        count(&self.1)?;
        let mut file = self.0.lock();
        let start = usize::try_from(offset).unwrap();
        let end = file.bytes.len().max(start + bytes.len());
        file.bytes.resize(end, 0);
        file.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        file.is_synced = false;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        count(&self.1)?;
        self.0.lock().is_synced = true;
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        count(&self.1)?;
        self.0.lock().bytes.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }
}

impl Disk for Memory {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        count(&self.left)?;
        for made in with_those_above(path).filter(|made| !made.is_empty()) {
            if self.folders.lock().insert(made.to_owned()) {
                self.changes(made);
            }
        }
        Ok(())
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        count(&self.left)?;
        assert!(self.folders.lock().contains(&folder(path)), "{path} has no folder");
        let file = Arc::<Mutex<File>>::default();
        self.files.lock().insert(path.to_owned(), Arc::clone(&file));
        self.changes(path);
        Ok(Box::new(Open(file, Arc::clone(&self.left))))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(Open(self.file(path)?, Arc::clone(&self.left))))
    }

    fn map(&self, path: &str) -> io::Result<Bytes> {
        count(&self.left)?;
        let bytes = Bytes::from(self.file(path)?.lock().bytes.clone());
        self.mapped.lock().push((path.to_owned(), bytes.clone()));
        Ok(bytes)
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let file = self.file(path)?;
        let start = usize::try_from(offset).unwrap();
        Ok(file.lock().bytes.iter().skip(start).take(len).copied().collect())
    }

    fn len(&self, path: &str) -> io::Result<u64> {
        Ok(self.file(path)?.lock().bytes.len() as u64)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Name>> {
        let files = self.files.lock();
        let inside = files.keys().filter(|name| folder(name) == path);
        let name =
            |file: &String| Name { name: file[path.len() + 1..].to_owned(), is_folder: false };
        Ok(inside.map(name).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        count(&self.left)?;
        let mut files = self.files.lock();
        let file = files.remove(from).ok_or_else(no_file)?;
        assert!(file.lock().is_synced, "a crash would leave {to} with a part of its content");
        files.insert(to.to_owned(), file);
        drop(files);
        self.changes(from);
        self.changes(to);
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.file(from)?;
        self.files.lock().insert(to.to_owned(), file);
        self.changes(to);
        Ok(())
    }

    fn link_out(&self, _from: &str, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.lock().remove(path).ok_or_else(no_file)?;
        self.changes(path);
        Ok(())
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.folders.lock().remove(path);
        self.changes(path);
        Ok(())
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        count(&self.left)?;
        self.unsynced.lock().remove(path);
        Ok(())
    }
}
