//! Feeds `checks::car`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| appviewd_fuzz::checks::car(input));
