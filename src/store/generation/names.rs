//! The names of a generation's files: made stable, given a second time, and taken away.

use std::io;

use crate::store::Disk;
use crate::store::StoreError;
use crate::store::disk::with_those_above;
use crate::store::generation::Generation;
use crate::store::generation::GenerationInfo;
use crate::store::segment::SegmentInfo;
use crate::store::segment::shard_folder;

/// Gives a file a second name.
pub type Link<'a> = &'a mut dyn FnMut(&str, &str) -> io::Result<()>;

/// Gives a generation's files second names in a stream's folder. They are stable when this returns; what fails leaves none.
pub fn link(
    disk: &dyn Disk,
    folder: &str,
    generation: &Generation,
    link: Link<'_>,
) -> Result<GenerationInfo, StoreError> {
    let (mut linked, info) = (Vec::new(), generation.info());
    let done = generation.paths().iter().zip(&info.segments).try_for_each(|(from, info)| {
        let made = disk.create_folder(&shard_folder(folder, info.birth().shard));
        let done = made.and_then(|()| link(from, &info.path(folder)));
        done.map_err(|error| StoreError::io("cannot link", from, error))?;
        linked.push(info.clone());
        Ok(())
    });
    let done = done.and_then(|()| sync(disk, folder, &linked));
    done.inspect_err(|_| remove(disk, folder, &linked))?;
    Ok(GenerationInfo { segments: linked, ..info.clone() })
}

/// Makes the names of segments stable: they must be there before anything says that they are.
pub(super) fn sync(
    disk: &dyn Disk,
    folder: &str,
    segments: &[SegmentInfo],
) -> Result<(), StoreError> {
    let sync = |folder: &str| {
        disk.sync_folder(folder).map_err(|error| StoreError::io("cannot sync", folder, error))
    };
    for info in segments {
        // The file has its name once this is stable: the journal may forget its rows only after.
        sync(&shard_folder(folder, info.birth().shard))?;
    }
    // The folders of shards that had no segment before are new names, and so are those above them at the first segment.
    with_those_above(folder).try_for_each(sync)
}

/// Takes segments away that no store knows; one that stays goes when the store is opened after a crash.
pub fn remove(disk: &dyn Disk, folder: &str, segments: &[SegmentInfo]) {
    for info in segments {
        let _left = disk.remove(&info.path(folder));
    }
}
