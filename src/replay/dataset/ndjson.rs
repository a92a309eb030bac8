//! Files of one JSON object per line; blank lines are nothing.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use arrow_schema::SchemaRef;

use crate::record::json::Decoder;
use crate::record::json::JsonError;
use crate::record::json::Wanted;
use crate::replay::dataset::DatasetOptions;
use crate::replay::dataset::DatasetReader;
use crate::replay::dataset::OnBadLine;
use crate::replay::dataset::SAMPLE_ROWS;
use crate::replay::dataset::error::DatasetError;
use crate::replay::dataset::format::system;

/// The longest line that is read.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The text of a batch ends after the line that passes this, so that memory stays bounded.
const BATCH_BYTES: usize = 64 * 1024 * 1024;

/// The columns that the first lines of a file have.
pub(super) fn inspect(path: &Path) -> Result<SchemaRef, DatasetError> {
    let mut decoder = Decoder::new(Wanted::All);
    let mut sample = Lines::open(path)?;
    let mut rows = 0;
    while rows < SAMPLE_ROWS {
        let Some(block) = sample.read(SAMPLE_ROWS - rows)? else {
            break;
        };
        rows += block.lines.len();
        decoder.infer(&block.text).map_err(|error| refused(path, &block, &error))?;
    }
    Ok(decoder.schema())
}

/// Reads one file.
pub(super) struct NdJsonReader {
    lines: Lines,
    decoder: Decoder,
    batch_rows: usize,
    on_bad_line: OnBadLine,
    skipped: u64,
}

impl NdJsonReader {
    pub(super) fn open(
        path: &Path,
        schema: &SchemaRef,
        options: &DatasetOptions,
    ) -> Result<Self, DatasetError> {
        let types: Vec<(String, DataType)> = schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect();
        // Without a choice of columns a new field is an error, so the decoder has to look at all of them.
        let wanted = match &options.columns {
            Some(names) => Wanted::Columns(names.clone()),
            None => Wanted::All,
        };
        Ok(Self {
            lines: Lines::open(path)?,
            decoder: Decoder::with_types(wanted, &types),
            batch_rows: options.batch_rows,
            on_bad_line: options.on_bad_line,
            skipped: 0,
        })
    }

    fn decode(&mut self, block: &Block) -> Result<RecordBatch, DatasetError> {
        let file = || self.lines.path.clone();
        let decoded = self
            .decoder
            .decode(&block.text, None)
            .map_err(|error| refused(&self.lines.path, block, &error))?;
        if let (OnBadLine::Raise, Some(bad)) = (self.on_bad_line, decoded.malformed.first()) {
            let line = block.lines[bad.row as usize];
            return Err(DatasetError::BadLine { file: file(), line, reason: bad.reason.clone() });
        }
        if let Some((row, field)) = decoded.unknown {
            let line = block.lines[row as usize];
            return Err(DatasetError::UnknownField {
                file: file(),
                line,
                field,
                sampled: SAMPLE_ROWS,
            });
        }
        self.skipped += decoded.malformed.len() as u64;
        Ok(decoded.batch)
    }
}

impl DatasetReader for NdJsonReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        while let Some(block) = self.lines.read(self.batch_rows)? {
            let batch = self.decode(&block)?;
            if 0 < batch.num_rows() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// Lines that were read together, and the number that each has in its file.
struct Block {
    text: ArrayRef,
    lines: Vec<u64>,
}

struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|error| system(path, &error))?;
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let head = reader.fill_buf().map_err(|error| system(path, &error))?;
        if head.starts_with(b"\xef\xbb\xbf") {
            reader.consume(3);
        }
        Ok(Self { path: path.to_owned(), reader, line: 0 })
    }

    /// The next lines that are not blank, at most `count`; `None` at the end of the file.
    fn read(&mut self, count: usize) -> Result<Option<Block>, DatasetError> {
        let mut bytes = Vec::new();
        let mut ends = vec![0_i32];
        let mut lines = Vec::new();
        while lines.len() < count && bytes.len() < BATCH_BYTES {
            let start = bytes.len();
            if !self.read_line(&mut bytes)? {
                break;
            }
            let is_blank = bytes[start..].iter().all(u8::is_ascii_whitespace);
            if is_blank {
                bytes.truncate(start);
                continue;
            }
            let text_bytes = bytes[start..].trim_ascii_end().len();
            bytes.truncate(start + text_bytes);
            ends.push(
                i32::try_from(bytes.len()).expect("a block is at most two lines' limit long"),
            );
            lines.push(self.line);
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let text = Arc::new(BinaryArray::new(offsets, Buffer::from_vec(bytes), None));
        Ok(Some(Block { text, lines }))
    }

    fn read_line(&mut self, bytes: &mut Vec<u8>) -> Result<bool, DatasetError> {
        let mut line = self.reader.by_ref().take(LINE_BYTES_MAX);
        let read = line.read_until(b'\n', bytes).map_err(|error| system(&self.path, &error))?;
        self.line += u64::from(0 < read);
        if read as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            let (file, line) = (self.path.clone(), self.line);
            return Err(DatasetError::LineTooLong { file, line, limit: LINE_BYTES_MAX });
        }
        Ok(0 < read)
    }
}

fn refused(path: &Path, block: &Block, error: &JsonError) -> DatasetError {
    DatasetError::Unreadable {
        file: path.to_owned(),
        position: format!("from line {}", block.lines[0]),
        reason: error.to_string(),
    }
}
