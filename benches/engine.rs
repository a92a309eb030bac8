//! The engine: records put one by one and many at once, reads of a stream and of a shard, splits.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::BatchSize;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use shardstream::clock::Clock;
use shardstream::clock::ManualClock;
use shardstream::clock::Millis;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::engine::slice::Slice;
use shardstream::engine::stream::Entry;
use shardstream::limits::DAY_MS;
use shardstream::record::Record;
use shardstream::threads::Threads;

/// 2026-01-01T00:00:00Z, where the clock stands.
const NOW: Millis = Millis(1_767_225_600_000);
const RECORDS: usize = 100_000;
const SHARD: &str = "shardId-000000000001";

fn engine() -> Engine {
    Engine::new(EngineOptions {
        clock: Clock::Manual(Arc::new(ManualClock::new(NOW))),
        limits: Limits::Off,
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: 7,
        threads: Threads::ONE,
        durations: Durations::default(),
        shard_limit: None,
    })
}

fn stream(shard_count: u32) -> Arc<Stream> {
    let options = StreamOptions {
        shard_count,
        retention_ms: DAY_MS,
        mode: Mode::Provisioned,
        record_bytes_max: 1024 * 1024,
        tags: BTreeMap::new(),
        distribution: shardstream::engine::Distribution::ByKey,
        warm_throughput: None,
    };
    engine().create_stream(NOW, "clicks", options).expect("the engine is new")
}

fn keys() -> Vec<String> {
    (0..RECORDS).map(|record| format!("user-{}", record % 1_000)).collect()
}

fn entries<'a>(keys: &'a [String], data: &'a [u8]) -> Vec<Entry<'a>> {
    keys.iter().map(|key| Entry { data, key, explicit_hash_key: None }).collect()
}

fn filled(shard_count: u32) -> Arc<Stream> {
    let (stream, keys, data) = (stream(shard_count), keys(), [b'x'; 100]);
    stream.put_many(NOW, &entries(&keys, &data)).expect("the records are well-formed");
    stream
}

/// Walks over all records, and counts their bytes.
fn read(stream: &Stream, shard: Option<&str>) -> usize {
    let read = stream.read(NOW, Cut(0), Cut::END, shard, usize::MAX);
    let (slices, _) = read.expect("the stream is there");
    let bytes = |slice: &Slice| -> usize {
        let block = slice.block().expect("it is in memory");
        (0..slice.len())
            .map(|place| {
                let record = Record::new(Arc::clone(&block), slice.row(place));
                record.data().expect("bytes were put").len()
            })
            .sum()
    };
    slices.iter().map(bytes).sum()
}

fn puts(criterion: &mut Criterion) {
    let (keys, data) = (keys(), [b'x'; 100]);
    let entries = entries(&keys, &data);
    let mut group = criterion.benchmark_group("put");
    group.throughput(Throughput::Elements(RECORDS as u64)).sample_size(20);
    group.bench_function("one by one", |bencher| {
        bencher.iter_batched_ref(
            || stream(4),
            |stream| {
                for &entry in &entries {
                    stream.put(NOW, entry).expect("the record is well-formed");
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("many at once", |bencher| {
        bencher.iter_batched_ref(
            || stream(4),
            |stream| {
                for some in entries.chunks(500) {
                    stream.put_many(NOW, some).expect("the records are well-formed");
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn reads(criterion: &mut Criterion) {
    let stream = filled(4);
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(RECORDS as u64)).sample_size(20);
    group.bench_function("all shards", |bencher| {
        bencher.iter(|| black_box(read(&stream, None)));
    });
    let of_shard = stream.read(NOW, Cut(0), Cut::END, Some(SHARD), usize::MAX);
    let (slices, _) = of_shard.expect("the shard is there");
    let count: usize = slices.iter().map(Slice::len).sum();
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("one shard of four", |bencher| {
        bencher.iter(|| black_box(read(&stream, Some(SHARD))));
    });
    group.finish();
}

fn splits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reshard");
    group.sample_size(20);
    group.bench_function("split one shard of 1,024", |bencher| {
        bencher.iter_batched_ref(
            || stream(1_024),
            |stream| stream.split_shard(NOW, SHARD, None).expect("the shard is open and wide"),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("split a shard of 100,000 records", |bencher| {
        bencher.iter_batched_ref(
            || filled(4),
            |stream| stream.split_shard(NOW, SHARD, None).expect("the shard is open and wide"),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, puts, reads, splits);
criterion_main!(benches);
