//! Arrow IPC files and streams, a stored batch at a time.

use std::fs::File;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::reader::StreamReader;
use arrow_schema::ArrowError;
use arrow_schema::SchemaRef;

use crate::replay::dataset::DatasetReader;
use crate::replay::dataset::error::DatasetError;
use crate::replay::dataset::format::system;

/// Reads one file, in either of the two layouts.
pub(super) struct IpcReader {
    path: PathBuf,
    layout: Layout,
    batches_read: usize,
}

enum Layout {
    File(FileReader<BufReader<File>>),
    Stream(StreamReader<BufReader<File>>),
}

impl IpcReader {
    /// Opens a file; `wanted` leaves other columns unread.
    pub(super) fn open(path: &Path, wanted: Option<&SchemaRef>) -> Result<Self, DatasetError> {
        let layout = Layout::open(path, None)?;
        let layout = match wanted {
            None => layout,
            Some(wanted) => {
                let schema = layout.schema();
                let fields = schema.fields().iter().enumerate();
                let kept = fields.filter(|(_, field)| wanted.index_of(field.name()).is_ok());
                Layout::open(path, Some(kept.map(|(index, _)| index).collect()))?
            }
        };
        Ok(Self { path: path.to_owned(), layout, batches_read: 0 })
    }

    /// The columns of the file.
    pub(super) fn schema(&self) -> SchemaRef {
        self.layout.schema()
    }
}

impl DatasetReader for IpcReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DatasetError> {
        let next = match &mut self.layout {
            Layout::File(reader) => reader.next(),
            Layout::Stream(reader) => reader.next(),
        };
        match next {
            None => Ok(None),
            Some(Ok(batch)) => {
                self.batches_read += 1;
                Ok(Some(batch))
            }
            Some(Err(error)) => {
                Err(unreadable(&self.path, format!("batch {}", self.batches_read), &error))
            }
        }
    }
}

impl Layout {
    fn open(path: &Path, projection: Option<Vec<usize>>) -> Result<Self, DatasetError> {
        let open = || File::open(path).map_err(|error| system(path, &error));
        let mut mark = [0; 6];
        let is_file = open()?.read_exact(&mut mark).is_ok() && &mark == b"ARROW1";
        let layout = if is_file {
            FileReader::try_new_buffered(open()?, projection).map(Self::File)
        } else {
            StreamReader::try_new_buffered(open()?, projection).map(Self::Stream)
        };
        layout.map_err(|error| unreadable(path, "schema".to_owned(), &error))
    }

    fn schema(&self) -> SchemaRef {
        match self {
            Self::File(reader) => reader.schema(),
            Self::Stream(reader) => reader.schema(),
        }
    }
}

fn unreadable(path: &Path, position: String, error: &ArrowError) -> DatasetError {
    DatasetError::Unreadable { file: path.to_owned(), position, reason: error.to_string() }
}
