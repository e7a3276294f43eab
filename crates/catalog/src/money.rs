//! Money: an integer number of minor units of a currency. No float ever holds money.

use std::fmt;

use crate::violation::Violation;

/// Largest amount, in minor units: large enough for any price, small enough that sums cannot overflow.
pub const MINOR_UNITS_MAX: i64 = 1_000_000_000_000_000;

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Looks up an upper-case ISO 4217 code.
    ///
    /// # Errors
    /// Not a code in the standard.
    pub fn new(code: &str) -> Result<Self, Violation> {
        let known = iso_currency::Currency::from_code(code).filter(|found| found.code() == code);
        let unknown = || Violation::new("", "is not an upper-case ISO 4217 code such as `USD`");
        let bytes = known.and_then(|found| found.code().as_bytes().try_into().ok()).ok_or_else(unknown)?;
        Ok(Self(bytes))
    }

    /// The three-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many minor units one major unit has, as a power of ten. `USD` 2, `JPY` 0.
    pub fn exponent(self) -> u32 {
        iso_currency::Currency::from_code(self.code())
            .and_then(iso_currency::Currency::exponent)
            .unwrap_or(0)
            .into()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money, from 0 to [`MINOR_UNITS_MAX`]. Ordered by currency code and then by amount: a total order, which
/// says nothing about what one currency is worth in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    currency: Currency,
    minor_units: i64,
}

impl Money {
    /// Checks and takes an amount.
    ///
    /// # Errors
    /// Unknown currency, negative or beyond [`MINOR_UNITS_MAX`].
    pub fn new(currency: &str, minor_units: i64) -> Result<Self, Violation> {
        let currency = Currency::new(currency).map_err(|fault| fault.within("currency"))?;
        if !(0..=MINOR_UNITS_MAX).contains(&minor_units) {
            return Err(Violation::new(
                "minor_units",
                format!("is {minor_units}, allowed 0 to {MINOR_UNITS_MAX}"),
            ));
        }
        Ok(Self { minor_units, currency })
    }

    /// The amount in minor units.
    pub fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }
}

impl fmt::Display for Money {
    /// Such as `129.00 USD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let code = self.currency.code();
        if exponent == 0 {
            return write!(f, "{} {code}", self.minor_units);
        }
        let unit = 10_i64.pow(exponent);
        let (major, minor) = (self.minor_units / unit, self.minor_units % unit);
        write!(f, "{major}.{minor:0width$} {code}", width = exponent as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_in_major_units() {
        for (currency, minor_units, shown) in [
            ("USD", 12_900, "129.00 USD"),
            ("USD", 5, "0.05 USD"),
            ("JPY", 1200, "1200 JPY"),
            ("KWD", 1, "0.001 KWD"),
        ] {
            assert_eq!(Money::new(currency, minor_units).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn bad_money_is_refused_with_its_field() {
        for (currency, minor_units, field) in
            [("usd", 1, "currency"), ("XQQ", 1, "currency"), ("", 1, "currency"), ("USD", -1, "minor_units")]
        {
            assert_eq!(Money::new(currency, minor_units).unwrap_err().field, field);
        }
    }
}
