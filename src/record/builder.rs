//! The tail of a stream: records put one by one, copied once into a block's columns.

use arrow_array::BinaryArray;
use arrow_array::StringArray;
use arrow_buffer::Buffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;

use crate::clock::Millis;
use crate::record::block::Arrivals;
use crate::record::block::Block;
use crate::record::block::Indices;
use crate::record::block::Routes;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::ShardBirth;
use crate::threads::Threads;

/// Records of a block, at most: row numbers stay small and blocks are let go of in modest steps.
const BLOCK_ROWS_MAX: usize = 65_536;
/// Bytes of data of a block, about: one record may exceed it.
const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Shards that one block may hold records of.
const BLOCK_SHARDS_MAX: usize = u16::MAX as usize;
/// The slot of a shard that has none yet.
const NO_SLOT: u16 = u16::MAX;

/// Collects records of one stream in order of arrival.
#[derive(Debug)]
pub struct BlockBuilder {
    first_index: u64,
    arrivals: Vec<(u32, Millis)>,
    key_offsets: Vec<i32>,
    key_bytes: Vec<u8>,
    data_offsets: Vec<i32>,
    data_bytes: Vec<u8>,
    /// The shards met, in order of their first record.
    births: Vec<ShardBirth>,
    /// By shard index, its place in `births`.
    slot_by_shard: Vec<u16>,
    slots: Vec<u16>,
}

impl BlockBuilder {
    /// Starts a block whose first record will have sequence index `first_index`.
    pub fn new(first_index: u64) -> Self {
        Self {
            first_index,
            arrivals: Vec::new(),
            key_offsets: vec![0],
            key_bytes: Vec::new(),
            data_offsets: vec![0],
            data_bytes: Vec::new(),
            births: Vec::new(),
            slot_by_shard: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Appends a record that arrived at `now`, no earlier than the one before.
    pub fn push(&mut self, now: Millis, birth: ShardBirth, key: &str, data: &[u8]) {
        assert!(!self.is_full(), "a full block takes no record");
        let row = u32::try_from(self.len()).expect("a block has at most 65,536 rows");
        if self.arrivals.last().is_none_or(|&(_, last)| last < now) {
            self.arrivals.push((row, now));
        }
        self.key_bytes.extend_from_slice(key.as_bytes());
        self.key_offsets.push(offset(self.key_bytes.len()));
        self.data_bytes.extend_from_slice(data);
        self.data_offsets.push(offset(self.data_bytes.len()));
        let slot = self.slot(birth);
        self.slots.push(slot);
    }

    fn slot(&mut self, birth: ShardBirth) -> u16 {
        let shard = birth.shard.0 as usize;
        if self.slot_by_shard.len() <= shard {
            self.slot_by_shard.resize(shard + 1, NO_SLOT);
        }
        if self.slot_by_shard[shard] == NO_SLOT {
            self.slot_by_shard[shard] =
                u16::try_from(self.births.len()).expect("a full block takes no shard");
            self.births.push(birth);
        }
        self.slot_by_shard[shard]
    }

    /// Ends the block and returns it; the builder goes on after it. The block is `None` when there are no records.
    pub fn seal(&mut self) -> Option<Block> {
        let next = if self.is_full() { self.successor() } else { Self::new(self.end_index()) };
        let sealed = std::mem::replace(self, next);
        (!sealed.slots.is_empty()).then(|| {
            let mut whole = sealed;
            whole.key_bytes.shrink_to_fit();
            whole.data_bytes.shrink_to_fit();
            whole.into_block()
        })
    }

    /// Starts the block after a full one, which will hardly be smaller: with room for as much, so that growing copies
    /// nothing.
    fn successor(&self) -> Self {
        let room = |len: usize| len + len / 16;
        let mut next = Self::new(self.end_index());
        next.key_offsets.reserve(room(self.key_offsets.len()));
        next.key_bytes.reserve(room(self.key_bytes.len()));
        next.data_offsets.reserve(room(self.data_offsets.len()));
        next.data_bytes.reserve(room(self.data_bytes.len()));
        next.slots.reserve(room(self.slots.len()));
        next
    }

    /// Moves the next record's sequence index on to `index`, past records that came by another way.
    pub fn skip_to(&mut self, index: u64) {
        assert!(
            self.is_empty() && self.first_index <= index,
            "only an empty block moves, and forward"
        );
        self.first_index = index;
    }

    /// Copies rows `start..end` into a block of their own.
    pub fn copy(&self, start: usize, end: usize) -> Block {
        assert!(start < end && end <= self.len(), "rows to copy are there");
        let mut part = Self::new(self.first_index + start as u64);
        let arrivals = Arrivals::Runs(self.arrivals.clone());
        for row in start..end {
            let birth = self.births[usize::from(self.slots[row])];
            let key = std::str::from_utf8(value(&self.key_offsets, &self.key_bytes, row))
                .expect("keys came as text");
            part.push(
                arrivals.at(row),
                birth,
                key,
                value(&self.data_offsets, &self.data_bytes, row),
            );
        }
        part.into_block()
    }

    /// Returns how many bytes of memory the records take, about.
    pub fn bytes(&self) -> usize {
        /// Two ends and a slot.
        const ROW_BYTES: usize = 10;
        self.key_bytes.len() + self.data_bytes.len() + ROW_BYTES * self.len()
    }

    /// Returns how many records there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Tells whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Tells whether the block should be sealed before another record comes.
    pub fn is_full(&self) -> bool {
        BLOCK_ROWS_MAX <= self.len()
            || BLOCK_BYTES_MAX <= self.data_bytes.len()
            || BLOCK_SHARDS_MAX <= self.births.len()
    }

    /// Returns the sequence index of the first record.
    pub fn first_index(&self) -> u64 {
        self.first_index
    }

    /// Returns the sequence index that the next record will have.
    pub fn end_index(&self) -> u64 {
        self.first_index + self.len() as u64
    }

    /// Returns the first row that arrived at `time` or later.
    pub fn first_row_at(&self, time: Millis) -> usize {
        let run = self.arrivals.partition_point(|&(_, each)| each < time);
        self.arrivals.get(run).map_or(self.len(), |&(first, _)| first as usize)
    }

    fn into_block(self) -> Block {
        let keys =
            StringArray::new(offsets(self.key_offsets), Buffer::from_vec(self.key_bytes), None);
        let data =
            BinaryArray::new(offsets(self.data_offsets), Buffer::from_vec(self.data_bytes), None);
        let arrivals = match self.arrivals[..] {
            [(_, only)] => Arrivals::All(only),
            _ => Arrivals::Runs(self.arrivals),
        };
        Block {
            indices: Indices::From(self.first_index),
            arrivals,
            keys: KeyColumn::from_checked(keys),
            payload: Payload::Bytes(BytesColumn::Offsets(data)),
            routes: Routes::new(&self.births, self.slots, Threads::ONE),
        }
    }
}

fn offset(len: usize) -> i32 {
    i32::try_from(len).expect("a block's bytes stay far below 2 GiB")
}

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

fn value<'a>(offsets: &[i32], bytes: &'a [u8], row: usize) -> &'a [u8] {
    let at = |row: usize| usize::try_from(offsets[row]).expect("offsets are not negative");
    &bytes[at(row)..at(row + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sequence::ShardIndex;

    fn birth(shard: u32) -> ShardBirth {
        ShardBirth { shard: ShardIndex(shard), created_seconds: 7 }
    }

    fn three() -> BlockBuilder {
        let mut tail = BlockBuilder::new(100);
        tail.push(Millis(5_000), birth(3), "a", b"one");
        tail.push(Millis(5_000), birth(1), "bb", b"");
        tail.push(Millis(6_000), birth(3), "a", b"three");
        tail
    }

    fn seen(block: &Block) -> Vec<(u64, i64, u32, String, Vec<u8>)> {
        (0..block.len())
            .map(|row| {
                let number = block.sequence_number(row);
                let data = block.payload.data(row).unwrap().into_owned();
                let key = block.keys.value(row).to_owned();
                (number.index, block.arrivals.at(row).0, block.shard(row).0, key, data)
            })
            .collect()
    }

    #[test]
    fn sealed_block_holds_the_records_in_order() {
        let mut tail = three();
        let block = tail.seal().unwrap();
        assert_eq!(
            seen(&block),
            [
                (100, 5_000, 3, "a".to_owned(), b"one".to_vec()),
                (101, 5_000, 1, "bb".to_owned(), b"".to_vec()),
                (102, 6_000, 3, "a".to_owned(), b"three".to_vec()),
            ]
        );
        assert_eq!(block.run_of(ShardIndex(3)).unwrap().rows.as_ref().unwrap().to_vec(), [0, 2]);
        assert!(block.run_of(ShardIndex(2)).is_none());
        assert_eq!((tail.len(), tail.end_index()), (0, 103));
        assert!(tail.seal().is_none());
    }

    #[test]
    fn copy_of_rows_equals_those_rows_of_the_sealed_block() {
        let mut tail = three();
        let copies: Vec<_> = (0..3).flat_map(|row| seen(&tail.copy(row, row + 1))).collect();
        let pair = seen(&tail.copy(1, 3));
        let whole = seen(&tail.seal().unwrap());
        assert_eq!(copies, whole);
        assert_eq!(pair, whole[1..]);
    }

    #[test]
    fn block_is_full_at_its_rows_or_bytes() {
        let mut tail = BlockBuilder::new(0);
        tail.push(Millis(0), birth(0), "k", &vec![0; BLOCK_BYTES_MAX]);
        assert!(tail.is_full());
        tail.seal();
        for _ in 0..BLOCK_ROWS_MAX {
            assert!(!tail.is_full());
            tail.push(Millis(0), birth(0), "k", b"");
        }
        assert!(tail.is_full());
    }
}
