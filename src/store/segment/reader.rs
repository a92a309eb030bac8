//! Reads a segment: its batches as blocks, where they lie in the file.

use std::sync::Arc;
use std::sync::OnceLock;

use arrow_array::RecordBatch;
use arrow_array::RecordBatchOptions;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::types::UInt64Type;
use arrow_buffer::Buffer;
use arrow_ipc::MetadataVersion;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::convert::try_schema_from_ipc_buffer;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::root_as_footer;
use arrow_schema::ArrowError;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use crate::record::block::Arrivals;
use crate::record::block::Block;
use crate::record::block::Indices;
use crate::record::block::Routes;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::ShardBirth;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::segment::Compression;
use crate::store::segment::SegmentInfo;
use crate::store::segment::columns::COMMON;
use crate::store::segment::columns::are_a_segments;
use crate::store::segment::columns::row_schema;
use crate::store::segment::footer::Batch;
use crate::store::segment::footer::Footer;
use crate::store::segment::footer::Message;
use crate::store::segment::footer::Span;
use crate::store::segment::footer::arrow_footer;

/// How Arrow reads the batches of a file, its dictionaries among it.
#[derive(Debug)]
pub(crate) struct Decoder {
    arrow: FileDecoder,
    /// The columns of the table whose rows these are; `None` if they are bytes.
    rows: Option<SchemaRef>,
    /// The lengths and checksums of schema and dictionaries: files that have the same ones have the same content there.
    marks: Vec<(u64, u64)>,
}

impl Decoder {
    /// Reads the schema and the dictionaries of a file.
    pub(super) fn open(path: &str, file: &Bytes, footer: &Footer) -> Result<Self, StoreError> {
        let damaged = |fault: &str| StoreError::damaged(path, footer.schema.offset, fault);
        let message =
            footer.schema.of(file).ok_or_else(|| damaged("its schema is not as written"))?;
        let schema = try_schema_from_ipc_buffer(message);
        let schema = schema.map_err(|error| damaged(&error.to_string()))?;
        Self::with_schema(schema, path, file, footer)
    }

    /// Does the same with the schema that Arrow's footer repeats, for a tail that was found to be as it was written.
    pub(super) fn open_by_tail(
        path: &str,
        file: &Bytes,
        tail: &[u8],
        footer: &Footer,
    ) -> Option<Self> {
        let bytes = arrow_footer(tail)?;
        let schema = fb_to_schema(root_as_footer(&bytes).ok()?.schema()?);
        Self::with_schema(schema, path, file, footer).ok()
    }

    fn with_schema(
        schema: Schema,
        path: &str,
        file: &Bytes,
        footer: &Footer,
    ) -> Result<Self, StoreError> {
        if !are_a_segments(&schema) {
            let fault = "its columns are none of a segment's";
            return Err(StoreError::damaged(path, footer.schema.offset, fault));
        }
        let rows = row_schema(&schema);
        let schema = Arc::new(schema);
        // The numbers of rows are told by their indices and times: their digits are for others to read.
        let wanted = (1..schema.fields().len()).collect();
        let arrow = FileDecoder::new(schema, MetadataVersion::V5);
        let mut arrow = arrow.with_projection(wanted);
        for message in &footer.dictionaries {
            let read = read(file, message, |block, bytes| arrow.read_dictionary(block, bytes));
            read.map_err(|fault| StoreError::damaged(path, message.offset, fault))?;
        }
        Ok(Self { arrow, rows, marks: marks(footer) })
    }

    /// Returns the columns of the table whose rows the file has; `None` if it has bytes.
    pub(crate) fn row_schema(&self) -> Option<&SchemaRef> {
        self.rows.as_ref()
    }

    /// Reads a batch, or says what is wrong with it.
    pub(super) fn block(
        &self,
        file: &Bytes,
        batch: &Batch,
        birth: ShardBirth,
    ) -> Result<Block, String> {
        let read =
            read(file, &batch.message, |block, bytes| self.arrow.read_record_batch(block, bytes));
        let rows = read?.ok_or("it is no batch")?;
        self.to_block(&rows, &batch.span, birth)
    }

    fn to_block(
        &self,
        rows: &RecordBatch,
        span: &Span,
        birth: ShardBirth,
    ) -> Result<Block, String> {
        // The number is left out.
        let [indices, arrivals, keys, ..] = rows.columns() else {
            return Err("it lacks columns".to_owned());
        };
        let indices = indices.as_primitive::<UInt64Type>().values().clone();
        let arrivals = arrivals.as_primitive::<TimestampMillisecondType>().values().clone();
        check(&indices, &arrivals, span)?;
        let payload = match &self.rows {
            None => {
                Payload::Bytes(BytesColumn::Offsets(rows.column(COMMON - 1).as_binary().clone()))
            }
            Some(schema) => {
                let columns = rows.columns()[COMMON - 1..].to_vec();
                let len = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
                let table = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &len);
                Payload::Rows(table.map_err(|error| error.to_string())?)
            }
        };
        Ok(Block {
            indices: Indices::Each(indices),
            arrivals: Arrivals::Each(arrivals),
            keys: KeyColumn::from_checked(keys.as_string().clone()),
            payload,
            routes: Routes::one(birth),
        })
    }
}

/// Checks that rows are those that the footer announces, and in order.
fn check(indices: &[u64], arrivals: &[i64], span: &Span) -> Result<(), String> {
    let found = indices.first().zip(indices.last()).zip(arrivals.first().zip(arrivals.last()));
    let found = found.map(|((&first_index, &last_index), (&first_arrival, &last_arrival))| Span {
        rows: indices.len() as u64,
        first_index,
        last_index,
        first_arrival,
        last_arrival,
    });
    let in_order = indices.is_sorted_by(|before, after| before < after) && arrivals.is_sorted();
    if found != Some(*span) || !in_order {
        return Err("its rows are not those that the footer announces".to_owned());
    }
    if u64::from(u32::MAX) <= span.last_index - span.first_index {
        return Err("its rows lie too far apart".to_owned());
    }
    Ok(())
}

/// Has Arrow read a message, if it is as it was written.
fn read<R>(
    file: &Bytes,
    message: &Message,
    read: impl FnOnce(&arrow_ipc::Block, &Buffer) -> Result<R, ArrowError>,
) -> Result<R, String> {
    let bytes = message.of(file).ok_or("its checksum is wrong")?;
    let header = header_len(bytes).ok_or("it is no message")?;
    let block = arrow_ipc::Block::new(0, header, 0);
    let buffer = Buffer::from(file.slice_ref(bytes));
    read(&block, &buffer).map_err(|error| error.to_string())
}

/// Returns how long the prefix and the header of a message are.
fn header_len(bytes: &[u8]) -> Option<i32> {
    let (prefix, rest) = bytes.split_first_chunk::<8>()?;
    let [_, _, _, _, len @ ..] = *prefix;
    let len = i32::from_le_bytes(len);
    (usize::try_from(len).ok()? <= rest.len()).then(|| len.checked_add(8)).flatten()
}

fn marks(footer: &Footer) -> Vec<(u64, u64)> {
    let messages = std::iter::once(&footer.schema).chain(&footer.dictionaries);
    messages.map(|message| (message.bytes, message.crc)).collect()
}

/// A segment that is sealed; its file is opened when it is first asked for something.
#[derive(Debug)]
pub(crate) struct Segment {
    path: String,
    info: SegmentInfo,
    opened: OnceLock<Opened>,
}

impl Segment {
    /// Names a segment of a stream's folder.
    pub(crate) fn new(folder: &str, info: SegmentInfo) -> Self {
        Self { path: info.path(folder), info, opened: OnceLock::new() }
    }

    /// Returns where the file lies.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns what the store keeps of it.
    pub(crate) fn info(&self) -> &SegmentInfo {
        &self.info
    }

    /// Opens the file. Files that have the same schema and dictionaries share what was decoded of them: so their rows
    /// come together without their dictionaries being merged.
    pub(crate) fn open(
        &self,
        disk: &dyn Disk,
        shared: &OnceLock<Arc<Decoder>>,
    ) -> Result<&Opened, StoreError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let path = &self.path;
        let file = disk.map(path).map_err(|error| StoreError::io("cannot read", path, error))?;
        let footer = Footer::read(path, &file, &self.info)?;
        let same = shared.get().filter(|decoder| decoder.marks == marks(&footer));
        let decoder = match same {
            Some(decoder) => Arc::clone(decoder),
            None => Arc::new(Decoder::open(path, &file, &footer)?),
        };
        let decoder = match shared.get_or_init(|| Arc::clone(&decoder)) {
            first if first.marks == decoder.marks => Arc::clone(first),
            _ => decoder,
        };
        let blocks = footer.batches.iter().map(|_| OnceLock::new()).collect();
        let (path, birth) = (path.clone(), self.info.birth());
        let opened = Opened { path, birth, file, footer, decoder, blocks };
        Ok(self.opened.get_or_init(|| opened))
    }
}

/// A segment whose file is open.
#[derive(Debug)]
pub(crate) struct Opened {
    path: String,
    birth: ShardBirth,
    file: Bytes,
    footer: Footer,
    decoder: Arc<Decoder>,
    /// Batches that were read, and lie in the file: they are kept, as they take no memory.
    blocks: Vec<OnceLock<Arc<Block>>>,
}

impl Opened {
    /// Returns the batches, in order of their rows.
    pub(crate) fn batches(&self) -> &[Batch] {
        &self.footer.batches
    }

    /// Returns how its batches are read.
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Tells whether a batch that was read takes memory.
    pub(crate) fn is_compressed(&self) -> bool {
        self.footer.compression != Compression::None
    }

    /// Reads a batch.
    pub(crate) fn load(&self, place: usize) -> Result<Arc<Block>, StoreError> {
        if let Some(block) = self.blocks[place].get() {
            return Ok(Arc::clone(block));
        }
        let batch = &self.footer.batches[place];
        let block = self.decoder.block(&self.file, batch, self.birth).map_err(|fault| {
            StoreError::damaged(
                &self.path,
                batch.message.offset,
                format!("a batch of rows: {fault}"),
            )
        })?;
        let block = Arc::new(block);
        if self.is_compressed() {
            return Ok(block);
        }
        Ok(Arc::clone(self.blocks[place].get_or_init(|| block)))
    }
}
