//! What an operator may change about the transport.

use std::time::Duration;

use crate::limits;

/// Settings of the transport; the defaults are the constants of [`limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Open connections; further ones are closed at once. Default [`limits::CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// How long a new connection may take to say the HTTP/2 preface. Default [`limits::PREFACE_TIMEOUT`].
    pub preface_timeout: Duration,
    /// Concurrent calls on one connection. Default [`limits::STREAMS_MAX`].
    pub streams_max: u32,
    /// Bytes of one call's headers. Default [`limits::HEADER_LIST_MAX_BYTES`].
    pub header_list_max_bytes: u32,
    /// Flow-control window of a connection and of each call. Default [`limits::WINDOW_BYTES`].
    pub window_bytes: u32,
    /// Silence after which a connection is pinged. Default [`limits::KEEP_ALIVE_INTERVAL`].
    pub keep_alive_interval: Duration,
    /// How long the answer to that ping may take. Default [`limits::KEEP_ALIVE_TIMEOUT`].
    pub keep_alive_timeout: Duration,
    /// Age, give or take a tenth, at which a connection is asked to go. Default [`limits::CONNECTION_AGE`].
    pub connection_age: Duration,
    /// How long a connection asked to go may stay without calls. Default [`limits::CONNECTION_GRACE`].
    pub connection_grace: Duration,
    /// How long shutdown waits for calls under way. Default [`limits::DRAIN_DEADLINE`].
    pub drain_deadline: Duration,
    /// Deadline of a unary call that names none. Default [`limits::UNARY_DEADLINE_DEFAULT`].
    pub unary_deadline_default: Duration,
    /// Longest deadline of a unary call. Default [`limits::UNARY_DEADLINE_MAX`].
    pub unary_deadline_max: Duration,
    /// Longest deadline of an upload or download, and the default. Default [`limits::TRANSFER_DEADLINE_MAX`].
    pub transfer_deadline_max: Duration,
    /// Concurrent reads. Default [`limits::READS_MAX`].
    pub reads_max: usize,
    /// Concurrent writes. Default [`limits::WRITES_MAX`].
    pub writes_max: usize,
    /// Concurrent heavy calls. Default [`limits::BULKS_MAX`].
    pub bulks_max: usize,
    /// Concurrent administrative calls. Default [`limits::ADMINS_MAX`].
    pub admins_max: usize,
    /// Concurrent subscriptions. Default [`limits::WATCHES_MAX`].
    pub watches_max: usize,
    /// Conversations followed at once. Default [`limits::CONVERSATIONS_MAX`].
    pub conversations_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_MAX,
            preface_timeout: limits::PREFACE_TIMEOUT,
            streams_max: limits::STREAMS_MAX,
            header_list_max_bytes: limits::HEADER_LIST_MAX_BYTES,
            window_bytes: limits::WINDOW_BYTES,
            keep_alive_interval: limits::KEEP_ALIVE_INTERVAL,
            keep_alive_timeout: limits::KEEP_ALIVE_TIMEOUT,
            connection_age: limits::CONNECTION_AGE,
            connection_grace: limits::CONNECTION_GRACE,
            drain_deadline: limits::DRAIN_DEADLINE,
            unary_deadline_default: limits::UNARY_DEADLINE_DEFAULT,
            unary_deadline_max: limits::UNARY_DEADLINE_MAX,
            transfer_deadline_max: limits::TRANSFER_DEADLINE_MAX,
            reads_max: limits::READS_MAX,
            writes_max: limits::WRITES_MAX,
            bulks_max: limits::BULKS_MAX,
            admins_max: limits::ADMINS_MAX,
            watches_max: limits::WATCHES_MAX,
            conversations_max: limits::CONVERSATIONS_MAX,
        }
    }
}
