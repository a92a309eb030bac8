//! Fuzzes [`shardstream_fuzz::time_text`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::time_text::run(bytes));
