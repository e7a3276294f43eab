//! Ids.

use sidecart_catalog::{MerchantId, ProductId, ShopperId, Violation};

use super::bounds::at_most;

/// The tenant, at `merchant_id`.
///
/// # Errors
/// Not an id that a merchant can have.
pub fn merchant(id: &str) -> Result<MerchantId, Violation> {
    MerchantId::new(id).map_err(|fault| fault.within("merchant_id"))
}

/// A product, at `product_id`.
///
/// # Errors
/// Not an id that a product can have.
pub fn product(id: &str) -> Result<ProductId, Violation> {
    ProductId::new(id).map_err(|fault| fault.within("product_id"))
}

/// A shopper, at `shopper_id`; none, when it is empty.
///
/// # Errors
/// Not an id that a shopper can have.
pub fn shopper(id: &str) -> Result<Option<ShopperId>, Violation> {
    if id.is_empty() {
        return Ok(None);
    }
    ShopperId::new(id).map(Some).map_err(|fault| fault.within("shopper_id"))
}

/// A list of products, at `field`.
///
/// # Errors
/// More than `max`, or not an id that a product can have.
pub fn products(ids: &[String], max: usize, field: &str) -> Result<Vec<ProductId>, Violation> {
    at_most(ids, max, field)?;
    let place = |(at, id): (usize, &String)| {
        ProductId::new(id).map_err(|fault| fault.within(&format!("{field}[{at}]")))
    };
    ids.iter().enumerate().map(place).collect()
}
