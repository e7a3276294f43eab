//! Selection: which candidates pass every gate, each on its best route.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use sidecart_catalog::{Entry, Money};

use crate::{
    candidates::{By, Gathered, Pair},
    judge::{Target, judge},
    lead::Lead,
    routes::Routes,
    score,
    setting::Setting,
    stop::Stop,
    trace::Trace,
};

/// A candidate that passed every gate.
pub(crate) struct Candidate<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) price: Money,
    /// The best of the leads on which it passed.
    pub(crate) lead: Lead<'a>,
    /// The job it does on that lead.
    pub(crate) need: &'a str,
    pub(crate) score: f64,
    /// What the order of offers goes by, more first.
    pub(crate) key: f64,
    /// How well it answers what a customer asked, more first; 0: it does not.
    pub(crate) answers: u32,
    /// Where the anchors of its leads are in [`Selection::anchors`].
    pub(crate) anchors: Range<usize>,
}

/// The candidates that passed, by product id.
pub(crate) struct Selection<'a> {
    pub(crate) passed: Vec<Candidate<'a>>,
    /// Places of anchors in the setting, ascending for each candidate; one list for all of them.
    pub(crate) anchors: Vec<usize>,
}

/// Judges every pair. A candidate passes if one of its leads does.
pub(crate) fn select<'a, T: Trace>(
    setting: &Setting<'a>,
    routes: &Routes<'a>,
    gathered: &Gathered<'a>,
    trace: &mut T,
) -> Selection<'a> {
    let mut selection = Selection { passed: Vec::new(), anchors: Vec::new() };
    let lead = |pair: &Pair<'a>| match pair.by {
        By::Route(at) => Lead::Pairing(routes.open[at]),
        By::Learned(at) => Lead::Learned(gathered.learned[at]),
    };
    for same in gathered.pairs.chunk_by(|a, b| a.target.own() == b.target.own()) {
        let target = Target::new(setting, same[0].target);
        match selection.judge(setting, routes, &target, same, lead) {
            Ok(candidate) => selection.passed.push(candidate),
            Err(Stopped { stop, lead }) => {
                let anchor = setting.anchors[lead.anchor()].entry.product().id();
                trace.note(target.entry.product().id(), &stop, lead.rule(), Some(anchor));
            }
        }
    }
    selection
}

/// What stopped a candidate on the lead on which it got furthest; of equals the first.
pub(crate) struct Stopped<'a> {
    pub(crate) stop: Stop<'a>,
    pub(crate) lead: Lead<'a>,
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
        lead: impl Fn(&Pair<'a>) -> Lead<'a>,
    ) -> Result<Candidate<'a>, Stopped<'a>> {
        let first_anchor = self.anchors.len();
        let mut best: Option<(Lead<'a>, f64)> = None;
        let mut furthest: Option<Stopped<'a>> = None;
        for pair in pairs {
            let lead = lead(pair);
            if let Err(stop) = judge(setting, routes, &lead, target, pair.misfit) {
                furthest = Some(Stopped { stop, lead }.or(furthest));
                continue;
            }
            // Routes come by anchor, so that this mostly adds at the end.
            if let Err(at) = self.anchors[first_anchor..].binary_search(&lead.anchor()) {
                self.anchors.insert(first_anchor + at, lead.anchor());
            }
            let scored = (lead, score::score(setting, &lead, target.entry));
            best = Some(match best {
                None => scored,
                Some(best) => joined(best, scored),
            });
        }
        match (best, target.price, furthest) {
            (Some((lead, score)), Some(price), _) => Ok(Candidate {
                entry: target.entry,
                price,
                lead,
                need: lead.need(target.entry.product()),
                score,
                key: score::key(setting, target, score),
                answers: 0,
                anchors: first_anchor..self.anchors.len(),
            }),
            (_, _, Some(stopped)) => Err(stopped),
            // There is at least one pair, and what has no price is stopped.
            _ => Err(Stopped { stop: Stop::NoPrice, lead: lead(&pairs[0]) }),
        }
    }
}

/// The preferred of two leads to one target. What was learned comes after all pairings, and leaves the word to them:
/// it raises the score where orders say more than the relation's prior.
fn joined<'a>(best: (Lead<'a>, f64), next: (Lead<'a>, f64)) -> (Lead<'a>, f64) {
    match (best, next) {
        ((Lead::Pairing(route), score), (Lead::Learned(_), chance)) => {
            (Lead::Pairing(route), score.max(chance))
        }
        (best, next) if preference(&best, &next).is_le() => best,
        (_, next) => next,
    }
}

/// The order in which leads to one target are preferred: the merchant's first position, then the highest score;
/// then the order of rule ids, and of anchors.
fn preference((a, a_score): &(Lead<'_>, f64), (b, b_score): &(Lead<'_>, f64)) -> Ordering {
    let position = |lead: &Lead<'_>| lead.position().unwrap_or(u8::MAX);
    let place = |lead: &Lead<'_>| match lead {
        Lead::Pairing(route) => (route.anchor, Some(route.direction)),
        Lead::Learned(learned) => (learned.anchor, None),
    };
    position(a)
        .cmp(&position(b))
        .then(b_score.total_cmp(a_score))
        .then_with(|| a.rule().cmp(&b.rule()))
        .then(place(a).cmp(&place(b)))
}
