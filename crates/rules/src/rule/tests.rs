//! What is refused, and how a rule is read.

use super::*;
use crate::{
    matching::MatchOp,
    rule_set::Direction::{Forward, Reverse},
    testing::{any, block, catalog, category, clause, pairing, pairing_with, product, rule, sku, tag},
};

/// A change to a valid pairing, and the field that is refused then, or none.
type Case = (&'static str, fn(&mut RuleParts), Option<&'static str>);

const fn ms(ms: i64) -> Option<Timestamp> {
    Some(Timestamp::from_ms(ms))
}

fn says(parts: &mut RuleParts, change: impl FnOnce(&mut Pairing)) {
    *parts = pairing_with(parts.clone(), change);
}

fn same_product(parts: &mut RuleParts) {
    parts.anchor = Some(any([sku("a")]));
    parts.target = Selector::new(vec![tag("new")], vec![sku("a")], vec![]).unwrap();
}

const CASES: &[Case] = &[
    ("plain", |_| {}, None),
    ("no anchor", |parts| parts.anchor = None, Some("anchor")),
    ("empty need", |parts| says(parts, |own| own.need = Some("".into())), Some("pairing.need")),
    ("longest need", |parts| says(parts, |own| own.need = Some("n".repeat(64).into())), None),
    ("long need", |parts| says(parts, |own| own.need = Some("n".repeat(65).into())), Some("pairing.need")),
    ("control in need", |parts| says(parts, |own| own.need = Some("a\nb".into())), Some("pairing.need")),
    ("position 0", |parts| says(parts, |own| own.position = Some(0)), Some("pairing.position")),
    ("position 20", |parts| says(parts, |own| own.position = Some(20)), None),
    ("position 21", |parts| says(parts, |own| own.position = Some(21)), Some("pairing.position")),
    (
        "no quantity",
        |parts| says(parts, |own| own.min_anchor_quantity = 0),
        Some("pairing.min_anchor_quantity"),
    ),
    ("most quantity", |parts| says(parts, |own| own.min_anchor_quantity = 1_000_000), None),
    (
        "above most quantity",
        |parts| says(parts, |own| own.min_anchor_quantity = 1_000_001),
        Some("pairing.min_anchor_quantity"),
    ),
    (
        "mutual with position",
        |parts| {
            says(parts, |own| {
                own.mutual = true;
                own.position = Some(1);
            });
        },
        None,
    ),
    ("8 clauses", |parts| parts.matches = vec![clause("mount", MatchOp::Equal); 8], None),
    ("9 clauses", |parts| parts.matches = vec![clause("mount", MatchOp::Equal); 9], Some("match")),
    ("16 windows", |parts| parts.windows = vec![Window::new(ms(1), None).unwrap(); 16], None),
    ("17 windows", |parts| parts.windows = vec![Window::new(ms(1), None).unwrap(); 17], Some("windows")),
    ("longest note", |parts| parts.note = "n".repeat(1_024).into(), None),
    ("long note", |parts| parts.note = "n".repeat(1_025).into(), Some("note")),
    ("itself", same_product, Some("target")),
    (
        "its own refill",
        |parts| {
            same_product(parts);
            says(parts, |own| own.relation = Relation::Refill);
        },
        None,
    ),
    ("itself among others", |parts| parts.anchor = Some(any([sku("card"), sku("b")])), None),
    (
        "block of any anchor with a clause",
        |parts| {
            parts.says = Says::Block;
            parts.anchor = None;
            parts.matches = vec![clause("mount", MatchOp::Equal)];
        },
        Some("match"),
    ),
    (
        "block of any anchor",
        |parts| {
            parts.says = Says::Block;
            parts.anchor = None;
        },
        None,
    ),
    (
        "boost of any anchor with a clause",
        |parts| {
            parts.says = Says::Boost(Boost::new(2.0).unwrap());
            parts.anchor = None;
            parts.matches = vec![clause("mount", MatchOp::Equal)];
        },
        Some("match"),
    ),
];

#[test]
fn bad_rules_are_refused_with_their_field() {
    for (case, change, field) in CASES {
        let mut parts = pairing("r", any([category("Cameras")]), any([sku("card")]));
        change(&mut parts);
        let refused = Rule::new(parts).err().map(|fault| fault.field);
        assert_eq!(refused.as_deref(), *field, "{case}");
    }
}

#[test]
fn bad_ids_are_refused() {
    let longest = "r".repeat(128);
    for (id, is_good) in
        [("r7", true), (&*longest, true), ("", false), ("a\tb", false), (&"r".repeat(129), false)]
    {
        assert_eq!(RuleId::new(id).is_ok(), is_good, "{id:?}");
    }
}

#[test]
fn factors_lie_between_a_hundredth_and_a_hundred() {
    for (factor, is_good) in [
        (0.011, true),
        (1.0, true),
        (99.9, true),
        (0.01, false),
        (100.0, false),
        (0.0, false),
        (-1.0, false),
        (f64::NAN, false),
        (f64::INFINITY, false),
    ] {
        assert_eq!(
            Boost::new(factor).map_err(|fault| fault.field),
            if is_good { Ok(Boost(factor)) } else { Err("factor".into()) }
        );
    }
}

#[test]
fn windows_hold_some_moment() {
    for (from, until, refused) in [
        (ms(1), ms(2), None),
        (ms(1), None, None),
        (None, ms(2), None),
        (None, None, Some("")),
        (ms(2), ms(2), Some("until")),
        (ms(3), ms(2), Some("until")),
    ] {
        let fault = Window::new(from, until).err().map(|fault| fault.field);
        assert_eq!(fault.as_deref(), refused, "{from:?} {until:?}");
    }
}

#[test]
fn a_window_ends_just_before_its_end() {
    for (from, until, inside) in
        [(ms(2), ms(4), vec![2, 3]), (ms(2), None, vec![2, 3, 4, 5]), (None, ms(4), vec![1, 2, 3])]
    {
        let window = Window::new(from, until).unwrap();
        let found: Vec<i64> = (1..=5).filter(|at| window.contains(Timestamp::from_ms(*at))).collect();
        assert_eq!(found, inside);
    }
}

#[test]
fn windows_overlap_when_they_share_a_moment() {
    let spans = [(None, ms(3)), (ms(1), ms(3)), (ms(3), ms(5)), (ms(2), ms(4)), (ms(4), None)];
    for (one, other) in spans.iter().flat_map(|one| spans.iter().map(move |other| (one, other))) {
        let [one, other] = [one, other].map(|(from, until)| Window::new(*from, *until).unwrap());
        let shared = (0..=9).map(Timestamp::from_ms).any(|at| one.contains(at) && other.contains(at));
        assert_eq!(one.overlaps(&other), shared, "{one:?} {other:?}");
    }
}

#[test]
fn a_rule_holds_in_its_stages_surfaces_and_windows() {
    let mut parts = pairing("r", any([sku("a")]), any([sku("b")]));
    parts.stages = Stages::from_iter([Stage::Cart, Stage::Checkout]);
    parts.surfaces = Surfaces::from_iter([Surface::Web]);
    parts.windows = vec![Window::new(ms(10), ms(20)).unwrap(), Window::new(ms(30), None).unwrap()];
    let limited = Rule::new(parts).unwrap();
    for (stage, surface, holds) in [
        (Stage::Cart, Surface::Web, true),
        (Stage::Checkout, Surface::Web, true),
        (Stage::Cart, Surface::Chat, false),
        (Stage::Product, Surface::Web, false),
    ] {
        assert_eq!(limited.holds_in(stage, surface), holds, "{stage:?} {surface:?}");
    }
    for (at, holds) in [(9, false), (10, true), (20, false), (30, true), (99, true)] {
        assert_eq!(limited.holds_at(Timestamp::from_ms(at)), holds, "{at}");
    }
}

#[test]
fn a_mutual_pairing_covers_pairs_both_ways_and_others_only_forward() {
    let shop = catalog([
        product("body", "Bodies", &[], &[("mount", &["E"], &[])]),
        product("lens", "Lenses", &[], &[("mount", &["E", "X"], &[])]),
        product("other lens", "Lenses", &[], &[("mount", &["X"], &[])]),
    ]);
    let entry = |id: &str| shop.get(id).unwrap();
    let one_way = || {
        let mut parts = pairing("r", any([category("Bodies")]), any([category("Lenses")]));
        parts.matches = vec![clause("mount", MatchOp::Superset)];
        parts
    };
    let mutual = Rule::new(pairing_with(one_way(), |own| own.mutual = true)).unwrap();
    let one_way = Rule::new(one_way()).unwrap();
    for (rule, direction, anchor, target, covers) in [
        (&one_way, Forward, "body", "lens", true),
        (&one_way, Forward, "body", "other lens", false),
        (&one_way, Forward, "lens", "body", false),
        (&mutual, Forward, "body", "lens", true),
        (&mutual, Reverse, "lens", "body", true),
        (&mutual, Reverse, "other lens", "body", false),
        (&mutual, Reverse, "body", "lens", false),
    ] {
        assert_eq!(
            rule.covers(direction, entry(anchor), entry(target)),
            covers,
            "{direction:?} {anchor} {target}"
        );
    }
    assert_eq!(one_way.directions(), [Forward]);
    assert_eq!(mutual.directions(), [Forward, Reverse]);
}

#[test]
fn a_rule_without_an_anchor_covers_any() {
    let shop = catalog([product("a", "A", &[], &[]), product("b", "B", &[], &[])]);
    let [a, b] = ["a", "b"].map(|id| shop.get(id).unwrap());
    for parts in [
        block("r", None, any([sku("b")])),
        rule("r", Says::Boost(Boost::new(2.0).unwrap()), None, any([sku("b")])),
    ] {
        let rule = Rule::new(parts).unwrap();
        assert!(rule.covers(Forward, a, b) && rule.covers(Forward, b, b));
        assert!(!rule.covers(Forward, b, a));
        assert!(rule.pairing().is_none());
    }
}
