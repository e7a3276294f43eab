//! What a refused write means to its caller.

use std::time::Duration;

use sidecart_catalog::MerchantId;

use crate::{change::Refusal, convert::outcome::Place, limits, status::Fault};

/// What a caller is told to wait when the server is going down, or cannot tell whether a write landed.
const RETRY_AFTER_RESTART: Duration = Duration::from_secs(1);

/// What is answered when the server is going down.
pub(crate) fn shutting_down() -> Fault {
    Fault::unavailable("SHUTTING_DOWN", "the server is shutting down", RETRY_AFTER_RESTART)
}

/// The fault that a refusal is answered with; `list` is the field of the request that the change was made from.
pub(crate) fn fault(refusal: Refusal, merchant: &MerchantId, list: &'static str) -> Fault {
    match refusal {
        Refusal::Full => Fault::exhausted("WRITER_QUEUE_FULL", "too many writes are waiting"),
        Refusal::TooManyMerchants => Fault::exhausted("TOO_MANY_MERCHANTS", "there are too many merchants"),
        Refusal::Closed => shutting_down(),
        Refusal::Uncertain(cause) => {
            tracing::error!(%merchant, cause, "a commit failed, and whether it is on disk is not known");
            let message = "the write may or may not have landed: send it again with the same request_id";
            Fault::unavailable("WRITE_UNCERTAIN", message, RETRY_AFTER_RESTART)
        }
        Refusal::Degraded(cause) => {
            let description =
                format!("nothing can be written until an operator has seen to the store: {cause}");
            Fault::precondition("STORE_DEGRADED", merchant.as_str(), description)
        }
        refused @ Refusal::RequestIdReused => Fault::invalid("request_id", refused.to_string()),
        refused @ Refusal::TooLarge => Fault::invalid(list, refused.to_string()),
        Refusal::NotKept(generation) => Fault::not_found("generation", generation.to_string()),
        Refusal::Rejected(items) => {
            let located = |(index, fault)| Place { list, index }.locate(fault);
            Fault::Invalid(items.into_iter().take(limits::IMPORT_ERRORS_MAX).map(located).collect())
        }
        Refusal::Faulted => Fault::Internal,
    }
}
