//! Orders: what was bought, and what is counted as orders stream in.
//!
//! The orders themselves are the truth; every count here can be made again from them, and a test does.
//! Cloning is cheap and a change copies only what it touches, so generations share what they have in common.

mod order;

use std::sync::Arc;

use imbl::{GenericHashMap, Vector, shared_ptr::DefaultSharedPtr};
use rapidhash::fast::GlobalState;
use sidecart_catalog::{Change, OrderId, ProductId, ShopperId, Timestamp, Violation};

pub use order::{
    CHANGES_MAX, Delivery, LINES_MAX, OrderChange, OrderLine, OrderStatus, RecordedOrder, Reversal,
    Statement, WhatChanged,
};

type Map<K, V> = GenericHashMap<K, V, GlobalState, DefaultSharedPtr>;

/// Most orders of one merchant.
pub const ORDERS_MAX: usize = 20_000_000;

/// Most orders of one shopper that are looked at for one of which something is left.
const VOID_MAX: usize = 100;

/// How much of a product was bought, after all cancels and refunds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sold {
    /// In how many orders it is.
    pub orders: u64,
    /// How many pieces.
    pub units: u64,
}

/// The orders of one merchant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orders {
    by_id: Map<OrderId, Arc<RecordedOrder>>,
    /// The orders of each shopper, by when they were placed and then by id.
    by_shopper: Map<ShopperId, Vector<Arc<RecordedOrder>>>,
    /// Products of which something was bought.
    sold: Map<ProductId, Sold>,
    /// Products in orders, each once for each order that has some of it left.
    line_count: u64,
}

impl Orders {
    /// How many orders are known, also those of which nothing is left.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Whether nothing was recorded since one was cloned from the other. Cheap; it may say no of equal ones.
    pub fn is_same(&self, other: &Self) -> bool {
        self.by_id.ptr_eq(&other.by_id)
    }

    /// How many lines count, of which several of one product in one order are one.
    pub fn line_count(&self) -> u64 {
        self.line_count
    }

    /// An order by id.
    pub fn get(&self, id: &str) -> Option<&Arc<RecordedOrder>> {
        self.by_id.get(id)
    }

    /// All orders, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RecordedOrder>> {
        self.by_id.values()
    }

    /// The orders of a shopper, by when they were placed and then by id.
    pub fn of_shopper(&self, shopper: &str) -> impl DoubleEndedIterator<Item = &Arc<RecordedOrder>> {
        self.by_shopper.get(shopper).into_iter().flatten()
    }

    /// The newest order of a shopper that was placed by a moment and of which something is left.
    pub fn newest_of(&self, shopper: &str, by: Timestamp) -> Option<&Arc<RecordedOrder>> {
        let is_by = |order: &&Arc<RecordedOrder>| moment(order).0.is_some_and(|placed| placed <= by);
        self.of_shopper(shopper)
            .rev()
            .filter(is_by)
            .take(VOID_MAX)
            .find(|order| order.bought().next().is_some())
    }

    /// All shoppers, in no order, each with their orders by when they were placed and then by id.
    pub fn shoppers(&self) -> impl Iterator<Item = (&ShopperId, &Vector<Arc<RecordedOrder>>)> {
        self.by_shopper.iter()
    }

    /// How much of a product was bought.
    pub fn sold(&self, product: &str) -> Sold {
        self.sold.get(product).copied().unwrap_or_default()
    }

    /// All products of which something was bought, in no order.
    pub fn products(&self) -> impl Iterator<Item = (&ProductId, Sold)> {
        self.sold.iter().map(|(product, sold)| (product, *sold))
    }

    /// Adds what is told of an order to what is known of it.
    ///
    /// # Errors
    /// There are too many orders, or the order has too many changes; nothing is added then.
    pub fn record(&mut self, told: RecordedOrder) -> Result<Change, Violation> {
        let before = self.by_id.get(told.id().as_str()).cloned();
        let after = match &before {
            None if self.len() >= ORDERS_MAX => {
                return Err(Violation::new("", format!("is one more than the {ORDERS_MAX} orders allowed")));
            }
            None => told,
            Some(before) => before.merged(told)?,
        };
        if before.as_ref().is_some_and(|before| **before == after) {
            return Ok(Change::Unchanged);
        }
        if let Some(before) = &before {
            self.take_away(before);
        }
        let after = Arc::new(self.shared(after));
        self.add(&after);
        self.by_id.insert(after.id().clone(), after);
        Ok(if before.is_some() { Change::Updated } else { Change::Created })
    }

    /// Takes the shopper out of some of their orders, at most `max`, as of a moment: these before and after.
    pub fn erase(
        &mut self,
        shopper: &ShopperId,
        at: Timestamp,
        max: usize,
    ) -> Vec<(Arc<RecordedOrder>, Arc<RecordedOrder>)> {
        let theirs: Vec<_> = self.of_shopper(shopper.as_str()).take(max).cloned().collect();
        let erased = theirs.into_iter().map(|before| {
            let after = Arc::new(before.of_nobody(at));
            self.take_away(&before);
            self.add(&after);
            self.by_id.insert(after.id().clone(), after.clone());
            (before, after)
        });
        erased.collect()
    }

    /// The same order, sharing its ids with the orders before: most ids come many times.
    fn shared(&self, order: RecordedOrder) -> RecordedOrder {
        let share = |product: &mut ProductId| {
            if let Some((known, _)) = self.sold.get_key_value(product) {
                *product = known.clone();
            }
        };
        let shopper =
            order.shopper().and_then(|shopper| self.by_shopper.get_key_value(shopper)).map(|it| it.0);
        order.sharing(share, shopper)
    }

    fn add(&mut self, order: &Arc<RecordedOrder>) {
        for (product, quantity) in order.bought() {
            self.line_count += 1;
            let sold = self.sold.entry(product.clone()).or_default();
            sold.orders += 1;
            sold.units += quantity;
        }
        if let Some(shopper) = order.shopper() {
            let list = self.by_shopper.entry(shopper.clone()).or_default();
            let at = place(list, order).unwrap_or_else(|at| at);
            list.insert(at, order.clone());
        }
    }

    /// Takes away exactly what [`Orders::add`] added for this order.
    fn take_away(&mut self, order: &Arc<RecordedOrder>) {
        for (product, quantity) in order.bought() {
            self.line_count -= 1;
            let Some(sold) = self.sold.get_mut(product) else { continue };
            sold.orders -= 1;
            sold.units -= quantity;
            if sold.orders == 0 {
                self.sold.remove(product);
            }
        }
        if let Some(shopper) = order.shopper()
            && let Some(list) = self.by_shopper.get_mut(shopper)
        {
            if let Ok(at) = place(list, order) {
                list.remove(at);
            }
            if list.is_empty() {
                self.by_shopper.remove(shopper);
            }
        }
    }
}

/// Where an order stands, or would stand, in the list of its shopper.
fn place(list: &Vector<Arc<RecordedOrder>>, order: &RecordedOrder) -> Result<usize, usize> {
    list.binary_search_by(|other| moment(other).cmp(&moment(order)))
}

fn moment(order: &RecordedOrder) -> (Option<Timestamp>, &OrderId) {
    (order.statement().map(|statement| statement.placed_at), order.id())
}
