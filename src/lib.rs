//! Amazon Kinesis, embedded: streams of shards, replay and windowed aggregation inside one process.
//!
//! The modules stand in floors: each uses those above it in this list and no others.

pub mod clock;
pub mod limits;
pub mod threads;
pub mod hash_key;
pub mod record;
pub mod store;
pub mod engine;
pub mod window;
pub mod query;
pub mod capacity;
pub mod service;
pub mod replay;
pub mod server;
#[cfg(feature = "python")]
pub mod python;
