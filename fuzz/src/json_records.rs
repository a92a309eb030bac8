//! Records of JSON, a line each: read as laid out like those before them, one by one, and by a parser that is not ours.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;
use arrow_select::concat::concat_batches;
use serde_json::Value as Json;
use shardstream::record::json::Decoder;
use shardstream::record::json::Wanted;
use shardstream::record::json::encode_rows;

use super::given::Given;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let mut given = Given(bytes);
    let (wanted, declared) = (given.byte(), given.byte());
    let lines: Vec<&[u8]> = given.0.split(|&byte| byte == b'\n').collect();
    let data: ArrayRef = Arc::new(BinaryArray::from_vec(lines.clone()));
    let wanted = if wanted % 2 == 0 {
        Wanted::All
    } else {
        Wanted::Columns(["x", "y", "absent"].map(str::to_owned).to_vec())
    };
    let declared = match declared % 8 {
        0 => DataType::Int32,
        1 => DataType::Float32,
        2 => DataType::Utf8View,
        3 => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        4 => DataType::Boolean,
        _ => return check(Decoder::new(wanted), &data, &lines),
    };
    check(Decoder::with_types(wanted, &[("x".to_owned(), declared)]), &data, &lines);
}

fn check(mut decoder: Decoder, data: &ArrayRef, lines: &[&[u8]]) {
    let mut alone = decoder.clone();
    decoder.infer(data).expect("fewer fields than the limit");
    for row in 0..data.len() {
        alone.infer(&data.slice(row, 1)).expect("fewer fields than the limit");
    }
    assert_eq!(decoder.schema(), alone.schema());
    let decoded = decoder.decode(data, None).expect("types that JSON fills");
    let (mut batches, mut rows, mut malformed) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..u32::try_from(data.len()).expect("few lines") {
        let one = decoder.decode(data, Some(&[row])).expect("types that JSON fills");
        batches.push(one.batch);
        rows.extend(one.rows);
        malformed.extend(one.malformed);
    }
    let batch = concat_batches(&decoder.schema(), &batches).expect("one schema");
    assert_eq!(decoded.batch, batch);
    assert_eq!((&decoded.rows, &decoded.malformed), (&rows, &malformed));
    for (place, &row) in decoded.rows.iter().enumerate() {
        check_row(&decoded.batch, place, lines[row as usize]);
    }
    for bad in &decoded.malformed {
        check_malformed(lines[bad.row as usize], &bad.reason);
    }
    check_written(&decoder, &decoded.batch);
}

/// A row holds what an independent parser reads, as far as the column's type says it.
fn check_row(batch: &RecordBatch, place: usize, line: &[u8]) {
    let read: Json = match serde_json::from_slice(line) {
        Ok(read) => read,
        // Numbers without end and halves of characters are taken, and read as text or nothing.
        Err(error) if is_lenient(&error) => return,
        Err(error) => panic!("{:?} is a row, though {error}", String::from_utf8_lossy(line)),
    };
    let fields = read.as_object().expect("a row is an object");
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let value = fields.get(field.name()).unwrap_or(&Json::Null);
        let is_null = column.is_null(place);
        match field.data_type() {
            DataType::Int64 => {
                let found = (!is_null).then(|| column.as_primitive::<Int64Type>().value(place));
                assert_eq!(found, value.as_i64(), "{field:?} of {read}");
            }
            DataType::Float64 => {
                let found = (!is_null).then(|| column.as_primitive::<Float64Type>().value(place));
                let is_near = match (found, value.as_f64()) {
                    // The other parser may be off by the last bit.
                    (Some(found), Some(read)) => (found - read).abs() <= read.abs() * 1e-15,
                    (found, read) => found == read,
                };
                assert!(is_near, "{found:?} for {field:?} of {read}");
            }
            DataType::Boolean => {
                let found = (!is_null).then(|| column.as_boolean().value(place));
                assert_eq!(found, value.as_bool(), "{field:?} of {read}");
            }
            DataType::Utf8 => {
                let found = (!is_null).then(|| column.as_string::<i32>().value(place));
                match value {
                    Json::Null => assert_eq!(found, None),
                    Json::String(text) => assert_eq!(found, Some(text.as_str())),
                    _ => assert!(found.is_some(), "{field:?} of {read}"),
                }
            }
            _ => {}
        }
    }
}

fn is_lenient(error: &serde_json::Error) -> bool {
    let words = error.to_string();
    ["number out of range", "surrogate", "hex escape", "recursion"]
        .iter()
        .any(|known| words.contains(known))
}

/// A record that is no row is no object of JSON, or holds what a declared type does not.
fn check_malformed(line: &[u8], reason: &str) {
    let is_object = matches!(serde_json::from_slice(line), Ok(Json::Object(_)));
    let is_declared = reason.starts_with('`') || reason.contains("deeper");
    assert!(!is_object || is_declared, "{:?}: {reason}", String::from_utf8_lossy(line));
}

/// Rows are the same after they were written and read again.
fn check_written(decoder: &Decoder, batch: &RecordBatch) {
    let fields = decoder.schema();
    if batch.num_rows() == 0
        || fields.fields().iter().any(|field| *field.data_type() == DataType::Null)
    {
        return;
    }
    let types: Vec<(String, DataType)> = fields
        .fields()
        .iter()
        .map(|field| (field.name().clone(), field.data_type().clone()))
        .collect();
    let written: ArrayRef = Arc::new(encode_rows(batch, None).expect("types that have JSON"));
    let read = Decoder::with_types(Wanted::All, &types).decode(&written, None);
    let read = read.expect("types that JSON fills");
    assert_eq!(read.malformed, []);
    assert_eq!(read.batch, *batch);
}
