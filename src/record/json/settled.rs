//! Columns cast from what JSON holds to what was asked for, and the rows that do not survive it.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast::CastOptions;
use arrow_cast::cast::cast_with_options;
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use arrow_schema::Field;
use arrow_select::filter::filter_record_batch;

use crate::record::json::JsonError;
use crate::record::json::builder::noun;
use crate::record::json::decode::Malformed;
use crate::record::json::scan::clipped;

/// The rows of a pass while their columns are cast to the types that were asked for.
pub(super) struct Settled {
    pub(super) rows: Vec<u32>,
    pub(super) malformed: Vec<Malformed>,
    /// The reason of each row that a cast refused.
    pub(super) misfits: Option<Vec<Option<String>>>,
}

impl Settled {
    pub(super) fn cast(&mut self, base: &ArrayRef, field: &Field) -> Result<ArrayRef, JsonError> {
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

    pub(super) fn without_misfits(
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
