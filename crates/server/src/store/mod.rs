//! The truth on disk: rows of bytes by merchant, kind and id, committed atomically and durably.
//!
//! It is the only home of the storage engine (sled 0.34.7), so that another could take its place.
//! It knows no wire type, no domain type and no clock, and it never repairs: it detects damage and names it.
//!
//! On disk, under the data directory:
//! - `lock`: held while a process has the store open;
//! - `store/N/`: the engine's files; for a while those of `N + 1` too, see `compact`;
//! - `tip`: format version, what the last acknowledged commit was, so that a lost tail is noticed, and which `N` counts;
//! - `seal`: digests of all of these, present only after a clean close;
//! - `damaged/`, and for moments `rebuilt/`: see `rebuild`;
//! - `exports/`: one file per kept generation, see [`export`] and [`exports`].

mod batch;
mod commit;
mod compact;
mod engine;
mod error;
pub mod export;
pub mod exports;
mod files;
mod head;
mod load;
mod open;
mod rebuild;
mod row;
mod seal;
mod stage;
mod tip;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use batch::{Batch, MerchantBatch};
pub(crate) use error::chain;
pub use error::{Damage, OpenError, StoreError};
pub use load::{MerchantState, Row};
pub use rebuild::{RebuildError, finish_rebuild, is_absent, rebuild};
pub use row::{ID_BYTES_MAX, MERCHANT_BYTES_MAX, RECORD_BYTES_MAX, RowKind};
pub use stage::Staged;

use compact::Copy;
use engine::{Engine, Writes};
use files::engine_dir;
use head::{Head, Meta};
use stage::Garbage;
use tip::TipFile;

/// The most rows (parts of records, old and new) that one atomic batch may touch.
pub const BATCH_ROWS_MAX: usize = 20_000;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// What the engine may keep of its pages in memory, in bytes.
    pub cache_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { cache_bytes: 128 * 1024 * 1024 }
    }
}

/// An open store.
///
/// All of it may be called from any thread; calls take turns.
/// After an engine fault whose outcome is unknown it refuses everything with [`StoreError::Lost`] until reopened.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    cache_bytes: u64,
    state: Mutex<State>,
    /// Declared last: the lock is given up after the engine is gone.
    _lock: File,
}

/// What the store remembers of what is committed.
#[derive(Debug)]
struct State {
    engine: Engine,
    /// The engine's files being written anew.
    copy: Option<Copy>,
    meta: Meta,
    heads: BTreeMap<Box<str>, Head>,
    tip: TipFile,
    /// The next epoch to stage: above all ever seen since opening.
    next_epoch: u64,
    /// Shared with every replacement under way.
    staging: Arc<()>,
    garbage: VecDeque<Garbage>,
    /// How often it was asked to write its files anew whatever their wear, and how many of these were done.
    rewrites_asked: u64,
    rewrites_done: u64,
    lost: Option<Box<str>>,
}

impl Store {
    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Files under `blobs/`. Rows are bounded so that it stays 0; anything else is a fault to alarm on.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn blob_count(&self) -> io::Result<u64> {
        let number = self.state().meta.engine;
        files::entry_count(&engine_dir(&self.path, number).join("blobs"))
    }

    /// Bytes of the engine's files, and of their copy while there is one.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn size_on_disk(&self) -> io::Result<u64> {
        files::tree_bytes(&self.path.join(files::ENGINE_DIR))
    }

    /// Asks for the engine's files to be written anew from what counts now, so that nothing else is left in them. The number of
    /// this is for [`Store::is_rewritten`].
    pub fn ask_rewrite(&self) -> u64 {
        let mut state = self.state();
        state.rewrites_asked += 1;
        state.rewrites_asked
    }

    /// Whether the files were written anew since that was asked.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when they never will be.
    pub fn is_rewritten(&self, number: u64) -> Result<bool, StoreError> {
        let state = self.state();
        state.alive()?;
        Ok(state.rewrites_done >= number)
    }

    /// Bytes of keys and values of everything committed.
    pub fn live_bytes(&self) -> u64 {
        self.state().live_bytes()
    }

    /// Makes everything durable and seals it, so that the next open notices any byte that changed meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when the store was lost before, else what stopped the flush or the seal.
    /// In either case there is no seal, and the next open proceeds as after a crash.
    pub fn close(self) -> Result<(), StoreError> {
        let Self { path, state, _lock, .. } = self;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.alive()?.sync()?;
        state.give_copy_up();
        state.engine.close()?;
        compact::clean(&path, state.meta.engine).map_err(StoreError::io(&path))?;
        seal::write(&path)
    }

    /// A panic while the state was held leaves it marked lost by the engine, so the lock's own poison says no more.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The engine, unless it is lost.
    fn alive(&self) -> Result<&Engine, StoreError> {
        match &self.lost {
            None => Ok(&self.engine),
            Some(what) => Err(StoreError::Lost { what: what.clone() }),
        }
    }

    /// Applies writes to the engine, and to its copy while there is one.
    fn apply(&mut self, writes: Writes) -> Result<(), StoreError> {
        self.alive()?;
        if let Some(copy) = &self.copy
            && copy.apply(writes.clone()).is_err()
        {
            self.give_copy_up();
        }
        Ok(self.engine.apply(writes)?)
    }

    fn live_bytes(&self) -> u64 {
        self.meta.heads.bytes + self.heads.values().map(Head::live_bytes).sum::<u64>()
    }

    /// Remembers a fault of the engine for good: what reached the disk is unknown.
    fn note<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(fault @ (StoreError::Io { .. } | StoreError::Lost { .. })) = &outcome {
            self.lost.get_or_insert_with(|| chain(fault).into());
        }
        outcome
    }
}
