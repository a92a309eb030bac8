//! Files of rows as Arrow batches: one schema over all of them, read as needed.

mod agreement;
mod csv;
mod error;
mod format;
mod ipc;
mod ndjson;
mod parquet;
mod pattern;
mod piece;

use std::fmt;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::replay::dataset::agreement::Inspected;
use crate::replay::dataset::csv::CsvReader;
use crate::replay::dataset::ipc::IpcReader;
use crate::replay::dataset::ndjson::NdJsonReader;
use crate::replay::dataset::parquet::ParquetReader;
use crate::replay::dataset::piece::Piece;
use crate::replay::dataset::piece::RowGroup;
use crate::threads::Threads;

pub use crate::replay::dataset::error::DatasetError;
pub use crate::replay::dataset::format::Format;

/// How many rows of a text file settle the types of its columns.
pub const SAMPLE_ROWS: usize = 10_000;

/// What to do with a line of NDJSON that is not a record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnBadLine {
    /// Stop with an error that names the file and line.
    #[default]
    Raise,
    /// Leave it out and count it.
    Skip,
}

/// How to read a dataset.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DatasetOptions {
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// The columns to read, in this order; all of them when absent.
    pub columns: Option<Vec<String>>,
    /// The format of all files; said by their names when absent.
    pub format: Option<Format>,
    /// What to do with bad lines of NDJSON.
    pub on_bad_line: OnBadLine,
}

impl Default for DatasetOptions {
    fn default() -> Self {
        Self { batch_rows: 65_536, columns: None, format: None, on_bad_line: OnBadLine::default() }
    }
}

/// Files of rows, read a batch at a time in the sorted order of their names.
///
/// Opening looks at every file: its format, its columns and, for text, the types of its first rows. The iterator ends
/// after its first error.
pub struct Dataset {
    pieces: Vec<Piece>,
    schema: SchemaRef,
    options: DatasetOptions,
    next_piece: usize,
    current: Option<Box<dyn DatasetReader>>,
    rest: Option<RecordBatch>,
    skipped_before: u64,
    has_failed: bool,
}

/// One file, open for reading.
trait DatasetReader: Send {
    /// The next rows, with at least the columns of the dataset.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError>;

    /// How many lines were left out.
    fn skipped(&self) -> u64 {
        0
    }
}

impl Dataset {
    /// Opens the files of one path or glob pattern.
    ///
    /// # Errors
    ///
    /// Nothing matches, a file cannot be read or is not what its name says, or files disagree on their columns.
    pub fn open(pattern: &str, options: DatasetOptions) -> Result<Self, DatasetError> {
        Self::open_many(&[pattern.to_owned()], options)
    }

    /// Opens the files of several paths or patterns, in their order.
    ///
    /// # Errors
    ///
    /// As [`Dataset::open`].
    pub fn open_many(patterns: &[String], options: DatasetOptions) -> Result<Self, DatasetError> {
        let options = DatasetOptions { batch_rows: options.batch_rows.max(1), ..options };
        let files = pattern::files(patterns)?;
        let mut pieces = Vec::with_capacity(files.len());
        let mut inspected = Vec::with_capacity(files.len());
        for file in &files {
            let format = format::settle(file, options.format)?;
            let (schema, row_groups) = inspect(file, format)?;
            let is_text = matches!(format, Format::Csv | Format::NdJson);
            pieces.push(Piece { file: file.clone(), format, row_groups });
            inspected.push(Inspected { file, schema, is_text });
        }
        let schema = agreement::agree(&inspected, options.columns.as_deref())?;
        Ok(Self::new(pieces, schema, options))
    }

    fn new(pieces: Vec<Piece>, schema: SchemaRef, options: DatasetOptions) -> Self {
        Self {
            pieces,
            schema,
            options,
            next_piece: 0,
            current: None,
            rest: None,
            skipped_before: 0,
            has_failed: false,
        }
    }

    /// Cuts a dataset that was not read from yet into runs of its rows, about as long each, for each thread one to read
    /// side by side; answers the number of each run's first row too. It stays one where a file does not say its rows.
    pub fn in_runs(self, threads: Threads) -> Vec<(u64, Self)> {
        let Self { pieces, schema, options, .. } = self;
        let runs = piece::in_runs(pieces, threads).into_iter();
        runs.map(|(first, pieces)| (first, Self::new(pieces, schema.clone(), options.clone())))
            .collect()
    }

    /// The columns of every batch.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The files, in the order in which they are read.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.pieces.iter().map(|piece| piece.file.as_path())
    }

    /// How many rows there are, where every file says so without being read.
    pub fn rows_hint(&self) -> Option<u64> {
        piece::rows_of(&self.pieces)
    }

    /// How many bad lines were left out so far.
    pub fn skipped(&self) -> u64 {
        self.skipped_before + self.current.as_ref().map_or(0, |reader| reader.skipped())
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        loop {
            if let Some(rest) = self.rest.take() {
                return Ok(Some(self.first_rows(rest)));
            }
            let Some(reader) = &mut self.current else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            match reader.next_batch()? {
                Some(batch) if batch.num_rows() == 0 => {}
                Some(batch) => self.rest = Some(self.adapted(&batch)?),
                None => {
                    self.skipped_before = self.skipped();
                    self.current = None;
                }
            }
        }
    }

    fn open_next(&mut self) -> Result<bool, DatasetError> {
        let Some(piece) = self.pieces.get(self.next_piece) else {
            return Ok(false);
        };
        let (path, schema, batch_rows) = (&piece.file, &self.schema, self.options.batch_rows);
        self.current = Some(match piece.format {
            Format::ArrowIpc => Box::new(IpcReader::open(path, Some(schema))?),
            Format::Csv => Box::new(CsvReader::open(path, schema, batch_rows)?),
            Format::NdJson => Box::new(NdJsonReader::open(path, schema, &self.options)?),
            Format::Parquet => Box::new(ParquetReader::open(piece, schema, batch_rows)?),
        });
        self.next_piece += 1;
        Ok(true)
    }

    fn adapted(&self, batch: &RecordBatch) -> Result<RecordBatch, DatasetError> {
        agreement::adapt(batch, &self.schema).map_err(|error| DatasetError::Unreadable {
            file: self.pieces[self.next_piece - 1].file.clone(),
            position: "while widening its columns".to_owned(),
            reason: error.to_string(),
        })
    }

    /// At most a batch of the rows; what is left of them comes next.
    fn first_rows(&mut self, batch: RecordBatch) -> RecordBatch {
        let rows = self.options.batch_rows;
        if batch.num_rows() <= rows {
            return batch;
        }
        self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        batch.slice(0, rows)
    }
}

impl Iterator for Dataset {
    type Item = Result<RecordBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = self.next_batch().transpose();
        self.has_failed = matches!(next, Some(Err(_)));
        next
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dataset")
            .field("pieces", &self.pieces)
            .field("schema", &self.schema)
            .field("next_piece", &self.next_piece)
            .finish_non_exhaustive()
    }
}

fn inspect(
    path: &Path,
    format: Format,
) -> Result<(SchemaRef, Option<Vec<RowGroup>>), DatasetError> {
    match format {
        Format::ArrowIpc => Ok((IpcReader::open(path, None)?.schema(), None)),
        Format::Csv => Ok((csv::inspect(path)?, None)),
        Format::NdJson => Ok((ndjson::inspect(path)?, None)),
        Format::Parquet => parquet::inspect(path).map(|(schema, groups)| (schema, Some(groups))),
    }
}

#[cfg(test)]
mod tests;
