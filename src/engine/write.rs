//! Tables written whole: keys hashed together, rows grouped by shard without copying what they carry.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use arrow_select::take::take;
use arrow_select::take::take_record_batch;

use crate::clock::Millis;
use crate::engine::error::EngineError;
use crate::engine::shard::ShardMap;
use crate::engine::stream::Limits;
use crate::engine::stream::State;
use crate::engine::stream::Stream;
use crate::engine::stream::check_size;
use crate::record::block::Arrivals;
use crate::record::block::Block;
use crate::record::block::Indices;
use crate::record::block::Routes;
use crate::record::key::KeyColumn;
use crate::record::key::KeyError;
use crate::record::lens;
use crate::record::payload::BytesColumn;
use crate::record::payload::DataError;
use crate::record::payload::Payload;
use crate::record::sequence::ShardIndex;

/// Rows on their way in: keys, what they carry, and when they arrive.
#[derive(Debug)]
pub struct Rows {
    /// The partition key of each row.
    pub keys: KeyColumn,
    /// What each row carries; as many rows as keys.
    pub payload: Payload,
    /// When each row arrives, in milliseconds and never earlier than the row before; now, where not given.
    pub arrivals: Option<ScalarBuffer<i64>>,
}

/// Which columns of a table make its rows records.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a> {
    /// The column of partition keys.
    pub key: &'a str,
    /// The column of bytes or text that records carry; whole rows where not given.
    pub data: Option<&'a str>,
    /// What stands in for null keys, where given.
    pub null_key: Option<&'a str>,
}

/// Why a table's rows cannot be records; none was stored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A column that is not there.
    #[error("there is no column `{column}`; there are {}", list(.known))]
    ColumnMissing {
        /// The name given.
        column: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A column that cannot be the data of records.
    #[error("column `{column}`: {error}")]
    Data {
        /// Its name.
        column: String,
        /// What is wrong with it.
        error: DataError,
    },
    /// A column that cannot be partition keys.
    #[error("column `{column}`: {error}")]
    Key {
        /// Its name.
        column: String,
        /// What is wrong with it.
        error: KeyError,
    },
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        _ => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

impl Rows {
    /// Takes a table's rows as records; `first_row` is its first row's number, for errors.
    pub fn from_batch(
        batch: RecordBatch,
        roles: Roles<'_>,
        first_row: usize,
    ) -> Result<Self, TableError> {
        let key = column(&batch, roles.key)?;
        let keys = KeyColumn::from_array(key, roles.null_key).map_err(|error| TableError::Key {
            column: roles.key.to_owned(),
            error: error.after(first_row),
        })?;
        let payload = match roles.data {
            None => Payload::Rows(batch),
            Some(name) => {
                let data = BytesColumn::from_array(column(&batch, name)?);
                Payload::Bytes(data.map_err(|error| TableError::Data {
                    column: name.to_owned(),
                    error: error.after(first_row),
                })?)
            }
        };
        Ok(Self { keys, payload, arrivals: None })
    }
}

/// Finds a column by name.
pub fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, TableError> {
    batch.column_by_name(name).ok_or_else(|| TableError::ColumnMissing {
        column: name.to_owned(),
        known: batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect(),
    })
}

/// Rows whose shards are known.
#[derive(Debug)]
pub struct Routed {
    rows: Rows,
    /// The map that routed them.
    map: Arc<ShardMap>,
    routes: Routes,
}

/// What became of rows that were written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The blocks stored, for whoever asks how many bytes they hold.
    pub blocks: Vec<Arc<Block>>,
    /// Records stored, by shard.
    pub per_shard: BTreeMap<ShardIndex, u64>,
    /// The rows that found their shard's capacity used up, and were not stored.
    pub throttled: Vec<u64>,
    /// Rows given.
    pub rows: u64,
}

impl Written {
    /// Adds what became of the rows after these.
    pub fn extend(&mut self, later: Self) {
        self.throttled.extend(later.throttled.iter().map(|row| self.rows + row));
        self.rows += later.rows;
        self.blocks.extend(later.blocks);
        for (shard, records) in later.per_shard {
            *self.per_shard.entry(shard).or_default() += records;
        }
    }

    /// Returns how many records were stored.
    pub fn records(&self) -> u64 {
        self.per_shard.values().sum()
    }
}

impl Stream {
    /// Appends rows in order; each is stored, or throttled by itself where limits hold.
    ///
    /// A row that no stream may hold refuses the call, and none of its rows is stored.
    pub fn write(&self, now: Millis, rows: Rows) -> Result<Written, EngineError> {
        self.check_sizes(&rows, 0)?;
        let routed = self.route(rows, || true)?.expect("nobody stops it");
        self.append(now, routed)
    }

    /// Checks that the stream may hold every row; `first_row` is the first one's number, for errors.
    pub fn check_sizes(&self, rows: &Rows, first_row: usize) -> Result<(), EngineError> {
        let bytes_max = self.state()?.kept.settings.record_bytes_max;
        if row_bytes_bound(&rows.payload) <= bytes_max {
            return Ok(());
        }
        let lens = rows.payload.data_lens()?;
        let bytes = |row: usize| lens[row] as usize + rows.keys.value(row).len();
        (0..lens.len()).try_for_each(|row| check_size(bytes_max, bytes(row), Some(first_row + row)))
    }

    /// Finds the shard of every row, whose size was checked; `None` when `go_on` says to stop.
    pub fn route(
        &self,
        rows: Rows,
        go_on: impl FnMut() -> bool,
    ) -> Result<Option<Routed>, EngineError> {
        assert_eq!(rows.keys.len(), rows.payload.len(), "every row has a key");
        let map = Arc::clone(&self.state()?.map);
        let places = rows.keys.map_hashes(self.threads(), go_on, |hash| map.place(hash));
        Ok(places.map(|places| {
            let routes = Routes::new(map.births(), places, self.threads());
            Routed { rows, map, routes }
        }))
    }

    /// Appends rows that were routed.
    pub fn append(&self, now: Millis, mut routed: Routed) -> Result<Written, EngineError> {
        let mut written = Written { rows: routed.rows.keys.len() as u64, ..Written::default() };
        if routed.rows.keys.is_empty() {
            return self.state().map(|_open| written);
        }
        let turn = self.turn()?;
        let mut state = self.state_in_turn(&turn, now)?;
        // Keys are hashed outside of the lock; a reshard in between sends them elsewhere.
        while !Arc::ptr_eq(&routed.map, &state.map) {
            drop(state);
            routed = self.route(routed.rows, || true)?.expect("nobody stops it");
            state = self.state_in_turn(&turn, now)?;
        }
        let Routed { rows, map, routes } = routed;
        let rows = match self.limits() {
            Limits::Off => Some((rows, routes)),
            Limits::Aws => self.throttle(&mut state, now, rows, routes, &mut written.throttled)?,
        };
        let mut logged = None;
        if let Some((rows, routes)) = rows {
            let block = Block {
                indices: Indices::From(state.log.end().0),
                arrivals: arrivals(state.log.arrival(now), rows.arrivals),
                keys: rows.keys,
                payload: rows.payload,
                routes,
            };
            for run in block.routes.runs() {
                let records = run.count(block.len()) as u64;
                *written.per_shard.entry(run.birth.shard).or_default() += records;
            }
            if self.goes_to_segments(&block) {
                let block = Arc::new(block);
                drop(state);
                let (lsn, taken_in) = self.take_to_segments(std::slice::from_ref(&block))?;
                (logged, state) = (Some(lsn), taken_in);
                // Nobody else appends or changes shards at this turn; what time made due is done at the next.
                assert!(Arc::ptr_eq(&map, &state.map), "shards change at their turn");
                written.blocks.push(block);
            } else {
                logged = self.log_block(&block)?;
                written.blocks.push(state.log.append(block));
            }
            state.trim(now);
            self.sweep(&mut state);
        }
        let end = state.log.end();
        drop(state);
        drop(turn);
        self.acknowledge(logged, end)?;
        self.bell().ring();
        Ok(written)
    }

    /// Keeps the rows that their shards have room for, each judged when it arrives; lists the others.
    fn throttle(
        &self,
        state: &mut State,
        now: Millis,
        rows: Rows,
        routes: Routes,
        throttled: &mut Vec<u64>,
    ) -> Result<Option<(Rows, Routes)>, EngineError> {
        let lens = rows.payload.data_lens()?;
        let earliest = state.log.arrival(now);
        let mut kept = Vec::with_capacity(lens.len());
        for (place, row) in (0..lens.len()).zip(0_u32..) {
            let arrival =
                rows.arrivals.as_ref().map_or(now, |each| Millis(each[place]).max(earliest));
            let bytes = lens[place] as usize + rows.keys.value(place).len();
            match self.admit(state, arrival, routes.birth(place), bytes) {
                Ok(()) => kept.push(row),
                Err(_) => throttled.push(u64::from(row)),
            }
        }
        if throttled.is_empty() {
            return Ok(Some((rows, routes)));
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let routes = routes.pick(&kept, self.threads());
        Ok(Some((pick(rows, kept), routes)))
    }
}

fn arrivals(earliest: Millis, each: Option<ScalarBuffer<i64>>) -> Arrivals {
    match each {
        None => Arrivals::All(earliest),
        Some(each) if earliest.0 <= each[0] => Arrivals::Each(each),
        Some(each) => Arrivals::Each(each.iter().map(|&at| at.max(earliest.0)).collect()),
    }
}

fn pick(rows: Rows, kept: Vec<u32>) -> Rows {
    const FITS: &str = "the rows to keep are rows of the table";
    let arrivals = rows.arrivals.map(|each| kept.iter().map(|&row| each[row as usize]).collect());
    let kept = UInt32Array::from(kept);
    let picked = |array: ArrayRef| take(&array, &kept, None).expect(FITS);
    let keys =
        KeyColumn::from_array(&picked(rows.keys.to_array()), None).expect("keys were checked");
    let payload = match rows.payload {
        Payload::Bytes(data) => {
            let data = picked(data.to_array());
            Payload::Bytes(BytesColumn::from_array(&data).expect("data was checked"))
        }
        Payload::Rows(batch) => Payload::Rows(take_record_batch(&batch, &kept).expect(FITS)),
    };
    Rows { keys, payload, arrivals }
}

/// Bytes that no row exceeds, its key counted: cheap, so that exact sizes are worked out only where it matters.
fn row_bytes_bound(payload: &Payload) -> usize {
    /// A key of 256 characters of four bytes.
    const KEY_BYTES_MAX: usize = 1024;
    KEY_BYTES_MAX
        + match payload {
            Payload::Bytes(data) => {
                lens::longest_bound(&data.to_array()).unwrap_or(usize::MAX - KEY_BYTES_MAX)
            }
            Payload::Rows(batch) => json_bytes_bound(batch).unwrap_or(usize::MAX - KEY_BYTES_MAX),
        }
}

fn json_bytes_bound(batch: &RecordBatch) -> Option<usize> {
    /// A number, time or other scalar, written out.
    const SCALAR_BYTES_MAX: usize = 64;
    /// A control character written as \u0000.
    const ESCAPE_BYTES: usize = 6;
    let mut bound = 2_usize;
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let scalar = field.data_type().is_primitive() || *field.data_type() == DataType::Boolean;
        let value =
            if scalar { SCALAR_BYTES_MAX } else { lens::longest_bound(column)? * ESCAPE_BYTES + 2 };
        bound = bound.checked_add(value + field.name().len() * ESCAPE_BYTES + 4)?;
    }
    Some(bound)
}
