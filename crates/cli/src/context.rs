//! The flags that say what the shopper has before them, and the request they make.

use anyhow::Result;
use clap::{Args, ValueEnum};
use sidecart::v1 as pb;

use crate::exit::Usage;

/// What the shopper has before them.
#[derive(Clone, Debug, Default, Args)]
#[group(id = "context", multiple = true)]
pub(crate) struct ContextFlags {
    /// Where in the journey the shopper is
    #[arg(long, value_enum, ignore_case = true)]
    stage: Option<Stage>,
    /// Through what the offer would be made [default: web]
    #[arg(long, value_enum, ignore_case = true)]
    surface: Option<Surface>,
    /// Product the need is about; repeat for more
    #[arg(long = "anchor", value_name = "ID")]
    anchors: Vec<String>,
    /// Cart line; repeat for more. A quantity after the last colon counts as one only if it is a number
    #[arg(long, value_name = "ID[:QTY]", value_parser = cart_line)]
    cart: Vec<pb::CartLine>,
    /// Product the shopper has; repeat for more
    #[arg(long, value_name = "ID")]
    owned: Vec<String>,
    /// Who it is; after a purchase and to replenish their own orders speak
    #[arg(long, value_name = "ID")]
    shopper: Option<String>,
    /// Line of the order this is about; repeat for more
    #[arg(long, value_name = "ID[:QTY]", value_parser = cart_line)]
    order: Vec<pb::CartLine>,
    /// Id of that order
    #[arg(long, value_name = "ID", requires = "order")]
    order_id: Option<String>,
    /// When that order was placed
    #[arg(long, value_name = "TIME", requires = "order", value_parser = time)]
    placed_at: Option<prost_types::Timestamp>,
    /// When that order should arrive, or did
    #[arg(long, value_name = "TIME", requires = "order", value_parser = time)]
    expected_delivery: Option<prost_types::Timestamp>,
    /// The moment to answer for, such as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<prost_types::Timestamp>,
    /// Wait until this generation is served
    #[arg(long, value_name = "N", default_value_t)]
    min_generation: u64,
}

impl ContextFlags {
    /// The same on a product page, where no stage is said.
    #[must_use]
    pub(crate) fn on_a_product_page(self) -> Self {
        Self { stage: self.stage.or(Some(Stage::Product)), ..self }
    }

    /// The products that the need is about.
    pub(crate) fn anchors(&self) -> &[String] {
        &self.anchors
    }

    /// The request of these flags.
    ///
    /// # Errors
    /// There is no stage.
    pub(crate) fn into_request(
        self,
        merchant_id: String,
        policy: Option<String>,
        max_results: Option<u32>,
    ) -> Result<pb::RecommendRequest> {
        let stage = self.stage.ok_or_else(|| Usage("--stage is missing: browse, product, cart, …".into()))?;
        let order = (!self.order.is_empty()).then(|| pb::Order {
            order_id: self.order_id.unwrap_or_default(),
            placed_at: self.placed_at,
            expected_delivery: self.expected_delivery,
            lines: self.order,
        });
        Ok(pb::RecommendRequest {
            merchant_id,
            stage: stage.to_pb().into(),
            surface: self.surface.map_or(pb::Surface::Unspecified, Surface::to_pb).into(),
            anchor_ids: self.anchors,
            cart: self.cart,
            owned_ids: self.owned,
            shopper_id: self.shopper.unwrap_or_default(),
            order,
            max_results: max_results.unwrap_or_default(),
            min_generation: self.min_generation,
            at: self.at,
            policy: policy.map(named_policy),
            ..Default::default()
        })
    }
}

/// The choice of a policy by its name.
pub(crate) fn named_policy(name: String) -> pb::PolicyChoice {
    pb::PolicyChoice { choice: Some(pb::policy_choice::Choice::Name(name)) }
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, ValueEnum)]
        pub(crate) enum $name { $($(#[$value_doc])* $value),* }

        impl $name {
            pub(crate) fn to_pb(self) -> pb::$name {
                match self { $(Self::$value => pb::$name::$value),* }
            }
        }
    };
}

choices! {
    /// See [`pb::Stage`].
    Stage {
        /// Looking around
        Browse,
        /// On a product page
        Product,
        /// Looking at the cart
        Cart,
        /// Paying
        Checkout,
        /// Ordered, not yet delivered
        OrderPlaced,
        /// Delivered
        Delivered,
        /// A consumable is running out
        Replenish,
    }
}

choices! {
    /// See [`pb::Surface`].
    Surface { Web, App, Chat, Email, Sms, Voice }
}

/// Reads `id` or `id:quantity`.
fn cart_line(text: &str) -> Result<pb::CartLine, String> {
    let line = |id: &str, quantity| {
        let product_id = id.to_owned();
        Ok(pb::CartLine { product_id, quantity, unit_price: None })
    };
    if let Some((id, quantity)) = text.rsplit_once(':')
        && !quantity.is_empty()
        && quantity.bytes().all(|byte| byte.is_ascii_digit())
    {
        return match quantity.parse() {
            Ok(0) => Err("the quantity is 0".into()),
            Ok(quantity) => line(id, quantity),
            Err(error) => Err(format!("the quantity `{quantity}`: {error}")),
        };
    }
    line(text, 1)
}

/// Reads a time with its offset.
pub(crate) fn time(text: &str) -> Result<prost_types::Timestamp, String> {
    let time: jiff::Timestamp = text.parse().map_err(|error| format!("{error}"))?;
    Ok(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }.normalized())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cart_lines_take_a_quantity_after_the_last_colon() {
        let cases = [
            ("a", "a", 1),
            ("a:2", "a", 2),
            ("sku:a:12", "sku:a", 12),
            ("sku:a", "sku:a", 1),
            ("a:", "a:", 1),
        ];
        for (text, id, quantity) in cases {
            let line = cart_line(text).unwrap();
            assert_eq!((line.product_id.as_str(), line.quantity), (id, quantity), "{text}");
        }
        assert!(cart_line("a:0").is_err());
        assert!(cart_line("a:99999999999").is_err());
    }

    #[test]
    fn times_need_an_offset() {
        assert_eq!(time("2026-01-01T01:00:00+01:00").unwrap().seconds, 1_767_225_600);
        assert!(time("2026-01-01").is_err());
    }
}
