//! Fuzzes [`shardstream_fuzz::cbor_request`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shardstream_fuzz::cbor_request::run(bytes));
