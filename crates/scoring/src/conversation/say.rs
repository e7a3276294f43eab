//! What is safe to say of an offer: no more than the merchant or the orders say.
//!
//! "Fits" is said where a pairing has a match clause that holds; a pairing without one is told by its relation;
//! what orders taught is told as bought, and never as fitting.

use sidecart_rules::Relation;

use crate::{
    answer::Level,
    lead::{AffinityKind, Lead},
    select::Candidate,
    setting::Setting,
    words::fill,
};

use super::lexicon::{Language, Sayings};

/// The sentence for an offer, in a language.
pub(crate) fn safe_to_say(language: &Language, setting: &Setting<'_>, candidate: &Candidate<'_>) -> String {
    let anchor = setting.anchors[candidate.lead.anchor()].entry.product().title();
    fill(saying(&language.say, &candidate.lead), candidate.entry.product().title(), anchor)
}

fn saying<'s>(say: &'s Sayings, lead: &Lead<'_>) -> &'s str {
    match lead {
        Lead::Pairing(route) => match route.pairing.relation {
            Relation::Service => &say.service,
            Relation::Refill => &say.refill,
            Relation::Consumable => &say.consumable,
            // What makes a set with something need not go into it.
            Relation::BundlePart => &say.bundle_part,
            _ if !route.clauses().is_empty() => &say.fits,
            Relation::RequiredAccessory => &say.required,
            Relation::Accessory => &say.accessory,
            Relation::Protection => &say.protection,
        },
        Lead::Learned(learned) => match (learned.kind, learned.level) {
            (AffinityKind::BoughtWith, Level::Product) => &say.bought_with,
            (AffinityKind::BoughtWith, _) => &say.bought_alike,
            (AffinityKind::BoughtAfter, _) => &say.bought_after,
            (AffinityKind::BoughtAgain, _) => &say.bought_again,
        },
    }
}
