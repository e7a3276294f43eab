//! Checks that every conversion shares: what is required, how many, how long.

use prost::Message;
use sidecart_catalog::Violation;

/// Takes what must be there.
///
/// # Errors
/// It is absent.
pub fn required<T>(value: Option<T>, field: &str) -> Result<T, Violation> {
    value.ok_or_else(|| Violation::new(field, "is required"))
}

/// Refuses more than `max` items. Asked before any of them is converted.
///
/// # Errors
/// There are more.
pub fn at_most<T>(items: &[T], max: usize, field: &str) -> Result<(), Violation> {
    if items.len() > max {
        return Err(Violation::new(field, format!("has {} entries, at most {max}", items.len())));
    }
    Ok(())
}

/// Refuses none, and more than `max` items.
///
/// # Errors
/// There are none, or more.
pub fn at_least_one<T>(items: &[T], max: usize, field: &str) -> Result<(), Violation> {
    if items.is_empty() {
        return Err(Violation::new(field, format!("is empty, needs 1 to {max} entries")));
    }
    at_most(items, max, field)
}

/// Refuses text of more than `max` bytes.
///
/// # Errors
/// It is longer.
pub fn short(text: &str, max: usize, field: &str) -> Result<(), Violation> {
    if text.len() > max {
        return Err(Violation::new(field, format!("is {} bytes, at most {max}", text.len())));
    }
    Ok(())
}

/// Refuses a message of more than `max` bytes when encoded.
pub(super) fn small(message: &impl Message, max: usize) -> Result<(), Violation> {
    let len = message.encoded_len();
    if len > max {
        return Err(Violation::new("", format!("is {len} bytes when encoded, at most {max}")));
    }
    Ok(())
}

/// Converts each item, and puts a fault under `field[place]`.
pub(super) fn each<P, T>(
    items: Vec<P>,
    field: &str,
    convert: impl Fn(P) -> Result<T, Violation>,
) -> Result<Vec<T>, Violation> {
    let place = |(at, item)| convert(item).map_err(|fault| fault.within(&format!("{field}[{at}]")));
    items.into_iter().enumerate().map(place).collect()
}
