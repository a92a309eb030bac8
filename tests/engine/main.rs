//! The engine's behaviour, by subject: what Kinesis promises, at its edges and one past them.

mod account;
mod capacity;
mod concurrency;
mod consumer;
mod demand;
mod determinism;
mod lifecycle;
mod position;
mod refusal;
mod reshard;
mod retention;
mod routing;
mod sequence;
mod setup;
mod status;
mod throttle;
mod write;
