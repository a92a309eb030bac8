//! The operator against a model that puts every row into every window by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::StringArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::cast::AsArray;
use arrow_array::types::DurationMillisecondType;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::types::UInt64Type;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::TimeUnit;
use proptest::prelude::*;

use super::*;
use crate::window::aggregate::Aggregate;
use crate::window::aggregate::Function;
use crate::window::spec::Span;

const KEYS: [Option<&str>; 5] = [
    None,
    Some("a"),
    Some("b"),
    Some(""),
    Some("a key of more than fifteen bytes"),
];

#[derive(Clone, Copy, Debug)]
struct Row {
    time: Option<i64>,
    key: usize,
    value: Option<i64>,
    arrival_ms: i64,
}

#[derive(Clone, Debug)]
struct Case {
    window: Window,
    rows: Vec<Row>,
    batches: Vec<usize>,
    polls: Vec<bool>,
    delay: i64,
    lateness: i64,
    idle: Option<i64>,
}

/// Start, end, key (nulls last), count, sum, first, median.
type Answer = (
    i64,
    i64,
    (bool, String),
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// Ordinal, watermark, windows missed.
type Late = (u64, i64, i64);

fn millis(millis: i64) -> Span {
    Span::from_millis(millis).unwrap()
}

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![
        (1..50_i64, -60..60_i64).prop_map(|(size, offset)| Window::tumble(
            millis(size),
            millis(offset)
        )
        .unwrap()),
        (1..30_i64, 0..30_i64, -60..60_i64).prop_map(|(slide, more, offset)| {
            Window::hop(millis(slide + more), millis(slide), millis(offset)).unwrap()
        }),
        (1..12_i64, 1..6_i64, -60..60_i64).prop_map(|(step, count, offset)| {
            Window::cumulate(millis(step * count), millis(step), millis(offset)).unwrap()
        }),
        (1..30_i64).prop_map(|gap| Window::session(millis(gap)).unwrap()),
        (1..50_i64).prop_map(|size| Window::rolling(millis(size)).unwrap()),
    ]
}

fn cases() -> impl Strategy<Value = Case> {
    let row = (
        prop_oneof![1 => Just(None), 15 => (-30..10_i64).prop_map(Some), 1 => (-300..300_i64).prop_map(Some)],
        0..KEYS.len(),
        prop::option::weighted(0.9, -100..100_i64),
        prop_oneof![10 => 0..3_i64, 1 => 10..90_i64],
        0..9_i64,
    );
    (
        windows(),
        prop::collection::vec(row, 0..90),
        prop::collection::vec(1..12_usize, 90),
        prop::collection::vec(any::<bool>(), 90),
        0..20_i64,
        prop_oneof![Just(0), 0..30_i64],
        prop::option::of(5..50_i64),
    )
        .prop_map(|(window, rows, batches, polls, delay, lateness, idle)| {
            let (mut now, mut arrival_ms) = (-150, 1_000);
            let rows = rows
                .into_iter()
                .map(|(jitter, key, value, wait, step)| {
                    now += step;
                    arrival_ms += wait;
                    Row {
                        time: jitter.map(|jitter| now + jitter),
                        key,
                        value,
                        arrival_ms,
                    }
                })
                .collect();
            Case {
                window,
                rows,
                batches,
                polls,
                delay,
                lateness,
                idle,
            }
        })
}

fn aggregates() -> Vec<Aggregate> {
    let value = || Some("v".to_owned());
    vec![
        Aggregate::new("n", Function::Count, None).unwrap(),
        Aggregate::new("total", Function::Sum, value()).unwrap(),
        Aggregate::new(
            "first",
            Function::First {
                ignore_nulls: false,
            },
            value(),
        )
        .unwrap(),
        Aggregate::new("middle", Function::Median, value()).unwrap(),
    ]
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("t", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ])
}

fn spec(window: Window) -> QuerySpec {
    QuerySpec {
        window,
        time: "t".to_owned(),
        keys: vec!["k".to_owned()],
        aggregates: aggregates(),
        watermark: Span::ZERO,
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Skip,
    }
}

fn operator(case: &Case, order: Order) -> Operator {
    let spec = QuerySpec {
        watermark: millis(case.delay),
        allowed_lateness: millis(case.lateness),
        idle_timeout: case.idle.map(millis),
        ..spec(case.window)
    };
    Operator::new(spec, &schema(), order).unwrap()
}

fn batch(rows: &[Row]) -> RecordBatch {
    let keys: StringArray = rows.iter().map(|row| KEYS[row.key]).collect();
    let values: Int64Array = rows.iter().map(|row| row.value).collect();
    let times: TimestampMillisecondArray = rows.iter().map(|row| row.time).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(keys), Arc::new(values), Arc::new(times)];
    RecordBatch::try_new(Arc::new(schema()), columns).unwrap()
}

fn ticks(column: &ArrayRef) -> Vec<i64> {
    column
        .as_primitive::<TimestampMillisecondType>()
        .values()
        .to_vec()
}

fn answers(batch: &RecordBatch) -> Vec<Answer> {
    let (starts, ends) = (ticks(batch.column(0)), ticks(batch.column(1)));
    let keys = batch.column(2).as_string::<i32>();
    let number = |column: usize, row: usize| {
        let column = batch.column(column).as_primitive::<Int64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let middles = batch.column(6).as_primitive::<Float64Type>();
    (0..batch.num_rows())
        .map(|row| {
            let key = (keys.is_null(row), keys.value(row).to_owned());
            let middle = middles
                .is_valid(row)
                .then(|| middles.value(row).to_string());
            let n = number(3, row).unwrap();
            (
                starts[row],
                ends[row],
                key,
                n,
                number(4, row),
                number(5, row),
                middle,
            )
        })
        .collect()
}

fn late(batch: &RecordBatch) -> Vec<Late> {
    let ordinals = batch
        .column(3)
        .as_primitive::<UInt64Type>()
        .values()
        .to_vec();
    let missed = batch
        .column(6)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec();
    let watermarks = ticks(batch.column(4));
    for (row, (watermark, time)) in watermarks.iter().zip(ticks(batch.column(0))).enumerate() {
        let lateness = batch
            .column(5)
            .as_primitive::<DurationMillisecondType>()
            .value(row);
        assert_eq!(lateness, watermark - time);
    }
    ordinals
        .into_iter()
        .zip(watermarks)
        .zip(missed)
        .map(|((o, w), m)| (o, w, m))
        .collect()
}

/// Pushes rows batch by batch, and takes what `take` answers where the case polls.
fn run(case: &Case, operator: &mut Operator, mut take: impl FnMut(&mut Operator)) {
    let mut from = 0;
    for (size, poll) in case.batches.iter().zip(&case.polls) {
        let to = (from + size).min(case.rows.len());
        let rows = &case.rows[from..to];
        let arrivals: Vec<i64> = rows.iter().map(|row| row.arrival_ms).collect();
        operator
            .push(&batch(rows), from as u64, Arrivals::Each(&arrivals))
            .unwrap();
        if *poll {
            if let [last, next] = case.rows[to.max(1) - 1..].get(..2).unwrap_or_default() {
                operator.tick(i64::midpoint(last.arrival_ms, next.arrival_ms));
            }
            take(operator);
        }
        from = to;
    }
    operator.finish().unwrap();
    take(operator);
}

fn windows_of(window: Window, time: i64) -> Vec<(i64, i64)> {
    let ms = |span: Span| span.nanos() / 1_000_000;
    let mut found = Vec::new();
    match window {
        Window::Tumble { size, offset } => {
            return windows_of(
                Window::Hop {
                    size,
                    slide: size,
                    offset,
                },
                time,
            );
        }
        Window::Hop {
            size,
            slide,
            offset,
        } => {
            for index in -1_000..1_000 {
                let start = index * ms(slide) + ms(offset);
                found.push((start, start + ms(size)));
            }
        }
        Window::Cumulate { size, step, offset } => {
            for index in -1_000..1_000 {
                let start = index * ms(size) + ms(offset);
                let count = ms(size) / ms(step);
                found.extend((1..=count).map(|steps| (start, start + steps * ms(step))));
            }
        }
        Window::Rolling { .. } | Window::Session { .. } => unreachable!(),
    }
    found.retain(|(start, end)| *start <= time && time < *end);
    found
}

/// The watermark that each row with a time is judged against.
fn watermarks(case: &Case, order: Order) -> Vec<i64> {
    let (mut latest, mut value) = (None, i64::MIN);
    let mut last_ms: Option<i64> = None;
    let mut found = Vec::new();
    for row in &case.rows {
        if let (Some(latest), Some(last_ms), Some(idle)) = (latest, last_ms, case.idle)
            && idle <= row.arrival_ms - last_ms
        {
            value = value.max(latest - case.delay + row.arrival_ms - last_ms);
        }
        last_ms = Some(row.arrival_ms);
        found.push(if order == Order::Event {
            i64::MIN
        } else {
            value
        });
        if let Some(time) = row.time {
            latest = latest.max(Some(time));
            value = value.max(latest.unwrap() - case.delay);
        }
    }
    found
}

fn amount(case: &Case, start: i64, end: i64, of: &[usize]) -> Answer {
    let key = KEYS[case.rows[of[0]].key];
    let first = of
        .iter()
        .min_by_key(|&&row| (case.rows[row].time, row))
        .unwrap();
    let mut values: Vec<i64> = of.iter().filter_map(|&row| case.rows[row].value).collect();
    values.sort_unstable();
    let middle = (!values.is_empty()).then(|| {
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        ((low + high) as f64 / 2.0).to_string()
    });
    (
        start,
        end,
        (key.is_none(), key.unwrap_or_default().to_owned()),
        of.len() as i64,
        (!values.is_empty()).then(|| values.iter().sum()),
        case.rows[*first].value,
        middle,
    )
}

fn model(case: &Case, order: Order) -> (Vec<Answer>, Vec<Late>) {
    match case.window {
        Window::Rolling { size } => model_rolling(case, order, size.nanos() / 1_000_000),
        Window::Session { gap } => model_sessions(case, order, gap.nanos() / 1_000_000),
        _ => model_panes(case, order),
    }
}

fn model_panes(case: &Case, order: Order) -> (Vec<Answer>, Vec<Late>) {
    let mut content: BTreeMap<(i64, i64, usize), Vec<usize>> = BTreeMap::new();
    let mut late = Vec::new();
    for (index, (row, watermark)) in case.rows.iter().zip(watermarks(case, order)).enumerate() {
        let Some(time) = row.time else { continue };
        let mut missed = 0;
        for (start, end) in windows_of(case.window, time) {
            if end + case.lateness <= watermark {
                missed += 1;
            } else {
                content
                    .entry((start, end, row.key))
                    .or_default()
                    .push(index);
            }
        }
        if 0 < missed {
            late.push((index as u64, watermark, missed));
        }
    }
    let answers = content
        .iter()
        .map(|(&(start, end, _), of)| amount(case, start, end, of));
    let mut answers: Vec<Answer> = answers.collect();
    answers.sort();
    (answers, late)
}

fn model_sessions(case: &Case, order: Order, gap: i64) -> (Vec<Answer>, Vec<Late>) {
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut closed: Vec<Vec<usize>> = Vec::new();
    let mut late = Vec::new();
    let time = |row: usize| case.rows[row].time.unwrap();
    let end = |of: &[usize]| of.iter().map(|&row| time(row)).max().unwrap() + gap;
    for (index, (row, watermark)) in case.rows.iter().zip(watermarks(case, order)).enumerate() {
        let Some(now) = row.time else { continue };
        open.retain(|(_, of)| {
            let is_open = watermark < end(of) + case.lateness;
            if !is_open {
                closed.push(of.clone());
            }
            is_open
        });
        let mut joined = vec![index];
        open.retain(|(key, of)| {
            let joins = *key == row.key && of.iter().any(|&other| (time(other) - now).abs() < gap);
            if joins {
                joined.extend(of);
            }
            !joins
        });
        if joined.len() == 1 && now + gap + case.lateness <= watermark {
            late.push((index as u64, watermark, 1));
        } else {
            open.push((row.key, joined));
        }
    }
    closed.extend(open.into_iter().map(|(_, of)| of));
    let mut answers: Vec<Answer> = closed
        .iter()
        .map(|of| {
            amount(
                case,
                of.iter().map(|&row| time(row)).min().unwrap(),
                end(of),
                of,
            )
        })
        .collect();
    answers.sort();
    (answers, late)
}

fn model_rolling(case: &Case, order: Order, size: i64) -> (Vec<Answer>, Vec<Late>) {
    let watermarks = watermarks(case, order);
    let closing = |row: usize| watermarks[row].saturating_sub(case.lateness);
    let (mut answers, mut late) = (Vec::new(), Vec::new());
    for (index, row) in case.rows.iter().enumerate() {
        let Some(time) = row.time else { continue };
        if time < closing(index) {
            late.push((index as u64, watermarks[index], 1));
            continue;
        }
        let counted = |&other: &usize| {
            let Some(then) = case.rows[other].time else {
                return false;
            };
            case.rows[other].key == row.key
                && time - size < then
                && then <= time
                && closing(other) <= time
        };
        let of: Vec<usize> = (0..case.rows.len()).filter(counted).collect();
        answers.push((time, index, amount(case, time - size, time, &of)));
    }
    answers.sort();
    (
        answers.into_iter().map(|(_, _, answer)| answer).collect(),
        late,
    )
}

fn check(case: &Case, order: Order) {
    let mut operator = operator(case, order);
    let (mut found, mut found_late) = (Vec::new(), Vec::new());
    run(case, &mut operator, |operator| {
        let taken = answers(&operator.take_closed().unwrap());
        if !matches!(case.window, Window::Rolling { .. }) {
            assert!(taken.is_sorted(), "{taken:?}");
        }
        found.extend(taken);
        found_late.extend(late(&operator.take_late().unwrap()));
    });
    let (expected, expected_late) = model(case, order);
    assert_eq!(operator.stats().windows, found.len() as u64);
    if !matches!(case.window, Window::Rolling { .. }) {
        found.sort();
    }
    assert_eq!(found, expected);
    assert_eq!(found_late, expected_late);
    assert_eq!(operator.stats().rows, case.rows.len() as u64);
    let late_rows = operator.stats().late_rows + operator.stats().partly_late_rows;
    assert_eq!(late_rows, expected_late.len() as u64);
    assert_eq!(operator.ledger.live(), 0);
}

/// Rolling windows keep no states past the end, and the others neither.
#[test]
fn every_window_has_its_rows_in_order_of_events() {
    proptest!(ProptestConfig::with_cases(600), |(case in cases())| check(&case, Order::Event));
}

#[test]
fn every_window_has_its_rows_in_order_of_arrival() {
    proptest!(ProptestConfig::with_cases(1_200), |(case in cases())| check(&case, Order::Arrival));
}

#[test]
fn last_change_of_a_window_is_its_final_row() {
    proptest!(ProptestConfig::with_cases(600), |(case in cases(), by_arrival: bool)| {
        let order = if by_arrival { Order::Arrival } else { Order::Event };
        let mut operator = operator(&case, order);
        let mut changes = BTreeMap::new();
        run(&case, &mut operator, |operator| {
            for answer in answers(&operator.take_changes().unwrap()) {
                changes.insert((answer.0, answer.1, answer.2.clone()), answer);
            }
        });
        let (expected, _) = model(&case, order);
        for answer in &expected {
            let found = &changes[&(answer.0, answer.1, answer.2.clone())];
            // Rolling rows of one time and key may differ in nothing but what was late for the first.
            prop_assert_eq!(found, answer);
        }
        if !matches!(case.window, Window::Rolling { .. } | Window::Session { .. }) {
            prop_assert_eq!(changes.len(), expected.len());
        }
        prop_assert_eq!(operator.ledger.live(), 0);
    });
}

#[test]
fn merged_operators_answer_as_one() {
    proptest!(ProptestConfig::with_cases(400), |(case in cases())| {
        let mut parts = [operator(&case, Order::Event), operator(&case, Order::Event)];
        let mut at = 0;
        for (index, row) in case.rows.iter().enumerate() {
            parts[at].push(&batch(&[*row]), index as u64, Arrivals::At(0)).unwrap();
            at = usize::from(case.polls[index] ^ (at == 1));
        }
        let [mut whole, part] = parts;
        whole.merge(part).unwrap();
        whole.finish().unwrap();
        prop_assert_eq!(answers(&whole.take_closed().unwrap()), model(&case, Order::Event).0);
        prop_assert_eq!(whole.ledger.live(), 0);
    });
}
