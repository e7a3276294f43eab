//! Lint findings.

use sidecart::v1 as pb;
use sidecart_rules::{Finding, FindingKind};

/// The wire form.
pub fn to_pb(finding: Finding) -> pb::LintFinding {
    let Finding { rule_id, kind, reason, other } = finding;
    pb::LintFinding {
        rule_id: rule_id.as_str().to_owned(),
        kind: kind_to_pb(kind).into(),
        reason,
        other_rule_id: other.map(|rule| rule.as_str().to_owned()).unwrap_or_default(),
    }
}

fn kind_to_pb(kind: FindingKind) -> pb::LintKind {
    match kind {
        FindingKind::UnknownProduct => pb::LintKind::UnknownProduct,
        FindingKind::UnknownCategory => pb::LintKind::UnknownCategory,
        FindingKind::UnknownTerm => pb::LintKind::UnknownTerm,
        FindingKind::Contradiction => pb::LintKind::Contradiction,
        FindingKind::Expired => pb::LintKind::Expired,
        FindingKind::NeverMatches => pb::LintKind::NeverMatches,
        FindingKind::Duplicate => pb::LintKind::Duplicate,
        FindingKind::ShadowedPosition => pb::LintKind::ShadowedPosition,
        FindingKind::Disabled => pb::LintKind::Disabled,
        FindingKind::TooBroad => pb::LintKind::TooBroad,
    }
}
