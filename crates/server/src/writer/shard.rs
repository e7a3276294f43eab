//! One writer thread: it takes what waits, lays it over drafts, commits, publishes and answers.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Receiver},
};

use bytes::Bytes;
use prost::Message as _;
use sidecart_catalog::MerchantId;
use sidecart_scoring::{Parts, Snapshot, orders::RecordedOrder};
use tokio::sync::oneshot;

use crate::{
    change::{Change, Receipt, Refusal},
    limits::WRITER_GROUP_MAX,
    registry::{Published, Registry, Slot},
    store::{Batch, RowKind, Store, StoreError, chain},
};

use super::{
    Header, Job,
    draft::Draft,
    prepare::{Work, refusal},
    remembered::{Remembered, RequestLog},
};

/// Items in one group after which no further change is taken into it: keeps a batch below the store's bound.
const GROUP_ITEMS_MAX: usize = 2_000;

/// Lines and changes of an order that are taken for one item: about what one row holds.
const LINES_OF_ITEM: usize = 16;

/// One writer thread's own.
pub(super) struct Shard {
    store: Arc<Store>,
    registry: Arc<Registry>,
    logs: HashMap<MerchantId, RequestLog>,
}

/// A merchant's part in a group.
struct Next {
    slot: Option<Arc<Slot>>,
    generation: u64,
    draft: Draft,
    /// Writes of this group to be remembered, by request id.
    remember: Vec<(Box<str>, Remembered)>,
}

type Reply = oneshot::Sender<Result<Receipt, Refusal>>;

impl Shard {
    pub(super) fn new(
        store: Arc<Store>,
        registry: Arc<Registry>,
        logs: HashMap<MerchantId, RequestLog>,
    ) -> Self {
        Self { store, registry, logs }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            self.group(first, jobs);
        }
    }

    /// Takes what waits behind `first`, and commits it together.
    ///
    /// Should laying a change panic, the whole group is given up: nothing of it was committed, and its callers learn
    /// of the fault.
    fn group(&mut self, first: Job, jobs: &Receiver<Job>) {
        let gathered = catch_unwind(AssertUnwindSafe(|| self.gather(first, jobs)));
        match gathered {
            Ok(group) => self.commit(group),
            Err(_) => tracing::error!("a change made the writer panic, and its group was given up"),
        }
    }

    fn gather(&self, first: Job, jobs: &Receiver<Job>) -> Group {
        let mut group = Group::default();
        let mut job = Some(first);
        while let Some(taken) = job.take() {
            self.lay(taken, &mut group);
            if group.items < GROUP_ITEMS_MAX && group.jobs < WRITER_GROUP_MAX {
                job = jobs.try_recv().ok();
            }
        }
        group
    }

    /// Lays one change over its merchant's draft; what is refused or was done before is answered at once.
    fn lay(&self, job: Job, group: &mut Group) {
        let Job { submission, work, reply, _place } = job;
        group.jobs += 1;
        group.items += weight(&work);
        let next = group
            .merchants
            .entry(submission.merchant.clone())
            .or_insert_with(|| Next::new(&self.registry, &submission));
        match next.lay(self.logs.get(&submission.merchant), submission, work) {
            Ok(receipt) => group.replies.push((reply, receipt)),
            Err(refused) => drop(reply.send(Err(refused))),
        }
    }

    fn commit(&mut self, group: Group) {
        let Group { mut merchants, replies, .. } = group;
        let mut batch = Batch::default();
        for (merchant, next) in &mut merchants {
            next.write_into(&mut batch, merchant, self.logs.entry(merchant.clone()).or_default());
        }
        match self.store.commit(batch) {
            Ok(()) => {
                merchants.into_iter().for_each(|(merchant, next)| next.publish(&self.registry, &merchant));
                replies.into_iter().for_each(|(reply, receipt)| drop(reply.send(Ok(receipt))));
            }
            Err(fault) => {
                for (merchant, next) in &merchants {
                    let log = self.logs.entry(merchant.clone()).or_default();
                    next.remember.iter().for_each(|(id, _)| log.remove(id));
                }
                let refused = self.failed(fault);
                replies.into_iter().for_each(|(reply, _)| drop(reply.send(Err(refused.clone()))));
            }
        }
    }

    /// Says what a failed commit means. After a fault of the engine all merchants go on from memory, marked degraded.
    fn failed(&self, fault: StoreError) -> Refusal {
        let reason = chain(&fault);
        tracing::error!(%reason, "a commit failed");
        let (StoreError::Io { .. } | StoreError::Lost { .. }) = fault else { return refusal(fault) };
        for merchant in self.registry.merchants() {
            self.registry.degrade(&merchant, &reason);
        }
        Refusal::Uncertain(reason)
    }
}

/// Changes that are committed together.
#[derive(Default)]
struct Group {
    merchants: BTreeMap<MerchantId, Next>,
    replies: Vec<(Reply, Receipt)>,
    jobs: usize,
    items: usize,
}

impl Next {
    fn new(registry: &Registry, submission: &Header) -> Self {
        let slot = registry.slot(submission.merchant.as_str());
        let current = slot.as_ref().map(|slot| slot.current());
        let generation = current.as_ref().map_or(0, |current| current.snapshot.generation());
        let parts = current.map_or_else(Parts::default, |current| current.snapshot.parts().clone());
        Self { slot, generation, draft: Draft::new(parts, submission.at), remember: Vec::new() }
    }

    /// Whether the draft differs from what is served.
    fn differs(&self) -> bool {
        self.draft.changed > 0
    }

    fn lay(&mut self, log: Option<&RequestLog>, submission: Header, work: Work) -> Result<Receipt, Refusal> {
        let Header { at, request, cause, .. } = submission;
        if let Some(key) = &request {
            let own = self.remember.iter().find(|(id, _)| *id == key.id).map(|(_, remembered)| remembered);
            match own.or_else(|| log?.get(&key.id, at)) {
                Some(done) if *done.digest == key.digest => return Ok(done.receipt()),
                Some(_) => return Err(Refusal::RequestIdReused),
                None => {}
            }
        }
        let changed = self.draft.changed;
        let outcomes = match work {
            Work::Change(change) => self.draft.apply(change)?,
            Work::Replacement(replacement) => self.draft.replace(*replacement),
            Work::Refused(refusal) => return Err(refusal),
        };
        if self.draft.changed > changed {
            self.draft.cause = cause;
        }
        self.draft.at = self.draft.at.max(at);
        let generation = self.generation + u64::from(self.differs());
        let receipt = Receipt { generation, outcomes };
        if let Some(key) = request.filter(|_| self.slot.is_some() || self.differs()) {
            self.remember.push((key.id, Remembered::new(at, key.digest, &receipt)));
        }
        Ok(receipt)
    }

    /// Adds the draft's rows and what is to be remembered to a commit.
    fn write_into(&mut self, batch: &mut Batch, merchant: &MerchantId, log: &mut RequestLog) {
        if !self.differs() && self.remember.is_empty() {
            return;
        }
        // Compiled before it is committed, like all that is served.
        self.draft.parts.catalog.settle_names();
        let part = batch.merchant(merchant.as_str(), self.generation + u64::from(self.differs()));
        self.draft.write_into(part);
        for (id, remembered) in &self.remember {
            part.put(RowKind::Request, id.as_bytes(), Bytes::from(remembered.encode_to_vec()));
            for forgotten in log.insert(id.clone(), remembered.clone()) {
                part.delete(RowKind::Request, forgotten.as_bytes());
            }
        }
    }

    /// Serves the draft. It is durable.
    fn publish(self, registry: &Registry, merchant: &MerchantId) {
        if !self.differs() {
            return;
        }
        let Draft { parts, changed, streamed_only, cause, at, .. } = self.draft;
        let snapshot = Arc::new(Snapshot::new(self.generation + 1, parts));
        let published = Published { snapshot, created_at: at, cause, changed, streamed_only, degraded: None };
        registry.publish(merchant, published);
    }
}

/// How much of a commit's room a change may take, in items.
fn weight(work: &Work) -> usize {
    match work {
        Work::Change(Change::UpsertProducts(items)) => items.len(),
        Work::Change(Change::SetOffers(items)) => items.len(),
        Work::Change(Change::DeleteProducts(items)) => items.len(),
        Work::Change(Change::UpsertRules(items)) => items.len(),
        Work::Change(Change::DeleteRules(items)) => items.len(),
        Work::Change(Change::LeaseFollowUps(claims)) => 1 + claims.leases.len(),
        Work::Change(Change::EraseShopper { orders_max, .. }) => *orders_max,
        Work::Change(Change::CompleteFollowUps(items)) => items.len(),
        Work::Change(Change::RecordOrders(items)) => items.iter().map(weight_of_order).sum(),
        Work::Change(_) | Work::Replacement(_) | Work::Refused(_) => 1,
    }
}

/// An order of many lines takes more rows than one, and counts as so many items.
fn weight_of_order(order: &RecordedOrder) -> usize {
    let lines = order.statement().map_or(0, |statement| statement.lines.len());
    1 + (lines + order.changes().len()) / LINES_OF_ITEM
}
