//! What a shopper buys again: a logistic model on when and how often they bought a product, and on how often others do.

use super::history::{Bought, History};
use crate::model::ModelParts;

/// How many signals there are.
pub(crate) const SIGNALS: usize = 12;

/// The signals of one product that the shopper bought before; the first is always 1.
///
/// How often; how long ago first and last; how often of late, over two weeks, a month and four months; how often others
/// buy it again; how often the shopper comes; how far beyond its usual gap, shrunk to 30 days, the last one is, and the
/// square of that, for what was bought more than once; and whether it was bought once only.
pub(crate) fn signals(parts: &ModelParts, history: &History, bought: &Bought) -> [f64; SIGNALS] {
    let Bought { product, orders, first, last, faded } = *bought;
    let count = f64::from(orders);
    let overdue = if orders > 1 { ((last + 1.0) / (1.0 + (first - last + 30.0) / count)).ln() } else { 0.0 };
    [
        1.0,
        count.ln(),
        (last + 1.0).ln(),
        (first + 1.0).ln(),
        (faded[0] + 0.05).ln(),
        (faded[1] + 0.05).ln(),
        (faded[3] + 0.05).ln(),
        parts.again[product as usize].into(),
        (history.visits + 0.5).ln(),
        overdue,
        overdue * overdue,
        f64::from(u8::from(orders == 1)),
    ]
}
