//! What may, must and must not be offered: pairings, blocks and boosts, match clauses, policy and lint.
//!
//! Knows no wire type, no runtime, no store and no clock; every value here is valid by construction.

mod bucket;
mod check;
mod context;
mod index;
mod lint;
mod matching;
mod policy;
mod rule;
mod rule_set;
mod selector;
mod sentence;
#[cfg(test)]
mod testing;

pub use context::{Stage, Stages, Surface, Surfaces};
pub use lint::{FINDINGS_MAX, Finding, FindingKind, lint};
pub use matching::{MatchClause, MatchOp, Mismatch};
pub use policy::{
    FollowUpKind, FollowUpKinds, FollowUpTerms, FollowUpTimes, Limits, Objective, Override, Phrases,
    Policies, Policy, PolicyName,
};
pub use rule::{Boost, Pairing, Relation, Relations, Rule, RuleId, RuleParts, Says, Window};
pub use rule_set::{Direction, Pointer, RuleSet, SCAN_MAX};
pub use selector::Selector;
pub use sentence::{Sentence, Slots};
