//! Relay to queue, against a real Redis and scripted relays.
