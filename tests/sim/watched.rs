//! A simulated disk that keeps, for each step, what a crash right before it leaves.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use shardstream::store::Disk;
use shardstream::store::DiskFile;
use shardstream::store::disk::Name;

use crate::dice::Dice;
use crate::simulated::Simulated;

/// How a process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Crash {
    /// It is killed; what it wrote is there.
    Kill,
    /// The machine loses power.
    PowerLoss,
}

/// A disk as a crash left it.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) disk: Simulated,
    pub(crate) crash: Crash,
    /// The step that was not done any more.
    pub(crate) step: u64,
}

/// A sync that a disk says it does, and does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Neglect {
    Files,
    Folders,
}

/// A simulated disk on which every step may be the last one; its clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) disk: Simulated,
    watch: Arc<Mutex<Watch>>,
    neglect: Option<Neglect>,
}

#[derive(Debug)]
struct Watch {
    /// Draws what a loss of power takes; nothing is kept without it.
    dice: Option<Dice>,
    left: Vec<Left>,
}

impl Watched {
    /// Watches a disk, or lets it be where there is no chance.
    pub(crate) fn new(disk: Simulated, dice: Option<Dice>) -> Self {
        let watch = Arc::new(Mutex::new(Watch { dice, left: Vec::new() }));
        Self { disk, watch, neglect: None }
    }

    pub(crate) fn neglecting(self, neglect: Option<Neglect>) -> Self {
        Self { neglect, ..self }
    }

    /// Hands over what crashes left since this was asked last.
    pub(crate) fn take_left(&self) -> Vec<Left> {
        std::mem::take(&mut self.watch.lock().left)
    }

    /// Crashes, and goes on as if nothing had been.
    fn step(&self) {
        let mut watch = self.watch.lock();
        let Some(dice) = &mut watch.dice else { return };
        let step = self.disk.steps();
        let lost = self.disk.survive(&mut || dice.roll());
        watch.left.push(Left { disk: lost, crash: Crash::PowerLoss, step });
        watch.left.push(Left { disk: self.disk.killed(), crash: Crash::Kill, step });
    }

    fn opened(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(Opened { on: self.clone(), file })
    }
}

impl Disk for Watched {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        // One by one, as a crash may come between two.
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for part in ends.map(|end| &path[..end]) {
            if self.disk.list(part).is_err() {
                self.step();
                self.disk.create_folder(part)?;
            }
        }
        Ok(())
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        if self.disk.len(path).is_ok() {
            self.step();
            self.disk.remove(path)?;
        }
        self.step();
        Ok(self.opened(self.disk.create(path)?))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.opened(self.disk.open(path)?))
    }

    fn map(&self, path: &str) -> io::Result<Bytes> {
        self.disk.map(path)
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.disk.read_at(path, offset, len)
    }

    fn len(&self, path: &str) -> io::Result<u64> {
        self.disk.len(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Name>> {
        self.disk.list(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step();
        self.disk.rename(from, to)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.step();
        self.disk.link(from, to)
    }

    fn link_out(&self, from: &str, to: &Path) -> io::Result<()> {
        self.step();
        self.disk.link_out(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.step();
        self.disk.remove(path)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.step();
        self.disk.remove_folder(path)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.step();
        if self.neglect == Some(Neglect::Folders) {
            return self.disk.list(path).map(drop);
        }
        self.disk.sync_folder(path)
    }
}

#[derive(Debug)]
struct Opened {
    on: Watched,
    file: Box<dyn DiskFile>,
}

impl DiskFile for Opened {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.on.step();
        self.file.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.on.step();
        if self.on.neglect == Some(Neglect::Files) {
            return Ok(());
        }
        self.file.sync()
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.on.step();
        self.file.set_len(len)
    }
}
