//! Refills: after how many days a shopper who buys a product again and again buys it next.
//!
//! The days between purchases are taken to be log-normal, as those of all shoppers together are in R. Bhagat, S.
//! Muralidharan, A. Lobzhanidze and S. Vishwanath, "Buy it again: modeling repeat purchase recommendations", 2018. Each
//! shopper has a pace of their own: the mean logarithm of their days between, shrunk to that of all who buy the product, by
//! how much the two kinds of spread say (C. Morris, "Parametric empirical Bayes inference: theory and applications", 1983).
//! Without a shopper's history the product's pace is the answer, without that the leaf category's, and where orders tell
//! nothing of either what the catalog says of the supply.

use sidecart_catalog::{Entry, Timestamp};

use crate::model::Model;

const DAY_MS: f64 = 86_400_000.0;
/// Purchases closer together than this are one, in days.
const APART_MIN_DAYS: f64 = 0.5;
/// The upper quartile of the normal distribution.
const QUARTILE: f64 = 0.674_49;
/// Days between purchases of a product or its leaf category, fewer of which tell no pace.
const GAPS_MIN: u32 = 10;

/// How a shopper bought one product so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Habit {
    last: Option<Purchase>,
    /// How many days between purchases are known, and the sum of their logarithms.
    gaps: u32,
    log_gaps: f64,
    /// How many purchases there were before the last, and the sum of the logarithms of their pieces.
    earlier: u32,
    log_pieces: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Purchase {
    at: Timestamp,
    pieces: u64,
}

/// What a purchase says of the one before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gap {
    /// Days between the two.
    pub(crate) days: f64,
    /// Pieces of the earlier one.
    pub(crate) pieces: u64,
}

impl Habit {
    /// Adds a purchase, no earlier than those before; what is bought within half a day is one purchase.
    pub fn add(&mut self, at: Timestamp, pieces: u64) {
        self.next(at, pieces);
    }

    /// The same, and the gap that it ends.
    pub(crate) fn next(&mut self, at: Timestamp, pieces: u64) -> Option<Gap> {
        let last = self.last.replace(Purchase { at, pieces })?;
        let days = (at.as_ms() - last.at.as_ms()) as f64 / DAY_MS;
        if days < APART_MIN_DAYS {
            self.last = Some(Purchase { at: last.at, pieces: last.pieces.saturating_add(pieces) });
            return None;
        }
        self.gaps += 1;
        self.log_gaps += log_days(days);
        self.earlier += 1;
        self.log_pieces += log_pieces(last.pieces);
        Some(Gap { days, pieces: last.pieces })
    }

    /// When the product was bought last.
    pub fn last(&self) -> Option<Timestamp> {
        self.last.map(|last| last.at)
    }

    /// How many days between purchases are known.
    pub fn gaps(&self) -> u32 {
        self.gaps
    }

    /// How many more pieces than usual were bought last, as a logarithm.
    fn stocked_up(&self) -> f64 {
        let usual = if self.earlier == 0 { 0.0 } else { self.log_pieces / f64::from(self.earlier) };
        self.last.map_or(0.0, |last| log_pieces(last.pieces) - usual)
    }
}

/// What tells a pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The shopper's own purchases.
    Shopper,
    /// Those of all who buy the product.
    Product,
    /// Those of all who buy something of its leaf category.
    Category,
    /// How long the catalog says a piece lasts.
    Supply,
}

/// After how many days a purchase is followed by the next, as a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    log_days: f64,
    spread: f64,
    /// What tells it.
    pub basis: Basis,
}

impl Pace {
    /// The pace at which a shopper with this habit buys a product, counted from the last purchase. `None`: nothing tells.
    pub fn of(model: &Model, entry: &Entry, habit: &Habit) -> Option<Self> {
        let paces = &model.parts().paces;
        let learned = learned(model, entry);
        // What was bought more of than usual lasts longer, as far as orders say so.
        let stock = paces.stock_up * habit.stocked_up();
        if habit.gaps > 0 {
            let (count, own) = (f64::from(habit.gaps), habit.log_gaps / f64::from(habit.gaps));
            let strength = paces.within / paces.between;
            let (near, strength) = learned.map_or((own, 0.0), |(near, _)| (near, strength));
            let known = count + strength;
            let log_days = (count * own + strength * near) / known + stock;
            let spread = (paces.within * (1.0 + 1.0 / known)).sqrt();
            return Some(Self { log_days, spread, basis: Basis::Shopper });
        }
        let spread = (paces.within + paces.between).sqrt();
        learned.map(|(near, basis)| Self { log_days: near + stock, spread, basis }).or_else(|| {
            let days = f64::from(entry.product().days_of_supply()?);
            let pieces = habit.last.map_or(1, |last| last.pieces) as f64;
            Some(Self { log_days: log_days(days * pieces), spread, basis: Basis::Supply })
        })
    }

    /// As many days as not: after half of such purchases the next comes sooner.
    pub fn median_days(&self) -> f64 {
        days(self.log_days)
    }

    /// Days after which a quarter, and three quarters, of such purchases are followed by the next.
    pub fn quartile_days(&self) -> [f64; 2] {
        [-QUARTILE, QUARTILE].map(|deviations| days(self.log_days + deviations * self.spread))
    }
}

/// The mean logarithm of the days between purchases of a product by all who buy it or, if these are few, something of its
/// leaf category.
fn learned(model: &Model, entry: &Entry) -> Option<(f64, Basis)> {
    let paces = &model.parts().paces;
    let place = model.place(entry.own()).map(|place| place as usize);
    let own = place.map(|place| (paces.log_days[place], paces.gaps[place]));
    if let Some((log_days, GAPS_MIN..)) = own {
        return Some((log_days.into(), Basis::Product));
    }
    let leaf = entry.leaf().and_then(|leaf| model.paced(leaf)).map(|leaf| leaf as usize);
    let leaf = leaf.filter(|leaf| paces.leaf_gaps[*leaf] >= GAPS_MIN)?;
    let log_days = own.map_or(paces.leaf_log_days[leaf], |(log_days, _)| log_days);
    Some((log_days.into(), Basis::Category))
}

pub(crate) fn log_days(days: f64) -> f64 {
    days.ln_1p()
}

fn days(log_days: f64) -> f64 {
    log_days.exp_m1().max(0.0)
}

pub(crate) fn log_pieces(pieces: u64) -> f64 {
    (pieces.max(1) as f64).ln()
}
