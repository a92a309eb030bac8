//! Writes a segment: the rows of one shard, batch by batch, under a name of its own until all is stable.

use std::io;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::UInt64Array;
use arrow_buffer::Buffer;
use arrow_buffer::OffsetBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::MessageHeader;
use arrow_ipc::writer::FileWriter;
use arrow_ipc::writer::IpcWriteOptions;
use arrow_schema::ArrowError;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;

use crate::clock::Millis;
use crate::record::block::Block;
use crate::record::sequence::SEQUENCE_DIGITS;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::many::Printer;
use crate::store::Disk;
use crate::store::StoreError;
use crate::store::segment::Compression;
use crate::store::segment::SegmentInfo;
use crate::store::segment::columns::file_schema;
use crate::store::segment::footer::Batch;
use crate::store::segment::footer::Footer;
use crate::store::segment::footer::METADATA_KEY;
use crate::store::segment::footer::Span;
use crate::store::segment::footer::VERSION;
use crate::store::segment::gather::compact;
use crate::store::segment::messages::Messages;
use crate::store::segment::rows::Picks;
use crate::store::segment::rows::cut;

/// Writes the rows of a shard as the segment `path`, whose name says `first_index`; returns what a store keeps of it, and
/// what its rows weigh uncompressed. Its content is stable then, and its name once its folder was synced.
pub(crate) fn write(
    disk: &dyn Disk,
    path: &str,
    (birth, first_index): (ShardBirth, u64),
    blocks: &[Arc<Block>],
    compression: Compression,
) -> Result<(SegmentInfo, u64), StoreError> {
    let temporary = format!("{path}.tmp");
    let written = write_all(disk, &temporary, (birth, first_index), blocks, compression);
    let written = written.and_then(|written| {
        let renamed = disk.rename(&temporary, path);
        renamed.map_err(|error| StoreError::io("cannot rename", &temporary, error))?;
        Ok(written)
    });
    if written.is_err() {
        // What failed is told; that half a file could not be removed after it adds nothing.
        let _removed = disk.remove(&temporary);
    }
    written
}

fn write_all(
    disk: &dyn Disk,
    temporary: &str,
    (birth, first_index): (ShardBirth, u64),
    blocks: &[Arc<Block>],
    compression: Compression,
) -> Result<(SegmentInfo, u64), StoreError> {
    let with_rows = |block: &&Arc<Block>| block.run_of(birth.shard).is_some();
    let Some(first) = blocks.iter().find(with_rows) else {
        let error = io::Error::other("the shard has no rows to be sealed");
        return Err(StoreError::io("cannot write", temporary, error));
    };
    let mut writer = Writer::create(disk, temporary, file_schema(first), birth, compression)?;
    let mut weight = 0;
    cut(blocks, birth.shard, |picks, weighs| {
        weight += weighs;
        writer.write(picks)
    })?;
    Ok((writer.finish(first_index)?, weight))
}

/// A segment that is being written.
struct Writer<'p> {
    path: &'p str,
    file: FileWriter<Messages>,
    schema: SchemaRef,
    birth: ShardBirth,
    compression: Compression,
    spans: Vec<Span>,
}

impl<'p> Writer<'p> {
    fn create(
        disk: &dyn Disk,
        path: &'p str,
        schema: SchemaRef,
        birth: ShardBirth,
        compression: Compression,
    ) -> Result<Self, StoreError> {
        let file = disk.create(path);
        let file = file.map_err(|error| StoreError::io("cannot create", path, error))?;
        let file = begin(Messages::new(file), &schema, compression);
        let file = file.map_err(|error| refused(path, error, 0))?;
        Ok(Self { path, file, schema, birth, compression, spans: Vec::new() })
    }

    fn write(&mut self, picks: Picks<'_>) -> Result<(), StoreError> {
        let written = batch(&self.schema, self.birth, picks).and_then(|(batch, span)| {
            self.spans.push(span);
            self.file.write(&batch)
        });
        written.map_err(|error| refused(self.path, error, self.file.get_ref().attempted()))
    }

    fn footer(&self) -> Option<Footer> {
        let messages = self.file.get_ref();
        let batches = messages.of_kind(MessageHeader::RecordBatch).zip(&self.spans);
        Some(Footer {
            version: VERSION,
            shard: self.birth.shard.0,
            created_seconds: self.birth.created_seconds,
            compression: self.compression,
            schema: messages.of_kind(MessageHeader::Schema).next()?,
            dictionaries: messages.of_kind(MessageHeader::DictionaryBatch).collect(),
            batches: batches.map(|(message, span)| Batch { message, span: *span }).collect(),
        })
    }

    fn finish(mut self, first_index: u64) -> Result<SegmentInfo, StoreError> {
        let footer = self.footer().map(|footer| footer.to_text());
        let text = footer.transpose().map_err(io::Error::other).map(Option::unwrap_or_default);
        let text = text.map_err(|error| StoreError::io("cannot write", self.path, error))?;
        self.file.write_metadata(METADATA_KEY, text);
        let finished = self.file.finish();
        let attempted = self.file.get_ref().attempted();
        finished.map_err(|error| refused(self.path, error, attempted))?;
        let stable = self.file.into_inner().and_then(|messages| Ok(messages.finish()?));
        let (bytes, footer_crc) = stable.map_err(|error| refused(self.path, error, attempted))?;
        Ok(SegmentInfo {
            shard: self.birth.shard.0,
            created_seconds: self.birth.created_seconds,
            first_index,
            last_index: self.spans.last().map_or(first_index, |span| span.last_index),
            rows: self.spans.iter().map(|span| span.rows).sum(),
            bytes,
            footer_crc,
        })
    }
}

fn begin(
    messages: Messages,
    schema: &Schema,
    compression: Compression,
) -> Result<FileWriter<Messages>, ArrowError> {
    let codec = match compression {
        Compression::None => None,
        Compression::Lz4 => Some(CompressionType::LZ4_FRAME),
        Compression::Zstd => Some(CompressionType::ZSTD),
    };
    let options = IpcWriteOptions::default().try_with_compression(codec)?;
    FileWriter::try_new_with_options(messages, schema, options)
}

/// Makes a batch of rows, and says what they span.
fn batch(
    schema: &SchemaRef,
    birth: ShardBirth,
    picks: Picks<'_>,
) -> Result<(RecordBatch, Span), ArrowError> {
    let (indices, arrivals) = (picks.indices(), picks.arrivals());
    let last = picks.rows.len() - 1;
    let span = Span {
        rows: picks.rows.len() as u64,
        first_index: indices[0],
        last_index: indices[last],
        first_arrival: arrivals[0],
        last_arrival: arrivals[last],
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(sequence_numbers(birth, &indices, &arrivals)),
        Arc::new(UInt64Array::new(indices, None)),
        Arc::new(TimestampMillisecondArray::new(arrivals, None).with_timezone("UTC")),
        Arc::new(picks.keys()),
    ];
    match picks.data() {
        Some(data) => columns.push(Arc::new(data)),
        None => {
            for column in picks.columns()? {
                columns.push(compact(column)?);
            }
        }
    }
    Ok((RecordBatch::try_new(Arc::clone(schema), columns)?, span))
}

fn sequence_numbers(birth: ShardBirth, indices: &[u64], arrivals: &[i64]) -> StringArray {
    let printer = Printer::new(std::iter::once(birth), indices[0]);
    let mut text = vec![0; indices.len() * SEQUENCE_DIGITS];
    let (numbers, _) = text.as_chunks_mut::<SEQUENCE_DIGITS>();
    for ((digits, index), &time) in numbers.iter_mut().zip(indices).zip(arrivals) {
        let row = u32::try_from(index - indices[0]).expect("a batch spans fewer than 2^32 indices");
        printer.write(0, row, Millis(time).whole_seconds(), digits);
    }
    let ends = OffsetBuffer::from_repeated_length(SEQUENCE_DIGITS, indices.len());
    StringArray::new(ends, Buffer::from_vec(text), None)
}

/// Says why a write failed: a full disk by itself, as there is something that can be done about it.
fn refused(path: &str, error: ArrowError, attempted: u64) -> StoreError {
    match error {
        ArrowError::IoError(_, error) => StoreError::no_room(path, attempted, error),
        other => StoreError::io("cannot write", path, io::Error::other(other)),
    }
}
