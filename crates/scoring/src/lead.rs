//! Leads: what makes a product a candidate beside an anchor, be it the merchant's pairing or what orders taught.

use sidecart_catalog::Product;
use sidecart_rules::{Relation, RuleId};

use crate::{answer::Level, routes::Route};

/// How products go together that orders say go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AffinityKind {
    /// In one order.
    BoughtWith,
    /// The target in a later order of the same shopper.
    BoughtAfter,
    /// The same product again.
    BoughtAgain,
}

/// What orders say about a target, all anchors together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Learned<'a> {
    /// Place of the anchor that says most.
    pub(crate) anchor: usize,
    pub(crate) kind: AffinityKind,
    /// The estimated chance that it is bought.
    pub(crate) chance: f64,
    /// How near the evidence is to the pair it speaks for.
    pub(crate) level: Level,
    /// In how many orders anchor and target are, or how many shoppers bought one after the other.
    pub(crate) support: u32,
    /// How many times as often as by chance they are bought together, at the lower end of what the orders allow.
    pub(crate) lift: f32,
    /// What the import called itself that it comes from; `None`: it was learned here.
    pub(crate) provenance: Option<&'a str>,
}

impl Learned<'_> {
    /// Whether an import says it without saying how much more often than by chance.
    pub(crate) fn is_vouched_for(&self) -> bool {
        self.provenance.is_some() && self.lift == 0.0
    }
}

/// What makes a product a candidate.
#[derive(Clone, Copy)]
pub(crate) enum Lead<'a> {
    /// The merchant's pairing.
    Pairing(Route<'a>),
    /// Orders.
    Learned(Learned<'a>),
}

impl<'a> Lead<'a> {
    /// Place of the anchor in the setting.
    pub(crate) fn anchor(&self) -> usize {
        match self {
            Self::Pairing(route) => route.anchor,
            Self::Learned(learned) => learned.anchor,
        }
    }

    /// Where the merchant wants it, from 1.
    pub(crate) fn position(&self) -> Option<u8> {
        match self {
            Self::Pairing(route) => route.pairing.position,
            Self::Learned(_) => None,
        }
    }

    /// The rule behind it, if one is.
    pub(crate) fn rule(&self) -> Option<&'a RuleId> {
        match self {
            Self::Pairing(route) => Some(route.rule.id()),
            Self::Learned(_) => None,
        }
    }

    /// What the merchant says the target is to the anchor.
    pub(crate) fn relation(&self) -> Option<Relation> {
        match self {
            Self::Pairing(route) => Some(route.pairing.relation),
            Self::Learned(_) => None,
        }
    }

    /// The job a product does: as the pairing says, else its leaf category, else its title.
    pub(crate) fn need(&self, product: &'a Product) -> &'a str {
        match self {
            Self::Pairing(route) => route.need(product),
            Self::Learned(_) => product.category().map_or(product.title(), |category| category.leaf()),
        }
    }
}
