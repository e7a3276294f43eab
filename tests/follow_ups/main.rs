//! Follow-ups through the wire: the time line of an order, who may be written to, and taking a shopper out of everything.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod erasure;
mod time_line;
mod world;
