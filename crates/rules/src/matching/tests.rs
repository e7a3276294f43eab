//! Truth tables of the operators, and what is said when a clause does not hold.

use proptest::prelude::*;

use super::*;
use crate::testing::{clause, product};

type Side = (&'static [&'static str], &'static [f64]);

const OPS: [MatchOp; 7] = [
    MatchOp::Superset,
    MatchOp::Subset,
    MatchOp::Overlaps,
    MatchOp::Equal,
    MatchOp::AtLeast,
    MatchOp::AtMost,
    MatchOp::Within(1.5),
];

/// Target, anchor, and whether each of [`OPS`] holds.
const TABLE: &[(Side, Side, [bool; 7])] = &[
    ((&["E"], &[]), (&["E"], &[]), [true, true, true, true, false, false, false]),
    ((&["E", "X"], &[]), (&["E"], &[]), [true, false, true, false, false, false, false]),
    ((&["E"], &[]), (&["E", "X"], &[]), [false, true, true, false, false, false, false]),
    ((&["E", "X"], &[]), (&["E", "Z"], &[]), [false, false, true, false, false, false, false]),
    ((&["E"], &[]), (&["X"], &[]), [false; 7]),
    ((&[], &[2.0]), (&[], &[2.0]), [false, false, false, true, true, true, true]),
    ((&[], &[3.0, 4.0]), (&[], &[1.0, 3.0]), [false, false, false, false, true, false, true]),
    ((&[], &[2.9, 4.0]), (&[], &[1.0, 3.0]), [false, false, false, false, false, false, true]),
    ((&[], &[1.0, 2.0]), (&[], &[2.0, 9.0]), [false, false, false, false, false, true, true]),
    ((&[], &[1.0, 2.1]), (&[], &[2.0, 9.0]), [false, false, false, false, false, false, true]),
    ((&[], &[5.0]), (&[], &[3.5]), [false, false, false, false, true, false, true]),
    ((&[], &[5.0]), (&[], &[3.4]), [false, false, false, false, true, false, false]),
    ((&["E"], &[1.0]), (&["E"], &[1.0]), [true; 7]),
    ((&["E"], &[1.0]), (&["E"], &[2.0]), [true, true, true, false, false, true, true]),
    ((&["E"], &[]), (&[], &[1.0]), [false; 7]),
    ((&[], &[]), (&["E"], &[1.0]), [false; 7]),
    ((&["E"], &[1.0]), (&[], &[]), [false; 7]),
    ((&[], &[]), (&[], &[]), [false; 7]),
];

fn with(text: &[&str], numbers: &[f64]) -> Product {
    let has_values = !text.is_empty() || !numbers.is_empty();
    let facts: &[_] = if has_values { &[("mount", text, numbers)] } else { &[] };
    product("p", "P", &[], facts)
}

#[test]
fn operators_hold_as_documented() {
    for (target, anchor, holds) in TABLE {
        for (op, expected) in OPS.iter().zip(holds) {
            let held = clause("mount", *op).holds(&with(target.0, target.1), &with(anchor.0, anchor.1));
            assert_eq!(held, *expected, "{target:?} {op:?} {anchor:?}");
        }
    }
}

#[test]
fn a_mismatch_is_told_with_its_values_exactly_when_there_is_one() {
    for (target, anchor, _) in TABLE {
        for op in OPS {
            let (clause, target, anchor) =
                (clause("mount", op), with(target.0, target.1), with(anchor.0, anchor.1));
            assert_eq!(clause.mismatch(&target, &anchor).is_none(), clause.holds(&target, &anchor));
        }
    }
}

#[test]
fn a_mismatch_names_sides_and_values() {
    for (op, target, anchor, told) in [
        (
            MatchOp::Superset,
            (&["E"][..], &[][..]),
            (&["X"][..], &[][..]),
            "target mount [E] does not contain anchor mount [X]",
        ),
        (
            MatchOp::Subset,
            (&["E", "F"], &[]),
            (&["F"], &[]),
            "target mount [E, F] is not within anchor mount [F]",
        ),
        (
            MatchOp::Overlaps,
            (&["E"], &[2.0]),
            (&["X"], &[]),
            "target mount [E] shares nothing with anchor mount [X]",
        ),
        (
            MatchOp::Equal,
            (&["E"], &[2.0]),
            (&["E"], &[]),
            "target mount [E, 2] is not the same as anchor mount [E]",
        ),
        (
            MatchOp::AtLeast,
            (&["E"], &[2.0]),
            (&[], &[2.5]),
            "target mount [2] is not at least anchor mount [2.5]",
        ),
        (MatchOp::AtMost, (&[], &[2.0]), (&[], &[1.0]), "target mount [2] is not at most anchor mount [1]"),
        (
            MatchOp::Within(0.5),
            (&[], &[2.0]),
            (&[], &[1.0]),
            "target mount [2] is not within 0.5 of anchor mount [1]",
        ),
        (MatchOp::Superset, (&["E"], &[]), (&[], &[]), "anchor has no `mount`"),
        (MatchOp::Superset, (&[], &[]), (&["E"], &[]), "target has no `mount`"),
        (MatchOp::Superset, (&[], &[1.0]), (&["E"], &[]), "target has no text value of `mount`"),
        (MatchOp::AtLeast, (&[], &[1.0]), (&["E"], &[]), "anchor has no number of `mount`"),
        (
            MatchOp::Superset,
            (&["a", "b", "c", "d", "e", "f", "g", "h", "i"], &[]),
            (&["z"], &[]),
            "target mount [a, b, c, d, e, f, g, h, …] does not contain anchor mount [z]",
        ),
    ] {
        let mismatch = clause("mount", op).mismatch(&with(target.0, target.1), &with(anchor.0, anchor.1));
        assert_eq!(mismatch, Some(Mismatch(told.into())));
    }
}

#[test]
fn sides_may_use_different_attributes() {
    let clause = MatchClause::new("fits", MatchOp::Superset, "mount").unwrap();
    let target = product("t", "T", &[], &[("fits", &["E", "X"], &[])]);
    let anchor = product("a", "A", &[], &[("mount", &["E"], &[])]);
    assert!(clause.holds(&target, &anchor));
    assert!(!clause.holds(&anchor, &target));
    assert!(clause.mirrored().holds(&anchor, &target));
}

#[test]
fn bad_clauses_are_refused_with_their_field() {
    let long = "n".repeat(65);
    for (target, op, anchor, field) in [
        ("mount", MatchOp::Equal, "", None),
        ("mount", MatchOp::Within(0.0), "slot", None),
        ("", MatchOp::Equal, "mount", Some("target_attribute")),
        (&*long, MatchOp::Equal, "", Some("target_attribute")),
        ("mount", MatchOp::Equal, "a\u{7}", Some("anchor_attribute")),
        ("mount", MatchOp::Equal, &*long, Some("anchor_attribute")),
        ("mount", MatchOp::Within(-0.1), "", Some("tolerance")),
        ("mount", MatchOp::Within(f64::NAN), "", Some("tolerance")),
        ("mount", MatchOp::Within(f64::INFINITY), "", Some("tolerance")),
    ] {
        let refused = MatchClause::new(target, op, anchor).err().map(|fault| fault.field);
        assert_eq!(refused.as_deref(), field, "{target} {op:?} {anchor}");
    }
}

fn side() -> impl Strategy<Value = (Vec<&'static str>, Vec<f64>)> {
    let text = prop::sample::subsequence(vec!["E", "F", "X"], 0..=3);
    (text, prop::collection::vec((0_i8..6).prop_map(f64::from), 0..3))
}

proptest! {
    #[test]
    fn a_mirrored_clause_says_the_same_from_the_other_side(
        op in prop::sample::select(OPS.to_vec()),
        target in side(),
        anchor in side(),
    ) {
        let clause = clause("mount", op);
        let (target, anchor) = (with(&target.0, &target.1), with(&anchor.0, &anchor.1));
        prop_assert_eq!(clause.holds(&target, &anchor), clause.mirrored().holds(&anchor, &target));
        prop_assert_eq!(clause.mirrored().mirrored(), clause);
    }
}
