//! The recent orders most like a cart, and what is in them.

use std::cell::RefCell;

use super::sums::Sums;
use crate::model::ModelParts;

/// Orders that a cart is compared with in the end: those most like it.
const NEAREST: usize = 100;
/// Most orders looked at, all lines of a cart together: of each line the newest.
const ORDERS_MAX: usize = 2_000;
/// How far it counts against a common product that many orders have it.
const RARITY_POWER: f64 = -0.3;

thread_local! {
    /// Room for how like a cart each order is, all 0, kept from cart to cart.
    static LIKENESS: RefCell<Sums<f32>> = RefCell::default();
}

/// The orders nearest to a cart of known products, each with how near it is, the oldest first.
pub(super) fn nearest(parts: &ModelParts, known: &[u32]) -> Vec<(u32, f32)> {
    let all = parts.facts.orders.max(1) as f64;
    let newest = ORDERS_MAX / known.len().max(1);
    let mut nearest: Vec<(u32, f32)> = LIKENESS.with_borrow_mut(|likeness| {
        likeness.begin(parts.baskets.len());
        for place in known {
            let rarity = (f64::from(parts.orders[*place as usize]) / all).powf(RARITY_POWER) as f32;
            let latest = parts.latest.of(*place as usize);
            for order in &latest[latest.len().saturating_sub(newest)..] {
                *likeness.of(*order) += rarity;
            }
        }
        let weigh = |(order, likeness): (u32, f32)| (order, likeness * parts.basket_weight[order as usize]);
        likeness.drain().map(weigh).collect()
    });
    if nearest.len() > NEAREST {
        nearest.select_nth_unstable_by(NEAREST, |a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        nearest.truncate(NEAREST);
    }
    // In an order of their own, so that sums come out the same.
    nearest.sort_unstable_by_key(|(order, _)| *order);
    nearest
}
