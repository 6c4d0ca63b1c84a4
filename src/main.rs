//! Starts appviewd; everything else is in the library.

fn main() {}
