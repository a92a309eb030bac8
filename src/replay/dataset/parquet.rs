//! Parquet files, a batch at a time: at most a row group's pages are in memory.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::replay::dataset::DatasetReader;
use crate::replay::dataset::error::DatasetError;
use crate::replay::dataset::format::system;

/// The columns of a file and how many rows it has.
pub(super) fn inspect(path: &Path) -> Result<(SchemaRef, u64), DatasetError> {
    let (_, metadata) = open(path)?;
    let rows = metadata.metadata().file_metadata().num_rows();
    Ok((metadata.schema().clone(), u64::try_from(rows).unwrap_or(0)))
}

/// Reads one file.
pub(super) struct ParquetReader {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    row_group_rows: Vec<u64>,
    rows_read: u64,
}

impl ParquetReader {
    pub(super) fn open(
        path: &Path,
        schema: &SchemaRef,
        batch_rows: usize,
    ) -> Result<Self, DatasetError> {
        let (file, metadata) = open(path)?;
        let groups = metadata.metadata().row_groups().iter();
        let row_group_rows =
            groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect();
        let fields = metadata.schema().fields().iter().enumerate();
        let roots =
            fields.filter(|(_, field)| schema.index_of(field.name()).is_ok()).map(|(root, _)| root);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(mask)
            .with_batch_size(batch_rows)
            .build()
            .map_err(|error| unreadable(path, "at its start".to_owned(), &error))?;
        Ok(Self { path: path.to_owned(), reader, row_group_rows, rows_read: 0 })
    }

    fn position(&self) -> String {
        let mut first = 0;
        for (index, rows) in self.row_group_rows.iter().enumerate() {
            if self.rows_read < first + rows {
                return format!("row group {index}, at or after row {}", self.rows_read);
            }
            first += rows;
        }
        format!("after row {}", self.rows_read)
    }
}

impl DatasetReader for ParquetReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        match self.reader.next() {
            None => Ok(None),
            Some(Ok(batch)) => {
                self.rows_read += batch.num_rows() as u64;
                Ok(Some(batch))
            }
            Some(Err(error)) => Err(unreadable(&self.path, self.position(), &error)),
        }
    }
}

fn open(path: &Path) -> Result<(File, ArrowReaderMetadata), DatasetError> {
    let file = File::open(path).map_err(|error| system(path, &error))?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(|error| unreadable(path, "footer".to_owned(), &error))?;
    Ok((file, metadata))
}

fn unreadable(path: &Path, position: String, error: &dyn std::error::Error) -> DatasetError {
    DatasetError::Unreadable { file: path.to_owned(), position, reason: error.to_string() }
}
