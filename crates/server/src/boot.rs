//! From the store to the first snapshots: what is sound is served as it is; what is damaged is named, and served from
//! its last good export.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use prost::Message as _;
use sidecart_catalog::{MerchantId, Timestamp};
use sidecart_scoring::{Parts, Snapshot};

use crate::{
    archive::{self, ArchiveError},
    change::{Refusal, Truth},
    registry::{Published, Registry},
    store::{
        self, OpenError, RebuildError, RowKind, Store, StoreError, StoreOptions,
        exports::{self, Exported},
    },
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
    Repair(#[source] RebuildError),
    /// A repair would leave merchants with nothing.
    #[error(
        "nothing readable is left of {}: put an export file of each back under `exports/`, or give it up (--give-up)",
        names(.0)
    )]
    NothingLeft(Vec<MerchantId>),
    /// A merchant was given up of which something is left, or nothing is known.
    #[error("merchant `{0}` is none of which nothing readable is left, so it is not given up")]
    NotLost(MerchantId),
    /// A repair was asked for where nothing is.
    #[error("there is neither a store nor an export in {}, so there is nothing to repair", .0.display())]
    NothingThere(PathBuf),
}

/// How a damaged store is repaired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// Merchants of which nothing readable is left, and who are to start anew with nothing.
    pub give_up: Vec<MerchantId>,
}

/// What a server starts from.
pub(crate) struct Booted {
    /// The open store, or what is wrong with all of it.
    pub(crate) store: Result<Store, String>,
    /// Answered writes, by merchant.
    pub(crate) logs: HashMap<MerchantId, RequestLog>,
    /// Merchants of which nothing readable is left.
    bare: Vec<MerchantId>,
}

/// Opens the store, publishes what it holds, and repairs it if that is asked for and needed.
///
/// # Errors
/// See [`BootError`]. Damage is no error: the last good view is served.
pub(crate) fn boot(
    data: &Path,
    options: &StoreOptions,
    how: Option<&Repair>,
    registry: &Registry,
) -> Result<Booted, BootError> {
    store::finish_rebuild(data).map_err(BootError::Open)?;
    let booted = open(data, options, how, registry)?;
    match how {
        Some(how) => repair(booted, how, data, options, registry),
        None => Ok(booted),
    }
}

fn open(
    data: &Path,
    options: &StoreOptions,
    how: Option<&Repair>,
    registry: &Registry,
) -> Result<Booted, BootError> {
    let exported = || Exports::of(data).map_err(BootError::Exports);
    if store::is_absent(data) {
        let exported = exported()?;
        if !exported.is_empty() {
            let reason = "the store is missing, and there are exports";
            return Ok(serve_exports(data, registry, exported, reason));
        }
        if how.is_some() {
            return Err(BootError::NothingThere(data.to_path_buf()));
        }
    }
    match Store::open(data, options) {
        Ok(store) => Ok(publish_all(store, data, registry)),
        Err(fault @ (OpenError::Io { .. } | OpenError::Locked { .. } | OpenError::Newer { .. })) => {
            Err(BootError::Open(fault))
        }
        Err(damage) => Ok(serve_exports(data, registry, exported()?, &store::chain(&damage))),
    }
}

/// Writes a new store from what is served, in the place of the damaged one: sound merchants as they are, damaged ones
/// from their last good export.
///
/// # Errors
/// See [`BootError`].
fn repair(
    booted: Booted,
    how: &Repair,
    data: &Path,
    options: &StoreOptions,
    registry: &Registry,
) -> Result<Booted, BootError> {
    let merchants: Vec<_> =
        registry.all().into_iter().map(|(merchant, slot)| (slot.current(), merchant)).collect();
    if let Some(merchant) = how.give_up.iter().find(|merchant| !booted.bare.contains(merchant)) {
        return Err(BootError::NotLost(merchant.clone()));
    }
    if booted.store.is_ok() && merchants.iter().all(|(current, _)| current.degraded.is_none()) {
        return Ok(booted);
    }
    let lost: Vec<_> = booted.bare.into_iter().filter(|merchant| !how.give_up.contains(merchant)).collect();
    if !lost.is_empty() {
        return Err(BootError::NothingLeft(lost));
    }
    for merchant in &how.give_up {
        tracing::warn!(%merchant, "given up: starts anew with nothing");
    }
    drop(booted.store);
    let repaired: Vec<_> = merchants
        .into_iter()
        .map(|(current, merchant)| {
            let leap = if current.degraded.is_some() { REPAIR_LEAP } else { 1 };
            let generation = current.snapshot.generation() + leap;
            (merchant, published(generation, current.snapshot.parts().clone(), current.created_at, None))
        })
        .collect();
    let aside = store::rebuild(data, options, |fresh| {
        repaired.iter().try_for_each(|(merchant, now)| {
            store_whole(fresh, merchant, now.snapshot.generation(), now.snapshot.parts())
        })
    });
    let aside = aside.map_err(BootError::Repair)?;
    tracing::warn!(aside = %aside.display(), "the damaged store was set aside");
    let fresh = Store::open(data, options).map_err(BootError::Open)?;
    for (merchant, now) in repaired {
        registry.publish(&merchant, now);
    }
    Ok(Booted { store: Ok(fresh), logs: HashMap::new(), bare: Vec::new() })
}

/// The export files, where they are all that is left.
struct Exports {
    /// By merchant, newest first.
    listed: Vec<Exported>,
    /// Directories without a readable header, and the newest generation there.
    unreadable: Vec<(String, u64)>,
}

impl Exports {
    fn of(data: &Path) -> io::Result<Self> {
        Ok(Self { listed: exports::list(data)?, unreadable: exports::unreadable(data)? })
    }

    fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.unreadable.is_empty()
    }
}

/// Serves the last good exports in place of a store that does not open.
fn serve_exports(data: &Path, registry: &Registry, exported: Exports, reason: &str) -> Booted {
    tracing::error!(%reason, "the store is damaged: serving the last good exports, read-only");
    let Exports { mut listed, unreadable } = exported;
    listed.dedup_by(|a, b| a.header.merchant == b.header.merchant);
    let listed = listed.into_iter().map(|exported| (exported.header.merchant, exported.header.generation));
    let unreadable = unreadable.into_iter().map(|(name, newest)| (name.into_boxed_str(), newest));
    let mut bare = Vec::new();
    for (name, generation) in listed.chain(unreadable) {
        let Ok(merchant) = MerchantId::new(&name) else {
            tracing::error!(name, "the exports of a merchant whose id cannot be told are unreadable");
            continue;
        };
        if !publish_last_good(data, registry, &merchant, generation, reason) {
            bare.push(merchant);
        }
    }
    Booted { store: Err(reason.to_owned()), logs: HashMap::new(), bare }
}

fn publish_all(store: Store, data: &Path, registry: &Registry) -> Booted {
    let (mut logs, mut bare) = (HashMap::new(), Vec::new());
    for state in store.merchants() {
        let Ok(merchant) = MerchantId::new(&state.merchant) else { continue };
        match load(&store, &merchant) {
            Ok((parts, log, at)) => {
                registry.publish(&merchant, published(state.generation, parts, at, None));
                logs.insert(merchant, log);
            }
            Err(fault) => {
                let reason = store::chain(&fault);
                tracing::error!(%merchant, %reason, "a merchant is damaged: serving its last good export, read-only");
                if !publish_last_good(data, registry, &merchant, state.generation, &reason) {
                    bare.push(merchant);
                }
            }
        }
    }
    Booted { store: Ok(store), logs, bare }
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
/// nothing is written over what may still be saved. Says whether there was one.
fn publish_last_good(
    data: &Path,
    registry: &Registry,
    merchant: &MerchantId,
    generation: u64,
    reason: &str,
) -> bool {
    let nothing = |why: String| {
        tracing::error!(%merchant, %why, "nothing can be served of a merchant");
        published(generation, Parts::default(), Timestamp::from_ms(0), Some(&format!("{reason}; {why}")))
    };
    let (is_restored, served) = match last_good(data, merchant) {
        Ok(Some((header, parts))) => {
            let at = Timestamp::from_ms(header.created_ms);
            (true, published(header.generation, parts, at, Some(reason)))
        }
        Ok(None) => (false, nothing("there is no readable export".to_owned())),
        Err(fault) => (false, nothing(format!("its export: {fault}"))),
    };
    registry.publish(merchant, served);
    is_restored
}

fn last_good(
    data: &Path,
    merchant: &MerchantId,
) -> Result<Option<(store::export::Header, Parts)>, LoadError> {
    let newest = exports::newest_readable(data, merchant.as_str()).map_err(store::export::ExportError::from);
    let exports::Newest { whole, damaged } = newest.map_err(ArchiveError::from)?;
    for path in damaged {
        tracing::error!(%merchant, path = %path.display(), "an export file is damaged, and passed over");
    }
    let Some(exported) = whole else { return Ok(None) };
    let mut file = exports::read_file(&exported.path).map_err(ArchiveError::from)?;
    let truth = archive::read_rows(&mut file)?;
    let (generation, created_ms) = (exported.header.generation, exported.header.created_ms);
    let created_at = crate::convert::time::to_pb(Timestamp::from_ms(created_ms));
    tracing::warn!(%merchant, generation, %created_at, "what was exported is served: later writes are not in it");
    Ok(Some((exported.header, parts_of(truth).map_err(LoadError::Parts)?)))
}

fn published(generation: u64, parts: Parts, at: Timestamp, degraded: Option<&str>) -> Published {
    let changed = parts.catalog.len() + parts.rules.len() + parts.policies.len() + parts.orders.len();
    Published {
        snapshot: std::sync::Arc::new(Snapshot::new(generation, parts)),
        created_at: at,
        cause: "Start",
        changed,
        streamed_only: false,
        degraded: degraded.map(Into::into),
    }
}

fn names(merchants: &[MerchantId]) -> String {
    let names: Vec<_> = merchants.iter().map(|merchant| format!("`{merchant}`")).collect();
    names.join(", ")
}
