//! Fuzzes [`shardstream_fuzz::signature`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::signature::run(bytes));
