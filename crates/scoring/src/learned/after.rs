//! What a shopper's whole history speaks for, that they have not bought yet.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;
use sidecart_catalog::ShopperId;

use super::{Ranked, best_first, evidence::Evidence, history::History};
use crate::{answer::Level, model::Model, setting::Setting};

/// How much less a purchase says than its size: having bought often is not needing more.
const HISTORY_POWER: f64 = 0.4;
/// How far it raises the score of a product that it is in more recent orders, beside all its orders, than others.
const TREND_POWER: f64 = 0.7;
/// Orders added to either side of that, so that rare products have no wild trend.
const RECENT_FLOOR: f64 = 0.25;
const USUAL_FLOOR: f64 = 20.0;
/// The place in [`super::history::Bought::faded`] of the half-life that purchases fade with: 60 days.
const FADED: usize = 2;

/// Products that the shopper has not bought, best first.
pub(super) fn rank(setting: &Setting<'_>, model: &Model, shopper: &ShopperId) -> Vec<Ranked> {
    let history = History::new(model, setting.snapshot.orders(), shopper, setting.query.at);
    let parts = model.parts();
    let mut words: Vec<(u32, f64, u32)> = Vec::new();
    for bought in &history.bought {
        let weight = bought.faded[FADED].powf(HISTORY_POWER);
        let range = parts.after.range(bought.product as usize);
        let pull = |at: usize| weight * f64::from(parts.after_pull[at]);
        words.extend(range.map(|at| (parts.after.target(at), pull(at), bought.product)));
    }
    words.sort_unstable_by_key(|(target, _, product)| (*target, *product));
    let followed = followed(setting, model);
    let mut ranked = Vec::new();
    for same in words.chunk_by(|a, b| a.0 == b.0) {
        let target = same[0].0;
        if history.bought.binary_search_by_key(&target, |bought| bought.product).is_ok() {
            continue;
        }
        let sum: f64 = same.iter().map(|(_, pull, _)| pull).sum();
        let recent = f64::from(parts.recent[target as usize]) + RECENT_FLOOR;
        let usual = f64::from(parts.orders[target as usize]) + USUAL_FLOOR;
        let (anchor, evidence) = followed.get(&target).copied().unwrap_or((0, Evidence::NONE));
        ranked.push(Ranked { target, score: sum * (recent / usual).powf(TREND_POWER), anchor, evidence });
    }
    best_first(ranked)
}

/// What is bought after each anchor, with the place of the anchor that says most. The rest of a history ranks, but is
/// nothing that an offer beside these anchors could be put down to.
fn followed(setting: &Setting<'_>, model: &Model) -> HashMap<u32, (usize, Evidence), GlobalState> {
    let parts = model.parts();
    let mut followed: HashMap<u32, (usize, Evidence), GlobalState> = HashMap::default();
    for (anchor, place) in setting.anchors.iter().map(|anchor| model.place(anchor.entry.own())).enumerate() {
        for at in place.into_iter().flat_map(|place| parts.after.range(place as usize)) {
            let (support, lift) = (parts.after_support[at], parts.after_lift[at]);
            let best = followed.entry(parts.after.target(at)).or_insert((anchor, Evidence::NONE));
            if support > 0 && lift >= best.1.lift {
                *best = (anchor, Evidence { support, lift, level: Level::Product });
            }
        }
    }
    followed
}
