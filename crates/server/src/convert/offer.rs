//! New price or stock of a product.

use sidecart::v1 as pb;
use sidecart_catalog::{OfferPatch, ProductId, Timestamp, Violation};

use super::{enums, money, product, time};
use crate::limits;

/// A new price, stock or both, set at `received` unless it says when.
///
/// # Errors
/// It sets nothing, was set too far in the future, or a field is wrong.
pub fn from_pb(update: pb::OfferUpdate, received: Timestamp) -> Result<(ProductId, OfferPatch), Violation> {
    let pb::OfferUpdate { product_id, price, availability, stock_quantity, set_time } = update;
    let id = ProductId::new(&product_id).map_err(|fault| fault.within("product_id"))?;
    let patch = OfferPatch {
        price: money::optional(price.as_ref(), "price")?,
        availability: enums::availability::from_pb(availability)
            .map_err(|fault| fault.within("availability"))?,
        stock_quantity: stock_quantity.map(product::pieces).transpose()?,
        set_time: set_at(set_time.as_ref(), "set_time", received)?.unwrap_or(received),
    };
    if patch.is_empty() {
        return Err(Violation::new("", SETS_NOTHING));
    }
    Ok((id, patch))
}

const SETS_NOTHING: &str = "sets nothing: give `price`, `availability` or `stock_quantity`";

/// When an owner set something. A time far ahead would shut out every later write, and is refused.
///
/// # Errors
/// Not a moment, or too far after `received`.
pub fn set_at(
    moment: Option<&prost_types::Timestamp>,
    field: &str,
    received: Timestamp,
) -> Result<Option<Timestamp>, Violation> {
    let moment = time::optional(moment, field)?;
    let ahead_max_ms = i64::try_from(limits::SET_TIME_AHEAD_MAX.as_millis()).unwrap_or(i64::MAX);
    let last = received.as_ms().saturating_add(ahead_max_ms);
    if moment.is_some_and(|moment| moment.as_ms() > last) {
        return Err(Violation::new(field, "is more than 1 hour in the future"));
    }
    Ok(moment)
}
