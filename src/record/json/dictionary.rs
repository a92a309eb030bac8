//! Dictionaries on their way into JSON: each distinct text is written once, for all parts of a batch, and copied.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use arrow_schema::FieldRef;

use crate::record::json::column::Column;
use crate::record::json::column::encoder_options;
use crate::record::json::text::Pieces;

/// The distinct texts of a batch's dictionaries as JSON.
#[derive(Debug, Default)]
pub struct Dictionaries {
    /// By column; columns beyond have none.
    texts: Vec<Option<Arc<Texts>>>,
}

impl Dictionaries {
    /// Writes the texts of those dictionaries where that is worth it for `rows` rows.
    pub fn of(batch: &RecordBatch, rows: usize) -> Self {
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let texts = fields.map(|(field, array)| Texts::of(field, array, rows).map(Arc::new));
        Self { texts: texts.collect() }
    }

    pub(super) fn column(&self, index: usize) -> Option<Arc<Texts>> {
        self.texts.get(index).and_then(Clone::clone)
    }
}

/// The distinct texts of one dictionary.
#[derive(Debug)]
pub(super) struct Texts {
    bytes: Pieces,
    ends: Vec<usize>,
}

impl Texts {
    /// `None` where the column is no dictionary of texts, or where a few rows out of a large one are cheaper to write
    /// one by one.
    fn of(field: &FieldRef, array: &ArrayRef, rows: usize) -> Option<Self> {
        let DataType::Dictionary(_, value) = array.data_type() else { return None };
        let distinct = array.as_any_dictionary().values();
        let is_text = matches!(**value, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        if !is_text || distinct.is_empty() || 2 * rows < distinct.len() {
            return None;
        }
        let options = encoder_options();
        let mut column = Column::new(field, distinct, Vec::new(), None, &options).ok()?;
        let mut bytes = Vec::with_capacity(distinct.len() * 16);
        let ends = (0..distinct.len()).map(|row| {
            column.write(row, &mut bytes);
            bytes.len()
        });
        let ends = ends.collect();
        Some(Self { bytes: Pieces::new(bytes), ends })
    }

    #[inline]
    pub(super) fn append(&self, key: usize, out: &mut Vec<u8>) {
        let start = if key == 0 { 0 } else { self.ends[key - 1] };
        self.bytes.append(start, self.ends[key], out);
    }
}
