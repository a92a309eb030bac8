//! Tables written whole: every encoding lands where the same rows put one by one would.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use shardstream::clock::Millis;
use shardstream::engine::EngineError;
use shardstream::engine::Stream;
use shardstream::engine::StreamOptions;
use shardstream::engine::position::Cut;
use shardstream::engine::position::Position;
use shardstream::engine::write::Rows;
use shardstream::record::Record;
use shardstream::record::key::KeyColumn;
use shardstream::record::payload::BytesColumn;
use shardstream::record::payload::Payload;

use crate::setup::START;
use crate::setup::assert_says;
use crate::setup::options;
use crate::setup::put;
use crate::setup::read;
use crate::setup::read_from;
use crate::setup::read_texts;
use crate::setup::shard_name;
use crate::setup::texts;
use crate::setup::world;

fn text(values: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn rows_of(keys: &ArrayRef, data: &ArrayRef, arrivals: Option<Vec<i64>>) -> Rows {
    Rows {
        keys: KeyColumn::from_array(keys, None).expect("the keys are keys"),
        payload: Payload::Bytes(BytesColumn::from_array(data).expect("bytes are data")),
        arrivals: arrivals.map(Into::into),
    }
}

/// Keys and data of `count` rows: a few keys often, short and longer than a view holds inline.
fn table(count: usize) -> (Vec<String>, Vec<String>) {
    let key = |row: usize| match row % 3 {
        0 => format!("user-{}", row % 11),
        1 => format!("a much longer partition key {}", row % 7),
        _ => format!("\u{e9}{}", row % 5),
    };
    let data = |row: usize| format!("payload number {row}");
    ((0..count).map(key).collect(), (0..count).map(data).collect())
}

/// All that a reader sees of a stream.
fn seen(stream: &Stream, now: Millis) -> Vec<(String, Millis, String, String)> {
    let records = read(stream, now, None);
    let fields = records.iter().map(|record| {
        let number = record.sequence_number().to_string();
        (number, record.arrival(), record.partition_key().to_owned())
    });
    fields
        .zip(texts(&records))
        .map(|((number, arrival, key), data)| (number, arrival, key, data))
        .collect()
}

fn dictionary(of: DataType, codes: DataType) -> DataType {
    DataType::Dictionary(Box::new(codes), Box::new(of))
}

#[test]
fn every_key_encoding_lands_as_the_same_rows_put_one_by_one() {
    let (keys, data) = table(1_000);
    let alone = world();
    let one_by_one = alone.clicks(7);
    for (key, data) in keys.iter().zip(&data) {
        put(&one_by_one, START, key, data);
    }
    let expected = seen(&one_by_one, START);
    for encoding in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary(DataType::Utf8, DataType::Int8),
        dictionary(DataType::LargeUtf8, DataType::UInt16),
        dictionary(DataType::Utf8View, DataType::Int64),
    ] {
        let world = world();
        let stream = world.clicks(7);
        let coded = cast(&text(&keys), &encoding).unwrap();
        let written = stream.write(START, rows_of(&coded, &text(&data), None)).unwrap();
        assert_eq!(written.records(), 1_000);
        assert_eq!(seen(&stream, START), expected, "{encoding}");
        for shard in 0..7 {
            let name = shard_name(shard);
            let of_shard = read_texts(&stream, START, Some(&name));
            assert_eq!(of_shard, read_texts(&one_by_one, START, Some(&name)));
            let counted = written.per_shard.iter().find(|(each, _)| each.0 == shard);
            assert_eq!(counted.map_or(0, |(_, &count)| count), of_shard.len() as u64);
        }
    }
}

#[test]
fn every_data_encoding_reads_back_the_same_bytes() {
    let (keys, data) = table(50);
    let binary: ArrayRef = Arc::new(BinaryArray::from_iter_values(&data));
    let encodings = [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        dictionary(DataType::Utf8, DataType::Int32),
    ];
    for encoding in encodings {
        let world = world();
        let stream = world.clicks(3);
        let from = if encoding.is_binary() { &binary } else { &text(&data) };
        let coded = cast(from, &encoding).unwrap();
        stream.write(START, rows_of(&text(&keys), &coded, None)).unwrap();
        assert_eq!(read_texts(&stream, START, None), data, "{encoding}");
    }
}

#[test]
fn integers_are_keys_in_decimal() {
    let world = world();
    let stream = world.clicks(5);
    let keys: ArrayRef = Arc::new(Int64Array::from(vec![-7, 0, 42]));
    let data = text(&["x".to_owned(), "y".to_owned(), "z".to_owned()]);
    stream.write(START, rows_of(&keys, &data, None)).unwrap();
    let read: Vec<_> = read(&stream, START, None)
        .iter()
        .map(|record| (record.partition_key().to_owned(), record.shard()))
        .collect();
    for (key, shard) in read {
        assert_eq!(put(&stream, START, &key, "x").birth.shard, shard);
    }
}

#[test]
fn slices_of_a_table_are_written_as_slices() {
    let (keys, data) = table(100);
    let world = world();
    let stream = world.clicks(3);
    for encoding in [DataType::Utf8, DataType::Utf8View, dictionary(DataType::Utf8, DataType::Int8)]
    {
        let coded = cast(&text(&keys), &encoding).unwrap().slice(40, 20);
        stream.write(START, rows_of(&coded, &text(&data).slice(40, 20), None)).unwrap();
    }
    let read = read(&stream, START, None);
    assert_eq!(texts(&read), [&data[40..60]; 3].concat());
    let read: Vec<_> = read.iter().map(Record::partition_key).collect();
    assert_eq!(read, [&keys[40..60]; 3].concat());
}

#[test]
fn writes_and_puts_share_one_order() {
    let (keys, data) = table(300);
    let world = world();
    let stream = world.clicks(2);
    put(&stream, START, "a", "before");
    stream.write(START, rows_of(&text(&keys), &text(&data), None)).unwrap();
    put(&stream, START, "a", "between");
    stream.write(START, rows_of(&text(&keys), &text(&data), None)).unwrap();
    put(&stream, START, "a", "after");
    let (before, between, after) =
        (["before".to_owned()], ["between".to_owned()], ["after".to_owned()]);
    let expected = [&before, &data[..], &between, &data[..], &after].concat();
    assert_eq!(read_texts(&stream, START, None), expected);
    let numbers: Vec<u64> =
        read(&stream, START, None).iter().map(|record| record.sequence_number().index).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[test]
fn arrivals_to_come_are_kept_and_past_ones_are_now() {
    let (keys, data) = table(4);
    let world = world();
    let stream = world.clicks(2);
    let arrivals = vec![START.0 - 5_000, START.0, START.0 + 1_500, START.0 + 2_000];
    stream.write(START, rows_of(&text(&keys), &text(&data), Some(arrivals))).unwrap();
    let read = read(&stream, START, None);
    let arrived: Vec<i64> = read.iter().map(|record| record.arrival().since(START)).collect();
    assert_eq!(arrived, [0, 0, 1_500, 2_000]);
    for record in &read {
        let second = record.arrival().whole_seconds();
        assert_eq!(record.sequence_number().recorded_seconds, second);
    }
    assert_eq!(put(&stream, START, "a", "later").recorded_seconds, START.whole_seconds() + 2);
}

#[test]
fn timestamps_find_rows_within_a_written_block() {
    let (keys, data) = table(1_000);
    let world = world();
    let stream = world.clicks(3);
    let arrivals = (0..1_000).map(|row| START.0 + row / 10).collect();
    stream.write(START, rows_of(&text(&keys), &text(&data), Some(arrivals))).unwrap();
    let now = START.plus(100);
    for (ms, first) in [(0, 0), (1, 10), (50, 500), (99, 990), (100, 1_000)] {
        let at = Position::AtTimestamp(START.plus(ms));
        assert_eq!(texts(&read_from(&stream, now, at, None)), data[first..]);
    }
    let day = shardstream::limits::DAY_MS;
    assert_eq!(read_texts(&stream, START.plus(day + 49), None), data[500..]);
}

#[test]
fn typed_rows_are_routed_and_stay_typed() {
    let (keys, _) = table(200);
    let world = world();
    let stream = world.clicks(4);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("user", text(&keys)), ("amount", Arc::new(Int64Array::from_iter_values(0..200)))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let rows = Rows {
        keys: KeyColumn::from_array(&text(&keys), None).unwrap(),
        payload: Payload::Rows(batch.clone()),
        arrivals: None,
    };
    let written = stream.write(START, rows).unwrap();
    assert_eq!((written.rows, written.records()), (200, 200));
    let (slices, _) = stream.read(START, Cut::START, Cut::END, None, usize::MAX).unwrap();
    assert_eq!(slices.len(), 1);
    let block = slices[0].block().unwrap();
    assert!(matches!(&block.payload, Payload::Rows(stored) if *stored == batch));
    for record in read(&stream, START, None) {
        assert_eq!(put(&stream, START, record.partition_key(), "x").birth.shard, record.shard());
    }
}

#[test]
fn row_over_the_limit_refuses_the_table_and_names_its_place() {
    let world = world();
    let small = StreamOptions { record_bytes_max: 100, ..options(2) };
    let stream = world.create("small", small).unwrap();
    let keys = text(&["k".to_owned(), "kkkk".to_owned(), "kkkkk".to_owned()]);
    let fits = text(&["x".repeat(99), "x".repeat(96), "x".repeat(95)]);
    stream.write(START, rows_of(&keys, &fits, None)).unwrap();
    let over = text(&["x".to_owned(), "x".repeat(96), "x".repeat(96)]);
    let error = stream.write(START, rows_of(&keys, &over, None)).unwrap_err();
    assert_eq!(error, EngineError::RecordTooLarge { index: Some(2), bytes: 101, bytes_max: 100 });
    assert_says(&error, &["record 2", "101", "100", "raise max_record_size"]);
    assert_eq!(stream.record_count(START).unwrap(), 3);
}

#[test]
fn default_limit_is_a_mebibyte_key_counted() {
    let world = world();
    let stream = world.clicks(1);
    let keys = text(&["k".to_owned()]);
    let data = |bytes| text(&["x".repeat(bytes)]);
    stream.write(START, rows_of(&keys, &data(1024 * 1024 - 1), None)).unwrap();
    assert!(stream.write(START, rows_of(&keys, &data(1024 * 1024), None)).is_err());
}

#[test]
fn table_of_no_rows_writes_nothing() {
    let world = world();
    let stream = world.clicks(1);
    let written = stream.write(START, rows_of(&text(&[]), &text(&[]), None)).unwrap();
    assert_eq!((written.rows, written.records(), written.blocks.len()), (0, 0, 0));
    assert!(read(&stream, START, None).is_empty());
}

#[test]
fn nulls_and_columns_of_another_kind_are_refused_with_the_way_out() {
    let keys: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let error = EngineError::from(KeyColumn::from_array(&keys, None).unwrap_err());
    assert_says(&error, &["1 null,", "row 1", "null_key="]);
    let error = EngineError::from(BytesColumn::from_array(&keys).unwrap_err());
    assert_says(&error, &["data column", "row 1", "filter"]);
    let floats: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![1.0]));
    let error = EngineError::from(KeyColumn::from_array(&floats, None).unwrap_err());
    assert_says(&error, &["Float64", "cast it to a string"]);
    let error = EngineError::from(BytesColumn::from_array(&floats).unwrap_err());
    assert_says(&error, &["Float64", "cast it", "leave data= out"]);
}

#[test]
fn reports_of_tables_written_in_turn_add_up() {
    let (keys, data) = table(10);
    let world = world();
    let stream = world.clicks(2);
    let write = || stream.write(START, rows_of(&text(&keys), &text(&data), None)).unwrap();
    let mut written = write();
    written.extend(write());
    assert_eq!((written.rows, written.records(), written.blocks.len()), (20, 20, 2));
    assert_eq!(written.per_shard.len(), 2);
}
