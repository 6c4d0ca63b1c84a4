//! The sandbox itself: that it is deterministic, and that what it sends is what it says.
