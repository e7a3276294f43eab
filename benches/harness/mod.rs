//! What benches of a whole server share.

#![allow(dead_code, reason = "each bench uses its part")]

pub(crate) mod child;
pub(crate) mod figures;

use std::io;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Transport(#[from] tonic::transport::Error),
    #[error("{0}")]
    Status(#[from] tonic::Status),
    #[error("unexpected: {0}")]
    Wrong(String),
}
