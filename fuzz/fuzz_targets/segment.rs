//! Fuzzes [`shardstream_fuzz::segment`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::segment::run(bytes));
