//! Feeds `checks::search`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| appviewd_fuzz::checks::search(input));
