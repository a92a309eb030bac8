//! One schema for several files: columns agree by name and type, in whatever order they stand.

use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::RecordBatchOptions;
use arrow_cast::cast::CastOptions;
use arrow_cast::cast::cast_with_options;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;

use crate::replay::dataset::error::DatasetError;

/// A file, its columns, and whether their types were guessed from text.
pub(super) struct Inspected<'a> {
    pub(super) file: &'a Path,
    pub(super) schema: SchemaRef,
    pub(super) is_text: bool,
}

/// The schema that all files are read as: the wanted columns, or those of the first file.
pub(super) fn agree(
    files: &[Inspected<'_>],
    wanted: Option<&[String]>,
) -> Result<SchemaRef, DatasetError> {
    let Some(first) = files.first() else {
        return Ok(Arc::new(Schema::empty()));
    };
    for inspected in files {
        check_distinct(inspected)?;
    }
    let names: Vec<String> = match wanted {
        Some(names) => names.to_vec(),
        None => first.schema.fields().iter().map(|field| field.name().clone()).collect(),
    };
    if wanted.is_none() {
        check_no_more_columns(first, &files[1..])?;
    }
    let fields: Result<Vec<Field>, _> = names.iter().map(|name| column(files, name)).collect();
    Ok(Arc::new(Schema::new(fields?)))
}

/// A batch of one file as a batch of the dataset: columns picked, put in order and widened.
pub(super) fn adapt(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name()).ok_or_else(|| {
            ArrowError::SchemaError(format!("column `{}` has gone", field.name()))
        })?;
        if column.data_type() == field.data_type() {
            Ok(Arc::clone(column))
        } else {
            cast_with_options(column, field.data_type(), &options)
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn check_distinct(inspected: &Inspected<'_>) -> Result<(), DatasetError> {
    let mut names = HashSet::new();
    for field in inspected.schema.fields() {
        if !names.insert(field.name()) {
            let (file, column) = (inspected.file.to_owned(), field.name().clone());
            return Err(DatasetError::DuplicateColumn { file, column });
        }
    }
    Ok(())
}

fn check_no_more_columns(
    first: &Inspected<'_>,
    others: &[Inspected<'_>],
) -> Result<(), DatasetError> {
    for other in others {
        for field in other.schema.fields() {
            if first.schema.index_of(field.name()).is_err() {
                return Err(DatasetError::MissingColumn {
                    file: first.file.to_owned(),
                    column: field.name().clone(),
                    other: other.file.to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn column(files: &[Inspected<'_>], name: &str) -> Result<Field, DatasetError> {
    let mut agreed: Option<(DataType, PathBuf)> = None;
    for inspected in files {
        let Ok(field) = inspected.schema.field_with_name(name) else {
            return Err(absent(inspected, name, agreed.map(|(_, file)| file)));
        };
        let found = field.data_type();
        agreed = match agreed {
            None => Some((found.clone(), inspected.file.to_owned())),
            Some((expected, other)) => match wider(&expected, found, inspected.is_text) {
                Some(data_type) => Some((data_type, other)),
                None => {
                    return Err(DatasetError::TypeMismatch {
                        file: inspected.file.to_owned(),
                        column: name.to_owned(),
                        found: found.clone(),
                        other,
                        expected,
                    });
                }
            },
        };
    }
    let all_text = files.iter().all(|inspected| inspected.is_text);
    let data_type = match agreed {
        // Text whose first rows are empty may still say something later.
        Some((DataType::Null, _)) if all_text => DataType::Utf8,
        Some((data_type, _)) => data_type,
        None => DataType::Null,
    };
    Ok(Field::new(name, data_type, true))
}

fn absent(inspected: &Inspected<'_>, name: &str, other: Option<PathBuf>) -> DatasetError {
    let (file, column) = (inspected.file.to_owned(), name.to_owned());
    if let Some(other) = other {
        return DatasetError::MissingColumn { file, column, other };
    }

    let fields = inspected.schema.fields().iter();
    let available = fields.map(|field| field.name().clone()).collect();
    DatasetError::UnknownColumn { file, column, available }
}

/// The type that holds the values of both without loss; guessed numbers may become floats.
fn wider(left: &DataType, right: &DataType, is_guessed: bool) -> Option<DataType> {
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::Float16 | DataType::Float32, DataType::Float64)
        | (DataType::Float64, DataType::Float16 | DataType::Float32) => Some(DataType::Float64),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64)
            if is_guessed =>
        {
            Some(DataType::Float64)
        }
        _ => wider_integer(left, right).or_else(|| wider_text(left, right)),
    }
}

fn wider_integer(left: &DataType, right: &DataType) -> Option<DataType> {
    if !left.is_integer() || !right.is_integer() {
        return None;
    }
    let (left_bytes, right_bytes) = (left.primitive_width()?, right.primitive_width()?);
    if left.is_signed_integer() == right.is_signed_integer() {
        return Some(if left_bytes < right_bytes { right.clone() } else { left.clone() });
    }
    let unsigned_bytes = if left.is_signed_integer() { right_bytes } else { left_bytes };
    (unsigned_bytes < 8).then_some(DataType::Int64)
}

fn wider_text(left: &DataType, right: &DataType) -> Option<DataType> {
    let plain = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        other => other.clone(),
    };
    match (plain(left), plain(right)) {
        (DataType::Utf8, DataType::Utf8) => Some(DataType::Utf8),
        (
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View,
        ) => Some(DataType::LargeUtf8),
        _ => None,
    }
}
