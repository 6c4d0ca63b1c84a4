//! Feeds `checks::dag_cbor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| appviewd_fuzz::checks::dag_cbor(input));
