//! Rows a second through rolling windows, sessions and the heavy aggregates, by `Operator` alone.
//!
//! `ROWS=10000000 cargo bench --no-default-features --bench window_kinds -- rolling/1` measures one of them at full length.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::result_large_err,
    reason = "random numbers are cut to size, and errors end the run"
)]

use std::env;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::RecordBatch;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use shardstream::threads::Threads;
use shardstream::window::Arrivals;
use shardstream::window::NullTimes;
use shardstream::window::Operator;
use shardstream::window::Order;
use shardstream::window::QuerySpec;
use shardstream::window::Span;
use shardstream::window::Window;
use shardstream::window::aggregate::Aggregate;
use shardstream::window::aggregate::Function;
use shardstream::window::aggregate::Interpolation;

const ROWS: usize = 2_000_000;
const BATCH_ROWS: usize = 65_536;
const DAY_US: u64 = 86_400_000_000;

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0 and below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.share() * bound as f64) as u64
    }

    /// Zipf's law with exponent 1.2, by rejection; what lies past 100,000 is 100,000.
    fn user(&mut self) -> u64 {
        let base = 2_f64.powf(0.2);
        loop {
            let (chosen, judged) = (1.0 - self.share(), self.share());
            let rank = chosen.powf(-5.0).floor();
            let slope = (1.0 + 1.0 / rank).powf(0.2);
            if judged * rank * (slope - 1.0) / (base - 1.0) <= slope / base {
                return rank.min(100_000.0) as u64;
            }
        }
    }
}

/// A day of events in order of arrival, up to 5 s out of their own order; as many a second as 10,000,000 a day.
fn events(rows: usize) -> Vec<RecordBatch> {
    let mut random = Random(7);
    let span = (DAY_US / 10_000_000) * rows as u64;
    let mut times: Vec<i64> = (0..rows).map(|_| random.below(span).cast_signed()).collect();
    times.sort_unstable();
    let mut batches = Vec::new();
    for times in times.chunks(BATCH_ROWS) {
        let count = times.len();
        let late = times.iter().map(|time| time - random.below(5_000_000).cast_signed());
        let times = TimestampMicrosecondArray::from_iter_values(late).with_timezone("UTC");
        let users: Vec<_> = (0..count).map(|_| format!("user-{}", random.user())).collect();
        let regions: Vec<_> = (0..count).map(|_| format!("region-{}", random.below(20))).collect();
        let amounts: Vec<f64> = (0..count).map(|_| random.share() * 100.0).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("ts", Arc::new(times)),
            ("user_id", Arc::new(StringViewArray::from_iter_values(users))),
            ("region", Arc::new(StringViewArray::from_iter_values(regions))),
            ("amount", Arc::new(Float64Array::from(amounts))),
        ];
        batches.push(RecordBatch::try_from_iter(columns).expect("the columns are of one length"));
    }
    batches
}

fn spec(window: Window, keys: &[&str], aggregates: &[(Function, Option<&str>)]) -> QuerySpec {
    let aggregates = aggregates.iter().enumerate().map(|(index, (function, column))| {
        Aggregate::new(format!("a{index}"), function.clone(), column.map(str::to_owned))
    });
    QuerySpec {
        window,
        time: "ts".to_owned(),
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
        aggregates: aggregates.collect::<Result<_, _>>().expect("the aggregates are right"),
        watermark: Span::ZERO,
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Raise,
    }
}

fn push_all(operator: &mut Operator, batches: &[RecordBatch], first_ordinal: usize) {
    let mut ordinal = first_ordinal as u64;
    for batch in batches {
        operator.push(batch, ordinal, Arrivals::At(0)).expect("the batches fit the query");
        ordinal += batch.num_rows() as u64;
    }
}

/// Pushes every batch on one thread, or the first half on another, and takes the answer.
fn answer(spec: &QuerySpec, batches: &[RecordBatch], threads: usize) -> Vec<RecordBatch> {
    let schema = batches[0].schema();
    let mut operator = Operator::new(spec.clone(), &schema, Order::Event).expect("the query fits");
    if threads == 1 {
        push_all(&mut operator, batches, 0);
    } else {
        let mut other = operator.fresh().expect("the query fits");
        let (head, tail) = batches.split_at(batches.len() / 2);
        thread::scope(|scope| {
            scope.spawn(|| push_all(&mut other, tail, head.len() * BATCH_ROWS));
            push_all(&mut operator, head, 0);
        });
        operator.merge(other).expect("the queries are the same");
    }
    operator.use_threads(Threads::new(Some(threads)).expect("the threads are few"));
    operator.finish().expect("the sums fit");
    operator.take_closed_batches().expect("the answers fit")
}

fn window_kinds(criterion: &mut Criterion) {
    let rows = env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let batches = events(rows);
    let seconds = |seconds: i64| Span::from_millis(seconds * 1_000).expect("a short span");
    let quantile = Function::Quantile { q: 0.99, interpolation: Interpolation::Linear };
    let queries = [
        (
            "rolling 10 min by region: sum",
            spec(
                Window::rolling(seconds(600)).expect("a size"),
                &["region"],
                &[(Function::Sum, Some("amount"))],
            ),
        ),
        (
            "session 5 min by user: count sum",
            spec(
                Window::session(seconds(300)).expect("a gap"),
                &["user_id"],
                &[(Function::Count, None), (Function::Sum, Some("amount"))],
            ),
        ),
        (
            "minute: distinct users and p99",
            spec(
                Window::tumble(seconds(60), Span::ZERO).expect("a size"),
                &[],
                &[(Function::ApproxCountDistinct, Some("user_id")), (quantile, Some("amount"))],
            ),
        ),
    ];
    for (name, spec) in queries {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(rows as u64)).sample_size(10);
        for threads in [1, 2] {
            group.bench_function(threads.to_string(), |bencher| {
                bencher.iter(|| black_box(answer(&spec, &batches, threads)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, window_kinds);
criterion_main!(benches);
