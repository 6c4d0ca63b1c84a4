//! Feeds `checks::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| appviewd_fuzz::checks::record(input));
