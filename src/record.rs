//! A record, and blocks of records: columns shared by the shards they were written to.

pub mod json;
