//! The ledger: what became of the follow-ups of an order that were ever touched. Those that were not are not in it.

use std::sync::Arc;

use sidecart_catalog::{ProductId, Timestamp};
use sidecart_rules::FollowUpKind;

/// How long after the first failure a follow-up can be leased again; twice as long after each further one.
const BACK_OFF_MS: i64 = 5 * 60_000;
/// The longest such time.
const BACK_OFF_MAX_MS: i64 = 24 * 60 * 60_000;

/// Names one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u128);

/// What became of one follow-up of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is for.
    pub kind: FollowUpKind,
    /// Of a refill, of which product.
    pub product: Option<ProductId>,
    /// The newest lease of it.
    pub lease: Option<LeaseId>,
    /// How often it was leased.
    pub attempts: u32,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a follow-up stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is not to be leased before a moment.
    Waits {
        /// Which moment.
        until: Timestamp,
        /// Why.
        why: Wait,
    },
    /// It was sent, and is over.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// It is not to be sent, and is over.
    Skipped {
        /// When that was said.
        at: Timestamp,
        /// Why, for people.
        reason: Box<str>,
    },
}

/// Why a follow-up waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Somebody holds it.
    Leased,
    /// It could not be sent.
    Failed,
    /// It had nothing to offer, or came at no time to write. Not kept over a restart: it is found out anew.
    PutOff,
}

/// What the holder of a lease says became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was sent.
    Sent,
    /// It is not to be sent.
    Skipped(Box<str>),
    /// It could not be sent.
    Failed,
}

impl Step {
    /// Where it stands once its holder has said what became of it.
    pub(super) fn ended(&self, ending: &Ending, at: Timestamp) -> Standing {
        match ending {
            Ending::Sent => Standing::Sent { at },
            Ending::Skipped(reason) => Standing::Skipped { at, reason: reason.clone() },
            Ending::Failed => {
                let doublings = self.attempts.saturating_sub(1).min(16);
                let pause = BACK_OFF_MS.saturating_mul(1 << doublings).min(BACK_OFF_MAX_MS);
                Standing::Waits { until: at.plus_ms(pause), why: Wait::Failed }
            }
        }
    }

    /// Whether its holder has said the same already.
    pub(super) fn has_ended_so(&self, ending: &Ending) -> bool {
        match (&self.standing, ending) {
            (Standing::Sent { .. }, Ending::Sent) => true,
            (Standing::Skipped { reason, .. }, Ending::Skipped(given)) => reason == given,
            (Standing::Waits { why: Wait::Failed, .. }, Ending::Failed) => true,
            _ => false,
        }
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Sent { .. } | Standing::Skipped { .. })
    }
}

/// The step of a follow-up among those of its order.
pub(super) fn step<'a>(
    steps: &'a [Step],
    kind: FollowUpKind,
    product: Option<&ProductId>,
) -> Option<&'a Step> {
    steps.iter().find(|step| step.kind == kind && step.product.as_ref() == product)
}

/// The same steps with one in the place of the one before it.
pub(super) fn with_step(steps: &[Step], new: Step) -> Arc<[Step]> {
    let is_other = |step: &&Step| step.kind != new.kind || step.product != new.product;
    let mut list: Vec<Step> = steps.iter().filter(is_other).cloned().collect();
    list.push(new);
    list.sort_by(|a, b| (a.kind, &a.product).cmp(&(b.kind, &b.product)));
    list.into()
}
