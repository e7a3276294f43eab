//! Arrangement: positions first, then the rest by score; caps on needs and categories; and the trim.
//!
//! It never looks at how many offers the caller wants until the end, so the first k of k + 1 are the first k.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    lead::{Lead, Learned},
    select::Candidate,
    setting::Setting,
    stop::Stop,
    trace::Trace,
};

type Picked<'c, 'a> = Vec<&'c Candidate<'a>>;

/// The candidates that are offered, in their final order.
pub(crate) fn arrange<'c, 'a, T: Trace>(
    setting: &Setting<'a>,
    passed: &'c [Candidate<'a>],
    trace: &mut T,
) -> Picked<'c, 'a> {
    let eligible = eligible(setting, passed, trace);
    // In a conversation what answers the question comes first, before what the merchant gave a place.
    let is_answered = eligible.iter().any(|candidate| candidate.answers > 0);
    let (mut pins, mut rest): (Picked<'_, '_>, Picked<'_, '_>) =
        eligible.into_iter().partition(|candidate| candidate.lead.position().is_some() && !is_answered);
    pins.sort_by(|a, b| by_position(a, b));
    rest.sort_by(|a, b| by_key(a, b));
    let mut room = Room { setting, taken_by: Vec::new() };
    let offers_max = setting.limits.offers_max as usize;
    // Pins take their room before the rest, whatever their score; but a place that the answer does not have
    // is after all others, and takes no room from what is shown.
    let beyond = pins.split_off(pins.partition_point(|pin| position(pin) <= offers_max));
    let pins = room.fill(&pins, pins.len(), trace);
    let rest = room.fill(&rest, offers_max, trace);
    let mut list = merged(slots(&pins), &rest);
    list.extend(room.fill(&beyond, offers_max.saturating_sub(list.len()), trace));
    let shown = setting.query.results_max.map_or(offers_max, |wanted| offers_max.min(wanted as usize));
    for candidate in list.iter().skip(shown) {
        note(setting, candidate, &Stop::Trimmed { max: shown }, trace);
    }
    list.truncate(shown);
    for (at, candidate) in list.iter().enumerate() {
        note(setting, candidate, &Stop::Passed { place: at + 1, score: candidate.score }, trace);
    }
    list
}

/// Those that may be shown at all. The merchant's own positions are above the floor by definition.
fn eligible<'c, 'a, T: Trace>(
    setting: &Setting<'a>,
    passed: &'c [Candidate<'a>],
    trace: &mut T,
) -> Picked<'c, 'a> {
    let min = setting.limits.score_min;
    let stop = |candidate: &Candidate<'a>| {
        if let Lead::Learned(learned) = candidate.lead
            && !learned.is_vouched_for()
            && learned.lift < setting.limits.lift_min as f32
        {
            let Learned { lift, support, .. } = learned;
            return Some(Stop::EvidenceFloor { lift, support, min: setting.limits.lift_min });
        }
        if candidate.score < min && candidate.lead.position().is_none() {
            return Some(Stop::ScoreFloor { score: candidate.score, min });
        }
        if setting.is_taken(candidate.entry.product().id()) {
            return Some(Stop::NotDistinct);
        }
        (setting.limits.offers_max == 0).then_some(Stop::OffersDisabled)
    };
    let mut eligible = Vec::with_capacity(passed.len());
    for candidate in passed {
        match stop(candidate) {
            Some(stop) => note(setting, candidate, &stop, trace),
            None => eligible.push(candidate),
        }
    }
    eligible
}

/// Room for needs and categories, and who has taken it.
struct Room<'s, 'c, 'a> {
    setting: &'s Setting<'a>,
    taken_by: Picked<'c, 'a>,
}

impl<'c, 'a> Room<'_, 'c, 'a> {
    /// Takes room for each candidate in turn, for at most `max` of them, and answers those that got it.
    fn fill<T: Trace>(
        &mut self,
        candidates: &[&'c Candidate<'a>],
        max: usize,
        trace: &mut T,
    ) -> Picked<'c, 'a> {
        let mut filled = Vec::new();
        for candidate in candidates {
            if filled.len() >= max {
                // Nothing is shown beyond the policy's maximum; only a trace still asks why.
                if trace.wants(candidate.entry.product().id()) {
                    let max = self.setting.limits.offers_max as usize;
                    let stop = self.refusal(candidate).unwrap_or(Stop::Trimmed { max });
                    note(self.setting, candidate, &stop, trace);
                }
                continue;
            }
            if let Some(stop) = self.refusal(candidate) {
                note(self.setting, candidate, &stop, trace);
                continue;
            }
            self.taken_by.push(candidate);
            filled.push(*candidate);
        }
        filled
    }

    /// Why there is no room left for a candidate.
    fn refusal(&self, candidate: &Candidate<'a>) -> Option<Stop<'a>> {
        self.need_taken(candidate).or_else(|| self.category_full(candidate))
    }

    fn need_taken(&self, candidate: &Candidate<'a>) -> Option<Stop<'a>> {
        let max = self.setting.limits.per_need_max?;
        let mut takers = self.taken_by.iter().filter(|other| other.need == candidate.need);
        let by = takers.next()?.entry.product().id();
        (takers.count() + 1 >= max as usize).then_some(Stop::NeedTaken { need: candidate.need, by, max })
    }

    fn category_full(&self, candidate: &Candidate<'a>) -> Option<Stop<'a>> {
        let (leaf, category) = (candidate.entry.leaf()?, candidate.entry.product().category()?);
        let limits = &self.setting.limits;
        let count =
            |same: &dyn Fn(&Candidate<'a>) -> bool| self.taken_by.iter().filter(|other| same(other)).count();
        if let Some(max) = limits.per_category_max
            && count(&|other| other.entry.leaf() == Some(leaf)) >= max as usize
        {
            return Some(Stop::CategoryFull { category, max });
        }
        let is_anchors = |candidate: &Candidate<'a>| {
            candidate.entry.leaf().is_some_and(|leaf| self.setting.of_leaf(leaf).is_some())
        };
        if let Some(max) = limits.same_category_max
            && is_anchors(candidate)
            && count(&is_anchors) >= max as usize
        {
            return Some(Stop::SameCategoryFull { category, max });
        }
        None
    }
}

/// The place of each pin, from 1. Of several for one place the first keeps it,
/// and the others take the next places that no pin has.
fn slots<'c, 'a>(pins: &[&'c Candidate<'a>]) -> BTreeMap<usize, &'c Candidate<'a>> {
    let mut slots = BTreeMap::new();
    let mut late = Vec::new();
    for pin in pins {
        let slot = position(pin);
        if slots.contains_key(&slot) {
            late.push((slot, *pin));
            continue;
        }
        slots.insert(slot, *pin);
    }
    for (mut slot, pin) in late {
        while slots.contains_key(&slot) {
            slot += 1;
        }
        slots.insert(slot, pin);
    }
    slots
}

/// Pins in their places and the rest around them; pins beyond the end follow in order.
fn merged<'c, 'a>(slots: BTreeMap<usize, &'c Candidate<'a>>, rest: &[&'c Candidate<'a>]) -> Picked<'c, 'a> {
    let mut list = Vec::with_capacity(slots.len() + rest.len());
    let mut pins = slots.into_iter().peekable();
    for candidate in rest {
        while let Some((_, pin)) = pins.next_if(|(slot, _)| *slot == list.len() + 1) {
            list.push(pin);
        }
        list.push(candidate);
    }
    list.extend(pins.map(|(_, pin)| pin));
    list
}

/// Where the merchant wants it, from 1; without a wish after all that have one.
fn position(candidate: &Candidate<'_>) -> usize {
    candidate.lead.position().map_or(usize::MAX, usize::from)
}

fn by_position(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    position(a).cmp(&position(b)).then_with(|| a.lead.rule().cmp(&b.lead.rule())).then_with(|| by_key(a, b))
}

fn by_key(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    b.answers
        .cmp(&a.answers)
        .then(b.key.total_cmp(&a.key))
        .then_with(|| a.entry.product().id().cmp(b.entry.product().id()))
}

fn note<'a, T: Trace>(setting: &Setting<'a>, candidate: &Candidate<'a>, stop: &Stop<'_>, trace: &mut T) {
    let anchor = setting.anchors[candidate.lead.anchor()].entry.product().id();
    trace.note(candidate.entry.product().id(), stop, candidate.lead.rule(), Some(anchor));
}
