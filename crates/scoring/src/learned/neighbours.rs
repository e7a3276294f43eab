//! The recent orders most like a cart, and what is in them.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;

use crate::model::ModelParts;

/// Orders that a cart is compared with in the end: those most like it.
const NEAREST: usize = 100;
/// Most orders looked at, all lines of a cart together: of each line the newest.
const ORDERS_MAX: usize = 25_000;
/// How far it counts against a common product that many orders have it.
const RARITY_POWER: f64 = -0.3;

/// What is in the orders nearest to a cart, weighted by how near they are: by target.
pub(super) fn near(parts: &ModelParts, places: &[Option<u32>]) -> Vec<(u32, f64)> {
    let mut likeness: HashMap<u32, f64, GlobalState> = HashMap::default();
    let all = parts.facts.orders.max(1) as f64;
    let newest = ORDERS_MAX / places.len().max(1);
    for place in places.iter().flatten() {
        let rarity = (f64::from(parts.orders[*place as usize]) / all).powf(RARITY_POWER);
        let latest = parts.latest.of(*place as usize);
        for order in &latest[latest.len().saturating_sub(newest)..] {
            *likeness.entry(*order).or_default() += rarity;
        }
    }
    let weigh =
        |(order, likeness): (u32, f64)| (order, likeness * f64::from(parts.basket_weight[order as usize]));
    let mut nearest: Vec<(u32, f64)> = likeness.into_iter().map(weigh).collect();
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
    if nearest.len() > NEAREST {
        nearest.select_nth_unstable_by(NEAREST, order);
        nearest.truncate(NEAREST);
    }
    // In an order of their own, so that sums come out the same.
    nearest.sort_unstable_by_key(|(order, _)| *order);
    let mut found: Vec<(u32, f64)> = Vec::new();
    for (order, weight) in nearest {
        found.extend(parts.baskets.of(order as usize).iter().map(|product| (*product, weight)));
    }
    found.sort_by_key(|(product, _)| *product);
    found.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            kept.1 += later.1;
        }
        is_same
    });
    found
}
