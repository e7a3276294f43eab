//! The corpus: all orders in dense numbers, in an order that does not depend on how they arrived.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, CategoryPath, Entry, ProductId, Timestamp};

use super::jagged::Jagged;
use crate::orders::{Orders, RecordedOrder};

/// A place that nothing has.
pub(crate) const NONE: u32 = u32::MAX;

/// Orders of more products than this are a wholesaler's or a bot's: they would have every product go with every other,
/// and are not learned from.
pub(crate) const BASKET_MAX: usize = 150;

/// What is learned from.
pub(crate) struct Corpus {
    /// Products that were sold, ascending. The others speak of them by their place here.
    pub(crate) products: Vec<ProductId>,
    /// The products of each order, ascending; orders by when they were placed and then by id.
    pub(crate) baskets: Jagged<u32>,
    /// The baskets of each product, ascending.
    pub(crate) holders: Jagged<u32>,
    /// When each order was placed.
    pub(crate) placed: Vec<Timestamp>,
    /// Who placed each order, or [`NONE`].
    pub(crate) shoppers: Vec<u32>,
    /// How many shoppers there are.
    pub(crate) shopper_count: usize,
    /// How many orders were left out.
    pub(crate) skipped: usize,
    /// Where each product is sold.
    pub(crate) shelves: Shelves,
}

/// Where each product stands: dense numbers of categories, or [`NONE`] for what the catalog does not have.
#[derive(Default)]
pub(crate) struct Shelves {
    /// The leaf category of each product.
    pub(crate) leaf: Vec<u32>,
    /// The category above it.
    pub(crate) parent: Vec<u32>,
    /// The leaf categories, by number.
    pub(crate) leaves: Vec<CategoryPath>,
    /// The categories above, by number.
    pub(crate) parents: Vec<CategoryPath>,
}

impl Corpus {
    /// All orders placed before a moment of which something is left, but those of more than [`BASKET_MAX`] products.
    pub(crate) fn new(orders: &Orders, catalog: &Catalog, until: Timestamp) -> Self {
        let mut kept: Vec<(Timestamp, &RecordedOrder)> = orders
            .iter()
            .filter_map(|order| Some((order.statement()?.placed_at, &**order)))
            .filter(|(placed, order)| *placed < until && order.bought().next().is_some())
            .collect();
        let all = kept.len();
        kept.retain(|(_, order)| order.bought().take(BASKET_MAX + 1).count() <= BASKET_MAX);
        let skipped = all - kept.len();
        kept.sort_unstable_by_key(|(placed, order)| (*placed, order.id()));
        let products = products_of(kept.iter().map(|(_, order)| *order));
        let places: HashMap<&ProductId, u32, GlobalState> = products.iter().zip(0..).collect();
        let mut baskets = Jagged::default();
        for (_, order) in &kept {
            baskets.push(order.bought().map(|(product, _)| places[product]));
        }
        let (shoppers, known) = numbered(kept.iter().map(|(_, order)| order.shopper()));
        Self {
            holders: baskets.transposed(products.len()),
            shelves: Shelves::new(&products, catalog),
            placed: kept.iter().map(|(placed, _)| *placed).collect(),
            baskets,
            shoppers,
            shopper_count: known.len(),
            skipped,
            products,
        }
    }
}

impl Corpus {
    /// The same products in other baskets, none older than another.
    pub(crate) fn with_baskets(&self, baskets: Jagged<u32>) -> Self {
        Self {
            products: self.products.clone(),
            holders: baskets.transposed(self.products.len()),
            placed: vec![Timestamp::from_ms(0); baskets.len()],
            shoppers: vec![NONE; baskets.len()],
            shopper_count: 0,
            skipped: 0,
            shelves: Shelves::default(),
            baskets,
        }
    }
}

/// The products of these orders, ascending.
fn products_of<'a>(orders: impl Iterator<Item = &'a RecordedOrder>) -> Vec<ProductId> {
    let distinct: HashSet<&ProductId, GlobalState> =
        orders.flat_map(|order| order.bought()).map(|(product, _)| product).collect();
    let mut products: Vec<ProductId> = distinct.into_iter().cloned().collect();
    products.sort_unstable();
    products
}

impl Shelves {
    fn new(products: &[ProductId], catalog: &Catalog) -> Self {
        let entries: Vec<_> = products.iter().map(|product| catalog.get(product.as_str())).collect();
        let category =
            |entry: &Option<&Arc<Entry>>| entry.and_then(|entry| entry.product().category().cloned());
        let (leaf, leaves) = numbered(entries.iter().map(category));
        let above = |entry: &Option<&Arc<Entry>>| category(entry).and_then(|path| path.parent());
        let (parent, parents) = numbered(entries.iter().map(above));
        Self { leaf, parent, leaves, parents }
    }
}

/// Numbers for values, and the values by number: in the order in which they first come.
fn numbered<T: Clone + Hash + Eq>(values: impl Iterator<Item = Option<T>>) -> (Vec<u32>, Vec<T>) {
    let (mut numbers, mut distinct): (HashMap<T, u32, GlobalState>, _) = (HashMap::default(), Vec::new());
    let mut number = |value: T| {
        *numbers.entry(value).or_insert_with_key(|value| {
            distinct.push(value.clone());
            u32::try_from(distinct.len() - 1).unwrap_or(NONE)
        })
    };
    let list = values.map(|value| value.map_or(NONE, &mut number)).collect();
    (list, distinct)
}
