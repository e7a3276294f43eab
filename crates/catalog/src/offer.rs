//! What changes often about a product: price and stock. Per field, the newest `set_time` wins.

use crate::{money::Money, product::Product, time::Timestamp};

/// Whether a product can be bought now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Can be bought and shipped now.
    InStock,
    /// Cannot be bought now.
    OutOfStock,
    /// Can be ordered, ships later.
    Preorder,
    /// Will not be sold again.
    Discontinued,
}

/// A new price, stock or both, set by their owner at `set_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferPatch {
    /// The new price, if it is set.
    pub price: Option<Money>,
    /// The new availability, if it is set.
    pub availability: Option<Availability>,
    /// The new number in stock, if it is set.
    pub stock_quantity: Option<u32>,
    /// When the owner set them.
    pub set_time: Timestamp,
}

/// What a patch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patched {
    /// At least one field is new and differs.
    Changed,
    /// What was not stale was the same as what is stored, apart from its time.
    Unchanged,
    /// Every field was older than what is stored, which was kept.
    Stale,
}

impl OfferPatch {
    /// Whether it sets nothing.
    pub fn is_empty(&self) -> bool {
        self.price.is_none() && !self.sets_stock()
    }

    fn sets_stock(&self) -> bool {
        self.availability.is_some() || self.stock_quantity.is_some()
    }

    /// The product with the patch laid over it, and what that did.
    ///
    /// Price has one time; availability and stock share another.
    /// At equal times the later arrival wins, so that a repeated message changes nothing.
    pub fn apply(&self, product: &Product) -> (Product, Patched) {
        let mut patched = product.clone();
        let price_is_fresh = self.price.is_some() && self.set_time >= product.price_set_time();
        let stock_is_fresh = self.sets_stock() && self.set_time >= product.stock_set_time();
        if !price_is_fresh && !stock_is_fresh {
            return (patched, Patched::Stale);
        }
        if price_is_fresh {
            patched.set_price(self.price, self.set_time);
        }
        if stock_is_fresh {
            let availability = self.availability.unwrap_or(product.availability());
            patched.set_stock(availability, self.stock_quantity.or(product.stock_quantity()), self.set_time);
        }
        let done = if patched.says_the_same_as(product) { Patched::Unchanged } else { Patched::Changed };
        (patched, done)
    }
}
