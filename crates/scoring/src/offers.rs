//! Offers: what is shown of a candidate, with its reason. Only here are strings made.

use std::sync::Arc;

use sidecart_rules::{Slots, Stage};

use crate::{
    answer::{Evidence, Offer, Reason, Slot, Source},
    conversation::safe_to_say,
    lead::{Lead, Learned},
    select::{Candidate, Selection},
    setting::{Anchor, Setting},
    words::{Moment, Tie, learned_words, words},
};

/// The offer that a candidate becomes.
pub(crate) fn offer(setting: &Setting<'_>, selection: &Selection<'_>, candidate: &Candidate<'_>) -> Offer {
    let own_need = match &candidate.lead {
        Lead::Pairing(route) => route.pairing.need.clone(),
        Lead::Learned(_) => None,
    };
    let anchors = selection.anchors[candidate.anchors.clone()].iter();
    Offer {
        target: Arc::clone(candidate.entry),
        score: candidate.score,
        source: source(&candidate.lead),
        relation: candidate.lead.relation(),
        need: own_need.unwrap_or_else(|| candidate.need.into()),
        anchors: anchors.map(|at| setting.anchors[*at].entry.product().id().clone()).collect(),
        evidence: evidence(&candidate.lead),
        reason: reason(setting, candidate),
        price: candidate.price,
        safe_to_say: setting
            .chat
            .map_or_else(String::new, |(_, language)| safe_to_say(language, setting, candidate)),
    }
}

fn source(lead: &Lead<'_>) -> Source {
    match lead {
        Lead::Pairing(_) => Source::Pairing,
        Lead::Learned(learned) => Source::Affinity(learned.kind),
    }
}

fn evidence(lead: &Lead<'_>) -> Evidence {
    match lead {
        Lead::Pairing(route) => Evidence::Merchant(route.rule.id().clone()),
        Lead::Learned(Learned { level, support, lift, provenance, .. }) => Evidence::Orders {
            level: *level,
            support: *support,
            lift: *lift,
            provenance: provenance.map(Into::into),
        },
    }
}

/// Why, in the merchant's own sentence if there is one that fits these slots, else in a ready one.
fn reason(setting: &Setting<'_>, candidate: &Candidate<'_>) -> Reason {
    let anchor = &setting.anchors[candidate.lead.anchor()];
    let (target, beside) = (candidate.entry.product().title(), anchor.entry.product().title());
    let price = candidate.price.to_string();
    let moment = moment(setting, anchor);
    let slots = Slots { target, anchor: beside, need: candidate.need, price: &price };
    let (words, own) = match &candidate.lead {
        Lead::Pairing(route) => {
            let sentence = route.pairing.sentence.as_ref();
            (words(route.pairing.relation, moment), sentence.and_then(|sentence| sentence.render(&slots)))
        }
        Lead::Learned(learned) => (learned_words(Tie::of(learned.kind, learned.level), moment), None),
    };
    let text = own.unwrap_or_else(|| words.fill(target, beside));
    let slot = |name, value: &str| Slot { name, value: value.to_owned() };
    let slots = vec![
        slot("target", target),
        slot("anchor", beside),
        slot("need", candidate.need),
        Slot { name: "price", value: price },
    ];
    Reason { code: words.code, slots, text }
}

/// "Before it arrives" is said only of what is known to arrive later.
fn moment(setting: &Setting<'_>, anchor: &Anchor<'_>) -> Moment {
    let query = setting.query;
    let delivery = query.order.as_ref().and_then(|order| order.expected_delivery);
    let is_ahead = anchor.is_ordered && delivery.is_some_and(|delivery| delivery > query.at);
    if query.stage == Stage::OrderPlaced && is_ahead {
        return Moment::BeforeArrival;
    }
    Moment::Stage(query.stage)
}
