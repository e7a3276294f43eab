//! The wire API of Sidecart, generated from `proto/`, and a small client for it.
//!
//! Depends on none of the engine's crates, so that a caller can use it without pulling the engine in.

pub mod client;

/// The messages, clients and servers of package `sidecart.v1`.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
pub mod v1 {
    tonic::include_proto!("sidecart.v1");
}

/// The encoded `FileDescriptorSet` of `proto/`, with comments, for reflection and JSON.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sidecart.fds"));
