//! Money.

use sidecart::v1 as pb;
use sidecart_catalog::{Money, Violation};

/// An amount of money.
///
/// # Errors
/// Unknown currency, or an amount out of range.
pub fn from_pb(money: &pb::Money) -> Result<Money, Violation> {
    let pb::Money { currency, minor_units } = money;
    Money::new(currency, *minor_units)
}

/// An amount that may be absent, at `field`.
///
/// # Errors
/// As [`from_pb`], under `field`.
pub fn optional(money: Option<&pb::Money>, field: &str) -> Result<Option<Money>, Violation> {
    money.map(from_pb).transpose().map_err(|fault| fault.within(field))
}

/// The wire form.
pub fn to_pb(money: Money) -> pb::Money {
    pb::Money { currency: money.currency().code().to_owned(), minor_units: money.minor_units() }
}
