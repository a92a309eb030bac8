//! Groups over keys of every kind.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::BooleanArray;
use arrow_array::Decimal128Array;
use arrow_array::DictionaryArray;
use arrow_array::Float64Array;
use arrow_array::Int32Array;
use arrow_array::LargeStringArray;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use arrow_array::UInt8Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_cast::display::array_value_to_string;
use proptest::prelude::*;

use super::*;

fn texts(array: &ArrayRef) -> Vec<String> {
    (0..array.len())
        .map(|row| {
            let text = array_value_to_string(array, row).unwrap();
            if array.is_null(row) { "null".to_owned() } else { text }
        })
        .collect()
}

/// Equal texts have equal codes, and codes answer their texts in order, nulls last.
fn check(column: ArrayRef, sorted: &[&str]) {
    let mut groups = Groups::new(&[column.data_type().clone()]).unwrap();
    let codes = groups.encode(std::slice::from_ref(&column), column.len()).unwrap();
    let values = groups.columns(&codes).unwrap().remove(0);
    let plain = arrow_cast::cast(&column, value_type(column.data_type())).unwrap();
    assert_eq!(values.data_type(), plain.data_type());
    let (found, expected) = (texts(&values), texts(&plain));
    let expected: Vec<String> = expected
        .into_iter()
        .map(|text| if text == "-0.0" { "0.0".to_owned() } else { text })
        .collect();
    assert_eq!(found, expected);
    for (a, b) in (0..codes.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
        assert_eq!(codes[a] == codes[b], expected[a] == expected[b], "{a} {b}");
    }
    let mut distinct = codes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let ranked = groups.ranked(&distinct).unwrap();
    assert_eq!(texts(&ranked.columns[0]), sorted);
    for (row, code) in codes.iter().enumerate() {
        assert_eq!(sorted[ranked.ranks[*code as usize] as usize], expected[row]);
    }
}

const LONG: &str = "a key longer than what fits, 1";
const LONGER: &str = "a key longer than what fits, 2";

#[test]
fn strings_are_keys_in_every_encoding() {
    let rows = [
        Some("b"),
        None,
        Some(""),
        Some(LONG),
        Some("b"),
        Some(LONGER),
        Some("fifteen bytes.."),
        Some(LONG),
    ];
    let sorted = ["", LONG, LONGER, "b", "fifteen bytes..", "null"];
    check(Arc::new(StringArray::from(rows.to_vec())), &sorted);
    check(Arc::new(LargeStringArray::from(rows.to_vec())), &sorted);
    check(Arc::new(StringViewArray::from(rows.to_vec())), &sorted);
    check(Arc::new(rows.into_iter().collect::<DictionaryArray<Int8Type>>()), &sorted);
}

#[test]
fn dictionaries_of_nothing_but_nulls_are_one_group() {
    let rows: [Option<&str>; 2] = [None, None];
    check(Arc::new(rows.into_iter().collect::<DictionaryArray<Int8Type>>()), &["null"]);
}

#[test]
fn numbers_are_keys_by_value() {
    check(Arc::new(Int32Array::from(vec![Some(3), Some(-1), None, Some(3)])), &["-1", "3", "null"]);
    check(Arc::new(UInt8Array::from(vec![200, 3, 200])), &["3", "200"]);
    check(
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        &["false", "true", "null"],
    );
    let floats = vec![Some(f64::NAN), Some(-0.0), Some(0.0), None, Some(-f64::NAN), Some(-2.5)];
    check(Arc::new(Float64Array::from(floats)), &["-2.5", "0.0", "NaN", "null"]);
    let decimals = Decimal128Array::from(vec![Some(5), None, Some(-7)]);
    check(Arc::new(decimals.with_precision_and_scale(10, 0).unwrap()), &["-7", "5", "null"]);
    check(
        Arc::new(TimestampMicrosecondArray::from(vec![Some(1), Some(-1)]).with_timezone("+00:00")),
        &["1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000001Z"],
    );
}

#[test]
fn slices_are_read_from_their_offset() {
    let column: ArrayRef = Arc::new(Int32Array::from(vec![Some(9), Some(3), None, Some(1)]));
    check(column.slice(1, 3), &["1", "3", "null"]);
}

#[test]
fn tuples_of_keys_are_groups() {
    for count in 2..=6 {
        let letters: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b", "a"]));
        let numbers: ArrayRef =
            Arc::new(Int32Array::from(vec![Some(2), Some(1), None, Some(1), Some(2)]));
        let mut columns = vec![letters; count];
        columns[count - 1] = numbers;
        let types: Vec<DataType> =
            columns.iter().map(|column| column.data_type().clone()).collect();
        let mut groups = Groups::new(&types).unwrap();
        let codes = groups.encode(&columns, 5).unwrap();
        assert_eq!(codes, [0, 1, 2, 1, 0]);
        let ranked = groups.ranked(&[0, 1, 2]).unwrap();
        assert_eq!(texts(&ranked.columns[0]), ["a", "a", "b"]);
        assert_eq!(texts(&ranked.columns[count - 1]), ["2", "null", "1"]);
        groups.reclaim(&[1]);
        assert_eq!(groups.take_new(), [0, 1, 2]);
        let again: Vec<ArrayRef> = columns.iter().map(|column| column.slice(1, 1)).collect();
        assert_eq!(groups.encode(&again, 1).unwrap(), [1]);
        assert_eq!(texts(&groups.columns(&[1]).unwrap()[0]), ["b"]);
    }
}

#[test]
fn reclaimed_codes_go_to_other_keys() {
    let mut groups = Groups::new(&[DataType::Utf8]).unwrap();
    for round in 0..50 {
        let rows = [Some(format!("key {round}")), None, Some(format!("{LONG} {round}"))];
        let column: ArrayRef = Arc::new(rows.iter().map(Option::as_deref).collect::<StringArray>());
        let codes = groups.encode(std::slice::from_ref(&column), 3).unwrap();
        assert_eq!(texts(&groups.columns(&codes).unwrap()[0]), texts(&column));
        assert_eq!(groups.take_new().len(), 3);
        groups.reclaim(&codes);
    }
    assert_eq!(groups.code_count(), 3);
}

#[test]
fn codes_are_translated_by_their_keys() {
    let column = |keys: &[Option<&str>]| -> Vec<ArrayRef> {
        vec![Arc::new(StringArray::from(keys.to_vec()))]
    };
    let mut ours = Groups::new(&[DataType::Utf8]).unwrap();
    let mut theirs = Groups::new(&[DataType::Utf8]).unwrap();
    ours.encode(&column(&[Some("a"), Some("b")]), 2).unwrap();
    theirs.encode(&column(&[None, Some("b"), Some("c"), Some("a")]), 4).unwrap();
    assert_eq!(ours.translate(&theirs, &[0, 1, 2, 3]).unwrap(), [2, 1, 3, 0]);
}

/// The codes that keys get which are numbered as they come.
fn numbered<K: Ord + Clone>(keys: &[K]) -> Vec<u32> {
    let mut codes = BTreeMap::new();
    let number = |key: &K| {
        let next = u32::try_from(codes.len()).unwrap();
        *codes.entry(key.clone()).or_insert(next)
    };
    keys.iter().map(number).collect()
}

/// Keys of few kinds and many: short, as long as a view or a packed key holds, longer, and none.
fn some_texts() -> impl Strategy<Value = Vec<Option<String>>> {
    let text = prop_oneof![
        "[a-c\u{0}\u{e9}]{0,3}",
        "[a-b]{11,17}",
        (0..3_000_u32).prop_map(|number| format!("user-{number}")),
        (0..40_u32).prop_map(|number| format!("a key longer than what fits, {number}")),
    ];
    proptest::collection::vec(proptest::option::weighted(0.9, text), 0..3_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn keys_are_numbered_as_they_come(texts in some_texts(), from in 0..20_usize, cut in 0..3_000_usize) {
        let (from, cut) = (from.min(texts.len()), cut.min(texts.len()));
        let columns: [ArrayRef; 3] = [
            Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>()),
            Arc::new(texts.iter().map(Option::as_deref).collect::<LargeStringArray>()),
            Arc::new(texts.iter().map(Option::as_deref).collect::<StringViewArray>()),
        ];
        let expected = numbered(&texts[from..]);
        for column in columns {
            let mut groups = Groups::new(&[column.data_type().clone()]).unwrap();
            let cut = cut.max(from);
            let mut codes = groups.encode(&[column.slice(from, cut - from)], cut - from).unwrap();
            codes.extend(groups.encode(&[column.slice(cut, texts.len() - cut)], texts.len() - cut).unwrap());
            prop_assert_eq!(&codes, &expected);
            let mut others = Groups::new(&[column.data_type().clone()]).unwrap();
            others.encode(&[column.slice(cut, texts.len() - cut)], texts.len() - cut).unwrap();
            let every: Vec<u32> = codes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            let translated = others.translate(&groups, &every).unwrap();
            let theirs = others.encode(&[column.slice(from, texts.len() - from)], texts.len() - from).unwrap();
            for (code, their) in codes.iter().zip(theirs) {
                prop_assert_eq!(translated[*code as usize], their);
            }
        }
    }

    #[test]
    fn numbers_and_tuples_are_numbered_as_they_come(
        rows in proptest::collection::vec((proptest::option::of(-300..300_i32), 0..5_u8), 0..3_000),
        count in 2..=6_usize,
    ) {
        let numbers: ArrayRef = Arc::new(rows.iter().map(|(number, _)| *number).collect::<Int32Array>());
        let small: ArrayRef = Arc::new(rows.iter().map(|(_, small)| Some(*small)).collect::<UInt8Array>());
        let only: Vec<Option<i32>> = rows.iter().map(|(number, _)| *number).collect();
        let mut groups = Groups::new(&[DataType::Int32]).unwrap();
        prop_assert_eq!(groups.encode(&[Arc::clone(&numbers)], rows.len()).unwrap(), numbered(&only));
        let mut columns = vec![small; count];
        columns[0] = numbers;
        let types: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
        let mut groups = Groups::new(&types).unwrap();
        prop_assert_eq!(groups.encode(&columns, rows.len()).unwrap(), numbered(&rows));
    }

    #[test]
    fn codes_that_are_given_again_find_their_new_keys(rounds in proptest::collection::vec(some_texts(), 1..4)) {
        let mut groups = Groups::new(&[DataType::Utf8View]).unwrap();
        for (round, rows) in (0..).zip(rounds) {
            let rows: Vec<Option<String>> = rows.into_iter().take(400).collect();
            let column: ArrayRef = Arc::new(StringViewArray::from(rows.clone()));
            let codes = groups.encode(&[Arc::clone(&column)], rows.len()).unwrap();
            prop_assert_eq!(texts(&groups.columns(&codes).unwrap()[0]), texts(&column));
            let every: BTreeSet<u32> = codes.iter().copied().collect();
            let forgotten: Vec<u32> = every.into_iter().filter(|code| code % 3 != round % 3).collect();
            groups.reclaim(&forgotten);
        }
    }
}

proptest! {
    #[test]
    fn texts_are_sorted_by_their_bytes(
        texts in prop_oneof![
            proptest::collection::vec(proptest::option::of("[a-c\u{0}\u{e9}]{0,18}"), 1..60),
            some_texts(),
        ],
    ) {
        let column: ArrayRef = Arc::new(StringViewArray::from(texts.clone()));
        let mut groups = Groups::new(&[DataType::Utf8View]).unwrap();
        let codes: BTreeSet<u32> = groups.encode(&[column], texts.len()).unwrap().into_iter().collect();
        let codes: Vec<u32> = codes.into_iter().collect();
        let ranked = groups.ranked(&codes).unwrap();
        // Null is not less than any text: it comes after what has a value.
        let mut expected: Vec<Option<String>> = texts.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        expected.sort_by_key(|text| (text.is_none(), text.clone()));
        let found: Vec<Option<String>> =
            ranked.columns[0].as_string_view().iter().map(|text| text.map(str::to_owned)).collect();
        prop_assert_eq!(found, expected);
    }
}
