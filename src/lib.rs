//! Amazon Kinesis, embedded: streams of shards, replay and windowed aggregation inside one process.

pub mod record;
pub mod replay;
pub mod window;
