//! Lint: what looks wrong in a rule set, beside the catalog it is about.
//!
//! Every look is bounded, so that the whole stays near-linear in the number of rules.
//! Where a bound is reached, the benefit of the doubt goes to the rule.

mod conflicts;
mod reach;
mod twins;

use sidecart_catalog::{Catalog, Timestamp};

use crate::{
    rule::{Rule, RuleId},
    rule_set::RuleSet,
};
use conflicts::Conflicts;
use twins::Twins;

/// Most findings in one answer.
pub const FINDINGS_MAX: usize = 10_000;

/// Kinds of findings, as in the proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A selector names a product that the catalog does not have.
    UnknownProduct,
    /// A selector names a category that no product is in.
    UnknownCategory,
    /// A selector names a family, tag or attribute value that no product has.
    UnknownTerm,
    /// A pairing whose targets a block forbids beside its anchors.
    Contradiction,
    /// Every window has passed.
    Expired,
    /// A selector selects nothing, or no product has what a match clause needs.
    NeverMatches,
    /// Another rule says the same.
    Duplicate,
    /// A position that an earlier rule for the same anchors has taken.
    ShadowedPosition,
    /// Switched off.
    Disabled,
    /// A pairing that leads to more products than are looked at.
    TooBroad,
}

/// What looks wrong with one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule_id: RuleId,
    /// What kind of fault.
    pub kind: FindingKind,
    /// In words, naming the thing.
    pub reason: String,
    /// The other rule of a contradiction, a duplicate or a shadow.
    pub other: Option<RuleId>,
}

/// A finding on a rule that is known from the place.
struct Fault {
    kind: FindingKind,
    reason: String,
    other: Option<RuleId>,
}

impl Fault {
    /// A fault of the rule alone.
    fn alone(kind: FindingKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), other: None }
    }

    /// A fault of the rule beside another.
    fn beside(kind: FindingKind, other: &RuleId, reason: String) -> Self {
        Self { kind, reason, other: Some(other.clone()) }
    }
}

/// Findings by rule id then kind, at most [`FINDINGS_MAX`], and whether there were more.
pub fn lint(rules: &RuleSet, catalog: &Catalog, at: Timestamp) -> (Vec<Finding>, bool) {
    let mut lint = Lint { catalog, at, conflicts: Conflicts::new(rules, catalog), twins: Twins::default() };
    let mut findings = Vec::new();
    for rule in rules.list(None) {
        let found = lint.faults(rule).into_iter();
        findings.extend(found.map(|Fault { kind, reason, other }| Finding {
            rule_id: rule.id().clone(),
            kind,
            reason,
            other,
        }));
        if findings.len() > FINDINGS_MAX {
            findings.truncate(FINDINGS_MAX);
            return (findings, true);
        }
    }
    (findings, false)
}

/// A look at rules, one after the other by id.
struct Lint<'a> {
    catalog: &'a Catalog,
    at: Timestamp,
    conflicts: Conflicts<'a>,
    twins: Twins<'a>,
}

impl<'a> Lint<'a> {
    /// What is wrong with the next rule, by kind.
    fn faults(&mut self, rule: &'a Rule) -> Vec<Fault> {
        let mut faults = reach::unknown(rule, self.catalog);
        faults.extend(self.conflicts.contradiction(rule));
        faults.extend(expired(rule, self.at));
        faults.extend(reach::never_matches(rule, self.catalog));
        faults.extend(self.twins.duplicate(rule));
        faults.extend(self.twins.shadowed_position(rule));
        if rule.parts().disabled {
            faults.push(Fault::alone(FindingKind::Disabled, "is switched off"));
        }
        faults.extend(reach::too_broad(rule, self.catalog));
        faults
    }
}

fn expired(rule: &Rule, at: Timestamp) -> Option<Fault> {
    let windows = &rule.parts().windows;
    let has_passed =
        !windows.is_empty() && windows.iter().all(|window| window.until().is_some_and(|until| until <= at));
    let reason = if windows.len() == 1 { "its window has passed" } else { "all of its windows have passed" };
    has_passed.then(|| Fault::alone(FindingKind::Expired, reason))
}

#[cfg(test)]
mod tests;
