//! Up to where other processes may read: a hint in `@journal/seen`, which recovery does not look at.
//!
//! ```text
//! offset  bytes  what (little endian)
//!      0      8  the place up to which frames are readable
//!      8      8  its complement
//! ```

use std::io;

use crate::store::disk::Disk;
use crate::store::disk::DiskFile;
use crate::store::error::StoreError;
use crate::store::frame::Lsn;

const PATH: &str = "@journal/seen";

/// Returns up to where readers may read; none if nobody has said it yet, or it was read while it was written.
pub fn published(disk: &dyn Disk) -> Option<Lsn> {
    let bytes = disk.read_at(PATH, 0, 16).ok()?;
    let (place, complement) = bytes.split_first_chunk::<8>()?;
    let place = u64::from_le_bytes(*place);
    (complement == (!place).to_le_bytes()).then_some(Lsn(place))
}

/// Says up to where readers may read.
#[derive(Debug)]
pub(super) struct Seen {
    file: Box<dyn DiskFile>,
}

impl Seen {
    /// Begins with `lsn`. The file is made once: it takes no room of a disk that is full.
    pub(super) fn begin(disk: &dyn Disk, lsn: Lsn) -> Result<Self, StoreError> {
        let file = match disk.open(PATH) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(PATH),
            opened => opened,
        };
        let file = file.map_err(|error| StoreError::io("cannot open", PATH, error))?;
        let mut seen = Self { file };
        seen.publish(lsn);
        Ok(seen)
    }

    /// Lets readers read up to `lsn`. Never synced: after a crash there are no readers.
    pub(super) fn publish(&mut self, lsn: Lsn) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&lsn.0.to_le_bytes());
        bytes[8..].copy_from_slice(&(!lsn.0).to_le_bytes());
        // Where it cannot be written, readers stay behind until the next time; nothing of the store depends on it.
        drop(self.file.write_at(0, &bytes));
    }
}
