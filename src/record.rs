//! A record, and blocks of records: columns shared by the shards they were written to.

pub mod block;
pub mod builder;
mod digits;
pub mod json;
pub mod key;
pub mod lens;
pub mod payload;
pub mod sequence;
pub mod time_text;

pub use block::Block;
pub use block::Record;
