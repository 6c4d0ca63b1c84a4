//! A small atproto network in one process, for tests and for newcomers. Imports atproto/ and net/ only.
