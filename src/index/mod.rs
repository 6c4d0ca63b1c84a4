//! The write side: events become one transaction.
