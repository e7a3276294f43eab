//! Match clauses.

use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use sidecart_rules::{MatchClause, MatchOp};

use super::enums::known;

/// A match clause.
///
/// # Errors
/// A bad attribute name, an operator that is missing or unknown, or a tolerance that does not fit it.
pub fn from_pb(clause: pb::MatchClause) -> Result<MatchClause, Violation> {
    let pb::MatchClause { target_attribute, op, anchor_attribute, tolerance } = clause;
    let op = known::<pb::MatchOp>(op, "a MatchOp").map_err(|fault| fault.within("op"))?;
    if op != pb::MatchOp::Within && tolerance != 0.0 {
        return Err(Violation::new("tolerance", "is set, but the operator is not MATCH_OP_WITHIN"));
    }
    let op = match op {
        pb::MatchOp::Unspecified => return Err(Violation::new("op", "is required")),
        pb::MatchOp::Superset => MatchOp::Superset,
        pb::MatchOp::Subset => MatchOp::Subset,
        pb::MatchOp::Overlaps => MatchOp::Overlaps,
        pb::MatchOp::Equal => MatchOp::Equal,
        pb::MatchOp::AtLeast => MatchOp::AtLeast,
        pb::MatchOp::AtMost => MatchOp::AtMost,
        pb::MatchOp::Within => MatchOp::Within(tolerance),
    };
    MatchClause::new(&target_attribute, op, &anchor_attribute)
}

/// The wire form.
pub fn to_pb(clause: &MatchClause) -> pb::MatchClause {
    let (op, tolerance) = match clause.op() {
        MatchOp::Superset => (pb::MatchOp::Superset, 0.0),
        MatchOp::Subset => (pb::MatchOp::Subset, 0.0),
        MatchOp::Overlaps => (pb::MatchOp::Overlaps, 0.0),
        MatchOp::Equal => (pb::MatchOp::Equal, 0.0),
        MatchOp::AtLeast => (pb::MatchOp::AtLeast, 0.0),
        MatchOp::AtMost => (pb::MatchOp::AtMost, 0.0),
        MatchOp::Within(tolerance) => (pb::MatchOp::Within, tolerance),
    };
    let same_name = clause.anchor_attribute() == clause.target_attribute();
    pb::MatchClause {
        target_attribute: clause.target_attribute().to_owned(),
        op: op.into(),
        anchor_attribute: if same_name { String::new() } else { clause.anchor_attribute().to_owned() },
        tolerance,
    }
}
