//! How well it is told when a shopper buys a product next.
//!
//! Learned from the orders of the first three quarters of the time; asked at each purchase of the month after, of what the
//! shopper bought before, and compared with their next purchase of it, however much later that is. What they do not buy
//! again until the end is left out.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, Entry, ProductId, ShopperId, TermId, Timestamp};

use crate::{
    learn,
    model::Model,
    orders::Orders,
    question::placed,
    refill::{Habit, Pace},
};

/// The share of the time that is learned from, in quarters.
const LEARNED_QUARTERS: i64 = 3;
/// Days of which purchases are asked about.
const ASKED_DAYS: i64 = 30;
/// How many earlier gaps of the same shopper and product there are at the least, of each row.
const GAPS_MIN: [u32; 2] = [1, 3];

/// How far off the day is that one of them tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Who tells it: `sidecart`, or a baseline.
    pub who: &'static str,
    /// How many earlier gaps of the same shopper and product there are at the least.
    pub gaps_min: u32,
    /// How many purchases were asked about.
    pub asked: usize,
    /// The median distance between the day told and the day of the purchase, in days.
    pub median_error_days: f64,
    /// Of those who tell quartiles, the share of purchases between them. Half, if they mean what they say.
    pub between_quartiles: Option<f64>,
}

/// The days that each of them tells.
struct Told {
    own_median: f64,
    leaf_median: f64,
    median: f64,
    pace: Pace,
    gaps: u32,
}

/// A shopper's purchases of one product so far.
#[derive(Default)]
struct Seen {
    habit: Habit,
    days: Vec<f64>,
    told: Option<Told>,
}

/// What was told, and after how many days the purchase came.
type Answered = (Told, f64);

/// How well it is told; nothing where no purchase can be asked about.
pub(super) fn timings(catalog: &Catalog, orders: &Orders) -> Vec<Timing> {
    let moments = || orders.iter().filter_map(|order| placed(order));
    let Some((first, last)) = moments().min().zip(moments().max()) else { return Vec::new() };
    let cut = Timestamp::from_ms(first.as_ms() + (last.as_ms() - first.as_ms()) / 4 * LEARNED_QUARTERS);
    let trial = Trial { catalog, orders, cut, model: learn::paces(orders, catalog, cut) };
    let answered = trial.answered();
    let mut timings = Vec::new();
    for gaps_min in GAPS_MIN {
        let asked: Vec<&Answered> = answered.iter().filter(|(told, _)| told.gaps >= gaps_min).collect();
        if asked.is_empty() {
            continue;
        }
        let mut timing = |who, day: &dyn Fn(&Told) -> f64, between_quartiles| {
            let errors = asked.iter().map(|(told, days)| (day(told) - days).abs()).collect();
            let median_error_days = median(errors);
            timings.push(Timing { who, gaps_min, asked: asked.len(), median_error_days, between_quartiles });
        };
        let is_between = |(told, days): &&&Answered| {
            let [early, late] = told.pace.quartile_days();
            (early..=late).contains(days)
        };
        let between = asked.iter().filter(is_between).count() as f64 / asked.len() as f64;
        timing(super::OWN, &|told| told.pace.median_days(), Some(between));
        timing("own median", &|told| told.own_median, None);
        timing("leaf median", &|told| told.leaf_median, None);
        timing("median", &|told| told.median, None);
    }
    timings
}

/// A model of the past, and the orders that it is asked about.
struct Trial<'a> {
    catalog: &'a Catalog,
    orders: &'a Orders,
    cut: Timestamp,
    model: Model,
}

impl Trial<'_> {
    /// All that is told of purchases that were followed by another, by shopper.
    fn answered(&self) -> Vec<Answered> {
        let mut shoppers: Vec<&ShopperId> = self.orders.shoppers().map(|(shopper, _)| shopper).collect();
        shoppers.sort_unstable();
        let medians = self.medians(&shoppers);
        let mut answered = Vec::new();
        for shopper in shoppers {
            let mut seen: HashMap<&ProductId, Seen, GlobalState> = HashMap::default();
            self.each_purchase(shopper, |product, entry, at, pieces| {
                let seen = seen.entry(product).or_default();
                let Some(gap) = seen.habit.next(at, pieces) else { return };
                seen.days.push(gap.days);
                answered.extend(seen.told.take().map(|told| (told, gap.days)));
                if at >= self.cut && at < self.cut.plus_days(ASKED_DAYS) {
                    seen.told = medians.told(&self.model, entry, seen);
                }
            });
        }
        answered
    }

    /// The medians of all gaps that ended before the cut.
    fn medians(&self, shoppers: &[&ShopperId]) -> Medians {
        let mut all = Vec::new();
        let mut by_leaf: HashMap<TermId, Vec<f64>, GlobalState> = HashMap::default();
        for shopper in shoppers {
            let mut habits: HashMap<&ProductId, Habit, GlobalState> = HashMap::default();
            self.each_purchase(shopper, |product, entry, at, pieces| {
                let Some(gap) = habits.entry(product).or_default().next(at, pieces) else { return };
                if at < self.cut {
                    all.push(gap.days);
                    by_leaf.entry(entry.leaf().unwrap_or(entry.own())).or_default().push(gap.days);
                }
            });
        }
        let by_leaf = by_leaf.into_iter().map(|(leaf, days)| (leaf, median(days))).collect();
        Medians { all: median(all), by_leaf }
    }

    fn each_purchase<'o>(
        &'o self,
        shopper: &ShopperId,
        mut purchase: impl FnMut(&'o ProductId, &Entry, Timestamp, u64),
    ) {
        for order in self.orders.of_shopper(shopper.as_str()) {
            let Some(at) = placed(order) else { continue };
            for (product, pieces) in order.bought() {
                if let Some(entry) = self.catalog.get(product.as_str()) {
                    purchase(product, entry, at, pieces);
                }
            }
        }
    }
}

/// What the baselines tell.
struct Medians {
    all: f64,
    by_leaf: HashMap<TermId, f64, GlobalState>,
}

impl Medians {
    fn told(&self, model: &Model, entry: &Entry, seen: &Seen) -> Option<Told> {
        let leaf = entry.leaf().unwrap_or(entry.own());
        Some(Told {
            own_median: median(seen.days.clone()),
            leaf_median: self.by_leaf.get(&leaf).copied().unwrap_or(self.all),
            median: self.all,
            pace: Pace::of(model, entry, &seen.habit)?,
            gaps: seen.habit.gaps(),
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    values.get(low).zip(values.get(high)).map_or(0.0, |(low, high)| f64::midpoint(*low, *high))
}
