//! A segment is read as it was written, or its damage is named; what is whole of it can be kept.

use super::*;
use crate::record::block::Block;
use crate::record::payload::Payload;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::generation::sample::Kind;
use crate::store::generation::sample::Row;
use crate::store::generation::sample::assert_same;
use crate::store::generation::sample::birth;
use crate::store::generation::sample::blocks;
use crate::store::generation::sample::rows_of;
use crate::store::segment::memory::Memory;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::OnceLock;

const FOLDER: &str = "clicks";

/// Writes the rows of one shard, in batches of the blocks' lengths where these are as long as a batch may be.
fn written(blocks: &[Arc<Block>], compression: Compression) -> (Memory, SegmentInfo) {
    let disk = Memory::default();
    disk.create_folder(&shard_folder(FOLDER, birth(0).shard)).unwrap();
    let first_index = blocks[0].first_index();
    let path = path(FOLDER, birth(0).shard, first_index);
    let (info, _) = write(&disk, &path, (birth(0), first_index), blocks, compression).unwrap();
    (disk, info)
}

fn read(disk: &Memory, info: &SegmentInfo) -> Result<Vec<Row>, StoreError> {
    let segment = Segment::new(FOLDER, info.clone());
    let shared = OnceLock::new();
    let opened = segment.open(disk, &shared)?;
    let blocks = (0..opened.batches().len()).map(|batch| opened.load(batch));
    Ok(rows_of(&blocks.collect::<Result<Vec<Arc<Block>>, StoreError>>()?))
}

/// Large rows: a batch has only some of them.
fn in_batches(count: usize) -> Vec<Arc<Block>> {
    let blocks = blocks(Kind::Bytes(0), &vec![1; count], 1);
    let heavy = |(number, block): (usize, &Arc<Block>)| {
        let mut block = block.as_ref().clone();
        let data = arrow_array::BinaryArray::from_iter_values([vec![
            u8::try_from(number).unwrap();
            5 << 20
        ]]);
        block.payload = Payload::Bytes(crate::record::payload::BytesColumn::Offsets(data));
        Arc::new(block)
    };
    blocks.iter().enumerate().map(heavy).collect()
}

#[test]
fn a_flipped_bit_in_any_byte_is_seen_and_named() {
    for (kind, compression) in [
        (Kind::Bytes(0), Compression::None),
        (Kind::Table, Compression::None),
        (Kind::Table, Compression::Zstd),
    ] {
        let (disk, info) = written(&blocks(kind, &[4], 1), compression);
        let path = info.path(FOLDER);
        let whole = disk.read(&path);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            disk.write(&path, &bytes);
            disk.mapped.lock().clear();
            let error = read(&disk, &info).map(drop).expect_err("a damaged file is no whole one");
            let StoreError::Damaged { path: named, offset, .. } = error else {
                panic!("{error}: not damage")
            };
            assert_eq!(named, path);
            assert!(offset <= at as u64, "the damage at {at} is said to begin at {offset}");
        }
    }
}

#[test]
fn a_file_that_is_cut_off_or_longer_is_damaged() {
    let (disk, info) = written(&blocks(Kind::Bytes(0), &[20], 1), Compression::None);
    let path = info.path(FOLDER);
    let whole = disk.read(&path);
    for len in 0..whole.len() {
        disk.write(&path, &whole[..len]);
        disk.mapped.lock().clear();
        let Err(StoreError::Damaged { offset, .. }) = read(&disk, &info) else {
            panic!("{len} bytes of {} are no segment", whole.len())
        };
        assert_eq!(offset, len as u64);
    }
    disk.write(&path, &[&whole[..], b"more"].concat());
    assert!(matches!(read(&disk, &info), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_segment_of_another_place_is_damaged() {
    let (disk, info) = written(&blocks(Kind::Bytes(0), &[20], 1), Compression::None);
    for other in [
        SegmentInfo { created_seconds: 1, ..info.clone() },
        SegmentInfo { last_index: 1_018, ..info.clone() },
        SegmentInfo { rows: 19, ..info.clone() },
    ] {
        assert!(matches!(read(&disk, &other), Err(StoreError::Damaged { .. })), "{other:?}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let text = br#"{"version":7,"what":"nobody knows yet"}"#;
    let error = footer::Footer::from_text("a.arrow", 0, text).unwrap_err();
    let expected = StoreError::TooNew { path: "a.arrow".into(), version: 7, known: 1 };
    assert_eq!(error, expected);
}

#[test]
fn a_full_disk_is_said_to_be_full() {
    let disk = Memory::default();
    disk.create_folder(&shard_folder(FOLDER, birth(0).shard)).unwrap();
    *disk.left.lock() = Some(1);
    let blocks = blocks(Kind::Bytes(0), &[20], 1);
    let error =
        write(&disk, &path(FOLDER, birth(0).shard, 0), (birth(0), 0), &blocks, Compression::None);
    assert!(matches!(error, Err(StoreError::Full { bytes: 1.., .. })), "{error:?}");
}

#[test]
fn each_way_to_compress_gives_the_same_rows() {
    let blocks = blocks(Kind::Table, &[300, 200], 1);
    let mut sizes = Vec::new();
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let (disk, info) = written(&blocks, compression);
        assert_same(&read(&disk, &info).unwrap(), &rows_of(&blocks));
        sizes.push(info.bytes);
    }
    assert!(sizes[1] < sizes[0] && sizes[2] < sizes[1], "{sizes:?}");
}

#[test]
fn columns_called_as_ours_are_kept_under_other_names() {
    let (disk, info) = written(&blocks(Kind::Table, &[3], 1), Compression::None);
    let file = disk.read(&info.path(FOLDER));
    let reader = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(file), None).unwrap();
    let schema = reader.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let ours = ["sequence_number", "sequence_index", "arrival_time", "partition_key"];
    assert_eq!(names[..4], ours);
    let kept = ["rows.data", "rows.sequence_number", "rows.rows.data", "rows.other", "text"];
    assert_eq!(names[4..9], kept);
}

#[test]
fn a_segment_is_a_file_that_arrow_reads() {
    let blocks = blocks(Kind::Bytes(0), &[300], 1);
    let (disk, info) = written(&blocks, Compression::None);
    let file = std::io::Cursor::new(disk.read(&info.path(FOLDER)));
    let batches: Vec<_> = arrow_ipc::reader::FileReader::try_new(file, None)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let numbers = arrow_array::cast::AsArray::as_string::<i32>(batches[0].column(0)).clone();
    for row in 0..300 {
        assert_eq!(numbers.value(row), blocks[0].sequence_number(row).to_string());
    }
}

#[test]
fn batches_are_bounded_in_bytes() {
    let blocks = in_batches(4);
    let (disk, info) = written(&blocks, Compression::None);
    let examined = examine(&disk, &info.path(FOLDER), Some(&info)).unwrap();
    assert_eq!(examined.batches.iter().map(|batch| batch.rows).collect::<Vec<_>>(), [1; 4]);
    assert_same(&read(&disk, &info).unwrap(), &rows_of(&blocks));
}

#[test]
fn what_is_examined_whole_is_what_the_store_keeps() {
    let (disk, info) = written(&in_batches(2), Compression::Lz4);
    for known in [Some(&info), None] {
        let examined = examine(&disk, &info.path(FOLDER), known).unwrap();
        assert!(examined.is_whole());
        assert_eq!(examined.info, info);
    }
}

#[test]
fn a_repair_keeps_the_batches_that_are_whole() {
    let blocks = in_batches(3);
    let (disk, info) = written(&blocks, Compression::None);
    let path = info.path(FOLDER);
    let whole = examine(&disk, &path, Some(&info)).unwrap();
    for lost in 0..3 {
        let mut bytes = disk.read(&path);
        let kept = bytes.clone();
        bytes[usize::try_from(whole.batches[lost].offset).unwrap() + 1_000_000] ^= 4;
        disk.write(&path, &bytes);
        let examined = examine(&disk, &path, Some(&info)).unwrap();
        let faults: Vec<bool> = examined.batches.iter().map(|each| each.fault.is_some()).collect();
        assert_eq!(faults, [lost == 0, lost == 1, lost == 2]);
        let repaired = rewrite(&disk, &path, Some(&info)).unwrap().unwrap();
        assert_eq!((repaired.rows, repaired.path(FOLDER)), (2, path.clone()));
        let mut expected = rows_of(&blocks);
        expected.remove(lost);
        assert_same(&read(&disk, &repaired).unwrap(), &expected);
        disk.write(&path, &kept);
    }
}

#[test]
fn a_repair_finds_all_rows_where_only_what_surrounds_them_is_damaged() {
    let blocks = blocks(Kind::Bytes(0), &[20], 1);
    let (disk, info) = written(&blocks, Compression::None);
    let path = info.path(FOLDER);
    let whole = disk.read(&path);
    let batch = examine(&disk, &path, Some(&info)).unwrap().batches[0].clone();
    let end = usize::try_from(batch.offset + batch.bytes).unwrap();
    for at in (0..usize::try_from(batch.offset).unwrap()).chain(end..whole.len()) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.write(&path, &bytes);
        disk.mapped.lock().clear();
        assert!(!examine(&disk, &path, Some(&info)).unwrap().is_whole(), "byte {at}");
        let repaired = rewrite(&disk, &path, Some(&info)).unwrap();
        assert_eq!(repaired.as_ref(), Some(&info), "byte {at}");
        assert_eq!(disk.read(&path), whole, "byte {at}");
    }
}

#[test]
fn a_file_without_anything_whole_stays_as_it_is() {
    let (disk, info) = written(&blocks(Kind::Bytes(0), &[20], 1), Compression::None);
    let path = info.path(FOLDER);
    let batch = examine(&disk, &path, None).unwrap().batches[0].clone();
    let mut bytes = disk.read(&path);
    bytes[usize::try_from(batch.offset).unwrap() + 100] ^= 1;
    disk.write(&path, &bytes);
    assert_eq!(rewrite(&disk, &path, Some(&info)).unwrap(), None);
    assert_eq!(disk.read(&path), bytes);
    disk.write(&path, &bytes[..1_000]);
    assert!(matches!(examine(&disk, &path, Some(&info)), Err(StoreError::Damaged { .. })));
}

proptest! {
    #[test]
    fn damage_of_any_kind_changes_no_row(
        cut in 0..4_000_usize,
        junk in prop::collection::vec(any::<u8>(), 0..40),
        table: bool,
    ) {
        let kind = if table { Kind::Table } else { Kind::Bytes(1) };
        let blocks = blocks(kind, &[9], 1);
        let (disk, info) = written(&blocks, Compression::None);
        let path = info.path(FOLDER);
        let mut bytes = disk.read(&path);
        let start = cut.min(bytes.len());
        let end = bytes.len().min(start + junk.len());
        bytes[start..end].copy_from_slice(&junk[..end - start]);
        disk.write(&path, &bytes);
        if let Ok(found) = read(&disk, &info) {
            assert_same(&found, &rows_of(&blocks));
        }
        // Whatever is left is some of the rows.
        if let Ok(Some(repaired)) = rewrite(&disk, &path, Some(&info)) {
            assert_same(&read(&disk, &repaired).unwrap(), &rows_of(&blocks));
        }
    }
}

#[test]
fn what_is_examined_whole_by_itself_is_read_as_it_was_written() {
    let blocks = blocks(Kind::Bytes(0), &[20], 1);
    let (disk, info) = written(&blocks, Compression::None);
    let path = info.path(FOLDER);
    let whole = disk.read(&path);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.write(&path, &bytes);
        disk.mapped.lock().clear();
        // Nobody keeps what the file was: so it may say what it is.
        let examined = examine(&disk, &path, None).unwrap();
        if examined.is_whole() && examined.info.path(FOLDER) == path {
            assert_same(&read(&disk, &examined.info).unwrap(), &rows_of(&blocks));
        }
    }
}
