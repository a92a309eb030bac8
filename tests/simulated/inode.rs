//! A file without its names: the bytes that programs see, those on the medium, and the changes between the two.

use super::loss::Fate;
use super::loss::Loss;

#[derive(Clone, Debug, Default)]
pub(crate) struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// In the order in which they were made.
    unsynced: Vec<Change>,
    /// As many bytes, from the first on, are mapped and must not change.
    mapped: usize,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl Inode {
    fn stable(bytes: Vec<u8>) -> Self {
        Self { live: bytes.clone(), durable: bytes, ..Self::default() }
    }

    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        assert!(bytes.is_empty() || self.mapped <= offset, "bytes that are mapped were written");
        self.make(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub(crate) fn set_len(&mut self, len: usize) {
        assert!(self.mapped <= len, "bytes that are mapped were cut off");
        self.make(Change::SetLen(len));
    }

    fn make(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }

    /// Makes what was written stable: the changes, not the bytes that programs see, for some of those may have been lost
    /// to a sync that failed.
    pub(crate) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Forgets what was to be made stable.
    pub(crate) fn fail_sync(&mut self) {
        self.unsynced.clear();
    }

    pub(crate) fn map(&mut self) -> Vec<u8> {
        self.mapped = self.live.len();
        self.live.clone()
    }

    pub(crate) fn flip_bit(&mut self, bit: u64) {
        let (byte, mask) = (index(bit / 8), 1 << (bit % 8));
        self.live[byte] ^= mask;
        if let Some(byte) = self.durable.get_mut(byte) {
            *byte ^= mask;
        }
    }

    pub(crate) fn live(&self) -> &[u8] {
        &self.live
    }

    /// Returns the file as the next process finds it.
    pub(crate) fn killed(&self) -> Self {
        Self { mapped: 0, ..self.clone() }
    }

    /// Returns the file as a loss of power leaves it.
    pub(crate) fn survive(&self, loss: &mut Loss<'_>) -> Self {
        let mut bytes = self.durable.clone();
        for change in &self.unsynced {
            change.survive(&mut bytes, loss);
        }
        Self::stable(bytes)
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write(file, *offset, bytes),
            Self::SetLen(len) => file.resize(*len, 0),
        }
    }

    fn survive(&self, file: &mut Vec<u8>, loss: &mut Loss<'_>) {
        match (loss.fate(), self) {
            (Fate::Whole, _) => self.apply(file),
            (Fate::Torn, Self::Write { offset, bytes }) => tear(file, *offset, bytes, loss),
            // A length is there or not.
            (Fate::Gone | Fate::Torn, _) => {}
        }
    }
}

fn write(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

/// Writes a beginning alone; or a beginning and an end, either of which may be nothing, and what was there in between.
fn tear(file: &mut Vec<u8>, offset: usize, bytes: &[u8], loss: &mut Loss<'_>) {
    let mut cuts = [loss.below(bytes.len() + 1), loss.below(bytes.len() + 1)];
    cuts.sort_unstable();
    write(file, offset, &bytes[..cuts[0]]);
    if loss.below(2) == 0 {
        return;
    }
    // The length is the file's, and reaches the medium apart from the bytes.
    file.resize(file.len().max(offset + bytes.len()), 0);
    write(file, offset + cuts[1], &bytes[cuts[1]..]);
}

/// A place in memory.
pub(crate) fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("it fits into memory")
}
