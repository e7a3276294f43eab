//! What is answered.

use std::collections::BTreeMap;

use sidecart::v1 as pb;
use sidecart_catalog::ProductId;
use sidecart_scoring::{
    AffinityKind, Decision, Evidence, Gate, Level, Offer, Reason, Slot, Source, TraceEntry, Verdict,
};

use super::{
    conversation::{Telling, understanding_to_pb},
    enums, money,
};

/// The provenance of what was learned here.
pub(crate) const LEARNED: &str = "learned";

/// What a decision is told by, besides itself.
#[derive(Debug)]
pub struct Label {
    /// Names the answer.
    pub decision_id: String,
    /// The generation it was made from.
    pub generation: u64,
    /// Whether the phrases that spoke are told.
    pub telling: Telling,
}

/// The wire form; `trace` is empty unless it was asked for.
pub fn to_pb(decision: Decision, trace: Vec<TraceEntry>, label: Label) -> pb::RecommendResponse {
    let Decision { verdict, why, offers, unknown, understood } = decision;
    let Label { decision_id, generation, telling } = label;
    let retry_after_turns = understood.as_ref().and_then(|understood| understood.retry_after_turns);
    pb::RecommendResponse {
        decision_id,
        generation,
        verdict: verdict_to_pb(verdict).into(),
        reason: why.code().to_owned(),
        retry_after: None,
        offers: offers.into_iter().map(offer_to_pb).collect(),
        unknown_ids: texts(&unknown),
        trace: trace.into_iter().map(trace_to_pb).collect(),
        retry_after_turns: retry_after_turns.unwrap_or_default(),
        understanding: understood.map(|understood| understanding_to_pb(*understood, telling)),
    }
}

/// The wire form of an offer.
pub fn offer_to_pb(offer: Offer) -> pb::Offer {
    let Offer { target, score, source, relation, need, anchors, evidence, reason, price, safe_to_say } =
        offer;
    pb::Offer {
        product_id: target.product().id().to_string(),
        score,
        source: source_to_pb(source).into(),
        relation: relation.map(|relation| enums::relation::to_pb(relation).into()).unwrap_or_default(),
        need: need.to_string(),
        anchor_ids: texts(&anchors),
        evidence: Some(evidence_to_pb(evidence)),
        reason: Some(reason_to_pb(reason)),
        price: Some(money::to_pb(price)),
        safe_to_say,
    }
}

/// The wire form of a trace entry.
pub fn trace_to_pb(entry: TraceEntry) -> pb::TraceEntry {
    let TraceEntry { product, gate, detail, rule, anchor } = entry;
    pb::TraceEntry {
        product_id: product.to_string(),
        gate: gate_to_pb(gate).into(),
        detail,
        rule_id: rule.map(|rule| rule.as_str().to_owned()).unwrap_or_default(),
        anchor_id: anchor.map(|anchor| anchor.to_string()).unwrap_or_default(),
    }
}

fn source_to_pb(source: Source) -> pb::Source {
    match source {
        Source::Pairing => pb::Source::Pairing,
        Source::Affinity(AffinityKind::BoughtWith) => pb::Source::BoughtWith,
        Source::Affinity(AffinityKind::BoughtAfter) => pb::Source::BoughtAfter,
        Source::Affinity(AffinityKind::BoughtAgain) => pb::Source::BoughtAgain,
    }
}

fn evidence_to_pb(evidence: Evidence) -> pb::Evidence {
    match evidence {
        Evidence::Merchant(rule) => pb::Evidence {
            level: pb::EvidenceLevel::Merchant.into(),
            rule_id: rule.as_str().to_owned(),
            ..pb::Evidence::default()
        },
        Evidence::Orders { level, support, lift, provenance } => pb::Evidence {
            level: level_to_pb(level).into(),
            rule_id: String::new(),
            support: support.into(),
            lift: lift.into(),
            provenance: provenance.map_or_else(|| LEARNED.to_owned(), String::from),
        },
    }
}

fn level_to_pb(level: Level) -> pb::EvidenceLevel {
    match level {
        Level::Product => pb::EvidenceLevel::Product,
        Level::Family => pb::EvidenceLevel::Family,
        Level::Leaf => pb::EvidenceLevel::LeafCategory,
        Level::Parent => pb::EvidenceLevel::ParentCategory,
        Level::Shop => pb::EvidenceLevel::Shop,
    }
}

fn reason_to_pb(reason: Reason) -> pb::Reason {
    let Reason { code, slots, text } = reason;
    let slots: BTreeMap<_, _> =
        slots.into_iter().map(|Slot { name, value }| (name.to_owned(), value)).collect();
    pb::Reason { code: code.to_owned(), slots, text }
}

fn texts(ids: &[ProductId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn verdict_to_pb(verdict: Verdict) -> pb::Verdict {
    match verdict {
        Verdict::Offer => pb::Verdict::Offer,
        Verdict::Hold => pb::Verdict::Hold,
        Verdict::Never => pb::Verdict::Never,
    }
}

fn gate_to_pb(gate: Gate) -> pb::Gate {
    match gate {
        Gate::Passed => pb::Gate::Passed,
        Gate::NoEvidence => pb::Gate::NoEvidence,
        Gate::RuleDisabled => pb::Gate::RuleDisabled,
        Gate::RuleStage => pb::Gate::RuleStage,
        Gate::RuleWindow => pb::Gate::RuleWindow,
        Gate::MinQuantity => pb::Gate::MinQuantity,
        Gate::UnknownProduct => pb::Gate::UnknownProduct,
        Gate::Unsellable => pb::Gate::Unsellable,
        Gate::OutOfStock => pb::Gate::OutOfStock,
        Gate::InCart => pb::Gate::InCart,
        Gate::SameFamily => pb::Gate::SameFamily,
        Gate::Owned => pb::Gate::Owned,
        Gate::Substitute => pb::Gate::Substitute,
        Gate::Blocked => pb::Gate::Blocked,
        Gate::Currency => pb::Gate::Currency,
        Gate::Match => pb::Gate::Match,
        Gate::RelationDisallowed => pb::Gate::RelationDisallowed,
        Gate::NeedMet => pb::Gate::NeedMet,
        Gate::PriceProportion => pb::Gate::PriceProportion,
        Gate::EvidenceFloor => pb::Gate::EvidenceFloor,
        Gate::ScoreFloor => pb::Gate::ScoreFloor,
        Gate::NeedTaken => pb::Gate::NeedTaken,
        Gate::CategoryFull => pb::Gate::CategoryFull,
        Gate::SameCategoryFull => pb::Gate::SameCategoryFull,
        Gate::Trimmed => pb::Gate::Trimmed,
        Gate::NotDistinct => pb::Gate::NotDistinct,
        Gate::Declined => pb::Gate::Declined,
        Gate::Conversation => pb::Gate::Conversation,
        Gate::OffersDisabled => pb::Gate::OffersDisabled,
        Gate::ScanLimit => pb::Gate::ScanLimit,
    }
}
