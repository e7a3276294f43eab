//! The learner: from orders to a model. Pure: the same orders and catalog give the same model, in whatever order they
//! arrived and on however many threads.

mod after;
mod again;
mod calibrate;
mod chance;
pub(crate) mod corpus;
pub(crate) mod counts;
mod jagged;
mod lift;
pub(crate) mod lists;
pub mod logistic;
pub(crate) mod parallel;
mod recent;
mod refill;
mod sparse;

use sidecart_catalog::{Catalog, Timestamp};

use self::{chance::Chances, corpus::Corpus, counts::Counts};
use crate::{
    model::{Facts, Lists, Model, ModelParts},
    orders::Orders,
};

/// Pairs in fewer orders than this are not looked at.
pub(crate) const SUPPORT_MIN: u32 = 2;
/// Most lines that are learned from, those of the newest orders: memory and time are bounded by it.
pub(crate) const LINES_MAX: usize = 20_000_000;
/// The same where all that is asked is how scores become chances.
const CALIBRATION_LINES_MAX: usize = 1_000_000;
/// After all orders.
const ALWAYS: Timestamp = Timestamp::from_ms(i64::MAX);

/// Learns from all orders, on `threads` threads.
pub fn learn(orders: &Orders, catalog: &Catalog, threads: usize) -> Model {
    learn_until(orders, catalog, ALWAYS, threads)
}

/// Learns from the orders placed before a moment.
///
/// First a model of all but the newest orders is asked about these, to learn how often what it offers is bought.
pub(crate) fn learn_until(orders: &Orders, catalog: &Catalog, until: Timestamp, threads: usize) -> Model {
    let (calibration, quality) = calibrate::calibrate(orders, catalog, until, threads);
    let whole = Scope { until, lines_max: LINES_MAX, after_cost_max: after::COST_MAX };
    let mut parts = learned(orders, catalog, &whole, threads);
    (parts.facts.quality, parts.facts.asked) = (quality.rank, quality.asked);
    parts.calibration = calibration;
    Model::new(parts).expect("it was made in one piece")
}

/// What is bought in one order with each product, and nothing else: what it takes to ask about products.
pub(crate) fn bought_with(corpus: &Corpus, threads: usize) -> Model {
    Model::new(of_corpus(corpus, 0, threads)).expect("it was made in one piece")
}

/// The paces at which products are bought again, and nothing else, of orders placed before a moment.
pub(crate) fn paces(orders: &Orders, catalog: &Catalog, until: Timestamp) -> Model {
    let corpus = Corpus::new(orders, catalog, until, LINES_MAX);
    let products = corpus.products.clone();
    let count = products.len();
    let mut parts = ModelParts {
        products,
        orders: vec![0; count],
        recent: vec![0.0; count],
        again: vec![0.0; count],
        again_lift: vec![0.0; count],
        with: Lists::of_nothing(count),
        after: Lists::of_nothing(count),
        latest: Lists::of_nothing(count),
        ..ModelParts::default()
    };
    refill::fill(&mut parts, &corpus);
    parts.paces.stock_up = refill::stock_up(orders, until);
    Model::new(parts).expect("it was made in one piece")
}

/// How much is learned from.
struct Scope {
    /// Orders placed before this.
    until: Timestamp,
    /// Of these the newest, with so many lines.
    lines_max: usize,
    /// What may be spent on counting what shoppers bought at different times: see [`after::COST_MAX`].
    after_cost_max: usize,
}

/// Everything but how scores become chances.
fn learned(orders: &Orders, catalog: &Catalog, scope: &Scope, threads: usize) -> ModelParts {
    let corpus = Corpus::new(orders, catalog, scope.until, scope.lines_max);
    let mut parts = of_corpus(&corpus, scope.after_cost_max, threads);
    parts.paces.stock_up = refill::stock_up(orders, scope.until);
    parts
}

/// The same of orders in dense numbers.
fn of_corpus(corpus: &Corpus, after_cost_max: usize, threads: usize) -> ModelParts {
    let counts = Counts::new(corpus, SUPPORT_MIN, threads);
    let mut parts = ModelParts {
        facts: Facts {
            orders: corpus.baskets.len() as u64,
            lines: corpus.baskets.item_count() as u64,
            skipped: corpus.skipped as u64,
            newest: corpus.placed.last().copied(),
            quality: 0.0,
            asked: 0,
        },
        products: corpus.products.clone(),
        orders: counts.orders.clone(),
        recent: counts.recent.iter().map(|recent| *recent as f32).collect(),
        ..ModelParts::default()
    };
    let chances = Chances::new(corpus, &counts, threads);
    let fits = sparse::fit(&counts, &sparse::OF_ORDERS, threads);
    let by_chance = lift::Chance::new(corpus);
    lists::fill(&mut parts, corpus, &counts, &chances, &fits, &by_chance, threads);
    after::fill(&mut parts, corpus, after_cost_max, threads);
    again::fill(&mut parts, corpus, &by_chance);
    refill::fill(&mut parts, corpus);
    recent::fill(&mut parts, corpus, &counts);
    chance::fill(&mut parts, corpus, &chances, &by_chance);
    parts
}
