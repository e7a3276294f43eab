//! Selection: which candidates pass every gate, each on its best route.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use sidecart_catalog::{Entry, Money};

use crate::{
    candidates::Pair,
    judge::{Target, judge},
    routes::{Route, Routes},
    score,
    setting::Setting,
    stop::Stop,
    trace::Trace,
};

/// A candidate that passed every gate.
pub(crate) struct Candidate<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) price: Money,
    /// The best of the routes on which it passed.
    pub(crate) route: Route<'a>,
    /// The job it does on that route.
    pub(crate) need: &'a str,
    pub(crate) score: f64,
    /// What the order of offers goes by, more first.
    pub(crate) key: f64,
    /// Where the anchors of its routes are in [`Selection::anchors`].
    pub(crate) anchors: Range<usize>,
}

/// The candidates that passed, by product id.
pub(crate) struct Selection<'a> {
    pub(crate) passed: Vec<Candidate<'a>>,
    /// Places of anchors in the setting, ascending for each candidate; one list for all of them.
    pub(crate) anchors: Vec<usize>,
}

/// Judges every pair. A candidate passes if one of its routes does.
pub(crate) fn select<'a, T: Trace>(
    setting: &Setting<'a>,
    routes: &Routes<'a>,
    pairs: &[Pair<'a>],
    trace: &mut T,
) -> Selection<'a> {
    let mut selection = Selection { passed: Vec::new(), anchors: Vec::new() };
    for same in pairs.chunk_by(|a, b| a.target.own() == b.target.own()) {
        let target = Target::new(setting, same[0].target);
        match selection.judge(setting, routes, &target, same) {
            Ok(candidate) => selection.passed.push(candidate),
            Err(Stopped { stop, route }) => {
                let anchor = setting.anchors[route.anchor].entry.product().id();
                trace.note(target.entry.product().id(), &stop, Some(route.rule.id()), Some(anchor));
            }
        }
    }
    selection
}

/// What stopped a candidate on the route on which it got furthest; of equals the first.
pub(crate) struct Stopped<'a> {
    pub(crate) stop: Stop<'a>,
    pub(crate) route: Route<'a>,
}

impl<'a> Stopped<'a> {
    /// The one that got further.
    pub(crate) fn or(self, other: Option<Self>) -> Self {
        other.filter(|other| self.stop.gate() <= other.stop.gate()).unwrap_or(self)
    }
}

impl<'a> Selection<'a> {
    fn judge(
        &mut self,
        setting: &Setting<'a>,
        routes: &Routes<'a>,
        target: &Target<'_, 'a>,
        pairs: &[Pair<'a>],
    ) -> Result<Candidate<'a>, Stopped<'a>> {
        let first_anchor = self.anchors.len();
        let mut best: Option<(Route<'a>, f64)> = None;
        let mut furthest: Option<Stopped<'a>> = None;
        for pair in pairs {
            let route = routes.open[pair.route];
            if let Err(stop) = judge(setting, routes, &route, target, pair.misfit) {
                furthest = Some(Stopped { stop, route }.or(furthest));
                continue;
            }
            if self.anchors[first_anchor..].last() != Some(&route.anchor) {
                self.anchors.push(route.anchor);
            }
            let scored = (route, score::score(setting, &route, target.entry));
            best = Some(best.filter(|best| preference(best, &scored).is_le()).unwrap_or(scored));
        }
        match (best, target.price, furthest) {
            (Some((route, score)), Some(price), _) => Ok(Candidate {
                entry: target.entry,
                price,
                route,
                need: route.need(target.entry.product()),
                score,
                key: score::key(setting, target, score),
                anchors: first_anchor..self.anchors.len(),
            }),
            (_, _, Some(stopped)) => Err(stopped),
            // There is at least one pair, and what has no price is stopped.
            _ => Err(Stopped { stop: Stop::NoPrice, route: routes.open[pairs[0].route] }),
        }
    }
}

/// The order in which routes to one target are preferred: the merchant's first position, then the highest score;
/// then the order of rule ids, and of anchors.
fn preference((a, a_score): &(Route<'_>, f64), (b, b_score): &(Route<'_>, f64)) -> Ordering {
    let position = |route: &Route<'_>| route.pairing.position.unwrap_or(u8::MAX);
    let place = |route: &Route<'_>| (route.anchor, route.direction);
    position(a)
        .cmp(&position(b))
        .then(b_score.total_cmp(a_score))
        .then_with(|| a.rule.id().cmp(b.rule.id()))
        .then(place(a).cmp(&place(b)))
}
