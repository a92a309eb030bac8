//! The simulated disk as a store sees it.

use std::fs;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use shardstream::store::Disk;
use shardstream::store::DiskFile;
use shardstream::store::disk::Name;

use super::Simulated;
use super::folder::FileId;
use super::folder::Node;
use super::image::Image;
use super::inode::index;

impl Simulated {
    fn opened(&self, file: FileId) -> Box<dyn DiskFile> {
        Box::new(Opened { image: Arc::clone(&self.image), file })
    }
}

impl Disk for Simulated {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        self.image.lock().create_folder(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut image = self.image.lock();
        let place = image.place(path)?;
        match image.at(place) {
            Some(Node::Folder(_)) => return Err(ErrorKind::IsADirectory.into()),
            Some(Node::File(_)) => image.set(place, None)?,
            None => {}
        }
        let file = image.create(place)?;
        Ok(self.opened(file))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.image.lock().file(path)?;
        Ok(self.opened(file))
    }

    fn map(&self, path: &str) -> io::Result<Bytes> {
        let mut image = self.image.lock();
        let file = image.file(path)?;
        Ok(Bytes::from(image.inode(file).map()))
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut image = self.image.lock();
        let file = image.file(path)?;
        let bytes = image.inode(file).live();
        let start = index(offset.min(bytes.len() as u64));
        let end = bytes.len().min(start.saturating_add(len));
        Ok(bytes[start..end].to_vec())
    }

    fn len(&self, path: &str) -> io::Result<u64> {
        let mut image = self.image.lock();
        let file = image.file(path)?;
        Ok(image.inode(file).live().len() as u64)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Name>> {
        let image = self.image.lock();
        let folder = image.folder(path)?;
        let names = image.folders[folder.0].live().iter();
        let name = |(name, node): (&String, &Node)| Name {
            name: name.clone(),
            is_folder: matches!(node, Node::Folder(_)),
        };
        Ok(names.map(name).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut image = self.image.lock();
        let (from_place, to_place) = (image.place(from)?, image.place(to)?);
        let node = Node::File(image.file(from)?);
        match image.at(to_place) {
            Some(Node::Folder(_)) => return Err(ErrorKind::IsADirectory.into()),
            // Two names of one file: POSIX has it that both stay.
            Some(there) if there == node => return Ok(()),
            _ => {}
        }
        // One step for programs, which never see the file under both names; two changes for a loss of power.
        image.set(to_place, Some(node))?;
        image.folders[from_place.0.0].set(from_place.1, None);
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut image = self.image.lock();
        let file = image.file(from)?;
        let place = image.place(to)?;
        if image.at(place).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        image.set(place, Some(Node::File(file)))
    }

    /// Outside are the operating system's files, on another file system: the file is copied there.
    fn link_out(&self, from: &str, to: &Path) -> io::Result<()> {
        let mut image = self.image.lock();
        let file = image.file(from)?;
        image.faults.step()?;
        fs::File::create_new(to)?.write_all(image.inode(file).live())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut image = self.image.lock();
        let place = image.place(path)?;
        image.file(path)?;
        image.set(place, None)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        let mut image = self.image.lock();
        let place = image.place(path)?;
        let folder = image.folder(path)?;
        if !image.folders[folder.0].live().is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        image.set(place, None)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        let mut image = self.image.lock();
        let folder = image.folder(path)?;
        image.sync_folder(folder)
    }
}

/// A file that is open, whatever becomes of its names.
struct Opened {
    image: Arc<Mutex<Image>>,
    file: FileId,
}

impl DiskFile for Opened {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.image.lock().write(self.file, offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.image.lock().sync(self.file)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.image.lock().set_len(self.file, len)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("file", &self.file).finish_non_exhaustive()
    }
}
