//! A store's folder that can only be read: what a target makes of its bytes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bytes::Bytes;
use shardstream::store::Disk;
use shardstream::store::DiskFile;
use shardstream::store::disk::Name;

/// Files by their paths.
#[derive(Clone, Debug, Default)]
pub struct Folder(pub BTreeMap<String, Vec<u8>>);

impl Folder {
    fn file(&self, path: &str) -> io::Result<&[u8]> {
        self.0.get(path).map(Vec::as_slice).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn refuse<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for Folder {
    fn create_folder(&self, _: &str) -> io::Result<()> {
        refuse()
    }

    fn create(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
        refuse()
    }

    fn open(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
        refuse()
    }

    fn map(&self, path: &str) -> io::Result<Bytes> {
        Ok(Bytes::copy_from_slice(self.file(path)?))
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let file = self.file(path)?;
        let start = usize::try_from(offset).map_or(file.len(), |offset| offset.min(file.len()));
        Ok(file[start..file.len().min(start.saturating_add(len))].to_vec())
    }

    fn len(&self, path: &str) -> io::Result<u64> {
        Ok(self.file(path)?.len() as u64)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Name>> {
        let names = self.0.keys().filter_map(|name| name.strip_prefix(path)?.strip_prefix('/'));
        Ok(names.map(|name| Name { name: name.to_owned(), is_folder: false }).collect())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        refuse()
    }

    fn link(&self, _: &str, _: &str) -> io::Result<()> {
        refuse()
    }

    fn link_out(&self, _: &str, _: &Path) -> io::Result<()> {
        refuse()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        refuse()
    }

    fn remove_folder(&self, _: &str) -> io::Result<()> {
        refuse()
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        refuse()
    }
}
