//! Upkeep of the store, on a thread of its own, in steps between which writers get their turn.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError::Timeout},
    },
    time::{Duration, Instant},
};

use crate::store::{Store, StoreError, chain};

/// How long until the next look when there is nothing to do.
const IDLE: Duration = Duration::from_millis(200);
/// The writers' part of the time while there is upkeep to do.
const WRITERS_PART: u32 = 3;
/// How long until the next attempt after a fault, for instance a full disk.
const AFTER_FAULT: Duration = Duration::from_secs(60);

/// What the store takes of the disk, as of the last look.
#[derive(Debug, Default)]
pub(crate) struct Wear {
    live_bytes: AtomicU64,
    disk_bytes: AtomicU64,
    blob_files: AtomicU64,
}

impl Wear {
    /// Bytes of keys and values of everything stored.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes.load(Relaxed)
    }

    /// Bytes of the engine's files.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.disk_bytes.load(Relaxed)
    }

    /// Files that the engine never frees. There should be none.
    pub(crate) fn blob_files(&self) -> u64 {
        self.blob_files.load(Relaxed)
    }

    fn look(&self, store: &Store) {
        self.live_bytes.store(store.live_bytes(), Relaxed);
        // What cannot be read now stays as it was seen last.
        let counts =
            [(&self.disk_bytes, store.size_on_disk().ok()), (&self.blob_files, store.blob_count().ok())];
        for (seen, found) in counts {
            seen.store(found.unwrap_or(seen.load(Relaxed)), Relaxed);
        }
    }
}

/// Sweeps the store and writes it anew when it is worn, until told to stop by the other end of `stop` being dropped.
/// After each step writers have the store for themselves for a part of the time that the step took: enough to go on, and
/// not enough to wear it faster than it is written anew.
pub(super) fn run(store: &Store, wear: &Wear, stop: &Receiver<()>) {
    let mut pause = Duration::ZERO;
    while stop.recv_timeout(pause) == Err(Timeout) {
        wear.look(store);
        let began = Instant::now();
        pause = match step(store) {
            Ok(true) => began.elapsed() / WRITERS_PART,
            Ok(false) => IDLE,
            Err(fault) => {
                // Should the store be lost, the next commit says so to those whom it concerns.
                tracing::warn!(fault = %chain(&fault), "the store could not be tended");
                AFTER_FAULT
            }
        };
    }
}

/// Does a little, and says whether there is more to do.
fn step(store: &Store) -> Result<bool, StoreError> {
    Ok(store.sweep()? > 0 || store.compact_step()?)
}
