//! Imported affinities: what a data team says goes with what, from a model of its own.

use std::{collections::BTreeMap, sync::Arc};

use sidecart_catalog::{ProductId, Violation};

use crate::lead::AffinityKind;

/// Most affinities of one merchant.
pub const IMPORTED_MAX: usize = 5_000_000;
/// Of one anchor and kind the best are kept, this many.
pub const IMPORTED_PER_ANCHOR_MAX: usize = 100;

/// That a target goes with an anchor, as a data team says.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedAffinity {
    /// The anchor.
    pub anchor: ProductId,
    /// The target.
    pub target: ProductId,
    /// In one order, or later.
    pub kind: AffinityKind,
    /// The estimated chance that the target is bought beside the anchor alone. Above 0, up to 1.
    pub score: f64,
    /// How many orders, or shoppers, speak for it.
    pub support: u32,
    /// How many times as often as by chance, at the lower end of what the orders allow. 0: not said.
    pub lift: f32,
    /// What the import calls itself.
    pub provenance: Arc<str>,
}

/// All that was imported, by anchor; each list by kind and then best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    by_anchor: BTreeMap<ProductId, Box<[ImportedAffinity]>>,
}

impl ImportedAffinity {
    /// Whether it can be what it says.
    ///
    /// # Errors
    /// The first field that cannot.
    pub fn check(&self) -> Result<(), Violation> {
        if self.anchor == self.target {
            return Err(Violation::new("target_id", "is the anchor itself"));
        }
        if !(self.score > 0.0 && self.score <= 1.0) {
            return Err(Violation::new("score", format!("is {}, allowed above 0 up to 1", self.score)));
        }
        if !(self.lift >= 0.0 && self.lift.is_finite()) {
            return Err(Violation::new("lift", format!("is {}, allowed 0 and above", self.lift)));
        }
        Ok(())
    }
}

impl Imported {
    /// These affinities, of which the best of each anchor and kind are kept. Of several for one pair the best counts.
    ///
    /// # Errors
    /// One is not what it can be, at its place.
    pub fn new(mut affinities: Vec<ImportedAffinity>) -> Result<Self, (usize, Violation)> {
        for (at, affinity) in affinities.iter().enumerate() {
            affinity.check().map_err(|fault| (at, fault))?;
        }
        affinities.sort_by(|a, b| {
            let pairs = (&a.anchor, a.kind, &a.target).cmp(&(&b.anchor, b.kind, &b.target));
            pairs.then(b.score.total_cmp(&a.score)).then(b.support.cmp(&a.support))
        });
        affinities.dedup_by(|later, kept| {
            (&later.anchor, later.kind, &later.target) == (&kept.anchor, kept.kind, &kept.target)
        });
        let mut by_anchor = BTreeMap::new();
        for of_anchor in affinities.chunk_by_mut(|a, b| a.anchor == b.anchor) {
            let mut list = Vec::new();
            for of_kind in of_anchor.chunk_by_mut(|a, b| a.kind == b.kind) {
                of_kind.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.target.cmp(&b.target)));
                list.extend(of_kind.iter().take(IMPORTED_PER_ANCHOR_MAX).cloned());
            }
            by_anchor.insert(of_anchor[0].anchor.clone(), list.into());
        }
        Ok(Self { by_anchor })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_anchor.values().map(|list| list.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_anchor.is_empty()
    }

    /// All of them, by anchor, kind and then best first.
    pub fn iter(&self) -> impl Iterator<Item = &ImportedAffinity> {
        self.by_anchor.values().flatten()
    }

    /// What goes with an anchor, by kind and then best first.
    pub fn of(&self, anchor: &str) -> &[ImportedAffinity] {
        self.by_anchor.get(anchor).map_or(&[], |list| list)
    }
}
