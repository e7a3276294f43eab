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
mod lists;
pub mod logistic;
mod parallel;
mod recent;
mod sparse;

use sidecart_catalog::{Catalog, Timestamp};

use self::{chance::Chances, corpus::Corpus, counts::Counts};
use crate::{
    model::{Facts, Model, ModelParts},
    orders::Orders,
};

/// Pairs in fewer orders than this are not looked at.
pub(crate) const SUPPORT_MIN: u32 = 2;
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
    let mut parts = learned(orders, catalog, until, after::COST_MAX, threads);
    parts.facts.quality = quality;
    parts.calibration = calibration;
    Model::new(parts).expect("it was made in one piece")
}

/// Everything but how scores become chances.
fn learned(
    orders: &Orders,
    catalog: &Catalog,
    until: Timestamp,
    after_cost_max: usize,
    threads: usize,
) -> ModelParts {
    let corpus = Corpus::new(orders, catalog, until);
    let counts = Counts::new(&corpus, SUPPORT_MIN, threads);
    let mut parts = ModelParts {
        facts: Facts {
            orders: corpus.baskets.len() as u64,
            lines: corpus.baskets.item_count() as u64,
            skipped: corpus.skipped as u64,
            newest: corpus.placed.last().copied(),
            quality: 0.0,
        },
        products: corpus.products.clone(),
        orders: counts.orders.clone(),
        recent: counts.recent.iter().map(|recent| *recent as f32).collect(),
        ..ModelParts::default()
    };
    let chances = Chances::new(&corpus, &counts, threads);
    let fits = sparse::fit(&counts, &sparse::OF_ORDERS, threads);
    lists::fill(&mut parts, &corpus, &counts, &chances, &fits, threads);
    after::fill(&mut parts, &corpus, after_cost_max, threads);
    again::fill(&mut parts, &corpus);
    recent::fill(&mut parts, &corpus, &counts);
    chance::fill(&mut parts, &corpus, &chances);
    parts
}
