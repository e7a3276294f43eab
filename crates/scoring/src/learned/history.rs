//! What a shopper bought before a moment, product by product.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;
use sidecart_catalog::{ShopperId, TermId, Timestamp};

use crate::{model::Model, orders::Orders};

/// Most lines of a shopper's orders that are looked at, the newest first.
const LINES_MAX: usize = 10_000;
/// Most of a shopper's orders that are looked at, the newest first, also those that are void or come later.
const ORDERS_MAX: usize = 20_000;
const DAY_MS: f64 = 86_400_000.0;

/// What a shopper bought before a moment.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By product.
    pub(crate) bought: Vec<Bought>,
    /// How many orders there are, each less with a half-life of 30 days.
    pub(crate) visits: f64,
}

/// How a shopper bought one product. Ages are in days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bought {
    /// The product's place in the model.
    pub(crate) product: u32,
    /// In how many orders.
    pub(crate) orders: u32,
    /// Age of the first of these.
    pub(crate) first: f64,
    /// Age of the last.
    pub(crate) last: f64,
    /// How many orders, each less with a half-life of 14, 30, 60 and 120 days.
    pub(crate) faded: [f64; 4],
}

/// Half-lives of [`Bought::faded`], in days.
const HALF_LIVES: [f64; 4] = [14.0, 30.0, 60.0, 120.0];

impl History {
    /// What a shopper bought before a moment, of the products that a model knows.
    pub(crate) fn new(model: &Model, orders: &Orders, shopper: &ShopperId, at: Timestamp) -> Self {
        let mut found: HashMap<u32, Bought, GlobalState> = HashMap::default();
        let (mut lines, mut visits) = (0, 0.0);
        for order in orders.of_shopper(shopper.as_str()).rev().take(ORDERS_MAX) {
            let Some(placed) = order.statement().map(|statement| statement.placed_at) else { continue };
            if placed >= at {
                continue;
            }
            if lines >= LINES_MAX {
                break;
            }
            let age = (at.as_ms() - placed.as_ms()) as f64 / DAY_MS;
            let (before, faded) = (lines, HALF_LIVES.map(|half_life| (-age / half_life).exp2()));
            for (product, _) in order.bought() {
                lines += 1;
                let Some(place) = model.place(TermId::of_product(product.as_str())) else { continue };
                let new = Bought { product: place, orders: 0, first: age, last: age, faded: [0.0; 4] };
                let bought = found.entry(place).or_insert(new);
                bought.orders += 1;
                (bought.first, bought.last) = (bought.first.max(age), bought.last.min(age));
                bought.faded.iter_mut().zip(faded).for_each(|(sum, faded)| *sum += faded);
            }
            if lines > before {
                visits += faded[1];
            }
        }
        let mut bought: Vec<Bought> = found.into_values().collect();
        bought.sort_unstable_by_key(|bought| bought.product);
        Self { bought, visits }
    }
}
