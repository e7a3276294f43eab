//! Upkeep of the store, on a thread of its own, in steps between which writers get their turn.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError::Timeout},
    time::{Duration, Instant},
};

use crate::store::{Store, StoreError, chain};

/// How long until the next look when there is nothing to do.
const IDLE: Duration = Duration::from_millis(200);
/// How long until the next attempt after a fault, for instance a full disk.
const AFTER_FAULT: Duration = Duration::from_secs(60);

/// Sweeps the store and writes it anew when it is worn, until told to stop by the other end of `stop` being dropped.
/// As long as a step took, writers have the store for themselves after it.
pub(super) fn run(store: &Store, stop: &Receiver<()>) {
    let mut pause = IDLE;
    while stop.recv_timeout(pause) == Err(Timeout) {
        let began = Instant::now();
        pause = match step(store) {
            Ok(true) => began.elapsed(),
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
