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

const KEYS: [Option<&str>; 5] =
    [None, Some("a"), Some("b"), Some(""), Some("a key of more than fifteen bytes")];

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
type Answer = (i64, i64, (bool, String), i64, Option<i64>, Option<i64>, Option<String>);

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
                    Row { time: jitter.map(|jitter| now + jitter), key, value, arrival_ms }
                })
                .collect();
            Case { window, rows, batches, polls, delay, lateness, idle }
        })
}

fn aggregates() -> Vec<Aggregate> {
    let value = || Some("v".to_owned());
    vec![
        Aggregate::new("n", Function::Count, None).unwrap(),
        Aggregate::new("total", Function::Sum, value()).unwrap(),
        Aggregate::new("first", Function::First { ignore_nulls: false }, value()).unwrap(),
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
    column.as_primitive::<TimestampMillisecondType>().values().to_vec()
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
            let middle = middles.is_valid(row).then(|| middles.value(row).to_string());
            let n = number(3, row).unwrap();
            (starts[row], ends[row], key, n, number(4, row), number(5, row), middle)
        })
        .collect()
}

fn late(batch: &RecordBatch) -> Vec<Late> {
    let ordinals = batch.column(3).as_primitive::<UInt64Type>().values().to_vec();
    let missed = batch.column(6).as_primitive::<Int64Type>().values().to_vec();
    let watermarks = ticks(batch.column(4));
    for (row, (watermark, time)) in watermarks.iter().zip(ticks(batch.column(0))).enumerate() {
        let lateness = batch.column(5).as_primitive::<DurationMillisecondType>().value(row);
        assert_eq!(lateness, watermark - time);
    }
    ordinals.into_iter().zip(watermarks).zip(missed).map(|((o, w), m)| (o, w, m)).collect()
}

/// Pushes rows batch by batch, and takes what `take` answers where the case polls.
fn run(case: &Case, operator: &mut Operator, mut take: impl FnMut(&mut Operator)) {
    let mut from = 0;
    for (size, poll) in case.batches.iter().zip(&case.polls) {
        let to = (from + size).min(case.rows.len());
        let rows = &case.rows[from..to];
        let arrivals: Vec<i64> = rows.iter().map(|row| row.arrival_ms).collect();
        operator.push(&batch(rows), from as u64, Arrivals::Each(&arrivals)).unwrap();
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
            return windows_of(Window::Hop { size, slide: size, offset }, time);
        }
        Window::Hop { size, slide, offset } => {
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
        found.push(if order == Order::Event { i64::MIN } else { value });
        if let Some(time) = row.time {
            latest = latest.max(Some(time));
            value = value.max(latest.unwrap() - case.delay);
        }
    }
    found
}

fn amount(case: &Case, start: i64, end: i64, of: &[usize]) -> Answer {
    let key = KEYS[case.rows[of[0]].key];
    let first = of.iter().min_by_key(|&&row| (case.rows[row].time, row)).unwrap();
    let mut values: Vec<i32> =
        of.iter().filter_map(|&row| case.rows[row].value?.try_into().ok()).collect();
    values.sort_unstable();
    let middle = (!values.is_empty()).then(|| {
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        (f64::from(low + high) / 2.0).to_string()
    });
    (
        start,
        end,
        (key.is_none(), key.unwrap_or_default().to_owned()),
        i64::try_from(of.len()).unwrap(),
        (!values.is_empty()).then(|| values.iter().map(|&value| i64::from(value)).sum()),
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
                content.entry((start, end, row.key)).or_default().push(index);
            }
        }
        if 0 < missed {
            late.push((index as u64, watermark, missed));
        }
    }
    let answers = content.iter().map(|(&(start, end, _), of)| amount(case, start, end, of));
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
        .map(|of| amount(case, of.iter().map(|&row| time(row)).min().unwrap(), end(of), of))
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
    (answers.into_iter().map(|(_, _, answer)| answer).collect(), late)
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

#[test]
fn parts_of_the_rows_answer_together_as_one() {
    proptest!(ProptestConfig::with_cases(400), |(case in cases(), cuts in [0..50_usize, 0..50, 0..50])| {
        let count = case.rows.len();
        let mut edges = vec![0, count];
        edges.extend(cuts.map(|cut| cut.min(count)));
        edges.sort_unstable();
        let part = |edges: &[usize]| {
            let mut part = operator(&case, Order::Event);
            let rows = batch(&case.rows[edges[0]..edges[1]]);
            part.push(&rows, edges[0] as u64, Arrivals::At(0)).unwrap();
            part
        };
        let parts: Vec<Operator> = edges.windows(2).map(part).collect();
        let (batches, stats) = Operator::answer_together(parts).unwrap();
        let found: Vec<Answer> = batches.iter().flat_map(answers).collect();
        prop_assert_eq!(found, model(&case, Order::Event).0);
        let mut whole = operator(&case, Order::Event);
        whole.push(&batch(&case.rows), 0, Arrivals::At(0)).unwrap();
        whole.finish().unwrap();
        whole.take_closed().unwrap();
        prop_assert_eq!(&stats, whole.stats());
    });
}

/// Rows of one key, of value 1, that arrive as they happen.
fn ones(times: impl IntoIterator<Item = i64>) -> Vec<Row> {
    let row = |time| Row { time: Some(time), key: 1, value: Some(1), arrival_ms: time };
    times.into_iter().map(row).collect()
}

fn refusal(change: impl FnOnce(&mut QuerySpec)) -> WindowError {
    let mut spec = spec(Window::Tumble { size: millis(10), offset: Span::ZERO });
    change(&mut spec);
    Operator::new(spec, &schema(), Order::Event).unwrap_err()
}

#[test]
fn queries_that_cannot_be_are_refused() {
    use WindowError as E;
    assert_eq!(refusal(|spec| spec.aggregates.clear()), E::AggregatesMissing);
    assert_eq!(
        refusal(|spec| spec.keys.push("x".to_owned())),
        E::ColumnMissing { column: "x".to_owned(), columns: "`k`, `v`, `t`".to_owned() }
    );
    assert!(matches!(refusal(|spec| spec.time = "x".to_owned()), E::ColumnMissing { .. }));
    assert!(matches!(
        refusal(|spec| spec.aggregates[1].column = Some("x".to_owned())),
        E::ColumnMissing { .. }
    ));
    assert!(matches!(refusal(|spec| spec.time = "v".to_owned()), E::TimeType { .. }));
    for name in ["k", "window_end", "total"] {
        let taken = refusal(|spec| spec.aggregates[0].name = name.to_owned());
        assert_eq!(taken, E::NameTaken { name: name.to_owned() });
    }
    assert!(matches!(refusal(|spec| spec.keys.push("k".to_owned())), E::NameTaken { .. }));
    for window in [
        Window::Tumble { size: Span::ZERO, offset: Span::ZERO },
        Window::Session { gap: millis(-1) },
        Window::Rolling { size: Span::ZERO },
        Window::Hop { size: millis(1), slide: Span::ZERO, offset: Span::ZERO },
        Window::Cumulate { size: millis(1), step: Span::ZERO, offset: Span::ZERO },
    ] {
        assert!(matches!(refusal(|spec| spec.window = window), E::SpanNotPositive { .. }));
    }
    let hop = Window::Hop { size: millis(1), slide: millis(2), offset: Span::ZERO };
    assert!(matches!(refusal(|spec| spec.window = hop), E::SlideTooLong { .. }));
    assert!(matches!(
        Window::cumulate(millis(7), millis(2), Span::ZERO),
        Err(E::StepUneven { .. })
    ));
    assert!(matches!(refusal(|spec| spec.watermark = millis(-1)), E::SpanNegative { .. }));
    assert!(matches!(
        refusal(|spec| spec.idle_timeout = Some(Span::ZERO)),
        E::SpanNotPositive { .. }
    ));
    let forever = Span::from_nanos(i64::MAX);
    assert!(matches!(refusal(|spec| spec.watermark = forever), E::SpanTooLong { .. }));
    assert!(matches!(Span::from_millis(i64::MAX), Err(E::SpanTooLong { .. })));
}

#[test]
fn null_times_raise_and_leave_nothing_behind() {
    let spec = QuerySpec {
        null_times: NullTimes::Raise,
        ..spec(Window::Tumble { size: millis(10), offset: Span::ZERO })
    };
    let mut operator = Operator::new(spec, &schema(), Order::Event).unwrap();
    let mut rows = ones([1, 2, 3, 4]);
    rows[2].time = None;
    rows[3].time = None;
    let refused = operator.push(&batch(&rows), 100, Arrivals::At(0));
    let expected = WindowError::TimeNull { column: "t".to_owned(), count: 2, ordinal: 102 };
    assert_eq!(refused, Err(expected));
    operator.finish().unwrap();
    assert_eq!(operator.take_closed().unwrap().num_rows(), 0);
    assert_eq!(*operator.stats(), Stats::default());
}

#[test]
fn finished_operator_refuses_rows() {
    let mut operator =
        Operator::new(spec(Window::Rolling { size: millis(10) }), &schema(), Order::Arrival)
            .unwrap();
    operator.finish().unwrap();
    let refused = operator.push(&batch(&ones([1])), 0, Arrivals::At(0));
    assert_eq!(refused, Err(WindowError::Finished));
}

#[test]
fn wrong_batches_are_refused() {
    let window = Window::Tumble { size: millis(10), offset: Span::ZERO };
    let mut operator = Operator::new(spec(window), &schema(), Order::Event).unwrap();
    let rows = batch(&ones([1]));
    assert_eq!(
        operator.push(&rows, 0, Arrivals::Each(&[])),
        Err(WindowError::ArrivalCount { rows: 1, arrivals: 0 })
    );
    let two = rows.project(&[0, 1]).unwrap();
    let missing = operator.push(&two, 0, Arrivals::At(0));
    assert!(matches!(missing, Err(WindowError::ColumnMissing { .. })), "{missing:?}");
    let fields = vec![
        Field::new("t", DataType::Int64, true),
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
    ];
    let other = RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![rows.column(1).clone(), rows.column(0).clone(), rows.column(1).clone()],
    );
    let changed = operator.push(&other.unwrap(), 0, Arrivals::At(0));
    assert!(matches!(changed, Err(WindowError::ColumnChanged { .. })), "{changed:?}");
}

#[test]
fn columns_are_found_by_name_wherever_they_stand() {
    let window = Window::Tumble { size: millis(10), offset: Span::ZERO };
    let mut operator = Operator::new(spec(window), &schema(), Order::Event).unwrap();
    let turned = batch(&ones([1])).project(&[2, 1, 0]).unwrap();
    operator.push(&turned, 0, Arrivals::At(0)).unwrap();
    operator.finish().unwrap();
    assert_eq!(operator.take_closed().unwrap().num_rows(), 1);
}

#[test]
fn operators_of_other_queries_are_not_merged() {
    let of = |size, order| {
        let window = Window::Tumble { size: millis(size), offset: Span::ZERO };
        Operator::new(spec(window), &schema(), order).unwrap()
    };
    let by_arrival = of(10, Order::Arrival).merge(of(10, Order::Arrival));
    assert_eq!(by_arrival, Err(WindowError::MergeOfArrivals));
    let different = of(10, Order::Event).merge(of(20, Order::Event));
    assert_eq!(different, Err(WindowError::MergeOfQueries));
}

#[test]
fn fresh_operator_merges_into_its_model() {
    let window = Window::Hop { size: millis(10), slide: millis(5), offset: Span::ZERO };
    let mut operator = Operator::new(spec(window), &schema(), Order::Event).unwrap();
    operator.push(&batch(&ones([1])), 0, Arrivals::At(0)).unwrap();
    let mut other = operator.fresh().unwrap();
    other.push(&batch(&ones([2, 7])), 1, Arrivals::At(0)).unwrap();
    operator.merge(other).unwrap();
    operator.finish().unwrap();
    let counts: Vec<i64> =
        answers(&operator.take_closed().unwrap()).into_iter().map(|answer| answer.3).collect();
    assert_eq!(counts, [2, 3, 1]);
    assert_eq!(operator.stats().rows, 3);
}

/// A long live run over keys that come and go holds no more than its open windows.
#[test]
fn memory_is_bounded_by_open_windows() {
    for window in [
        Window::tumble(millis(10), Span::ZERO).unwrap(),
        Window::hop(millis(10), millis(4), Span::ZERO).unwrap(),
        Window::cumulate(millis(10), millis(5), Span::ZERO).unwrap(),
        Window::session(millis(5)).unwrap(),
        Window::rolling(millis(10)).unwrap(),
    ] {
        let mut operator = Operator::new(spec(window), &schema(), Order::Arrival).unwrap();
        let mut ordinal = 0;
        for round in 0..200_i64 {
            let keys: StringArray = (0..100).map(|key| Some(format!("{round} {key}"))).collect();
            let values: Int64Array = (0..100).map(Some).collect();
            let times: TimestampMillisecondArray =
                (0..100).map(|at| Some(round * 10 + at / 10)).collect();
            let columns: Vec<ArrayRef> = vec![Arc::new(keys), Arc::new(values), Arc::new(times)];
            let rows = RecordBatch::try_new(Arc::new(schema()), columns).unwrap();
            operator.push(&rows, ordinal, Arrivals::At(round)).unwrap();
            operator.take_closed().unwrap();
            ordinal += 100;
        }
        assert!(operator.ledger.capacity() < 4_000, "{window:?}: {}", operator.ledger.capacity());
        let codes = operator.groups.code_count();
        assert!(codes < 4_000, "{window:?}: {codes}");
    }
}

fn stats_of_late_rows(window: Window, times: &[i64], allowed: i64) -> (u64, u64, Vec<Late>) {
    let spec = QuerySpec { allowed_lateness: millis(allowed), ..spec(window) };
    let mut operator = Operator::new(spec, &schema(), Order::Arrival).unwrap();
    operator.push(&batch(&ones(times.iter().copied())), 0, Arrivals::At(0)).unwrap();
    let rows = late(&operator.take_late().unwrap());
    assert_eq!(operator.take_late().unwrap().num_rows(), 0);
    (operator.stats().late_rows, operator.stats().partly_late_rows, rows)
}

#[test]
fn row_at_the_edge_of_lateness_is_late() {
    let tumble = Window::tumble(millis(10), Span::ZERO).unwrap();
    assert_eq!(stats_of_late_rows(tumble, &[9, 10, 9], 0), (1, 0, vec![(2, 10, 1)]));
    assert_eq!(stats_of_late_rows(tumble, &[9, 10, 9], 1), (0, 0, vec![]));
    let hop = Window::hop(millis(10), millis(5), Span::ZERO).unwrap();
    assert_eq!(stats_of_late_rows(hop, &[9, 10, 9], 0), (0, 1, vec![(2, 10, 1)]));
    assert_eq!(stats_of_late_rows(hop, &[9, 15, 9], 0), (1, 0, vec![(2, 15, 2)]));
}

#[test]
fn rows_a_gap_apart_are_two_sessions() {
    let window = Window::session(millis(5)).unwrap();
    let mut operator = Operator::new(spec(window), &schema(), Order::Event).unwrap();
    operator.push(&batch(&ones([0, 5, 9])), 0, Arrivals::At(0)).unwrap();
    operator.finish().unwrap();
    let found: Vec<_> = answers(&operator.take_closed().unwrap())
        .into_iter()
        .map(|answer| (answer.0, answer.1, answer.3))
        .collect();
    assert_eq!(found, [(0, 5, 1), (5, 14, 2)]);
}

#[test]
fn late_columns_make_way_for_those_of_the_input() {
    let input = Schema::new(vec![
        Field::new("ordinal", DataType::Date32, true),
        Field::new("v", DataType::Int64, true),
    ]);
    let spec = QuerySpec {
        time: "ordinal".to_owned(),
        keys: vec!["v".to_owned()],
        ..spec(Window::tumble(millis(10), Span::ZERO).unwrap())
    };
    let operator = Operator::new(spec, &input, Order::Arrival).unwrap();
    let late = operator.late_schema();
    let names: Vec<&str> = late.fields().iter().map(|field| field.name().as_str()).collect();
    let expected = ["ordinal", "v", "ordinal_", "watermark", "lateness", "windows_missed"];
    assert_eq!(names, expected);
}

#[test]
fn sums_past_64_bits_are_an_error_that_loses_nothing() {
    let window = Window::tumble(millis(10), Span::ZERO).unwrap();
    let mut operator = Operator::new(spec(window), &schema(), Order::Event).unwrap();
    let mut rows = ones([1, 2]);
    for row in &mut rows {
        row.value = Some(i64::MAX);
    }
    operator.push(&batch(&rows), 0, Arrivals::At(0)).unwrap();
    operator.finish().unwrap();
    for _ in 0..2 {
        let refused = operator.take_closed();
        assert!(matches!(refused, Err(WindowError::IntegerSumOverflow { .. })), "{refused:?}");
    }
}
