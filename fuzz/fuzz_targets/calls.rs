//! Fuzzes [`shardstream_fuzz::calls`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::calls::run(bytes));
