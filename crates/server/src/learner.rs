//! The learner's place in the server: one model at a time, off the async threads, by schedule and on demand.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use sidecart_catalog::MerchantId;
use sidecart_scoring::{Orders, learn::learn, model::Model};
use tokio::{
    sync::{Semaphore, oneshot},
    time::{MissedTickBehavior, interval},
};

use crate::{
    change::{Change, Refusal, Submission},
    limits::{LEARNING_MAX, LEARNING_WAITING_MAX},
    registry::Registry,
    services::now,
    writer::Writer,
};

/// How nice the learner is to all else: as nice as can be.
#[cfg(target_os = "linux")]
const LEAST_PRIORITY: i32 = 19;
/// What is left of coverage or quality below which a model is taken for broken.
const COLLAPSE: f64 = 0.5;
/// Of fewer products that go with others, or of fewer questions, a fall by half is no more than chance.
const COVERED_MIN: usize = 10;
const ASKED_MIN: u64 = 100;

/// Learns; cheap to clone.
#[derive(Clone)]
pub(crate) struct Learner {
    registry: Arc<Registry>,
    writer: Writer,
    places: Arc<Semaphore>,
    /// Taken while waiting for a place, too.
    waiting: Arc<Semaphore>,
    /// The orders that each merchant's model was last learned from.
    learned: Arc<Mutex<HashMap<MerchantId, Orders>>>,
}

/// What was learned, and from which generation on it is served.
pub(crate) struct Learned {
    /// From this generation on, reads see it.
    pub(crate) generation: u64,
    /// What was learned.
    pub(crate) model: Arc<Model>,
}

/// Why nothing new is served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LearnError {
    /// The merchant has nothing.
    #[error("the merchant has nothing")]
    Nobody,
    /// There is no order, and nothing is served that was learned.
    #[error("there is no order to learn from")]
    NoOrders,
    /// Too many models are asked for already.
    #[error("too many models are waiting to be learned")]
    Busy,
    /// What was learned is much poorer than what is served.
    #[error("{0}")]
    Collapsed(String),
    /// It could not be published.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The learner panicked, or the server is going down.
    #[error("the learner met a fault of its own")]
    Faulted,
}

/// What to do with a model that is much poorer than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnCollapse {
    /// Serve what is served.
    Refuse,
    /// Serve it all the same.
    Accept,
}

/// How much of the machine a model may take. Readers and writers go before it either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// All cores: somebody waits.
    Full,
    /// One core.
    Quiet,
}

impl Learner {
    /// A learner of what is in `registry`, publishing through `writer`.
    pub(crate) fn new(registry: Arc<Registry>, writer: Writer) -> Self {
        let semaphore = |size| Arc::new(Semaphore::new(size));
        let (places, waiting) = (semaphore(LEARNING_MAX), semaphore(LEARNING_WAITING_MAX));
        Self { registry, writer, places, waiting, learned: Arc::default() }
    }

    /// Learns from a merchant's orders as they are now, and publishes the model if it is a new one.
    ///
    /// # Errors
    /// See [`LearnError`].
    pub(crate) async fn learn(
        &self,
        merchant: &MerchantId,
        on_collapse: OnCollapse,
        effort: Effort,
    ) -> Result<Learned, LearnError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| LearnError::Busy)?;
        let _place = self.places.acquire().await.map_err(|_| LearnError::Faulted)?;
        let slot = self.registry.slot(merchant.as_str()).ok_or(LearnError::Nobody)?;
        let before = slot.current().snapshot.clone();
        let threads = match effort {
            Effort::Full => thread::available_parallelism().map_or(1, usize::from),
            Effort::Quiet => 1,
        };
        let parts = before.parts().clone();
        let learning = behind_all_else(move || learn(&parts.orders, &parts.catalog, threads))?;
        let model = Arc::new(learning.await.map_err(|_| LearnError::Faulted)?);
        if model.is_empty() && before.model().is_empty() {
            return Err(LearnError::NoOrders);
        }
        let learned_from = || {
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.insert(merchant.clone(), before.orders().clone());
        };
        if on_collapse == OnCollapse::Refuse
            && let Some(why) = collapsed(before.model(), &model)
        {
            // The same orders would be refused again.
            learned_from();
            return Err(LearnError::Collapsed(why));
        }
        let change = Change::Learned(model.clone());
        let submission = Submission { merchant: merchant.clone(), at: now(), request: None, change };
        let receipt = self.writer.submit(submission).await?;
        learned_from();
        Ok(Learned { generation: receipt.generation, model })
    }

    /// Learns at an interval, without end, for each merchant whose orders have changed since the last time.
    pub(crate) async fn run(self, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once, and the models in the store are from before.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            for merchant in self.registry.merchants() {
                if !self.is_due(&merchant) {
                    continue;
                }
                match self.learn(&merchant, OnCollapse::Refuse, Effort::Quiet).await {
                    Ok(Learned { generation, .. }) => {
                        tracing::info!(%merchant, generation, "learned from orders");
                    }
                    Err(fault) => {
                        tracing::warn!(%merchant, %fault, "nothing new is served of what orders say");
                    }
                }
            }
        }
    }

    /// Whether a merchant has orders that were not learned from.
    fn is_due(&self, merchant: &MerchantId) -> bool {
        let Some(slot) = self.registry.slot(merchant.as_str()) else { return false };
        let current = slot.current();
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = learned.get(merchant).is_some_and(|orders| orders.is_same(current.snapshot.orders()));
        current.degraded.is_none() && !current.snapshot.orders().is_empty() && !is_known
    }
}

/// Work on a thread of its own, and on those that it starts, which runs when nothing else wants to: a learner never has
/// an answer wait for a core. Nothing comes out if the work panics.
fn behind_all_else<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>, LearnError> {
    let (done, out) = oneshot::channel();
    let run = move || {
        // Of one thread where threads have priorities of their own; elsewhere it would be that of the whole server.
        #[cfg(target_os = "linux")]
        if let Err(fault) = rustix::process::setpriority_process(None, LEAST_PRIORITY) {
            tracing::debug!(%fault, "the learner runs at the priority of all else");
        }
        // Nobody waits any more when the server is going down.
        drop(done.send(work()));
    };
    thread::Builder::new().name("learner".into()).spawn(run).map_err(|_| LearnError::Faulted)?;
    Ok(out)
}

/// In what a model is so much poorer than the one before that the orders must be wrong.
fn collapsed(before: &Model, after: &Model) -> Option<String> {
    let fell = |what: &str, was: f64, is: f64| {
        let sign = format!("{what} fell from {was} to {is}, below {} % of what is served", COLLAPSE * 100.0);
        (is < was * COLLAPSE).then_some(sign)
    };
    let (was, is) = (before.covered(), after.covered());
    let (known, found) = (&before.parts().facts, &after.parts().facts);
    let in_coverage = || fell("the number of products with affinities", was as f64, is as f64);
    let in_quality = || fell("quality", known.quality, found.quality);
    let of_coverage = (was >= COVERED_MIN || is == 0).then(in_coverage).flatten();
    of_coverage.or_else(|| (known.asked.min(found.asked) >= ASKED_MIN).then(in_quality).flatten())
}
