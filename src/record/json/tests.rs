//! JSON out and in: against `serde_json`, and every way a record can be broken.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::BinaryViewArray;
use arrow_array::BooleanArray;
use arrow_array::DictionaryArray;
use arrow_array::Float32Array;
use arrow_array::Float64Array;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::ListArray;
use arrow_array::NullArray;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use arrow_array::TimestampSecondArray;
use arrow_array::UInt64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int8Type;
use arrow_array::types::Int32Type;
use arrow_array::types::Int64Type;
use arrow_array::types::TimestampMicrosecondType;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use proptest::prelude::*;

use super::*;

fn binary(records: &[&str]) -> ArrayRef {
    Arc::new(BinaryArray::from_iter_values(records.iter().map(|record| record.as_bytes())))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let encoded = encode_rows(batch, None).unwrap();
    encoded.iter().map(|row| String::from_utf8(row.unwrap().to_vec()).unwrap()).collect()
}

fn inferred(records: &[&str]) -> Decoded {
    inferred_from(&binary(records))
}

fn inferred_from(data: &ArrayRef) -> Decoded {
    let mut decoder = Decoder::new(Wanted::All);
    decoder.infer(data).unwrap();
    decoder.decode(data, None).unwrap()
}

fn declared(data_type: DataType, records: &[&str]) -> Decoded {
    let decoder =
        Decoder::with_types(Wanted::Columns(vec!["x".to_owned()]), &[("x".to_owned(), data_type)]);
    decoder.decode(&binary(records), None).unwrap()
}

fn type_of(records: &[&str]) -> DataType {
    let mut decoder = Decoder::new(Wanted::Columns(vec!["x".to_owned()]));
    decoder.infer(&binary(records)).unwrap();
    decoder.schema().field(0).data_type().clone()
}

fn reasons(records: &[&str]) -> Vec<String> {
    inferred(records).malformed.into_iter().map(|malformed| malformed.reason).collect()
}

#[test]
fn rows_become_objects_in_the_order_of_the_schema() {
    let batch = batch(vec![
        ("b", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("a \"quoted\"", Arc::new(StringArray::from(vec![Some("x\n\u{1f}\u{e9}"), Some("")]))),
        ("f", Arc::new(Float64Array::from(vec![1.0, f64::NAN]))),
        ("t", Arc::new(BooleanArray::from(vec![true, false]))),
        ("n", Arc::new(NullArray::new(2))),
    ]);
    assert_eq!(
        texts(&batch),
        [
            "{\"b\":-9223372036854775808,\"a \\\"quoted\\\"\":\"x\\n\\u001f\u{e9}\",\"f\":1.0,\"t\":true,\"n\":null}",
            "{\"b\":null,\"a \\\"quoted\\\"\":\"\",\"f\":null,\"t\":false,\"n\":null}",
        ]
    );
}

#[test]
fn timestamps_with_a_zone_end_in_z_and_naive_ones_do_not() {
    let zoned = TimestampMicrosecondArray::from(vec![1_500_000]).with_timezone("+02:00");
    let naive = TimestampSecondArray::from(vec![0]);
    let batch = batch(vec![("zoned", Arc::new(zoned)), ("naive", Arc::new(naive))]);
    assert_eq!(
        texts(&batch),
        ["{\"zoned\":\"1970-01-01T00:00:01.500Z\",\"naive\":\"1970-01-01T00:00:00\"}"]
    );
}

#[test]
fn binary_is_base64_at_every_depth_and_lists_are_arrays() {
    let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"hi!"]));
    let list: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]));
    let nested: ArrayRef =
        Arc::new(arrow_array::StructArray::try_from(vec![("b", Arc::clone(&bytes))]).unwrap());
    let batch = batch(vec![("bytes", bytes), ("list", list), ("nested", nested)]);
    assert_eq!(texts(&batch), [r#"{"bytes":"aGkh","list":[1,null],"nested":{"b":"aGkh"}}"#]);
}

#[test]
fn dictionaries_write_their_texts_whether_large_or_small() {
    let small: DictionaryArray<Int8Type> =
        vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    let rows = batch(vec![("k", Arc::new(small))]);
    assert_eq!(texts(&rows), [r#"{"k":"a"}"#, r#"{"k":null}"#, r#"{"k":"b"}"#, r#"{"k":"a"}"#]);
    let values = StringArray::from_iter_values((0..100).map(|number| format!("v\"{number}")));
    let large = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![7, 99]), Arc::new(values));
    assert_eq!(
        texts(&batch(vec![("k", Arc::new(large))])),
        [r#"{"k":"v\"7"}"#, r#"{"k":"v\"99"}"#]
    );
}

#[test]
fn dictionary_values_may_be_null() {
    let values = StringArray::from(vec![Some("a"), None]);
    let keys = arrow_array::Int8Array::from(vec![Some(0), Some(1), None]);
    let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(values));
    let rows = batch(vec![("k", Arc::new(dictionary))]);
    assert_eq!(texts(&rows), [r#"{"k":"a"}"#, r#"{"k":null}"#, r#"{"k":null}"#]);
}

#[test]
fn picked_rows_come_in_the_order_they_were_picked() {
    let rows = batch(vec![("x", Arc::new(Int64Array::from(vec![1, 2, 3])))]);
    let encoded = encode_rows(&rows, Some(&[2, 0, 2])).unwrap();
    let texts: Vec<_> = encoded.iter().flatten().collect();
    assert_eq!(texts, [b"{\"x\":3}", b"{\"x\":1}", b"{\"x\":3}"]);
}

#[test]
fn sliced_batches_encode_their_own_rows() {
    let rows = batch(vec![
        ("x", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
        ("s", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
    ]);
    assert_eq!(texts(&rows.slice(1, 2)), [r#"{"x":null,"s":"b"}"#, r#"{"x":3,"s":"c"}"#]);
}

#[test]
fn a_batch_without_columns_is_empty_objects() {
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(2));
    let schema = Arc::new(arrow_schema::Schema::empty());
    let rows = RecordBatch::try_new_with_options(schema, vec![], &options).unwrap();
    assert_eq!(texts(&rows), ["{}", "{}"]);
}

#[test]
fn a_type_without_a_json_form_names_its_column() {
    let union_type = arrow_array::builder::UnionBuilder::new_dense();
    let mut union_type = union_type;
    union_type.append::<Int32Type>("a", 1).unwrap();
    let rows = batch(vec![("odd", Arc::new(union_type.build().unwrap()))]);
    let error = encode_rows(&rows, None).unwrap_err();
    assert!(matches!(error, JsonError::UnsupportedType { ref column, .. } if column == "odd"));
}

#[test]
fn types_widen_in_any_order() {
    assert_eq!(type_of(&["{}"]), DataType::Null);
    assert_eq!(type_of(&[r#"{"x":null}"#, r#"{"x":true}"#]), DataType::Boolean);
    assert_eq!(type_of(&[r#"{"x":1}"#, r#"{"x":null}"#]), DataType::Int64);
    assert_eq!(type_of(&[r#"{"x":1.5}"#, r#"{"x":1}"#]), DataType::Float64);
    assert_eq!(type_of(&[r#"{"x":1}"#, r#"{"x":1.5}"#]), DataType::Float64);
    assert_eq!(type_of(&[r#"{"x":9223372036854775808}"#]), DataType::Float64);
    assert_eq!(type_of(&[r#"{"x":true}"#, r#"{"x":1}"#]), DataType::Utf8);
    assert_eq!(type_of(&[r#"{"x":[1]}"#]), DataType::Utf8);
    assert_eq!(type_of(&[r#"{"x":"2026-01-01T00:00:00Z"}"#]), DataType::Utf8);
    assert_eq!(type_of(&[r#"{"x":"a"} trailing"#, r#"{"x":1}"#]), DataType::Int64);
}

#[test]
fn mixed_and_nested_values_come_as_their_json_text() {
    let decoded = inferred(&[
        r#"{"x":1.50}"#,
        r#"{"x":true}"#,
        r#"{"x":{"y": [1, "\u00e9"]}}"#,
        r#"{"x":"plain"}"#,
        r#"{"x":"esc\"aped \ud83d\ude00"}"#,
    ]);
    let column = decoded.batch.column(0).as_string::<i32>();
    let values: Vec<_> = column.iter().flatten().collect();
    assert_eq!(values, ["1.50", "true", r#"{"y": [1, "\u00e9"]}"#, "plain", "esc\"aped \u{1f600}"]);
}

#[test]
fn absent_fields_are_null_and_the_last_duplicate_counts() {
    let decoded = inferred(&[r#"{"x":1,"x":2}"#, r#"{"y":"a"}"#, " { \"\\u0078\" : 3 } "]);
    let x = decoded.batch.column_by_name("x").unwrap().as_primitive::<Int64Type>();
    assert_eq!(x.iter().collect::<Vec<_>>(), [Some(2), None, Some(3)]);
}

#[test]
fn malformed_records_say_what_and_where() {
    assert_eq!(
        reasons(&[
            "",
            "  ",
            "{\"a\":1",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\":01}",
            "{\"a\":\"\\u12G4\"}",
            "[1, 2]",
            "[1, 2",
            "\"text\"",
            "12",
            "null",
            "true",
            "nope",
            "{\"a\":\"tab\there\"}",
            "{\"a\":1}{\"a\":2}",
        ]),
        [
            "empty, not a JSON object",
            "empty, not a JSON object",
            "JSON that ends early, at byte 6",
            "more after the JSON object, at byte 7",
            "not JSON at byte 7",
            "not JSON at byte 5",
            "not JSON at byte 5",
            "not JSON at byte 6",
            "a JSON array, not an object",
            "JSON that ends early, at byte 5",
            "a JSON string, not an object",
            "a JSON number, not an object",
            "a JSON null, not an object",
            "a JSON boolean, not an object",
            "not JSON at byte 3",
            "not JSON at byte 9",
            "more after the JSON object, at byte 7",
        ]
    );
}

#[test]
fn bytes_that_are_not_utf8_and_nulls_are_malformed() {
    let data: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"{\"a\":\"\xff\"}"[..]), None]));
    let reasons: Vec<_> =
        inferred_from(&data).malformed.into_iter().map(|malformed| malformed.reason).collect();
    assert_eq!(reasons, ["not UTF-8 at byte 6", "null, not a JSON object"]);
}

#[test]
fn good_records_around_bad_ones_keep_their_places() {
    let data = binary(&[r#"{"x":1,"y":"a"}"#, "oops", r#"{"x":2,"y":"b"}"#]);
    let decoded = inferred_from(&data);
    assert_eq!(decoded.rows, [0, 2]);
    assert_eq!(decoded.malformed[0].row, 1);
    assert_eq!(decoded.batch.num_rows(), 2);
}

#[test]
fn a_value_that_does_not_fit_takes_its_whole_record_out() {
    let wanted = Wanted::Columns(vec!["name".to_owned(), "amount".to_owned()]);
    let decoder = Decoder::with_types(
        wanted,
        &[("name".to_owned(), DataType::Utf8), ("amount".to_owned(), DataType::Float64)],
    );
    let data = binary(&[
        r#"{"name":"a","amount":1}"#,
        r#"{"name":"b","amount":"x"}"#,
        r#"{"name":"c","amount":1e999}"#,
        r#"{"name":"d","amount":2.5}"#,
    ]);
    let decoded = decoder.decode(&data, None).unwrap();
    assert_eq!(decoded.rows, [0, 3]);
    assert_eq!(decoded.malformed[0].reason, "`amount`: \"x\" is not a float64");
    assert_eq!(decoded.malformed[1].reason, "`amount`: 1e999 is not a float64");
    let names: Vec<_> = decoded.batch.column(0).as_string::<i32>().iter().flatten().collect();
    assert_eq!(names, ["a", "d"]);
    let amounts = decoded.batch.column(1).as_primitive::<Float64Type>();
    assert_eq!(amounts.values(), &[1.0, 2.5]);
}

#[test]
fn narrow_declared_types_refuse_what_is_out_of_their_range() {
    let decoded = declared(DataType::Int8, &[r#"{"x":127}"#, r#"{"x":300}"#, "{}", r#"{"x":"a"}"#]);
    assert_eq!(decoded.rows, [0, 2]);
    assert_eq!(decoded.malformed[0].reason, "`x`: 300 is not an int8");
    assert_eq!(decoded.malformed[1].reason, "`x`: \"a\" is not an int8");
    assert_eq!(decoded.batch.column(0).null_count(), 1);
}

#[test]
fn declared_timestamps_are_read_from_iso_text() {
    let zone = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let decoded = declared(zone, &[r#"{"x":"1970-01-01T02:00:01+02:00"}"#, r#"{"x":"soon"}"#]);
    let ticks = decoded.batch.column(0).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(ticks.values(), &[1_000_000]);
    assert!(decoded.malformed[0].reason.starts_with("`x`: soon is not a timestamp"));
}

#[test]
fn declared_u64_holds_what_no_i64_does() {
    let decoded = declared(DataType::UInt64, &[r#"{"x":18446744073709551615}"#, r#"{"x":-1}"#]);
    let expected: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert_eq!(decoded.batch.column(0), &expected);
    assert_eq!(decoded.malformed[0].reason, "`x`: -1 is not a uint64");
}

#[test]
fn fields_after_inference_are_reported_not_lost() {
    let mut decoder = Decoder::new(Wanted::All);
    decoder.infer(&binary(&[r#"{"a":1}"#])).unwrap();
    let decoded = decoder.decode(&binary(&[r#"{"a":1}"#, r#"{"a":2,"b":3}"#]), None).unwrap();
    assert_eq!(decoded.unknown, Some((1, "b".to_owned())));
    assert_eq!(decoded.batch.num_rows(), 2);
}

#[test]
fn fields_of_malformed_records_are_not_reported() {
    let mut decoder = Decoder::new(Wanted::All);
    decoder.infer(&binary(&[r#"{"a":1}"#])).unwrap();
    let data = binary(&[r#"{"b":1} oops"#, r#"{"c":1}"#]);
    let decoded = decoder.decode(&data, None).unwrap();
    assert_eq!(decoded.unknown, Some((1, "c".to_owned())));
}

#[test]
fn picked_records_are_decoded_alone() {
    let mut decoder = Decoder::new(Wanted::All);
    let data = binary(&[r#"{"a":1}"#, "bad", r#"{"a":3}"#]);
    decoder.infer(&data).unwrap();
    let decoded = decoder.decode(&data, Some(&[2])).unwrap();
    assert_eq!(decoded.rows, [2]);
    assert!(decoded.malformed.is_empty());
}

#[test]
fn depth_bombs_are_malformed() {
    for opener in ["[", "{\"a\":"] {
        let bomb = format!("{{\"a\":{}", opener.repeat(1_000_000));
        let decoded = inferred(&[&bomb, r#"{"b":1}"#]);
        assert_eq!(decoded.malformed[0].reason, "nested deeper than 128 levels");
        assert_eq!(decoded.rows, [1]);
    }
    let brackets_in_text = format!("{{\"a\":\"{}\"}}", "[".repeat(1_000));
    assert!(inferred(&[&brackets_in_text]).malformed.is_empty());
}

#[test]
fn too_many_distinct_fields_are_an_error() {
    let record = |range: std::ops::Range<usize>| {
        let fields: Vec<_> = range.map(|index| format!("\"f{index}\":1")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let mut decoder = Decoder::new(Wanted::All);
    decoder.infer(&binary(&[&record(0..FIELD_COUNT_MAX)])).unwrap();
    let error = decoder.infer(&binary(&[r#"{"one more":1}"#])).unwrap_err();
    assert_eq!(error, JsonError::FieldLimit { limit: FIELD_COUNT_MAX });
}

#[test]
fn a_column_of_numbers_holds_no_records() {
    let numbers: ArrayRef = Arc::new(Float32Array::from(vec![1.0]));
    let error = Decoder::new(Wanted::All).infer(&numbers).unwrap_err();
    assert_eq!(error, JsonError::NotBinary { data_type: DataType::Float32 });
}

#[test]
fn every_layout_of_bytes_and_text_decodes_alike() {
    let text = StringArray::from(vec![r#"{"a":"long enough for a view to leave its slot"}"#, "{}"]);
    let text: ArrayRef = Arc::new(text);
    let expected = inferred_from(&text).batch;
    for data_type in [
        DataType::Binary,
        DataType::BinaryView,
        DataType::LargeBinary,
        DataType::LargeUtf8,
        DataType::Utf8View,
    ] {
        let same = arrow_cast::cast(&text, &data_type).unwrap();
        assert_eq!(inferred_from(&same).batch, expected);
    }
}

fn tables() -> impl Strategy<Value = RecordBatch> {
    let row = (
        any::<Option<i64>>(),
        proptest::option::of(
            any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()),
        ),
        any::<Option<bool>>(),
        proptest::option::of(".{0,24}"),
    );
    proptest::collection::vec(row, 1..40).prop_map(|rows| {
        let integers: Int64Array = rows.iter().map(|row| row.0).collect();
        let floats: Float64Array = rows.iter().map(|row| row.1).collect();
        let booleans: BooleanArray = rows.iter().map(|row| row.2).collect();
        let strings: StringArray = rows.iter().map(|row| row.3.as_deref()).collect();
        batch(vec![
            ("integer", Arc::new(integers)),
            ("float", Arc::new(floats)),
            ("boolean", Arc::new(booleans)),
            ("string \"\\", Arc::new(strings)),
        ])
    })
}

/// Text that is JSON or nearly so.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"x\"".to_owned()),
        Just("\"x\":".to_owned()),
        Just("\"\\ud83d\\ude00\\n\"".to_owned()),
        Just("\\".to_owned()),
        Just("\"".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("01".to_owned()),
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just(" ".to_owned()),
        "[ -~]",
        any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        proptest::collection::vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat()),
        proptest::collection::vec(piece, 0..6)
            .prop_map(|pieces| format!("{{\"x\":{}}}", pieces.concat())),
    ]
}

proptest! {
    #[test]
    fn decoding_what_was_encoded_gives_the_rows_back(table in tables()) {
        let declared: Vec<_> = table
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect();
        let encoded: ArrayRef = Arc::new(encode_rows(&table, None).unwrap());
        let decoded = Decoder::with_types(Wanted::All, &declared).decode(&encoded, None).unwrap();
        prop_assert!(decoded.malformed.is_empty());
        prop_assert_eq!(&decoded.batch, &table);
        let bits = |batch: &RecordBatch| -> Vec<Option<u64>> {
            batch.column(1).as_primitive::<Float64Type>().iter().map(|x| x.map(f64::to_bits)).collect()
        };
        prop_assert_eq!(bits(&decoded.batch), bits(&table));
    }

    #[test]
    fn encoded_rows_are_json_to_another_parser(table in tables()) {
        for (row, text) in texts(&table).iter().enumerate() {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let integers = table.column(0).as_primitive::<Int64Type>();
            let expected = integers.is_valid(row).then(|| integers.value(row));
            prop_assert_eq!(value["integer"].as_i64(), expected);
            let strings = table.column(3).as_string::<i32>();
            let expected = strings.is_valid(row).then(|| strings.value(row));
            prop_assert_eq!(value["string \"\\"].as_str(), expected);
        }
    }

    #[test]
    fn lengths_are_exact_and_bounds_are_above_them(table in tables()) {
        let lens = encoded_lens(&table).unwrap();
        for (row, text) in texts(&table).iter().enumerate() {
            prop_assert_eq!(lens[row] as usize, text.len());
            prop_assert!(text.len() <= encoded_len_bound(&table, row));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(records in proptest::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let data: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(&records));
        let decoded = inferred_from(&data);
        prop_assert_eq!(decoded.rows.len() + decoded.malformed.len(), records.len());
    }

    #[test]
    fn a_record_is_good_when_another_parser_says_so(text in nearly_json()) {
        let oracle = serde_json::from_str::<serde_json::Value>(&text);
        let decoded = inferred(&[&text]);
        if let Ok(serde_json::Value::Object(object)) = oracle {
            prop_assert_eq!(&decoded.malformed, &vec![]);
            prop_assert_eq!(decoded.batch.num_columns(), object.len());
        } else {
            prop_assert_eq!(decoded.malformed.len(), 1, "{:?}", text);
        }
    }

    #[test]
    fn types_do_not_depend_on_the_order_of_records(
        mut values in proptest::collection::vec(
            proptest::sample::select(vec!["1", "1.5", "true", "null", "\"a\"", "[]", "1e3"]), 1..6),
        seed in any::<proptest::sample::Index>(),
    ) {
        let records = |values: &[&str]| -> Vec<String> {
            values.iter().map(|value| format!("{{\"x\":{value}}}")).collect()
        };
        let before = records(&values);
        let turn = seed.index(values.len());
        values.rotate_left(turn);
        let after = records(&values);
        let borrow = |records: &[String]| type_of(&records.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(borrow(&before), borrow(&after));
    }
}
