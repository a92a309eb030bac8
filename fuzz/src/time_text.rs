//! Times as text: the forms that are read digit by digit are read as Arrow reads them.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::ArrowTimestampType;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::types::TimestampSecondType;
use arrow_schema::DataType;
use shardstream::record::time_text;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check::<TimestampSecondType>(text);
    check::<TimestampMillisecondType>(text);
    check::<TimestampMicrosecondType>(text);
    check::<TimestampNanosecondType>(text);
}

fn check<T: ArrowTimestampType>(text: &str) {
    let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let read = arrow_cast::cast(&column, &DataType::Timestamp(T::UNIT, Some("UTC".into())));
    let read = read.expect("a cast of text is safe");
    let read = read.as_primitive::<T>();
    let expected = read.is_valid(0).then(|| read.value(0));
    assert_eq!(time_text::ticks(text, T::UNIT), expected, "{text:?} in {:?}", T::UNIT);
}
