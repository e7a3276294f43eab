//! Refills: what of a shopper's orders runs out, and when.

use std::sync::Arc;

use sidecart_catalog::{Catalog, Entry, Kind, ProductId, ShopperId, Timestamp};
use sidecart_rules::FollowUpKind;

use super::plan::Plan;
use crate::{
    model::Model,
    orders::{Orders, RecordedOrder},
    refill::{Habit, Pace},
};

/// Most orders of a shopper that are looked at for how they buy a product, the newest first.
const ORDERS_MAX: usize = 100;
/// Times that a shopper must have come back for what is not a consumable before it counts as one.
const GAPS_MIN: u32 = 2;
/// Orders of a product from which on orders are believed that it is not bought again.
const BELIEVED_MIN: u32 = 50;
/// The share of buyers below which it is not: 5 percent, as the logarithm of odds.
const AGAIN_MIN: f32 = -2.944_439;

/// What a refill is worked out from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What is sold.
    pub catalog: &'a Catalog,
    /// What was learned.
    pub model: &'a Model,
    /// What was bought.
    pub orders: &'a Orders,
}

/// A product that runs out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refill {
    pub(super) product: ProductId,
    /// The newest order that has it.
    pub(super) order: Arc<RecordedOrder>,
    /// When half of such buyers have bought it again.
    pub(super) due: Timestamp,
}

impl Refill {
    /// The refills of these products, ascending, for a shopper: of those that are bought again.
    pub(super) fn of_all(shopper: &ShopperId, products: &[&ProductId], known: &Known<'_>) -> Vec<Self> {
        let mut habits = vec![(Habit::default(), None); products.len()];
        let newest: Vec<_> = known.orders.of_shopper(shopper.as_str()).rev().take(ORDERS_MAX).collect();
        for order in newest.into_iter().rev() {
            let Some(statement) = order.statement() else { continue };
            for (product, left) in order.bought() {
                if let Ok(at) = products.binary_search(&product) {
                    let (habit, newest) = &mut habits[at];
                    habit.add(statement.placed_at, left);
                    *newest = Some(order);
                }
            }
        }
        let all = products.iter().zip(habits);
        all.filter_map(|(product, (habit, newest))| Self::of(product, &habit, newest?, known)).collect()
    }

    /// The refill of a product that a shopper buys so, if it is one that is bought again.
    fn of(
        product: &ProductId,
        habit: &Habit,
        newest: &Arc<RecordedOrder>,
        known: &Known<'_>,
    ) -> Option<Self> {
        let entry = known.catalog.get(product.as_str())?;
        if !is_bought_again(known.model, entry, habit) {
            return None;
        }
        let days = Pace::of(known.model, entry, habit)?.median_days().round().min(f64::from(u16::MAX)) as i64;
        Some(Self { product: product.clone(), order: newest.clone(), due: habit.last()?.plus_days(days) })
    }

    pub(super) fn plan(&self) -> Plan {
        Plan { order: self.order.clone(), kind: FollowUpKind::Refill, product: Some(self.product.clone()) }
    }
}

/// Whether a product is one that this shopper, or anybody, buys again.
fn is_bought_again(model: &Model, entry: &Entry, habit: &Habit) -> bool {
    if habit.gaps() >= GAPS_MIN {
        return true;
    }
    let parts = model.parts();
    let is_dropped = model
        .place(entry.own())
        .map(|place| place as usize)
        .is_some_and(|place| parts.orders[place] >= BELIEVED_MIN && parts.again[place] < AGAIN_MIN);
    entry.product().kind() == Kind::Consumable && (habit.gaps() > 0 || !is_dropped)
}
