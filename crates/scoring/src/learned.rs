//! What orders say about a setting: the products they lead to, each with one estimated chance for all anchors together.
//!
//! Beside one anchor, products rank by their chance beside it. Beside several, three views of the whole cart are added,
//! each measured against its best product: what each line adds to the chance of a target (a sparse linear model), what
//! was in the recent orders most like the cart (after B. Kersbergen and others, "Serenade: low-latency session-based
//! recommendation in e-commerce at scale", 2022), and how strongly single lines are bound to it; and a little of its
//! chance beside each line and of what is bought just now, for carts of which next to nothing is known.

mod after;
pub(crate) mod again;
mod cold;
mod evidence;
pub(crate) mod history;
mod import;
mod neighbours;
mod sums;

use std::{cell::RefCell, collections::HashSet, sync::Arc};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Entry, ProductId};
use sidecart_rules::Stage;

use self::{
    evidence::{Evidence, Witness},
    history::{Bought, History},
    sums::Sums,
};
use crate::{
    answer::Level,
    lead::{AffinityKind, Learned},
    model::{Calibration, Model},
    setting::Setting,
};

/// Most products that are ranked for one answer: the best of them.
const RANKED_MAX: usize = 200;
/// Most of these that are looked at: the best of which orders say enough.
const LOOKED_AT_MAX: usize = 50;
/// How many signals tell the chance of a ranked product.
pub(crate) const SIGNALS: usize = 6;
/// How much each view of a cart counts.
const PULL: f64 = 1.0;
const NEIGHBOURS: f64 = 1.0;
const BOND: f64 = 0.3;
const CHANCE: f64 = 0.02;
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
    evidence: Evidence,
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

/// What orders say for candidates.
pub(crate) struct Taught<'a> {
    /// The products that they lead to from the anchors, each with one chance.
    pub(crate) list: Vec<(&'a Arc<Entry>, Learned<'a>)>,
    /// Whether they say something for others too, below the policy's evidence floor.
    pub(crate) is_floored: bool,
}

/// The products that orders lead to from the anchors, each with one chance.
///
/// What cannot be offered is left out before it is looked up, which costs more than all that came before: what is below
/// the policy's evidence floor, unless it is `noted`; and what comes after so many that are not. What pairings lead to
/// is always there, for orders to raise its score.
pub(crate) fn learned<'a>(
    setting: &Setting<'a>,
    is_led_to: impl Fn(&ProductId) -> bool,
    is_noted: impl Fn(&ProductId) -> bool,
) -> Taught<'a> {
    let (mut room, mut is_floored) = (LOOKED_AT_MAX, false);
    let model = setting.snapshot.model();
    let is_looked_at = |target: u32, support: u32, lift: f32| {
        let product = model.product(target);
        if lift < setting.limits.lift_min as f32 {
            is_floored |= support > 0;
            return is_noted(product) || is_led_to(product);
        }
        let is_within = room > 0;
        room = room.saturating_sub(1);
        is_within || is_led_to(product)
    };
    let list = import::over(setting, taught(setting, is_looked_at));
    Taught { list, is_floored }
}

fn taught<'a>(
    setting: &Setting<'a>,
    mut is_looked_at: impl FnMut(u32, u32, f32) -> bool,
) -> Vec<(&'a Arc<Entry>, Learned<'a>)> {
    let model = setting.snapshot.model();
    if model.is_empty() || setting.anchors.is_empty() {
        return Vec::new();
    }
    let history = || {
        let shopper = setting.query.shopper.as_ref()?;
        Some(History::new(model, setting.snapshot.orders(), shopper, setting.query.at))
    };
    if setting.query.stage == Stage::Replenish
        && let Some(history) = history()
    {
        return bought_again(setting, model, &history, is_looked_at);
    }
    let first = rank(setting);
    let kind = first.kind;
    let mut list: Vec<_> = first.known(setting, &mut is_looked_at).collect();
    if kind == AffinityKind::BoughtAfter {
        let mut second = beside(setting);
        // What was bought before is nothing to be told of, and what has a place already keeps it.
        let bought = history().into_iter().flat_map(|history| history.bought);
        let mut passed: HashSet<u32, GlobalState> = bought.map(|bought| bought.product).collect();
        let standing = list.iter().filter(|(_, learned)| learned.lift >= setting.limits.lift_min as f32);
        passed.extend(standing.filter_map(|(target, _)| model.place(target.own())));
        second.ranked.retain(|ranked| !passed.contains(&ranked.target));
        list.extend(second.known(setting, &mut is_looked_at));
    }
    list
}

impl Ranking {
    /// What of it is looked at, as far as the catalog has it.
    fn known<'a>(
        self,
        setting: &Setting<'a>,
        mut is_looked_at: impl FnMut(u32, u32, f32) -> bool,
    ) -> impl Iterator<Item = (&'a Arc<Entry>, Learned<'a>)> {
        let Self { ranked, signals, calibration, kind } = self;
        let (model, catalog) = (setting.snapshot.model(), setting.snapshot.catalog());
        let is_looked_at =
            move |ranked: &Ranked| is_looked_at(ranked.target, ranked.evidence.support, ranked.evidence.lift);
        ranked.into_iter().filter(is_looked_at).filter_map(move |ranked| {
            let target = model.entry(ranked.target, catalog)?;
            let Ranked { target: _, score, anchor, evidence: Evidence { support, lift, level } } = ranked;
            let chance = calibration.chance(&signals.of(score));
            Some((target, Learned { anchor, kind, chance, level, support, lift, provenance: None }))
        })
    }
}

/// What a shopper bought before, best first.
fn bought_again<'a>(
    setting: &Setting<'a>,
    model: &Model,
    history: &History,
    mut is_looked_at: impl FnMut(u32, u32, f32) -> bool,
) -> Vec<(&'a Arc<Entry>, Learned<'a>)> {
    let parts = model.parts();
    let chance = |bought: &Bought| parts.calibration.again.chance(&again::signals(parts, history, bought));
    let mut again: Vec<(f64, &Bought)> =
        history.bought.iter().map(|bought| (chance(bought), bought)).collect();
    again.sort_unstable_by(|(a, x), (b, y)| b.total_cmp(a).then(x.product.cmp(&y.product)));
    again.truncate(RANKED_MAX);
    again.retain(|(_, bought)| {
        is_looked_at(bought.product, bought.orders, parts.again_lift[bought.product as usize])
    });
    let known = again.into_iter().filter_map(|(chance, bought)| {
        let target = model.entry(bought.product, setting.snapshot.catalog())?;
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

/// Ranks what orders lead to: after a purchase what the shopper's history speaks for, else what is bought beside the
/// anchors.
pub(crate) fn rank(setting: &Setting<'_>) -> Ranking {
    let after = match (setting.query.stage, &setting.query.shopper) {
        (Stage::Delivered, Some(shopper)) => after::rank(setting, setting.snapshot.model(), shopper),
        _ => Vec::new(),
    };
    if after.is_empty() {
        return beside(setting);
    }
    let model = setting.snapshot.model();
    let calibration = model.parts().calibration.after;
    ranking(model, &places(setting), (after, None), calibration, AffinityKind::BoughtAfter)
}

/// Ranks what is bought beside the anchors.
fn beside(setting: &Setting<'_>) -> Ranking {
    let model = setting.snapshot.model();
    let calibrations = &model.parts().calibration;
    let places = places(setting);
    let (ranked, grounds) = match &*places {
        [Some(place)] => (beside_one(setting, model, *place), None),
        places if places.iter().all(Option::is_none) => (cold::rank(setting, model, 0), None),
        places => beside_cart(setting, model, places),
    };
    let calibration = match &*places {
        places if places.iter().all(Option::is_none) => calibrations.cold,
        [_] if matches!(setting.query.stage, Stage::Browse | Stage::Product) => calibrations.single,
        [_] => calibrations.line,
        _ => calibrations.cart,
    };
    ranking(model, &places, (ranked, grounds), calibration, AffinityKind::BoughtWith)
}

/// Where each anchor is in the model, if it was ever sold.
fn places(setting: &Setting<'_>) -> Vec<Option<u32>> {
    setting.anchors.iter().map(|anchor| setting.snapshot.model().place(anchor.entry.own())).collect()
}

/// A ranking with what tells how good it is.
fn ranking(
    model: &Model,
    places: &[Option<u32>],
    (mut ranked, grounds): (Vec<Ranked>, Option<Grounds>),
    calibration: Calibration,
    kind: AffinityKind,
) -> Ranking {
    ranked.truncate(RANKED_MAX);
    let score = |at: usize| ranked.get(at).or(ranked.last()).map_or(0.0, |ranked| ranked.score);
    let lead = ((score(0) + TINY) / (score(9) + TINY)).ln();
    let orders = &model.parts().orders;
    let support: u32 =
        places.iter().flatten().map(|place| orders[*place as usize]).fold(0, u32::saturating_add);
    let anchors = (places.len() as f64).ln();
    let Grounds { strength, share } =
        grounds.unwrap_or(Grounds { strength: (f64::from(support) + 1.0).ln(), share: 0.0 });
    let signals = Signals { strength, share, anchors, lead };
    Ranking { ranked, signals, calibration, kind }
}

fn beside_one(setting: &Setting<'_>, model: &Model, place: u32) -> Vec<Ranked> {
    let parts = model.parts();
    let catalog = setting.snapshot.catalog();
    let witness = Witness::new(model, catalog, setting.anchors[0].entry, Some(place));
    let entries = parts.with.range(place as usize).filter(|at| parts.with_chance[*at] > 0.0);
    let ranked = entries.map(|at| {
        let target = parts.with.target(at);
        let evidence = witness.evidence(model, target);
        Ranked { target, score: parts.with_chance[at].into(), anchor: 0, evidence }
    });
    best_first(ranked.collect())
}

/// What is behind a ranking; see [`Signals`].
struct Grounds {
    strength: f64,
    share: f64,
}

/// What completes a cart, and what is behind it.
fn beside_cart(
    setting: &Setting<'_>,
    model: &Model,
    places: &[Option<u32>],
) -> (Vec<Ranked>, Option<Grounds>) {
    let parts = model.parts();
    // Ascending, since anchors and the places of a model both go by product id.
    let known: Vec<u32> = places.iter().flatten().copied().collect();
    let views = views(model, &known);
    let recent = |target: u32| parts.recent[target as usize];
    let most = |of: &dyn Fn(u32, &View) -> f32| {
        f64::from(views.iter().map(|(target, view)| of(*target, view)).fold(f32::MIN_POSITIVE, f32::max))
    };
    let (pull, near) = (most(&|_, view| view.pull), most(&|_, view| view.near));
    let all_near: f64 = views.iter().map(|(_, view)| f64::from(view.near)).sum();
    let share = if all_near > 0.0 { near / all_near } else { 1.0 };
    let grounds = Grounds { strength: (pull + TINY).ln(), share: (share + TINY).ln() };
    let (bond, chance) = (most(&|_, view| view.bond), most(&|_, view| view.chance));
    let newest = most(&|target, _| recent(target));
    let score = |target: u32, view: &View| {
        PULL * f64::from(view.pull) / pull
            + NEIGHBOURS * f64::from(view.near) / near
            + BOND * f64::from(view.bond) / bond
            + CHANCE * f64::from(view.chance) / chance
            + RECENT * f64::from(recent(target)) / newest
    };
    let mut best: Vec<(u32, f64)> =
        views.iter().map(|(target, view)| (*target, score(*target, view))).collect();
    if best.len() > RANKED_MAX {
        best.select_nth_unstable_by(RANKED_MAX, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(RANKED_MAX);
    }
    let anchors = setting.anchors.iter().zip(places);
    let catalog = setting.snapshot.catalog();
    let witnesses: Vec<Witness> =
        anchors.map(|(anchor, place)| Witness::new(model, catalog, anchor.entry, *place)).collect();
    let ranked = best.into_iter().map(|(target, score)| {
        let (anchor, evidence) = speaker(&witnesses, model, target);
        Ranked { target, score, anchor, evidence }
    });
    (best_first(ranked.collect()), Some(grounds))
}

/// A target as each view of the cart sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct View {
    pull: f32,
    near: f32,
    bond: f32,
    chance: f32,
}

thread_local! {
    /// Room for a view of each product, all 0, kept from cart to cart.
    static VIEWS: RefCell<Sums<View>> = RefCell::default();
}

/// All that a cart of known products leads to, and what is bought most of all, but what is in it.
fn views(model: &Model, known: &[u32]) -> Vec<(u32, View)> {
    let parts = model.parts();
    VIEWS.with_borrow_mut(|views| {
        views.begin(parts.products.len());
        for place in known {
            for at in parts.with.range(*place as usize) {
                let view = views.of(parts.with.target(at));
                view.pull += parts.with_pull[at];
                view.bond += parts.with_bond[at];
                view.chance += parts.with_chance[at];
            }
        }
        // What is bought anyway speaks as one line more would.
        let all = parts.facts.orders.max(1) as f32;
        for target in model.common() {
            views.of(*target).chance += parts.orders[*target as usize] as f32 / all;
        }
        for (order, weight) in neighbours::nearest(parts, known) {
            for product in parts.baskets.of(order as usize) {
                views.of(*product).near += weight;
            }
        }
        views.drain().filter(|(target, _)| known.binary_search(target).is_err()).collect()
    })
}

/// The line of a cart that speaks for a target: the one with the highest lift.
fn speaker(witnesses: &[Witness], model: &Model, target: u32) -> (usize, Evidence) {
    let mut speaker = (0, Evidence::NONE);
    for (anchor, witness) in witnesses.iter().enumerate() {
        let evidence = witness.evidence(model, target);
        if evidence.lift > speaker.1.lift || speaker.1.support == 0 {
            speaker = (anchor, evidence);
        }
    }
    speaker
}

/// By score; of equals the smaller target first.
fn best_first(mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    ranked.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.target.cmp(&b.target)));
    ranked
}
