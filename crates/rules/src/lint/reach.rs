//! What a rule can reach in the catalog: terms that nothing answers to, selectors and clauses that nothing meets.

use std::sync::Arc;

use sidecart_catalog::{Catalog, Entry, Postings, Term};

use super::{Fault, FindingKind};
use crate::{
    matching::MatchOp,
    rule::Rule,
    rule_set::{Direction, SCAN_MAX},
    selector::Selector,
};

/// Most products looked at for one selector.
const LOOKED_AT_MAX: usize = 1_000;

/// Terms that no product answers to: one fault for each kind.
pub(super) fn unknown(rule: &Rule, catalog: &Catalog) -> Vec<Fault> {
    let mut unknown: Vec<(FindingKind, &str, &Term)> = Vec::new();
    for (side, selector) in sides(rule) {
        let terms = selector.any_of().iter().chain(selector.all_of()).chain(selector.none_of());
        unknown.extend(terms.filter(|term| !catalog.knows(term)).map(|term| (kind_of(term), side, term)));
    }
    unknown.sort_by_key(|(kind, _, _)| *kind);
    unknown
        .chunk_by(|a, b| a.0 == b.0)
        .map(|same| {
            let (kind, side, first) = same[0];
            let fault = match kind {
                FindingKind::UnknownProduct => "which the catalog does not have",
                FindingKind::UnknownCategory => "which no product is in",
                _ => "which no product answers to",
            };
            let more = if same.len() > 1 { format!(", and {} more", same.len() - 1) } else { String::new() };
            Fault::alone(kind, format!("{side} names {first}, {fault}{more}"))
        })
        .collect()
}

/// A selector that selects no product, or a clause that needs what no selected product has.
pub(super) fn never_matches(rule: &Rule, catalog: &Catalog) -> Option<Fault> {
    for (side, selector) in sides(rule) {
        if !Look::at(selector, catalog).finds(|_| true) {
            return Some(Fault::alone(FindingKind::NeverMatches, format!("{side} selects no product")));
        }
    }
    let parts = rule.parts();
    for clause in &parts.matches {
        let has_target =
            Look::at(&parts.target, catalog).finds(|entry| clause.can_hold_for_target(entry.product()));
        if !has_target {
            return Some(lacking("target", clause.target_attribute()));
        }
        let anchors = parts.anchor.as_ref().map(|anchors| Look::at(anchors, catalog));
        if anchors.is_some_and(|anchors| !anchors.finds(|entry| clause.can_hold_for_anchor(entry.product())))
        {
            return Some(lacking("anchor", clause.anchor_attribute()));
        }
    }
    None
}

/// A pairing that leads to more products than answers look at, and has no clause on text values that could narrow it.
pub(super) fn too_broad(rule: &Rule, catalog: &Catalog) -> Option<Fault> {
    let mutual = rule.pairing()?.mutual.then_some(Direction::Reverse);
    let mut directions = [Direction::Forward].into_iter().chain(mutual);
    let narrows = |op: MatchOp| !matches!(op, MatchOp::AtLeast | MatchOp::AtMost | MatchOp::Within(_));
    let count = directions.find_map(|direction| {
        let is_narrowed = rule.matches(direction).iter().any(|clause| narrows(clause.op()));
        let count = longest_list(rule.selectors(direction).1, catalog);
        (count > SCAN_MAX && !is_narrowed).then_some(count)
    })?;
    let reason = format!(
        "leads to {count} products under one term, of which the first {SCAN_MAX} by id are looked at"
    );
    Some(Fault::alone(FindingKind::TooBroad, reason))
}

/// The most products under one term, in the lists in which all that a selector selects is found with the least effort.
fn longest_list(selector: &Selector, catalog: &Catalog) -> usize {
    let count = |term: &Term| catalog.postings(term.id()).map_or(0, Postings::len);
    let any_of = selector.any_of().iter().map(count).max();
    any_of.into_iter().chain(selector.all_of().iter().map(count)).min().unwrap_or(0)
}

/// The first products that a selector selects, at most `max`, found among a bounded number.
pub(super) fn sample<'a>(selector: &'a Selector, catalog: &'a Catalog, max: usize) -> Vec<&'a Arc<Entry>> {
    let looked_at = candidates(selector, catalog).take(LOOKED_AT_MAX);
    looked_at.filter(|entry| selector.selects(entry)).take(max).collect()
}

/// A bounded look at the products that a selector may select.
struct Look<'a> {
    selector: &'a Selector,
    catalog: &'a Catalog,
}

impl<'a> Look<'a> {
    fn at(selector: &'a Selector, catalog: &'a Catalog) -> Self {
        Self { selector, catalog }
    }

    /// Whether a selected product is as wanted, or more would have to be looked at than the bound allows.
    fn finds(&self, wanted: impl Fn(&Entry) -> bool) -> bool {
        let mut candidates = candidates(self.selector, self.catalog);
        let mut looked_at = candidates.by_ref().take(LOOKED_AT_MAX);
        looked_at.any(|entry| self.selector.selects(entry) && wanted(entry)) || candidates.next().is_some()
    }
}

/// The products found under a selector's terms: every one that it selects, and possibly others and repeats.
fn candidates<'a>(selector: &'a Selector, catalog: &'a Catalog) -> impl Iterator<Item = &'a Arc<Entry>> {
    let count = |term: &&Term| catalog.postings(term.id()).map_or(0, Postings::len);
    let rarest = if selector.any_of().is_empty() { selector.all_of().iter().min_by_key(count) } else { None };
    selector.any_of().iter().chain(rarest).flat_map(|term| {
        let posted = catalog.postings(term.id()).into_iter().flat_map(Postings::iter);
        catalog.head(term).into_iter().chain(posted).filter_map(|index| catalog.entry(index))
    })
}

fn sides(rule: &Rule) -> impl Iterator<Item = (&'static str, &Selector)> {
    let parts = rule.parts();
    let anchor = parts.anchor.as_ref().map(|anchor| ("anchor", anchor));
    anchor.into_iter().chain([("target", &parts.target)])
}

fn kind_of(term: &Term) -> FindingKind {
    match term {
        Term::Product(_) => FindingKind::UnknownProduct,
        Term::Category(_) => FindingKind::UnknownCategory,
        Term::Family(_) | Term::Tag(_) | Term::Attribute { .. } => FindingKind::UnknownTerm,
    }
}

fn lacking(side: &str, attribute: &str) -> Fault {
    Fault::alone(
        FindingKind::NeverMatches,
        format!("no {side} has the `{attribute}` that its match clause compares"),
    )
}
