//! Seals a run of a stream's log: a file for each shard, stable when the call returns.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::block::Block;
use crate::record::sequence::ShardBirth;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::disk::with_those_above;
use crate::store::generation::GenerationInfo;
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
    let sealed = sync_names(disk, folder, &parts).and_then(|()| {
        parts.iter().filter_map(|part| part.sealed.clone()).collect::<Result<Vec<_>, _>>()
    });
    let sealed = sealed.inspect_err(|_| remove(disk, folder, &parts))?;
    Ok(GenerationInfo {
        first_index: first.first_index(),
        end_index: last.end_index(),
        rows: blocks.iter().map(|block| block.len() as u64).sum(),
        weight: sealed.iter().map(|(_, weight)| weight).sum(),
        first_arrival: first.arrivals.at(0).0,
        last_arrival: last.arrivals.at(last.len() - 1).0,
        segments: sealed.into_iter().map(|(info, _)| info).collect(),
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

/// Makes the names of the files stable.
fn sync_names(disk: &dyn Disk, folder: &str, parts: &[Part]) -> Result<(), StoreError> {
    let sync = |folder: &str| {
        disk.sync_folder(folder).map_err(|error| StoreError::io("cannot sync", folder, error))
    };
    if parts.iter().any(|part| !matches!(part.sealed, Some(Ok(_)))) {
        return Ok(());
    }
    for part in parts {
        // The file has its name once this is stable: the journal may forget its rows only after.
        sync(&shard_folder(folder, part.birth.shard))?;
    }
    // The folders of shards that had no segment before are new names, and so are those above them at the first segment.
    with_those_above(folder).try_for_each(sync)
}

/// Takes away what was written of a generation that failed.
fn remove(disk: &dyn Disk, folder: &str, parts: &[Part]) {
    for part in parts {
        if let Some(Ok((info, _))) = &part.sealed {
            // The failure is told; a file that stays is one that no store knows, and goes at the next start.
            let _removed = disk.remove(&info.path(folder));
        }
    }
}
