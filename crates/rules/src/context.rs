//! Where an offer would be made: the stage of the journey and the surface.

/// Where in the journey the shopper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Looking around.
    Browse,
    /// On a product page.
    Product,
    /// Looking at the cart.
    Cart,
    /// Paying.
    Checkout,
    /// Ordered, not yet delivered.
    OrderPlaced,
    /// Delivered.
    Delivered,
    /// A consumable is running out.
    Replenish,
}

/// Through what the shopper is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surface {
    /// A web page.
    Web,
    /// A mobile application.
    App,
    /// A support or sales chat.
    Chat,
    /// An e-mail.
    Email,
    /// A text message.
    Sms,
    /// A voice assistant or call.
    Voice,
}

macro_rules! set {
    ($(#[$doc:meta])* $set:ident of $item:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $set(u16);

        impl $set {
            /// All of them.
            pub const ALL: Self = Self(u16::MAX);
            /// None of them.
            pub const NONE: Self = Self(0);

            /// Whether the item is among them.
            pub const fn contains(self, item: $item) -> bool {
                self.0 & (1 << item as u16) != 0
            }

            /// Whether every item of the other is among them.
            pub const fn spans(self, other: Self) -> bool {
                other.0 & !self.0 == 0
            }

            /// Whether any item is in both.
            pub const fn overlaps(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                Self(items.into_iter().fold(0, |bits, item| bits | 1 << item as u16))
            }
        }
    };
}
pub(crate) use set;

set! {
    /// A set of stages.
    Stages of Stage
}
set! {
    /// A set of surfaces.
    Surfaces of Surface
}
