//! The server's own affairs: codings, bodies, limits. What is not of any method.

mod bodies;
mod codings;
mod headers;
mod speed;
