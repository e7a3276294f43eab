//! The planner: when a model was learned or the catalog has changed, what shoppers bought runs out at other times than was
//! planned. It looks for those shoppers apart from all else, and has the writer plan anew for them, a few at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sidecart_catalog::{MerchantId, ShopperId};
use sidecart_scoring::{Snapshot, model::Model};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    change::{Change, Refusal, Submission},
    registry::Registry,
    services::now,
    writer::Writer,
};

/// How often it looks for new models.
const EVERY: Duration = Duration::from_secs(10);
/// How often it looks for what else has changed.
const ALL_EVERY: Duration = Duration::from_secs(60 * 60);
/// Shoppers that are planned anew in one write.
const SHOPPERS_MAX: usize = 500;

/// Keeps refills up to date.
pub(crate) struct Planner {
    registry: Arc<Registry>,
    writer: Writer,
    seen: HashMap<MerchantId, Seen>,
}

/// What a merchant's refills were last worked out from.
struct Seen {
    model: Arc<Model>,
    products: usize,
    generation: u64,
    at: Instant,
}

impl Planner {
    /// A planner for what is in `registry`, writing through `writer`. What was loaded at start is up to date.
    pub(crate) fn new(registry: Arc<Registry>, writer: Writer) -> Self {
        let all = registry.all().into_iter();
        let seen = all.map(|(merchant, slot)| (merchant, Seen::of(&slot.current().snapshot))).collect();
        Self { registry, writer, seen }
    }

    /// Looks at an interval, without end.
    pub(crate) async fn run(mut self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for (merchant, slot) in self.registry.all() {
                let current = slot.current();
                if current.degraded.is_some() || !self.is_due(&merchant, &current.snapshot) {
                    continue;
                }
                let seen = Seen::of(&current.snapshot);
                match self.plan(&merchant, current.snapshot.clone()).await {
                    Ok(()) => drop(self.seen.insert(merchant, seen)),
                    Err(fault) => tracing::warn!(%merchant, %fault, "refills could not be planned anew"),
                }
            }
        }
    }

    fn is_due(&self, merchant: &MerchantId, snapshot: &Snapshot) -> bool {
        self.seen.get(merchant).is_none_or(|seen| {
            let is_other = !Arc::ptr_eq(&seen.model, &snapshot.parts().model)
                || seen.products != snapshot.catalog().len();
            is_other || (seen.generation != snapshot.generation() && seen.at.elapsed() >= ALL_EVERY)
        })
    }

    async fn plan(&self, merchant: &MerchantId, snapshot: Arc<Snapshot>) -> Result<(), Refusal> {
        let stale = tokio::task::spawn_blocking(move || stale(&snapshot)).await;
        for shoppers in stale.map_err(|_| Refusal::Faulted)?.chunks(SHOPPERS_MAX) {
            let change = Change::RefreshRefills(shoppers.to_vec());
            let submission = Submission { merchant: merchant.clone(), at: now(), request: None, change };
            self.writer.submit(submission).await?;
        }
        Ok(())
    }
}

impl Seen {
    fn of(snapshot: &Snapshot) -> Self {
        let (model, products) = (snapshot.parts().model.clone(), snapshot.catalog().len());
        Self { model, products, generation: snapshot.generation(), at: Instant::now() }
    }
}

/// Shoppers of whom something runs out at another time than was planned.
fn stale(snapshot: &Snapshot) -> Vec<ShopperId> {
    let known = snapshot.known();
    let shoppers = snapshot.orders().shoppers().map(|(shopper, _)| shopper);
    shoppers.filter(|shopper| snapshot.follow_ups().is_stale(shopper, &known)).cloned().collect()
}
