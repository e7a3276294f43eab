//! The services over the wire: what a caller of each method sees.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod orders;
mod reads;
mod world;
mod writes;
