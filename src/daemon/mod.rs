//! The process: assembles the roles that were asked for, supervises them, and stops them in order.
