//! What a reader sees: one snapshot of one merchant, taken once and used for the whole request.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{Desk, refusal};
use crate::{
    change::Refusal,
    convert::id,
    edge::Deadline,
    registry::{Published, Slot},
    status::Fault,
};

/// What a caller is told to wait whose generation has not come.
const RETRY_AFTER_GENERATION: Duration = Duration::from_millis(200);

impl Desk {
    /// A merchant's place.
    ///
    /// # Errors
    /// Not an id that a merchant can have, nothing is there, or the store is damaged so that nobody can tell.
    pub(crate) fn slot(&self, merchant_id: &str) -> Result<Arc<Slot>, Fault> {
        if let Some(slot) = self.registry.slot(merchant_id) {
            return Ok(slot);
        }
        let merchant = id::merchant(merchant_id)?;
        Err(match self.writer.refuses_all() {
            Some(Refusal::Degraded(cause)) => {
                let description =
                    format!("the store is damaged, and no export of the merchant was found: {cause}");
                Fault::precondition("STORE_DEGRADED", merchant.as_str(), description)
            }
            Some(refusal) => refusal::fault(refusal, &merchant, ""),
            None => Fault::not_found("merchant", merchant_id),
        })
    }

    /// The snapshot being served, of `min_generation` or later: waits for it as long as the deadline leaves time.
    ///
    /// # Errors
    /// As [`Desk::slot`], or the generation does not come in time, or before the server is going down.
    pub(crate) async fn view(
        &self,
        merchant_id: &str,
        min_generation: u64,
        deadline: Deadline,
    ) -> Result<Arc<Published>, Fault> {
        let slot = self.slot(merchant_id)?;
        let current = slot.current();
        if current.snapshot.generation() >= min_generation {
            return Ok(current);
        }
        let mut generation = slot.watch();
        let reached = generation.wait_for(|generation| *generation >= min_generation);
        let in_time = async {
            match deadline.answer_by() {
                Some(at) => timeout_at(at, reached).await.is_ok_and(|reached| reached.is_ok()),
                None => reached.await.is_ok(),
            }
        };
        let is_reached = tokio::select! {
            is_reached = in_time => is_reached,
            () = self.closing.closed() => return Err(refusal::shutting_down()),
        };
        if !is_reached {
            let message = format!("generation {min_generation} is not served yet");
            return Err(Fault::unavailable("GENERATION_NOT_REACHED", message, RETRY_AFTER_GENERATION));
        }
        Ok(slot.current())
    }
}

/// Whether there is time left for another attempt after a pause.
pub(crate) fn allows(deadline: Deadline, pause: Duration) -> bool {
    deadline.answer_by().is_none_or(|at| Instant::now() + pause < at)
}
