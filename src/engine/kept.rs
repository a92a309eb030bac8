//! What of a stream is kept besides its records: written down whole whenever it changes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::engine::consumer::Consumers;
use crate::engine::daily::LastDay;
use crate::engine::lifecycle::Lifecycle;
use crate::engine::shard::Shard;
use crate::hash_key::HashKey;
use crate::record::sequence::ShardIndex;

/// What of a stream is kept besides its records.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Kept {
    pub(crate) shards: Vec<Shard>,
    pub(crate) settings: Settings,
    pub(crate) consumers: Consumers,
    pub(crate) life: Lifecycle<Change>,
    pub(crate) retention_ms: i64,
    /// What arrived then or before is forgotten, and stays so when retention grows.
    pub(crate) horizon: Millis,
    pub(crate) last_day: LastDay,
}

/// A change of the shards, made when the stream stops being updated.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Change {
    Merge(ShardIndex, ShardIndex),
    Scale(u32),
    Split(ShardIndex, HashKey),
}

/// How a stream's capacity is set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Mode {
    /// By the service.
    OnDemand,
    /// By the number of shards its owner chose.
    Provisioned,
}

/// What routes records.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Distribution {
    /// The service, whatever the keys.
    Auto,
    /// Their keys.
    #[default]
    ByKey,
}

/// What the owner of a stream sets and may change.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Settings {
    /// How capacity is set.
    pub mode: Mode,
    /// Bytes of a record, key counted, at most.
    pub record_bytes_max: usize,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// What routes records.
    pub distribution: Distribution,
    /// The key that records are said to be encrypted with, if they are.
    pub encryption_key: Option<String>,
    /// The indices from which on records are said to be encrypted, or no more.
    pub(crate) encryption_changes: Vec<(u64, bool)>,
    /// Which metrics of single shards are kept.
    pub shard_metrics: BTreeSet<String>,
    /// Throughput that an on-demand stream is ready for, in MiB a second.
    pub warm_throughput: Option<i64>,
}

impl Settings {
    /// Whether the record of an index is said to be encrypted: it stays as it was put.
    pub fn encrypts(&self, index: u64) -> bool {
        let before = self.encryption_changes.partition_point(|&(from, _)| from <= index);
        before.checked_sub(1).is_some_and(|last| self.encryption_changes[last].1)
    }
}
