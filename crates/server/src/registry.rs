//! The merchants and the snapshot each is served from: the only home of `ArcSwap`.
//!
//! A reader takes one snapshot and uses it for the whole request; it touches no lock.

#![expect(clippy::disallowed_types, reason = "this module is the home of ArcSwap")]

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use sidecart_catalog::{MerchantId, Timestamp};
use sidecart_scoring::{FollowUps, Orders, Parts, Snapshot};
use tokio::sync::watch;

use crate::{change::ERASE, limits::SNAPSHOTS_KEPT_MAX};

/// A snapshot with what is said about it.
#[derive(Clone)]
pub(crate) struct Published {
    /// The snapshot.
    pub snapshot: Arc<Snapshot>,
    /// When it was published.
    pub created_at: Timestamp,
    /// The call that made it, such as `UpsertRules`.
    pub cause: &'static str,
    /// How many products, rules, policies and orders differ from the generation before.
    pub changed: usize,
    /// Whether it differs from the generation before only in what streams in: products and orders.
    pub streamed_only: bool,
    /// What was damaged, when this is a last good view.
    pub degraded: Option<Arc<str>>,
}

/// Most generations kept for comparing and rolling back.
pub(crate) const HISTORY_MAX: usize = SNAPSHOTS_KEPT_MAX;
/// Of these, how many may differ from the one before only in what streams in:
/// a stream of price changes and orders must not push out what people want to go back to.
const STREAMED_ONLY_MAX: usize = HISTORY_MAX / 2;
/// Most changes between the kept generations, together: what they do not share costs memory.
const HISTORY_CHANGES_MAX: usize = 1_000_000;

/// Models that the kept generations hold, together.
const MODELS_KEPT_MAX: usize = 2;

/// Most merchants that one server holds.
pub(crate) const MERCHANTS_MAX: usize = 10_000;

/// One merchant's place: the snapshot being served, and those before it.
pub(crate) struct Slot {
    current: ArcSwap<Published>,
    history: Mutex<VecDeque<Arc<Published>>>,
    generation: watch::Sender<u64>,
    leasing: tokio::sync::Mutex<()>,
}

/// All merchants.
#[derive(Default)]
pub(crate) struct Registry {
    slots: ArcSwap<HashMap<MerchantId, Arc<Slot>>>,
}

impl Slot {
    fn new(first: Arc<Published>) -> Self {
        Self {
            generation: watch::Sender::new(first.snapshot.generation()),
            history: Mutex::new(VecDeque::from([first.clone()])),
            current: ArcSwap::new(first),
            leasing: tokio::sync::Mutex::default(),
        }
    }

    /// The snapshot being served.
    pub(crate) fn current(&self) -> Arc<Published> {
        self.current.load_full()
    }

    /// One turn to choose follow-ups and lease them: two that choose at once would choose the same.
    pub(crate) async fn leasing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.leasing.lock().await
    }

    /// The generation being served, now and whenever it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// The kept generations, newest first.
    pub(crate) fn history(&self) -> Vec<Arc<Published>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// A kept generation.
    pub(crate) fn kept(&self, generation: u64) -> Option<Arc<Published>> {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.iter().find(|published| published.snapshot.generation() == generation).cloned()
    }

    /// Serves a new snapshot. A generation published again, with other remarks, replaces itself. Only the writer calls this.
    fn publish(&self, next: Arc<Published>) {
        let generation = next.snapshot.generation();
        self.current.store(next.clone());
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.back().is_some_and(|last| last.snapshot.generation() == generation) {
            history.pop_back();
        }
        retire(&mut history, &next);
        history.push_back(next);
        forget_models(&mut history);
        if history.back().is_some_and(|last| last.cause == ERASE) {
            forget_orders(&mut history);
        }
        drop(history);
        self.generation.send_replace(generation);
    }
}

/// Takes the models out of generations older than the last [`MODELS_KEPT_MAX`] models: each is large, nothing goes back
/// to one, and orders teach the newest anew.
fn forget_models(history: &mut VecDeque<Arc<Published>>) {
    let (mut seen, mut newest) = (0, None);
    for kept in history.iter_mut().rev() {
        let model = &kept.snapshot.parts().model;
        if newest.as_ref().is_none_or(|newest| !Arc::ptr_eq(newest, model)) {
            seen += 1;
            newest = Some(model.clone());
        }
        if seen > MODELS_KEPT_MAX && !model.is_empty() {
            let parts = Parts { model: Arc::default(), ..kept.snapshot.parts().clone() };
            let snapshot = Arc::new(Snapshot::new(kept.snapshot.generation(), parts));
            *kept = Arc::new(Published { snapshot, ..Published::clone(kept) });
        }
    }
}

/// Takes orders and follow-ups out of all generations but the newest: nothing goes back to them, and a shopper was erased.
fn forget_orders(history: &mut VecDeque<Arc<Published>>) {
    let older = history.len().saturating_sub(1);
    for kept in history.iter_mut().take(older).filter(|kept| !kept.snapshot.orders().is_empty()) {
        let parts = Parts {
            orders: Orders::default(),
            follow_ups: FollowUps::default(),
            ..kept.snapshot.parts().clone()
        };
        let snapshot = Arc::new(Snapshot::new(kept.snapshot.generation(), parts));
        *kept = Arc::new(Published { snapshot, ..Published::clone(kept) });
    }
}

/// Makes room for the next generation.
fn retire(history: &mut VecDeque<Arc<Published>>, next: &Published) {
    while history.len() >= HISTORY_MAX {
        let streamed_only = history.iter().filter(|kept| kept.streamed_only).count();
        let oldest = match history.iter().position(|kept| kept.streamed_only) {
            Some(oldest) if streamed_only >= STREAMED_ONLY_MAX => oldest,
            _ => 0,
        };
        history.remove(oldest);
    }
    let mut changes = next.changed + history.iter().map(|kept| kept.changed).sum::<usize>();
    while changes > HISTORY_CHANGES_MAX
        && let Some(oldest) = history.pop_front()
    {
        changes -= oldest.changed;
    }
}

impl Registry {
    /// A merchant's place, if it has one.
    pub(crate) fn slot(&self, merchant: &str) -> Option<Arc<Slot>> {
        self.slots.load().get(merchant).cloned()
    }

    /// How many merchants there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.load().len()
    }

    /// All merchants, in no order.
    pub(crate) fn merchants(&self) -> Vec<MerchantId> {
        self.slots.load().keys().cloned().collect()
    }

    /// All merchants with their places, in no order.
    pub(crate) fn all(&self) -> Vec<(MerchantId, Arc<Slot>)> {
        self.slots.load().iter().map(|(merchant, slot)| (merchant.clone(), slot.clone())).collect()
    }

    /// Serves a new snapshot of a merchant. Only writers call this, each for its own merchants.
    pub(crate) fn publish(&self, merchant: &MerchantId, next: Published) {
        let next = Arc::new(next);
        if let Some(slot) = self.slot(merchant.as_str()) {
            slot.publish(next);
            return;
        }
        let slot = Arc::new(Slot::new(next));
        self.slots.rcu(|slots| {
            let mut slots = HashMap::clone(slots);
            slots.insert(merchant.clone(), slot.clone());
            slots
        });
    }

    /// Marks what a merchant is served from as a last good view. Only writers call this.
    pub(crate) fn degrade(&self, merchant: &MerchantId, reason: &str) {
        let Some(slot) = self.slot(merchant.as_str()) else { return };
        let current = slot.current();
        slot.publish(Arc::new(Published {
            snapshot: current.snapshot.clone(),
            created_at: current.created_at,
            cause: current.cause,
            changed: current.changed,
            streamed_only: current.streamed_only,
            degraded: Some(reason.into()),
        }));
    }
}
