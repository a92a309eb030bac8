//! Records as columns: those of the tables they came from, fields of their JSON, and what every record has.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::UInt32Array;
use arrow_array::new_null_array;
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_schema::TimeUnit;
use arrow_select::take::take;

use crate::engine::slice::Picked;
use crate::engine::slice::Slice;
use crate::record::block::Block;
use crate::record::json;
use crate::record::json::Decoder;
use crate::record::json::JsonError;
use crate::record::payload::Payload;
use crate::store::StoreError;

/// What every record has, readable by name unless its payload has a column of that name.
const ARRIVAL_TIME: &str = "arrival_time";
const PARTITION_KEY: &str = "partition_key";
const SHARD_ID: &str = "shard_id";

/// The records from which types are guessed.
const GUESS_ROWS: usize = 1_024;

/// Why records cannot be read as columns.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// Arrow refused a conversion.
    #[error("column `{column}`: {message}")]
    Conversion {
        /// The column.
        column: String,
        /// Arrow's own words.
        message: String,
    },
    /// The JSON decoder refused.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A column that no record has.
    #[error("no record has a column `{column}`; there are {}", known.join(", "))]
    Missing {
        /// The name given.
        column: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Types were guessed from the first records, and a later one shows that they are others.
    #[error("the first records do not show the types of all")]
    TooNarrow,
    /// A column of types that do not go together.
    #[error(
        "column `{column}` is {one} in some records and {other} in others: cast one of them before writing"
    )]
    TypesDiffer {
        /// The column.
        column: String,
        /// One type.
        one: DataType,
        /// Another.
        other: DataType,
    },
}

/// Which columns are asked for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// All that the payloads have.
    All,
    /// These; of them, which is the time and which are keys, for fields that no record has yet.
    Columns {
        /// Their names.
        names: Vec<String>,
        /// The one that is the event time.
        time: String,
        /// Those that are keys.
        keys: Vec<String>,
        /// Those that are computed with.
        numbers: Vec<String>,
    },
}

impl Wanted {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Columns { names, .. } => names.iter().any(|each| each == name),
        }
    }

    fn is_time(&self, name: &str) -> bool {
        matches!(self, Self::Columns { time, .. } if time == name)
    }

    fn is_number(&self, name: &str) -> bool {
        matches!(self, Self::Columns { numbers, .. } if numbers.iter().any(|each| each == name))
    }

    /// What a column is taken to be while no record shows it.
    fn unseen(&self, name: &str) -> DataType {
        match self {
            Self::Columns { time, .. } if time == name => utc(TimeUnit::Microsecond),
            Self::Columns { keys, .. } if keys.iter().any(|key| key == name) => DataType::Utf8View,
            _ => DataType::Float64,
        }
    }
}

/// The columns of a stream's records, of one type each.
#[derive(Debug)]
pub struct Columns {
    schema: SchemaRef,
    decoder: Decoder,
    /// By column, whether it stands for what every record has.
    of_records: Vec<bool>,
}

/// Some records as columns.
#[derive(Debug)]
pub struct Part {
    /// One row for each record that could be read.
    pub batch: RecordBatch,
    /// The records that could not, by their row in the block, and why.
    pub malformed: Vec<(usize, String)>,
    rows: PartRows,
}

#[derive(Debug)]
enum PartRows {
    From(usize),
    Each(ScalarBuffer<u32>),
}

impl Part {
    /// Returns the block's row that row `place` came from.
    pub fn row(&self, place: usize) -> usize {
        match &self.rows {
            PartRows::From(first) => first + place,
            PartRows::Each(rows) => rows[place] as usize,
        }
    }

    /// Returns when the rows arrived, in milliseconds.
    pub fn arrivals(&self, block: &Block) -> ScalarBuffer<i64> {
        match &self.rows {
            PartRows::From(first) => block.arrivals.expand(*first, first + self.batch.num_rows()),
            PartRows::Each(rows) => {
                rows.iter().map(|&row| block.arrivals.at(row as usize).0).collect()
            }
        }
    }
}

impl Columns {
    /// Finds each wanted column's type from all the records that a bounded query reads.
    pub fn resolve(
        wanted: &Wanted,
        declared: &[(String, DataType)],
        slices: &[Slice],
    ) -> Result<Self, ColumnsError> {
        Self::find(wanted, declared, slices, false)
    }

    /// Finds types from the first records of a live query: fields that may yet come are no error, and JSON numbers are
    /// floats, for a fraction may follow a whole number.
    pub fn resolve_live(
        wanted: &Wanted,
        declared: &[(String, DataType)],
        slices: &[Slice],
    ) -> Result<Self, ColumnsError> {
        Self::find(wanted, declared, slices, true)
    }

    /// Guesses each wanted column's type from the first records, where they show the types of all columns.
    ///
    /// Parts fail with [`ColumnsError::TooNarrow`] where the guess is wrong. Where none fails, the guess is what
    /// [`Columns::resolve`] finds; what else goes wrong may do so because of the guess.
    pub fn guess(
        wanted: &Wanted,
        declared: &[(String, DataType)],
        slices: &[Slice],
    ) -> Option<Self> {
        let first = head(slices);
        if first.is_empty() {
            return None;
        }
        let typed = slices.iter().filter(|slice| matches!(slice.row_schema(), Ok(Some(_))));
        let sample: Vec<Slice> = first.iter().chain(typed).cloned().collect();
        let mut guess = Self::find(wanted, declared, &sample, false).ok()?;
        // Columns whose types nobody declared keep what was seen of them: so the decoder tells what they cannot hold.
        let names = guess.schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut decoder = Decoder::with_types(json::Wanted::Columns(names), declared);
        for slice in &first {
            if let Payload::Bytes(data) = &slice.block().ok()?.payload {
                decoder.infer(&picked(&data.to_array(), slice, 0, slice.len()).ok()?).ok()?;
            }
        }
        let read = guess.decoder.schema();
        for (seen, read) in decoder.schema().fields().iter().zip(read.fields()) {
            let is_text = *seen.data_type() == DataType::Utf8;
            if is_text && wanted.is_number(read.name()) {
                // Some record after these may hold a number.
                return None;
            }
            // Text stays text, whatever comes.
            if is_text && wanted.is_time(read.name()) {
                decoder.declare(read.name(), read.data_type());
            }
        }
        guess.decoder = decoder;
        (guess.decoder.schema() == read).then_some(guess)
    }

    fn find(
        wanted: &Wanted,
        declared: &[(String, DataType)],
        slices: &[Slice],
        live: bool,
    ) -> Result<Self, ColumnsError> {
        let mut found = Found::default();
        let names = match wanted {
            Wanted::All => json::Wanted::All,
            Wanted::Columns { names, .. } => json::Wanted::Columns(names.clone()),
        };
        let needs_payload = match wanted {
            Wanted::All => true,
            Wanted::Columns { names, .. } => names.iter().any(|name| !is_of_records(name)),
        };
        let mut decoder = Decoder::with_types(names, declared);
        let mut has_json = false;
        for slice in slices {
            if let Some(schema) = slice.row_schema()? {
                found.add_schema(&schema, wanted)?;
            } else if needs_payload && let Payload::Bytes(data) = &slice.block()?.payload {
                has_json = true;
                decoder.infer(&picked(&data.to_array(), slice, 0, slice.len())?)?;
            }
        }
        let typed_time = found.columns.iter().any(|(name, _)| wanted.is_time(name));
        for field in decoder.schema().fields() {
            let known = *field.data_type() != DataType::Null;
            let whole = *field.data_type() == DataType::Int64;
            let is_declared = declared.iter().any(|(name, _)| name == field.name());
            let is_key =
                matches!(wanted, Wanted::Columns { keys, .. } if keys.contains(field.name()));
            let is_text = *field.data_type() == DataType::Utf8 && !is_declared;
            let is_number = wanted.is_number(field.name());
            let widened = if live && whole && !is_declared && !is_key {
                DataType::Float64
            } else if is_text && is_number && holds_numbers(field.name(), slices)? {
                // Likewise: a record with text where others have numbers is malformed, and they are not.
                DataType::Float64
            } else if is_text && !typed_time && wanted.is_time(field.name()) {
                // Read here, so that a record whose time is none is malformed and the others are not.
                utc(TimeUnit::Microsecond)
            } else {
                field.data_type().clone()
            };
            if known && wanted.has(field.name()) {
                found.add(field.name(), &widened)?;
            }
        }
        let fields = found.fields(wanted, slices.is_empty() || (live && has_json));
        let (fields, of_records) = match fields {
            Err(ColumnsError::Missing { column, known }) if has_json => {
                return Err(ColumnsError::Missing {
                    column,
                    known: with_json_fields(known, slices)?,
                });
            }
            fields => fields?,
        };
        // The decoder yields the types that all records share, whichever it saw itself.
        let frozen =
            fields.iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        let names = fields.iter().map(|field| field.name().clone()).collect();
        let decoder = Decoder::with_types(json::Wanted::Columns(names), &decodable(frozen));
        Ok(Self { schema: Arc::new(Schema::new(fields)), decoder, of_records })
    }

    /// Returns the columns' names and types.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads records `start..start + len` of a slice of a block as columns.
    pub fn part(
        &self,
        block: &Block,
        slice: &Slice,
        start: usize,
        len: usize,
    ) -> Result<Part, ColumnsError> {
        let (rows, source, malformed) = match &block.payload {
            Payload::Rows(batch) => (part_rows(slice, start, len), Source::Rows(batch), Vec::new()),
            Payload::Bytes(_) if self.of_records.iter().all(|&each| each) => {
                (part_rows(slice, start, len), Source::Nothing, Vec::new())
            }
            Payload::Bytes(data) => {
                let decoded =
                    self.decoder.decode(&picked(&data.to_array(), slice, start, len)?, None)?;
                if decoded.is_too_narrow {
                    return Err(ColumnsError::TooNarrow);
                }
                let row = |place: u32| slice.row(start + place as usize);
                let malformed = decoded
                    .malformed
                    .into_iter()
                    .map(|each| (row(each.row), each.reason))
                    .collect();
                let fits = |row: usize| u32::try_from(row).expect("a block's row fits 32 bits");
                let good = decoded.rows.iter().map(|&place| fits(row(place))).collect();
                (PartRows::Each(good), Source::Json(decoded.batch), malformed)
            }
        };
        let count = match &rows {
            PartRows::From(_) => len,
            PartRows::Each(rows) => rows.len(),
        };
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for (field, &of_record) in self.schema.fields().iter().zip(&self.of_records) {
            let array = if of_record {
                of_records(block, field.name(), &rows, count)
            } else {
                source.column(field.name(), &rows, count)?
            };
            arrays.push(converted(array, field, count)?);
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| conversion("", &error))?;
        Ok(Part { batch, malformed, rows })
    }
}

/// The types seen so far, by column, in order of first sight.
#[derive(Default)]
struct Found {
    columns: Vec<(String, DataType)>,
    /// Names of all columns there are, for errors.
    known: Vec<String>,
}

impl Found {
    fn add_schema(&mut self, schema: &Schema, wanted: &Wanted) -> Result<(), ColumnsError> {
        for field in schema.fields() {
            if wanted.has(field.name()) {
                self.add(field.name(), field.data_type())?;
            } else if !self.known.contains(field.name()) {
                self.known.push(field.name().clone());
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, data_type: &DataType) -> Result<(), ColumnsError> {
        match self.columns.iter_mut().find(|(known, _)| known == name) {
            None => self.columns.push((name.to_owned(), data_type.clone())),
            Some((_, known)) if known == data_type => {}
            Some((_, known)) => {
                *known = unify(known, data_type).ok_or_else(|| ColumnsError::TypesDiffer {
                    column: name.to_owned(),
                    one: known.clone(),
                    other: data_type.clone(),
                })?;
            }
        }
        Ok(())
    }

    /// The wanted columns, and which of them stand for what every record has.
    fn fields(
        self,
        wanted: &Wanted,
        may_be_unseen: bool,
    ) -> Result<(Vec<Field>, Vec<bool>), ColumnsError> {
        let Wanted::Columns { names, .. } = wanted else {
            let field =
                |(name, data_type): &(String, DataType)| Field::new(name, data_type.clone(), true);
            return Ok((self.columns.iter().map(field).collect(), vec![false; self.columns.len()]));
        };
        let mut fields = Vec::with_capacity(names.len());
        let mut of_records = Vec::with_capacity(names.len());
        for name in names {
            let seen = self.columns.iter().find(|(known, _)| known == name);
            let data_type = match seen {
                Some((_, data_type)) => data_type.clone(),
                None if name == ARRIVAL_TIME => utc(TimeUnit::Millisecond),
                None if is_of_records(name) => DataType::Utf8View,
                None if may_be_unseen => wanted.unseen(name),
                None => return Err(self.missing(name)),
            };
            of_records.push(seen.is_none() && is_of_records(name));
            fields.push(Field::new(name, data_type, true));
        }
        Ok((fields, of_records))
    }

    fn missing(&self, name: &str) -> ColumnsError {
        let seen = self.columns.iter().map(|(name, _)| name.as_str());
        let every = [ARRIVAL_TIME, PARTITION_KEY, SHARD_ID];
        let known = seen.chain(self.known.iter().map(String::as_str)).chain(every);
        ColumnsError::Missing {
            column: name.to_owned(),
            known: known.map(|known| format!("`{known}`")).collect(),
        }
    }
}

/// Names that could have been asked for, with those of the first records' JSON, which nobody asked for.
fn with_json_fields(known: Vec<String>, slices: &[Slice]) -> Result<Vec<String>, ColumnsError> {
    let mut decoder = Decoder::with_types(json::Wanted::All, &[]);
    for slice in &head(slices) {
        if let Payload::Bytes(data) = &slice.block()?.payload {
            decoder.infer(&picked(&data.to_array(), slice, 0, slice.len())?)?;
        }
    }
    let schema = decoder.schema();
    let fields = schema.fields().iter().map(|field| format!("`{}`", field.name()));
    let mut names: Vec<String> = fields.filter(|name| !known.contains(name)).collect();
    names.extend(known);
    Ok(names)
}

/// Where a part's payload columns come from.
enum Source<'a> {
    Json(RecordBatch),
    Nothing,
    Rows(&'a RecordBatch),
}

impl Source<'_> {
    /// The part's rows of a column; nulls where the payload lacks it.
    fn column(&self, name: &str, rows: &PartRows, count: usize) -> Result<ArrayRef, ColumnsError> {
        let nulls = || new_null_array(&DataType::Null, count);
        match (self, rows) {
            (Self::Nothing, _) => Ok(nulls()),
            (Self::Json(batch), _) => Ok(batch.column_by_name(name).map_or_else(nulls, Arc::clone)),
            (Self::Rows(batch), PartRows::From(first)) => Ok(batch
                .column_by_name(name)
                .map_or_else(nulls, |column| column.slice(*first, count))),
            (Self::Rows(batch), PartRows::Each(rows)) => match batch.column_by_name(name) {
                None => Ok(nulls()),
                Some(column) => {
                    let rows = UInt32Array::new(rows.clone(), None);
                    take(column, &rows, None).map_err(|error| conversion(name, &error))
                }
            },
        }
    }
}

/// The first records that carry bytes.
fn head(slices: &[Slice]) -> Vec<Slice> {
    let mut left = GUESS_ROWS;
    let bytes = slices.iter().filter(|slice| matches!(slice.row_schema(), Ok(None)));
    bytes
        .map_while(|slice| {
            let rows = slice.len().min(left);
            left -= rows;
            Some(slice.part(0, rows)).filter(|slice| !slice.is_empty())
        })
        .collect()
}

/// Tells whether a field is a number in some record at least.
fn holds_numbers(name: &str, slices: &[Slice]) -> Result<bool, ColumnsError> {
    let wanted = json::Wanted::Columns(vec![name.to_owned()]);
    let probe = Decoder::with_types(wanted, &[(name.to_owned(), DataType::Float64)]);
    for slice in slices {
        if let Payload::Bytes(data) = &slice.block()?.payload {
            let decoded = probe.decode(&picked(&data.to_array(), slice, 0, slice.len())?, None)?;
            if decoded.batch.column(0).null_count() < decoded.batch.num_rows() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn part_rows(slice: &Slice, start: usize, len: usize) -> PartRows {
    match &slice.rows {
        Picked::Run(first, _) => PartRows::From(first + start),
        Picked::Rows(rows) => PartRows::Each(rows.slice(start, len)),
    }
}

fn picked(
    array: &ArrayRef,
    slice: &Slice,
    start: usize,
    len: usize,
) -> Result<ArrayRef, ColumnsError> {
    match part_rows(slice, start, len) {
        PartRows::From(first) => Ok(array.slice(first, len)),
        PartRows::Each(rows) => take(array, &UInt32Array::new(rows, None), None)
            .map_err(|error| conversion("data", &error)),
    }
}

fn is_of_records(name: &str) -> bool {
    matches!(name, ARRIVAL_TIME | PARTITION_KEY | SHARD_ID)
}

/// What every record has, as a column.
fn of_records(block: &Block, name: &str, rows: &PartRows, count: usize) -> ArrayRef {
    let row = |place: usize| match rows {
        PartRows::From(first) => first + place,
        PartRows::Each(rows) => rows[place] as usize,
    };
    match name {
        ARRIVAL_TIME => {
            let times: ScalarBuffer<i64> =
                (0..count).map(|place| block.arrivals.at(row(place)).0).collect();
            Arc::new(TimestampMillisecondArray::new(times, None).with_timezone("UTC"))
        }
        PARTITION_KEY => Arc::new(StringArray::from_iter_values(
            (0..count).map(|place| block.keys.value(row(place))),
        )),
        _ => {
            let names = (0..count).map(|place| block.shard(row(place)).to_string());
            Arc::new(StringArray::from_iter_values(names))
        }
    }
}

fn converted(array: ArrayRef, field: &Field, count: usize) -> Result<ArrayRef, ColumnsError> {
    if array.data_type() == field.data_type() {
        return Ok(array);
    }
    if *array.data_type() == DataType::Null {
        return Ok(new_null_array(field.data_type(), count));
    }
    cast(&array, field.data_type()).map_err(|error| conversion(field.name(), &error))
}

/// The type that holds both, where there is one.
fn unify(one: &DataType, other: &DataType) -> Option<DataType> {
    let is_text = |data_type: &DataType| match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => {
            matches!(**value, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        }
        _ => false,
    };
    let is_time = |data_type: &DataType| {
        matches!(data_type, DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64)
    };
    match (one, other) {
        (DataType::Null, known) | (known, DataType::Null) => Some(known.clone()),
        _ if is_text(one) && is_text(other) => Some(DataType::Utf8View),
        _ if one.is_numeric() && other.is_numeric() => {
            let whole = one.is_integer() && other.is_integer();
            let unsigned = [one, other].contains(&&DataType::UInt64);
            Some(if whole && !unsigned { DataType::Int64 } else { DataType::Float64 })
        }
        _ if is_time(one) && is_time(other) => Some(utc(finer(one, other))),
        // Times as JSON writes them.
        _ if is_time(one) && is_text(other) => Some(utc(finer(one, one))),
        _ if is_text(one) && is_time(other) => Some(utc(finer(other, other))),
        _ => None,
    }
}

fn finer(one: &DataType, other: &DataType) -> TimeUnit {
    let unit = |data_type: &DataType| match data_type {
        DataType::Timestamp(unit, _) => *unit,
        _ => TimeUnit::Millisecond,
    };
    unit(one).max(unit(other)).max(TimeUnit::Millisecond)
}

fn utc(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("UTC".into()))
}

/// The types to decode JSON into on the way to `types`.
fn decodable(types: Vec<(String, DataType)>) -> Vec<(String, DataType)> {
    let in_json = |data_type: DataType| match data_type {
        DataType::Boolean | DataType::Int64 | DataType::Float64 | DataType::Timestamp(_, _) => {
            data_type
        }
        integer if integer.is_integer() => DataType::Int64,
        number if number.is_numeric() => DataType::Float64,
        _ => DataType::Utf8,
    };
    types.into_iter().map(|(name, data_type)| (name, in_json(data_type))).collect()
}

fn conversion(column: &str, error: &ArrowError) -> ColumnsError {
    ColumnsError::Conversion { column: column.to_owned(), message: error.to_string() }
}

/// All payload columns of some records, and those that cannot be read.
#[derive(Debug)]
pub struct PayloadRows {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// Records that cannot be read as rows.
    pub malformed: Vec<BrokenRow>,
}

/// A record that cannot be read as a row.
#[derive(Debug)]
pub struct BrokenRow {
    /// Its sequence number.
    pub sequence_number: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads records as rows of all the columns that any of them has.
pub fn payload_rows(
    slices: &[Slice],
    go_on: &dyn Fn() -> bool,
) -> Result<PayloadRows, ColumnsError> {
    let columns = Columns::resolve(&Wanted::All, &[], slices)?;
    let mut rows = PayloadRows {
        schema: Arc::clone(columns.schema()),
        batches: Vec::new(),
        malformed: Vec::new(),
    };
    // What is given up has nobody who looks at it.
    for slice in slices.iter().take_while(|_| go_on()) {
        let block = slice.block()?;
        let part = columns.part(&block, slice, 0, slice.len())?;
        for (row, reason) in part.malformed {
            let sequence_number = block.sequence_number(row).to_string();
            rows.malformed.push(BrokenRow { sequence_number, reason });
        }
        if 0 < part.batch.num_rows() {
            rows.batches.push(part.batch);
        }
    }
    Ok(rows)
}
