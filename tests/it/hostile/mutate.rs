//! A seeded generator of bent inputs.

/// Heads that promise much: endless and huge arrays, maps, texts and bytes, deep nesting, odd tags and simple values.
const NASTY: [&[u8]; 12] = [
    b"\x9f",
    b"\xbf",
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\x00\x00\x00\x00\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x7a\xff\xff\xff\xff",
    b"\x9a\x00\x0f\xff\xff",
    &[0x81; 300],
    &[0xa1, 0x61, 0x61, 0xa1, 0x61, 0x61, 0xa1, 0x61, 0x61, 0xa1, 0x61, 0x61],
    b"\xd8\x2a\x58\x25\x00",
    b"\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"\xff\xff\xff\xff\x0f",
];

/// Bends one of a corpus at a time.
pub struct Mutator<'a> {
    rng: fastrand::Rng,
    corpus: &'a [Vec<u8>],
}

impl<'a> Mutator<'a> {
    pub fn new(seed: u64, corpus: &'a [Vec<u8>]) -> Self {
        assert!(!corpus.is_empty(), "nothing to bend");
        Self { rng: fastrand::Rng::with_seed(seed), corpus }
    }

    /// One of the corpus, bent one to four times.
    pub fn next(&mut self) -> Vec<u8> {
        let mut input = self.corpus[self.rng.usize(..self.corpus.len())].clone();
        for _ in 0..self.rng.usize(1..=4) {
            self.bend(&mut input);
        }
        input
    }

    fn bend(&mut self, input: &mut Vec<u8>) {
        if input.is_empty() {
            return input.extend(NASTY[self.rng.usize(..NASTY.len())]);
        }
        let at = self.rng.usize(..input.len());
        let end = (at + self.rng.usize(1..=64)).min(input.len());
        match self.rng.u8(..9) {
            0 => input[at] ^= 1 << self.rng.u8(..8),
            1 => input[at] = self.rng.u8(..),
            2 => input[at] = [0x00, 0x7f, 0x80, 0xff, 0x1f, 0x9f][self.rng.usize(..6)],
            3 => input.truncate(at),
            4 => drop(input.drain(at..end)),
            5 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            6 => drop(input.splice(at..end, NASTY[self.rng.usize(..NASTY.len())].iter().copied())),
            7 => {
                let other = &self.corpus[self.rng.usize(..self.corpus.len())];
                let from = self.rng.usize(..=other.len());
                input.truncate(at);
                input.extend(&other[from..]);
            }
            _ => {
                let other = self.rng.usize(..input.len());
                input.swap(at, other);
            }
        }
    }
}
