//! The read side: a request becomes a view.
