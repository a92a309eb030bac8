//! Puts that wait for a disk, and the opening of a store that was not closed; beside the disk itself, in the same run.
//!
//! `cargo bench --profile quick --no-default-features --bench store [-- DIR]`: medians of rounds, in a folder made within
//! DIR (default: `target`), on the disk that is there. What the disk does with as many bytes by plain writes and fdatasync
//! stands in front of each.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark takes the time, and tells"
)]
#![expect(clippy::cast_precision_loss, reason = "counts of a few seconds fit a float")]

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use shardstream::clock::Clock;
use shardstream::clock::Millis;
use shardstream::engine::Distribution;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::SEAL_BYTES;
use shardstream::engine::StoreOptions;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::stream::Entry;
use shardstream::limits::DAY_MS;
use shardstream::store::Compression;
use shardstream::store::Durability;
use shardstream::store::folder;
use shardstream::threads::Threads;

const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 5;
const BATCH: usize = 500;
const DATA_BYTES: usize = 100;
/// Bytes of a batch in the journal, about.
const BATCH_BYTES: usize = BATCH * (DATA_BYTES + 20);

fn main() {
    // `cargo test` runs benchmarks too, to see that they build.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let within = PathBuf::from(given.unwrap_or_else(|| "target".to_owned()));
    let root = within.join(format!("bench-store-{}", std::process::id()));
    println!("{:<52} {:>14} {:>12}", "work", "records/s", "syncs/s");
    disk(&root, "disk: overwrite and fdatasync, 60 kB", BATCH_BYTES, BATCH);
    batches(&root, Durability::Commit);
    disk(&root, "disk: overwrite and fdatasync, 150 B", 150, 1);
    for threads in [1, 8, 64] {
        singles(&root, threads);
    }
    batches(&root, Durability::Interval);
    batches(&root, Durability::None);
    recovery(&root);
    fs::remove_dir_all(&root).unwrap();
}

fn told(name: &str, mut rates: Vec<(f64, f64)>) {
    rates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (records, syncs) = rates[rates.len() / 2];
    let (least, most) = (rates[0].0, rates[rates.len() - 1].0);
    println!("{name:<52} {records:>14.0} {syncs:>12.0}   ({least:.0} to {most:.0})");
}

/// What the disk does with writes of so many bytes, each followed by a sync.
fn disk(root: &Path, name: &str, bytes: usize, records: usize) {
    fs::create_dir_all(root).unwrap();
    let path = root.join("plain");
    let mut file = File::create(&path).unwrap();
    for _ in 0..256 {
        file.write_all(&vec![0; 1 << 20]).unwrap();
    }
    file.sync_all().unwrap();
    let body = vec![7; bytes];
    let round = || {
        let (began, mut count) = (Instant::now(), 0_u64);
        while began.elapsed() < ROUND {
            let offset = count * bytes as u64 % (255 << 20);
            file.write_all_at(&body, offset).unwrap();
            file.sync_data().unwrap();
            count += 1;
        }
        let seconds = began.elapsed().as_secs_f64();
        (count as f64 * records as f64 / seconds, count as f64 / seconds)
    };
    told(name, (0..ROUNDS).map(|_| round()).collect());
    fs::remove_file(&path).unwrap();
}

fn engine(path: &Path, durability: Durability, seal_bytes: usize) -> Engine {
    let options = EngineOptions {
        clock: Clock::System,
        limits: Limits::Off,
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: 0,
        threads: Threads::new(None).unwrap(),
        durations: Durations::default(),
        shard_limit: None,
    };
    let (disk, lock) = folder::open_to_write(path, Millis(0)).unwrap();
    let compression = Compression::None;
    let store = StoreOptions { disk, durability, compression, read_only: false, seal_bytes };
    let engine = Engine::open(options, store).unwrap();
    engine.hold(lock);
    engine
}

fn stream(engine: &Engine) -> Arc<Stream> {
    let options = StreamOptions {
        shard_count: 4,
        retention_ms: DAY_MS,
        mode: Mode::Provisioned,
        record_bytes_max: 1 << 20,
        tags: BTreeMap::new(),
        distribution: Distribution::ByKey,
        warm_throughput: None,
    };
    engine.create_stream(engine.now(), "bench", options).unwrap()
}

/// Batches of 500 records from one thread.
fn batches(root: &Path, durability: Durability) {
    let keys: Vec<String> = (0..BATCH).map(|key| format!("user-{key}")).collect();
    let data = [7; DATA_BYTES];
    let entry = |place: usize| Entry { data: &data, key: &keys[place], explicit_hash_key: None };
    let path = root.join("batches");
    let round = || {
        let engine = engine(&path, durability, SEAL_BYTES);
        let stream = stream(&engine);
        let (began, mut count) = (Instant::now(), 0_u32);
        while began.elapsed() < ROUND {
            stream.put_each(engine.now(), BATCH, entry).unwrap();
            count += 1;
        }
        let seconds = began.elapsed().as_secs_f64();
        engine.close().unwrap();
        drop(engine);
        fs::remove_dir_all(&path).unwrap();
        (f64::from(count) * BATCH as f64 / seconds, f64::from(count) / seconds)
    };
    let name = format!("put_many of 500 x 100 B, one thread, {durability:?}");
    told(&name, (0..ROUNDS).map(|_| round()).collect());
}

/// Single records from some threads, each on stable storage before the next.
fn singles(root: &Path, threads: usize) {
    let path = root.join("singles");
    let round = || {
        let engine = engine(&path, Durability::Commit, SEAL_BYTES);
        let stream = stream(&engine);
        let began = Instant::now();
        let work = |thread: usize| {
            let (key, mut count) = (format!("user-{thread}"), 0_u64);
            while began.elapsed() < ROUND {
                let entry = Entry { data: &[7; DATA_BYTES], key: &key, explicit_hash_key: None };
                stream.put(engine.now(), entry).unwrap();
                count += 1;
            }
            count
        };
        let count: u64 = std::thread::scope(|scope| {
            let running: Vec<_> =
                (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let seconds = began.elapsed().as_secs_f64();
        engine.close().unwrap();
        drop(engine);
        fs::remove_dir_all(&path).unwrap();
        (count as f64 / seconds, 0.0)
    };
    let name = format!("put of 100 B, {threads} threads, Commit");
    told(&name, (0..ROUNDS).map(|_| round()).collect());
}

/// The opening of a store whose writer was not closed: 512 MiB in the journal, none of it sealed.
fn recovery(root: &Path) {
    const BYTES: u64 = 512 << 20;
    let path = root.join("recovery");
    let engine_of_one = engine(&path, Durability::None, usize::MAX >> 8);
    let of_one = stream(&engine_of_one);
    let keys: Vec<String> = (0..BATCH).map(|key| format!("user-{key}")).collect();
    let data = [7; DATA_BYTES];
    let entry = |place: usize| Entry { data: &data, key: &keys[place], explicit_hash_key: None };
    let batches = BYTES / BATCH_BYTES as u64;
    for _ in 0..batches {
        of_one.put_each(engine_of_one.now(), BATCH, entry).unwrap();
    }
    // What a killed process leaves: nothing is sealed, and nothing says that it was closed.
    let left = root.join("left");
    copy(&path, &left);
    drop(of_one);
    engine_of_one.close().unwrap();
    let round = || {
        let again = root.join("again");
        copy(&left, &again);
        let began = Instant::now();
        let engine = engine(&again, Durability::None, usize::MAX >> 8);
        let seconds = began.elapsed().as_secs_f64();
        let kept = engine.stream("bench").unwrap().record_count(engine.now()).unwrap();
        assert_eq!(kept, batches * BATCH as u64);
        std::mem::forget(engine);
        fs::remove_dir_all(&again).unwrap();
        (kept as f64 / seconds, BYTES as f64 / 1e6 / seconds)
    };
    let rates: Vec<(f64, f64)> = (0..ROUNDS).map(|_| round()).collect();
    let mut megabytes: Vec<f64> = rates.iter().map(|&(_, rate)| rate).collect();
    megabytes.sort_by(f64::total_cmp);
    told("opening with 512 MiB in the journal", rates);
    println!("{:<52} {:>14.0} MB/s", "", megabytes[ROUNDS / 2]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "@lock" {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
