//! What-if planning over records that are there: which shard took what and when, and what its limits make of it.

pub mod hot;
mod keys;
mod meter;
pub mod traffic;
mod walk;
mod what_if;

pub use hot::HotKey;
pub use hot::HotReport;
pub use hot::HotShard;
pub use hot::explain_hot;
pub use traffic::Bin;
pub use traffic::ShardTraffic;
pub use traffic::Traffic;
pub use traffic::traffic;
pub use what_if::Split;

/// Asks whether to go on; it is asked every few thousand records.
pub type GoOn<'a> = &'a (dyn Fn() -> bool + Sync);
