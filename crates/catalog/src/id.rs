//! Ids: the merchant's own names for things, checked once.

use std::{borrow::Borrow, fmt, sync::Arc};

use crate::violation::{self, Violation};

/// Longest product, family, order, shopper or rule id, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 128;
/// Longest merchant id, in bytes.
pub(crate) const MERCHANT_ID_BYTES_MAX: usize = 64;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes an id.
            ///
            /// # Errors
            /// Empty, too long, or with characters that are not allowed.
            pub fn new(id: &str) -> Result<Self, Violation> {
                $check(id)?;
                Ok(Self(id.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}`", self.0)
            }
        }
    };
}

id! {
    /// A tenant: 1 to 64 characters of `a-z`, `0-9`, `-` and `_`.
    MerchantId, merchant
}
id! {
    /// A product, by the merchant's own id: 1 to 128 bytes, no control characters.
    ProductId, own
}
id! {
    /// An order, by the merchant's own id: 1 to 128 bytes, no control characters.
    OrderId, own
}
id! {
    /// A shopper, by the merchant's own id: 1 to 128 bytes, no control characters. Never logged.
    ShopperId, own
}
id! {
    /// A family, by the merchant's own id: 1 to 128 bytes, no control characters.
    FamilyId, own
}

fn own(id: &str) -> Result<(), Violation> {
    violation::text("", id, ID_BYTES_MAX)
}

fn merchant(id: &str) -> Result<(), Violation> {
    violation::text("", id, MERCHANT_ID_BYTES_MAX)?;
    if id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
        return Ok(());
    }
    Err(Violation::new("", "has a character other than a-z, 0-9, `-` and `_`"))
}
