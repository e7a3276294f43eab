//! Learning what is bought again: how often of each product, and how a shopper's own history tells.

use sidecart_catalog::Timestamp;

use super::{
    corpus::{Corpus, NONE},
    lift,
    logistic::{Example, Logistic},
};
use crate::{
    learned::{again::signals, history::History},
    model::{BuysAgain, Model, ModelParts},
    orders::Orders,
};

/// Strength of the leaf category's word against a product's own buyers, in buyers.
const LEAF_STRENGTH: f64 = 5.0;
/// Repeats of one shopper that count: nobody is the proof that all buy again.
const REPEATS_MAX: usize = 5;
/// How long after a moment a purchase counts, in days.
const WINDOW_DAYS: i64 = 14;
/// Moments that are asked about: so many windows before the newest order.
const WINDOWS: [i64; 3] = [1, 2, 3];
/// Most shoppers asked about at each moment.
const SHOPPERS_MAX: usize = 500;
/// What was bought longer ago than this is not asked about, in days.
const AGE_MAX_DAYS: f64 = 120.0;

/// The weights where orders do not tell: fitted on the public grocery orders of `docs/quality.md`, and rounded.
const PRIOR: BuysAgain =
    Logistic { weights: [-2.2, 0.4, 0.1, -0.25, 0.2, -0.15, 1.0, 0.35, 0.1, -0.35, -0.1, -0.45] };

/// Fills how often each product is bought again, and whether that is more often than by chance.
pub(super) fn fill(parts: &mut ModelParts, corpus: &Corpus, by_chance: &lift::Chance) {
    let counts = counts(corpus);
    let leaf = |product: usize| corpus.shelves.leaf[product];
    let mut of_leaves = vec![Buyers::default(); corpus.shelves.leaves.len()];
    let mut of_all = Buyers::default();
    for (product, buyers) in counts.iter().enumerate() {
        of_all.add(buyers);
        if leaf(product) != NONE {
            of_leaves[leaf(product) as usize].add(buyers);
        }
    }
    let all = of_all.again / of_all.once.max(1.0);
    for (product, buyers) in counts.iter().enumerate() {
        let near = match leaf(product) {
            NONE => all,
            leaf => of_leaves[leaf as usize].shrunk(all),
        };
        let share = buyers.shrunk(near).clamp(1e-4, 1.0 - 1e-4);
        parts.again.push((share / (1.0 - share)).ln() as f32);
        parts.again_lift.push(by_chance.lower(buyers.repeats as u32, buyers.expected));
    }
}

/// The shoppers of a product.
#[derive(Debug, Clone, Copy, Default)]
struct Buyers {
    /// How many bought it.
    once: f64,
    /// How many bought it again.
    again: f64,
    /// How often it was bought again, by one shopper at most [`REPEATS_MAX`] times.
    repeats: f64,
    /// How often that is by chance.
    expected: f64,
}

impl Buyers {
    fn add(&mut self, other: &Self) {
        self.once += other.once;
        self.again += other.again;
    }

    fn shrunk(&self, to: f64) -> f64 {
        (self.again + LEAF_STRENGTH * to) / (self.once + LEAF_STRENGTH)
    }
}

fn counts(corpus: &Corpus) -> Vec<Buyers> {
    let mut buyers = vec![Buyers::default(); corpus.products.len()];
    let mut orders: Vec<Vec<u32>> = vec![Vec::new(); corpus.shopper_count];
    for (at, shopper) in (0..).zip(&corpus.shoppers) {
        if let Some(list) = orders.get_mut(*shopper as usize) {
            list.push(at);
        }
    }
    let all = corpus.baskets.len().max(1) as f64;
    for own in orders {
        let mut bought: Vec<u32> =
            own.iter().flat_map(|at| corpus.baskets.get(*at as usize)).copied().collect();
        bought.sort_unstable();
        for same in bought.chunk_by(|a, b| a == b) {
            let product = &mut buyers[same[0] as usize];
            product.once += 1.0;
            product.again += f64::from(u8::from(same.len() > 1));
            product.repeats += (same.len() - 1).min(REPEATS_MAX) as f64;
            let others = own.len() as f64 - 1.0;
            product.expected += others * corpus.holders.get(same[0] as usize).len() as f64 / all;
        }
    }
    buyers
}

/// How a shopper's own history tells, from what shoppers bought in the windows before the newest order.
pub(super) fn fitted(model: &Model, orders: &Orders, until: Timestamp) -> BuysAgain {
    let Some(newest) = model.parts().facts.newest else { return PRIOR };
    let mut shoppers: Vec<_> = orders.shoppers().map(|(shopper, _)| shopper).collect();
    shoppers.sort_unstable_by_key(|shopper| (crate::question::hash(shopper.as_str()), *shopper));
    shoppers.truncate(SHOPPERS_MAX);
    let mut examples = Vec::new();
    for window in WINDOWS {
        let at = newest.plus_days(-WINDOW_DAYS * window);
        let end = until.min(at.plus_days(WINDOW_DAYS));
        for shopper in &shoppers {
            let history = History::new(model, orders, shopper, at);
            let next = History::new(model, orders, shopper, end);
            for bought in history.bought.iter().filter(|bought| bought.last < AGE_MAX_DAYS) {
                let later = next.bought.binary_search_by_key(&bought.product, |later| later.product);
                let is_so = later.is_ok_and(|at| next.bought[at].orders > bought.orders);
                examples.push(Example { signals: signals(model.parts(), &history, bought), is_so });
            }
        }
    }
    Logistic::fitted(&examples, PRIOR)
}
