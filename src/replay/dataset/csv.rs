//! CSV files with a header: types from the first rows, times as instants in microseconds.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::RecordBatchOptions;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_cast::cast::CastOptions;
use arrow_cast::cast::cast_with_options;
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format as CsvFormat;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;

use crate::replay::dataset::DatasetReader;
use crate::replay::dataset::SAMPLE_ROWS;
use crate::replay::dataset::error::DatasetError;
use crate::replay::dataset::format::system;

/// The header is line 1.
const FIRST_ROW_LINE: u64 = 2;

/// The columns of a file and the types that its first rows have.
///
/// A column of ISO times that all say an offset is in UTC, one that never says it is naive, and a mixture stays text.
pub(super) fn inspect(path: &Path) -> Result<SchemaRef, DatasetError> {
    let (schema, _) = format(path)
        .infer_schema(open(path)?, Some(SAMPLE_ROWS))
        .map_err(|error| unreadable(path, "in its first rows", &error))?;
    let times = |field: &Arc<Field>| matches!(field.data_type(), DataType::Timestamp(..));
    if !schema.fields().iter().any(times) {
        return Ok(Arc::new(schema));
    }
    let sample = sample(path, &schema)?;
    let fields = schema.fields().iter().enumerate().map(|(index, field)| {
        if times(field) {
            let data_type = match &sample {
                Some(sample) => time_type(sample.column(index).as_string()),
                None => DataType::Utf8,
            };
            Field::new(field.name(), data_type, true)
        } else {
            field.as_ref().clone()
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Reads one file.
pub(super) struct CsvReader {
    path: PathBuf,
    reader: arrow_csv::Reader<File>,
    /// The columns as they are to be, in the order of the file.
    schema: SchemaRef,
    header: Vec<String>,
    rows_read: u64,
}

impl CsvReader {
    pub(super) fn open(
        path: &Path,
        schema: &SchemaRef,
        batch_rows: usize,
    ) -> Result<Self, DatasetError> {
        let (header, _) = format(path)
            .infer_schema(open(path)?, Some(0))
            .map_err(|error| unreadable(path, "in its header", &error))?;
        let header: Vec<String> =
            header.fields().iter().map(|field| field.name().clone()).collect();
        let kept: Vec<usize> =
            (0..header.len()).filter(|&index| schema.index_of(&header[index]).is_ok()).collect();
        let fields = header.iter().map(|name| match schema.field_with_name(name) {
            // Other files may ask for a text type that is not read here; widening comes after.
            Ok(field) if field.data_type() == &DataType::LargeUtf8 => {
                Field::new(name, DataType::Utf8, true)
            }
            Ok(field) => field.clone(),
            Err(_) => Field::new(name, DataType::Utf8, true),
        });
        let fields: Vec<Field> = fields.collect();
        // Times are parsed here: whether each says an offset cannot be told afterwards.
        let raw: Vec<Field> = fields.iter().map(read_as).collect();
        let schema = Arc::new(Schema::new(fields).project(&kept).expect("kept columns exist"));
        let reader = ReaderBuilder::new(Arc::new(Schema::new(raw)))
            .with_format(format(path))
            .with_projection(kept)
            .with_batch_size(batch_rows)
            .build(open(path)?)
            .map_err(|error| unreadable(path, "at its start", &error))?;
        Ok(Self { path: path.to_owned(), reader, schema, header, rows_read: 0 })
    }

    fn parse_times(&self, batch: &RecordBatch) -> Result<RecordBatch, DatasetError> {
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| {
            if field.data_type() == column.data_type() {
                Ok(Arc::clone(column))
            } else {
                self.parse_time(column, field)
            }
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| self.failed(&error))
    }

    fn parse_time(&self, column: &ArrayRef, field: &Field) -> Result<ArrayRef, DatasetError> {
        let text: &StringArray = column.as_string();
        let is_zoned = matches!(field.data_type(), DataType::Timestamp(_, Some(_)));
        let times = times(column, field.data_type()).map_err(|error| self.failed(&error))?;
        let is_bad = |row: usize| {
            text.is_valid(row) && (times.is_null(row) || has_offset(text.value(row)) != is_zoned)
        };
        match (0..text.len()).find(|&row| is_bad(row)) {
            None => Ok(times),
            Some(row) => Err(DatasetError::BadValue {
                file: self.path.clone(),
                line: FIRST_ROW_LINE + self.rows_read + row as u64,
                column: field.name().clone(),
                value: text.value(row).to_owned(),
                expected: if is_zoned {
                    "a time with an offset".to_owned()
                } else {
                    "a time without an offset".to_owned()
                },
            }),
        }
    }

    fn failed(&self, error: &ArrowError) -> DatasetError {
        let message = error.to_string();
        self.bad_value(&message).unwrap_or_else(|| {
            unreadable(&self.path, &format!("after row {}", self.rows_read), error)
        })
    }

    /// Takes the reader's sentence on a value apart, to name the column and count lines with the header.
    fn bad_value(&self, message: &str) -> Option<DatasetError> {
        let (_, rest) = message.split_once("Error while parsing value '")?;
        let (value, rest) = rest.split_once("' as type '")?;
        let (data_type, rest) = rest.split_once("' for column ")?;
        let (column, rest) = rest.split_once(" at line ")?;
        let (row, _) = rest.split_once('.')?;
        Some(DatasetError::BadValue {
            file: self.path.clone(),
            line: row.parse::<u64>().ok()? + 1,
            column: self.header.get(column.parse::<usize>().ok()?)?.clone(),
            value: value.to_owned(),
            expected: format!("of type {data_type}"),
        })
    }
}

impl DatasetReader for CsvReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        let Some(batch) = self.reader.next() else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| self.failed(&error))?;
        let parsed = self.parse_times(&batch)?;
        self.rows_read += batch.num_rows() as u64;
        Ok(Some(parsed))
    }
}

fn format(path: &Path) -> CsvFormat {
    let is_tabbed = path.extension().is_some_and(|name| name.eq_ignore_ascii_case("tsv"));
    CsvFormat::default().with_header(true).with_delimiter(if is_tabbed { b'\t' } else { b',' })
}

fn open(path: &Path) -> Result<File, DatasetError> {
    File::open(path).map_err(|error| system(path, &error))
}

fn unreadable(path: &Path, position: &str, error: &ArrowError) -> DatasetError {
    DatasetError::Unreadable {
        file: path.to_owned(),
        position: position.to_owned(),
        reason: error.to_string(),
    }
}

fn read_as(field: &Field) -> Field {
    match field.data_type() {
        DataType::Timestamp(..) => Field::new(field.name(), DataType::Utf8, true),
        _ => field.clone(),
    }
}

/// The first rows, as text.
fn sample(path: &Path, schema: &Schema) -> Result<Option<RecordBatch>, DatasetError> {
    let names = schema.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true));
    let text = Arc::new(Schema::new(names.collect::<Vec<_>>()));
    let reader = ReaderBuilder::new(text).with_format(format(path)).with_batch_size(SAMPLE_ROWS);
    let rows = reader.build(open(path)?).and_then(|mut reader| reader.next().transpose());
    rows.map_err(|error| unreadable(path, "in its first rows", &error))
}

fn time_type(sample: &StringArray) -> DataType {
    let texts = || sample.iter().flatten();
    let zoned = texts().filter(|text| has_offset(text)).count();
    let zone = match (zoned, texts().count()) {
        (0, _) => None,
        (zoned, all) if zoned == all => Some("UTC".into()),
        _ => return DataType::Utf8,
    };
    let data_type = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let column: ArrayRef = Arc::new(sample.clone());
    match times(&column, &data_type) {
        Ok(times) if times.null_count() == sample.null_count() => data_type,
        _ => DataType::Utf8,
    }
}

/// Text as times; what is no time becomes null.
fn times(text: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    match data_type {
        // The cast from text knows zones by offset only; UTC is then a change of label.
        DataType::Timestamp(unit, Some(_)) => {
            let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
            cast_with_options(&cast_with_options(text, &utc, &options)?, data_type, &options)
        }
        _ => cast_with_options(text, data_type, &options),
    }
}

/// Whether an ISO time says how far it is from UTC.
fn has_offset(text: &str) -> bool {
    const DATE_BYTES: usize = "2026-01-01".len();
    let time = text.as_bytes().get(DATE_BYTES..).unwrap_or_default();
    time.iter().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'))
}
