//! Records of the real network to rows and back.
