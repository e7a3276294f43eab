//! One commit: one atomic batch of the engine, made durable, then noted in the tip.

use bytes::Bytes;

use super::batch::{Batch, MerchantBatch};
use super::engine::{Engine, Writes};
use super::error::{Damage, StoreError};
use super::head::{Column, Head, Meta, Tally};
use super::row::{self, Envelope, Key, RowKind};
use super::row::{ID_BYTES_MAX, MERCHANT_BYTES_MAX, RECORD_BYTES_MAX};
use super::stage::Garbage;
use super::tip;
use super::{BATCH_ROWS_MAX, State, Store};

impl Store {
    /// Commits a batch: when this returns without an error, it survives a crash and a power cut.
    ///
    /// # Errors
    /// After [`StoreError::Io`] and [`StoreError::Lost`] it is unknown whether the batch landed, and the store
    /// refuses everything until reopened. After any other error nothing was written, and the store goes on.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        let drafted = Draft::new(&state, state.alive()?, batch);
        let draft = state.note(drafted)?;
        let landed = state.land(draft);
        state.note(landed)
    }
}

/// What a commit will have changed of the state once it is durable.
struct Outcome {
    meta: Meta,
    heads: Vec<(Box<str>, Head)>,
    garbage: Vec<Garbage>,
}

impl State {
    fn land(&mut self, draft: Draft) -> Result<(), StoreError> {
        let Draft { writes, outcome } = draft;
        self.apply(writes)?;
        self.engine.sync()?;
        self.tip.advance(&outcome.meta).map_err(StoreError::io(tip::FILE))?;
        self.meta = outcome.meta;
        self.heads.extend(outcome.heads);
        self.garbage.extend(outcome.garbage);
        Ok(())
    }
}

/// A commit that is ready to be written.
struct Draft {
    writes: Writes,
    outcome: Outcome,
}

impl Draft {
    /// Reads the rows that are overwritten, and writes nothing.
    fn new(state: &State, engine: &Engine, batch: Batch) -> Result<Self, StoreError> {
        let outcome = Outcome { meta: state.meta, heads: Vec::new(), garbage: Vec::new() };
        let mut draft = Self { writes: Writes::default(), outcome };
        for (merchant, part) in batch.merchants {
            draft.add_merchant(state.heads.get(&merchant), engine, merchant, part)?;
        }
        draft.outcome.meta.sequence += 1;
        let (key, value) = draft.outcome.meta.row();
        draft.writes.put(key, value);
        Ok(draft)
    }

    fn add_merchant(
        &mut self,
        old: Option<&Head>,
        engine: &Engine,
        merchant: Box<str>,
        part: MerchantBatch,
    ) -> Result<(), StoreError> {
        check_id(merchant.len(), MERCHANT_BYTES_MAX)?;
        let mut head = old.cloned().unwrap_or_default();
        if part.generation < head.generation {
            let (current, given) = (head.generation, part.generation);
            return Err(StoreError::StaleGeneration { merchant, current, given });
        }
        head.generation = part.generation;
        for (kind, staged) in part.flips {
            if staged.merchant != merchant {
                return Err(StoreError::Misplaced { merchant, staged_for: staged.merchant });
            }
            let column = head.column_mut(kind);
            let epoch = std::mem::replace(column, Column { epoch: staged.epoch, tally: staged.tally }).epoch;
            self.outcome.garbage.push(Garbage { merchant: merchant.clone(), kind, epoch });
        }
        self.outcome.garbage.extend(part.overtaken.into_iter().map(Garbage::from));
        for ((kind, id), value) in part.writes {
            let column = head.column_mut(kind);
            let place = Place {
                merchant: &merchant,
                kind,
                epoch: column.epoch,
                generation: part.generation,
                id: &id,
            };
            place.write(engine, value.as_ref(), &mut self.writes, &mut column.tally)?;
        }
        self.put_head(old, &merchant, &head);
        self.outcome.heads.push((merchant, head));
        Ok(())
    }

    fn put_head(&mut self, old: Option<&Head>, merchant: &str, head: &Head) {
        let heads = &mut self.outcome.meta.heads;
        if let Some(old) = old {
            let (key, value) = old.row(merchant);
            heads.take(&key, &value);
        }
        let (key, value) = head.row(merchant);
        heads.add(&key, &value);
        self.writes.put(key, value);
    }
}

/// Where a record is, and which generation writes it.
pub(super) struct Place<'a> {
    pub(super) merchant: &'a str,
    pub(super) kind: RowKind,
    pub(super) epoch: u64,
    pub(super) generation: u64,
    pub(super) id: &'a [u8],
}

impl Place<'_> {
    /// Notes the writes that make the record hold `value`, or be absent, and keeps the tally.
    pub(super) fn write(
        &self,
        engine: &Engine,
        value: Option<&Bytes>,
        writes: &mut Writes,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        self.check(value)?;
        let new_parts = value.map_or(0, |value| row::part_count(value));
        self.clear(engine, new_parts, writes, tally)?;
        for (part, payload) in value.iter().flat_map(|value| row::parts_of(value)) {
            let key = self.key(part);
            let encoded = key.encode();
            let row = Envelope { part, parts: new_parts, generation: self.generation, payload };
            let sealed = row::seal_row(&key, &encoded, &row);
            tally.add(&encoded, &sealed);
            writes.put(encoded, sealed);
        }
        if writes.count() > BATCH_ROWS_MAX {
            return Err(StoreError::BatchTooLarge { max: BATCH_ROWS_MAX });
        }
        Ok(())
    }

    /// Takes all old parts from the tally, and deletes those that will not be overwritten.
    fn clear(
        &self,
        engine: &Engine,
        new_parts: u16,
        writes: &mut Writes,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        let mut old_parts = 1;
        let mut part = 0;
        while part < old_parts {
            let key = self.key(part);
            let encoded = key.encode();
            match engine.get(&encoded)? {
                None if part == 0 => return Ok(()),
                None => return Err(self.damage("a part is missing").into()),
                Some(value) => {
                    let row = row::open_row(&key, &encoded, &value).map_err(|what| self.damage(what))?;
                    old_parts = row.parts;
                    tally.take(&encoded, &value);
                }
            }
            if part >= new_parts {
                writes.delete(encoded);
            }
            part += 1;
        }
        Ok(())
    }

    fn check(&self, value: Option<&Bytes>) -> Result<(), StoreError> {
        check_id(self.id.len(), ID_BYTES_MAX)?;
        match value {
            Some(value) if value.len() > RECORD_BYTES_MAX => Err(StoreError::RecordTooLarge {
                kind: self.kind,
                id: self.id.into(),
                bytes: value.len(),
                max: RECORD_BYTES_MAX,
            }),
            _ => Ok(()),
        }
    }

    fn key(&self, part: u16) -> Key<'_> {
        Key { merchant: self.merchant, code: self.kind.code(), epoch: self.epoch, id: self.id, part }
    }

    fn damage(&self, what: &str) -> Damage {
        Damage {
            merchant: self.merchant.into(),
            kind: Some(self.kind),
            id: self.id.into(),
            what: what.into(),
        }
    }
}

pub(super) fn check_id(bytes: usize, max: usize) -> Result<(), StoreError> {
    match bytes {
        0 => Err(StoreError::BadId { bytes, max }),
        _ if bytes > max => Err(StoreError::BadId { bytes, max }),
        _ => Ok(()),
    }
}
