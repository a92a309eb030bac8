//! All files and folders of a disk, found by path.

use std::collections::BTreeMap;
use std::io;
use std::io::ErrorKind;

use shardstream::store::disk::names;

use super::faults::Faults;
use super::faults::sync_failure;
use super::folder::FileId;
use super::folder::Folder;
use super::folder::FolderId;
use super::folder::Node;
use super::inode::Inode;
use super::inode::index;
use super::loss::Loss;

/// The folder that has no name.
const ROOT: FolderId = FolderId(0);

#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) files: Vec<Inode>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) faults: Faults,
}

impl Default for Image {
    fn default() -> Self {
        Self { files: Vec::new(), folders: vec![Folder::default()], faults: Faults::default() }
    }
}

impl Image {
    pub(crate) fn inode(&mut self, file: FileId) -> &mut Inode {
        &mut self.files[file.0]
    }

    /// Lets a name stand for something else, or for nothing; counted.
    pub(crate) fn set(
        &mut self,
        (folder, name): (FolderId, &str),
        node: Option<Node>,
    ) -> io::Result<()> {
        self.faults.step()?;
        self.folders[folder.0].set(name, node);
        Ok(())
    }

    pub(crate) fn create_folder(&mut self, path: &str) -> io::Result<()> {
        let mut folder = ROOT;
        let mut rest = names(path).peekable();
        while let Some(name) = rest.next() {
            folder = match self.folders[folder.0].live().get(name) {
                Some(Node::Folder(there)) => *there,
                Some(Node::File(_)) if rest.peek().is_none() => {
                    return Err(ErrorKind::AlreadyExists.into());
                }
                Some(Node::File(_)) => return Err(ErrorKind::NotADirectory.into()),
                None => {
                    let new = FolderId(self.folders.len());
                    self.set((folder, name), Some(Node::Folder(new)))?;
                    self.folders.push(Folder::default());
                    new
                }
            };
        }
        Ok(())
    }

    /// Makes an empty file where none is.
    pub(crate) fn create(&mut self, place: (FolderId, &str)) -> io::Result<FileId> {
        let file = FileId(self.files.len());
        self.set(place, Some(Node::File(file)))?;
        self.files.push(Inode::default());
        Ok(file)
    }

    /// Writes as much as there is room for; counted.
    pub(crate) fn write(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.faults.step()?;
        let lacking = index(self.lacking(file, offset + bytes.len() as u64));
        let fitting = &bytes[..bytes.len().saturating_sub(lacking)];
        self.inode(file).write(index(offset), fitting);
        if lacking == 0 { Ok(()) } else { Err(ErrorKind::StorageFull.into()) }
    }

    pub(crate) fn set_len(&mut self, file: FileId, len: u64) -> io::Result<()> {
        self.faults.step()?;
        if 0 < self.lacking(file, len) {
            return Err(ErrorKind::StorageFull.into());
        }
        self.inode(file).set_len(index(len));
        Ok(())
    }

    pub(crate) fn sync(&mut self, file: FileId) -> io::Result<()> {
        self.faults.step()?;
        if self.faults.fails_sync() {
            self.inode(file).fail_sync();
            return Err(sync_failure());
        }
        self.inode(file).sync();
        Ok(())
    }

    pub(crate) fn sync_folder(&mut self, folder: FolderId) -> io::Result<()> {
        self.faults.step()?;
        let fails = self.faults.fails_sync();
        let folder = &mut self.folders[folder.0];
        if fails {
            folder.fail_sync();
            return Err(sync_failure());
        }
        folder.sync();
        Ok(())
    }

    pub(crate) fn killed(&self) -> Self {
        let files = self.files.iter().map(Inode::killed).collect();
        Self { files, folders: self.folders.clone(), faults: Faults::default() }
    }

    pub(crate) fn survive(&self, loss: &mut Loss<'_>) -> Self {
        let files = self.files.iter().map(|file| file.survive(loss)).collect();
        let folders = self.folders.iter().map(|folder| folder.survive(loss)).collect();
        Self { files, folders, faults: Faults::default() }
    }

    pub(crate) fn file(&self, path: &str) -> io::Result<FileId> {
        match self.node(path)? {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    pub(crate) fn folder(&self, path: &str) -> io::Result<FolderId> {
        match self.node(path)? {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    /// Returns the folder in which a name stands, and the name.
    pub(crate) fn place<'p>(&self, path: &'p str) -> io::Result<(FolderId, &'p str)> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        assert!(!name.is_empty(), "the disk itself has no name");
        Ok((self.folder(folder)?, name))
    }

    /// Returns what stands at a place.
    pub(crate) fn at(&self, (folder, name): (FolderId, &str)) -> Option<Node> {
        self.folders[folder.0].live().get(name).copied()
    }

    fn node(&self, path: &str) -> io::Result<Node> {
        names(path).try_fold(Node::Folder(ROOT), |node, name| match node {
            Node::Folder(folder) => self.at((folder, name)).ok_or(ErrorKind::NotFound.into()),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        })
    }

    /// Returns all files that have a path, by path.
    pub(crate) fn paths(&self) -> BTreeMap<String, FileId> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(String::new(), ROOT)];
        while let Some((above, folder)) = folders.pop() {
            for (name, node) in self.folders[folder.0].live() {
                let path = format!("{above}{name}");
                match node {
                    Node::File(file) => drop(found.insert(path, *file)),
                    Node::Folder(folder) => folders.push((path + "/", *folder)),
                }
            }
        }
        found
    }

    /// Returns how many bytes of room are lacking for a file to become so long.
    fn lacking(&self, file: FileId, len: u64) -> u64 {
        let Some(room) = self.faults.room_bytes else { return 0 };
        let len_of = |file: FileId| self.files[file.0].live().len() as u64;
        let growth = len.saturating_sub(len_of(file));
        if growth == 0 {
            return 0;
        }
        // A file with two names takes room once.
        let mut files: Vec<FileId> = self.paths().into_values().collect();
        files.sort_unstable();
        files.dedup();
        let used: u64 = files.into_iter().map(len_of).sum();
        growth.saturating_sub(room.saturating_sub(used))
    }
}
