//! Records' JSON to columns: typed, a row per good record, and the bad ones kept aside with their reasons.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;

use crate::record::json::JsonError;
use crate::record::json::infer::Column;
use crate::record::json::infer::Columns;
use crate::record::json::infer::Survey;
use crate::record::json::infer::Wanted;
use crate::record::json::pass::Pass;
use crate::record::json::payload::Payloads;

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
    /// Whether a good JSON object holds what would have given a column a wider type, had [`Decoder::infer`] seen it.
    pub is_too_narrow: bool,
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

    /// Declares the type of a column that is decoded.
    pub fn declare(&mut self, name: &str, data_type: &DataType) {
        self.columns.declare(name, data_type);
    }

    /// Widens the schema by what these records hold; the order of calls and records does not matter for types.
    ///
    /// # Errors
    ///
    /// A column that holds no bytes, or more distinct fields than make sense as columns.
    pub fn infer(&mut self, data: &ArrayRef) -> Result<(), JsonError> {
        let payloads = Payloads::new(data)?;
        let mut survey = Survey::new(&mut self.columns);
        for row in 0..data.len() {
            if let Ok(text) = payloads.text(row) {
                survey.read(text)?;
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
