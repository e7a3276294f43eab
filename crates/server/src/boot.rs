//! From the store to the first snapshots: what is sound is served as it is; what is damaged is named, and served from
//! its last good export.

use std::{collections::HashMap, io, path::Path};

use prost::Message as _;
use sidecart_catalog::{MerchantId, Timestamp};
use sidecart_scoring::{Parts, Snapshot};

use crate::{
    archive::{self, ArchiveError},
    change::{Refusal, Truth},
    registry::{Published, Registry},
    store::{self, OpenError, RowKind, Store, StoreError, StoreOptions, exports},
    writer::{Remembered, RequestLog, parts_of, store_whole},
};

/// What a generation is raised by when a merchant is repaired from an export, so that it lies above all that were
/// acknowledged since the export was taken.
pub const REPAIR_LEAP: u64 = 1 << 32;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The store cannot be opened, for a reason that is not damage.
    #[error("the store cannot be opened")]
    Open(#[source] OpenError),
    /// The export files cannot be listed.
    #[error("the export files cannot be read")]
    Exports(#[source] io::Error),
    /// The repaired store cannot be written.
    #[error("the repaired store cannot be written")]
    Repair(#[source] StoreError),
}

/// What a server starts from.
pub(crate) struct Booted {
    /// The open store, or what is wrong with all of it.
    pub(crate) store: Result<Store, String>,
    /// Answered writes, by merchant.
    pub(crate) logs: HashMap<MerchantId, RequestLog>,
}

/// Opens the store and publishes what it holds.
///
/// # Errors
/// See [`BootError`]. Damage is no error: the last good view is served.
pub(crate) fn boot(data: &Path, options: &StoreOptions, registry: &Registry) -> Result<Booted, BootError> {
    match Store::open(data, options) {
        Ok(store) => {
            let logs = publish_all(&store, data, registry);
            Ok(Booted { store: Ok(store), logs })
        }
        Err(fault @ (OpenError::Io { .. } | OpenError::Locked { .. } | OpenError::Newer { .. })) => {
            Err(BootError::Open(fault))
        }
        Err(damage) => {
            let reason = store::chain(&damage);
            tracing::error!(%reason, "the store is damaged: serving the last good exports, read-only");
            let mut merchants: Vec<_> = exports::list(data).map_err(BootError::Exports)?;
            merchants.dedup_by(|a, b| a.header.merchant == b.header.merchant);
            for exported in merchants {
                if let Ok(merchant) = MerchantId::new(&exported.header.merchant) {
                    publish_last_good(data, registry, &merchant, exported.header.generation, &reason);
                }
            }
            Ok(Booted { store: Err(reason), logs: HashMap::new() })
        }
    }
}

/// Sets a damaged store aside and writes a new one from what is served: sound merchants as they are, damaged ones from
/// their last good export.
///
/// # Errors
/// See [`BootError`].
pub(crate) fn repair(
    booted: Booted,
    data: &Path,
    options: &StoreOptions,
    registry: &Registry,
) -> Result<Booted, BootError> {
    let is_degraded = |merchant: &MerchantId| {
        registry.slot(merchant.as_str()).is_some_and(|slot| slot.current().degraded.is_some())
    };
    if booted.store.is_ok() && !registry.merchants().iter().any(is_degraded) {
        return Ok(booted);
    }
    drop(booted.store);
    let aside = store::set_aside(data).map_err(BootError::Open)?;
    tracing::warn!(aside = %aside.display(), "the damaged store was set aside");
    let fresh = Store::open(data, options).map_err(BootError::Open)?;
    for merchant in registry.merchants() {
        let Some(current) = registry.slot(merchant.as_str()).map(|slot| slot.current()) else { continue };
        let leap = if current.degraded.is_some() { REPAIR_LEAP } else { 1 };
        let generation = current.snapshot.generation() + leap;
        let parts = current.snapshot.parts().clone();
        store_whole(&fresh, &merchant, generation, &parts).map_err(BootError::Repair)?;
        registry.publish(&merchant, published(generation, parts, current.created_at, None));
    }
    Ok(Booted { store: Ok(fresh), logs: HashMap::new() })
}

fn publish_all(store: &Store, data: &Path, registry: &Registry) -> HashMap<MerchantId, RequestLog> {
    let mut logs = HashMap::new();
    for state in store.merchants() {
        let Ok(merchant) = MerchantId::new(&state.merchant) else { continue };
        match load(store, &merchant) {
            Ok((parts, log, at)) => {
                registry.publish(&merchant, published(state.generation, parts, at, None));
                logs.insert(merchant, log);
            }
            Err(fault) => {
                let reason = store::chain(&fault);
                tracing::error!(%merchant, %reason, "a merchant is damaged: serving its last good export, read-only");
                publish_last_good(data, registry, &merchant, state.generation, &reason);
            }
        }
    }
    logs
}

/// Why a merchant's rows cannot be served.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Record(#[from] ArchiveError),
    #[error("what is stored does not go together: {0}")]
    Parts(Refusal),
}

/// The parts of a merchant, its answered writes, and when the newest of these was received.
fn load(store: &Store, merchant: &MerchantId) -> Result<(Parts, RequestLog, Timestamp), LoadError> {
    let (mut truth, mut requests, mut fault) = (Truth::default(), Vec::new(), None);
    store.load(merchant.as_str(), |row| {
        if row.kind == RowKind::Request {
            let remembered = Remembered::decode(&*row.value).ok();
            requests.extend(remembered.map(|done| (String::from_utf8_lossy(&row.id).into(), done)));
            return;
        }
        if let Err(invalid) = archive::take(&mut truth, row.kind, &row.id, &row.value) {
            fault.get_or_insert(invalid);
        }
    })?;
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    let log = RequestLog::new(requests);
    let at = log.newest().unwrap_or(Timestamp::from_ms(0));
    Ok((parts_of(truth).map_err(LoadError::Parts)?, log, at))
}

/// Serves a merchant's newest readable export, or, without one, nothing: either way marked as degraded, so that
/// nothing is written over what may still be saved.
fn publish_last_good(data: &Path, registry: &Registry, merchant: &MerchantId, generation: u64, reason: &str) {
    let (generation, parts, at, reason) = match last_good(data, merchant) {
        Ok(Some((header, parts))) => {
            let at = Timestamp::from_ms(header.created_ms);
            (header.generation, parts, at, reason.to_owned())
        }
        Ok(None) => (
            generation,
            Parts::default(),
            Timestamp::from_ms(0),
            format!("{reason}; there is no readable export"),
        ),
        Err(fault) => {
            (generation, Parts::default(), Timestamp::from_ms(0), format!("{reason}; its export: {fault}"))
        }
    };
    registry.publish(merchant, published(generation, parts, at, Some(&reason)));
}

fn last_good(
    data: &Path,
    merchant: &MerchantId,
) -> Result<Option<(store::export::Header, Parts)>, LoadError> {
    let newest = exports::newest_readable(data, merchant.as_str()).map_err(store::export::ExportError::from);
    let Some(exported) = newest.map_err(ArchiveError::from)? else { return Ok(None) };
    let mut file = exports::read_file(&exported.path).map_err(ArchiveError::from)?;
    let truth = archive::read_rows(&mut file)?;
    Ok(Some((exported.header, parts_of(truth).map_err(LoadError::Parts)?)))
}

fn published(generation: u64, parts: Parts, at: Timestamp, degraded: Option<&str>) -> Published {
    let changed = parts.catalog.len() + parts.rules.len() + parts.policies.len();
    Published {
        snapshot: std::sync::Arc::new(Snapshot::new(generation, parts)),
        created_at: at,
        cause: "Start",
        changed,
        catalog_only: false,
        degraded: degraded.map(Into::into),
    }
}
