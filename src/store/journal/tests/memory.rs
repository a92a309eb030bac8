//! A disk in memory: files, what of them a crash would leave, and faults when they are asked for.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::clock::Bell;
use crate::store::disk::Disk;
use crate::store::disk::DiskFile;
use crate::store::disk::Name;

/// Names are stable at once; bytes once they were synced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    files: Arc<Mutex<BTreeMap<String, Arc<Mutex<Content>>>>>,
    pub(crate) faults: Arc<Faults>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    live: Vec<u8>,
    /// What a crash leaves.
    stable: Vec<u8>,
    /// What was written since the last sync, and that the length was changed.
    dirty: Vec<(usize, usize)>,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// How long files may become; 0 for any length.
    pub(crate) room: AtomicU64,
    pub(crate) fail_sync: AtomicBool,
    pub(crate) fail_write: AtomicBool,
    /// Syncs wait as long as this is set.
    hold: AtomicBool,
    syncs: AtomicUsize,
    /// Rings when a sync begins, and when the hold ends.
    bell: Bell,
}

impl Faults {
    pub(crate) fn hold_syncs(&self, hold: bool) {
        self.hold.store(hold, Ordering::SeqCst);
        self.bell.ring();
    }

    /// How many syncs of files began.
    pub(crate) fn syncs(&self) -> usize {
        self.syncs.load(Ordering::SeqCst)
    }

    pub(crate) fn wait_for_syncs(&self, count: usize) {
        self.wait_while(|| self.syncs() < count);
    }

    fn wait_while(&self, is_so: impl Fn() -> bool) {
        loop {
            let rings = self.bell.rings();
            if !is_so() {
                return;
            }
            self.bell.wait(rings, Duration::from_secs(3600));
        }
    }

    fn failed(fault: &AtomicBool) -> io::Result<()> {
        if fault.load(Ordering::SeqCst) { Err(io::Error::other("broken")) } else { Ok(()) }
    }
}

impl Memory {
    /// What is there after the machine lost power.
    pub(crate) fn crashed(&self) -> Self {
        self.with(|content| content.stable.clone())
    }

    /// What is there after the process was killed; whoever still writes here does not write there.
    pub(crate) fn killed(&self) -> Self {
        self.with(|content| content.live.clone())
    }

    fn with(&self, bytes: impl Fn(&Content) -> Vec<u8>) -> Self {
        let made = Self::default();
        for (path, content) in &*self.files.lock() {
            made.put(path, bytes(&content.lock()));
        }
        made
    }

    /// Puts a file whose bytes are stable.
    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        let content = Content { live: bytes.clone(), stable: bytes, dirty: Vec::new() };
        self.files.lock().insert(path.to_owned(), Arc::new(Mutex::new(content)));
    }

    /// What a file holds.
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        self.content(path).unwrap().lock().live.clone()
    }

    fn content(&self, path: &str) -> io::Result<Arc<Mutex<Content>>> {
        let files = self.files.lock();
        files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File { content: self.content(path)?, faults: Arc::clone(&self.faults) }))
    }
}

impl Disk for Memory {
    fn create_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        self.put(path, Vec::new());
        self.file(path)
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        self.file(path)
    }

    fn map(&self, path: &str) -> io::Result<Bytes> {
        Ok(self.content(path)?.lock().live.clone().into())
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let content = self.content(path)?;
        let live = &content.lock().live;
        let start = usize::try_from(offset).unwrap().min(live.len());
        Ok(live[start..live.len().min(start + len)].to_vec())
    }

    fn len(&self, path: &str) -> io::Result<u64> {
        Ok(self.content(path)?.lock().live.len() as u64)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Name>> {
        let files = self.files.lock();
        let names = files.keys().filter_map(|name| name.strip_prefix(path)?.strip_prefix('/'));
        Ok(names.map(|name| Name { name: name.to_owned(), is_folder: false }).collect())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn link(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn link_out(&self, _: &str, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let removed = self.files.lock().remove(path);
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove_folder(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct File {
    content: Arc<Mutex<Content>>,
    faults: Arc<Faults>,
}

impl DiskFile for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        Faults::failed(&self.faults.fail_write)?;
        let mut content = self.content.lock();
        let start = usize::try_from(offset).unwrap();
        let end = start + bytes.len();
        let room = self.faults.room.load(Ordering::SeqCst);
        if 0 < room && content.live.len() < end && room < end as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let len = content.live.len().max(end);
        content.live.resize(len, 0);
        content.live[start..end].copy_from_slice(bytes);
        content.dirty.push((start, end));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.faults.syncs.fetch_add(1, Ordering::SeqCst);
        self.faults.bell.ring();
        self.faults.wait_while(|| self.faults.hold.load(Ordering::SeqCst));
        let mut content = self.content.lock();
        let content = &mut *content;
        // As Linux does it: what a failed sync was to write counts as written, and is not.
        let dirty = std::mem::take(&mut content.dirty);
        Faults::failed(&self.faults.fail_sync)?;
        content.stable.resize(content.live.len(), 0);
        for (start, end) in dirty {
            let end = end.min(content.live.len());
            let start = start.min(end);
            content.stable[start..end].copy_from_slice(&content.live[start..end]);
        }
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut content = self.content.lock();
        content.live.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }
}
