//! What the shopper holds: what is in the cart, what is owned, and what the order brings.
//!
//! A consumable that has run out, or is about to, is still held but no longer meets a need.

use std::sync::Arc;

use sidecart_catalog::{Entry, Kind, ProductId, TermId, Timestamp};
use sidecart_rules::{Selector, Stage};

/// How a product is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is in the cart.
    InCart,
    /// The shopper has it, since nobody knows when.
    Owned,
    /// The order brings so many.
    Ordered {
        /// Pieces.
        quantity: u32,
    },
}

/// One product that is held.
pub(crate) struct Holding<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) is_in_cart: bool,
    /// Whether the shopper has it already, or will once the order arrives.
    pub(crate) is_owned: bool,
    /// When the order's pieces are used up, for a consumable whose order and supply are known.
    pub(crate) used_up: Option<Timestamp>,
}

/// Everything that is held, by product id.
pub(crate) struct Holdings<'a> {
    list: Vec<Holding<'a>>,
    /// Terms of what is held, each with its place in the list.
    terms: Vec<(TermId, usize)>,
}

impl<'a> Holding<'a> {
    /// One holding of everything said about the same product; there is at least one.
    /// `runs_out` says when it does, where the shopper's own orders tell; else the supply of what was ordered counts.
    pub(crate) fn new(
        same: &[(&'a Arc<Entry>, Held)],
        placed_at: Option<Timestamp>,
        runs_out: impl FnOnce(&ProductId) -> Option<Timestamp>,
    ) -> Self {
        let entry = same[0].0;
        let ordered = same.iter().map(|(_, how)| match how {
            Held::Ordered { quantity } => i64::from(*quantity),
            Held::InCart | Held::Owned => 0,
        });
        let pieces: i64 = ordered.sum();
        let known = if pieces > 0 { runs_out(entry.product().id()) } else { None };
        let days = entry.product().days_of_supply().map(i64::from).filter(|_| pieces > 0);
        Self {
            entry,
            is_in_cart: same.iter().any(|(_, how)| *how == Held::InCart),
            is_owned: same.iter().any(|(_, how)| *how != Held::InCart),
            used_up: known.or_else(|| {
                placed_at.zip(days).map(|(placed, days)| placed.plus_days(days.saturating_mul(pieces)))
            }),
        }
    }

    /// Whether it meets the need it was bought for: always, but for a consumable that is due and not in the cart.
    pub(crate) fn serves(&self, stage: Stage, at: Timestamp) -> bool {
        self.is_in_cart || !is_due(self.entry, self.used_up, stage, at)
    }
}

impl<'a> Holdings<'a> {
    /// Takes holdings by product id, each product once.
    pub(crate) fn new(list: Vec<Holding<'a>>) -> Self {
        let of_one = |(at, holding): (usize, &Holding<'a>)| {
            let terms: &'a [TermId] = holding.entry.terms();
            terms.iter().map(move |term| (*term, at))
        };
        let mut terms: Vec<_> = list.iter().enumerate().flat_map(of_one).collect();
        terms.sort_unstable();
        Self { list, terms }
    }

    /// The holding of a product.
    pub(crate) fn get(&self, entry: &Entry) -> Option<&Holding<'a>> {
        let at = self
            .list
            .binary_search_by(|holding| holding.entry.product().id().cmp(entry.product().id()))
            .ok()?;
        Some(&self.list[at])
    }

    /// Holdings that a selector selects; one may come more than once.
    pub(crate) fn selected<'s>(&'s self, selector: &'s Selector) -> impl Iterator<Item = &'s Holding<'a>> {
        let under = |term: &TermId| {
            let first = self.terms.partition_point(|(other, _)| other < term);
            let term = *term;
            self.terms[first..].iter().take_while(move |(other, _)| *other == term)
        };
        let found = selector.keys().iter().flat_map(under).map(|(_, at)| &self.list[*at]);
        found.filter(|holding| selector.selects(holding.entry))
    }
}

/// Whether more of a product is due: a consumable that is used up, or at the stage of replenishing
/// where nobody knows when it will be.
pub(crate) fn is_due(entry: &Entry, used_up: Option<Timestamp>, stage: Stage, at: Timestamp) -> bool {
    entry.product().kind() == Kind::Consumable
        && used_up.map_or(stage == Stage::Replenish, |used_up| used_up <= at)
}
