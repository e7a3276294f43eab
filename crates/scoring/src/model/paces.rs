//! Paces: how many days lie between purchases, as they are learned and stored.

use sidecart_catalog::{CategoryPath, Violation};

/// The spread within a shopper's gaps, and between shoppers, where orders do not tell, as variances of logarithms: those of
/// the public grocery orders of `docs/quality.md`, rounded.
const WITHIN: f64 = 0.7;
const BETWEEN: f64 = 0.35;
/// How much longer twice as much lasts where orders do not tell, as a power: twice as long.
const STOCK_UP: f64 = 1.0;

/// How many days lie between purchases of one product by one shopper, as logarithms of one more.
#[derive(Debug, Clone, PartialEq)]
pub struct Paces {
    /// The mean for each product, shrunk to that of its leaf category.
    pub log_days: Vec<f32>,
    /// Of each product, between how many purchases that is.
    pub gaps: Vec<u32>,
    /// Leaf categories.
    pub leaves: Vec<CategoryPath>,
    /// The mean for each.
    pub leaf_log_days: Vec<f32>,
    /// Of each, between how many purchases that is.
    pub leaf_gaps: Vec<u32>,
    /// The variance within the gaps of one shopper for one product.
    pub within: f64,
    /// The variance between the means of shoppers for one product.
    pub between: f64,
    /// How much longer more pieces last: the power of pieces that days grow with, 0 to 1.
    pub stock_up: f64,
}

impl Default for Paces {
    fn default() -> Self {
        Self::unknown(0)
    }
}

impl Paces {
    /// Nothing is known of so many products.
    pub fn unknown(products: usize) -> Self {
        Self {
            log_days: vec![0.0; products],
            gaps: vec![0; products],
            leaves: Vec::new(),
            leaf_log_days: Vec::new(),
            leaf_gaps: Vec::new(),
            within: WITHIN,
            between: BETWEEN,
            stock_up: STOCK_UP,
        }
    }

    /// Whether it is of so many products, and of numbers that can be reckoned with.
    pub(super) fn check(&self, products: usize) -> Result<(), Violation> {
        if [self.log_days.len(), self.gaps.len()] != [products; 2] {
            return Err(Violation::new("", "has columns of other lengths than products"));
        }
        if [self.leaf_log_days.len(), self.leaf_gaps.len()] != [self.leaves.len(); 2] {
            return Err(Violation::new("leaves", "has columns of other lengths"));
        }
        let is_spread = |variance: f64| variance.is_finite() && variance > 0.0;
        if !is_spread(self.within) || !is_spread(self.between) || !(0.0..=1.0).contains(&self.stock_up) {
            return Err(Violation::new("", "has a spread or a power that cannot be"));
        }
        Ok(())
    }
}
