//! Fuzzes [`shardstream_fuzz::token`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::token::run(bytes));
