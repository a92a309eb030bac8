//! Queries over JSON whose types are guessed from the first records answer as those that looked at all of them first.

use arrow_select::concat::concat_batches;
use proptest::prelude::*;

use super::*;
use crate::clock::Millis;
use crate::engine::slice::Picked;
use crate::record::builder::BlockBuilder;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;

/// What the first records are taken to show is shown by fewer than this many.
const FIRST: usize = 1_100;

fn slices(records: &[String], block_rows: usize) -> Vec<Slice> {
    let birth = ShardBirth { shard: ShardIndex(0), created_seconds: 0 };
    let mut builder = BlockBuilder::new(0);
    let mut slices = Vec::new();
    for part in records.chunks(block_rows) {
        for record in part {
            builder.push(Millis(0), birth, "key", record.as_bytes());
        }
        let block = Arc::new(builder.seal().unwrap());
        let rows = Picked::Run(0, block.len());
        slices.push(Slice::new(block, rows));
    }
    slices
}

fn query(computes: Function, malformed: Malformed) -> StreamQuery {
    let aggregate = |name: &str, function, column: Option<&str>| {
        Aggregate::new(name, function, column.map(str::to_owned)).unwrap()
    };
    let minute = Span::from_millis(60_000).unwrap();
    StreamQuery {
        spec: QuerySpec {
            window: Window::tumble(minute, Span::ZERO).unwrap(),
            time: "ts".to_owned(),
            keys: vec!["region".to_owned()],
            aggregates: vec![
                aggregate("n", Function::Count, None),
                aggregate("all", computes, Some("amount")),
                aggregate("least", Function::Min, Some("amount")),
            ],
            watermark: Span::ZERO,
            allowed_lateness: Span::ZERO,
            idle_timeout: None,
            null_times: NullTimes::Skip,
        },
        declared: Vec::new(),
        malformed,
    }
}

fn said(answer: Result<Answer, QueryError>) -> String {
    match answer {
        Err(error) => format!("{error}"),
        Ok(answer) => {
            let reasons: Vec<_> = answer.malformed.iter().map(|broken| &broken.reason).collect();
            let windows = concat_batches(&answer.schema, &answer.windows).unwrap();
            format!("{windows:?} {reasons:?} {:?}", answer.stats)
        }
    }
}

fn looked_at_first(query: &StreamQuery, slices: &[Slice]) -> Result<Answer, QueryError> {
    let columns = Columns::resolve(&query.wanted(), &query.declared, slices)?;
    collect_columns(query, columns, slices, Order::Event, Threads::ONE, &|| true)
}

fn amounts() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["1", "2.5", "null", "\"3\"", "\"three\"", "true", "[]", "1e999"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn guessed_types_answer_as_types_of_all_records_do(
        first in amounts(),
        later in proptest::collection::vec((amounts(), proptest::sample::select(vec![
            "\"2026-01-01T00:01:00Z\"", "\"2026-01-01\"", "\"soon\"", "5", "null",
        ])), 0..4),
        regions in proptest::sample::select(vec![("\"a\"", "\"b\""), ("1", "2"), ("1", "\"b\""), ("null", "\"b\"")]),
        block_rows in proptest::sample::select(vec![64, 1_024, 5_000]),
        computes in proptest::sample::select(vec![Function::Sum, Function::Max]),
        raises in any::<bool>(),
    ) {
        let record = |time: &str, region: &str, amount: &str| {
            format!("{{\"ts\":{time},\"region\":{region},\"amount\":{amount}}}")
        };
        let mut records = vec![record("\"2026-01-01T00:00:00.5Z\"", regions.0, first); FIRST];
        records.extend(later.iter().map(|(amount, time)| record(time, regions.1, amount)));
        let slices = slices(&records, block_rows);
        let query = query(computes, if raises { Malformed::Raise } else { Malformed::Keep });
        let wanted = said(looked_at_first(&query, &slices));
        for threads in [1, 3] {
            let threads = Threads::new(Some(threads)).unwrap();
            let guessed = said(collect_stream(&query, &slices, Order::Event, threads, &|| true));
            prop_assert_eq!(&guessed, &wanted);
        }
    }
}

#[test]
fn types_that_the_first_records_show_are_not_looked_for_in_the_others() {
    let mut records =
        vec![r#"{"ts":"2026-01-01T00:00:00Z","region":"a","amount":1.5}"#.to_owned(); FIRST];
    let query = query(Function::Sum, Malformed::Keep);
    assert!(Columns::guess(&query.wanted(), &[], &slices(&records, 500)).is_some());
    records[0] = r#"{"ts":"2026-01-01T00:00:00Z","region":"a"}"#.to_owned();
    assert!(Columns::guess(&query.wanted(), &[], &slices(&records, 500)).is_some());
    records.fill(r#"{"ts":"2026-01-01T00:00:00Z","region":"a","amount":"1"}"#.to_owned());
    assert!(Columns::guess(&query.wanted(), &[], &slices(&records, 500)).is_none());
}
