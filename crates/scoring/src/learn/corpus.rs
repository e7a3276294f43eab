//! The corpus: all orders in dense numbers, in an order that does not depend on how they arrived.

use std::{collections::HashMap, hash::Hash, iter, sync::Arc};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, CategoryPath, Entry, ProductId, ShopperId, Timestamp};

use super::jagged::Jagged;
use crate::orders::{Orders, RecordedOrder};

/// A place that nothing has.
pub(crate) const NONE: u32 = u32::MAX;

/// Orders of more products than this are a wholesaler's or a bot's: they would have every product go with every other,
/// and are not learned from.
pub(crate) const BASKET_MAX: usize = 150;

/// Of one shopper's orders of the same products on one day (UTC), those beyond this are a machine's, and are not learned
/// from.
const ALIKE_MAX: u32 = 10;

const DAY_MS: i64 = 86_400_000;

/// How often two products change places for each line, where that is asked for: several times as often as it takes for
/// nothing to be left together for a reason.
const SWAPS: u64 = 5;

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
#[derive(Clone, Default)]
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
    /// Orders placed before a moment of which something is left, but those of more than [`BASKET_MAX`] products and those
    /// of one shopper that are too often alike; of these the newest, with at most `lines_max` lines.
    pub(crate) fn new(orders: &Orders, catalog: &Catalog, until: Timestamp, lines_max: usize) -> Self {
        let mut kept = Vec::new();
        let mut skipped = 0;
        for order in orders.iter() {
            let Some(placed) = order.statement().map(|statement| statement.placed_at) else { continue };
            match order.bought().take(BASKET_MAX + 1).count() {
                _ if placed >= until => {}
                0 => {}
                lines if lines > BASKET_MAX => skipped += 1,
                lines => kept.push((placed, &**order, lines)),
            }
        }
        kept.sort_unstable_by(|(a, x, _), (b, y, _)| a.cmp(b).then_with(|| x.id().cmp(y.id())));
        let (mut is_too_alike, all) = (too_alike(), kept.len());
        kept.retain(|(placed, order, _)| !is_too_alike(*placed, order));
        skipped += all - kept.len();
        let mut all_lines = 0;
        let newest = kept.iter().rev().take_while(|(.., lines)| {
            all_lines += lines;
            all_lines <= lines_max
        });
        kept.drain(..kept.len() - newest.count());
        let (products, baskets) = baskets(kept.iter().map(|(_, order, _)| *order));
        let (shoppers, known) = numbered(kept.iter().map(|(_, order, _)| order.shopper()));
        Self {
            holders: baskets.transposed(products.len()),
            shelves: Shelves::new(&products, catalog),
            placed: kept.iter().map(|(placed, ..)| *placed).collect(),
            baskets,
            shoppers,
            shopper_count: known.len(),
            skipped,
            products,
        }
    }
}

impl Corpus {
    /// The same orders of the same sizes with the same products, each in as many of them, but no longer together for a
    /// reason: products of two orders change places, again and again (A. Gionis, H. Mannila, T. Mielikäinen and P.
    /// Tsaparas, "Assessing data mining results via swap randomization", 2007).
    pub(crate) fn relabeled(&self, seed: u64) -> Self {
        let mut baskets = self.baskets.clone();
        let lines = baskets.item_count() as u64;
        let orders: Vec<u32> =
            (0..).zip(baskets.iter()).flat_map(|(at, basket)| iter::repeat_n(at, basket.len())).collect();
        let drawn = |nth: u64| {
            let bytes = [seed.to_le_bytes(), nth.to_le_bytes()].concat();
            (rapidhash::v3::rapidhash_v3(&bytes) % lines) as usize
        };
        for swap in 0..lines * SWAPS {
            let (a, b) = (drawn(2 * swap), drawn(2 * swap + 1));
            let (of_a, of_b) = (baskets.get(orders[a] as usize), baskets.get(orders[b] as usize));
            if !of_a.contains(baskets.item(b)) && !of_b.contains(baskets.item(a)) {
                baskets.swap(a, b);
            }
        }
        (0..baskets.len()).for_each(|at| baskets.get_mut(at).sort_unstable());
        Self {
            products: self.products.clone(),
            holders: baskets.transposed(self.products.len()),
            placed: self.placed.clone(),
            shoppers: self.shoppers.clone(),
            shopper_count: self.shopper_count,
            skipped: self.skipped,
            shelves: self.shelves.clone(),
            baskets,
        }
    }

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

/// Whether an order is one too many of its kind, asked of one after the other by when they were placed.
fn too_alike<'a>() -> impl FnMut(Timestamp, &'a RecordedOrder) -> bool {
    let mut day = None;
    let mut seen: HashMap<(&ShopperId, Vec<&ProductId>), u32, GlobalState> = HashMap::default();
    move |placed, order| {
        let Some(shopper) = order.shopper() else { return false };
        let today = placed.as_ms().div_euclid(DAY_MS);
        if day.replace(today) != Some(today) {
            seen.clear();
        }
        let products = order.bought().map(|(product, _)| product).collect();
        let count = seen.entry((shopper, products)).or_default();
        *count += 1;
        *count > ALIKE_MAX
    }
}

/// The products of these orders, ascending, and those of each.
fn baskets<'a>(orders: impl Iterator<Item = &'a RecordedOrder>) -> (Vec<ProductId>, Jagged<u32>) {
    let mut numbers: HashMap<&ProductId, u32, GlobalState> = HashMap::default();
    let mut baskets = Jagged::default();
    for order in orders {
        baskets.push(order.bought().map(|(product, _)| {
            let next = numbers.len() as u32;
            *numbers.entry(product).or_insert(next)
        }));
    }
    let mut products: Vec<(&ProductId, u32)> = numbers.into_iter().collect();
    products.sort_unstable();
    let mut places = vec![NONE; products.len()];
    products.iter().zip(0..).for_each(|((_, number), place)| places[*number as usize] = place);
    baskets.iter_mut().for_each(|number| *number = places[*number as usize]);
    (products.into_iter().map(|(product, _)| product.clone()).collect(), baskets)
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
