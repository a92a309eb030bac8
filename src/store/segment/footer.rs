//! What a segment says of itself: where its messages lie, and the checksum of each.

use arrow_ipc::root_as_footer;
use crc_fast::CrcAlgorithm;
use crc_fast::Digest;
use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::store::StoreError;
use crate::store::segment::Compression;
use crate::store::segment::SegmentInfo;

/// The format that is written, and the newest that is read.
pub(super) const VERSION: u32 = 1;

/// Under which name Arrow's footer keeps this one.
pub(super) const METADATA_KEY: &str = "shardstream.segment";

/// How a file begins: the magic, and zeros up to where the schema stands.
pub(super) const HEAD: [u8; 64] = {
    let mut head = [0; 64];
    let magic = *b"ARROW1";
    let mut at = 0;
    while at < magic.len() {
        head[at] = magic[at];
        at += 1;
    }
    head
};

/// How a file ends: the length of Arrow's footer, and the magic.
const TRAILER_BYTES: usize = 10;

/// What ends the messages: four bytes of ones and a length of zero. The tail begins with it.
pub(super) const END_OF_STREAM_BYTES: usize = 8;

/// Begins a checksum. 64 bits, as it guards a reader that trusts what it is given: one damage in 2^64 is not seen.
pub(super) fn checksum() -> Digest {
    Digest::new(CrcAlgorithm::Crc64Nvme)
}

/// Returns the checksum of some bytes.
pub(super) fn checksum_of(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

/// A message of Arrow's, whole: its prefix, its header and its body.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Message {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// How long it is.
    pub(crate) bytes: u64,
    /// The checksum of these bytes.
    pub(crate) crc: u64,
}

impl Message {
    /// Returns where it ends in the file.
    fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.bytes)
    }

    /// Returns its bytes in a file, if they are those that were written.
    pub(super) fn of<'f>(&self, file: &'f [u8]) -> Option<&'f [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let end = usize::try_from(self.end()?).ok()?;
        file.get(start..end).filter(|bytes| checksum_of(bytes) == self.crc)
    }
}

/// What the rows of a batch span.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Span {
    /// How many there are; never none.
    pub(crate) rows: u64,
    /// The index of the first.
    pub(crate) first_index: u64,
    /// The index of the last.
    pub(crate) last_index: u64,
    /// When the first arrived.
    pub(crate) first_arrival: i64,
    /// When the last arrived.
    pub(crate) last_arrival: i64,
}

impl Span {
    /// Tells whether rows can span this: there is one, and no more of them than indices.
    fn is_possible(&self) -> bool {
        let above = self.last_index.checked_sub(self.first_index);
        let fit = above.is_some_and(|above| 0 < self.rows && self.rows - 1 <= above);
        fit && self.first_arrival <= self.last_arrival
    }
}

/// A batch of rows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Batch {
    /// Where it lies.
    pub(crate) message: Message,
    /// What its rows span.
    pub(crate) span: Span,
}

/// What a segment says of itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Footer {
    /// The format.
    pub(crate) version: u32,
    /// The shard.
    pub(crate) shard: u32,
    /// When the shard was created, in seconds since 1970.
    pub(crate) created_seconds: u64,
    /// How bodies of messages are compressed.
    pub(crate) compression: Compression,
    /// The columns.
    pub(crate) schema: Message,
    /// The values of dictionary columns.
    pub(crate) dictionaries: Vec<Message>,
    /// The rows, in order; never none.
    pub(crate) batches: Vec<Batch>,
}

/// The one member that every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// What stands behind the text of a footer: its checksum.
fn mark(text: &[u8]) -> String {
    format!("\t{:016x}", checksum_of(text))
}

/// Tells whether some text begins with that of a footer, as it was written.
pub(super) fn is_marked(text: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let is_read = matches!(values.next(), Some(Ok(_)));
    let (value, behind) = text.split_at(values.byte_offset());
    is_read && behind.starts_with(mark(value).as_bytes())
}

/// Reads the first value of some text, and nothing behind it.
fn first_of<'t, T: Deserialize<'t>>(text: &'t [u8]) -> Result<T, serde_json::Error> {
    T::deserialize(&mut serde_json::Deserializer::from_slice(text))
}

impl Footer {
    /// Writes the footer as text: two equal lines, each with its own checksum, so that one damaged byte leaves a whole one
    /// to be repaired by.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        let text = serde_json::to_string(self)?;
        let line = format!("{text}{}", mark(text.as_bytes()));
        Ok(format!("{line}\n{line}"))
    }

    /// Reads the first line of such text.
    pub(super) fn from_text(path: &str, offset: u64, text: &[u8]) -> Result<Self, StoreError> {
        let not_read = |error| StoreError::damaged(path, offset, format!("its footer: {error}"));
        let Versioned { version } = first_of(text).map_err(not_read)?;
        if VERSION < version {
            return Err(StoreError::TooNew { path: path.to_owned(), version, known: VERSION });
        }
        first_of(text).map_err(not_read)
    }

    /// Reads the footer of a file, whose tail is as it was written if `info` says so.
    pub(super) fn read(path: &str, file: &[u8], info: &SegmentInfo) -> Result<Self, StoreError> {
        if file.len() as u64 != info.bytes {
            let (is, was, at) = (file.len() as u64, info.bytes, info.bytes.min(file.len() as u64));
            let fault = format!("it is {is} bytes long and was written with {was}");
            return Err(StoreError::damaged(path, at, fault));
        }
        let start = tail_start(file).unwrap_or(0);
        let damaged = |fault: &str| StoreError::damaged(path, start as u64, fault);
        let tail = &file[start..];
        if start == 0 || checksum_of(tail) != info.footer_crc {
            return Err(damaged("the checksum of its footer is wrong"));
        }
        let text = metadata(tail).ok_or_else(|| damaged("its footer is none of a segment's"))?;
        let footer = Self::from_text(path, start as u64, text.as_bytes())?;
        if footer.agrees_with(info) && footer.covers(start as u64) && file.starts_with(&HEAD) {
            return Ok(footer);
        }
        let fault = "it begins as no segment does, or its footer is another segment's";
        Err(StoreError::damaged(path, 0, fault))
    }

    pub(super) fn agrees_with(&self, info: &SegmentInfo) -> bool {
        let bounds = (self.batches.first(), self.batches.last());
        let (Some(first), Some(last)) = bounds else { return false };
        let rows: u128 = self.batches.iter().map(|batch| u128::from(batch.span.rows)).sum();
        self.shard == info.shard
            && self.created_seconds == info.created_seconds
            && info.first_index <= first.span.first_index
            && last.span.last_index == info.last_index
            && rows == u128::from(info.rows)
    }

    /// Tells whether messages follow each other from the head up to the tail, and rows from batch to batch.
    fn covers(&self, tail: u64) -> bool {
        let mut end = Some(HEAD.len() as u64);
        for message in self.messages() {
            if Some(message.offset) != end {
                return false;
            }
            end = message.end();
        }
        let ordered = |pair: &[Batch]| {
            let (before, after) = (&pair[0].span, &pair[1].span);
            before.last_index < after.first_index && before.last_arrival <= after.first_arrival
        };
        let possible = self.batches.iter().all(|batch| batch.span.is_possible());
        end == Some(tail) && possible && self.batches.windows(2).all(ordered)
    }

    /// Returns all messages, in order.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        let batches = self.batches.iter().map(|batch| &batch.message);
        std::iter::once(&self.schema).chain(&self.dictionaries).chain(batches)
    }
}

/// Returns where the tail of a file begins, as its last bytes say; never 0.
pub(super) fn tail_start(file: &[u8]) -> Option<usize> {
    let (rest, trailer) = file.split_last_chunk::<TRAILER_BYTES>()?;
    let [a, b, c, d, magic @ ..] = trailer;
    let footer = usize::try_from(i32::from_le_bytes([*a, *b, *c, *d])).ok()?;
    let start = rest.len().checked_sub(footer)?.checked_sub(END_OF_STREAM_BYTES)?;
    (magic == b"ARROW1" && HEAD.len() <= start).then_some(start)
}

/// Returns Arrow's footer within a tail, copied: its reader asks for numbers to be aligned.
pub(super) fn arrow_footer(tail: &[u8]) -> Option<Vec<u8>> {
    Some(tail.get(END_OF_STREAM_BYTES..tail.len().checked_sub(TRAILER_BYTES)?)?.to_vec())
}

/// Returns what Arrow's footer keeps under our name.
fn metadata(tail: &[u8]) -> Option<String> {
    let bytes = arrow_footer(tail)?;
    let footer = root_as_footer(&bytes).ok()?;
    let ours = footer.custom_metadata()?.iter().find(|pair| pair.key() == Some(METADATA_KEY))?;
    ours.value().map(str::to_owned)
}
