//! Records' JSON to columns: typed, a row per good record, and the bad ones kept aside with their reasons.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::RecordBatch;
use arrow_array::RecordBatchOptions;
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast::CastOptions;
use arrow_cast::cast::cast_with_options;
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;

use crate::record::json::JsonError;
use crate::record::json::builder::Builder;
use crate::record::json::builder::noun;
use crate::record::json::infer::Column;
use crate::record::json::infer::Columns;
use crate::record::json::infer::Seen;
use crate::record::json::infer::Wanted;
use crate::record::json::payload::Payloads;
use crate::record::json::scan::Value;
use crate::record::json::scan::clipped;
use crate::record::json::scan::scan;

/// The most bytes of JSON that one batch of text columns can address.
const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// What records decode to.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// One row per good record.
    pub batch: RecordBatch,
    /// The index in the data of each row of the batch.
    pub rows: Vec<u32>,
    /// The records that are not rows, in order.
    pub malformed: Vec<Malformed>,
    /// The first field outside of the schema, when every field was wanted, and the record that has it.
    pub unknown: Option<(u32, String)>,
}

/// A record that has no row, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Malformed {
    /// Its index in the data.
    pub row: u32,
    /// What is wrong and where.
    pub reason: String,
}

/// Turns JSON objects into columns, after it has learned their types.
///
/// Types come from what was declared, else from the records given to [`Decoder::infer`]: integers, floats and booleans
/// stay what they are, integers beside floats become floats, and anything else mixed becomes text.
#[derive(Clone, Debug)]
pub struct Decoder {
    columns: Columns,
}

impl Decoder {
    /// Decodes the wanted fields, all of inferred types.
    pub fn new(wanted: Wanted) -> Self {
        Self::with_types(wanted, &[])
    }

    /// Decodes the wanted fields; a declared type wins over what the records hold.
    ///
    /// When all fields are wanted, the declared ones come first, whether the records have them or not.
    pub fn with_types(wanted: Wanted, declared: &[(String, DataType)]) -> Self {
        Self { columns: Columns::new(wanted, declared) }
    }

    /// Widens the schema by what these records hold; the order of calls and records does not matter for types.
    ///
    /// # Errors
    ///
    /// A column that holds no bytes, or more distinct fields than make sense as columns.
    pub fn infer(&mut self, data: &ArrayRef) -> Result<(), JsonError> {
        let payloads = Payloads::new(data)?;
        let mut layout = Layout::default();
        let mut buffer = Vec::new();
        let mut slots: Vec<(usize, Seen)> = Vec::new();
        let mut fresh: Vec<(String, Seen)> = Vec::new();
        for row in 0..data.len() {
            let Ok(text) = payloads.text(row) else {
                continue;
            };
            slots.clear();
            fresh.clear();
            let columns = &self.columns;
            let mut position = 0;
            let scanned = scan(text, &mut buffer, |key, value| {
                match layout.slot(position, key, columns) {
                    Some(slot) => slots.push((slot, Seen::of(value))),
                    None if columns.is_open() => fresh.push((key.to_owned(), Seen::of(value))),
                    None => {}
                }
                position += 1;
            });
            if scanned.is_err() {
                continue;
            }
            for &(slot, seen) in &slots {
                self.columns.widen_slot(slot, seen);
            }
            if !fresh.is_empty() {
                self.columns.widen(&fresh)?;
                layout = Layout::default();
            }
        }
        Ok(())
    }

    /// The columns as they stand; a field that no record has filled is of type null.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| Field::new(&column.name, column.data_type(), true);
        Arc::new(Schema::new(self.columns.as_slice().iter().map(field).collect::<Vec<_>>()))
    }

    /// Decodes the picked records, or all of them, into columns of [`Decoder::schema`].
    ///
    /// A field that is absent is null; of a field that comes twice the last one counts. Fields outside of the schema
    /// are skipped, and the first of them is reported when all fields were wanted.
    ///
    /// # Errors
    ///
    /// A column that holds no bytes, a declared type that JSON cannot fill, or more than 2 GiB of records.
    ///
    /// # Panics
    ///
    /// When a picked record is not in the data.
    pub fn decode(&self, data: &ArrayRef, picked: Option<&[u32]>) -> Result<Decoded, JsonError> {
        let payloads = Payloads::new(data)?;
        let count = u32::try_from(data.len())
            .map_err(|_| JsonError::BatchTooLarge { bytes: data.len(), limit: BATCH_BYTES_MAX })?;
        let mut pass = Pass::new(&self.columns, picked.map_or(data.len(), <[u32]>::len))?;
        if let Some(rows) = picked {
            check_size(rows.iter().map(|&row| payloads.len(row as usize)))?;
            for &row in rows {
                pass.read(payloads, row);
            }
        } else {
            check_size((0..data.len()).map(|row| payloads.len(row)))?;
            for row in 0..count {
                pass.read(payloads, row);
            }
        }
        pass.finish(self.schema())
    }
}

fn check_size(lens: impl Iterator<Item = usize>) -> Result<(), JsonError> {
    let bytes: usize = lens.sum();
    if BATCH_BYTES_MAX < bytes {
        return Err(JsonError::BatchTooLarge { bytes, limit: BATCH_BYTES_MAX });
    }
    Ok(())
}

/// The slots of the fields in the order of the last record: most records are laid out like the one before.
#[derive(Debug, Default)]
struct Layout {
    fields: Vec<(String, Option<usize>)>,
}

impl Layout {
    #[inline]
    fn slot(&mut self, position: usize, key: &str, columns: &Columns) -> Option<usize> {
        match self.fields.get(position) {
            Some((name, slot)) if name == key => *slot,
            _ => self.learn(position, key, columns),
        }
    }

    fn learn(&mut self, position: usize, key: &str, columns: &Columns) -> Option<usize> {
        let slot = columns.slot(key);
        match self.fields.get_mut(position) {
            Some((name, old)) => {
                name.clear();
                name.push_str(key);
                *old = slot;
            }
            None if position < 1_000 => self.fields.push((key.to_owned(), slot)),
            None => {}
        }
        slot
    }
}

/// One decoding pass: the columns under construction and the fields of the record at hand.
struct Pass<'a> {
    columns: &'a Columns,
    builders: Vec<Builder>,
    values: Vec<Option<Value<'a>>>,
    layout: Layout,
    buffer: Vec<u8>,
    rows: Vec<u32>,
    malformed: Vec<Malformed>,
    unknown: Option<(u32, String)>,
}

impl<'a> Pass<'a> {
    fn new(columns: &'a Columns, capacity: usize) -> Result<Self, JsonError> {
        let builder = |column: &Column| Builder::new(&column.name, &column.data_type(), capacity);
        let builders = columns.as_slice().iter().map(builder).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            columns,
            values: vec![None; builders.len()],
            builders,
            layout: Layout::default(),
            buffer: Vec::new(),
            rows: Vec::with_capacity(capacity),
            malformed: Vec::new(),
            unknown: None,
        })
    }

    #[inline]
    fn read(&mut self, payloads: Payloads<'a>, row: u32) {
        let outcome = payloads
            .text(row as usize)
            .and_then(|text| self.scan(text, row))
            .and_then(|()| self.append());
        match outcome {
            Ok(()) => self.rows.push(row),
            Err(reason) => self.refuse(row, reason),
        }
    }

    /// Keeps a record aside; its fields are nobody's.
    #[cold]
    fn refuse(&mut self, row: u32, reason: String) {
        self.unknown.take_if(|(first, _)| *first == row);
        self.malformed.push(Malformed { row, reason });
    }

    #[inline]
    fn scan(&mut self, text: &'a str, row: u32) -> Result<(), String> {
        let Self { columns, values, layout, buffer, unknown, .. } = self;
        values.fill(None);
        let mut position = 0;
        scan(text, buffer, |key, value| {
            match layout.slot(position, key, columns) {
                Some(slot) => values[slot] = Some(value),
                None if columns.is_open() && unknown.is_none() => {
                    *unknown = Some((row, key.to_owned()));
                }
                None => {}
            }
            position += 1;
        })
    }

    #[inline]
    fn append(&mut self) -> Result<(), String> {
        for (slot, builder) in self.builders.iter_mut().enumerate() {
            if let Err(reason) = builder.append(self.values[slot]) {
                let done = self.rows.len();
                self.builders[..slot].iter_mut().for_each(|builder| builder.truncate(done));
                return Err(format!("`{}`: {reason}", self.columns.as_slice()[slot].name));
            }
        }
        Ok(())
    }

    fn finish(self, schema: SchemaRef) -> Result<Decoded, JsonError> {
        let Self { builders, rows, malformed, unknown, .. } = self;
        let bases: Vec<ArrayRef> = builders.into_iter().map(Builder::finish).collect();
        let mut settled = Settled { rows, malformed, misfits: None };
        let arrays = bases
            .iter()
            .zip(schema.fields())
            .map(|(base, field)| settled.cast(base, field))
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(settled.rows.len()));
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        let (batch, rows, malformed) = settled.without_misfits(batch)?;
        Ok(Decoded { batch, rows, malformed, unknown })
    }
}

/// Casts a column; what does not fit becomes null. Times that say no offset are UTC when the column has a zone.
fn cast_from_base(base: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, JsonError> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    match data_type {
        // Arrow reads text in zones given by offset only; another zone of the same instants is a change of label.
        DataType::Timestamp(unit, Some(_)) => {
            let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
            let instants = cast_with_options(base, &utc, &options)?;
            Ok(cast_with_options(&instants, data_type, &options)?)
        }
        _ => Ok(cast_with_options(base, data_type, &options)?),
    }
}

/// The rows of a pass while their columns are cast to the types that were asked for.
struct Settled {
    rows: Vec<u32>,
    malformed: Vec<Malformed>,
    /// The reason of each row that a cast refused.
    misfits: Option<Vec<Option<String>>>,
}

impl Settled {
    fn cast(&mut self, base: &ArrayRef, field: &Field) -> Result<ArrayRef, JsonError> {
        if base.data_type() == field.data_type() {
            return Ok(Arc::clone(base));
        }
        let cast = cast_from_base(base, field.data_type())?;
        if base.logical_null_count() < cast.logical_null_count() {
            self.note_misfits(base, &cast, field)?;
        }
        Ok(cast)
    }

    fn note_misfits(
        &mut self,
        base: &ArrayRef,
        cast: &ArrayRef,
        field: &Field,
    ) -> Result<(), JsonError> {
        let (before, after) = (base.logical_nulls(), cast.logical_nulls());
        let is_null = |nulls: &Option<arrow_buffer::NullBuffer>, row| {
            nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
        };
        let misfits = self.misfits.get_or_insert_with(|| vec![None; base.len()]);
        for (row, misfit) in misfits.iter_mut().enumerate() {
            if misfit.is_none() && is_null(&after, row) && !is_null(&before, row) {
                let value = array_value_to_string(base, row)?;
                let (value, noun) = (clipped(&value), noun(field.data_type()));
                *misfit = Some(format!("`{}`: {value} is not {noun}", field.name()));
            }
        }
        Ok(())
    }

    fn without_misfits(
        mut self,
        batch: RecordBatch,
    ) -> Result<(RecordBatch, Vec<u32>, Vec<Malformed>), JsonError> {
        let Some(misfits) = self.misfits else {
            return Ok((batch, self.rows, self.malformed));
        };
        let fits = BooleanBuffer::collect_bool(misfits.len(), |row| misfits[row].is_none());
        let batch = filter_record_batch(&batch, &BooleanArray::new(fits, None))?;
        let mut rows = Vec::with_capacity(batch.num_rows());
        for (row, misfit) in self.rows.into_iter().zip(misfits) {
            match misfit {
                Some(reason) => self.malformed.push(Malformed { row, reason }),
                None => rows.push(row),
            }
        }
        self.malformed.sort_by_key(|malformed| malformed.row);
        Ok((batch, rows, self.malformed))
    }
}
