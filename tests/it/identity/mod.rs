//! Who is who: documents, handles in both directions, and what the daemon makes of them.

mod daemon;
mod resolve;
mod settle;
mod strangers;
