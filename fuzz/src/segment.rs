//! A sealed segment of any bytes: whatever a disk gives, it is read or refused, and what is read is in order.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use shardstream::clock::Millis;
use shardstream::store::Disk;
use shardstream::store::DiskFile;
use shardstream::store::StoreError;
use shardstream::store::disk::Name;
use shardstream::store::generation::Generation;
use shardstream::store::generation::GenerationInfo;
use shardstream::store::generation::Stretch;
use shardstream::store::segment::SegmentInfo;
use shardstream::store::segment::examine;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let disk: Arc<dyn Disk> = Arc::new(OneFile(Bytes::copy_from_slice(bytes)));
    // What the file says of itself is taken for what the store keeps: so it is not refused for its length or checksum.
    let Ok(examined) = examine(disk.as_ref(), "a.arrow", None) else { return };
    let whole = examined.is_whole();
    let generation = Generation::new(Arc::clone(&disk), "stream", generation(&examined.info));
    let read = rows(&generation, &examined.info);
    if whole {
        assert_eq!(read, Ok(examined.info.rows));
    }
    if let Ok(found) = generation.first_index_at(Millis(1_700_000_000_000)) {
        let (first, end) = (generation.info().first_index, generation.info().end_index);
        assert!((first..=end).contains(&found), "{found} is none of {first}..={end}");
    }
}

/// Takes the segment as all that is left of a generation of many rows.
fn generation(segment: &SegmentInfo) -> GenerationInfo {
    GenerationInfo {
        first_index: segment.first_index,
        end_index: segment.last_index.saturating_add(1),
        rows: segment.rows,
        weight: segment.bytes,
        first_arrival: i64::MIN,
        last_arrival: i64::MAX,
        segments: vec![segment.clone()],
    }
}

/// Counts the rows that are read, each with an index above the one before.
fn rows(generation: &Generation, segment: &SegmentInfo) -> Result<u64, StoreError> {
    let stretches = generation.shard_stretches(segment.birth().shard, 0, u64::MAX)?;
    let (mut count, mut next) = (0, 0);
    for stretch in &stretches {
        for index in indices(stretch)? {
            assert!(next <= index, "{index} comes after {next}");
            next = index + 1;
            count += 1;
        }
    }
    Ok(count)
}

fn indices(stretch: &Stretch) -> Result<Vec<u64>, StoreError> {
    let block = stretch.load()?;
    let schema = stretch.row_schema()?;
    let index = |row: usize| {
        let data = block.payload.data(row);
        assert!(data.is_ok() || schema.is_some(), "bytes are given as they were put");
        assert_eq!(block.sequence_number(row).index, block.index(row));
        block.index(row)
    };
    Ok((stretch.start()..stretch.end()).map(index).collect())
}

/// A disk on which every file holds the same.
#[derive(Debug)]
struct OneFile(Bytes);

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Disk for OneFile {
    fn create_folder(&self, _path: &str) -> io::Result<()> {
        unsupported()
    }

    fn create(&self, _path: &str) -> io::Result<Box<dyn DiskFile>> {
        unsupported()
    }

    fn open(&self, _path: &str) -> io::Result<Box<dyn DiskFile>> {
        unsupported()
    }

    fn map(&self, _path: &str) -> io::Result<Bytes> {
        Ok(self.0.clone())
    }

    fn read_at(&self, _path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        Ok(self.0.iter().skip(offset).take(len).copied().collect())
    }

    fn len(&self, _path: &str) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn list(&self, _path: &str) -> io::Result<Vec<Name>> {
        unsupported()
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        unsupported()
    }

    fn link(&self, _from: &str, _to: &str) -> io::Result<()> {
        unsupported()
    }

    fn link_out(&self, _from: &str, _to: &Path) -> io::Result<()> {
        unsupported()
    }

    fn remove(&self, _path: &str) -> io::Result<()> {
        unsupported()
    }

    fn remove_folder(&self, _path: &str) -> io::Result<()> {
        unsupported()
    }

    fn sync_folder(&self, _path: &str) -> io::Result<()> {
        unsupported()
    }
}
