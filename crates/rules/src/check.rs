//! Checks shared by the validating constructors of this crate.

use std::fmt::Display;

use sidecart_catalog::Violation;

/// Refuses text outside `1..=bytes_max` bytes or with control characters.
pub(crate) fn text(field: &str, value: &str, bytes_max: usize) -> Result<(), Violation> {
    if value.is_empty() {
        return Err(Violation::new(field, "is empty"));
    }
    length(field, value, bytes_max)?;
    if value.chars().any(char::is_control) {
        return Err(Violation::new(field, "has a control character"));
    }
    Ok(())
}

/// Refuses text of more than `bytes_max` bytes.
pub(crate) fn length(field: &str, value: &str, bytes_max: usize) -> Result<(), Violation> {
    if value.len() > bytes_max {
        return Err(Violation::new(field, format!("is {} bytes, at most {bytes_max}", value.len())));
    }
    Ok(())
}

/// Refuses more than `max` of something.
pub(crate) fn count(field: &str, len: usize, max: usize) -> Result<(), Violation> {
    if len > max {
        return Err(Violation::new(field, format!("has {len} entries, at most {max}")));
    }
    Ok(())
}

/// Refuses a number outside `min..=max`.
pub(crate) fn range<N>(field: &str, value: N, min: N, max: N) -> Result<(), Violation>
where
    N: PartialOrd + Display + Copy,
{
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Violation::new(field, format!("is {value}, allowed {min} to {max}")))
}
