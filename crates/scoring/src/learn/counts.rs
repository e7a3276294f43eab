//! Counts: how often products are in one order, weighted by how much each order says.

use sidecart_catalog::Timestamp;

use super::{corpus::Corpus, jagged::Jagged, parallel};

/// Half-life of what an order says, as a share of the span of all orders: what was bought long ago says less.
const HALF_LIFE_OF_SPAN: f64 = 0.55;
/// The least half-life, in days: over a short span no order is old.
const HALF_LIFE_DAYS_MIN: f64 = 14.0;
/// Half-life of what is bought just now, in days.
const FRESH_HALF_LIFE_DAYS: f64 = 7.0;
/// Half-life of what is bought of late, in days: one unusual week alone says little.
const RECENT_HALF_LIFE_DAYS: f64 = 14.0;
/// The share of products, as one over it, from which on a row counts as dense.
const DENSE: usize = 32;
const DAY_MS: f64 = 86_400_000.0;

/// A product beside another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Beside {
    /// The other product.
    pub(crate) product: u32,
    /// In how many orders both are.
    pub(crate) orders: u32,
    /// The weights of these orders together.
    pub(crate) weight: f32,
}

/// Weighted counts of single products and of pairs. The mean weight of an order is 1.
pub(crate) struct Counts {
    /// What each order weighs: more lines say less about each pair, and old orders say less than new ones.
    pub(crate) weights: Vec<f32>,
    /// What the orders of each product weigh together.
    pub(crate) single: Vec<f64>,
    /// In how many orders each product is.
    pub(crate) orders: Vec<u32>,
    /// The share of all weight that has the product.
    pub(crate) base: Vec<f64>,
    /// The same of what is bought just now.
    pub(crate) fresh: Vec<f64>,
    /// In how many orders each product is of late: each counts less with its age.
    pub(crate) recent: Vec<f64>,
    /// For each product the others beside it, ascending.
    pub(crate) pairs: Jagged<Beside>,
}

impl Counts {
    /// Counts everything, on `threads` threads; the result is the same for any number of them.
    /// Pairs in fewer orders than `support_min` are chance, whatever they weigh, and are left out.
    pub(crate) fn new(corpus: &Corpus, support_min: u32, threads: usize) -> Self {
        let days = |ms: i64| ms as f64 / DAY_MS;
        // But for the oldest hundredth: a few wrong dates must not make all else new.
        let span = match (corpus.placed.get(corpus.placed.len() / 100), corpus.placed.last()) {
            (Some(first), Some(last)) => days(last.as_ms() - first.as_ms()),
            _ => 0.0,
        };
        let weights = weights(corpus, (span * HALF_LIFE_OF_SPAN).max(HALF_LIFE_DAYS_MIN));
        let fresh =
            shares(corpus, &weights_of_products(corpus, &self::weights(corpus, FRESH_HALF_LIFE_DAYS)));
        let single = weights_of_products(corpus, &weights);
        let pairs = pairs(corpus, &weights, support_min, threads);
        let orders =
            corpus.holders.iter().map(|held| u32::try_from(held.len()).unwrap_or(u32::MAX)).collect();
        let recent = weights_of_products(corpus, &faded(corpus, RECENT_HALF_LIFE_DAYS));
        Self { base: shares(corpus, &single), fresh, recent, weights, single, orders, pairs }
    }

    /// What is known of a pair.
    pub(crate) fn pair(&self, product: u32, other: u32) -> Option<Beside> {
        let row = self.pairs.get(product as usize);
        row.binary_search_by_key(&other, |beside| beside.product).ok().map(|at| row[at])
    }
}

/// What each order weighs: less with age, less for each of many lines; 1 on average.
fn weights(corpus: &Corpus, half_life_days: f64) -> Vec<f32> {
    let weight = |(faded, basket): (&f32, &[u32])| f64::from(*faded) / (basket.len() as f64).sqrt();
    let faded = faded(corpus, half_life_days);
    let weights: Vec<f64> = faded.iter().zip(corpus.baskets.iter()).map(weight).collect();
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    weights.into_iter().map(|weight| (weight / mean) as f32).collect()
}

/// What is left of each order with age: 1 of the newest, and half as much after each half-life.
fn faded(corpus: &Corpus, half_life_days: f64) -> Vec<f32> {
    let last = corpus.placed.last().map_or(0, |last| last.as_ms());
    let left = |placed: &Timestamp| {
        let age = (last - placed.as_ms()) as f64 / DAY_MS;
        (-age / half_life_days).exp2() as f32
    };
    corpus.placed.iter().map(left).collect()
}

/// Counts pairs: each once, beside the smaller of its products, and then mirrored.
fn pairs(corpus: &Corpus, weights: &[f32], support_min: u32, threads: usize) -> Jagged<Beside> {
    let count = corpus.products.len();
    let larger = parallel::map(
        count,
        threads,
        || Tally::new(count),
        |tally, product| {
            for at in corpus.holders.get(product) {
                let basket = corpus.baskets.get(*at as usize);
                let beyond = basket.iter().rev().take_while(|other| **other as usize > product);
                tally.add(beyond, weights[*at as usize]);
            }
            tally.row(support_min)
        },
    );
    mirrored(&larger)
}

/// Rows of all that is beside each product, from rows of what is larger only.
fn mirrored(larger: &[Vec<Beside>]) -> Jagged<Beside> {
    let mut lengths: Vec<usize> = larger.iter().map(Vec::len).collect();
    larger.iter().flatten().for_each(|beside| lengths[beside.product as usize] += 1);
    let mut rows = Jagged::filled(&lengths, Beside { product: 0, orders: 0, weight: 0.0 });
    // How much of each row is there: first all that is smaller, since products come in their order.
    let mut ends = vec![0_usize; larger.len()];
    for (product, row) in (0..).zip(larger) {
        rows.get_mut(product as usize)[ends[product as usize]..].copy_from_slice(row);
        for beside in row {
            let end = &mut ends[beside.product as usize];
            rows.get_mut(beside.product as usize)[*end] = Beside { product, ..*beside };
            *end += 1;
        }
    }
    rows
}

fn weights_of_products(corpus: &Corpus, weights: &[f32]) -> Vec<f64> {
    let of = |held: &[u32]| held.iter().map(|at| f64::from(weights[*at as usize])).sum();
    corpus.holders.iter().map(of).collect()
}

/// The mean weight of an order is 1, so the number of orders is what all of them weigh.
fn shares(corpus: &Corpus, of_products: &[f64]) -> Vec<f64> {
    let all = corpus.baskets.len().max(1) as f64;
    of_products.iter().map(|weight| weight / all).collect()
}

/// Adds up one row at a time; room for every product, and a list of those that have something.
pub(crate) struct Tally {
    sums: Vec<Sum>,
    seen: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    weight: f64,
    orders: u32,
}

impl Tally {
    /// Room for so many products.
    pub(crate) fn new(products: usize) -> Self {
        Self { sums: vec![Sum::default(); products], seen: Vec::new() }
    }

    /// Adds the products of an order of this weight.
    pub(crate) fn add<'p>(&mut self, products: impl Iterator<Item = &'p u32>, weight: f32) {
        let weight = f64::from(weight);
        for product in products {
            let sum = &mut self.sums[*product as usize];
            if sum.orders == 0 {
                self.seen.push(*product);
            }
            sum.orders += 1;
            sum.weight += weight;
        }
    }

    /// What was added, ascending, but what is in fewer than `support_min` orders. Nothing is left of it.
    pub(crate) fn row(&mut self, support_min: u32) -> Vec<Beside> {
        // Most of what is seen often is seen anyway: to look at all products is quicker then than to sort.
        if self.seen.len() > self.sums.len() / DENSE {
            self.seen.clear();
            let sums = (0..).zip(&self.sums);
            self.seen.extend(sums.filter(|(_, sum)| sum.orders > 0).map(|(product, _)| product));
        } else {
            self.seen.sort_unstable();
        }
        let mut row = Vec::new();
        for product in self.seen.drain(..) {
            let Sum { weight, orders } = std::mem::take(&mut self.sums[product as usize]);
            if orders >= support_min {
                row.push(Beside { product, orders, weight: weight as f32 });
            }
        }
        row.shrink_to_fit();
        row
    }
}
