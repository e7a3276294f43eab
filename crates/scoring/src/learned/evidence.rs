//! What orders say for a target beside an anchor: those of the anchor itself, or, where they are too few to tell, those
//! of its category.

use sidecart_catalog::Entry;

use crate::{answer::Level, model::Model};

/// A product in fewer orders than this leaves the word to its category where its own orders do not show more.
const THIN: u32 = 50;

/// What orders say for a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// In how many orders the two are.
    pub(super) support: u32,
    /// How many times as often as by chance, at the lower end of what the orders allow.
    pub(super) lift: f32,
    /// Whose orders these are.
    pub(super) level: Level,
}

impl Evidence {
    /// None at all: the target is bought often, beside whatever.
    pub(super) const NONE: Self = Self { support: 0, lift: 0.0, level: Level::Shop };
}

/// An anchor, as far as orders speak of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Witness {
    /// Its place in the model, where it was ever sold.
    place: Option<u32>,
    /// Whether its own orders are too few to tell that something does not go with it.
    is_thin: bool,
    shelf: Option<Shelf>,
}

impl Witness {
    pub(super) fn new(model: &Model, anchor: &Entry, place: Option<u32>) -> Self {
        let is_thin = place.is_none_or(|place| model.parts().orders[place as usize] < THIN);
        Self { place, is_thin, shelf: Shelf::of(model, anchor) }
    }

    /// What orders say for a target beside it.
    pub(super) fn evidence(&self, model: &Model, target: u32) -> Evidence {
        let parts = model.parts();
        let at = self.place.and_then(|place| parts.with.find(place as usize, target));
        let own = at.map_or(Evidence::NONE, |at| {
            let (support, lift) = (parts.with_support[at], parts.with_lift[at]);
            if support > 0 { Evidence { support, lift, level: Level::Product } } else { Evidence::NONE }
        });
        if own.lift > 1.0 || !self.is_thin && own.support > 0 {
            return own;
        }
        match self.shelf.map(|shelf| shelf.evidence(model, target)) {
            // Enough orders of the anchor itself do not show it.
            Some(said) if !self.is_thin => Evidence { lift: 0.0, ..said },
            Some(said) if said.lift > 1.0 || own.support == 0 => said,
            _ => own,
        }
    }
}

/// The list of the nearest category of a product that has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shelf {
    place: u32,
    /// How near it is.
    pub(super) level: Level,
}

impl Shelf {
    /// That of the leaf category, else that of the category above.
    pub(super) fn of(model: &Model, entry: &Entry) -> Option<Self> {
        let near = [(entry.leaf(), Level::Leaf), (entry.parent(), Level::Parent)];
        near.into_iter().find_map(|(category, level)| Some(Self { place: model.shelf(category?)?, level }))
    }

    /// What orders say for a target beside any product of the category.
    pub(super) fn evidence(&self, model: &Model, target: u32) -> Evidence {
        let parts = model.parts();
        let at = parts.beside.find(self.place as usize, target).filter(|at| parts.beside_support[*at] > 0);
        at.map_or(Evidence::NONE, |at| Evidence {
            support: parts.beside_support[at],
            lift: parts.beside_lift[at],
            level: self.level,
        })
    }
}
