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
use crate::replay::dataset::piece::Piece;
use crate::replay::dataset::piece::RowGroup;

/// The columns of a file and its row groups.
pub(super) fn inspect(path: &Path) -> Result<(SchemaRef, Vec<RowGroup>), DatasetError> {
    let (_, metadata) = open(path)?;
    Ok((metadata.schema().clone(), row_groups(&metadata)))
}

/// Reads one file, or some of its row groups.
pub(super) struct ParquetReader {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    row_groups: Vec<RowGroup>,
    rows_before: u64,
}

impl ParquetReader {
    pub(super) fn open(
        piece: &Piece,
        schema: &SchemaRef,
        batch_rows: usize,
    ) -> Result<Self, DatasetError> {
        let path = &piece.file;
        let (file, metadata) = open(path)?;
        let row_groups = row_groups(&metadata);
        let wanted: Vec<usize> =
            piece.row_groups.iter().flatten().map(|group| group.index).collect();
        let first = wanted.first().copied().unwrap_or(0);
        let rows_before = row_groups.iter().take(first).map(|group| group.rows).sum();
        let fields = metadata.schema().fields().iter().enumerate();
        let roots =
            fields.filter(|(_, field)| schema.index_of(field.name()).is_ok()).map(|(root, _)| root);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(mask)
            .with_row_groups(wanted)
            .with_batch_size(batch_rows)
            .build()
            .map_err(|error| unreadable(path, "at its start".to_owned(), &error))?;
        Ok(Self { path: path.clone(), reader, row_groups, rows_before })
    }

    fn position(&self) -> String {
        let mut first = 0;
        for RowGroup { index, rows } in &self.row_groups {
            if self.rows_before < first + rows {
                return format!("row group {index}, at or after row {}", self.rows_before);
            }
            first += rows;
        }
        format!("after row {}", self.rows_before)
    }
}

impl DatasetReader for ParquetReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        match self.reader.next() {
            None => Ok(None),
            Some(Ok(batch)) => {
                self.rows_before += batch.num_rows() as u64;
                Ok(Some(batch))
            }
            Some(Err(error)) => Err(unreadable(&self.path, self.position(), &error)),
        }
    }
}

fn row_groups(metadata: &ArrowReaderMetadata) -> Vec<RowGroup> {
    let groups = metadata.metadata().row_groups().iter();
    let rows = groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(0));
    rows.enumerate().map(|(index, rows)| RowGroup { index, rows }).collect()
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
