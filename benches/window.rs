//! What windows cost by themselves: batches of generated events through one operator.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "random numbers are made of the bits of others"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::RecordBatch;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use criterion::Criterion;
use criterion::Throughput;
use criterion::measurement::Measurement;
use criterion::measurement::ValueFormatter;
use criterion::measurement::WallTime;
use shardstream::window::Arrivals;
use shardstream::window::NullTimes;
use shardstream::window::Operator;
use shardstream::window::Order;
use shardstream::window::QuerySpec;
use shardstream::window::Span;
use shardstream::window::Window;
use shardstream::window::aggregate::Aggregate;
use shardstream::window::aggregate::Function;

/// Time that this thread ran, as the scheduler of Linux counts it: what neighbours take does not show.
struct ThreadTime;

impl ThreadTime {
    fn nanos() -> u64 {
        let counts = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts");
        counts.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("nanoseconds first")
    }
}

impl Measurement for ThreadTime {
    type Intermediate = u64;
    type Value = Duration;

    fn start(&self) -> u64 {
        Self::nanos()
    }

    fn end(&self, start: u64) -> Duration {
        Duration::from_nanos(Self::nanos() - start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

const ROWS: usize = 2_000_000;
const ROWS_PER_BATCH: usize = 16_384;

/// Numbers that look random and are the same in every run: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Events at the rate of ten million a day, up to 5 s out of order, of 20 regions and 100,000 users (Zipf 1.2).
fn events(rows: usize) -> Vec<RecordBatch> {
    const STEP_US: u64 = 8_640;
    let mut random = Random(7);
    let start = 1_767_225_600_000_000_u64;
    let mut batches = Vec::new();
    let mut first = 0;
    while first < rows {
        let end = rows.min(first + ROWS_PER_BATCH);
        let times = (first..end).map(|row| {
            i64::try_from(start + row as u64 * STEP_US - random.below(5_000_000)).expect("a time")
        });
        let times: ArrayRef = Arc::new(
            TimestampMicrosecondArray::from_iter_values(times.collect::<Vec<_>>())
                .with_timezone("UTC"),
        );
        // The inverse of the tail of Zipf's law, cut off at 100,000.
        let user = |share: f64| (1.0 - share).powf(-5.0).min(100_000.0) as u64;
        let users: Vec<String> =
            (first..end).map(|_| format!("user-{}", user(random.share()))).collect();
        let regions: Vec<String> =
            (first..end).map(|_| format!("region-{}", random.below(20))).collect();
        let amounts: Vec<f64> = (first..end).map(|_| random.share() * 100.0).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("ts", times),
            ("user_id", Arc::new(StringViewArray::from_iter_values(users))),
            ("region", Arc::new(StringViewArray::from_iter_values(regions))),
            ("amount", Arc::new(Float64Array::from(amounts))),
        ];
        batches.push(RecordBatch::try_from_iter(columns).expect("columns of one length"));
        first = end;
    }
    batches
}

/// The same events with one more column, of so many keys at random, all of them as frequent.
fn with_keys(batches: &[RecordBatch], groups: u64) -> Vec<RecordBatch> {
    let mut random = Random(11);
    let with_keys = |batch: &RecordBatch| {
        let keys = (0..batch.num_rows()).map(|_| format!("key-{}", random.below(groups)));
        let keys: ArrayRef =
            Arc::new(StringViewArray::from_iter_values(keys.collect::<Vec<String>>()));
        let columns =
            [("ts", batch.column(0).clone()), ("key", keys), ("amount", batch.column(3).clone())];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    };
    batches.iter().map(with_keys).collect()
}

fn query(window: Window, key: &str, functions: &[Function]) -> QuerySpec {
    let column = |function: &Function| (*function != Function::Count).then(|| "amount".to_owned());
    let aggregates = functions.iter().map(|function| {
        Aggregate::new(function.name(), function.clone(), column(function)).expect("fits")
    });
    QuerySpec {
        window,
        time: "ts".to_owned(),
        keys: vec![key.to_owned()],
        aggregates: aggregates.collect(),
        watermark: Span::from_millis(5_000).expect("short"),
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Raise,
    }
}

fn run(spec: &QuerySpec, batches: &[RecordBatch], order: Order) -> usize {
    let mut operator = Operator::new(spec.clone(), batches[0].schema_ref(), order).expect("binds");
    operator.expect_rows(batches.iter().map(|batch| batch.num_rows() as u64).sum());
    let mut ordinal = 0;
    let mut windows = 0;
    for batch in batches {
        operator.push(batch, ordinal, Arrivals::At(0)).expect("takes rows");
        ordinal += batch.num_rows() as u64;
        if order == Order::Arrival {
            windows += black_box(operator.take_closed().expect("answers")).num_rows();
        }
    }
    operator.finish().expect("finishes");
    windows + black_box(operator.take_closed().expect("answers")).num_rows()
}

fn main() {
    let mut criterion =
        Criterion::default().with_measurement(ThreadTime).sample_size(10).configure_from_args();
    let batches = events(ROWS);
    let minute = |minutes: i64| Span::from_millis(60_000 * minutes).expect("short");
    let tumble = Window::tumble(minute(1), Span::ZERO).expect("fits");
    let hop = Window::hop(minute(5), minute(1), Span::ZERO).expect("fits");
    let five = [Function::Count, Function::Sum, Function::Mean, Function::Min, Function::Max];
    let queries = [
        ("q1 tumble by region", query(tumble, "region", &five), Order::Event),
        ("q1 in order of arrival", query(tumble, "region", &five), Order::Arrival),
        ("q2 tumble by user", query(tumble, "user_id", &five[..2]), Order::Event),
        (
            "q3 hop by region",
            query(hop, "region", &[Function::Count, Function::Mean]),
            Order::Event,
        ),
    ];
    let mut group = criterion.benchmark_group("window");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, spec, order) in &queries {
        group.bench_function(*name, |bencher| bencher.iter(|| run(spec, &batches, *order)));
    }
    let day = Window::tumble(minute(24 * 60), Span::ZERO).expect("fits");
    let spec = query(day, "key", &five[..2]);
    for groups in [1_000, 100_000, 1_000_000] {
        let batches = with_keys(&batches, groups);
        let name = format!("one window of {groups} keys");
        group.bench_function(name, |bencher| bencher.iter(|| run(&spec, &batches, Order::Event)));
    }
    group.finish();
    criterion.final_summary();
}
