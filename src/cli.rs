//! The command line: what can be asked of appviewd, and nothing of how it is done.
