//! Seals a run of a stream's log: a file for each shard, stable when the call returns.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::block::Block;
use crate::record::sequence::ShardBirth;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::generation::GenerationInfo;
use crate::store::generation::names;
use crate::store::segment;
use crate::store::segment::Compression;
use crate::store::segment::SegmentInfo;
use crate::store::segment::shard_folder;
use crate::threads::Threads;

/// Tells whether two blocks may be sealed together: a segment has one schema, and one dictionary for each column.
pub fn fits_together(a: &Block, b: &Block) -> bool {
    segment::same_columns(a, b)
}

/// A shard whose rows are to be sealed.
struct Part {
    birth: ShardBirth,
    first_index: u64,
    /// What became of it.
    sealed: Option<Result<(SegmentInfo, u64), StoreError>>,
}

/// Writes blocks of a stream, in order, as one segment for each shard that has rows in them. All of them fit together
/// ([`fits_together`]). When this returns, every file and every name is stable; when it fails, no file is left.
///
/// # Panics
///
/// Without blocks.
pub fn seal(
    disk: &dyn Disk,
    folder: &str,
    blocks: &[Arc<Block>],
    compression: Compression,
    threads: Threads,
) -> Result<GenerationInfo, StoreError> {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        panic!("a generation has rows");
    };
    let mut parts = parts(blocks);
    let write = |part: &mut Part| {
        let path = segment::path(folder, part.birth.shard, part.first_index);
        let shard_folder = shard_folder(folder, part.birth.shard);
        let made = disk.create_folder(&shard_folder);
        let made = made.map_err(|error| StoreError::io("cannot create", &shard_folder, error));
        let named = (part.birth, part.first_index);
        let sealed = made.and_then(|()| segment::write(disk, &path, named, blocks, compression));
        part.sealed = Some(sealed);
    };
    threads.on_each(parts.iter_mut(), || true, write);
    let (mut segments, mut weight, mut done) = (Vec::new(), 0, Ok(()));
    for sealed in parts.into_iter().filter_map(|part| part.sealed) {
        match sealed {
            Ok((info, of_it)) => {
                segments.push(info);
                weight += of_it;
            }
            Err(error) => done = done.and(Err(error)),
        }
    }
    let done = done.and_then(|()| names::sync(disk, folder, &segments));
    // The failure is told.
    done.inspect_err(|_| names::remove(disk, folder, &segments))?;
    Ok(GenerationInfo {
        first_index: first.first_index(),
        end_index: last.end_index(),
        rows: blocks.iter().map(|block| block.len() as u64).sum(),
        weight,
        first_arrival: first.arrivals.at(0).0,
        last_arrival: last.arrivals.at(last.len() - 1).0,
        segments,
    })
}

/// Lists the shards that have rows, by shard, with the index of the first.
fn parts(blocks: &[Arc<Block>]) -> Vec<Part> {
    let mut parts = BTreeMap::new();
    for block in blocks {
        for run in block.routes.runs() {
            parts.entry(run.birth.shard).or_insert_with(|| {
                let first = run.rows.as_ref().and_then(|rows| rows.first());
                let first_index = block.index(first.map_or(0, |&row| row as usize));
                Part { birth: run.birth, first_index, sealed: None }
            });
        }
    }
    parts.into_values().collect()
}
