//! Scores: the estimated chance that an offer is taken, and what the order of offers is weighed by.
//!
//! Where orders do not speak, both tables below are priors set by judgement, not measured:
//! they say which relation is more pressing at which stage, and their order matters more than their size.

use sidecart_catalog::Entry;
use sidecart_rules::{Direction, Objective, Relation, Says, Stage};

use crate::{judge::Target, lead::Lead, setting::Setting};

/// The chance that an offer of this relation is taken at this stage, before any boost and without evidence.
pub const fn prior(relation: Relation, stage: Stage) -> f64 {
    best(relation) * fit(relation)[stage as usize]
}

/// The chance that an offer of this relation is taken where it fits best.
const fn best(relation: Relation) -> f64 {
    match relation {
        Relation::RequiredAccessory => 0.20,
        Relation::Refill => 0.18,
        Relation::Consumable => 0.14,
        Relation::BundlePart => 0.10,
        Relation::Accessory => 0.08,
        Relation::Protection => 0.07,
        Relation::Service => 0.04,
    }
}

/// How much of that is left at each stage:
/// browse, product, cart, checkout, order placed, delivered, replenish.
const fn fit(relation: Relation) -> [f64; 7] {
    match relation {
        // Missing it spoils the purchase: best before the order, still urgent until it arrives.
        Relation::RequiredAccessory => [0.5, 1.0, 1.0, 0.9, 0.9, 0.6, 0.3],
        // Wanted while choosing, and again once the thing is in use.
        Relation::Accessory => [0.5, 1.0, 0.9, 0.6, 0.6, 0.9, 0.3],
        Relation::Consumable => [0.4, 0.8, 1.0, 0.9, 0.8, 0.8, 1.0],
        // Nobody buys more of what has not run out.
        Relation::Refill => [0.2, 0.3, 0.5, 0.5, 0.3, 0.6, 1.0],
        // Protection that comes late protects little.
        Relation::Protection => [0.4, 0.9, 1.0, 1.0, 0.9, 0.6, 0.2],
        Relation::BundlePart => [0.6, 1.0, 0.9, 0.5, 0.4, 0.4, 0.2],
        // Comes after the thing itself.
        Relation::Service => [0.2, 0.5, 0.6, 0.7, 0.8, 1.0, 0.6],
    }
}

/// Odds are held within these, so that no number of boosts makes a score 0 or 1.
const ODDS: (f64, f64) = (1e-6, 1e6);

/// The chance that a target is taken on a lead: what was learned, or the prior of a pairing's relation at the stage,
/// its odds multiplied by every boost that applies, in the order of rule ids.
pub(crate) fn score<'a>(setting: &Setting<'a>, lead: &Lead<'a>, target: &'a Entry) -> f64 {
    let chance = match lead {
        Lead::Pairing(route) => prior(route.pairing.relation, setting.query.stage),
        Lead::Learned(learned) => learned.chance,
    };
    let anchor = setting.anchors[lead.anchor()].entry;
    let boosts = setting.snapshot.rules().boosts_on(target);
    let applying =
        boosts.filter(|rule| setting.applies(rule) && rule.covers(Direction::Forward, anchor, target));
    let own = (chance / (1.0 - chance)).min(ODDS.1);
    let odds = applying.fold(own, |odds, rule| match rule.parts().says {
        Says::Boost(boost) => (odds * boost.factor()).clamp(ODDS.0, ODDS.1),
        Says::Pairing(_) | Says::Block => odds,
    });
    odds / (1.0 + odds)
}

/// What the order of offers goes by, more first.
///
/// Amounts are compared in minor units: offers beside one anchor share its currency.
pub(crate) fn key(setting: &Setting<'_>, target: &Target<'_, '_>, score: f64) -> f64 {
    let price = target.price.map_or(0, |price| price.minor_units());
    let value = match setting.limits.objective {
        Objective::TakeRate => return score,
        Objective::Revenue => price,
        Objective::Margin => margin(target, price),
    };
    score * value as f64
}

/// Price less unit cost, never below 0. Without a unit cost in the price's currency there is no margin to speak of.
fn margin(target: &Target<'_, '_>, price: i64) -> i64 {
    let currency = target.price.map(|price| price.currency());
    let cost = target.entry.product().unit_cost().filter(|cost| Some(cost.currency()) == currency);
    cost.map_or(0, |cost| (price - cost.minor_units()).max(0))
}
