//! What of a damaged segment can still be read, and the segment of that alone.

use std::sync::Arc;

use bytes::Bytes;

use crate::record::block::Block;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::segment::SegmentInfo;
use crate::store::segment::footer::Batch;
use crate::store::segment::footer::Footer;
use crate::store::segment::footer::HEAD;
use crate::store::segment::footer::checksum_of;
use crate::store::segment::footer::is_marked;
use crate::store::segment::footer::tail_start;
use crate::store::segment::reader::Decoder;
use crate::store::segment::write;

/// How the text of a footer begins.
const FOOTER_START: &[u8] = b"{\"version\":";

/// Damage outside of batches.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where it begins.
    pub offset: u64,
    /// What is wrong there.
    pub fault: String,
}

/// A batch of rows, and whether it is whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExaminedBatch {
    /// Where it begins in the file.
    pub offset: u64,
    /// How long it is there.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
    /// The index of its first row.
    pub first_index: u64,
    /// The index of its last row.
    pub last_index: u64,
    /// What is wrong with it; `None` if it is whole.
    pub fault: Option<String>,
}

/// What was found in a segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// The segment as it says itself that it is: what a store kept of it, if all is whole.
    pub info: SegmentInfo,
    /// What is wrong beside the batches.
    pub faults: Vec<Fault>,
    /// The batches, in order.
    pub batches: Vec<ExaminedBatch>,
}

impl Examined {
    /// Tells whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.batches.iter().all(|batch| batch.fault.is_none())
    }
}

/// Looks at every byte of a segment, and says what is whole; an error if not even its footer can be found.
pub fn examine(
    disk: &dyn Disk,
    path: &str,
    info: Option<&SegmentInfo>,
) -> Result<Examined, StoreError> {
    Ok(Remains::find(disk, path, info)?.examined())
}

/// Writes what is whole of a segment under its name, and says what it is now; `None`, and nothing is changed, where
/// nothing is whole. The index that names it stays, even if the row is lost.
pub fn rewrite(
    disk: &dyn Disk,
    path: &str,
    info: Option<&SegmentInfo>,
) -> Result<Option<SegmentInfo>, StoreError> {
    let remains = Remains::find(disk, path, info)?;
    let blocks: Vec<Arc<Block>> =
        remains.blocks().filter_map(|(_, block)| block.ok().map(Arc::new)).collect();
    if blocks.is_empty() {
        return Ok(None);
    }
    let (birth, first_index) = (remains.birth(), first_index(path, &remains.footer));
    let compression = remains.footer.compression;
    let (info, _) = write(disk, path, (birth, first_index), &blocks, compression)?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // Until then the name may still be the damaged file's.
    disk.sync_folder(folder).map_err(|error| StoreError::io("cannot sync", folder, error))?;
    Ok(Some(info))
}

/// What is left of a segment.
struct Remains {
    path: String,
    file: Bytes,
    footer: Footer,
    decoder: Result<Decoder, StoreError>,
    faults: Vec<Fault>,
}

impl Remains {
    fn find(disk: &dyn Disk, path: &str, info: Option<&SegmentInfo>) -> Result<Self, StoreError> {
        let file = disk.map(path).map_err(|error| StoreError::io("cannot read", path, error))?;
        let mut faults = Vec::new();
        let footer = match info.map(|info| Footer::read(path, &file, info)) {
            Some(Ok(footer)) => footer,
            Some(Err(refused @ StoreError::TooNew { .. })) => return Err(refused),
            whole => {
                let found = found_footer(path, &file, info)?;
                // Where nobody keeps what it was, it is asked whether it agrees with itself.
                faults.extend(match whole {
                    Some(read) => read.err().map(fault),
                    None => disagreement(path, &file, &found),
                });
                found
            }
        };
        let mut decoder = Decoder::open(path, &file, &footer);
        if let Err(error) = &decoder {
            faults.push(fault(error.clone()));
            let tail = info.and_then(|info| whole_tail(&file, info));
            let by_tail = tail.and_then(|tail| Decoder::open_by_tail(path, &file, tail, &footer));
            decoder = by_tail.map_or(decoder, Ok);
        }
        Ok(Self { path: path.to_owned(), file, footer, decoder, faults })
    }

    fn birth(&self) -> ShardBirth {
        let shard = ShardIndex(self.footer.shard);
        ShardBirth { shard, created_seconds: self.footer.created_seconds }
    }

    /// Reads all batches.
    fn blocks(&self) -> impl Iterator<Item = (&Batch, Result<Block, String>)> {
        let birth = self.birth();
        self.footer.batches.iter().map(move |batch| {
            let block = match &self.decoder {
                Ok(decoder) => decoder.block(&self.file, batch, birth),
                Err(error) => Err(fault(error.clone()).fault),
            };
            (batch, block)
        })
    }

    fn examined(self) -> Examined {
        let batches = self.blocks().map(|(batch, block)| ExaminedBatch {
            offset: batch.message.offset,
            bytes: batch.message.bytes,
            rows: batch.span.rows,
            first_index: batch.span.first_index,
            last_index: batch.span.last_index,
            fault: block.err(),
        });
        let batches: Vec<ExaminedBatch> = batches.collect();
        let info = own_info(&self.path, &self.file, &self.footer);
        Examined { info, faults: self.faults, batches }
    }
}

/// The index that the file's name says; without one, that of its first row.
fn first_index(path: &str, footer: &Footer) -> u64 {
    let name = path.rsplit('/').next().and_then(|name| name.strip_suffix(".arrow"));
    let named = name.and_then(|digits| digits.parse().ok());
    named.unwrap_or_else(|| footer.batches.first().map_or(0, |batch| batch.span.first_index))
}

/// What a store would keep of a file, as the file says it.
fn own_info(path: &str, file: &[u8], footer: &Footer) -> SegmentInfo {
    let spans = footer.batches.iter().map(|batch| batch.span);
    SegmentInfo {
        shard: footer.shard,
        created_seconds: footer.created_seconds,
        first_index: first_index(path, footer),
        last_index: footer.batches.last().map_or(0, |batch| batch.span.last_index),
        rows: spans.fold(0, |rows, span| span.rows.saturating_add(rows)),
        bytes: file.len() as u64,
        footer_crc: checksum_of(tail_start(file).map_or(&[], |start| &file[start..])),
    }
}

/// Says what is wrong with a file that does not read as the footer that was found in it.
fn disagreement(path: &str, file: &[u8], found: &Footer) -> Option<Fault> {
    match Footer::read(path, file, &own_info(path, file, found)) {
        Ok(read) if read == *found => None,
        Ok(_) => {
            let offset = tail_start(file).map_or(0, |start| start as u64);
            Some(Fault { offset, fault: "the two texts of its footer differ".to_owned() })
        }
        Err(error) => Some(fault(error)),
    }
}

fn fault(error: StoreError) -> Fault {
    match error {
        StoreError::Damaged { offset, fault, .. } => Fault { offset, fault },
        other => Fault { offset: 0, fault: other.to_string() },
    }
}

/// Returns the tail of a file, if it is as it was written.
fn whole_tail<'f>(file: &'f [u8], info: &SegmentInfo) -> Option<&'f [u8]> {
    let tail = &file[tail_start(file)?..];
    (checksum_of(tail) == info.footer_crc).then_some(tail)
}

/// Looks for the text of a footer, which stands twice at the end of a file, and takes the better one. It may be damaged
/// itself: it is believed of a message only what the message's checksum confirms.
fn found_footer(path: &str, file: &[u8], info: Option<&SegmentInfo>) -> Result<Footer, StoreError> {
    let mut best = None;
    let mut before = file;
    let mut refused = StoreError::damaged(path, HEAD.len() as u64, "its footer cannot be found");
    for _ in 0..2 {
        let starts = |window: &[u8]| window == FOOTER_START;
        let Some(start) = before.windows(FOOTER_START.len()).rposition(starts) else { break };
        let (rest, _) = before.split_at(start);
        before = rest;
        let text = &file[start..];
        match Footer::from_text(path, start as u64, text) {
            Ok(footer) => {
                let agrees = info.is_some_and(|info| footer.agrees_with(info));
                let whole = footer.messages().filter(|message| message.of(file).is_some()).count();
                let rank = (is_marked(text), agrees, whole);
                if best.as_ref().is_none_or(|(highest, _)| *highest < rank) {
                    best = Some((rank, footer));
                }
            }
            Err(error) => refused = error,
        }
    }
    best.map(|(_, footer)| footer).ok_or(refused)
}
