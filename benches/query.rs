//! Queries over a table: Q1 to Q3 of the comparison, from batches of generated events to rows of windows.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::RecordBatch;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use shardstream::query::QueryError;
use shardstream::query::batches::collect_batches;
use shardstream::query::batches::collect_table;
use shardstream::threads::Threads;
use shardstream::window::NullTimes;
use shardstream::window::Order;
use shardstream::window::QuerySpec;
use shardstream::window::Span;
use shardstream::window::Window;
use shardstream::window::aggregate::Aggregate;
use shardstream::window::aggregate::Function;

const ROWS: u32 = 1_000_000;
const DAY_US: u64 = 86_400_000_000;
const BATCH_ROWS: usize = 65_536;

/// Numbers that look random and are the same in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A day of events in order of arrival, up to 5 s out of the order of time; low users are the frequent ones.
fn events() -> RecordBatch {
    let mut random = Random(7);
    let step = DAY_US / u64::from(ROWS);
    let time = |row: u32, random: &mut Random| {
        let arrival = 1_767_225_600_000_000 + u64::from(row) * step;
        i64::try_from(arrival - random.below(5_000_000)).expect("this century fits")
    };
    let times =
        TimestampMicrosecondArray::from_iter_values((0..ROWS).map(|row| time(row, &mut random)));
    let user = |random: &mut Random| {
        let most = 1 + random.below(100_000);
        format!("user-{}", random.below(most))
    };
    let users = StringViewArray::from_iter_values((0..ROWS).map(|_| user(&mut random)));
    let regions = StringViewArray::from_iter_values(
        (0..ROWS).map(|_| format!("region-{}", random.below(20))),
    );
    let cents = |random: &mut Random| u32::try_from(random.below(10_000)).expect("small");
    let amounts: Float64Array = (0..ROWS).map(|_| f64::from(cents(&mut random)) / 100.0).collect();
    let columns = [
        ("ts", Arc::new(times.with_timezone("UTC")) as ArrayRef),
        ("user_id", Arc::new(users)),
        ("region", Arc::new(regions)),
        ("amount", Arc::new(amounts)),
    ];
    RecordBatch::try_from_iter(columns).expect("the columns are of one length")
}

fn minutes(count: i64) -> Span {
    Span::from_millis(count * 60_000).expect("minutes fit")
}

fn spec(window: Window, key: &str, functions: &[(&str, Function)]) -> QuerySpec {
    let aggregate = |&(name, ref function): &(&str, Function)| {
        let column = (name != "n").then(|| "amount".to_owned());
        Aggregate::new(name, function.clone(), column).expect("the aggregate is well-formed")
    };
    QuerySpec {
        window,
        time: "ts".to_owned(),
        keys: vec![key.to_owned()],
        aggregates: functions.iter().map(aggregate).collect(),
        watermark: Span::ZERO,
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Raise,
    }
}

fn q1() -> QuerySpec {
    let five = [
        ("n", Function::Count),
        ("total", Function::Sum),
        ("mean", Function::Mean),
        ("least", Function::Min),
        ("most", Function::Max),
    ];
    spec(Window::tumble(minutes(1), Span::ZERO).expect("a minute"), "region", &five)
}

fn q2() -> QuerySpec {
    let two = [("n", Function::Count), ("total", Function::Sum)];
    spec(Window::tumble(minutes(1), Span::ZERO).expect("a minute"), "user_id", &two)
}

fn q3() -> QuerySpec {
    let two = [("n", Function::Count), ("mean", Function::Mean)];
    spec(Window::hop(minutes(5), minutes(1), Span::ZERO).expect("minutes"), "region", &two)
}

fn queries(criterion: &mut Criterion) {
    let table = events();
    let schema = table.schema();
    let mut group = criterion.benchmark_group("query");
    group.throughput(Throughput::Elements(u64::from(ROWS))).sample_size(10);
    for (name, spec) in [("Q1", q1()), ("Q2", q2()), ("Q3", q3())] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let tables = std::slice::from_ref(&table);
                let answer = collect_table(
                    spec.clone(),
                    &schema,
                    tables,
                    Order::Event,
                    Threads::ONE,
                    &|| true,
                );
                black_box(answer.expect("the query is well-formed"))
            });
        });
    }
    group.bench_function("Q1 of batches", |bencher| {
        bencher.iter(|| {
            let rows = table.num_rows();
            let batches = (0..rows)
                .step_by(BATCH_ROWS)
                .map(|start| Ok::<_, QueryError>(table.slice(start, BATCH_ROWS.min(rows - start))));
            let answer =
                collect_batches(q1(), &schema, batches, Order::Event, Threads::ONE, &|| true);
            black_box(answer.expect("the query is well-formed"))
        });
    });
    group.finish();
}

criterion_group!(benches, queries);
criterion_main!(benches);
