//! Merges the rows of all shards at some indices: each is put in its place by its index, without comparing any.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::GenericByteArray;
use arrow_array::GenericByteViewArray;
use arrow_array::builder::GenericByteViewBuilder;
use arrow_array::types::ByteArrayType;
use arrow_array::types::ByteViewType;
use arrow_schema::ArrowError;

use crate::record::block::Arrivals;
use crate::record::block::Block;
use crate::record::block::Indices;
use crate::record::block::Routes;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::ShardBirth;
use crate::store::StoreError;
use crate::store::generation::Shared;
use crate::store::segment::Picks;
use crate::threads::Threads;

/// No row: a place whose row was lost.
const NONE: (usize, usize) = (usize::MAX, 0);

/// The blocks that have rows at some indices.
#[derive(Default)]
struct Sources {
    blocks: Vec<Arc<Block>>,
    /// For each block its shard's place among the births.
    shards: Vec<u16>,
    births: Vec<ShardBirth>,
    /// A file, to name where there is one.
    path: String,
}

/// Gathers the rows with indices in `cell`; at least one has to be there.
pub(super) fn merge(shared: &Shared, cell: Range<u64>) -> Result<Block, StoreError> {
    let sources = sources(shared, &cell)?;
    let rows = placed(&sources.blocks, &cell);
    gathered(&sources, &rows).map_err(|error| {
        StoreError::damaged(&sources.path, 0, format!("its rows and other shards': {error}"))
    })
}

fn sources(shared: &Shared, cell: &Range<u64>) -> Result<Sources, StoreError> {
    let mut sources = Sources::default();
    for (place, segment) in shared.segments.iter().enumerate() {
        let batches = shared.open(place)?.batches();
        let first = batches.partition_point(|batch| batch.span.last_index < cell.start);
        let overlap = batches[first..].iter().take_while(|each| each.span.first_index < cell.end);
        let mut blocks = Vec::new();
        for (batch, _) in (first..).zip(overlap) {
            let block = shared.block((place, batch))?;
            if block.row_of(cell.start) < block.row_of(cell.end) {
                blocks.push(block);
            }
        }
        if !blocks.is_empty() {
            // Each shard here has a row, and a cell has at most 65,536.
            let shard = u16::try_from(sources.births.len()).unwrap_or(u16::MAX);
            sources.shards.resize(sources.shards.len() + blocks.len(), shard);
            sources.blocks.append(&mut blocks);
            sources.births.push(segment.info().birth());
            segment.path().clone_into(&mut sources.path);
        }
    }
    Ok(sources)
}

/// Returns for each index that has a row the block and its row.
fn placed(blocks: &[Arc<Block>], cell: &Range<u64>) -> Vec<(usize, usize)> {
    let place = |index: u64| usize::try_from(index - cell.start).unwrap_or(usize::MAX);
    let mut rows = vec![NONE; place(cell.end)];
    for (from, block) in blocks.iter().enumerate() {
        for row in block.row_of(cell.start)..block.row_of(cell.end) {
            rows[place(block.index(row))] = (from, row);
        }
    }
    rows.retain(|&row| row != NONE);
    rows
}

fn gathered(sources: &Sources, rows: &[(usize, usize)]) -> Result<Block, ArrowError> {
    let picks = Picks { blocks: &sources.blocks, rows };
    let indices = picks.indices();
    let (Some(&first), Some(&last)) = (indices.first(), indices.last()) else {
        return Err(ArrowError::InvalidArgumentError("there are none".to_owned()));
    };
    let is_dense = last - first + 1 == rows.len() as u64;
    let slots = rows.iter().map(|&(from, _)| sources.shards[from]).collect();
    Ok(Block {
        indices: if is_dense { Indices::From(first) } else { Indices::Each(indices) },
        arrivals: Arrivals::Each(picks.arrivals()),
        keys: KeyColumn::Views(views(&picks, keys_of)?),
        payload: match picks.table()? {
            Some(table) => Payload::Rows(table),
            None => Payload::Bytes(BytesColumn::Views(views(&picks, data_of)?)),
        },
        routes: Routes::new(&sources.births, slots, Threads::ONE),
    })
}

fn keys_of(block: &Block) -> Option<&arrow_array::StringArray> {
    match &block.keys {
        KeyColumn::Offsets(keys) => Some(keys),
        _ => None,
    }
}

fn data_of(block: &Block) -> Option<&arrow_array::BinaryArray> {
    match &block.payload {
        Payload::Bytes(BytesColumn::Offsets(data)) => Some(data),
        _ => None,
    }
}

/// Gathers values by saying where they lie: those longer than a view are not copied.
fn views<A: ByteArrayType<Offset = i32>, V: ByteViewType>(
    picks: &Picks<'_>,
    column: impl Fn(&Block) -> Option<&GenericByteArray<A>>,
) -> Result<GenericByteViewArray<V>, ArrowError> {
    let other = || ArrowError::InvalidArgumentError("they are not of one kind".to_owned());
    let mut views = GenericByteViewBuilder::<V>::with_capacity(picks.rows.len());
    let mut columns = Vec::with_capacity(picks.blocks.len());
    for block in picks.blocks {
        let column = column(block).ok_or_else(other)?;
        columns.push((column.value_offsets(), views.append_block(column.values().clone())));
    }
    for &(from, row) in picks.rows {
        let (ends, block) = columns[from];
        let (start, end) = (ends[row], ends[row + 1]);
        views.try_append_view(block, start.cast_unsigned(), (end - start).cast_unsigned())?;
    }
    Ok(views.finish())
}
