//! The writer: the only place that changes anything.
//!
//! A dedicated thread for each shard of merchants takes groups of changes, lays them over drafts, commits the drafts
//! in one atomic batch, makes that durable, and only then publishes. Reads never wait for it.

mod draft;
mod prepare;
mod quota;
mod remembered;
mod rows;
mod shard;
mod upkeep;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use sidecart_catalog::MerchantId;
use tokio::sync::oneshot;

use crate::{
    change::{Receipt, Refusal, Submission},
    limits::WRITER_QUEUE_MAX,
    registry::{MERCHANTS_MAX, Registry},
    store::Store,
};

pub(crate) use prepare::{parts_of, store_whole};
pub(crate) use remembered::{Remembered, RequestLog};
pub(crate) use rows::{OptedOut, Record, Steps};
pub(crate) use upkeep::Wear;
use {
    prepare::Work,
    quota::{Place, Quota},
    shard::Shard,
};

/// How often it is looked whether the store's files are written anew.
const REWRITE_LOOK: Duration = Duration::from_millis(50);

/// A handle to the writer threads. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Threads>);

struct Threads {
    registry: Arc<Registry>,
    quota: Quota,
    store: Mutex<Result<Arc<Store>, Refusal>>,
    /// Emptied to shut down.
    queues: Mutex<Vec<SyncSender<Job>>>,
    /// Emptied to shut down: ends the upkeep of the store.
    upkeep: Mutex<Option<SyncSender<()>>>,
    joins: Mutex<Vec<JoinHandle<()>>>,
    wear: Option<Arc<Wear>>,
}

/// A change on its way to its writer, and the way back.
struct Job {
    submission: Header,
    work: Work,
    reply: oneshot::Sender<Result<Receipt, Refusal>>,
    /// Held until the job is done.
    _place: Place,
}

/// What a submission says besides its change.
struct Header {
    merchant: MerchantId,
    at: sidecart_catalog::Timestamp,
    request: Option<crate::change::RequestKey>,
    cause: &'static str,
}

impl Writer {
    /// Starts the writer threads over an open store.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(crate) fn start(
        store: Arc<Store>,
        registry: Arc<Registry>,
        shard_count: usize,
        mut logs: std::collections::HashMap<MerchantId, RequestLog>,
    ) -> std::io::Result<Self> {
        let (mut queues, mut joins) = (Vec::new(), Vec::new());
        for index in 0..shard_count {
            let (queue, jobs) = sync_channel(WRITER_QUEUE_MAX / shard_count);
            let own: Vec<_> =
                logs.keys().filter(|merchant| shard_of(merchant, shard_count) == index).cloned().collect();
            let logs = own.into_iter().filter_map(|merchant| logs.remove_entry(&merchant)).collect();
            let shard = Shard::new(store.clone(), registry.clone(), logs);
            joins.push(
                thread::Builder::new().name(format!("writer-{index}")).spawn(move || shard.run(&jobs))?,
            );
            queues.push(queue);
        }
        let (upkeep, stop) = sync_channel(0);
        let (tended, wear) = (store.clone(), Arc::<Wear>::default());
        let seen = wear.clone();
        joins.push(
            thread::Builder::new().name("upkeep".into()).spawn(move || upkeep::run(&tended, &seen, &stop))?,
        );
        Ok(Self(Arc::new(Threads {
            registry,
            quota: Quota::default(),
            store: Mutex::new(Ok(store)),
            queues: Mutex::new(queues),
            upkeep: Mutex::new(Some(upkeep)),
            joins: Mutex::new(joins),
            wear: Some(wear),
        })))
    }

    /// A writer that refuses everything, because the store did not open.
    pub(crate) fn degraded(registry: Arc<Registry>, reason: String) -> Self {
        Self(Arc::new(Threads {
            registry,
            quota: Quota::default(),
            store: Mutex::new(Err(Refusal::Degraded(reason))),
            queues: Mutex::default(),
            upkeep: Mutex::default(),
            joins: Mutex::default(),
            wear: None,
        }))
    }

    /// Submits a write and waits until it is durable and visible.
    /// Once queued it lands whether or not the caller still waits; heavy changes are first prepared on a blocking
    /// thread, and are not queued if the caller gives up meanwhile.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(crate) async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal> {
        let threads = &*self.0;
        let store = threads.store.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let Submission { merchant, at, request, change } = submission;
        let slot = threads.registry.slot(merchant.as_str());
        if let Some(reason) = slot.as_ref().and_then(|slot| slot.current().degraded.clone()) {
            return Err(Refusal::Degraded(reason.to_string()));
        }
        if slot.is_none() && threads.registry.len() >= MERCHANTS_MAX {
            return Err(Refusal::TooManyMerchants);
        }
        let place = threads.quota.take(&merchant).ok_or(Refusal::Full)?;
        let header = Header { merchant, at, request, cause: change.cause() };
        let work = if prepare::is_heavy(&change) {
            let (registry, merchant) = (threads.registry.clone(), header.merchant.clone());
            let prepared =
                tokio::task::spawn_blocking(move || prepare::prepare(&store, &registry, &merchant, change))
                    .await;
            prepared.map_err(|_| Refusal::Closed)?.unwrap_or_else(Work::Refused)
        } else {
            Work::Change(change)
        };
        let (reply, answer) = oneshot::channel();
        self.queue(Job { submission: header, work, reply, _place: place })?;
        answer.await.unwrap_or(Err(Refusal::Faulted))
    }

    /// Has the store's files written anew from what counts now, and waits until nothing else is left in them.
    ///
    /// # Errors
    /// The store is damaged, or the server is going down.
    pub(crate) async fn rewrite_store(&self) -> Result<(), Refusal> {
        let store = || self.0.store.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let number = store()?.ask_rewrite();
        loop {
            tokio::time::sleep(REWRITE_LOOK).await;
            if store()?.is_rewritten(number).map_err(prepare::refusal)? {
                return Ok(());
            }
        }
    }

    /// What the store takes of the disk, unless it did not open.
    pub(crate) fn wear(&self) -> Option<Arc<Wear>> {
        self.0.wear.clone()
    }

    /// Why no write can be taken, of any merchant: the store did not open, or the server is going down.
    pub(crate) fn refuses_all(&self) -> Option<Refusal> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner).as_ref().err().cloned()
    }

    fn queue(&self, job: Job) -> Result<(), Refusal> {
        let queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.get(shard_of(&job.submission.merchant, queues.len())).ok_or(Refusal::Closed)?;
        queue.try_send(job).map_err(|fault| match fault {
            TrySendError::Full(_) => Refusal::Full,
            TrySendError::Disconnected(_) => Refusal::Closed,
        })
    }

    /// Takes no more writes, and when those that were queued are done gives the store back, unless it did not open or
    /// an upload is still being staged. Blocks: not for async threads.
    pub(crate) fn join(&self) -> Option<Store> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.0.upkeep.lock().unwrap_or_else(PoisonError::into_inner).take();
        for join in self.0.joins.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if join.join().is_err() {
                tracing::error!("a writer thread panicked");
            }
        }
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::into_inner(std::mem::replace(&mut *store, Err(Refusal::Closed)).ok()?)
    }
}

/// Which thread writes for a merchant. The same within a process; nothing stored depends on it.
fn shard_of(merchant: &MerchantId, shard_count: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    merchant.hash(&mut hasher);
    usize::try_from(hasher.finish() % (shard_count.max(1) as u64)).unwrap_or(0)
}
