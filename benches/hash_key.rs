//! Measures MD5 of partition keys, one by one and many at once, by the length of keys.

use std::hint::black_box;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use shardstream::hash_key::HashKey;
use shardstream::hash_key::many::KeyBytes;
use shardstream::hash_key::many::hash_each;

/// Keys of a round: their bytes stay in the second cache.
const KEYS: usize = 8_192;

fn keys(len: usize) -> String {
    let digit = |at: usize| "0123456789".as_bytes()[(at.wrapping_mul(2_654_435_761) >> 20) % 10];
    (0..KEYS * len).map(|at| char::from(digit(at))).collect()
}

fn hash_key(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash_key");
    group.throughput(Throughput::Elements(KEYS as u64));
    for len in [4, 10, 15, 36, 55, 64, 256] {
        let text = keys(len);
        group.bench_function(BenchmarkId::new("one by one", len), |bencher| {
            bencher.iter(|| {
                for start in (0..text.len()).step_by(len) {
                    black_box(HashKey::of(&text[start..start + len]));
                }
            });
        });
        let mut hashes = vec![0; KEYS];
        group.bench_function(BenchmarkId::new("many at once", len), |bencher| {
            bencher.iter(|| {
                let key = |place: usize| KeyBytes { buffer: &text.as_bytes()[place * len..], len };
                hash_each(key, |hash| hash.0, &mut hashes);
                black_box(&hashes);
            });
        });
    }
}

criterion_group!(benches, hash_key);
criterion_main!(benches);
