//! Lexicon schemas as data: compiled once at start, they judge records, parameters and responses. Pure.
