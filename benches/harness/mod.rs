//! What benches of a whole server share.

#![allow(dead_code, reason = "each bench uses its part")]

pub(crate) mod child;
pub(crate) mod figures;
