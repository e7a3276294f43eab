//! Reading a merchant back, with every byte checked.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::Store;
use super::engine::EngineError;
use super::error::{Damage, StoreError, chain};
use super::head::{Head, Tally};
use super::row::{self, Envelope, Key, RowKind};

/// A merchant in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantState {
    /// Its id.
    pub merchant: Box<str>,
    /// The generation of its last commit.
    pub generation: u64,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: RowKind,
    /// Its id.
    pub id: Box<[u8]>,
    /// What it holds.
    pub value: Bytes,
}

impl Store {
    /// All merchants, by id.
    pub fn merchants(&self) -> Vec<MerchantState> {
        let state = self.state();
        let heads = state.heads.iter();
        heads
            .map(|(merchant, head)| MerchantState { merchant: merchant.clone(), generation: head.generation })
            .collect()
    }

    /// Calls `on_row` with each record of a merchant, by kind, each once, and returns the merchant's generation;
    /// 0, without a call, for a merchant that is not there.
    ///
    /// The records count only once this has returned without an error: that a row is missing shows at the end.
    /// `on_row` must not call the store.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names what is damaged, also when the engine cannot read it: other merchants may be sound.
    /// [`StoreError::Lost`] when the store was lost before.
    pub fn load(&self, merchant: &str, mut on_row: impl FnMut(Row)) -> Result<u64, StoreError> {
        let state = self.state();
        let engine = state.alive()?;
        let Some(head) = state.heads.get(merchant).cloned() else { return Ok(0) };
        let mut reading = Reading { merchant, head: &head, tallies: Default::default(), open: None };
        let outcome = engine.scan(&row::merchant_prefix(merchant), |key, value| {
            match reading.take(key, value, &mut on_row) {
                Ok(()) => ControlFlow::Continue(()),
                Err(damage) => ControlFlow::Break(damage),
            }
        });
        // Only this merchant's rows were read, so nothing is said about the others, and nothing was written.
        let damage = outcome.unwrap_or_else(|fault| Some(unreadable(merchant, &fault)));
        if let Some(damage) = damage {
            return Err(damage.into());
        }
        reading.finish(&mut on_row)?;
        Ok(head.generation)
    }
}

fn unreadable(merchant: &str, fault: &EngineError) -> Damage {
    let what = format!("the storage engine cannot read it: {}", chain(fault));
    Damage { merchant: merchant.into(), kind: None, id: Box::default(), what: what.into() }
}

/// A merchant being read.
struct Reading<'a> {
    merchant: &'a str,
    head: &'a Head,
    tallies: [Tally; RowKind::ALL.len()],
    open: Option<OpenRecord>,
}

/// A record of which not all parts were read yet, or not yet handed on.
struct OpenRecord {
    kind: RowKind,
    id: Box<[u8]>,
    generation: u64,
    parts: u16,
    next: u16,
    value: Vec<u8>,
}

impl Reading<'_> {
    fn take(&mut self, encoded: &[u8], value: &[u8], on_row: &mut impl FnMut(Row)) -> Result<(), Damage> {
        let key = Key::parse(encoded).ok_or_else(|| self.damage(None, &[], "unreadable key"))?;
        if key == Key::head(self.merchant) {
            // It was read on opening, and what it says is compared at the end.
            return Ok(());
        }
        let kind = RowKind::from_code(key.code)
            .ok_or_else(|| self.damage(None, key.id, "a kind of rows that this program does not know"))?;
        if key.epoch != self.head.column(kind).epoch {
            return Ok(());
        }
        let row =
            row::open_row(&key, encoded, value).map_err(|what| self.damage(Some(kind), key.id, what))?;
        self.tallies[kind.index()].add(encoded, value);
        self.append(kind, key.id, &row, on_row)
    }

    fn append(
        &mut self,
        kind: RowKind,
        id: &[u8],
        row: &Envelope<'_>,
        on_row: &mut impl FnMut(Row),
    ) -> Result<(), Damage> {
        if row.part == 0 {
            self.hand_on(on_row)?;
            let (generation, parts) = (row.generation, row.parts);
            let value = row.payload.to_vec();
            self.open = Some(OpenRecord { kind, id: id.into(), generation, parts, next: 1, value });
            return Ok(());
        }
        match &mut self.open {
            Some(open) if open.continues(kind, id, row) => {
                open.value.extend_from_slice(row.payload);
                open.next += 1;
                Ok(())
            }
            _ => Err(self.damage(Some(kind), id, "its parts do not belong together")),
        }
    }

    fn hand_on(&mut self, on_row: &mut impl FnMut(Row)) -> Result<(), Damage> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if open.next != open.parts {
            return Err(self.damage(Some(open.kind), &open.id, "a part is missing"));
        }
        on_row(Row { kind: open.kind, id: open.id, value: open.value.into() });
        Ok(())
    }

    fn finish(mut self, on_row: &mut impl FnMut(Row)) -> Result<(), Damage> {
        self.hand_on(on_row)?;
        for kind in RowKind::ALL {
            let (expected, found) = (self.head.column(kind).tally, self.tallies[kind.index()]);
            if found.rows != expected.rows {
                let what = format!("{} found where {} were committed", found.rows, expected.rows);
                return Err(self.damage(Some(kind), &[], &what));
            }
            if found != expected {
                return Err(self.damage(Some(kind), &[], "they are not those that were committed"));
            }
        }
        Ok(())
    }

    fn damage(&self, kind: Option<RowKind>, id: &[u8], what: &str) -> Damage {
        Damage { merchant: self.merchant.into(), kind, id: id.into(), what: what.into() }
    }
}

impl OpenRecord {
    fn continues(&self, kind: RowKind, id: &[u8], row: &Envelope<'_>) -> bool {
        self.kind == kind
            && *self.id == *id
            && self.next == row.part
            && self.parts == row.parts
            && self.generation == row.generation
    }
}
