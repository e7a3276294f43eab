//! What a follow-up offers: the question that it is to `recommend`.

use std::sync::Arc;

use sidecart_catalog::{ProductId, Timestamp};
use sidecart_rules::{FollowUpKind, Policy, Relation, Stage, Surface};

use super::plan::Plan;
use crate::{
    answer::{Decision, Offer},
    query::{Order, Query},
    recommend::recommend,
    snapshot::Snapshot,
};

/// Most lines of an order that are looked at for when it is timely.
const LINES_MAX: usize = 20;
/// Shoppers of whom fewer tell no days between.
const SUPPORT_MIN: u32 = 10;
/// Most orders of a shopper, besides, whose products they have.
const ORDERS_MAX: usize = 100;

/// What a follow-up would offer at a moment. A refill offers what runs out, or a refill of it, and what is paired with that.
pub fn offers(
    snapshot: &Snapshot,
    plan: &Plan,
    at: Timestamp,
    surface: Surface,
    policy: &Arc<Policy>,
) -> Decision {
    let mut decision = recommend(snapshot, &query(snapshot, plan, at, surface, policy));
    if let Some(product) = &plan.product {
        let is_refill =
            |offer: &Offer| is_variant(snapshot, offer, product) || offer.relation == Some(Relation::Refill);
        let is_refilled = decision.offers.iter().any(is_refill);
        decision.offers.retain(|offer| is_refilled && (is_refill(offer) || offer.relation.is_some()));
    }
    decision
}

/// Whether an offer is of a product or a variant of it.
fn is_variant(snapshot: &Snapshot, offer: &Offer, product: &ProductId) -> bool {
    let entry = snapshot.catalog().get(product.as_str());
    entry.is_some_and(|entry| entry.family() == offer.target.family())
}

fn query(snapshot: &Snapshot, plan: &Plan, at: Timestamp, surface: Surface, policy: &Arc<Policy>) -> Query {
    let stage = match plan.kind {
        FollowUpKind::BeforeShip | FollowUpKind::BeforeArrival => Stage::OrderPlaced,
        FollowUpKind::AfterDelivery => Stage::Delivered,
        FollowUpKind::Refill => Stage::Replenish,
    };
    let others = others(snapshot, plan);
    Query {
        at,
        stage,
        surface,
        anchors: plan.product.iter().cloned().collect(),
        cart: Vec::new(),
        owned: others.iter().filter(|product| !is_used_up(snapshot, plan, product, at)).cloned().collect(),
        order: plan.product.is_none().then(|| Order::recorded(&plan.order)),
        shopper: plan.shopper().cloned(),
        live: Vec::new(),
        // What else a shopper buys again has a follow-up of its own.
        taken: if plan.kind == FollowUpKind::Refill { others } else { Vec::new() },
        results_max: None,
        policy: policy.clone(),
        conversation: None,
    }
}

/// From when a follow-up is timely, where orders tell: one after delivery, once a quarter of those who bought later what is
/// most bought after something of the order had bought it. Days are counted from when the order was placed.
pub(super) fn timely_from(snapshot: &Snapshot, plan: &Plan) -> Option<Timestamp> {
    if plan.kind != FollowUpKind::AfterDelivery {
        return None;
    }
    let affinities = plan.order.bought().take(LINES_MAX).filter_map(|(product, _)| {
        let first = snapshot.model().bought_after(product).into_iter().next()?;
        let days = first.days_between?;
        (first.support >= SUPPORT_MIN && first.lift > 1.0).then_some((first.support, days[0]))
    });
    let (_, days) = affinities.max_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))?;
    Some(plan.placed_at().plus_days(days as i64))
}

/// What else a shopper bought, in their other orders and, of a refill, in its own.
fn others(snapshot: &Snapshot, plan: &Plan) -> Vec<ProductId> {
    let shopper = plan.shopper().map_or("", |shopper| shopper.as_str());
    let orders = snapshot.orders().of_shopper(shopper).rev().take(ORDERS_MAX);
    let others = orders.filter(|order| order.id() != plan.order.id() || plan.product.is_some());
    let products = others.flat_map(|order| order.bought().map(|(product, _)| product));
    let mut others: Vec<ProductId> =
        products.filter(|product| Some(*product) != plan.product.as_ref()).cloned().collect();
    others.sort_unstable();
    others.dedup();
    others
}

/// Whether what a shopper bought of a product has run out by a moment.
fn is_used_up(snapshot: &Snapshot, plan: &Plan, product: &ProductId, at: Timestamp) -> bool {
    let due = plan.shopper().and_then(|shopper| snapshot.follow_ups().runs_out(shopper, product));
    due.is_some_and(|due| due <= at)
}
