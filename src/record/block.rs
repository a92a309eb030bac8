//! A block: an immutable run of one stream's records in order of arrival, and which of them lie in which shard.
//!
//! Row `r` of a block has the sequence index `first_index + r`, whatever its shard: so a stream is read in order of
//! arrival by walking blocks, and a shard by walking its picked rows, and neither ever merges or copies.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_buffer::ScalarBuffer;

use crate::clock::Millis;
use crate::record::json::JsonError;
use crate::record::key::KeyColumn;
use crate::record::payload::Payload;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;

/// When the rows of a block arrived; never earlier than the row before.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// All at once.
    All(Millis),
    /// One time a row, in milliseconds.
    Each(ScalarBuffer<i64>),
    /// Runs of rows that arrived together: the first row of each, and its time.
    Runs(Vec<(u32, Millis)>),
}

impl Arrivals {
    /// Returns when a row arrived.
    pub fn at(&self, row: usize) -> Millis {
        match self {
            Self::All(time) => *time,
            Self::Each(times) => Millis(times[row]),
            Self::Runs(runs) => {
                let after = runs.partition_point(|&(first, _)| first as usize <= row);
                runs[after - 1].1
            }
        }
    }

    /// Returns the first row that arrived at `time` or later; `len` if none did.
    pub fn first_row_at(&self, time: Millis, len: usize) -> usize {
        match self {
            Self::All(all) => {
                if *all < time {
                    len
                } else {
                    0
                }
            }
            Self::Each(times) => times.partition_point(|&each| each < time.0),
            Self::Runs(runs) => {
                let run = runs.partition_point(|&(_, each)| each < time);
                runs.get(run).map_or(len, |&(first, _)| first as usize)
            }
        }
    }

    /// Returns the times of rows `start..end`, one a row, in milliseconds.
    pub fn expand(&self, start: usize, end: usize) -> ScalarBuffer<i64> {
        match self {
            Self::All(time) => vec![time.0; end - start].into(),
            Self::Each(times) => times.slice(start, end - start),
            Self::Runs(_) => (start..end).map(|row| self.at(row).0).collect(),
        }
    }
}

/// The rows of one shard within a block.
#[derive(Clone, Debug)]
pub struct ShardRun {
    /// The shard.
    pub birth: ShardBirth,
    /// Its rows, ascending; `None` when the whole block is its.
    pub rows: Option<ScalarBuffer<u32>>,
}

impl ShardRun {
    /// Returns how many of the block's `len` rows are the shard's.
    pub fn count(&self, len: usize) -> usize {
        self.rows.as_ref().map_or(len, ScalarBuffer::len)
    }
}

/// Which shard each row of a block lies in.
#[derive(Clone, Debug)]
pub struct Routes {
    /// The shards that have rows here, by index.
    runs: Vec<ShardRun>,
    /// For each row its place in `runs`; `None` when there is one run.
    slots: Option<Vec<u16>>,
}

impl Routes {
    /// Routes every row to one shard.
    pub fn one(birth: ShardBirth) -> Self {
        Self { runs: vec![ShardRun { birth, rows: None }], slots: None }
    }

    /// Routes row `r` to `births[slots[r]]`.
    pub fn new(births: &[ShardBirth], mut slots: Vec<u16>) -> Self {
        let mut counts = vec![0_usize; births.len()];
        for &slot in &slots {
            counts[usize::from(slot)] += 1;
        }
        let mut used: Vec<usize> = (0..births.len()).filter(|&slot| 0 < counts[slot]).collect();
        used.sort_by_key(|&slot| births[slot].shard);
        if let [only] = used[..] {
            return Self::one(births[only]);
        }
        let mut rows: Vec<Vec<u32>> =
            counts.iter().map(|&count| Vec::with_capacity(count)).collect();
        let mut place = vec![0_u16; births.len()];
        for (new, &old) in (0_u16..).zip(&used) {
            place[old] = new;
        }
        for (row, slot) in (0_u32..).zip(&mut slots) {
            rows[usize::from(*slot)].push(row);
            *slot = place[usize::from(*slot)];
        }
        let run = |&slot: &usize| {
            let rows = std::mem::take(&mut rows[slot]);
            ShardRun { birth: births[slot], rows: Some(rows.into()) }
        };
        Self { runs: used.iter().map(run).collect(), slots: Some(slots) }
    }

    /// Returns the shards that have rows here, in order of their index.
    pub fn runs(&self) -> &[ShardRun] {
        &self.runs
    }

    fn birth(&self, row: usize) -> ShardBirth {
        let run = self.slots.as_ref().map_or(0, |slots| usize::from(slots[row]));
        self.runs[run].birth
    }
}

/// An immutable run of one stream's records, in order of arrival.
#[derive(Clone, Debug)]
pub struct Block {
    /// The sequence index of row 0.
    pub first_index: u64,
    /// When rows arrived.
    pub arrivals: Arrivals,
    /// The partition key of each row.
    pub keys: KeyColumn,
    /// What each row carries.
    pub payload: Payload,
    /// Which shard each row lies in.
    pub routes: Routes,
}

impl Block {
    /// Returns how many records there are; never none.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Tells whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the sequence index after the last row's.
    pub fn end_index(&self) -> u64 {
        self.first_index + self.len() as u64
    }

    /// Returns the row that holds sequence index `index`, clamped to `0..=len`.
    pub fn row_of(&self, index: u64) -> usize {
        let row = index.saturating_sub(self.first_index);
        usize::try_from(row).map_or(self.len(), |row| row.min(self.len()))
    }

    /// Returns a shard's rows here, if it has any.
    pub fn run_of(&self, shard: ShardIndex) -> Option<&ShardRun> {
        let place = self.routes.runs.binary_search_by_key(&shard, |run| run.birth.shard);
        place.ok().map(|place| &self.routes.runs[place])
    }

    /// Returns the shard of a row.
    pub fn shard(&self, row: usize) -> ShardIndex {
        self.routes.birth(row).shard
    }

    /// Returns the sequence number of a row.
    pub fn sequence_number(&self, row: usize) -> SequenceNumber {
        SequenceNumber {
            birth: self.routes.birth(row),
            index: self.first_index + row as u64,
            recorded_seconds: self.arrivals.at(row).whole_seconds(),
        }
    }
}

/// One record of a block.
#[derive(Clone, Debug)]
pub struct Record {
    block: Arc<Block>,
    row: usize,
}

impl Record {
    /// Takes a row of a block as a record.
    pub fn new(block: Arc<Block>, row: usize) -> Self {
        assert!(row < block.len(), "a record is a row of its block");
        Self { block, row }
    }

    /// Returns the bytes that were put; for a row of a table, its JSON.
    pub fn data(&self) -> Result<Cow<'_, [u8]>, JsonError> {
        self.block.payload.data(self.row)
    }

    /// Returns the partition key.
    pub fn partition_key(&self) -> &str {
        self.block.keys.value(self.row)
    }

    /// Returns the shard.
    pub fn shard(&self) -> ShardIndex {
        self.block.shard(self.row)
    }

    /// Returns the sequence number.
    pub fn sequence_number(&self) -> SequenceNumber {
        self.block.sequence_number(self.row)
    }

    /// Returns when the record arrived.
    pub fn arrival(&self) -> Millis {
        self.block.arrivals.at(self.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(shard: u32) -> ShardBirth {
        ShardBirth { shard: ShardIndex(shard), created_seconds: 1 }
    }

    #[test]
    fn routes_list_each_row_once_under_its_shard() {
        let routes = Routes::new(&[birth(9), birth(4), birth(1)], vec![0, 2, 0, 0]);
        let rows = |run: &ShardRun| run.rows.as_ref().unwrap().to_vec();
        assert_eq!(routes.runs().iter().map(rows).collect::<Vec<_>>(), [vec![1], vec![0, 2, 3]]);
        let shards: Vec<_> = (0..4).map(|row| routes.birth(row).shard.0).collect();
        assert_eq!(shards, [9, 1, 9, 9]);
    }

    #[test]
    fn rows_of_one_shard_need_no_list() {
        let routes = Routes::new(&[birth(1), birth(4)], vec![1, 1]);
        assert!(routes.runs()[0].rows.is_none());
        assert_eq!(routes.birth(1), birth(4));
    }

    #[test]
    fn arrivals_find_rows_by_time_in_every_form() {
        let forms = [
            Arrivals::Each(vec![10, 10, 20, 30].into()),
            Arrivals::Runs(vec![(0, Millis(10)), (2, Millis(20)), (3, Millis(30))]),
        ];
        for arrivals in forms {
            let firsts: Vec<_> =
                [9, 10, 11, 20, 30, 31].map(|t| arrivals.first_row_at(Millis(t), 4)).into();
            assert_eq!(firsts, [0, 0, 2, 2, 3, 4]);
            assert_eq!((0..4).map(|row| arrivals.at(row).0).collect::<Vec<_>>(), [10, 10, 20, 30]);
            assert_eq!(arrivals.expand(1, 4).to_vec(), [10, 20, 30]);
        }
        assert_eq!(Arrivals::All(Millis(5)).first_row_at(Millis(5), 3), 0);
        assert_eq!(Arrivals::All(Millis(5)).first_row_at(Millis(6), 3), 3);
    }
}
