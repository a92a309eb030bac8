//! Batches read as they come against the same rows as one table.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::StringArray;
use arrow_array::TimestampMillisecondArray;
use proptest::prelude::*;

use super::*;
use crate::window::NullTimes;
use crate::window::Span;
use crate::window::Window;
use crate::window::aggregate::Aggregate;
use crate::window::aggregate::Function;

/// What stands for a reader's own errors.
#[derive(Debug)]
enum Failure {
    Query(QueryError),
    Reader,
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

fn spec(window: Window) -> QuerySpec {
    let aggregate =
        |name, function, column| Aggregate::new(name, function, column).expect("an aggregate");
    QuerySpec {
        window,
        time: "at".to_owned(),
        keys: vec!["key".to_owned()],
        aggregates: vec![
            aggregate("n", Function::Count, None),
            aggregate("total", Function::Sum, Some("x".to_owned())),
            aggregate("opening", Function::First { ignore_nulls: false }, Some("x".to_owned())),
        ],
        watermark: Span::from_millis(5).unwrap(),
        allowed_lateness: Span::ZERO,
        idle_timeout: None,
        null_times: NullTimes::Skip,
    }
}

fn table(rows: &[(Option<i64>, Option<String>, Option<i64>)]) -> RecordBatch {
    let times: TimestampMillisecondArray = rows.iter().map(|row| row.0).collect();
    let keys: StringArray = rows.iter().map(|row| row.1.as_deref()).collect();
    let values: Int64Array = rows.iter().map(|row| row.2).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("at", Arc::new(times) as ArrayRef, true),
        ("key", Arc::new(keys) as ArrayRef, true),
        ("x", Arc::new(values) as ArrayRef, true),
    ])
    .unwrap()
}

/// The table in pieces of these lengths, over and over; empty pieces are among them.
fn pieces(table: &RecordBatch, lengths: &[usize]) -> Vec<RecordBatch> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for &length in lengths.iter().cycle() {
        if start == table.num_rows() {
            break;
        }
        let length = length.min(table.num_rows() - start);
        pieces.push(table.slice(start, length));
        start += length;
    }
    pieces
}

fn minute_of_rows(count: i64) -> RecordBatch {
    let row = |at| (Some(at), Some("a".to_owned()), Some(at));
    table(&(0..count).map(row).collect::<Vec<_>>())
}

fn tumble() -> QuerySpec {
    spec(Window::tumble(Span::from_millis(10).unwrap(), Span::ZERO).unwrap())
}

proptest! {
    #[test]
    fn batches_as_they_come_answer_like_one_table(
        rows in prop::collection::vec(
            (
                prop::option::weighted(0.9, -50..50_i64),
                prop::option::weighted(0.9, "|[ab]|a key of more than fifteen bytes"),
                prop::option::weighted(0.9, -9..9_i64),
            ),
            0..120,
        ),
        lengths in prop::collection::vec(0..20_usize, 1..6),
        window in prop_oneof![
            Just(Window::tumble(Span::from_millis(10).unwrap(), Span::ZERO).unwrap()),
            Just(Window::session(Span::from_millis(3).unwrap()).unwrap()),
            Just(Window::rolling(Span::from_millis(7).unwrap()).unwrap()),
        ],
        arrival in any::<bool>(),
        threads in 1..5_usize,
    ) {
        let order = if arrival { Order::Arrival } else { Order::Event };
        let lengths: Vec<usize> = lengths.into_iter().chain([1]).collect();
        let whole = table(&rows);
        let schema = whole.schema();
        let wanted =
            collect_table(spec(window), &schema, std::slice::from_ref(&whole), order, Threads::ONE, &|| true)
                .unwrap();
        let batches = pieces(&whole, &lengths).into_iter().map(Ok::<_, QueryError>);
        let threads = Threads::new(Some(threads)).unwrap();
        let given =
            collect_batches(spec(window), &schema, batches, order, threads, &|| true).unwrap();
        let joined = |schema, batches: &[RecordBatch]| {
            arrow_select::concat::concat_batches(schema, batches).unwrap()
        };
        prop_assert_eq!(
            joined(&given.schema, &given.windows),
            joined(&wanted.schema, &wanted.windows)
        );
        prop_assert_eq!(given.stats, wanted.stats);
        let mut first_row = 0;
        let in_pieces = pieces(&whole, &lengths);
        let runs = in_pieces.chunks(2).map(|run| {
            let run = (first_row, run.iter().cloned().map(Ok::<_, QueryError>));
            first_row += run.1.clone().map(|batch| batch.unwrap().num_rows() as u64).sum::<u64>();
            run
        }).collect();
        let beside = collect_runs(spec(window), &schema, runs, order, threads, &|| true).unwrap();
        prop_assert_eq!(
            joined(&beside.schema, &beside.windows),
            joined(&wanted.schema, &wanted.windows)
        );
        prop_assert_eq!(beside.stats, wanted.stats);
        prop_assert_eq!(
            joined(&beside.late_schema, &beside.late),
            joined(&wanted.late_schema, &wanted.late)
        );
        let shared =
            collect_table(spec(window), &schema, &in_pieces, order, threads, &|| true).unwrap();
        prop_assert_eq!(
            joined(&shared.schema, &shared.windows),
            joined(&wanted.schema, &wanted.windows)
        );
        prop_assert_eq!(shared.stats, wanted.stats);
        prop_assert_eq!(
            joined(&given.late_schema, &given.late),
            joined(&wanted.late_schema, &wanted.late)
        );
    }
}

#[test]
fn an_error_of_the_reader_is_the_answer() {
    for threads in [1, 2] {
        let threads = Threads::new(Some(threads)).unwrap();
        let good = minute_of_rows(10);
        let schema = good.schema();
        let batches = [Ok(good), Err(Failure::Reader)].into_iter();
        let answer = collect_batches(tumble(), &schema, batches, Order::Event, threads, &|| true);
        assert!(matches!(answer, Err(Failure::Reader)));
    }
}

#[test]
fn the_error_of_runs_read_side_by_side_is_the_first_of_their_order() {
    let good = minute_of_rows(10);
    let schema = good.schema();
    let run = |first: u64, last: Result<RecordBatch, Failure>| {
        (first, vec![Ok(good.clone()), last].into_iter())
    };
    let threads = Threads::new(Some(3)).unwrap();
    let runs = vec![
        run(0, Ok(good.clone())),
        run(20, Err(Failure::Reader)),
        run(40, Err(Failure::Query(QueryError::Stopped))),
    ];
    let answer = collect_runs(tumble(), &schema, runs, Order::Event, threads, &|| true);
    assert!(matches!(answer, Err(Failure::Reader)));
}

#[test]
fn a_caller_who_wants_to_stop_is_heard_while_batches_go_on_for_ever() {
    for threads in [1, 2] {
        let threads = Threads::new(Some(threads)).unwrap();
        let batch = minute_of_rows(10);
        let schema = batch.schema();
        let looks = AtomicUsize::new(0);
        let go_on = || looks.fetch_add(1, Ordering::Relaxed) < 4;
        let batches = std::iter::repeat_with(|| Ok(batch.clone()));
        let answer = collect_batches(tumble(), &schema, batches, Order::Event, threads, &go_on);
        assert!(matches!(answer, Err(Failure::Query(QueryError::Stopped))));
        assert_eq!(looks.into_inner(), 5);
    }
}

#[test]
fn no_batches_are_no_windows() {
    let schema = minute_of_rows(1).schema();
    let batches = std::iter::empty::<Result<RecordBatch, QueryError>>();
    let answer =
        collect_batches(tumble(), &schema, batches, Order::Event, Threads::ONE, &|| true).unwrap();
    assert!(answer.windows.is_empty() && answer.stats.rows == 0);
    assert_eq!(answer.schema.field(2).name(), "key");
}
