//! Blocks for tests: keys of each kind, bytes, and tables with columns of each kind.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::BooleanArray;
use arrow_array::DictionaryArray;
use arrow_array::FixedSizeListArray;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::ListArray;
use arrow_array::MapArray;
use arrow_array::NullArray;
use arrow_array::PrimitiveArray;
use arrow_array::RecordBatch;
use arrow_array::RunArray;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::StructArray;
use arrow_array::UInt16Array;
use arrow_array::UnionArray;
use arrow_array::builder::Int32Builder;
use arrow_array::builder::MapBuilder;
use arrow_array::builder::StringBuilder;
use arrow_array::builder::UnionBuilder;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::types::Float64Type;
use arrow_array::types::Int8Type;
use arrow_array::types::Int32Type;
use arrow_array::types::Int64Type;
use arrow_array::types::UInt8Type;
use arrow_buffer::NullBuffer;
use arrow_buffer::OffsetBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::TimeUnit;

use crate::clock::Millis;
use crate::record::block::Arrivals;
use crate::record::block::Block;
use crate::record::block::Indices;
use crate::record::block::Routes;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;

/// What the records of some blocks are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Bytes, in the encoding with this number.
    Bytes(usize),
    /// Rows of a table of all kinds of columns.
    Table,
}

/// A number that looks random.
fn mixed(number: usize) -> usize {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
}

pub(crate) fn birth(shard: usize) -> ShardBirth {
    let shard = u32::try_from(shard).unwrap();
    ShardBirth { shard: ShardIndex(shard), created_seconds: 1_700_000_000 + u64::from(shard) }
}

/// Makes blocks of so many rows each, over so many shards; all fit together.
pub(crate) fn blocks(kind: Kind, lens: &[usize], shards: usize) -> Vec<Arc<Block>> {
    let table = table(lens.iter().sum());
    let mut first = 0;
    let block = |(number, &len): (usize, &usize)| {
        let rows = first..first + len;
        first += len;
        let payload = match kind {
            Kind::Bytes(encoding) => Payload::Bytes(data(rows.clone(), encoding + number)),
            Kind::Table => Payload::Rows(table.slice(rows.start, len)),
        };
        Arc::new(block(rows, number, shards, payload))
    };
    lens.iter().enumerate().map(block).collect()
}

/// Makes a block of the rows with these numbers.
fn block(rows: std::ops::Range<usize>, number: usize, shards: usize, payload: Payload) -> Block {
    let (start, len) = (rows.start, rows.len());
    let slots = rows.clone().map(|row| u16::try_from(mixed(row) % shards).unwrap()).collect();
    let births: Vec<ShardBirth> = (0..shards).rev().map(|shard| birth(3 * shard)).collect();
    let time = |row: usize| i64::try_from(1_700_000_000_000 + 10 * (row / 3)).unwrap();
    let arrivals = match number % 3 {
        0 => Arrivals::Each(rows.clone().map(time).collect()),
        1 => Arrivals::All(Millis(time(start + len - 1))),
        _ => Arrivals::Runs(
            rows.clone()
                .map(|row| (u32::try_from(row - start).unwrap(), Millis(time(row))))
                .collect(),
        ),
    };
    Block {
        indices: Indices::From(1_000 + start as u64),
        arrivals,
        keys: keys(rows, number),
        payload,
        routes: Routes::new(&births, slots, Threads::ONE),
    }
}

fn keys(rows: std::ops::Range<usize>, encoding: usize) -> KeyColumn {
    let key = |row: usize| match mixed(row) % 4 {
        0 => format!("k{}", row % 7),
        1 => format!("a key with more bytes than a view has: {}", row % 5),
        2 => "schl\u{fc}ssel".to_owned(),
        _ => "x".repeat(256),
    };
    let plain: ArrayRef = Arc::new(StringArray::from_iter_values(rows.map(key)));
    let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let types = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, coded];
    KeyColumn::from_array(&cast(&plain, &types[encoding % 4]).unwrap(), None).unwrap()
}

fn data(rows: std::ops::Range<usize>, encoding: usize) -> BytesColumn {
    let data = |row: usize| vec![u8::try_from(row % 251).unwrap(); mixed(row) % 40];
    let plain: ArrayRef = Arc::new(BinaryArray::from_iter_values(rows.map(data)));
    let types = [DataType::Binary, DataType::LargeBinary, DataType::BinaryView];
    BytesColumn::from_array(&cast(&plain, &types[encoding % 3]).unwrap()).unwrap()
}

fn text(row: usize) -> Option<String> {
    (!row.is_multiple_of(5))
        .then(|| "text of some length ".repeat(mixed(row) % 3) + &row.to_string())
}

/// Makes a table of all kinds of columns.
pub(crate) fn table(len: usize) -> RecordBatch {
    let rows = || 0..len;
    let number = |row: usize| (!row.is_multiple_of(7)).then(|| i64::try_from(mixed(row)).unwrap());
    let numbers: ArrayRef = Arc::new(rows().map(number).collect::<Int64Array>());
    let texts: ArrayRef = Arc::new(rows().map(text).collect::<StringArray>());
    let as_type = |array: &ArrayRef, wanted: &DataType| cast(array, wanted).unwrap();
    let small = rows().map(|row| i32::try_from(row % 100).unwrap()).collect::<Int32Array>();
    let small: ArrayRef = Arc::new(small);
    let zone: Arc<str> = "America/New_York".into();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("data", Arc::clone(&numbers)),
        ("sequence_number", Arc::clone(&texts)),
        ("rows.data", as_type(&small, &DataType::Float32)),
        ("rows.other", as_type(&small, &DataType::UInt8)),
        ("text", Arc::clone(&texts)),
        ("large", as_type(&texts, &DataType::LargeUtf8)),
        ("view", as_type(&texts, &DataType::Utf8View)),
        ("bytes", as_type(&texts, &DataType::Binary)),
        ("bytes_view", as_type(&texts, &DataType::BinaryView)),
        ("time", as_type(&numbers, &DataType::Timestamp(TimeUnit::Microsecond, Some(zone)))),
        ("naive", as_type(&numbers, &DataType::Timestamp(TimeUnit::Nanosecond, None))),
        ("date", as_type(&small, &DataType::Date32)),
        ("of_day", as_type(&small, &DataType::Time32(TimeUnit::Second))),
        ("lasts", as_type(&numbers, &DataType::Duration(TimeUnit::Millisecond))),
        ("decimal", as_type(&small, &DataType::Decimal128(20, 3))),
        ("wide", as_type(&small, &DataType::Decimal256(50, 2))),
        ("flag", Arc::new(rows().map(|row| Some(row % 3 == 0)).collect::<BooleanArray>())),
        ("half", as_type(&small, &DataType::Float16)),
        ("nothing", Arc::new(NullArray::new(len))),
        ("fixed", Arc::new(fixed(len))),
        ("category", Arc::new(category::<Int8Type>(len, 100))),
        ("category_views", category_views(len)),
        ("struct", Arc::new(nested(len))),
        ("list", Arc::new(list(len, Arc::clone(&numbers)))),
        ("list_of_structs", Arc::new(list(len, Arc::new(nested(len))))),
        ("list_view", as_type(&(Arc::new(list(len, texts)) as ArrayRef), &list_view_type())),
        ("pairs", Arc::new(map(len))),
        ("either", Arc::new(union(len))),
        ("runs", Arc::new(runs(len))),
    ];
    let field = |(name, array): &(&str, ArrayRef)| {
        let note = [("note".to_owned(), format!("of {name}"))].into();
        Field::new(*name, array.data_type().clone(), true).with_metadata(note)
    };
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let metadata = [("origin".to_owned(), "a test".to_owned())].into();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn list_view_type() -> DataType {
    DataType::ListView(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

fn fixed(len: usize) -> FixedSizeListArray {
    let values = (0..2 * len).map(|each| Some(u16::try_from(each % 999).unwrap()));
    let values: UInt16Array = values.collect();
    let field = Arc::new(Field::new_list_field(DataType::UInt16, true));
    FixedSizeListArray::new(field, 2, Arc::new(values), None)
}

/// Codes of 8 bits: two such dictionaries one behind the other would not fit.
fn category<K: ArrowDictionaryKeyType>(len: usize, values: usize) -> DictionaryArray<K>
where
    K::Native: TryFrom<usize>,
{
    let values = StringArray::from_iter_values((0..values).map(|value| format!("value {value}")));
    let code = |row: usize| {
        (!row.is_multiple_of(11)).then(|| K::Native::try_from(mixed(row) % 100).ok()).flatten()
    };
    let codes: PrimitiveArray<K> = (0..len).map(code).collect();
    DictionaryArray::new(codes, Arc::new(values))
}

fn category_views(len: usize) -> ArrayRef {
    let coded: ArrayRef = Arc::new(category::<UInt8Type>(len, 200));
    let views = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8View));
    cast(&coded, &views).unwrap()
}

fn nested(len: usize) -> StructArray {
    let views: StringViewArray = (0..len).map(text).collect();
    let columns: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("view", DataType::Utf8View, true)), Arc::new(views)),
        (
            Arc::new(Field::new_dictionary("category", DataType::Int8, DataType::Utf8, true)),
            Arc::new(category::<Int8Type>(len, 100)),
        ),
    ];
    StructArray::from(columns)
}

/// Lists of 0 to 2 values, of `len` values in all.
fn list(len: usize, values: ArrayRef) -> ListArray {
    let mut left = len;
    let lens = (0..len).map(|row| {
        let now = left.min(mixed(row) % 3);
        left -= now;
        now
    });
    let ends = OffsetBuffer::from_lengths(lens);
    let nulls = (0..len).map(|row| row % 6 != 0).collect::<NullBuffer>();
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    ListArray::new(field, ends, values, Some(nulls))
}

fn map(len: usize) -> MapArray {
    let mut pairs = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for row in 0..len {
        pairs.keys().append_value(format!("name {row}"));
        pairs.values().append_option((row % 2 == 0).then_some(7));
        pairs.append(row % 4 != 0).unwrap();
    }
    pairs.finish()
}

fn union(len: usize) -> UnionArray {
    let mut either = UnionBuilder::new_dense();
    for row in 0..len {
        if row % 2 == 0 {
            either.append::<Int64Type>("number", i64::try_from(row).unwrap()).unwrap();
        } else {
            either.append::<Float64Type>("share", 0.5).unwrap();
        }
    }
    either.build().unwrap()
}

fn runs(len: usize) -> RunArray<Int32Type> {
    let text = |row: usize| (row % 20 < 12).then(|| format!("run {}", row / 20));
    let texts: Vec<Option<String>> = (0..len).map(text).collect();
    texts.iter().map(Option::as_deref).collect()
}

/// A row of a block.
pub(crate) type Row = (Arc<Block>, usize);

/// Lists the rows of blocks.
pub(crate) fn rows_of(blocks: &[Arc<Block>]) -> Vec<Row> {
    let rows = |block: &Arc<Block>| {
        let block = Arc::clone(block);
        (0..block.len()).map(move |row| (Arc::clone(&block), row))
    };
    blocks.iter().flat_map(rows).collect()
}

/// Asserts that rows are equal in all that can be asked of them.
pub(crate) fn assert_same(found: &[Row], expected: &[Row]) {
    assert_eq!(found.len(), expected.len());
    for ((found, at), (expected, row)) in found.iter().zip(expected) {
        assert_eq!(found.sequence_number(*at), expected.sequence_number(*row));
        assert_eq!(found.arrivals.at(*at), expected.arrivals.at(*row));
        assert_eq!(found.keys.value(*at), expected.keys.value(*row));
        match (&found.payload, &expected.payload) {
            (Payload::Bytes(found), Payload::Bytes(expected)) => {
                assert_eq!(found.value(*at), expected.value(*row));
            }
            (Payload::Rows(found), Payload::Rows(expected)) => {
                assert_eq!(found.schema(), expected.schema());
                for (found, expected) in found.columns().iter().zip(expected.columns()) {
                    assert_eq!(&found.slice(*at, 1), &expected.slice(*row, 1));
                }
            }
            _ => panic!("bytes are not rows"),
        }
    }
}
