//! The durable log: a journal of frames, and sealed segments of blocks, on a disk; knows no stream.

pub mod disk;
pub mod error;
pub mod generation;
pub mod segment;

pub use disk::Disk;
pub use disk::DiskFile;
pub use error::StoreError;

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
