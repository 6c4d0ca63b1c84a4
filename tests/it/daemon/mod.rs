//! The binary as its users meet it: flags, files, signals, embedded servers.

mod files;
