//! How much more often than by chance two products are bought together, at the lower end of what the orders allow.
//!
//! By chance, the lines beside a product are drawn from all lines. The number of orders with both is then Poisson with
//! mean `e`; the lift is the least ratio to `e` that a likelihood-ratio test of the observed number does not refuse
//! (T. Dunning, "Accurate methods for the statistics of surprise and coincidence", 1993). Above 1: not chance.

use super::corpus::Corpus;

/// What the logarithm of the likelihood ratio may be at the most. In a shop of 68,000 products that leaves one offer in
/// two hundred to chance (`docs/quality.md`), since most pairs are by chance in no order at all.
const EVIDENCE_MAX: f64 = 10.0;
/// The same at the least.
const EVIDENCE_MIN: f64 = 4.0;
/// The evidence `E` at which chance leaves about one product in a hundred with a pair above it grows with the number of
/// products: one tail of the likelihood ratio, `exp(-E) / sqrt(4 pi E)`, is then 0.01 over that number, which between 35
/// and 2,500 products is as good as the logarithm of the number plus this.
const EVIDENCE_OF_ONE: f64 = 2.4;
/// Fewer orders than this say nothing about a pair.
pub(super) const SUPPORT_MIN: u32 = 3;
/// For counts below this, which most are, the least means are looked up.
const LOOKED_UP: u32 = 4_096;

/// What is expected by chance, and what is more than that.
pub(crate) struct Chance {
    /// For each product, the lines beside it in its orders.
    beside: Vec<f64>,
    /// All lines.
    lines: f64,
    evidence: f64,
    /// The least means of small counts.
    least: Vec<f64>,
}

impl Chance {
    pub(crate) fn new(corpus: &Corpus) -> Self {
        let others = |held: &[u32]| {
            held.iter().map(|at| corpus.baskets.get(*at as usize).len() as f64 - 1.0).sum::<f64>()
        };
        let products = corpus.products.len().max(1) as f64;
        let evidence = (products.ln() + EVIDENCE_OF_ONE).clamp(EVIDENCE_MIN, EVIDENCE_MAX);
        let orders = u32::try_from(corpus.baskets.len()).unwrap_or(u32::MAX);
        // No pair is in more orders than there are.
        let counts = LOOKED_UP.min(orders.saturating_add(1));
        Self {
            beside: corpus.holders.iter().map(others).collect(),
            lines: corpus.baskets.item_count().max(1) as f64,
            evidence,
            least: (0..counts).map(|count| least_mean(count.into(), evidence)).collect(),
        }
    }

    /// The lift of a pair that is in `orders` orders.
    pub(crate) fn lift(&self, corpus: &Corpus, product: u32, other: u32, orders: u32) -> f32 {
        self.lower(orders, self.expected(corpus, product, other))
    }

    /// In how many orders both are by chance.
    pub(crate) fn expected(&self, corpus: &Corpus, product: u32, other: u32) -> f64 {
        self.one_way(corpus, product, other).max(self.one_way(corpus, other, product))
    }

    /// How often the other is among the lines beside a product by chance.
    pub(crate) fn one_way(&self, corpus: &Corpus, product: u32, other: u32) -> f64 {
        self.beside[product as usize] * corpus.holders.get(other as usize).len() as f64 / self.lines
    }

    /// The lift where `expected` orders are met by chance.
    pub(crate) fn lower(&self, orders: u32, expected: f64) -> f32 {
        if orders < SUPPORT_MIN || expected <= 0.0 {
            return 0.0;
        }
        let least = self.least.get(orders as usize).copied();
        (least.unwrap_or_else(|| least_mean(orders.into(), self.evidence)) / expected) as f32
    }
}

/// The least mean of a Poisson variable that its value `count` does not refuse: the lower root `x` of
/// `count ln(count / x) - (count - x) = evidence`, by bisection.
fn least_mean(count: f64, evidence: f64) -> f64 {
    let (mut low, mut high) = (0.0, count);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let found = count * (count / middle).ln() - (count - middle);
        if found > evidence { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_mean_is_where_the_evidence_ends() {
        for (count, evidence) in [(3.0_f64, 4.0), (10.0, 6.0), (1_000.0, 10.0), (1e6, 10.0)] {
            let least = least_mean(count, evidence);
            let found = count * (count / least).ln() - (count - least);
            assert!((found - evidence).abs() < 1e-6 && least < count, "{count}: {least}");
        }
    }

    #[test]
    fn few_orders_have_no_lift_and_many_have_what_they_show() {
        let chance = Chance { beside: Vec::new(), lines: 1.0, evidence: 10.0, least: Vec::new() };
        assert_eq!(chance.lower(2, 0.001), 0.0);
        assert!(chance.lower(3, 1.0) < 1.0);
        assert!((chance.lower(1_000_000, 500_000.0) - 2.0).abs() < 0.02);
    }
}
