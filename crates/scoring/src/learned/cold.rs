//! What goes with a product that was never sold: what goes with sold products like it.
//!
//! Products of the category above that are most like it stand in for it: of its family, its leaf category, its
//! attributes, its price. What is bought beside them, and beside any product of its leaf category, speaks for targets;
//! where nothing is like it, what is bought most of all is all there is.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Entry, TermId};
use sidecart_rules::SCAN_MAX;

use super::{Ranked, best_first, evidence::Witness};
use crate::{
    learn::lists::LIST_MAX,
    model::{Model, ModelParts},
    setting::Setting,
};

/// Most products that stand in.
const STAND_INS: usize = 100;
/// How much more alike a product is, in powers of e: of the family, of the leaf category, with all attributes in common.
const FAMILY: f64 = 4.0;
const LEAF: f64 = 3.0;
const ATTRIBUTES: f64 = 2.0;
/// Orders that the base rate is worth against those of the stand-ins.
const STRENGTH: f64 = 50.0;

/// A sold product that stands in for one that was not.
struct StandIn {
    place: u32,
    weight: f64,
}

/// What goes with the anchor at a place of the setting, which was never sold.
pub(super) fn rank(setting: &Setting<'_>, model: &Model, anchor: usize) -> Vec<Ranked> {
    let entry = setting.anchors[anchor].entry;
    let stand_ins = stand_ins(setting, model, entry);
    let parts = model.parts();
    let all = parts.facts.orders.max(1) as f64;
    let weight: f64 = stand_ins.iter().map(|it| it.weight).sum();
    let orders: f64 = stand_ins.iter().map(|it| f64::from(parts.orders[it.place as usize])).sum();
    let base = |target: u32| f64::from(parts.orders[target as usize]) / all;
    // Where a list ends, its product is taken to be beside the target as often as any, but not more often than beside
    // the last of the list.
    let mut above_base: HashMap<u32, f64, GlobalState> = HashMap::default();
    for StandIn { place, weight, .. } in &stand_ins {
        for at in parts.with.range(*place as usize).filter(|at| parts.with_chance[*at] > 0.0) {
            let target = parts.with.target(at);
            *above_base.entry(target).or_default() +=
                weight * (f64::from(parts.with_chance[at]) - base(target));
        }
    }
    for target in model.common() {
        above_base.entry(*target).or_default();
    }
    let ends: Vec<f64> = stand_ins.iter().map(|it| end_of_list(parts, it.place)).collect();
    let least = ends.iter().copied().fold(f64::INFINITY, f64::min);
    for (target, above) in above_base.iter_mut().filter(|(target, _)| base(**target) > least) {
        for (StandIn { place, weight, .. }, end) in stand_ins.iter().zip(&ends) {
            if *end < base(*target) && !is_listed(parts, *place, *target) {
                *above += weight * (end - base(*target));
            }
        }
    }
    let witness = Witness::new(model, setting.snapshot.catalog(), entry, None);
    let trust = orders / (orders + STRENGTH) / weight.max(f64::MIN_POSITIVE);
    let ranked = above_base.into_iter().map(|(target, above)| {
        let score = (base(target) + trust * above).max(0.0);
        Ranked { target, score, anchor, evidence: witness.evidence(model, target) }
    });
    best_first(ranked.collect())
}

/// The chance of the last of a product's list, beyond which nothing has a greater one; without bound, where the list
/// holds everything.
fn end_of_list(parts: &ModelParts, place: u32) -> f64 {
    let chances =
        || parts.with_chance[parts.with.range(place as usize)].iter().filter(|chance| **chance > 0.0);
    if chances().count() < LIST_MAX {
        return f64::INFINITY;
    }
    chances().copied().fold(f32::INFINITY, f32::min).into()
}

/// Whether a product's list tells the chance of a target.
fn is_listed(parts: &ModelParts, place: u32, target: u32) -> bool {
    parts.with.find(place as usize, target).is_some_and(|at| parts.with_chance[at] > 0.0)
}

/// The sold products most like an entry, in the category above it, and how much each says.
fn stand_ins(setting: &Setting<'_>, model: &Model, entry: &Entry) -> Vec<StandIn> {
    let catalog = setting.snapshot.catalog();
    let Some(category) = entry.parent().or(entry.leaf()) else { return Vec::new() };
    let listed = catalog.postings(category).into_iter().flat_map(|list| list.iter()).take(SCAN_MAX);
    let mut found: Vec<StandIn> = listed
        .filter_map(|index| {
            let other = catalog.entry(index)?;
            let place = model.place(other.own())?;
            let orders = f64::from(model.parts().orders[place as usize]);
            Some(StandIn { place, weight: likeness(entry, other).exp() * orders.sqrt() })
        })
        .collect();
    if found.len() > STAND_INS {
        found.select_nth_unstable_by(STAND_INS, |a, b| {
            b.weight.total_cmp(&a.weight).then(a.place.cmp(&b.place))
        });
        found.truncate(STAND_INS);
    }
    found.sort_unstable_by_key(|it| it.place);
    found
}

/// How alike two products are; more is more.
fn likeness(entry: &Entry, other: &Entry) -> f64 {
    let mut likeness = 0.0;
    if entry.family() == other.family() {
        likeness += FAMILY;
    }
    if entry.leaf() == other.leaf() {
        likeness += LEAF;
    }
    let own: Vec<TermId> = entry.own_terms().collect();
    let shared = own.iter().filter(|term| other.has(**term)).count();
    likeness += ATTRIBUTES * shared as f64 / own.len().max(1) as f64;
    if let (Some(a), Some(b)) = (entry.product().price(), other.product().price())
        && a.currency() == b.currency()
    {
        let ln = |minor_units: i64| (minor_units.max(1) as f64).ln();
        likeness -= (ln(a.minor_units()) - ln(b.minor_units())).abs();
    }
    likeness
}
