//! Keeping the disk in proportion: the engine reuses its log slowly under some loads, so it is written anew at times.
//!
//! All rows are copied into `store.new/`, which then takes the place of `store/` by way of `store.old/`. What they
//! hold is the same at every moment in between, so whichever is found after a crash will do.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::engine::{Engine, EngineError, Writes};
use super::error::{OpenError, StoreError};
use super::files::{self, ENGINE_DIR};
use super::{State, Store};

const NEW_DIR: &str = "store.new";
const OLD_DIR: &str = "store.old";
const STEP_ROWS: usize = 4_000;

/// The engine's files may take this many halves of what is live, and a few segments.
const WEAR_HALVES_MAX: u64 = 7;
const WEAR_FREE_BYTES: u64 = 1024 * 1024;

impl Store {
    /// Writes the engine's files anew if they take over 3.5 times what is live and 1 MiB, and says how many bytes
    /// that freed: 0 when there was no need.
    /// It takes about as long as writing all live rows once, and twice their room on the disk until it is done.
    /// Meant for the writer's idle moments, after sweeping. While a replacement is being staged it does nothing.
    ///
    /// # Errors
    /// As [`Store::commit`]. What was committed stays.
    pub fn compact_if_worn(&self) -> Result<u64, StoreError> {
        let before = self.size_on_disk().map_err(StoreError::io(&self.path))?;
        let mut state = self.state();
        state.alive()?;
        // Staged rows take room and are not live yet, so that every look would find the files worn and copy them all.
        if Arc::strong_count(&state.staging) > 1 {
            return Ok(0);
        }
        if before <= state.live_bytes() / 2 * WEAR_HALVES_MAX + WEAR_FREE_BYTES {
            return Ok(0);
        }
        let compacted = state.compact(&self.path, self.cache_bytes);
        state.note(compacted)?;
        let after = self.size_on_disk().map_err(StoreError::io(&self.path))?;
        Ok(before.saturating_sub(after))
    }
}

impl State {
    fn compact(&mut self, data: &Path, cache_bytes: u64) -> Result<(), StoreError> {
        let (new, old) = (data.join(NEW_DIR), data.join(OLD_DIR));
        let current = data.join(ENGINE_DIR);
        files::remove_tree(&new).map_err(StoreError::io(&new))?;
        let copy = Engine::open(&new, cache_bytes).map_err(from_open)?;
        copy_rows(self.alive()?, &copy)?;
        copy.sync()?;
        copy.close()?;
        if let Some(engine) = self.engine.take() {
            engine.close()?;
        }
        fs::rename(&current, &old).map_err(StoreError::io(&current))?;
        finish(data).map_err(StoreError::io(data))?;
        self.engine = Some(Engine::open(&current, cache_bytes).map_err(from_open)?);
        Ok(())
    }
}

/// Brings a replacement to its end, wherever a crash left it.
pub(super) fn finish(data: &Path) -> io::Result<()> {
    let (new, old, current) = (data.join(NEW_DIR), data.join(OLD_DIR), data.join(ENGINE_DIR));
    if old.exists() && !current.exists() {
        // The copy was whole before the old one was moved.
        let source = if new.exists() { &new } else { &old };
        fs::rename(source, &current)?;
        files::sync_dir(data)?;
    }
    files::remove_tree(&new)?;
    files::remove_tree(&old)
}

fn copy_rows(from: &Engine, to: &Engine) -> Result<(), EngineError> {
    let mut writes = Writes::default();
    let fault = from.scan(&[], |key, value| {
        writes.put(key.to_vec(), value.to_vec());
        if writes.count() < STEP_ROWS {
            return ControlFlow::Continue(());
        }
        match to.apply(std::mem::take(&mut writes)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => ControlFlow::Break(fault),
        }
    })?;
    match fault {
        Some(fault) => Err(fault),
        None => to.apply(writes),
    }
}

fn from_open(fault: OpenError) -> StoreError {
    match fault {
        OpenError::Io { path, source } => StoreError::Io { path, source },
        other => StoreError::Lost { what: other.to_string().into() },
    }
}
