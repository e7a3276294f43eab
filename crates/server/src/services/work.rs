//! Heavy work, apart from the async threads.

use tokio::task;

use crate::status::Fault;

/// Runs `work` on a thread where it may take its time. The bound on calls of its class bounds how much runs at once.
///
/// # Errors
/// It panicked, or the server is going down.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    task::spawn_blocking(work).await.map_err(|_| {
        tracing::error!("work apart from the async threads ended without a result");
        Fault::Internal
    })
}
