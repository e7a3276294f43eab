//! What is asked.

use std::sync::{Arc, LazyLock};

use sidecart::v1 as pb;
use sidecart_catalog::{Timestamp, Violation};
use sidecart_rules::{Policy, Stage, Surface};
use sidecart_scoring::{CartLine, LiveOffer, Order, Query, Snapshot};

use super::{
    bounds::{at_most, each, required, short},
    conversation::{self, Talk},
    enums, id, money, policy, time,
};
use crate::{limits, status::Fault};

/// The policy of calls that name none.
pub const POLICY_DEFAULT: &str = "default";

/// A query whose policy is still to be looked up in the snapshot.
#[derive(Debug)]
pub struct Draft {
    /// Complete, when no policy is named.
    query: Query,
    /// `None`: the policy was given in the request.
    policy: Option<Box<str>>,
    /// Names an order of which only that is said.
    order: Option<Box<str>>,
    /// What was said, until it is read.
    talk: Option<Talk>,
}

impl Draft {
    /// The query under the policies of a snapshot, and what was said as read by it.
    ///
    /// # Errors
    /// There is no such policy.
    pub fn under(self, snapshot: &Snapshot) -> Result<Query, Fault> {
        let Self { mut query, policy, order, talk } = self;
        if let Some(name) = policy {
            query.policy = snapshot.policies().get(&name).ok_or_else(|| Fault::not_found("policy", name))?;
        }
        if let Some(recorded) = order.and_then(|id| snapshot.orders().get(&id)) {
            query.order = Some(Order::recorded(recorded));
        }
        if query.order.is_none() && is_of_purchase(&query) {
            query.order = newest_order(&query, snapshot);
        }
        query.conversation = talk.map(|talk| talk.read(snapshot, query.policy.phrases()));
        Ok(query)
    }
}

/// Whether it is about a purchase, and says of what only whose.
fn is_of_purchase(query: &Query) -> bool {
    query.anchors.is_empty()
        && query.cart.is_empty()
        && matches!(query.stage, Stage::OrderPlaced | Stage::Delivered | Stage::Replenish)
}

/// The newest order of the shopper, as it was recorded.
fn newest_order(query: &Query, snapshot: &Snapshot) -> Option<Order> {
    snapshot.orders().newest_of(query.shopper.as_ref()?.as_str(), query.at).map(|it| Order::recorded(it))
}

/// A request for offers, to be answered for `now` unless it says when.
///
/// # Errors
/// The first fault. Counts are looked at before what is counted.
pub fn from_pb(request: pb::RecommendRequest, now: Timestamp) -> Result<Draft, Violation> {
    let pb::RecommendRequest {
        merchant_id: _,
        stage,
        surface,
        anchor_ids,
        cart,
        owned_ids,
        order,
        conversation,
        live,
        shopper_id,
        session_id,
        max_results,
        min_generation: _,
        at,
        policy,
        explain: _,
    } = request;
    let stage = enums::stage::from_pb(stage).map_err(|fault| fault.within("stage"))?;
    let surface = enums::surface::from_pb(surface).map_err(|fault| fault.within("surface"))?;
    short(&session_id, limits::ID_MAX_BYTES, "session_id")?;
    let (policy, policy_name) = choice(policy)?;
    let named = order.as_ref().filter(|order| order.lines.is_empty()).map(|order| order.order_id.as_str());
    let named = named.filter(|id| !id.is_empty()).map(Box::from);
    let talk = conversation.map(conversation::from_pb).transpose();
    let talk = talk.map_err(|fault| fault.within("conversation"))?;
    let elsewhere = if talk.is_some() { Surface::Chat } else { Surface::Web };
    let query = Query {
        at: time::optional(at.as_ref(), "at")?.unwrap_or(now),
        stage: required(stage, "stage")?,
        surface: surface.unwrap_or(elsewhere),
        anchors: id::products(&anchor_ids, limits::ANCHORS_MAX, "anchor_ids")?,
        cart: lines(cart, limits::CART_LINES_MAX, "cart")?,
        owned: id::products(&owned_ids, limits::OWNED_MAX, "owned_ids")?,
        order: order.map(ordered).transpose().map_err(|fault| fault.within("order"))?,
        shopper: id::shopper(&shopper_id)?,
        live: known_better(live)?,
        taken: Vec::new(),
        results_max: results_max(max_results)?,
        policy,
        conversation: None,
    };
    Ok(Draft { query, policy: policy_name, order: named, talk })
}

/// The policy given, or the name of the one to look up beside a stand-in.
fn choice(choice: Option<pb::PolicyChoice>) -> Result<(Arc<Policy>, Option<Box<str>>), Violation> {
    static STAND_IN: LazyLock<Arc<Policy>> = LazyLock::new(|| Arc::new(Policy::built_in()));
    let named = |name: &str| {
        let name = if name.is_empty() { POLICY_DEFAULT } else { name };
        Ok((STAND_IN.clone(), Some(name.into())))
    };
    let Some(pb::PolicyChoice { choice }) = choice else { return named(POLICY_DEFAULT) };
    match choice {
        None => Err(Violation::new("policy", "is empty: set one of `name` and `inline`")),
        Some(pb::policy_choice::Choice::Name(name)) => {
            short(&name, limits::POLICY_NAME_MAX, "policy.name")?;
            named(&name)
        }
        Some(pb::policy_choice::Choice::Inline(given)) => {
            let given = policy::inline_from_pb(given).map_err(|fault| fault.within("policy.inline"))?;
            Ok((Arc::new(given), None))
        }
    }
}

fn lines(lines: Vec<pb::CartLine>, max: usize, field: &str) -> Result<Vec<CartLine>, Violation> {
    at_most(&lines, max, field)?;
    each(lines, field, line)
}

fn line(line: pb::CartLine) -> Result<CartLine, Violation> {
    let pb::CartLine { product_id, quantity, unit_price } = line;
    let max = limits::LINE_QUANTITY_MAX;
    if quantity > max {
        return Err(Violation::new("quantity", format!("is {quantity}, at most {max}")));
    }
    Ok(CartLine {
        product: id::product(&product_id)?,
        quantity: quantity.max(1),
        unit_price: money::optional(unit_price.as_ref(), "unit_price")?,
    })
}

fn ordered(order: pb::Order) -> Result<Order, Violation> {
    let pb::Order { order_id, placed_at, expected_delivery, lines: ordered } = order;
    short(&order_id, limits::ID_MAX_BYTES, "order_id")?;
    Ok(Order {
        placed_at: time::optional(placed_at.as_ref(), "placed_at")?,
        expected_delivery: time::optional(expected_delivery.as_ref(), "expected_delivery")?,
        lines: lines(ordered, limits::ORDER_LINES_MAX, "lines")?,
    })
}

fn known_better(live: Vec<pb::LiveOffer>) -> Result<Vec<LiveOffer>, Violation> {
    at_most(&live, limits::LIVE_MAX, "live")?;
    each(live, "live", |pb::LiveOffer { product_id, price, in_stock }| {
        let price = money::optional(price.as_ref(), "price")?;
        Ok(LiveOffer { product: id::product(&product_id)?, price, in_stock })
    })
}

fn results_max(max: u32) -> Result<Option<u32>, Violation> {
    if max > limits::RESULTS_MAX {
        return Err(Violation::new("max_results", format!("is {max}, at most {}", limits::RESULTS_MAX)));
    }
    Ok(Some(max).filter(|max| *max > 0))
}
