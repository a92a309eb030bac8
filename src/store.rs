//! The durable log: a journal of frames, and sealed segments of blocks, on a disk; knows no stream.

pub mod checkpoint;
pub mod disk;
pub mod error;
pub mod folder;
pub mod frame;
pub mod generation;
pub mod journal;
pub mod lock;
pub mod segment;

pub use disk::Disk;
pub use disk::DiskFile;
pub use error::StoreError;
pub use frame::Frame;
pub use frame::Lsn;
pub use generation::Generation;
pub use generation::GenerationInfo;
pub use generation::Stretch;
pub use journal::Journal;
pub use lock::Lock;
pub use segment::Compression;

/// When what was appended is on stable storage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// Before it is acknowledged.
    Commit,
    /// A tenth of a second later at most.
    Interval,
    /// When the operating system decides.
    None,
}
