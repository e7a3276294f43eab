//! Replacing all records of a kind when they are too many for one batch.
//!
//! The new ones are written beside the old, under an epoch of their own that no reader looks at; one small commit
//! then flips the head to that epoch. The old rows, or those of a replacement that never came to its flip, are swept.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;

use super::commit::{Place, check_id};
use super::engine::{Engine, EngineError, Writes};
use super::error::StoreError;
use super::head::Tally;
use super::row::{self, MERCHANT_BYTES_MAX, RowKind};
use super::{State, Store};

/// How many rows one step of staging, sweeping or copying writes: short, so that others get their turn between.
pub(super) const STEP_ROWS: usize = 500;

/// Records of one kind that wait for their flip, see [`super::MerchantBatch::flip`].
/// Dropped without it they lie unused until the next open; [`Store::discard`] frees them sooner.
#[derive(Debug)]
#[must_use]
pub struct Staged {
    pub(super) merchant: Box<str>,
    pub(super) kind: RowKind,
    pub(super) epoch: u64,
    pub(super) tally: Tally,
    /// The generation after the one current when staging began.
    generation: u64,
    /// Held as long as its rows may still become live.
    _staging: Arc<()>,
}

/// Rows that nothing refers to any more.
#[derive(Debug)]
pub(super) struct Garbage {
    pub(super) merchant: Box<str>,
    pub(super) kind: RowKind,
    pub(super) epoch: u64,
}

impl Staged {
    fn take(&mut self, state: &mut State, step: &BTreeMap<Box<[u8]>, Bytes>) -> Result<(), StoreError> {
        let (mut writes, engine) = (Writes::default(), state.alive()?);
        let mut tally = self.tally;
        for (id, value) in step {
            let (merchant, generation) = (&self.merchant, self.generation);
            let place = Place { merchant, kind: self.kind, epoch: self.epoch, generation, id };
            place.write(engine, Some(value), &mut writes, &mut tally)?;
        }
        state.apply(writes)?;
        self.tally = tally;
        Ok(())
    }
}

impl From<Staged> for Garbage {
    fn from(staged: Staged) -> Self {
        Self { merchant: staged.merchant, kind: staged.kind, epoch: staged.epoch }
    }
}

impl Store {
    /// Begins a replacement of all records of a kind.
    ///
    /// # Errors
    /// [`StoreError::BadId`], [`StoreError::Lost`].
    pub fn stage(&self, merchant: &str, kind: RowKind) -> Result<Staged, StoreError> {
        check_id(merchant.len(), MERCHANT_BYTES_MAX)?;
        let mut state = self.state();
        state.alive()?;
        let epoch = state.next_epoch;
        state.next_epoch += 1;
        let generation = state.heads.get(merchant).map_or(0, |head| head.generation) + 1;
        let _staging = Arc::clone(&state.staging);
        Ok(Staged { merchant: merchant.into(), kind, epoch, tally: Tally::default(), generation, _staging })
    }

    /// Adds records to a replacement, in as many batches as it takes. Of several with one id the last counts.
    ///
    /// # Errors
    /// As [`Store::commit`]. A replacement that met an error should be discarded: part of the records may be in it.
    pub fn stage_rows<I: Into<Box<[u8]>>>(
        &self,
        staged: &mut Staged,
        records: impl IntoIterator<Item = (I, Bytes)>,
    ) -> Result<(), StoreError> {
        let mut step = BTreeMap::new();
        let mut rows = 0;
        for (id, value) in records {
            rows += row::parts_of(&value).count();
            step.insert(id.into(), value);
            if rows >= STEP_ROWS {
                self.stage_step(staged, &std::mem::take(&mut step))?;
                rows = 0;
            }
        }
        self.stage_step(staged, &step)
    }

    fn stage_step(&self, staged: &mut Staged, step: &BTreeMap<Box<[u8]>, Bytes>) -> Result<(), StoreError> {
        let mut state = self.state();
        let taken = staged.take(&mut state, step);
        state.note(taken)
    }

    /// Gives a replacement up. Its rows are swept.
    pub fn discard(&self, staged: Staged) {
        self.state().garbage.push_back(staged.into());
    }

    /// Deletes a bounded number of rows that nothing refers to any more, and says how many: 0 when none are left.
    /// Meant for the writer's idle moments. What is not swept when the store closes is swept when it opens.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn sweep(&self) -> Result<usize, StoreError> {
        self.state().sweep()
    }
}

impl State {
    pub(super) fn sweep(&mut self) -> Result<usize, StoreError> {
        while let Some(stray) = self.garbage.front() {
            let writes = sweep_step(self.alive()?, stray).map_err(StoreError::from);
            let writes = self.note(writes)?;
            let count = writes.count();
            let swept = self.apply(writes);
            self.note(swept)?;
            if count < STEP_ROWS {
                self.garbage.pop_front();
            }
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }
}

/// The next rows to delete.
fn sweep_step(engine: &Engine, stray: &Garbage) -> Result<Writes, EngineError> {
    let mut writes = Writes::default();
    engine.scan(&row::epoch_prefix(&stray.merchant, stray.kind.code(), stray.epoch), |key, _| {
        writes.delete(key.to_vec());
        match writes.count() {
            STEP_ROWS => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })?;
    Ok(writes)
}
