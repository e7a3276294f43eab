//! The end of the server, for calls that would otherwise go on without end.

use tokio::sync::watch;

/// Tells endless calls that the server is closing. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Closing(watch::Sender<bool>);

impl Default for Closing {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Closing {
    /// Says that the server is closing.
    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the server is closing.
    pub(crate) async fn closed(&self) {
        let mut closing = self.0.subscribe();
        // The sender is ours, so it cannot be gone.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}
