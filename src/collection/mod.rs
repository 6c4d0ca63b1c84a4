//! Records to rows and back. Pure: no tokio, no I/O, no logging.
