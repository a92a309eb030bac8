//! A store's folder, opened: to be written by one process, or read by any number.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Millis;
use crate::store::Disk;
use crate::store::Lock;
use crate::store::StoreError;
use crate::store::disk::files::Files;

/// Opens a folder to be written, which is made where it is not there; nobody else writes it until the lock is dropped.
///
/// # Errors
///
/// Another process writes it, or the operating system refuses.
pub fn open_to_write(path: &Path, now: Millis) -> Result<(Arc<dyn Disk>, Lock), StoreError> {
    make(path)?;
    let root = absolute(path)?;
    let lock = Lock::take(&root, now)?;
    Ok((Arc::new(Files::new(root)), lock))
}

/// Makes a folder where it is not there, and those above it.
fn make(path: &Path) -> Result<(), StoreError> {
    let named = path.display().to_string();
    let refused = |error| StoreError::io("cannot make", &named, error);
    let given = std::path::absolute(path).map_err(refused)?;
    let new = given.ancestors().take_while(|above| !above.exists()).count();
    fs::create_dir_all(&given).map_err(refused)?;
    // The names of folders that are new must outlive a crash, too.
    for holder in given.ancestors().skip(1).take(new) {
        fs::File::open(holder).and_then(|folder| folder.sync_all()).map_err(refused)?;
    }
    Ok(())
}

/// Makes a folder for a new store.
///
/// # Errors
///
/// There is something in it, or the operating system refuses.
pub fn open_new(path: &Path) -> Result<Arc<dyn Disk>, StoreError> {
    make(path)?;
    open_to_read(path)
}

/// Opens a folder to be read, whoever writes it.
///
/// # Errors
///
/// There is none.
pub fn open_to_read(path: &Path) -> Result<Arc<dyn Disk>, StoreError> {
    Ok(Arc::new(Files::new(absolute(path)?)))
}

/// The path from the root on, so that it stays the same wherever the process goes.
pub fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    let named = path.display().to_string();
    path.canonicalize().map_err(|error| StoreError::io("cannot open", &named, error))
}
