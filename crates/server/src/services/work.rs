//! Heavy work: apart from the async threads, and where it holds much memory, only so much at once.

use std::{panic::resume_unwind, sync::Arc};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
    time::Instant,
};

use crate::{edge::Deadline, limits::REPLACEMENTS_MAX, status::Fault};

/// Whether a caller still waits for work that goes on step by step, apart from its call.
///
/// # Errors
/// The deadline has passed.
pub(crate) fn in_time(deadline: Deadline) -> Result<(), Fault> {
    match deadline.at() {
        Some(at) if Instant::now() >= at => Err(Fault::Deadline),
        _ => Ok(()),
    }
}

/// Runs `work` on a thread where it may take its time. The bound on calls of its class bounds how much runs at once.
///
/// # Errors
/// The server is going down.
///
/// # Panics
/// As `work`: the edge answers and counts a panic wherever it happened.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    match task::spawn_blocking(work).await {
        Ok(result) => Ok(result),
        Err(fault) if fault.is_panic() => resume_unwind(fault.into_panic()),
        Err(_) => Err(Fault::Internal),
    }
}

/// The room for uploads that are held whole before they are applied. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REPLACEMENTS_MAX)))
    }
}

impl Room {
    /// Takes a place until the permit is dropped.
    ///
    /// # Errors
    /// All are taken.
    pub(crate) fn take(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let full = |_| Fault::exhausted("REPLACEMENTS_FULL", "too many replacements and restores at once");
        self.0.clone().try_acquire_owned().map_err(full)
    }
}
