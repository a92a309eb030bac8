//! Sealed segments: the rows of one shard from a run of its stream's log, as an Arrow file that any tool opens.
//!
//! ```text
//! ARROW1, padded to 64 bytes | schema | dictionaries | batches | end of stream | footer | its length | ARROW1
//!                            '---- messages, one behind the other ----'       '----------- tail -----------'
//! ```
//!
//! The store keeps the file's length and the checksum of its tail ([`SegmentInfo`]); the tail keeps the place and the
//! checksum of each message (`footer`, among the metadata of Arrow's footer). So whoever holds the former can tell
//! of every byte whether it is as it was written, and Arrow is given no byte before that is known: its reader may panic
//! on what it did not write.

mod columns;
mod footer;
mod gather;
#[cfg(test)]
pub(crate) mod memory;
mod messages;
mod reader;
mod repair;
mod rows;
mod writer;

use serde::Deserialize;
use serde::Serialize;

use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;

pub(crate) use columns::same_columns;
pub(crate) use reader::Decoder;
pub(crate) use reader::Opened;
pub(crate) use reader::Segment;
pub use repair::Examined;
pub use repair::ExaminedBatch;
pub use repair::Fault;
pub use repair::examine;
pub use repair::rewrite;
pub(crate) use rows::BATCH_BYTES;
pub(crate) use rows::Picks;
pub(crate) use writer::write;

/// Rows of a batch at most.
pub(crate) const BATCH_ROWS: usize = 65_536;

/// How the batches of a segment are compressed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all: such a segment is read where it lies.
    #[default]
    None,
    /// LZ4: fast, and half the size where rows repeat themselves.
    Lz4,
    /// Zstandard: smaller, and slower to write.
    Zstd,
}

/// What a store keeps of a segment: enough to find it, and to know it again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SegmentInfo {
    /// The shard.
    pub shard: u32,
    /// When the shard was created, in seconds since 1970.
    pub created_seconds: u64,
    /// The index in the file's name: that of the first row, or of one before it that was lost.
    pub first_index: u64,
    /// The index of the last row.
    pub last_index: u64,
    /// How many rows there are.
    pub rows: u64,
    /// How long the file is.
    pub bytes: u64,
    /// The checksum of the file's tail.
    pub footer_crc: u64,
}

impl SegmentInfo {
    /// Returns the shard as sequence numbers name it.
    pub fn birth(&self) -> ShardBirth {
        ShardBirth { shard: ShardIndex(self.shard), created_seconds: self.created_seconds }
    }

    /// Returns where the segment lies below its stream's folder.
    pub fn path(&self, folder: &str) -> String {
        path(folder, ShardIndex(self.shard), self.first_index)
    }
}

/// Returns the folder of a shard's segments.
pub(crate) fn shard_folder(folder: &str, shard: ShardIndex) -> String {
    format!("{folder}/{shard}")
}

/// Returns the name of a segment, by which names sort as their rows do.
pub(crate) fn path(folder: &str, shard: ShardIndex, first_index: u64) -> String {
    format!("{}/{first_index:020}.arrow", shard_folder(folder, shard))
}

#[cfg(test)]
mod tests;
