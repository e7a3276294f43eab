//! Keeping the disk in proportion: the engine reuses its log slowly under some loads, so it is written anew at times.
//!
//! All rows are copied, a few at a time, into an engine with a directory of its own, and whatever is written meanwhile
//! is written to both. A last commit, made in the copy alone, says that the copy counts from then on; once the tip has
//! noted it, it does. A copy that was cut short before is removed, an old directory that was left after it too.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::engine::{Engine, EngineError, Writes};
use super::error::{OpenError, StoreError};
use super::files::{self, ENGINE_DIR, engine_dir};
use super::head::Meta;
use super::row;
use super::stage::STEP_ROWS;
use super::{State, Store, tip};

/// The engine's files may take this many halves of what is live, and a few segments. The copy takes almost two times
/// what is live when it is new, so that both together come to some 4.5 times before the old one is removed.
const WEAR_HALVES_MAX: u64 = 5;
const WEAR_FREE_BYTES: u64 = 1024 * 1024;

/// A copy of the engine under way.
#[derive(Debug)]
pub(super) struct Copy {
    engine: Engine,
    number: u64,
    /// The first key that is not copied yet, should there be a row.
    from: Vec<u8>,
    /// How often a copy had been asked for when it began.
    asked: u64,
}

impl Store {
    /// Begins or goes on with writing the engine's files anew, and says whether there is more to do.
    ///
    /// It begins when they take over 2.5 times what is live and 1 MiB, or when it is asked for, and while no replacement is being staged, whose
    /// rows are not live yet. Each call copies a few hundred rows, durably, so that others get their turn between.
    ///
    /// # Errors
    /// [`StoreError::Lost`] as from any call; otherwise what stopped the copy, which is given up and takes nothing
    /// from the store.
    pub fn compact_step(&self) -> Result<bool, StoreError> {
        let mut state = self.state();
        state.alive()?;
        if state.copy.is_none() {
            let on_disk = self.size_on_disk().map_err(StoreError::io(&self.path))?;
            let is_wanted = state.rewrites_done < state.rewrites_asked || state.is_worn(on_disk);
            if Arc::strong_count(&state.staging) > 1 || !is_wanted {
                return Ok(false);
            }
            let asked = state.rewrites_asked;
            let copy = Copy::begin(&self.path, state.meta.engine + 1, self.cache_bytes)?;
            state.copy = Some(Copy { asked, ..copy });
        }
        match state.copy_step() {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(fault) => {
                state.give_copy_up();
                return Err(fault);
            }
        }
        let switched = state.switch();
        let Some(old) = state.note(switched)? else { return Ok(false) };
        drop(state);
        // It counts no more: what stops it from being closed or removed is no fault of the store.
        let closed = old.engine.close();
        files::remove_tree(&engine_dir(&self.path, old.number)).map_err(StoreError::io(&self.path))?;
        let mut state = self.state();
        state.rewrites_done = state.rewrites_done.max(old.asked);
        drop(state);
        closed?;
        Ok(false)
    }
}

impl Copy {
    fn begin(data: &Path, number: u64, cache_bytes: u64) -> Result<Self, StoreError> {
        let dir = engine_dir(data, number);
        files::remove_tree(&dir).map_err(StoreError::io(&dir))?;
        let engine = Engine::open(&dir, cache_bytes).map_err(from_open)?;
        Ok(Self { engine, number, from: Vec::new(), asked: 0 })
    }

    /// What is committed once the copy counts.
    fn meta(&self, old: Meta) -> Meta {
        Meta { sequence: old.sequence + 1, engine: self.number, ..old }
    }

    /// Applies what is also written to the engine.
    pub(super) fn apply(&self, writes: Writes) -> Result<(), EngineError> {
        self.engine.apply(writes)
    }
}

impl State {
    fn is_worn(&self, on_disk: u64) -> bool {
        on_disk > self.live_bytes() / 2 * WEAR_HALVES_MAX + WEAR_FREE_BYTES
    }

    /// Copies a few rows more, or after the last of them makes the commit that ends the copy, and says whether there
    /// may be others.
    fn copy_step(&mut self) -> Result<bool, StoreError> {
        let Some(copy) = &self.copy else { return Ok(false) };
        let mut writes = Writes::default();
        let next = self.engine.scan_from(&copy.from, |key, value| {
            writes.put(key.to_vec(), value.to_vec());
            match writes.count() {
                STEP_ROWS => ControlFlow::Break(row::after_key(key.to_vec())),
                _ => ControlFlow::Continue(()),
            }
        });
        let next = self.note(next.map_err(StoreError::from))?;
        let meta = self.meta;
        let Some(copy) = &mut self.copy else { return Ok(false) };
        if next.is_none() {
            let (key, value) = copy.meta(meta).row();
            writes.put(key, value);
        }
        copy.engine.apply(writes)?;
        copy.engine.sync()?;
        let Some(from) = next else { return Ok(false) };
        copy.from = from;
        Ok(true)
    }

    /// Makes the whole copy the one that counts, and gives the old one back.
    ///
    /// A crash before the tip has noted it leaves the old one, which lacks only a commit that changes nothing; one
    /// after leaves the copy.
    fn switch(&mut self) -> Result<Option<Old>, StoreError> {
        let Some(copy) = self.copy.take() else { return Ok(None) };
        let meta = copy.meta(self.meta);
        self.tip.advance(&meta).map_err(StoreError::io(tip::FILE))?;
        let number = std::mem::replace(&mut self.meta, meta).engine;
        let asked = copy.asked;
        Ok(Some(Old { engine: std::mem::replace(&mut self.engine, copy.engine), number, asked }))
    }

    /// Gives a copy up that is under way.
    pub(super) fn give_copy_up(&mut self) {
        if let Some(copy) = self.copy.take() {
            // Whatever is left of it is removed before the next copy, or on closing or opening.
            let _ = copy.engine.close();
        }
    }
}

/// An engine whose copy took its place.
struct Old {
    engine: Engine,
    number: u64,
    asked: u64,
}

/// Removes the engine's directories that do not count.
pub(super) fn clean(data: &Path, engine: u64) -> io::Result<()> {
    let counts = engine_dir(data, engine);
    for entry in fs::read_dir(data.join(ENGINE_DIR))? {
        let path = entry?.path();
        if path != counts && path.is_dir() {
            files::remove_tree(&path)?;
        }
    }
    Ok(())
}

fn from_open(fault: OpenError) -> StoreError {
    match fault {
        OpenError::Io { path, source } => StoreError::Io { path, source },
        other => StoreError::Lost { what: other.to_string().into() },
    }
}
