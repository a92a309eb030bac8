//! Measures tables written to streams of few and of many shards: keys as text and as a dictionary, one thread and two.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use criterion::BatchSize;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::SamplingMode;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use shardstream::clock::Clock;
use shardstream::clock::Millis;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::write::Roles;
use shardstream::engine::write::Rows;
use shardstream::limits::DAY_MS;
use shardstream::threads::Threads;

const ROWS: usize = 10_000_000;
const USERS: f64 = 100_000.0;

/// Numbers that look random, the same each time.
fn noise() -> impl Iterator<Item = u32> {
    let mut state = 7_u32;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    })
}

/// From 0 to 1, neither end included.
fn part(number: u32) -> f64 {
    (f64::from(number) + 0.5) / 2_f64.powi(32)
}

/// Names of users of whom few write much: by Zipf's law with exponent 1.2, cut off at `USERS`.
fn users() -> ArrayRef {
    let mut names = arrow_array::builder::StringBuilder::with_capacity(ROWS, ROWS * 10);
    let mut name = String::new();
    for number in noise().take(ROWS) {
        let user = part(number).powi(-5).min(USERS).floor();
        name.clear();
        write!(name, "user-{user:.0}").expect("text takes text");
        names.append_value(&name);
    }
    Arc::new(names.finish())
}

fn table(users: &ArrayRef, data_type: &DataType) -> RecordBatch {
    let region: StringArray = noise()
        .map(|number| Some(if number % 3 == 0 { "region-0" } else { "region-11" }))
        .take(ROWS)
        .collect();
    let times: Vec<i64> = (0..).map(|row| 1_767_225_600_000_000 + row * 8_640).take(ROWS).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("ts", Arc::new(TimestampMicrosecondArray::from(times))),
        ("user_id", cast(users, data_type).expect("text casts to text")),
        ("region", cast(&region, &DataType::Utf8View).expect("text casts to text")),
        ("amount", Arc::new(Float64Array::from_iter_values(noise().map(part).take(ROWS)))),
    ];
    RecordBatch::try_from_iter(columns).expect("the columns are of one length")
}

fn engine(threads: usize) -> Engine {
    Engine::new(EngineOptions {
        clock: Clock::System,
        limits: Limits::Off,
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: 0,
        threads: Threads::new(Some(threads)).expect("the number is good"),
        durations: Durations::default(),
        shard_limit: None,
    })
}

fn options(shard_count: u32) -> StreamOptions {
    StreamOptions {
        shard_count,
        retention_ms: DAY_MS,
        mode: Mode::Provisioned,
        record_bytes_max: 1024 * 1024,
        tags: BTreeMap::new(),
        distribution: shardstream::engine::Distribution::ByKey,
        warm_throughput: None,
    }
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(3));
    let users = users();
    let coded = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8View));
    for (name, data_type) in
        [("view", DataType::Utf8View), ("offsets", DataType::Utf8), ("dictionary", coded)]
    {
        let table = table(&users, &data_type);
        for threads in [1, 2] {
            for shards in [4, 64, 1_024] {
                let id = BenchmarkId::new(format!("{name}, threads {threads}"), shards);
                group.bench_function(id, |bencher| {
                    let roles = Roles { key: "user_id", data: None, null_key: None };
                    let prepare = || {
                        let stream = engine(threads).create_stream(Millis(0), "s", options(shards));
                        (stream.expect("the options are good"), table.clone())
                    };
                    // What is returned is dropped outside of the measure.
                    let work = |(stream, table): (Arc<Stream>, RecordBatch)| {
                        let rows = Rows::from_batch(table, roles, 0).expect("the rows are good");
                        let written = stream.write(Millis(0), rows).expect("the stream takes rows");
                        (stream, written)
                    };
                    bencher.iter_batched(prepare, work, BatchSize::PerIteration);
                });
            }
        }
    }
}

criterion_group!(benches, write);
criterion_main!(benches);
