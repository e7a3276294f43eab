//! Made-up orders, in the shape of a year of groceries (*The Complete Journey*: sizes of orders, how steeply products
//! fall from the best-selling on, orders and distinct products of a household): everything about an order follows from
//! its number.

use std::f64::consts::TAU;

use sidecart::v1 as pb;
use sidecart_catalog::{OrderId, ProductId, ShopperId, Timestamp};
use sidecart_scoring::orders::{OrderLine, RecordedOrder, Statement};

use super::{
    dice::{Dice, mixed, share},
    product_id,
};

/// Orders of one shopper.
const ORDERS_OF_SHOPPER: u64 = 52;
/// Products that a shopper comes back to.
const REPERTOIRE: u64 = 200;
/// What is cooked, and how many products each takes.
const RECIPES: u64 = 2_000;
const INGREDIENTS: u64 = 20;
/// Lines of an order: the median, the deviation of the logarithm, the mean and the most.
const SIZE_MEDIAN: f64 = 5.5;
const SIZE_DEVIATION: f64 = 1.05;
const SIZE_MEAN: f64 = 9.1;
const LINES_MAX: f64 = 149.0;
const YEAR_MS: u64 = 330 * 86_400_000;

/// Orders of products of a catalog.
pub(crate) struct History {
    products: u64,
    orders: u64,
    /// When the newest may be placed.
    end: Timestamp,
}

impl History {
    /// Orders with about so many lines in all.
    pub(crate) fn new(products: u64, lines: u64, end: Timestamp) -> Self {
        Self { products, orders: (lines as f64 / SIZE_MEAN) as u64, end }
    }

    /// How many orders there are.
    pub(crate) fn orders(&self) -> u64 {
        self.orders
    }

    /// One of them.
    pub(crate) fn purchase(&self, number: u64) -> Purchase {
        let mut dice = Dice::new(number, 11);
        let shopper = (dice.share().powf(1.5) * self.orders.div_ceil(ORDERS_OF_SHOPPER) as f64) as u64;
        let recipe = dice.below(RECIPES);
        // Log-normal: half of the orders have six lines or fewer, one of a hundred has more than sixty.
        let normal = (-2.0 * (1.0 - dice.share()).ln()).sqrt() * (TAU * dice.share()).cos();
        let size = (SIZE_MEDIAN * (SIZE_DEVIATION * normal).exp()).min(LINES_MAX);
        let mut products: Vec<u64> =
            (0..=size as u64).map(|_| self.some_product(shopper, recipe, &mut dice)).collect();
        products.sort_unstable();
        products.dedup();
        let age = dice.below(YEAR_MS) as i64;
        Purchase { number, shopper, placed_at: Timestamp::from_ms(self.end.as_ms() - age), products }
    }

    /// Half is what the shopper always comes back to, three in ten belong to the recipe, the rest is anything.
    fn some_product(&self, shopper: u64, recipe: u64, dice: &mut Dice) -> u64 {
        let bits = match dice.below(10) {
            0..5 => mixed(shopper, 100 + (dice.share().powi(2) * REPERTOIRE as f64) as u64),
            5..8 => mixed(recipe, 1_000 + dice.below(INGREDIENTS)),
            _ => dice.roll(),
        };
        // The first are sold most.
        (share(bits).powf(3.5) * self.products as f64) as u64
    }
}

/// An order as it was made up.
pub(crate) struct Purchase {
    number: u64,
    shopper: u64,
    placed_at: Timestamp,
    /// Ascending.
    products: Vec<u64>,
}

impl Purchase {
    /// As the learner takes it.
    pub(crate) fn recorded(&self) -> RecordedOrder {
        let line = |number: &u64| OrderLine {
            product: ProductId::new(&product_id(*number)).expect("made-up ids are valid"),
            quantity: 1,
            unit_price: None,
        };
        let statement = Statement {
            updated_at: self.placed_at,
            placed_at: self.placed_at,
            shopper: Some(ShopperId::new(&self.shopper_id()).expect("made-up ids are valid")),
            lines: self.products.iter().map(line).collect(),
            delivery: None,
        };
        let id = OrderId::new(&self.order_id()).expect("made-up ids are valid");
        RecordedOrder::new(id, Some(statement), Vec::new()).expect("made-up orders are valid")
    }

    /// As a client tells it.
    pub(crate) fn told(&self) -> pb::RecordedOrder {
        let ms = self.placed_at.as_ms();
        let line = |number: &u64| pb::OrderLine {
            product_id: product_id(*number),
            quantity: 1,
            ..pb::OrderLine::default()
        };
        pb::RecordedOrder {
            order_id: self.order_id(),
            shopper_id: self.shopper_id(),
            placed_at: Some(prost_types::Timestamp { seconds: ms.div_euclid(1_000), nanos: 0 }),
            lines: self.products.iter().map(line).collect(),
            ..pb::RecordedOrder::default()
        }
    }

    fn order_id(&self) -> String {
        format!("o{:08}", self.number)
    }

    fn shopper_id(&self) -> String {
        format!("s{:06}", self.shopper)
    }
}
