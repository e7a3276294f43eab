//! Bought after: what shoppers who bought one product buy later.
//!
//! The sparse linear model again, on all that each shopper bought in place of orders, tells what a whole history speaks
//! for. Each pair then has the days between the two, and whether the target came later more often than by chance.
//! What a shopper buys in most orders anyway is nothing to be reminded of, and is left out.

use super::{
    corpus::Corpus,
    counts::Counts,
    jagged::Jagged,
    lift, parallel,
    sparse::{self, Strength},
};
use crate::model::ModelParts;

/// Products that a shopper bought, times the same, for all shoppers together: what counting costs is bounded by it.
pub(super) const COST_MAX: usize = 400_000_000;
/// The same where all that is asked is how scores become chances.
pub(super) const CALIBRATION_COST_MAX: usize = 30_000_000;
/// Most products of one shopper, whatever that costs: the last bought.
const PRODUCTS_MAX: usize = 2_000;
/// Most entries of one list.
const LIST_MAX: usize = 50;
/// Pairs that fewer shoppers have are chance.
const SUPPORT_MIN: u32 = 3;
/// Bought in more of a buyer's orders than this from the first on, a product is a staple.
const STAPLE_SHARE: f64 = 0.3;
const STRENGTH: Strength = Strength { target_support_min: 10, neighbours: 50, l1: 3.0, l2: 280.0 };
const DAY_MS: f64 = 86_400_000.0;

/// What each shopper bought, with when they first did.
struct Shoppers {
    corpus: Corpus,
    /// When each product of each basket of the corpus was first bought, in days.
    first: Jagged<f32>,
}

/// One entry of a list.
#[derive(Clone, Copy)]
struct Entry {
    target: u32,
    pull: f32,
    later: u32,
    lift: f32,
    gap_days: [f32; 3],
}

/// Fills the lists of what is bought after each product.
pub(super) fn fill(parts: &mut ModelParts, corpus: &Corpus, cost_max: usize, threads: usize) {
    let shoppers = Shoppers::new(corpus, cost_max);
    let counts = Counts::new(&shoppers.corpus, SUPPORT_MIN, threads);
    let fits = sparse::fit(&counts, &STRENGTH, threads);
    drop(counts);
    let staples = staples(corpus);
    let pulls = sparse::inverted(&fits, corpus.products.len(), LIST_MAX);
    let by_chance = lift::Chance::new(&shoppers.corpus);
    let room = || (vec![u32::MAX; corpus.products.len()], Vec::new());
    let lists = parallel::map(corpus.products.len(), threads, room, |(places, gaps), product| {
        let pulls = pulls[product].iter().filter(|(target, _)| !staples[*target as usize]).copied();
        let pulls: Vec<_> = pulls.collect();
        shoppers.list(product, &pulls, &by_chance, places, gaps)
    });
    for list in lists {
        parts.after.push(list.iter().map(|entry| entry.target));
        for Entry { target: _, pull, later, lift, gap_days } in list {
            parts.after_pull.push(pull);
            parts.after_support.push(later);
            parts.after_lift.push(lift);
            parts.after_gap_days.extend(gap_days);
        }
    }
}

impl Shoppers {
    fn new(corpus: &Corpus, cost_max: usize) -> Self {
        let mut bought: Vec<Vec<(u32, f32, f32)>> = vec![Vec::new(); corpus.shopper_count];
        for ((basket, shopper), placed) in corpus.baskets.iter().zip(&corpus.shoppers).zip(&corpus.placed) {
            let Some(list) = bought.get_mut(*shopper as usize) else { continue };
            let day = (placed.as_ms() as f64 / DAY_MS) as f32;
            list.extend(basket.iter().map(|product| (*product, day, day)));
        }
        for list in &mut bought {
            list.sort_by_key(|(product, ..)| *product);
            // Orders come by time: the first entry of a product has its first day, the last its last.
            list.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    kept.2 = later.2;
                }
                is_same
            });
        }
        let mut buyers = vec![0_u32; corpus.products.len()];
        bought.iter().flatten().for_each(|(product, ..)| buyers[*product as usize] += 1);
        let is_common = |product: u32| buyers[product as usize] >= STRENGTH.target_support_min;
        bought.iter_mut().for_each(|list| list.retain(|(product, ..)| is_common(*product)));
        let products_max = affordable(&bought, cost_max);
        let (mut baskets, mut first) = (Jagged::default(), Jagged::default());
        for list in bought.iter_mut().filter(|list| !list.is_empty()) {
            if list.len() > products_max {
                list.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
                list.truncate(products_max);
                list.sort_by_key(|(product, ..)| *product);
            }
            baskets.push(list.iter().map(|(product, ..)| *product));
            first.push(list.iter().map(|(_, day, _)| *day));
        }
        Self { corpus: corpus.with_baskets(baskets), first }
    }

    /// The list of one product. `places` is all `u32::MAX` before and after.
    fn list(
        &self,
        product: usize,
        pulls: &[(u32, f32)],
        by_chance: &lift::Chance,
        places: &mut [u32],
        gaps: &mut Vec<Vec<f32>>,
    ) -> Vec<Entry> {
        gaps.clear();
        gaps.resize(pulls.len(), Vec::new());
        for (place, (target, _)) in (0..).zip(pulls) {
            places[*target as usize] = place;
        }
        for shopper in self.corpus.holders.get(product) {
            let (basket, first) =
                (self.corpus.baskets.get(*shopper as usize), self.first.get(*shopper as usize));
            let own = basket.binary_search(&(product as u32)).map_or(f32::MAX, |at| first[at]);
            for (target, day) in basket.iter().zip(first) {
                if let Some(gaps) = gaps.get_mut(places[*target as usize] as usize)
                    && *day > own
                {
                    gaps.push(day - own);
                }
            }
        }
        let entries = pulls.iter().zip(gaps).map(|((target, pull), gaps)| {
            places[*target as usize] = u32::MAX;
            gaps.sort_unstable_by(f32::total_cmp);
            let later = u32::try_from(gaps.len()).unwrap_or(u32::MAX);
            // By chance, half of those who have both had the anchor first.
            let lift =
                by_chance.lower(later, by_chance.expected(&self.corpus, product as u32, *target) / 2.0);
            let quantile = |share: usize| gaps.get(gaps.len() * share / 4).copied().unwrap_or(0.0);
            Entry { target: *target, pull: *pull, later, lift, gap_days: [1, 2, 3].map(quantile) }
        });
        entries.collect()
    }
}

/// The most products of one shopper that can be counted within `cost_max`.
fn affordable(bought: &[Vec<(u32, f32, f32)>], cost_max: usize) -> usize {
    let cost = |max: usize| bought.iter().map(|list| list.len().min(max).pow(2)).sum::<usize>();
    let (mut low, mut high) = (1, PRODUCTS_MAX);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if cost(middle) <= cost_max { low = middle } else { high = middle - 1 }
    }
    low
}

/// Which products their buyers buy in most orders from the first on.
fn staples(corpus: &Corpus) -> Vec<bool> {
    let mut since = vec![(0_u32, 0_u32); corpus.products.len()];
    let mut orders: Vec<Vec<u32>> = vec![Vec::new(); corpus.shopper_count];
    for (at, shopper) in (0..).zip(&corpus.shoppers) {
        if let Some(list) = orders.get_mut(*shopper as usize) {
            list.push(at);
        }
    }
    for own in orders {
        let mut bought: Vec<(u32, u32)> = Vec::new();
        for (nth, at) in (0..).zip(&own) {
            bought.extend(corpus.baskets.get(*at as usize).iter().map(|product| (*product, nth)));
        }
        bought.sort_unstable();
        for same in bought.chunk_by(|a, b| a.0 == b.0) {
            let (with, all) = &mut since[same[0].0 as usize];
            *with += same.len() as u32 - 1;
            *all += own.len() as u32 - 1 - same[0].1;
        }
    }
    since.into_iter().map(|(with, all)| all > 0 && f64::from(with) > STAPLE_SHARE * f64::from(all)).collect()
}
