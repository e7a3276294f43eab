//! How much more often than by chance two products are bought together, at the lower end of what the orders allow.
//!
//! By chance, the lines beside a product are drawn from all lines. The number of orders with both is then Poisson with
//! mean `e`; the lift is the least ratio to `e` that a likelihood-ratio test of the observed number does not refuse
//! (T. Dunning, "Accurate methods for the statistics of surprise and coincidence", 1993). Above 1: not chance.

use std::sync::LazyLock;

use super::corpus::Corpus;

/// What the logarithm of the likelihood ratio may be: with as many pairs as a shop has, hardly any chance pair is above.
const EVIDENCE: f64 = 10.0;
/// Fewer orders than this say nothing about a pair.
pub(super) const SUPPORT_MIN: u32 = 3;
/// The least means of small counts, which most are.
static LEAST: LazyLock<Vec<f64>> =
    LazyLock::new(|| (0..4_096).map(|count| least_mean(f64::from(count))).collect());

/// What is expected by chance.
pub(crate) struct Chance {
    /// For each product, the lines beside it in its orders.
    beside: Vec<f64>,
    /// All lines.
    lines: f64,
}

impl Chance {
    pub(crate) fn new(corpus: &Corpus) -> Self {
        let others = |held: &[u32]| {
            held.iter().map(|at| corpus.baskets.get(*at as usize).len() as f64 - 1.0).sum::<f64>()
        };
        Self {
            beside: corpus.holders.iter().map(others).collect(),
            lines: corpus.baskets.item_count().max(1) as f64,
        }
    }

    /// The lift of a pair that is in `orders` orders.
    pub(crate) fn lift(&self, corpus: &Corpus, product: u32, other: u32, orders: u32) -> f32 {
        lower(orders, self.expected(corpus, product, other))
    }

    /// In how many orders both are by chance.
    pub(crate) fn expected(&self, corpus: &Corpus, product: u32, other: u32) -> f64 {
        let one_way = |a: u32, b: u32| self.beside[a as usize] * corpus.holders.get(b as usize).len() as f64;
        one_way(product, other).max(one_way(other, product)) / self.lines
    }
}

/// The lift where `expected` orders are met by chance.
pub(crate) fn lower(orders: u32, expected: f64) -> f32 {
    if orders < SUPPORT_MIN || expected <= 0.0 {
        return 0.0;
    }
    let least = LEAST.get(orders as usize).copied().unwrap_or_else(|| least_mean(f64::from(orders)));
    (least / expected) as f32
}

/// The least mean of a Poisson variable that its value `count` does not refuse: the lower root `x` of
/// `count ln(count / x) - (count - x) = EVIDENCE`, by bisection.
fn least_mean(count: f64) -> f64 {
    let (mut low, mut high) = (0.0, count);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let evidence = count * (count / middle).ln() - (count - middle);
        if evidence > EVIDENCE { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_mean_is_where_the_evidence_ends() {
        for count in [3.0_f64, 10.0, 1_000.0, 1e6] {
            let least = least_mean(count);
            let evidence = count * (count / least).ln() - (count - least);
            assert!((evidence - EVIDENCE).abs() < 1e-6 && least < count, "{count}: {least}");
        }
    }

    #[test]
    fn few_orders_have_no_lift_and_many_have_what_they_show() {
        assert_eq!(lower(2, 0.001), 0.0);
        assert!(lower(3, 1.0) < 1.0);
        assert!((lower(1_000_000, 500_000.0) - 2.0).abs() < 0.02);
    }
}
