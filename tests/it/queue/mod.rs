//! The scripts against a real Redis and their in-memory twin, and the twin against every fault.

mod faults;
mod histories;
mod scripts;
mod twin;
