//! What one commit writes.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::row::RowKind;
use super::stage::Staged;

/// The writes of one commit, of any number of merchants: all of them land or none.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) merchants: BTreeMap<Box<str>, MerchantBatch>,
}

impl Batch {
    /// The part of a merchant, which takes it to `generation`. Asked for again, it goes on with what is there.
    pub fn merchant(&mut self, merchant: &str, generation: u64) -> &mut MerchantBatch {
        let part = self.merchants.entry(merchant.into()).or_default();
        part.generation = generation;
        part
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.merchants.is_empty()
    }
}

/// The writes of one merchant, in order: of several to one record, the last counts.
#[derive(Debug, Default)]
pub struct MerchantBatch {
    pub(super) generation: u64,
    pub(super) flips: BTreeMap<RowKind, Staged>,
    /// Staged and overtaken by a later flip of the same batch.
    pub(super) overtaken: Vec<Staged>,
    pub(super) writes: BTreeMap<(RowKind, Box<[u8]>), Option<Bytes>>,
}

impl MerchantBatch {
    /// Makes a record hold `value`: at most [`super::RECORD_BYTES_MAX`] bytes.
    pub fn put(&mut self, kind: RowKind, id: &[u8], value: Bytes) {
        self.writes.insert((kind, id.into()), Some(value));
    }

    /// Makes a record absent, which it may be already.
    pub fn delete(&mut self, kind: RowKind, id: &[u8]) {
        self.writes.insert((kind, id.into()), None);
    }

    /// Makes what was staged, in this store since it was opened, the only records of its kind.
    /// What this batch wrote to that kind before is dropped; what it writes after comes on top.
    pub fn flip(&mut self, staged: Staged) {
        let kind = staged.kind;
        self.writes.retain(|(written, _), _| *written != kind);
        self.overtaken.extend(self.flips.insert(kind, staged));
    }
}
