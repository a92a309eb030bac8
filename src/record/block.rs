//! A block: an immutable run of one stream's records in order of arrival, and which of them lie in which shard.
//!
//! Rows of a stream's block follow each other in sequence index, whatever their shard: so a stream is read in order of
//! arrival by walking blocks, and a shard by walking its picked rows, and neither ever merges or copies. A block of one
//! shard alone, as stores keep them, names the index of each row.

use std::borrow::Cow;
use std::ops::Range;
use std::slice::IterMut;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use arrow_buffer::ScalarBuffer;

use crate::clock::Millis;
use crate::record::json;
use crate::record::json::JsonError;
use crate::record::key::KeyColumn;
use crate::record::payload::BytesColumn;
use crate::record::payload::Payload;
use crate::record::sequence::SequenceNumber;
use crate::record::sequence::ShardBirth;
use crate::record::sequence::ShardIndex;
use crate::threads::Threads;

/// Rows that are worth a thread of their own.
const PART_ROWS: usize = 65_536;

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
            Self::Runs(runs) => expanded(runs, start, end),
        }
    }
}

/// The times of rows `start..end`: a search for the first, and a walk from there.
fn expanded(runs: &[(u32, Millis)], start: usize, end: usize) -> ScalarBuffer<i64> {
    let mut times = Vec::with_capacity(end - start);
    let first = runs.partition_point(|&(first, _)| first as usize <= start).saturating_sub(1);
    for (place, &(_, time)) in runs.iter().enumerate().skip(first) {
        if start + times.len() == end {
            break;
        }
        let until = runs.get(place + 1).map_or(end, |&(next, _)| end.min(next as usize));
        times.resize(until - start, time.0);
    }
    times.into()
}

/// The sequence indices of a block's rows, strictly ascending.
#[derive(Clone, Debug)]
pub enum Indices {
    /// One index a row; never none.
    Each(ScalarBuffer<u64>),
    /// Row 0 has this one, and the others follow.
    From(u64),
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
    pub fn new(births: &[ShardBirth], mut slots: Vec<u16>, threads: Threads) -> Self {
        let parts = threads.in_parts(slots.len(), PART_ROWS, |rows| {
            let counts = counts(&slots[rows.clone()], births.len());
            (rows, counts)
        });
        let total = |slot: &usize| parts.iter().map(|(_, counts)| counts[*slot]).sum::<usize>();
        let mut used: Vec<usize> = (0..births.len()).filter(|slot| 0 < total(slot)).collect();
        used.sort_by_key(|&slot| births[slot].shard);
        if let [only] = used[..] {
            return Self::one(births[only]);
        }
        let rows = Buffer::from_vec(listed(&slots, &used, &parts, threads));
        let mut first = 0;
        let runs = used.iter().map(|slot| {
            let rows = ScalarBuffer::new(rows.clone(), first, total(slot));
            first += rows.len();
            ShardRun { birth: births[*slot], rows: Some(rows) }
        });
        let runs = runs.collect();
        if !used.iter().copied().eq(0..births.len()) {
            let mut place = vec![0; births.len()];
            for (new, &old) in (0..).zip(&used) {
                place[old] = new;
            }
            for slot in &mut slots {
                *slot = place[usize::from(*slot)];
            }
        }
        Self { runs, slots: Some(slots) }
    }

    /// Returns the routes of some rows, by themselves.
    pub(crate) fn pick(&self, rows: &[u32], threads: Threads) -> Self {
        let births: Vec<ShardBirth> = self.runs.iter().map(|run| run.birth).collect();
        let slot = |&row: &u32| self.slots.as_ref().map_or(0, |slots| slots[row as usize]);
        Self::new(&births, rows.iter().map(slot).collect(), threads)
    }

    /// Returns the shards that have rows here, in order of their index.
    pub fn runs(&self) -> &[ShardRun] {
        &self.runs
    }

    /// Returns for each row its place in [`Routes::runs`]; `None` when there is one run.
    pub(crate) fn places(&self) -> Option<&[u16]> {
        self.slots.as_deref()
    }

    /// Returns the shard of a row.
    pub(crate) fn birth(&self, row: usize) -> ShardBirth {
        let run = self.slots.as_ref().map_or(0, |slots| usize::from(slots[row]));
        self.runs[run].birth
    }
}

/// Counts the rows of each slot.
fn counts(slots: &[u16], len: usize) -> Vec<usize> {
    let mut counts = vec![0; len];
    for &slot in slots {
        counts[usize::from(slot)] += 1;
    }
    counts
}

/// Lists the rows of each used slot, ascending, one slot after the other; `parts` counts them in parts of the rows.
fn listed(
    slots: &[u16],
    used: &[usize],
    parts: &[(Range<usize>, Vec<usize>)],
    threads: Threads,
) -> Vec<u32> {
    let mut listed = vec![0; slots.len()];
    // Each part has a place of its own in the list of each slot, behind those of the parts before.
    let mut places: Vec<Vec<IterMut<'_, u32>>> = parts
        .iter()
        .map(|(_, counts)| counts.iter().map(|_| IterMut::default()).collect())
        .collect();
    let mut rest = &mut listed[..];
    for &slot in used {
        for ((_, counts), places) in parts.iter().zip(&mut places) {
            let (place, behind) = rest.split_at_mut(counts[slot]);
            places[slot] = place.iter_mut();
            rest = behind;
        }
    }
    let work = parts.iter().map(|(rows, _)| rows).zip(places);
    threads.on_each(
        work,
        || true,
        |(rows, mut places)| {
            let first = u32::try_from(rows.start).expect("a block has fewer than 2^32 rows");
            for (row, &slot) in (first..).zip(&slots[rows.clone()]) {
                *places[usize::from(slot)].next().expect("as many rows as were counted") = row;
            }
        },
    );
    listed
}

/// An immutable run of one stream's records, in order of arrival.
#[derive(Clone, Debug)]
pub struct Block {
    /// The sequence index of each row.
    pub indices: Indices,
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

    /// Returns how many bytes of memory keys and payloads take, about: what several blocks share counts in each.
    pub fn bytes(&self) -> usize {
        let rows = |array: &dyn Array| array.to_data().get_slice_memory_size().unwrap_or_default();
        let payload = match &self.payload {
            Payload::Bytes(data) => rows(&data.to_array()),
            Payload::Rows(batch) => batch.columns().iter().map(|column| rows(column)).sum(),
        };
        payload + rows(&self.keys.to_array())
    }

    /// Returns how many bytes each of some rows has, its key counted, as Kinesis counts them.
    pub fn sizes(&self, rows: Range<usize>) -> Result<Vec<u32>, JsonError> {
        let len = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let data_lens = match &self.payload {
            Payload::Bytes(data) => rows.clone().map(|row| len(data.value(row).len())).collect(),
            Payload::Rows(batch) => json::encoded_lens(&batch.slice(rows.start, rows.len()))?,
        };
        let key_len = |row| len(self.keys.value(row).len());
        let sizes = rows.zip(data_lens).map(|(row, data)| data.saturating_add(key_len(row)));
        Ok(sizes.collect())
    }

    /// Returns the sequence index of a row.
    pub fn index(&self, row: usize) -> u64 {
        match &self.indices {
            Indices::Each(indices) => indices[row],
            Indices::From(first) => first + row as u64,
        }
    }

    /// Returns the sequence index of row 0.
    pub fn first_index(&self) -> u64 {
        self.index(0)
    }

    /// Returns the sequence index after the last row's.
    pub fn end_index(&self) -> u64 {
        self.index(self.len() - 1) + 1
    }

    /// Returns how far a row's index lies above the first row's.
    pub fn offset(&self, row: usize) -> u32 {
        u32::try_from(self.index(row) - self.first_index())
            .expect("a block spans fewer than 2^32 indices")
    }

    /// Returns the first row whose sequence index is `index` or above; `len` if there is none.
    pub fn row_of(&self, index: u64) -> usize {
        match &self.indices {
            Indices::Each(indices) => indices.partition_point(|&each| each < index),
            Indices::From(first) => {
                let row = index.saturating_sub(*first);
                usize::try_from(row).map_or(self.len(), |row| row.min(self.len()))
            }
        }
    }

    /// Returns some rows that follow each other, at least one, by themselves.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        let (start, count) = (rows.start, rows.len());
        let picked: Vec<u32> = (0_u32..).take(rows.end).skip(start).collect();
        let part = |array: ArrayRef| array.slice(start, count);
        Self {
            indices: match &self.indices {
                Indices::Each(indices) => Indices::Each(indices.slice(start, count)),
                Indices::From(first) => Indices::From(first + start as u64),
            },
            arrivals: Arrivals::Each(self.arrivals.expand(start, rows.end)),
            keys: KeyColumn::of_checked(&part(self.keys.to_array())),
            payload: match &self.payload {
                Payload::Bytes(data) => Payload::Bytes(
                    BytesColumn::from_array(&part(data.to_array())).expect("data was checked"),
                ),
                Payload::Rows(batch) => Payload::Rows(batch.slice(start, count)),
            },
            routes: self.routes.pick(&picked, Threads::ONE),
        }
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
            index: self.index(row),
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

    /// Returns the index among the stream's records.
    pub fn index(&self) -> u64 {
        self.block.index(self.row)
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
    use proptest::prelude::*;

    fn birth(shard: u32) -> ShardBirth {
        ShardBirth { shard: ShardIndex(shard), created_seconds: 1 }
    }

    #[test]
    fn routes_list_each_row_once_under_its_shard() {
        let routes = Routes::new(&[birth(9), birth(4), birth(1)], vec![0, 2, 0, 0], Threads::ONE);
        let rows = |run: &ShardRun| run.rows.as_ref().unwrap().to_vec();
        assert_eq!(routes.runs().iter().map(rows).collect::<Vec<_>>(), [vec![1], vec![0, 2, 3]]);
        let shards: Vec<_> = (0..4).map(|row| routes.birth(row).shard.0).collect();
        assert_eq!(shards, [9, 1, 9, 9]);
    }

    #[test]
    fn rows_of_one_shard_need_no_list() {
        let routes = Routes::new(&[birth(1), birth(4)], vec![1, 1], Threads::ONE);
        assert!(routes.runs()[0].rows.is_none());
        assert_eq!(routes.birth(1), birth(4));
    }

    /// Routes of `len` rows over `shards` shards whose indices fall as their slots rise.
    fn routes(len: usize, shards: u32, threads: usize) -> (Vec<ShardBirth>, Vec<u16>, Routes) {
        let births: Vec<ShardBirth> = (0..shards).rev().map(birth).collect();
        let slot =
            |row: u32| u16::try_from((row.wrapping_mul(2_654_435_761) >> 16) % shards).unwrap();
        let slots: Vec<u16> = (0..).map(slot).take(len).collect();
        let routes = Routes::new(&births, slots.clone(), Threads::new(Some(threads)).unwrap());
        (births, slots, routes)
    }

    fn assert_routed(births: &[ShardBirth], slots: &[u16], routes: &Routes) {
        for (row, &slot) in slots.iter().enumerate() {
            assert_eq!(routes.birth(row), births[usize::from(slot)]);
        }
        assert!(routes.runs().windows(2).all(|pair| pair[0].birth.shard < pair[1].birth.shard));
        let mut seen = 0;
        for run in routes.runs() {
            let Some(rows) = &run.rows else { continue };
            assert!(!rows.is_empty() && rows.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(rows.iter().all(|&row| routes.birth(row as usize) == run.birth));
            seen += rows.len();
        }
        assert!(seen == slots.len() || routes.runs().len() == 1);
    }

    #[test]
    fn routes_are_the_same_for_any_number_of_threads_and_shards() {
        for shards in [1, 2, 1_024, 10_000] {
            for threads in 1..4 {
                let (births, slots, routes) = routes(3 * PART_ROWS + 7, shards, threads);
                assert_routed(&births, &slots, &routes);
            }
        }
    }

    proptest! {
        #[test]
        fn picked_rows_keep_their_shards(len in 1_usize..200, shards in 1_u32..40, step in 1_usize..9) {
            let (births, slots, routes) = routes(len, shards, 1);
            assert_routed(&births, &slots, &routes);
            let kept: Vec<u32> = (0..u32::try_from(len).unwrap()).step_by(step).collect();
            let slots: Vec<u16> = kept.iter().map(|&row| slots[row as usize]).collect();
            assert_routed(&births, &slots, &routes.pick(&kept, Threads::ONE));
        }
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
