//! The model: what was learned from orders, in flat arrays.
//!
//! Products are spoken of by their place among those that were sold, ascending by id, so that the same orders give the
//! same bytes whatever the catalog's own numbering.

mod lists;
mod paces;

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, CategoryPath, Entry, ProductId, Term, TermId, Timestamp, Violation};

pub use crate::learn::logistic::Logistic;
use crate::learned;
pub use lists::{Column, Lists};
pub use paces::Paces;

/// How many products count as bought most of all.
const COMMON: usize = 50;

/// What was learned.
#[derive(Debug, Default)]
pub struct Model {
    parts: ModelParts,
    /// Where each product is among those that were sold.
    places: HashMap<TermId, u32, GlobalState>,
    /// Where each category is among those that have a list.
    shelves: HashMap<TermId, u32, GlobalState>,
    /// Where each leaf category is among those that have a pace.
    paced: HashMap<TermId, u32, GlobalState>,
    /// The own term of each product.
    terms: Vec<TermId>,
    /// The products in the most orders, most first.
    common: Vec<u32>,
    /// Where each product was in the catalog that the model was first asked with: a place to look first.
    hints: OnceLock<Vec<u32>>,
}

/// The arrays of a model, as they are stored. Columns go with the entries of the lists of the same name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelParts {
    /// What it was learned from, and how good it is.
    pub facts: Facts,
    /// Products that were sold, ascending.
    pub products: Vec<ProductId>,
    /// In how many orders each is.
    pub orders: Vec<u32>,
    /// In how many orders each is of late: each counts half after two weeks.
    pub recent: Vec<f32>,
    /// What is bought in one order with each product; each list ascending.
    pub with: Lists,
    /// The chance that the target is bought beside the product alone.
    pub with_chance: Column<f32>,
    /// What the product adds to the chance of the target, beside all else in a cart.
    pub with_pull: Column<f32>,
    /// How strongly the two are bound: a share of orders, damped by how often the target is bought anyway.
    pub with_bond: Column<f32>,
    /// In how many orders both are.
    pub with_support: Column<u32>,
    /// How many times as often as by chance they are bought together, at the lower end of what the orders allow.
    pub with_lift: Column<f32>,
    /// What is bought after each product by the same shoppers.
    pub after: Lists,
    /// What having bought the product adds to the chance of the target, beside all else in a history.
    pub after_pull: Column<f32>,
    /// How many shoppers first bought the target after they first bought the product.
    pub after_support: Column<u32>,
    /// How many times as often as by chance, at the lower end of what the orders allow.
    pub after_lift: Column<f32>,
    /// Days between the two: the quartiles. Three for each entry.
    pub after_gap_days: Vec<f32>,
    /// The logarithm of the odds that who bought each product buys it again.
    pub again: Vec<f32>,
    /// How many times as often as by chance that is, at the lower end of what the orders allow.
    pub again_lift: Vec<f32>,
    /// How many days lie between purchases by one shopper.
    pub paces: Paces,
    /// Categories that have a list, in the order of their lists.
    pub categories: Vec<CategoryPath>,
    /// What is bought in one order with any product of each category; each list ascending.
    pub beside: Lists,
    /// The chance of that.
    pub beside_chance: Column<f32>,
    /// In how many orders that is.
    pub beside_support: Column<u32>,
    /// How many times as often as by chance, at the lower end of what the orders allow.
    pub beside_lift: Column<f32>,
    /// The products of recent orders, newest order last.
    pub baskets: Lists,
    /// What each of these orders says.
    pub basket_weight: Vec<f32>,
    /// For each product, the newest of these orders that have it, ascending.
    pub latest: Lists,
    /// How scores become chances.
    pub calibration: Calibrations,
}

/// What a model was learned from, and how good it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Facts {
    /// Orders that were learned from.
    pub orders: u64,
    /// Products in these orders, each once for each order.
    pub lines: u64,
    /// Orders that were left out: a wholesaler's, or a bot's.
    pub skipped: u64,
    /// When the newest of these orders was placed.
    pub newest: Option<Timestamp>,
    /// Mean reciprocal rank at 10 over the newest orders, one product of each held out, learned without them.
    pub quality: f64,
    /// Of how many questions this is the mean.
    pub asked: u64,
}

/// How scores become chances, for each way of asking.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Calibrations {
    /// Beside several anchors.
    pub cart: Calibration,
    /// Beside the one line of a cart or an order: what completes it.
    pub line: Calibration,
    /// Beside one product that is looked at: what else is in its orders.
    pub single: Calibration,
    /// Beside products that were never sold.
    pub cold: Calibration,
    /// After what a shopper bought.
    pub after: Calibration,
    /// Whether what a shopper bought before is bought again.
    pub again: BuysAgain,
}

/// How a score becomes a chance.
pub type Calibration = Logistic<{ learned::SIGNALS }>;

/// How a shopper's history tells what they buy again.
pub type BuysAgain = Logistic<{ learned::again::SIGNALS }>;

/// That a target goes with an anchor, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affinity<'a> {
    /// The target.
    pub target: &'a ProductId,
    /// The chance that it is bought beside the anchor alone; of what is bought later, the share of orders of the anchor
    /// that it follows.
    pub chance: f32,
    /// In how many orders both are, or how many shoppers first bought the target later.
    pub support: u32,
    /// How many times as often as by chance, at the lower end of what the orders allow.
    pub lift: f32,
    /// The quartiles of the days between, of what is bought later.
    pub days_between: Option<[f32; 3]>,
}

impl Model {
    /// A model of these arrays.
    ///
    /// # Errors
    /// They do not go together.
    pub fn new(parts: ModelParts) -> Result<Self, Violation> {
        let products = parts.products.len();
        if !parts.products.is_sorted_by(|a, b| a < b) {
            return Err(Violation::new("products", "are not ascending"));
        }
        let columns = [parts.orders.len(), parts.recent.len(), parts.again.len(), parts.again_lift.len()];
        if columns != [products; 4] {
            return Err(Violation::new("products", "have columns of other lengths"));
        }
        if parts.basket_weight.len() != parts.baskets.len() {
            return Err(Violation::new("baskets", "has a column of another length"));
        }
        parts.paces.check(products).map_err(|fault| fault.within("paces"))?;
        parts.with.check(products, products).map_err(|fault| fault.within("with"))?;
        let of_with =
            [parts.with_chance.len(), parts.with_pull.len(), parts.with_bond.len(), parts.with_lift.len()];
        if of_with.iter().any(|len| *len != parts.with.entry_count())
            || parts.with_support.len() != of_with[0]
        {
            return Err(Violation::new("with", "has columns of different lengths"));
        }
        parts.after.check(products, products).map_err(|fault| fault.within("after"))?;
        let of_after = [parts.after_pull.len(), parts.after_support.len(), parts.after_lift.len()];
        if of_after != [parts.after.entry_count(); 3]
            || parts.after_gap_days.len() != 3 * parts.after.entry_count()
        {
            return Err(Violation::new("after", "has columns of different lengths"));
        }
        parts.beside.check(parts.categories.len(), products).map_err(|fault| fault.within("beside"))?;
        let of_beside = [parts.beside_chance.len(), parts.beside_support.len(), parts.beside_lift.len()];
        if of_beside != [parts.beside.entry_count(); 3] {
            return Err(Violation::new("beside", "has columns of different lengths"));
        }
        parts.baskets.check(parts.baskets.len(), products).map_err(|fault| fault.within("baskets"))?;
        parts.latest.check(products, parts.baskets.len()).map_err(|fault| fault.within("latest"))?;
        let terms: Vec<TermId> =
            parts.products.iter().map(|product| TermId::of_product(product.as_str())).collect();
        let places = terms.iter().copied().zip(0..).collect();
        let shelves =
            parts.categories.iter().map(|path| Term::Category(path.clone()).id()).zip(0..).collect();
        let paced =
            parts.paces.leaves.iter().map(|path| Term::Category(path.clone()).id()).zip(0..).collect();
        let common = common(&parts.orders);
        Ok(Self { parts, places, shelves, paced, terms, common, hints: OnceLock::new() })
    }

    /// The arrays.
    pub fn parts(&self) -> &ModelParts {
        &self.parts
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.parts.products.is_empty()
    }

    /// How many products have something that is bought with them more often than by chance.
    pub fn covered(&self) -> usize {
        let is_covered =
            |place: &usize| self.parts.with.range(*place).any(|at| self.parts.with_lift[at] > 1.0);
        (0..self.parts.products.len()).filter(is_covered).count()
    }

    /// What is bought in one order with a product, best first.
    pub fn bought_with(&self, product: &ProductId) -> Vec<Affinity<'_>> {
        let place = self.place(TermId::of_product(product.as_str()));
        let list = place.into_iter().flat_map(|place| self.parts.with.range(place as usize));
        let mut list: Vec<Affinity<'_>> = list
            .map(|at| Affinity {
                target: self.product(self.parts.with.target(at)),
                chance: self.parts.with_chance[at],
                support: self.parts.with_support[at],
                lift: self.parts.with_lift[at],
                days_between: None,
            })
            .collect();
        list.sort_unstable_by(best_first);
        list
    }

    /// What shoppers buy later, for the first time, who bought a product; best first.
    pub fn bought_after(&self, product: &ProductId) -> Vec<Affinity<'_>> {
        let parts = &self.parts;
        let Some(place) = self.place(TermId::of_product(product.as_str())) else { return Vec::new() };
        let range = parts.after.range(place as usize).filter(|at| parts.after_support[*at] > 0);
        let orders = parts.orders[place as usize].max(1) as f32;
        let mut list: Vec<Affinity<'_>> = range
            .map(|at| Affinity {
                target: self.product(parts.after.target(at)),
                chance: (parts.after_support[at] as f32 / orders).min(1.0),
                support: parts.after_support[at],
                lift: parts.after_lift[at],
                days_between: parts.after_gap_days[3 * at..].first_chunk().copied(),
            })
            .collect();
        list.sort_unstable_by(best_first);
        list
    }

    /// Where a product is among those that were sold.
    pub(crate) fn place(&self, product: TermId) -> Option<u32> {
        self.places.get(&product).copied()
    }

    /// The product at a place.
    pub(crate) fn product(&self, place: u32) -> &ProductId {
        &self.parts.products[place as usize]
    }

    /// What a catalog has of the product at a place.
    pub(crate) fn entry<'c>(&self, place: u32, catalog: &'c Catalog) -> Option<&'c Arc<Entry>> {
        let places = || self.parts.products.iter().map(|product| catalog.index_of(product.as_str()));
        let hints = self.hints.get_or_init(|| places().map(|at| at.unwrap_or(u32::MAX)).collect());
        let hinted = catalog.entry(hints[place as usize]);
        hinted
            .filter(|entry| entry.own() == self.terms[place as usize])
            .or_else(|| catalog.get(self.product(place).as_str()))
    }

    /// The products in the most orders, most first.
    pub(crate) fn common(&self) -> &[u32] {
        &self.common
    }

    /// Where a leaf category is among those that have a pace.
    pub(crate) fn paced(&self, leaf: TermId) -> Option<u32> {
        self.paced.get(&leaf).copied()
    }

    /// Where a category is among those that have a list.
    pub(crate) fn shelf(&self, category: TermId) -> Option<u32> {
        self.shelves.get(&category).copied()
    }
}

fn best_first(a: &Affinity<'_>, b: &Affinity<'_>) -> Ordering {
    b.chance.total_cmp(&a.chance).then_with(|| a.target.cmp(b.target))
}

fn common(orders: &[u32]) -> Vec<u32> {
    let mut places: Vec<u32> = (0..).zip(orders).map(|(place, _)| place).collect();
    let order = |a: &u32, b: &u32| orders[*b as usize].cmp(&orders[*a as usize]).then(a.cmp(b));
    if places.len() > COMMON {
        places.select_nth_unstable_by(COMMON, order);
        places.truncate(COMMON);
    }
    places.sort_unstable_by(order);
    places
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}
