//! What the transport counts, for metrics and tests.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::method::Method;
use crate::status::AnswerCode;

/// Upper bounds of the buckets that durations of calls are counted in, in microseconds. Longer ones fall into one more.
pub const DURATION_BOUNDS_US: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000, 30_000_000,
];
const BUCKETS: usize = DURATION_BOUNDS_US.len() + 1;

/// Counts since the server started. Reading them together is not atomic.
#[derive(Debug)]
pub struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    ungreeted: AtomicU64,
    calls: AtomicU64,
    shed: AtomicU64,
    panics: AtomicU64,
    ended: [Ended; Method::COUNT],
}

/// How the calls of one method ended, and after how long.
#[derive(Debug, Default)]
struct Ended {
    codes: [AtomicU64; AnswerCode::COUNT],
    durations: [AtomicU64; BUCKETS],
    total_us: AtomicU64,
}

/// The calls of one method that have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedCalls {
    /// The request path, `/package.Service/Method`.
    pub method: &'static str,
    /// How many ended with each code that occurred.
    pub codes: Vec<(AnswerCode, u64)>,
    /// How many took up to each of [`DURATION_BOUNDS_US`] and longer than the bound before, and how many longer than all.
    pub durations: [u64; BUCKETS],
    /// How long all of them took together.
    pub total: Duration,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            accepted: AtomicU64::default(),
            refused: AtomicU64::default(),
            ungreeted: AtomicU64::default(),
            calls: AtomicU64::default(),
            shed: AtomicU64::default(),
            panics: AtomicU64::default(),
            ended: std::array::from_fn(|_| Ended::default()),
        }
    }
}

impl Counters {
    /// Connections accepted.
    pub fn connections_accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// Connections closed at once because there were too many.
    pub fn connections_refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Connections closed because they did not say the HTTP/2 preface, or not in time.
    pub fn connections_ungreeted(&self) -> u64 {
        self.ungreeted.load(Relaxed)
    }

    /// Calls begun.
    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// Calls refused because their class was full.
    pub fn calls_shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }

    /// Calls whose handler panicked.
    pub fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    /// The calls that have ended, of each method that was called.
    pub fn ended(&self) -> Vec<EndedCalls> {
        let ended = Method::all().zip(&self.ended).map(|(method, ended)| ended.read(method));
        ended.filter(|ended| !ended.codes.is_empty()).collect()
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn count_ungreeted(&self) {
        self.ungreeted.fetch_add(1, Relaxed);
    }

    pub(super) fn count_call(&self) {
        self.calls.fetch_add(1, Relaxed);
    }

    pub(super) fn count_shed(&self) {
        self.shed.fetch_add(1, Relaxed);
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub(super) fn count_end(&self, method: &'static Method, code: AnswerCode, took: Duration) {
        let (ended, took_us) = (&self.ended[method.place()], took.as_micros() as u64);
        let bucket = DURATION_BOUNDS_US.partition_point(|bound| *bound < took_us);
        ended.codes[code.number()].fetch_add(1, Relaxed);
        ended.durations[bucket].fetch_add(1, Relaxed);
        ended.total_us.fetch_add(took_us, Relaxed);
    }
}

impl Ended {
    fn read(&self, method: &'static Method) -> EndedCalls {
        let codes = AnswerCode::all().zip(&self.codes).map(|(code, count)| (code, count.load(Relaxed)));
        EndedCalls {
            method: method.path,
            codes: codes.filter(|(_, count)| *count > 0).collect(),
            durations: self.durations.each_ref().map(|count| count.load(Relaxed)),
            total: Duration::from_micros(self.total_us.load(Relaxed)),
        }
    }
}
