//! The edge over real connections: deadlines, classes, panics, request ids, the log, caps and shutdown.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod calls;
mod connections;
mod harness;
mod log;
