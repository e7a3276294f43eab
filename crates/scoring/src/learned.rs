//! What orders say about a setting: the products they lead to, each with one estimated chance for all anchors together.
//!
//! Beside one anchor, products rank by their chance beside it. Beside several, three views of the whole cart are added,
//! each measured against its best product: what each line adds to the chance of a target (a sparse linear model), what
//! was in the recent orders most like the cart (after B. Kersbergen and others, "Serenade: low-latency session-based
//! recommendation in e-commerce at scale", 2022), and how strongly single lines are bound to it; and a little of what is
//! bought just now.

mod after;
pub(crate) mod again;
mod cold;
pub(crate) mod history;
mod import;
mod neighbours;

use std::sync::Arc;

use sidecart_catalog::Entry;
use sidecart_rules::Stage;

use self::history::{Bought, History};
use crate::{
    answer::Level,
    lead::{AffinityKind, Learned},
    model::{Calibration, Model},
    setting::Setting,
};

/// Most products that orders lead to in one answer: the best of them.
const RANKED_MAX: usize = 200;
/// How many signals tell the chance of a ranked product.
pub(crate) const SIGNALS: usize = 6;
/// How much each view of a cart counts.
const PULL: f64 = 1.0;
const NEIGHBOURS: f64 = 1.0;
const BOND: f64 = 0.3;
const RECENT: f64 = 0.03;
/// Keeps logarithms finite.
const TINY: f64 = 1e-4;

/// A product that orders lead to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked {
    /// Its place in the model.
    pub(crate) target: u32,
    /// What it ranks by; comparable within one answer only.
    pub(crate) score: f64,
    /// Place of the anchor that says most for it, in the setting.
    anchor: usize,
    support: u32,
    lift: f32,
    level: Level,
}

/// What orders lead to, best first.
pub(crate) struct Ranking {
    pub(crate) ranked: Vec<Ranked>,
    pub(crate) signals: Signals,
    /// What makes a chance of a score.
    calibration: Calibration,
    kind: AffinityKind,
}

/// What tells how good the whole ranking is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signals {
    /// How much there is behind the scores: of a cart the greatest pull, else the orders of the anchors.
    strength: f64,
    /// How much of what was in the nearest orders is their most frequent product.
    share: f64,
    /// The logarithm of how many anchors there are.
    anchors: f64,
    /// How far the first is ahead of the tenth.
    lead: f64,
}

impl Signals {
    /// The signals of a product with this score.
    pub(crate) fn of(&self, score: f64) -> [f64; SIGNALS] {
        [1.0, (score + TINY).ln(), self.strength, self.share, self.anchors, self.lead]
    }
}

/// What one entry of a list says of a target.
#[derive(Debug, Clone, Copy)]
struct Word {
    target: u32,
    anchor: usize,
    at: usize,
}

/// The products that orders lead to from the anchors, best first, each with one chance.
pub(crate) fn learned<'a>(setting: &Setting<'a>) -> Vec<(&'a Arc<Entry>, Learned<'a>)> {
    import::over(setting, taught(setting))
}

fn taught<'a>(setting: &Setting<'a>) -> Vec<(&'a Arc<Entry>, Learned<'a>)> {
    let model = setting.snapshot.model();
    if model.is_empty() || setting.anchors.is_empty() {
        return Vec::new();
    }
    if setting.query.stage == Stage::Replenish
        && let Some(shopper) = &setting.query.shopper
    {
        let history = History::new(model, setting.snapshot.orders(), shopper, setting.query.at);
        return bought_again(setting, model, &history);
    }
    let catalog = setting.snapshot.catalog();
    let Ranking { ranked, signals, calibration, kind } = rank(setting);
    let known = ranked.into_iter().filter_map(|ranked| {
        let target = catalog.get(model.product(ranked.target).as_str())?;
        let Ranked { target: _, score, anchor, support, lift, level } = ranked;
        let chance = calibration.chance(&signals.of(score));
        Some((target, Learned { anchor, kind, chance, level, support, lift, provenance: None }))
    });
    known.collect()
}

/// What a shopper bought before, best first.
fn bought_again<'a>(
    setting: &Setting<'a>,
    model: &Model,
    history: &History,
) -> Vec<(&'a Arc<Entry>, Learned<'a>)> {
    let parts = model.parts();
    let chance = |bought: &Bought| parts.calibration.again.chance(&again::signals(parts, history, bought));
    let mut again: Vec<(f64, &Bought)> =
        history.bought.iter().map(|bought| (chance(bought), bought)).collect();
    again.sort_unstable_by(|(a, x), (b, y)| b.total_cmp(a).then(x.product.cmp(&y.product)));
    again.truncate(RANKED_MAX);
    let known = again.into_iter().filter_map(|(chance, bought)| {
        let target = setting.snapshot.catalog().get(model.product(bought.product).as_str())?;
        let learned = Learned {
            anchor: setting.place(target).unwrap_or(0),
            kind: AffinityKind::BoughtAgain,
            chance,
            level: Level::Product,
            support: bought.orders,
            lift: parts.again_lift[bought.product as usize],
            provenance: None,
        };
        Some((target, learned))
    });
    known.collect()
}

/// Ranks what orders lead to.
pub(crate) fn rank(setting: &Setting<'_>) -> Ranking {
    let model = setting.snapshot.model();
    let places: Vec<Option<u32>> =
        setting.anchors.iter().map(|anchor| model.place(anchor.entry.own())).collect();
    let calibrations = &model.parts().calibration;
    let after = || match (setting.query.stage, &setting.query.shopper) {
        (Stage::Delivered, Some(shopper)) => after::rank(setting, model, shopper),
        _ => Vec::new(),
    };
    let (mut kind, mut calibration) = (AffinityKind::BoughtAfter, calibrations.after);
    let (mut ranked, mut grounds) = (after(), None);
    if ranked.is_empty() {
        kind = AffinityKind::BoughtWith;
        calibration = if places.len() == 1 { calibrations.single } else { calibrations.cart };
        (ranked, grounds) = match &*places {
            [Some(place)] => (beside_one(model, *place), None),
            places if places.iter().all(Option::is_none) => (cold::rank(setting, model, 0), None),
            places => beside_cart(model, places),
        };
    }
    ranked.truncate(RANKED_MAX);
    let score = |at: usize| ranked.get(at).or(ranked.last()).map_or(0.0, |ranked| ranked.score);
    let lead = ((score(0) + TINY) / (score(9) + TINY)).ln();
    let support: u32 = places
        .iter()
        .flatten()
        .map(|place| model.parts().orders[*place as usize])
        .fold(0, u32::saturating_add);
    let anchors = (places.len() as f64).ln();
    let Grounds { strength, share } =
        grounds.unwrap_or(Grounds { strength: (f64::from(support) + 1.0).ln(), share: 0.0 });
    let signals = Signals { strength, share, anchors, lead };
    Ranking { ranked, signals, calibration, kind }
}

fn beside_one(model: &Model, place: u32) -> Vec<Ranked> {
    let parts = model.parts();
    let entries = parts.with.range(place as usize).filter(|at| parts.with_chance[*at] > 0.0);
    let ranked = entries.map(|at| Ranked {
        target: parts.with.target(at),
        score: parts.with_chance[at].into(),
        anchor: 0,
        support: parts.with_support[at],
        lift: parts.with_lift[at],
        level: if parts.with_support[at] > 0 { Level::Product } else { Level::Leaf },
    });
    best_first(ranked.collect())
}

/// What is behind a ranking; see [`Signals`].
struct Grounds {
    strength: f64,
    share: f64,
}

/// What completes a cart, and what is behind it.
fn beside_cart(model: &Model, places: &[Option<u32>]) -> (Vec<Ranked>, Option<Grounds>) {
    let parts = model.parts();
    let mut words: Vec<Word> = Vec::new();
    for (anchor, place) in places.iter().enumerate().filter_map(|(at, place)| Some((at, (*place)?))) {
        let range = parts.with.range(place as usize);
        words.extend(range.map(|at| Word { target: parts.with.target(at), anchor, at }));
    }
    words.sort_unstable_by_key(|word| (word.target, word.anchor));
    let near = neighbours::near(parts, places);
    let mut views: Vec<View> = Vec::new();
    let mut near = near.into_iter().peekable();
    for same in words.chunk_by(|a, b| a.target == b.target) {
        while let Some((target, weight)) = near.next_if(|(target, _)| *target < same[0].target) {
            views.push(View { near: weight, ..View::of(target) });
        }
        let own = near.next_if(|(target, _)| *target == same[0].target).map_or(0.0, |(_, weight)| weight);
        views.push(View { near: own, ..heard(parts, same) });
    }
    views.extend(near.map(|(target, weight)| View { near: weight, ..View::of(target) }));
    // Ascending, since anchors and the places of a model both go by product id.
    let known: Vec<u32> = places.iter().flatten().copied().collect();
    views.retain(|view| known.binary_search(&view.target).is_err());
    let recent = |target: u32| f64::from(parts.recent[target as usize]);
    let most = |of: &dyn Fn(&View) -> f64| views.iter().map(of).fold(f64::MIN_POSITIVE, f64::max);
    let (pull, near) = (most(&|view| view.pull), most(&|view| view.near));
    let all_near = views.iter().map(|view| view.near).fold(f64::MIN_POSITIVE, |sum, near| sum + near);
    let grounds = Grounds { strength: (pull + TINY).ln(), share: (near / all_near + TINY).ln() };
    let (bond, newest) = (most(&|view| view.bond), most(&|view| recent(view.target)));
    let ranked = views.iter().map(|view| Ranked {
        target: view.target,
        score: PULL * view.pull / pull
            + NEIGHBOURS * view.near / near
            + BOND * view.bond / bond
            + RECENT * recent(view.target) / newest,
        anchor: view.anchor,
        support: view.support,
        lift: view.lift,
        level: Level::Product,
    });
    (best_first(ranked.collect()), Some(grounds))
}

/// A target as each view of the cart sees it.
#[derive(Debug, Clone, Copy)]
struct View {
    target: u32,
    pull: f64,
    near: f64,
    bond: f64,
    anchor: usize,
    support: u32,
    lift: f32,
}

impl View {
    fn of(target: u32) -> Self {
        Self { target, pull: 0.0, near: 0.0, bond: 0.0, anchor: 0, support: 0, lift: 0.0 }
    }
}

/// What the lists of all lines say of one target; the line with the highest lift speaks for it.
fn heard(parts: &crate::model::ModelParts, same: &[Word]) -> View {
    let mut view = View::of(same[0].target);
    view.anchor = same[0].anchor;
    for word in same {
        view.pull += f64::from(parts.with_pull[word.at]);
        view.bond += f64::from(parts.with_bond[word.at]);
        let lift = parts.with_lift[word.at];
        if lift > view.lift {
            (view.anchor, view.lift, view.support) = (word.anchor, lift, parts.with_support[word.at]);
        }
    }
    view
}

/// By score; of equals the smaller target first.
fn best_first(mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    ranked.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.target.cmp(&b.target)));
    ranked
}
