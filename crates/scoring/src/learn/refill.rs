//! Learning paces: how many days lie between purchases of one product by one shopper.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;
use sidecart_catalog::{ProductId, ShopperId, Timestamp};

use super::corpus::{Corpus, NONE};
use crate::{
    model::{ModelParts, Paces},
    orders::Orders,
    refill::{Gap, Habit, log_days, log_pieces},
};

/// Strength of the leaf category's word against a product's own gaps, and of all gaps against the leaf's, in gaps.
const LEAF_STRENGTH: f64 = 50.0;
const ALL_STRENGTH: f64 = 10.0;
/// Gaps that speak beside other gaps of the same shopper, fewer of which tell no spread.
const SPREAD_GAPS_MIN: f64 = 100.0;
/// The least that a spread is.
const SPREAD_MIN: f64 = 0.01;
/// Strength of what is known of stocks without orders, in squares of logarithms of pieces.
const STOCK_UP_STRENGTH: f64 = 25.0;
/// Most shoppers who are asked how long more than usual lasts.
const SHOPPERS_MAX: usize = 20_000;

/// A mean in the making.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    count: f64,
    sum: f64,
}

impl Mean {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }

    fn shrunk(&self, to: f64, strength: f64) -> f64 {
        (self.sum + strength * to) / (self.count + strength)
    }
}

/// The gaps of one shopper for one product.
struct Run {
    product: u32,
    mean: Mean,
    /// Squares of what they differ by from their mean.
    squares: f64,
}

/// Fills the pace of each product, and of each leaf category.
pub(super) fn fill(parts: &mut ModelParts, corpus: &Corpus) {
    let runs = runs(corpus);
    let shelves = &corpus.shelves;
    let leaf = |product: u32| shelves.leaf[product as usize];
    let mut of_products = vec![Mean::default(); corpus.products.len()];
    let mut of_leaves = vec![Mean::default(); shelves.leaves.len()];
    let mut of_all = Mean::default();
    for run in &runs {
        of_products[run.product as usize].add(run.mean);
        of_all.add(run.mean);
        if let Some(shelf) = of_leaves.get_mut(leaf(run.product) as usize) {
            shelf.add(run.mean);
        }
    }
    let all = of_all.sum / of_all.count.max(1.0);
    let near = |product: u32| match leaf(product) {
        NONE => all,
        leaf => of_leaves[leaf as usize].shrunk(all, ALL_STRENGTH),
    };
    let spreads = spreads(&runs, near);
    let unknown = Paces::unknown(0);
    let (within, between) = spreads.unwrap_or((unknown.within, unknown.between));
    let products = (0..).zip(&of_products);
    parts.paces = Paces {
        log_days: products.map(|(product, own)| own.shrunk(near(product), LEAF_STRENGTH) as f32).collect(),
        gaps: of_products.iter().map(|own| own.count as u32).collect(),
        leaves: shelves.leaves.clone(),
        leaf_log_days: of_leaves.iter().map(|leaf| leaf.shrunk(all, ALL_STRENGTH) as f32).collect(),
        leaf_gaps: of_leaves.iter().map(|leaf| leaf.count as u32).collect(),
        within,
        between,
        ..unknown
    };
}

/// The gaps of each shopper for each product that they bought more than once; by shopper, then by product.
fn runs(corpus: &Corpus) -> Vec<Run> {
    let mut orders: Vec<Vec<u32>> = vec![Vec::new(); corpus.shopper_count];
    for (at, shopper) in (0..).zip(&corpus.shoppers) {
        if let Some(list) = orders.get_mut(*shopper as usize) {
            list.push(at);
        }
    }
    let mut runs = Vec::new();
    let (mut bought, mut logs) = (Vec::new(), Vec::new());
    for own in orders {
        bought.clear();
        for at in own {
            let placed = corpus.placed[at as usize];
            bought.extend(corpus.baskets.get(at as usize).iter().map(|product| (*product, placed)));
        }
        bought.sort_unstable();
        for same in bought.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut habit = Habit::default();
            logs.clear();
            logs.extend(
                same.iter().filter_map(|(_, placed)| habit.next(*placed, 1)).map(|gap| log_days(gap.days)),
            );
            if logs.is_empty() {
                continue;
            }
            let mean = Mean { count: logs.len() as f64, sum: logs.iter().sum() };
            let middle = mean.sum / mean.count;
            let squares = logs.iter().map(|log| (log - middle).powi(2)).sum();
            runs.push(Run { product: same[0].0, mean, squares });
        }
    }
    runs
}

/// The variance of the logarithms of one shopper's gaps, and that of shoppers' means around those of `near`, by moments.
/// `None`: there is too little to tell.
fn spreads(runs: &[Run], near: impl Fn(u32) -> f64) -> Option<(f64, f64)> {
    let (mut squares, mut freedom, mut apart, mut gaps) = (0.0, 0.0, 0.0, 0.0);
    for Run { product, mean, squares: own } in runs {
        squares += own;
        freedom += mean.count - 1.0;
        apart += mean.count * (mean.sum / mean.count - near(*product)).powi(2);
        gaps += mean.count;
    }
    if freedom < SPREAD_GAPS_MIN {
        return None;
    }
    let within = (squares / freedom).max(SPREAD_MIN);
    // A mean of few gaps differs by chance, too.
    let between = (apart - runs.len() as f64 * within) / gaps;
    Some((within, between.max(SPREAD_MIN)))
}

/// How much longer more pieces than usual last: the power of pieces that days between grow with, by least squares within each
/// shopper's gaps of one product.
pub(super) fn stock_up(orders: &Orders, until: Timestamp) -> f64 {
    let mut shoppers: Vec<&ShopperId> = orders.shoppers().map(|(shopper, _)| shopper).collect();
    shoppers.sort_unstable_by_key(|shopper| (crate::question::hash(shopper.as_str()), *shopper));
    shoppers.truncate(SHOPPERS_MAX);
    let (mut both, mut pieces) = (Paces::unknown(0).stock_up * STOCK_UP_STRENGTH, STOCK_UP_STRENGTH);
    for shopper in shoppers {
        let mut habits: HashMap<&ProductId, (Habit, Vec<Gap>), GlobalState> = HashMap::default();
        for order in orders.of_shopper(shopper.as_str()) {
            let placed = order.statement().map(|statement| statement.placed_at);
            let Some(placed) = placed.filter(|placed| *placed < until) else { continue };
            for (product, count) in order.bought() {
                let (habit, gaps) = habits.entry(product).or_default();
                gaps.extend(habit.next(placed, count));
            }
        }
        let mut runs: Vec<_> = habits.into_iter().filter(|(_, (_, gaps))| gaps.len() > 1).collect();
        runs.sort_unstable_by_key(|(product, _)| *product);
        for (_, (_, gaps)) in runs {
            let count = gaps.len() as f64;
            let mean = |of: &dyn Fn(&Gap) -> f64| gaps.iter().map(of).sum::<f64>() / count;
            let (of_days, of_pieces) = (|gap: &Gap| log_days(gap.days), |gap: &Gap| log_pieces(gap.pieces));
            let (days, usual) = (mean(&of_days), mean(&of_pieces));
            for gap in &gaps {
                let more = of_pieces(gap) - usual;
                both += more * (of_days(gap) - days);
                pieces += more * more;
            }
        }
    }
    (both / pieces).clamp(0.0, 1.0)
}
