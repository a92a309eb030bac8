//! Fuzzes [`shardstream_fuzz::names`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::names::run(bytes));
