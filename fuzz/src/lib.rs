//! What each fuzz target does with its bytes, and what must hold whatever they are.

pub mod answer;
pub mod calls;
pub mod cbor_request;
#[cfg(fuzzing)]
pub mod connection;
pub mod folder;
pub mod given;
pub mod journal;
pub mod json_records;
pub mod json_request;
pub mod names;
pub mod request;
pub mod segment;
#[cfg(fuzzing)]
pub mod signature;
pub mod time_text;
pub mod token;
pub mod world;
