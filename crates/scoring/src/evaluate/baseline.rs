//! Baselines: what simple methods answer to the same questions.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, ProductId, Timestamp};

use crate::{
    learn::{LINES_MAX, SUPPORT_MIN, corpus::Corpus, counts::Counts},
    orders::Orders,
    question::{Question, Task},
};

/// Places that are answered.
const PLACES: usize = 10;

/// A simple method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The products in most orders.
    Popularity,
    /// The products in most orders together with those asked about.
    CoOccurrence,
    /// The same, each pair divided by the square root of how often both were bought.
    ItemCosine,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Popularity, Self::CoOccurrence, Self::ItemCosine];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::CoOccurrence => "co-occurrence",
            Self::ItemCosine => "item cosine",
        }
    }
}

/// What the baselines count.
pub(super) struct Counted {
    corpus: Corpus,
    counts: Counts,
    /// Places of all products, the most bought first.
    popular: Vec<u32>,
}

impl Counted {
    pub(super) fn new(orders: &Orders, catalog: &Catalog, until: Timestamp, threads: usize) -> Self {
        let corpus = Corpus::new(orders, catalog, until, LINES_MAX);
        let counts = Counts::new(&corpus, SUPPORT_MIN, threads);
        let mut popular: Vec<u32> = (0..).take(corpus.products.len()).collect();
        popular.sort_by_key(|at| std::cmp::Reverse(counts.orders[*at as usize]));
        Self { corpus, counts, popular }
    }

    /// Ranks products that are not asked about, best first; of equals the smaller id.
    pub(super) fn rank(&self, baseline: Baseline, question: &Question) -> Vec<(ProductId, f64)> {
        let may_repeat = question.task == Task::Refill;
        let is_free = |at: &u32| {
            may_repeat || question.given.binary_search(&self.corpus.products[*at as usize]).is_err()
        };
        let score = |at: u32| f64::from(self.counts.orders[at as usize]);
        let ranked: Vec<(u32, f64)> = match baseline {
            Baseline::Popularity => {
                self.popular.iter().copied().filter(is_free).take(PLACES).map(|at| (at, score(at))).collect()
            }
            Baseline::CoOccurrence | Baseline::ItemCosine => {
                let mut sums: Vec<_> =
                    self.sums(baseline, &question.given).into_iter().filter(|(at, _)| is_free(at)).collect();
                sums.sort_unstable_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
                sums.truncate(PLACES);
                sums
            }
        };
        ranked.into_iter().map(|(at, score)| (self.corpus.products[at as usize].clone(), score)).collect()
    }

    fn sums(&self, baseline: Baseline, given: &[ProductId]) -> HashMap<u32, f64, GlobalState> {
        let orders = |at: usize| f64::from(self.counts.orders[at]);
        let mut sums: HashMap<u32, f64, GlobalState> = HashMap::default();
        for anchor in given.iter().filter_map(|given| self.corpus.products.binary_search(given).ok()) {
            for beside in self.counts.pairs.get(anchor) {
                let together = f64::from(beside.orders);
                let damp = match baseline {
                    Baseline::ItemCosine => (orders(anchor) * orders(beside.product as usize)).sqrt(),
                    Baseline::Popularity | Baseline::CoOccurrence => 1.0,
                };
                *sums.entry(beside.product).or_default() += together / damp;
            }
        }
        sums
    }
}
