//! Records read as foreseen and records read one by one, the careful way, give the same rows, reasons and types.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::RecordBatch;
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use arrow_select::concat::concat_batches;
use proptest::prelude::*;

use crate::record::json::Decoded;
use crate::record::json::Decoder;
use crate::record::json::Malformed;
use crate::record::json::Wanted;
use crate::record::json::scan::Value;
use crate::record::json::token::Token;

/// Values as records hold them, good and bad.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?[1-9][0-9]{0,20}(\\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?",
        4 => any::<f64>().prop_map(|number| format!("{number:?}")),
        4 => any::<i64>().prop_map(|number| number.to_string()),
        4 => "\"[ -!#-\\[\\]-~]{0,40}\"",
        2 => ".{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        3 => "\"20[0-9]{2}-0[1-9]-[0-2][0-9][T ][0-2][0-9]:00:[0-5][0-9](\\.[0-9]{1,9})?(Z|\\+01:00|)\"",
        3 => proptest::sample::select(vec![
            "null", "true", "false", "[]", "{}", "[1,{\"a\":\"\\n\"}]", "{\"y\":[\"\\u00e9\"]}", "\"\\ud83d\"",
            "\"\\u12\"", "01", "-", "-0", "0", "1.", ".5", "1e", "1e+", "nul", "tru", "\"", "\"\\", "\"\t\"", "[", "",
            "{\"a\":}", "0.1e5", "-0.0", "1e999", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        ]).prop_map(str::to_owned),
    ]
}

/// Fields written as encoders write them: some absent, some twice, now and then in another order.
fn records() -> impl Strategy<Value = Vec<u8>> {
    let keys = proptest::sample::select(vec![
        "x",
        "y",
        "z",
        "a long key with spaces in it",
        "\\u0078",
        "",
    ]);
    let ordered = proptest::collection::vec(proptest::option::weighted(0.9, values()), 4).prop_map(
        |values| {
            let names = ["x", "y", "z", "w"].into_iter().map(str::to_owned);
            names.zip(values).filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>()
        },
    );
    let loose = proptest::collection::vec((keys.prop_map(str::to_owned), values()), 0..5);
    let fields = prop_oneof![6 => ordered, 1 => loose];
    let spaces = proptest::sample::select(vec![("", ""), ("", " "), (" ", "  "), ("\n", "\t")]);
    let ends = proptest::sample::select(vec!["", "", "", "", "\n", " \r\n", "x", ",", "}"]);
    let text = (fields, spaces, ends).prop_map(|(fields, (before, after), end)| {
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| format!("{before}\"{name}\":{after}{value}"))
            .collect();
        format!("{{{}}}{end}", fields.join(&format!(",{after}"))).into_bytes()
    });
    let broken = (text.clone(), any::<proptest::sample::Index>(), any::<u8>()).prop_map(
        |(mut text, place, byte)| {
            let place = place.index(text.len());
            text[place] = byte;
            text
        },
    );
    let cut = (text.clone(), any::<proptest::sample::Index>()).prop_map(|(mut text, place)| {
        let place = place.index(text.len());
        text.truncate(place);
        text
    });
    prop_oneof![12 => text, 1 => broken, 1 => cut]
}

fn columns(records: Vec<Option<Vec<u8>>>, layout: DataType, skipped: usize) -> ArrayRef {
    let data: ArrayRef = Arc::new(records.iter().map(Option::as_deref).collect::<BinaryArray>());
    let data = cast(&data, &layout).unwrap();
    let skipped = skipped.min(data.len() - 1);
    data.slice(skipped, data.len() - skipped)
}

fn data() -> impl Strategy<Value = ArrayRef> {
    let layout = proptest::sample::select(vec![
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
    ]);
    let records = proptest::collection::vec(proptest::option::weighted(0.97, records()), 1..20);
    (records, layout, 0_usize..3)
        .prop_map(|(records, layout, skipped)| columns(records, layout, skipped))
}

/// What decoding each record for itself, without any before it, comes to.
fn one_by_one(decoder: &Decoder, data: &ArrayRef) -> Decoded {
    let (mut batches, mut rows, mut malformed) = (Vec::new(), Vec::new(), Vec::<Malformed>::new());
    let (mut unknown, mut is_too_narrow) = (None, false);
    for row in 0..u32::try_from(data.len()).unwrap() {
        let one = decoder.decode(data, Some(&[row])).unwrap();
        batches.push(one.batch);
        rows.extend(one.rows);
        malformed.extend(one.malformed);
        unknown = unknown.or(one.unknown);
        is_too_narrow |= one.is_too_narrow;
    }
    let batch = concat_batches(&decoder.schema(), &batches).unwrap();
    Decoded { batch, rows, malformed, unknown, is_too_narrow }
}

fn float_bits(batch: &RecordBatch) -> Vec<String> {
    // Equality of arrays takes floats bit by bit already; the text is for messages.
    batch.columns().iter().map(|column| format!("{column:?}")).collect()
}

fn assert_agree(decoder: &Decoder, data: &ArrayRef) -> Result<(), TestCaseError> {
    let together = decoder.decode(data, None).unwrap();
    let alone = one_by_one(decoder, data);
    prop_assert_eq!(&together.malformed, &alone.malformed);
    prop_assert_eq!(&together.rows, &alone.rows);
    prop_assert_eq!(float_bits(&together.batch), float_bits(&alone.batch));
    prop_assert_eq!(&together.batch, &alone.batch);
    prop_assert_eq!(together.unknown, alone.unknown);
    prop_assert_eq!(together.is_too_narrow, alone.is_too_narrow);
    Ok(())
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let names = proptest::sample::subsequence(vec!["x", "y", "z", "w", "absent"], 0..5);
    let names = names.prop_map(|names| names.into_iter().map(str::to_owned).collect());
    prop_oneof![Just(Wanted::All), names.prop_map(Wanted::Columns)]
}

fn types() -> impl Strategy<Value = Vec<(String, DataType)>> {
    let data_type = proptest::sample::select(vec![
        DataType::Boolean,
        DataType::Float64,
        DataType::Int64,
        DataType::Int8,
        DataType::UInt64,
        DataType::Utf8,
        DataType::Utf8View,
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Null,
    ]);
    let name = proptest::sample::select(vec!["x", "y", "z"]).prop_map(str::to_owned);
    proptest::collection::vec((name, data_type), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn records_give_the_same_rows_together_as_alone(data in data(), wanted in wanted(), types in types()) {
        let declared = Decoder::with_types(wanted.clone(), &types);
        assert_agree(&declared, &data)?;
        let mut inferred = Decoder::with_types(wanted, &types);
        inferred.infer(&data).unwrap();
        assert_agree(&inferred, &data)?;
    }

    #[test]
    fn types_of_the_first_record_hold_for_the_others_or_are_told_to_be_too_narrow(data in data()) {
        let wanted = Wanted::Columns(["x", "y", "z"].map(str::to_owned).to_vec());
        let mut first = Decoder::new(wanted.clone());
        first.infer(&data.slice(0, 1)).unwrap();
        let mut all = Decoder::new(wanted);
        all.infer(&data).unwrap();
        if first.decode(&data, None).unwrap().is_too_narrow {
            prop_assert_ne!(first.schema(), all.schema());
        } else {
            prop_assert_eq!(first.schema(), all.schema());
        }
    }

    #[test]
    fn types_are_the_same_together_as_alone(data in data(), wanted in wanted(), types in types()) {
        let mut together = Decoder::with_types(wanted, &types);
        let mut alone = together.clone();
        together.infer(&data).unwrap();
        for row in 0..data.len() {
            alone.infer(&data.slice(row, 1)).unwrap();
        }
        prop_assert_eq!(together.schema(), alone.schema());
    }

    #[test]
    fn numbers_are_what_the_standard_library_parses(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?") {
        let Token::Number(number) = Token::of(Value { raw: &text, has_escapes: false }) else {
            return Err(TestCaseError::fail("a number"));
        };
        prop_assert_eq!(number.integer(), text.parse::<i64>().ok());
        let expected = text.parse::<f64>().ok().filter(|number| number.is_finite());
        prop_assert_eq!(number.float().map(f64::to_bits), expected.map(f64::to_bits));
    }
}
