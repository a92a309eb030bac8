//! Rows that came too late: kept as they were, with how late they are.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_array::UInt64Array;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take;

use crate::window::WindowError;

/// The late rows of one operator since they were last taken.
#[derive(Debug)]
pub(crate) struct LateRows {
    schema: SchemaRef,
    kept: Vec<RecordBatch>,
    rows: Vec<u32>,
    watermarks: Vec<i64>,
    lateness: Vec<i64>,
    missed: Vec<i64>,
    /// Rows that missed every window, ever.
    pub(crate) fully_count: u64,
    /// Rows that missed some of their windows, ever.
    pub(crate) partly_count: u64,
    /// How far behind the watermark the latest comer was.
    pub(crate) max_lateness: Option<i64>,
}

impl LateRows {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            kept: Vec::new(),
            rows: Vec::new(),
            watermarks: Vec::new(),
            lateness: Vec::new(),
            missed: Vec::new(),
            fully_count: 0,
            partly_count: 0,
            max_lateness: None,
        }
    }

    /// Notes a row of the current batch; `is_partly` tells those that are counted in some window.
    #[cold]
    pub(crate) fn add(
        &mut self,
        row: u32,
        time: i64,
        watermark: i64,
        windows_missed: i64,
        is_partly: bool,
    ) {
        let lateness = watermark.saturating_sub(time);
        self.rows.push(row);
        self.watermarks.push(watermark);
        self.lateness.push(lateness);
        self.missed.push(windows_missed);
        self.max_lateness = self.max_lateness.max(Some(lateness));
        if is_partly {
            self.partly_count += 1;
        } else {
            self.fully_count += 1;
        }
    }

    /// Keeps the noted rows of the current batch.
    pub(crate) fn keep(
        &mut self,
        columns: &[ArrayRef],
        first_ordinal: u64,
    ) -> Result<(), WindowError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from(std::mem::take(&mut self.rows));
        let ordinals = rows.values().iter().map(|&row| first_ordinal + u64::from(row));
        let ordinals: UInt64Array = ordinals.collect::<Vec<_>>().into();
        let mut arrays = columns
            .iter()
            .map(|column| take(column, &rows, None))
            .collect::<Result<Vec<_>, _>>()?;
        arrays.push(Arc::new(ordinals));
        for ticks in [&mut self.watermarks, &mut self.lateness, &mut self.missed] {
            let field = self.schema.field(arrays.len());
            let ticks: ArrayRef = Arc::new(Int64Array::from(std::mem::take(ticks)));
            arrays.push(arrow_cast::cast(&ticks, field.data_type())?);
        }
        self.kept.push(RecordBatch::try_new(self.schema.clone(), arrays)?);
        Ok(())
    }

    /// Answers the rows kept since the last call.
    pub(crate) fn take(&mut self) -> Result<RecordBatch, WindowError> {
        let batch = concat_batches(&self.schema, &self.kept)?;
        self.kept.clear();
        Ok(batch)
    }
}
