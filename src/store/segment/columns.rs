//! The columns of a segment: four that every record has, and what it carries.

use std::sync::Arc;

use arrow_array::Array;
use arrow_data::ArrayData;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;

use crate::record::block::Block;
use crate::record::payload::Payload;

/// The columns that every record has.
pub(super) const COMMON: usize = 4;

/// What goes before the name of a column that is called as one of ours.
const PREFIX: &str = "rows.";

/// The name of the column of bytes.
const DATA: &str = "data";

fn common() -> [Field; COMMON] {
    let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    [
        Field::new("sequence_number", DataType::Utf8, false),
        Field::new("sequence_index", DataType::UInt64, false),
        Field::new("arrival_time", utc, false),
        Field::new("partition_key", DataType::Utf8, false),
    ]
}

/// Returns the columns of a segment with rows such as a block has.
pub(super) fn file_schema(block: &Block) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> = common().map(Arc::new).into();
    match &block.payload {
        Payload::Bytes(_) => {
            fields.push(Arc::new(Field::new(DATA, DataType::Binary, false)));
            Arc::new(Schema::new(fields))
        }
        Payload::Rows(batch) => {
            let schema = batch.schema();
            fields.extend(schema.fields().iter().map(|field| renamed(field, stored_name)));
            Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
        }
    }
}

/// Tells whether a file has the columns of a segment.
pub(super) fn are_a_segments(schema: &Schema) -> bool {
    let ours = schema.fields().iter().map(AsRef::as_ref).take(COMMON);
    ours.eq(&common())
        && (!carries_bytes(schema) || *schema.field(COMMON).data_type() == DataType::Binary)
}

/// Tells whether the records of a segment carry bytes, and not rows of a table.
fn carries_bytes(schema: &Schema) -> bool {
    schema.fields().get(COMMON).is_some_and(|field| field.name() == DATA)
}

/// Returns the columns of the table whose rows a segment has, as they were called there; `None` if it has bytes.
pub(super) fn row_schema(file: &Schema) -> Option<SchemaRef> {
    if carries_bytes(file) {
        return None;
    }
    let fields = file.fields().iter().skip(COMMON).map(|field| renamed(field, original_name));
    let fields: Vec<Arc<Field>> = fields.collect();
    Some(Arc::new(Schema::new_with_metadata(fields, file.metadata().clone())))
}

fn renamed(field: &Arc<Field>, name: impl Fn(&str) -> Option<String>) -> Arc<Field> {
    match name(field.name()) {
        Some(name) => Arc::new(field.as_ref().clone().with_name(name)),
        None => Arc::clone(field),
    }
}

/// Returns under which name a column is kept whose own is taken: by one of ours, or by another such column.
fn stored_name(name: &str) -> Option<String> {
    is_taken(name.trim_start_matches(PREFIX)).then(|| format!("{PREFIX}{name}"))
}

/// Returns the name that a column had before it was kept under another one.
fn original_name(stored: &str) -> Option<String> {
    let name = stored.strip_prefix(PREFIX)?;
    is_taken(name.trim_start_matches(PREFIX)).then(|| name.to_owned())
}

fn is_taken(name: &str) -> bool {
    name == DATA || common().iter().any(|field| field.name() == name)
}

/// Tells whether rows of two blocks fit into one file: it has one schema, and one dictionary for each column.
pub(crate) fn same_columns(a: &Block, b: &Block) -> bool {
    match (&a.payload, &b.payload) {
        (Payload::Bytes(_), Payload::Bytes(_)) => true,
        (Payload::Rows(a), Payload::Rows(b)) => {
            let mut columns = a.columns().iter().zip(b.columns());
            a.schema() == b.schema()
                && columns.all(|(a, b)| {
                    !holds_dictionary(a.data_type())
                        || same_dictionaries(&a.to_data(), &b.to_data())
                })
        }
        _ => false,
    }
}

fn same_dictionaries(a: &ArrayData, b: &ArrayData) -> bool {
    let mut children = a.child_data().iter().zip(b.child_data());
    match a.data_type() {
        DataType::Dictionary(_, _) => children.all(|(a, b)| a.ptr_eq(b)),
        _ => children.all(|(a, b)| same_dictionaries(a, b)),
    }
}

/// Tells whether a type is a dictionary, or has one within.
pub(super) fn holds_dictionary(data_type: &DataType) -> bool {
    holds(data_type, &|each| matches!(each, DataType::Dictionary(_, _)))
}

/// Tells whether a type, or one within it, is such a one.
pub(super) fn holds(data_type: &DataType, such: &impl Fn(&DataType) -> bool) -> bool {
    let within = |field: &Arc<Field>| holds(field.data_type(), such);
    such(data_type)
        || match data_type {
            DataType::Dictionary(_, values) => holds(values, such),
            DataType::FixedSizeList(field, _)
            | DataType::LargeList(field)
            | DataType::LargeListView(field)
            | DataType::List(field)
            | DataType::ListView(field)
            | DataType::Map(field, _)
            | DataType::RunEndEncoded(_, field) => within(field),
            DataType::Struct(fields) => fields.iter().any(within),
            DataType::Union(fields, _) => fields.iter().any(|(_, field)| within(field)),
            _ => false,
        }
}
