//! Columns made many rows at a time say what the records say one by one.

use std::collections::BTreeMap;

use arrow_array::DictionaryArray;
use arrow_array::Int64Array;
use arrow_array::TimestampMicrosecondArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::types::TimestampMillisecondType;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::clock::Clock;
use crate::engine::Distribution;
use crate::engine::Durations;
use crate::engine::Engine;
use crate::engine::EngineOptions;
use crate::engine::Limits;
use crate::engine::Mode;
use crate::engine::Stream;
use crate::engine::StreamOptions;
use crate::engine::position::Cut;
use crate::engine::stream::Entry;
use crate::engine::write::Roles;
use crate::engine::write::Rows;
use crate::record::Record;

const START: Millis = Millis(1_767_225_600_000);

/// A row of a table: its key, a number, and a text that is plain or one of a dictionary.
type Row = (u8, Option<i64>, Option<String>);

/// What happens to a stream.
#[derive(Clone, Debug)]
enum Step {
    Put(Vec<String>),
    Split(Index),
    Wait(i64),
    /// Rows, how their text is encoded, how many of them are cut off in front, and whether the text is the record.
    Write(Vec<Row>, DataType, usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (any::<u8>(), any::<Option<i64>>(), proptest::option::of(".{0,20}"));
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let encoding = proptest::sample::select(vec![
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary,
    ]);
    let rows = proptest::collection::vec(row, 1..40);
    let step = prop_oneof![
        2 => proptest::collection::vec(".{0,20}", 1..12).prop_map(Step::Put),
        1 => any::<Index>().prop_map(Step::Split),
        1 => (0..5_000_i64).prop_map(Step::Wait),
        3 => (rows, encoding, 0..3_usize, proptest::bool::weighted(0.3)).prop_map(
            |(rows, encoding, cut, is_data)| Step::Write(rows, encoding, cut, is_data)
        ),
    ];
    proptest::collection::vec(step, 1..8)
}

fn stream() -> Arc<Stream> {
    let engine = Engine::new(EngineOptions {
        clock: Clock::System,
        limits: Limits::Off,
        region: "eu-west-1".to_owned(),
        account_id: "123456789012".to_owned(),
        seed: 7,
        threads: Threads::ONE,
        durations: Durations::default(),
        shard_limit: None,
    });
    let options = StreamOptions {
        shard_count: 3,
        retention_ms: 86_400_000,
        mode: Mode::Provisioned,
        record_bytes_max: 1024 * 1024,
        tags: BTreeMap::new(),
        distribution: Distribution::ByKey,
        warm_throughput: None,
    };
    engine.create_stream(START, "clicks", options).unwrap()
}

fn table(rows: &[Row], encoding: &DataType, is_data: bool) -> RecordBatch {
    let text = rows.iter().map(|row| match (&row.2, is_data) {
        (None, true) => Some(""),
        (text, _) => text.as_deref(),
    });
    let text: ArrayRef = Arc::new(text.collect::<StringArray>());
    let keys = StringArray::from_iter_values(rows.iter().map(|row| format!("user-{}", row.0)));
    let regions = ["north \"1\"", "south", "a region of many letters, with \u{e9}"];
    let region = |row: &Row| regions.get(usize::from(row.0 % 4)).copied();
    let regions: DictionaryArray<Int8Type> = rows.iter().map(region).collect();
    let times: TimestampMicrosecondArray = rows.iter().map(|row| row.1).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("key", Arc::new(keys)),
        ("number", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("text", cast(&text, encoding).unwrap()),
        ("region", Arc::new(regions)),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Lives a stream, and returns it with the time it is then.
fn lived(steps: &[Step]) -> (Arc<Stream>, Millis) {
    let (stream, mut now) = (stream(), START);
    for step in steps {
        match step {
            Step::Put(texts) => {
                for text in texts {
                    let entry = Entry { data: text.as_bytes(), key: "k", explicit_hash_key: None };
                    stream.put(now, entry).unwrap();
                    now = now.plus(400);
                }
            }
            Step::Split(place) => {
                let mut shards = stream.shards(now).unwrap();
                shards.retain(crate::engine::shard::Shard::is_open);
                let name = place.get(&shards).birth.shard.to_string();
                // Few shards are too narrow to be split.
                let _split_or_not = stream.split_shard(now, &name, None);
            }
            Step::Wait(duration_ms) => now = now.plus(*duration_ms),
            Step::Write(rows, encoding, cut, is_data) => {
                let batch = table(rows, encoding, *is_data);
                let cut = (*cut).min(batch.num_rows() - 1);
                let batch = batch.slice(cut, batch.num_rows() - cut);
                let data = is_data.then_some("text");
                let roles = Roles { key: "key", data, null_key: None };
                stream.write(now, Rows::from_batch(batch, roles, 0).unwrap()).unwrap();
            }
        }
    }
    (stream, now)
}

fn read(stream: &Stream, now: Millis, shard: Option<&str>) -> Vec<Slice> {
    stream.read(now, Cut(0), Cut::END, shard, usize::MAX).unwrap().0
}

fn records(slices: &[Slice]) -> Vec<Record> {
    let each = |slice: &Slice| -> Vec<Record> {
        let block = slice.block().unwrap();
        let record = |place| Record::new(Arc::clone(&block), slice.row(place));
        (0..slice.len()).map(record).collect()
    };
    slices.iter().flat_map(each).collect()
}

fn text_of(record: &Record, column: RecordColumn) -> Vec<u8> {
    match column {
        RecordColumn::ShardId => record.shard().to_string().into_bytes(),
        RecordColumn::SequenceNumber => record.sequence_number().to_string().into_bytes(),
        RecordColumn::ArrivalTime => record.arrival().0.to_string().into_bytes(),
        RecordColumn::PartitionKey => record.partition_key().into(),
        RecordColumn::Data => record.data().unwrap().into_owned(),
    }
}

fn texts_of(array: &ArrayRef, column: RecordColumn) -> Vec<Vec<u8>> {
    match column {
        RecordColumn::SequenceNumber => {
            array.as_string::<i32>().iter().flatten().map(Into::into).collect()
        }
        RecordColumn::ArrivalTime => {
            let times = array.as_primitive::<TimestampMillisecondType>();
            times.values().iter().map(|time| time.to_string().into_bytes()).collect()
        }
        RecordColumn::ShardId | RecordColumn::PartitionKey => {
            array.as_string_view().iter().flatten().map(Into::into).collect()
        }
        RecordColumn::Data => array.as_binary_view().iter().flatten().map(Into::into).collect(),
    }
}

/// Asserts that batches of at most `batch_rows` rows are, row by row, the records.
fn assert_told(slices: &[Slice], columns: &[RecordColumn], batch_rows: usize) {
    let told = Batches { batch_rows, ..Batches::new(slices.to_vec(), columns, Threads::ONE) };
    let expected = records(slices);
    let mut seen = 0;
    for batch in told {
        let batch = batch.unwrap();
        assert!((1..=batch_rows).contains(&batch.num_rows()));
        assert_eq!(batch.schema(), schema(columns));
        let rows = &expected[seen..seen + batch.num_rows()];
        for (array, &column) in batch.columns().iter().zip(columns) {
            let wanted: Vec<_> = rows.iter().map(|record| text_of(record, column)).collect();
            assert_eq!(texts_of(array, column), wanted, "{column:?}");
        }
        seen += batch.num_rows();
    }
    assert_eq!(seen, expected.len());
}

proptest! {
    #[test]
    fn columns_of_runs_picks_and_parts_are_the_records(
        steps in steps(),
        columns in proptest::sample::subsequence(RecordColumn::ALL.to_vec(), 1..=5).prop_shuffle(),
        batch_rows in 1..50_usize,
        cuts in any::<(Index, Index)>(),
    ) {
        let (stream, now) = lived(&steps);
        let shards = stream.shards(now).unwrap();
        let names: Vec<String> =
            shards.iter().map(|shard| shard.birth.shard.to_string()).collect();
        for shard in names.iter().map(String::as_str).map(Some).chain([None]) {
            let slices = read(&stream, now, shard);
            assert_told(&slices, &columns, batch_rows);
            let part = |slice: &Slice| {
                let from = cuts.0.index(slice.len());
                slice.part(from, from + 1 + cuts.1.index(slice.len() - from))
            };
            let parts: Vec<Slice> = slices.iter().map(part).collect();
            assert_told(&parts, &columns, batch_rows);
        }
    }
}

#[test]
fn many_rows_are_the_same_on_any_number_of_threads() {
    let row = |number: u32| -> Row {
        let text = (!number.is_multiple_of(7)).then(|| format!("text {}", number % 1_000));
        (u8::try_from(number % 251).unwrap(), Some(i64::from(number) * 1_000), text)
    };
    let rows: Vec<Row> = (0..3 * 65_536 + 100).map(row).collect();
    let steps = [
        Step::Write(rows[..5].to_vec(), DataType::Utf8, 0, false),
        Step::Write(rows, DataType::Utf8View, 1, false),
    ];
    let (stream, now) = lived(&steps);
    let slices = read(&stream, now, None);
    let made = |threads| {
        let threads = Threads::new(Some(threads)).unwrap();
        let batches = Batches::new(slices.clone(), &RecordColumn::ALL, threads);
        batches.collect::<Result<Vec<RecordBatch>, ArrowError>>().unwrap()
    };
    let alone = made(1);
    let rows: Vec<usize> = alone.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [5, 65_536, 65_536, 65_536, 99]);
    assert!(alone == made(2) && alone == made(3));
}

#[test]
fn columns_have_the_names_they_are_found_by() {
    for column in RecordColumn::ALL {
        assert_eq!(RecordColumn::named(column.name()), Some(column));
    }
    assert_eq!(RecordColumn::named("Data"), None);
}
