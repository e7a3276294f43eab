//! What orders say for a target beside an anchor: those of the anchor itself, or, where they are too few to tell, those
//! of its family, or of its category.

use sidecart_catalog::{Catalog, Entry};

use crate::{answer::Level, model::Model};

/// A product in fewer orders than this leaves the word to others where its own orders do not show more.
const THIN: u32 = 50;
/// Most variants that speak for one of their family.
const SIBLINGS_MAX: usize = 50;

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
#[derive(Debug, Clone)]
pub(super) struct Witness {
    /// Its place in the model, where it was ever sold.
    place: Option<u32>,
    /// Whether its own orders are too few to tell that something does not go with it.
    is_thin: bool,
    /// Where the variants of it are that were sold, if they may speak.
    siblings: Vec<u32>,
    shelf: Option<Shelf>,
}

impl Witness {
    pub(super) fn new(model: &Model, catalog: &Catalog, anchor: &Entry, place: Option<u32>) -> Self {
        let is_thin = place.is_none_or(|place| model.parts().orders[place as usize] < THIN);
        let siblings = if is_thin { siblings(model, catalog, anchor) } else { Vec::new() };
        Self { place, is_thin, siblings, shelf: Shelf::of(model, anchor) }
    }

    /// What orders say for a target beside it.
    pub(super) fn evidence(&self, model: &Model, target: u32) -> Evidence {
        let own = self.place.map_or(Evidence::NONE, |place| beside(model, place, target, Level::Product));
        if own.lift > 1.0 || !self.is_thin && own.support > 0 {
            return own;
        }
        let of_siblings = self.siblings.iter().map(|place| beside(model, *place, target, Level::Family));
        if let Some(said) = of_siblings.max_by(|a, b| a.lift.total_cmp(&b.lift)).filter(|it| it.lift > 1.0) {
            return said;
        }
        match self.shelf.map(|shelf| shelf.evidence(model, target)) {
            // Enough orders of the anchor itself do not show it.
            Some(said) if !self.is_thin => Evidence { lift: 0.0, ..said },
            Some(said) if said.lift > 1.0 || own.support == 0 => said,
            _ => own,
        }
    }
}

/// What the orders of one product say.
fn beside(model: &Model, place: u32, target: u32, level: Level) -> Evidence {
    let parts = model.parts();
    let at = parts.with.find(place as usize, target).filter(|at| parts.with_support[*at] > 0);
    at.map_or(Evidence::NONE, |at| Evidence {
        support: parts.with_support[at],
        lift: parts.with_lift[at],
        level,
    })
}

/// Where the variants of a product are that were sold.
fn siblings(model: &Model, catalog: &Catalog, anchor: &Entry) -> Vec<u32> {
    let given = catalog.postings(anchor.family()).into_iter().flat_map(|list| list.iter());
    let given = given.take(SIBLINGS_MAX).filter_map(|index| catalog.entry(index));
    let named = catalog.get(anchor.product().family_name());
    let family = given.chain(named).filter(|other| other.family() == anchor.family());
    family.filter(|other| other.own() != anchor.own()).filter_map(|other| model.place(other.own())).collect()
}

/// The list of the nearest category of a product that has one.
#[derive(Debug, Clone, Copy)]
struct Shelf {
    place: u32,
    /// How near it is.
    level: Level,
}

impl Shelf {
    /// That of the leaf category, else that of the category above.
    fn of(model: &Model, entry: &Entry) -> Option<Self> {
        let near = [(entry.leaf(), Level::Leaf), (entry.parent(), Level::Parent)];
        near.into_iter().find_map(|(category, level)| Some(Self { place: model.shelf(category?)?, level }))
    }

    /// What orders say for a target beside any product of the category.
    fn evidence(&self, model: &Model, target: u32) -> Evidence {
        let parts = model.parts();
        let at = parts.beside.find(self.place as usize, target).filter(|at| parts.beside_support[*at] > 0);
        at.map_or(Evidence::NONE, |at| Evidence {
            support: parts.beside_support[at],
            lift: parts.beside_lift[at],
            level: self.level,
        })
    }
}
