//! Bytes from strangers: whatever they are, no panic, and never more memory than 4 times the input and a MiB.
//!
//! Real frames (and the sandbox's, where there are none), cut, spliced and bent by a seeded generator, go into everything that reads
//! bytes of the network: frames, CARs, tree nodes, records, queue entries, the syntaxes.

pub mod inputs;
mod mutate;
mod readers;

use std::time::{Duration, Instant};

use mutate::Mutator;

/// Peak allocation allowed for an input.
fn allowance(input: usize) -> u64 {
    (4 * input + (1 << 20)) as u64
}

/// Runs `read` on mutations of `corpus` for `TIME`, each within the allowance. Panics of `read` fail the test by themselves.
fn withstand(what: &str, seed: u64, corpus: &[Vec<u8>], read: impl Fn(&[u8]) -> bool) {
    const TIME: Duration = Duration::from_secs(8);
    let mut mutator = Mutator::new(seed, corpus);
    let (end, mut tried, mut accepted) = (Instant::now() + TIME, 0_u32, 0_u32);
    while Instant::now() < end {
        let input = mutator.next();
        let mut ok = false;
        let used = allocation_counter::measure(|| ok = read(&input));
        assert!(used.bytes_max <= allowance(input.len()), "{what} took {} bytes for {}: {input:02x?}", used.bytes_max, input.len());
        tried += 1;
        accepted += u32::from(ok);
    }
    eprintln!("{what}: {tried} inputs, {accepted} accepted");
    assert!(tried > 500, "{what}: only {tried} inputs tried");
    assert!(accepted < tried, "{what} accepted every one of {tried} mutations");
}
