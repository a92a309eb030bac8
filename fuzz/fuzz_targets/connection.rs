//! Fuzzes [`shardstream_fuzz::connection`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::connection::run(bytes));
