//! What is asked: everything that an answer may depend on, besides the snapshot.

use std::sync::Arc;

use sidecart_catalog::{Money, ProductId, ShopperId, Timestamp};
use sidecart_rules::{Policy, Stage, Surface};

use crate::{conversation::Conversation, orders::RecordedOrder};

/// What the shopper has before them. Counts are bounded by the caller, at the edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The moment to answer for.
    pub at: Timestamp,
    /// Where in the journey the shopper is.
    pub stage: Stage,
    /// Through what the offer would be made.
    pub surface: Surface,
    /// Products the need is about.
    pub anchors: Vec<ProductId>,
    /// The cart; its products are anchors too.
    pub cart: Vec<CartLine>,
    /// Products the shopper has.
    pub owned: Vec<ProductId>,
    /// The order this is about; its products are anchors, and owned.
    pub order: Option<Order>,
    /// Who asks, if known: what they bought before counts.
    pub shopper: Option<ShopperId>,
    /// Price and stock known better by the caller.
    pub live: Vec<LiveOffer>,
    /// Products that may not be offered, because an earlier answer of the same batch has them.
    pub taken: Vec<ProductId>,
    /// At most this many offers. `None`: as the policy says.
    pub results_max: Option<u32>,
    /// The policy to answer under.
    pub policy: Arc<Policy>,
    /// The conversation that the offer would be made in, if it would be in one.
    pub conversation: Option<Conversation>,
}

impl Query {
    /// The lines of the order, if there is one.
    pub(crate) fn ordered(&self) -> impl Iterator<Item = &CartLine> {
        self.order.iter().flat_map(|order| &order.lines)
    }
}

/// One line of a cart or an order.
#[derive(Debug, Clone, PartialEq)]
pub struct CartLine {
    /// Which product.
    pub product: ProductId,
    /// How many, at least 1.
    pub quantity: u32,
    /// What the shopper pays for one. `None`: the catalog's price.
    pub unit_price: Option<Money>,
}

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// When it was placed, if known.
    pub placed_at: Option<Timestamp>,
    /// When it should arrive, or did, if known.
    pub expected_delivery: Option<Timestamp>,
    /// What was ordered.
    pub lines: Vec<CartLine>,
}

/// Most lines of a recorded order that are asked about.
const RECORDED_LINES_MAX: usize = 500;

impl Order {
    /// What is left of an order as it was recorded.
    pub fn recorded(order: &RecordedOrder) -> Self {
        let line = |(product, quantity): (&ProductId, u64)| CartLine {
            product: product.clone(),
            quantity: u32::try_from(quantity).unwrap_or(u32::MAX),
            unit_price: None,
        };
        Self {
            placed_at: order.statement().map(|statement| statement.placed_at),
            expected_delivery: order.delivered_at().or(order.expected_delivery()),
            lines: order.bought().map(line).take(RECORDED_LINES_MAX).collect(),
        }
    }
}

/// What the caller knows better.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveOffer {
    /// Which product.
    pub product: ProductId,
    /// Its price now. `None`: the catalog's.
    pub price: Option<Money>,
    /// Whether it can be bought now. `None`: as the catalog says.
    pub in_stock: Option<bool>,
}
