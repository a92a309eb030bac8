//! What was sealed is read as it was written, by shard and merged.

use super::*;
use crate::record::payload::Payload;
use crate::store::generation::sample::Kind;
use crate::store::generation::sample::Row;
use crate::store::generation::sample::assert_same;
use crate::store::generation::sample::birth;
use crate::store::generation::sample::blocks;
use crate::store::generation::sample::rows_of;
use crate::store::segment::Compression;
use crate::store::segment::memory::Memory;
use crate::threads::Threads;
use arrow_array::Array;
use proptest::prelude::*;

const FOLDER: &str = "events/clicks";

/// Seals blocks on a new disk.
fn sealed(blocks: &[Arc<Block>], compression: Compression) -> (Arc<Memory>, Generation) {
    let disk = Arc::new(Memory::default());
    let threads = Threads::new(Some(2)).unwrap();
    let info = seal(disk.as_ref(), FOLDER, blocks, compression, threads).unwrap();
    let generation = Generation::new(Arc::clone(&disk) as Arc<dyn Disk>, FOLDER, info);
    (disk, generation)
}

fn loaded(stretches: &[Stretch]) -> Vec<Row> {
    let rows = |stretch: &Stretch| {
        let block = stretch.load().unwrap();
        assert!(stretch.end() <= block.len() && !stretch.is_empty());
        (stretch.start()..stretch.end()).map(move |row| (Arc::clone(&block), row))
    };
    stretches.iter().flat_map(rows).collect()
}

fn between(rows: &[Row], from: u64, until: u64) -> Vec<Row> {
    let inside = |(block, row): &&Row| (from..until).contains(&block.index(*row));
    rows.iter().filter(inside).cloned().collect()
}

fn assert_reads_as_written(blocks: &[Arc<Block>], generation: &Generation, from: u64, until: u64) {
    let expected = between(&rows_of(blocks), from, until);
    assert_same(&loaded(&generation.merged_stretches(from, until).unwrap()), &expected);
    for shard in generation.each_shard() {
        let of_shard = |(block, row): &&Row| block.shard(*row) == shard;
        let expected: Vec<Row> = expected.iter().filter(of_shard).cloned().collect();
        let stretches = generation.shard_stretches(shard, from, until).unwrap();
        assert_same(&loaded(&stretches), &expected);
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![(0..3_usize).prop_map(Kind::Bytes), Just(Kind::Table)]
}

fn compressions() -> impl Strategy<Value = Compression> {
    prop_oneof![Just(Compression::None), Just(Compression::Lz4), Just(Compression::Zstd)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_sealed_is_read_by_shard_and_merged(
        kind in kinds(),
        lens in prop::collection::vec(1..60_usize, 1..5),
        shards in 1..40_usize,
        compression in compressions(),
        bounds in (900..1_250_u64, 900..1_250_u64),
    ) {
        let blocks = blocks(kind, &lens, shards);
        let (_, generation) = sealed(&blocks, compression);
        assert_reads_as_written(&blocks, &generation, 0, u64::MAX);
        assert_reads_as_written(&blocks, &generation, bounds.0, bounds.1);
    }

    #[test]
    fn times_are_found_as_among_the_rows(
        lens in prop::collection::vec(1..60_usize, 1..5),
        shards in 1..9_usize,
        after in -10..1_000_i64,
    ) {
        let blocks = blocks(Kind::Bytes(0), &lens, shards);
        let (_, generation) = sealed(&blocks, Compression::None);
        let time = Millis(1_700_000_000_000 + after);
        let rows = rows_of(&blocks);
        let first = rows.iter().find(|(block, row)| time <= block.arrivals.at(*row));
        let expected = first.map_or(generation.info().end_index, |(block, row)| block.index(*row));
        prop_assert_eq!(generation.first_index_at(time).unwrap(), expected);
    }
}

#[test]
fn batches_are_bounded_in_rows() {
    let blocks = blocks(Kind::Bytes(0), &[100_000, 50_000], 2);
    let (_, generation) = sealed(&blocks, Compression::None);
    let stretches = generation.merged_stretches(0, u64::MAX).unwrap();
    assert!(stretches.iter().all(|stretch| stretch.len() <= BATCH_ROWS));
    let of_shard = generation.shard_stretches(birth(0).shard, 0, u64::MAX).unwrap();
    assert!(1 < of_shard.len() && of_shard.iter().all(|stretch| stretch.len() <= BATCH_ROWS));
    assert_same(&loaded(&stretches), &rows_of(&blocks));
}

#[test]
fn nothing_is_opened_before_it_is_asked_for_and_each_file_once() {
    let blocks = blocks(Kind::Bytes(0), &[200], 4);
    let (disk, generation) = sealed(&blocks, Compression::None);
    assert_eq!(generation.paths().len(), 4);
    let stretches = generation.merged_stretches(0, u64::MAX).unwrap();
    assert!(disk.mapped.lock().is_empty());
    for _ in 0..2 {
        assert_same(&loaded(&stretches), &rows_of(&blocks));
    }
    assert_eq!(disk.mapped.lock().len(), 4);
}

#[test]
fn data_is_read_where_it_lies_by_shard_and_merged() {
    let blocks = blocks(Kind::Bytes(0), &[200], 2);
    let (disk, generation) = sealed(&blocks, Compression::None);
    let by_shard = generation.shard_stretches(birth(0).shard, 0, u64::MAX).unwrap();
    let merged = generation.merged_stretches(0, u64::MAX).unwrap();
    for (block, row) in [loaded(&by_shard), loaded(&merged)].concat() {
        let Payload::Bytes(data) = &block.payload else { panic!("bytes were sealed") };
        let value = data.value(row);
        let mapped = disk.mapped.lock();
        let lies_in =
            |(_, file): &(String, bytes::Bytes)| file.as_ptr_range().contains(&value.as_ptr());
        // What fits into a view lies there.
        assert!(value.len() <= 12 || mapped.iter().any(lies_in));
    }
}

#[test]
fn shards_share_the_dictionaries_of_their_generation() {
    let blocks = blocks(Kind::Table, &[300], 3);
    let (_, generation) = sealed(&blocks, Compression::None);
    let merged = generation.merged_stretches(0, u64::MAX).unwrap()[0].load().unwrap();
    let Payload::Rows(table) = &merged.payload else { panic!("rows were sealed") };
    let values = |name: &str| {
        let column = table.column_by_name(name).unwrap().to_data();
        column.child_data()[0].len()
    };
    assert_eq!((values("category"), values("category_views")), (100, 200));
}

#[test]
fn the_columns_of_rows_are_known_without_reading_any() {
    let blocks = blocks(Kind::Table, &[30], 1);
    let (_, generation) = sealed(&blocks, Compression::None);
    let stretch = &generation.merged_stretches(0, u64::MAX).unwrap()[0];
    let Payload::Rows(table) = &blocks[0].payload else { panic!("the block has rows") };
    assert_eq!(stretch.row_schema().unwrap().unwrap(), table.schema());
    assert_eq!(table.schema().metadata()["origin"], "a test");
}

#[test]
fn when_sealing_returns_all_is_stable() {
    let (disk, _) = sealed(&blocks(Kind::Bytes(0), &[50], 3), Compression::None);
    assert!(disk.is_stable());
}

#[test]
fn a_seal_that_fails_leaves_no_file() {
    let blocks = blocks(Kind::Bytes(0), &[50], 3);
    let seal_on = |disk: &Memory| seal(disk, FOLDER, &blocks, Compression::None, Threads::ONE);
    let mut failed = 0;
    loop {
        let disk = Memory::default();
        *disk.left.lock() = Some(failed);
        match seal_on(&disk) {
            Ok(_) => break,
            Err(error) => {
                assert_eq!(disk.names(), [""; 0], "{error}");
                failed += 1;
            }
        }
    }
    // Each shard's folder, file, write, sync and name; and the syncs of their folders, of the stream's, and of those above it.
    assert_eq!(failed, 3 * 6 + 3);
}

#[test]
fn rows_that_were_lost_leave_the_others_in_their_places() {
    let blocks = blocks(Kind::Bytes(0), &[200], 3);
    let (disk, generation) = sealed(&blocks, Compression::None);
    let mut info = generation.info().clone();
    let lost = info.segments.remove(1);
    info.rows -= lost.rows;
    let generation = Generation::new(disk, FOLDER, info);
    let kept = |(block, row): &Row| block.shard(*row).0 != lost.shard;
    let kept: Vec<Row> = rows_of(&blocks).into_iter().filter(kept).collect();
    for (from, until) in [(0, u64::MAX), (1_050, 1_100), (1_000, 1_001), (1_199, 1_300)] {
        let stretches = generation.merged_stretches(from, until).unwrap();
        let expected = between(&kept, from, until);
        assert_eq!(stretches.iter().map(Stretch::len).sum::<usize>(), expected.len());
        assert_same(&loaded(&stretches), &expected);
    }
}

#[test]
fn blocks_fit_together_that_have_the_same_columns_and_dictionaries() {
    let tables = blocks(Kind::Table, &[20, 20], 2);
    let bytes = blocks(Kind::Bytes(0), &[20, 20], 2);
    assert!(fits_together(&tables[0], &tables[1]) && fits_together(&bytes[0], &bytes[1]));
    assert!(!fits_together(&tables[0], &bytes[0]));
    let others = blocks(Kind::Table, &[20], 2);
    assert!(!fits_together(&tables[0], &others[0]), "their dictionaries are others");
}
