//! JSON in and out: what it costs to learn the types of records, to read them as columns, and to write them.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::LargeBinaryArray;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use shardstream::record::json::Decoder;
use shardstream::record::json::Wanted;
use shardstream::record::json::encode_rows;
use shardstream::record::json::encoded_lens;
use shardstream::record::time_text;

const ROWS: usize = 65_536;
const START_MICROS: i64 = 1_767_225_600_000_000;

/// Clicks as they are bought: a time, who, where, and how much.
fn clicks() -> RecordBatch {
    let mut state = 42_u64;
    let mut random = move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut micros = START_MICROS;
    let (mut times, mut users, mut regions, mut amounts) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROWS {
        micros += i64::try_from(random(20_000)).expect("small");
        times.push(micros);
        users.push(format!("user-{}", random(100_000)));
        regions.push(format!("region-{}", random(20)));
        amounts.push(f64::from(u32::try_from(random(100_000_000)).expect("small")) / 1e6);
    }
    let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 4] = [
        ("ts", Arc::new(times)),
        ("user_id", Arc::new(StringArray::from(users))),
        ("region", Arc::new(StringArray::from(regions))),
        ("amount", Arc::new(Float64Array::from(amounts))),
    ];
    RecordBatch::try_from_iter(columns).expect("the columns are of one length")
}

fn decode(criterion: &mut Criterion) {
    let records: LargeBinaryArray = encode_rows(&clicks(), None).expect("clicks are JSON");
    let records: ArrayRef = Arc::new(records);
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let typed = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let types = [("ts".to_owned(), utc.clone())];
        let mut decoder = Decoder::with_types(Wanted::Columns(names), &types);
        decoder.infer(&records).expect("records are bytes");
        decoder
    };
    for (name, decoder) in [
        ("decode 2 of 4 fields", typed(&["region", "amount"])),
        ("decode 3 of 4 fields, one a time", typed(&["ts", "region", "amount"])),
        ("decode all fields, one a time", typed(&["ts", "user_id", "region", "amount"])),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| decoder.decode(black_box(&records), None).expect("records are bytes"));
        });
    }
    group.bench_function("infer all fields", |bencher| {
        bencher.iter(|| {
            let mut decoder = Decoder::new(Wanted::All);
            decoder.infer(black_box(&records)).expect("records are bytes");
            decoder
        });
    });
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let rows = clicks();
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    group.bench_function("encode", |bencher| {
        bencher.iter(|| encode_rows(black_box(&rows), None).expect("clicks are JSON"));
    });
    group.bench_function("encoded lengths", |bencher| {
        bencher.iter(|| encoded_lens(black_box(&rows)).expect("clicks are JSON"));
    });
    group.finish();
}

fn time_text(criterion: &mut Criterion) {
    let zoned = clicks().column(0).clone();
    let texts = arrow_cast::cast(&zoned, &DataType::Utf8).expect("times are text");
    let texts: &StringArray = arrow_array::cast::AsArray::as_string(&texts);
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    let mut group = criterion.benchmark_group("time text");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let ticks = |text| time_text::ticks(text, TimeUnit::Microsecond).expect("a time");
            black_box(texts).iter().flatten().map(ticks).collect::<Vec<i64>>()
        });
    });
    group.bench_function("read as Arrow casts it", |bencher| {
        bencher.iter(|| arrow_cast::cast(black_box(texts), &utc).expect("times"));
    });
    group.finish();
}

criterion_group!(benches, decode, encode, time_text);
criterion_main!(benches);
