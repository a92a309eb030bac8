//! Fuzzes [`shardstream_fuzz::json_request`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::json_request::run(bytes));
