//! Fuzzes [`shardstream_fuzz::journal`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::journal::run(bytes));
