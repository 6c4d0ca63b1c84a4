//! Feeds `checks::syntax`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| appviewd_fuzz::checks::syntax(input));
