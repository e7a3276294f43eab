//! Recent orders, kept whole: the neighbours of a cart.

use super::{corpus::Corpus, counts::Counts};
use crate::model::ModelParts;

/// Most orders kept for one product: the newest that have it.
const ORDERS_MAX: usize = 500;

/// Keeps the orders that are among the newest of any of their products.
pub(super) fn fill(parts: &mut ModelParts, corpus: &Corpus, counts: &Counts) {
    let newest = |product: usize| {
        let held = corpus.holders.get(product);
        &held[held.len().saturating_sub(ORDERS_MAX)..]
    };
    let mut is_kept = vec![false; corpus.baskets.len()];
    let products = 0..corpus.products.len();
    products.clone().flat_map(newest).for_each(|at| is_kept[*at as usize] = true);
    let mut places = vec![0_u32; corpus.baskets.len()];
    for (at, basket) in corpus.baskets.iter().enumerate().filter(|(at, _)| is_kept[*at]) {
        places[at] = u32::try_from(parts.baskets.len()).expect("orders are bounded");
        parts.baskets.push(basket.iter().copied());
        parts.basket_weight.push(counts.weights[at]);
    }
    products.for_each(|product| parts.latest.push(newest(product).iter().map(|at| places[*at as usize])));
}
