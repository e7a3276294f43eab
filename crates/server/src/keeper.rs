//! The keeper: writes export files of what changed, by time and at shutdown, as backup and last good view.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sidecart_catalog::MerchantId;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{archive, registry::Registry, store::exports};

/// How soon a new merchant is exported for the first time.
const NEW_EVERY: Duration = Duration::from_secs(1);

/// Writes export files; cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeper {
    data: PathBuf,
    registry: Arc<Registry>,
    /// The generation of each merchant's newest export. Held while exporting: one export at a time.
    exported: Arc<Mutex<HashMap<Box<str>, u64>>>,
}

impl Keeper {
    /// A keeper of what is in `registry`, knowing the exports already there.
    pub(crate) fn new(data: PathBuf, registry: Arc<Registry>) -> Self {
        let mut exported = HashMap::new();
        for file in exports::list(&data).unwrap_or_default() {
            let newest = exported.entry(file.header.merchant).or_default();
            *newest = file.header.generation.max(*newest);
        }
        Self { data, registry, exported: Arc::new(Mutex::new(exported)) }
    }

    /// Exports every merchant that has changed since its last export. Blocks: not for async threads.
    ///
    /// A last good view is not exported: it came from an export. A failure is logged, and tried again next time.
    pub(crate) fn export_changed(&self) {
        self.export(|known, generation| known != Some(generation));
    }

    /// Exports every merchant that never was, so that none is known to the store alone. Blocks.
    fn export_new(&self) {
        self.export(|known, _| known.is_none());
    }

    /// Exports a merchant as it is now, and removes all its older exports: somebody is not to be in any. Blocks.
    ///
    /// # Errors
    /// When the file system fails.
    pub(crate) fn export_only(&self, merchant: &MerchantId) -> io::Result<()> {
        let mut exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = self.registry.slot(merchant.as_str()) else { return Ok(()) };
        let current = slot.current();
        let header = archive::header(merchant, &current);
        exports::write_file(&self.data, &header, archive::rows(&current.snapshot))?;
        exported.insert(merchant.as_str().into(), header.generation);
        exports::remove_older(&self.data, merchant.as_str(), header.generation)
    }

    /// Exports the merchants for which `is_due`, given the generation of their newest export and their current one.
    fn export(&self, is_due: impl Fn(Option<u64>, u64) -> bool) {
        let mut exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
        for (merchant, slot) in self.registry.all() {
            let current = slot.current();
            let generation = current.snapshot.generation();
            if current.degraded.is_some() || !is_due(exported.get(merchant.as_str()).copied(), generation) {
                continue;
            }
            let header = archive::header(&merchant, &current);
            match exports::write_file(&self.data, &header, archive::rows(&current.snapshot)) {
                Ok(_) => drop(exported.insert(merchant.as_str().into(), generation)),
                Err(fault) => tracing::error!(%merchant, %fault, "an export could not be written"),
            }
        }
    }

    /// Exports what changed at an interval, and new merchants soon, without end. Off the async threads.
    pub(crate) async fn run(self, every: Duration) {
        let (mut ticks, mut last) = (tokio::time::interval(NEW_EVERY.min(every)), Instant::now());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (keeper, is_due) = (self.clone(), last.elapsed() >= every);
            if is_due {
                last = Instant::now();
            }
            let export = move || if is_due { keeper.export_changed() } else { keeper.export_new() };
            if tokio::task::spawn_blocking(export).await.is_err() {
                tracing::error!("exporting panicked");
            }
        }
    }
}
