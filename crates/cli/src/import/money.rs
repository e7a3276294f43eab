//! Columns of money.

use serde_json::{Map, Value, json};
use sidecart_catalog::Currency;

use super::cells::cell_text;
use crate::wire::Fault;

/// Moves the columns `FIELD_minor_units` or `FIELD` into a field of money; neither: nothing.
///
/// # Errors
/// The cell is no amount of the currency, or there is no currency.
pub(super) fn take(
    cells: &mut Map<String, Value>,
    field: &str,
    currency: Option<&Value>,
    line: &mut Map<String, Value>,
) -> Result<(), Fault> {
    if let Some(minor_units) = cells.remove(&format!("{field}_minor_units")) {
        line.insert(field.into(), json!({ "currency": currency, "minor_units": minor_units }));
        cells.remove(field);
        return Ok(());
    }
    let Some(amount) = cells.remove(field) else { return Ok(()) };
    if amount.is_object() {
        line.insert(field.into(), amount);
        return Ok(());
    }
    let code = currency.and_then(Value::as_str);
    let code = code.ok_or_else(|| Fault::new(field, "has no currency: add the column currency"))?;
    let amount = cell_text(&amount).ok_or_else(|| Fault::new(field, "is not a number"))?;
    let minor_units = minor_units_of(&amount, code).map_err(|reason| Fault::new(field, reason))?;
    line.insert(field.into(), json!({ "currency": code, "minor_units": minor_units }));
    Ok(())
}

/// Reads a decimal amount exactly; no float ever holds money.
fn minor_units_of(amount: &str, code: &str) -> Result<i64, String> {
    let currency = Currency::new(code).map_err(|fault| format!("currency `{code}` {}", fault.description))?;
    let decimals = currency.exponent() as usize;
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err(format!("is {amount}, but {code} has {decimals} decimals"));
    }
    let digits = format!("{whole}{fraction:0<decimals$}");
    let is_amount = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|_| is_amount)
        .ok_or_else(|| format!("is `{amount}`, which is not an amount such as 12.99"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_amounts_are_exact() {
        let cases =
            [("12.99", "USD", 1299), ("12.9", "USD", 1290), ("12", "USD", 1200), ("12.50", "USD", 1250)];
        let more = [("1200", "JPY", 1200), ("1200.0", "JPY", 1200), ("0.001", "KWD", 1), ("0", "USD", 0)];
        for (amount, code, expected) in cases.into_iter().chain(more) {
            assert_eq!(minor_units_of(amount, code), Ok(expected), "{amount} {code}");
        }
        for amount in ["", ".5", "1e3", "1,5", "1.2.3", "99999999999999999999"] {
            assert!(minor_units_of(amount, "USD").is_err(), "{amount}");
        }
    }
}
