//! Rolling windows against a model that folds the rows of every window anew, by every function.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::DictionaryArray;
use arrow_array::Float64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::types::Int32Type;
use arrow_schema::Schema;
use arrow_select::concat::concat_batches;
use proptest::prelude::*;

use crate::threads::Threads;
use crate::window::Arrivals;
use crate::window::NullTimes;
use crate::window::Operator;
use crate::window::Order;
use crate::window::QuerySpec;
use crate::window::Span;
use crate::window::Window;
use crate::window::aggregate::Aggregate;
use crate::window::aggregate::Function;
use crate::window::aggregate::Interpolation;
use crate::window::aggregate::Rows;

#[derive(Clone, Debug)]
struct Row {
    time: Option<i64>,
    key: Option<&'static str>,
    amount: Option<f64>,
    text: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<Row>,
    size: i64,
    batch_rows: usize,
    threads: usize,
    /// How many of the rows go to another operator, which is merged then.
    apart: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let keys = [None, Some(""), Some("a"), Some("a key of more than twelve bytes")];
    let row = (
        0..9_i64,
        prop_oneof![6 => -30..1_i64, 1 => Just(0), 1 => -500..500_i64],
        prop::option::weighted(0.95, Just(())),
        prop::sample::select(keys.to_vec()),
        prop::option::weighted(0.9, -400..400_i32),
        prop::sample::select(keys.to_vec()),
    );
    (
        prop::collection::vec(row, 1..150),
        prop_oneof![1..80_i64, 1..900_i64],
        1..60_usize,
        1..4_usize,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(rows, size, batch_rows, threads, apart, is_merged)| {
            let mut now = 0;
            let rows = rows.into_iter().map(|(step, late, present, key, amount, text)| {
                now += step;
                // Quarters, whose sums and squares are exact, in whatever order they are added.
                let amount = amount.map(|quarters| f64::from(quarters) / 4.0);
                Row { time: present.map(|()| now + late), key, amount, text }
            });
            let rows: Vec<Row> = rows.collect();
            let apart = if is_merged { apart.index(rows.len()) } else { 0 };
            Case { rows, size, batch_rows, threads, apart }
        })
}

fn table(rows: &[Row]) -> RecordBatch {
    let times: TimestampMillisecondArray = rows.iter().map(|row| row.time).collect();
    let keys: StringViewArray = rows.iter().map(|row| row.key).collect();
    let texts: StringArray = rows.iter().map(|row| row.text).collect();
    let codes: DictionaryArray<Int32Type> = rows.iter().map(|row| row.text).collect();
    let columns: [(&str, ArrayRef, bool); 5] = [
        ("at", Arc::new(times), true),
        ("key", Arc::new(keys), true),
        ("amount", Arc::new(rows.iter().map(|row| row.amount).collect::<Float64Array>()), true),
        ("text", Arc::new(texts), true),
        ("code", Arc::new(codes), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn aggregates() -> Vec<Aggregate> {
    let interpolation = Interpolation::Linear;
    let functions = [
        (Function::Count, None),
        (Function::Count, Some("text")),
        (Function::Sum, Some("amount")),
        (Function::Mean, Some("amount")),
        (Function::Min, Some("amount")),
        (Function::Max, Some("code")),
        (Function::Max, Some("text")),
        (Function::Var { ddof: 1 }, Some("amount")),
        (Function::First { ignore_nulls: false }, Some("amount")),
        (Function::Last { ignore_nulls: true }, Some("text")),
        (Function::Quantile { q: 0.9, interpolation }, Some("amount")),
        (Function::ApproxCountDistinct, Some("text")),
        (Function::CountDistinct, Some("code")),
        (Function::TopK { k: 2 }, Some("text")),
    ];
    let named = functions.into_iter().enumerate().map(|(index, (function, column))| {
        Aggregate::new(format!("a{index}"), function, column.map(str::to_owned)).unwrap()
    });
    named.collect()
}

fn operator(case: &Case, schema: &Schema, order: Order) -> Operator {
    let spec = QuerySpec {
        window: Window::rolling(Span::from_millis(case.size).unwrap()).unwrap(),
        time: "at".to_owned(),
        keys: vec!["key".to_owned()],
        aggregates: aggregates(),
        watermark: Span::from_millis(2_000).unwrap(),
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Skip,
    };
    Operator::new(spec, schema, order).unwrap()
}

/// Pushes slices of a table, so that columns begin anywhere.
fn push(operator: &mut Operator, table: &RecordBatch, from: usize, to: usize, case: &Case) {
    for start in (from..to).step_by(case.batch_rows) {
        let batch = table.slice(start, case.batch_rows.min(to - start));
        operator.push(&batch, start as u64, Arrivals::At(0)).unwrap();
    }
}

fn answer(case: &Case) -> RecordBatch {
    let table = table(&case.rows);
    let mut operator = operator(case, &table.schema(), Order::Event);
    let mut other = operator.fresh().unwrap();
    push(&mut other, &table, 0, case.apart, case);
    push(&mut operator, &table, case.apart, case.rows.len(), case);
    operator.merge(other).unwrap();
    operator.use_threads(Threads::new(Some(case.threads)).unwrap());
    operator.finish().unwrap();
    assert_eq!(operator.stats().open_windows, 0);
    let batches = operator.take_closed_batches().unwrap();
    assert!(batches.iter().all(|batch| 0 < batch.num_rows()));
    concat_batches(&operator.output_schema(), &batches).unwrap()
}

/// The answers of every function for every row that has a time, in order of time and ordinal.
fn model(case: &Case) -> Vec<Vec<ArrayRef>> {
    let table = table(&case.rows);
    let times: Vec<i64> = case.rows.iter().map(|row| row.time.unwrap_or(0)).collect();
    let mut order: Vec<usize> =
        (0..case.rows.len()).filter(|&row| case.rows[row].time.is_some()).collect();
    order.sort_by_key(|&row| times[row]);
    let window = |row: usize| -> Vec<u32> {
        let is_in = |&other: &u32| {
            let other = &case.rows[other as usize];
            let behind = other.time.map(|time| times[row] - time);
            other.key == case.rows[row].key
                && behind.is_some_and(|behind| (0..case.size).contains(&behind))
        };
        (0..).take(case.rows.len()).filter(is_in).collect()
    };
    let answer = |row: &usize| {
        let picked = window(*row);
        let of_aggregate = |aggregate: &Aggregate| {
            let values = aggregate.column.as_ref().map(|name| table.column_by_name(name).unwrap());
            let mut states = aggregate.states(values.map(Array::data_type)).unwrap();
            states.grow(1);
            let rows = Rows { values, times: &times, first_ordinal: 0, picked: Some(&picked) };
            states.update(rows, &vec![0; picked.len()]);
            states.finish(&[0]).unwrap()
        };
        aggregates().iter().flat_map(of_aggregate).collect()
    };
    order.iter().map(answer).collect()
}

#[test]
fn every_function_answers_what_its_window_holds() {
    proptest!(ProptestConfig::with_cases(150), |(case in cases())| {
        let found = answer(&case);
        let expected = model(&case);
        prop_assert_eq!(found.num_rows(), expected.len());
        for (row, answers) in expected.iter().enumerate() {
            for (column, expected) in found.columns()[3..].iter().zip(answers) {
                prop_assert_eq!(&column.slice(row, 1), expected);
            }
        }
    });
}

#[test]
fn answers_in_order_of_arrival_are_the_same_when_nothing_is_late() {
    proptest!(ProptestConfig::with_cases(100), |(case in cases(), polls: bool)| {
        let table = table(&case.rows);
        let mut operator = operator(&case, &table.schema(), Order::Arrival);
        let mut batches = Vec::new();
        for start in (0..case.rows.len()).step_by(case.batch_rows) {
            let batch = table.slice(start, case.batch_rows.min(case.rows.len() - start));
            operator.push(&batch, start as u64, Arrivals::At(0)).unwrap();
            if polls {
                batches.extend(operator.take_closed_batches().unwrap());
            }
        }
        operator.finish().unwrap();
        batches.extend(operator.take_closed_batches().unwrap());
        let found = concat_batches(&operator.output_schema(), &batches).unwrap();
        prop_assert_eq!(found, answer(&case));
        prop_assert_eq!(operator.stats().open_windows, 0);
    });
}

/// Float sums that are not exact still do not feel threads, batches or merges.
#[test]
fn sums_do_not_feel_threads() {
    proptest!(ProptestConfig::with_cases(100), |(mut case in cases(), seed in 1..1_000_u32)| {
        for (row, index) in case.rows.iter_mut().zip(1_u32..) {
            row.amount = Some(f64::from(seed.wrapping_mul(index) % 977) * 1e17 / f64::from(index));
        }
        let several = answer(&case);
        let one = answer(&Case { threads: 1, apart: 0, batch_rows: 1_000, ..case });
        prop_assert_eq!(one, several);
    });
}

#[test]
fn failed_sums_cost_their_own_batch_alone() {
    let rows = (0..4_000_i64).map(|at| (at * 10, if at < 20 { i64::MAX } else { 1 }));
    let (times, amounts): (Vec<i64>, Vec<i64>) = rows.unzip();
    let columns: [(&str, ArrayRef); 2] = [
        ("at", Arc::new(TimestampMillisecondArray::from(times))),
        ("amount", Arc::new(arrow_array::Int64Array::from(amounts))),
    ];
    let table = RecordBatch::try_from_iter(columns).unwrap();
    for threads in 1..4 {
        let spec = QuerySpec {
            window: Window::rolling(Span::from_millis(100).unwrap()).unwrap(),
            time: "at".to_owned(),
            keys: Vec::new(),
            aggregates: vec![
                Aggregate::new("sum", Function::Sum, Some("amount".to_owned())).unwrap(),
            ],
            watermark: Span::ZERO,
            allowed_lateness: Span::ZERO,
            idle_timeout: None,
            null_times: NullTimes::Raise,
        };
        let mut operator = Operator::new(spec, &table.schema(), Order::Event).unwrap();
        operator.push(&table, 0, Arrivals::At(0)).unwrap();
        operator.use_threads(Threads::new(Some(threads)).unwrap());
        let mut failures = usize::from(operator.finish().is_err());
        let answered = loop {
            match operator.take_closed() {
                Ok(batch) => break batch,
                Err(_) => failures += 1,
            }
        };
        assert!(0 < failures);
        assert!(3_000 < answered.num_rows() && answered.num_rows() < 4_000);
        let last = answered.column(2).slice(answered.num_rows() - 1, 1);
        let ten: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![10]));
        assert_eq!(&last, &ten);
        assert_eq!(operator.stats().windows, 4_000);
    }
}
