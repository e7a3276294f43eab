//! What the transport counts, for metrics and tests.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the server started. Reading them together is not atomic.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    ungreeted: AtomicU64,
    calls: AtomicU64,
    shed: AtomicU64,
    panics: AtomicU64,
}

impl Counters {
    /// Connections accepted.
    pub fn connections_accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections closed at once because there were too many.
    pub fn connections_refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Connections closed because they did not say the HTTP/2 preface, or not in time.
    pub fn connections_ungreeted(&self) -> u64 {
        self.ungreeted.load(Ordering::Relaxed)
    }

    /// Calls begun.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Calls refused because their class was full.
    pub fn calls_shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Calls whose handler panicked.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ungreeted(&self) {
        self.ungreeted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }
}
