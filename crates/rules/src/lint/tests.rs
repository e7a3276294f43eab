//! Each kind of finding once, and none on a clean set.

use sidecart_catalog::{FamilyId, Product, Term};

use super::*;
use crate::{
    context::{Stage, Stages},
    matching::{MatchClause, MatchOp},
    rule::{RuleParts, Window},
    rule_set::SCAN_MAX,
    selector::Selector,
    testing::{any, block, catalog, category, clause, pairing, pairing_with, product, rules, sku, tag},
};

const AT: Timestamp = Timestamp::from_ms(1_000);

fn shop() -> Vec<Product> {
    vec![
        product("cam", "Cameras", &[], &[("mount", &["E"], &[])]),
        product("cam2", "Cameras", &[], &[("mount", &["X"], &[])]),
        product("lens", "Lenses", &[], &[("mount", &["E"], &[])]),
        product("card", "Cards", &["gift"], &[]),
        product("bag", "Bags", &["gift"], &[]),
    ]
}

/// Findings as `rule kind other: reason`.
fn found(parts: impl IntoIterator<Item = RuleParts>) -> Vec<String> {
    let (findings, is_truncated) = lint(&rules(parts), &catalog(shop()), AT);
    assert!(!is_truncated);
    let told = findings.iter().map(|finding| {
        let other = finding.other.as_ref().map_or(String::new(), |other| format!(" {other}"));
        format!("{} {:?}{other}: {}", finding.rule_id, finding.kind, finding.reason)
    });
    told.collect()
}

fn window(from: i64, until: i64) -> Window {
    Window::new(Some(Timestamp::from_ms(from)), Some(Timestamp::from_ms(until))).unwrap()
}

fn cam_card(id: &str) -> RuleParts {
    pairing(id, any([sku("cam")]), any([sku("card")]))
}

fn cameras_lenses(id: &str) -> RuleParts {
    let mut parts = pairing(id, any([category("Cameras")]), any([category("Lenses")]));
    parts.matches = vec![clause("mount", MatchOp::Superset)];
    parts
}

fn at(position: u8, parts: RuleParts) -> RuleParts {
    pairing_with(parts, |own| own.position = Some(position))
}

fn only_in(stage: Stage, mut parts: RuleParts) -> RuleParts {
    parts.stages = Stages::from_iter([stage]);
    parts
}

fn disabled(mut parts: RuleParts) -> RuleParts {
    parts.disabled = true;
    parts
}

fn mutual(parts: RuleParts) -> RuleParts {
    pairing_with(parts, |own| own.mutual = true)
}

fn with_windows(windows: &[Window], mut parts: RuleParts) -> RuleParts {
    parts.windows = windows.to_vec();
    parts
}

#[test]
fn a_clean_set_has_no_findings() {
    let part_of_a_block = block("b1", Some(any([sku("cam2")])), any([tag("gift")]));
    let clean = [
        cam_card("r1"),
        cameras_lenses("r2"),
        at(1, pairing("r3", any([category("Cameras")]), any([tag("gift")]))),
        at(2, pairing("r4", any([category("Cameras")]), any([sku("bag")]))),
        with_windows(
            &[window(0, 10), window(0, 2_000)],
            pairing("r5", any([sku("bag")]), any([sku("card")])),
        ),
        part_of_a_block,
    ];
    assert_eq!(found(clean), [""; 0]);
}

#[test]
fn terms_that_nothing_answers_to_are_named() {
    let family = Term::Family(FamilyId::new("none").unwrap());
    let selector =
        Selector::new(vec![sku("gone"), sku("cam")], vec![], vec![family, category("Sold out")]).unwrap();
    let target = any([sku("card"), sku("lost"), sku("gone too")]);
    assert_eq!(
        found([pairing("r", selector, target)]),
        [
            "r UnknownProduct: anchor names product `gone`, which the catalog does not have, and 2 more",
            "r UnknownCategory: anchor names category `Sold out`, which no product is in",
            "r UnknownTerm: anchor names family `none`, which no product answers to",
        ]
    );
}

#[test]
fn windows_that_have_all_passed_are_told() {
    for (windows, told) in [
        (vec![window(0, 1_000)], Some("r Expired: its window has passed")),
        (vec![window(0, 10), window(20, 30)], Some("r Expired: all of its windows have passed")),
        (vec![window(0, 1_001)], None),
        (vec![window(5_000, 6_000)], None),
    ] {
        assert_eq!(found([with_windows(&windows, cam_card("r"))]), told.as_slice(), "{windows:?}");
    }
}

#[test]
fn rules_that_reach_nothing_are_told() {
    let nothing = Selector::new(vec![], vec![category("Cameras"), tag("gift")], vec![]).unwrap();
    let clauses = |clauses: Vec<_>, mut parts: RuleParts| {
        parts.matches = clauses;
        parts
    };
    for (parts, told) in [
        (pairing("r", nothing.clone(), any([sku("card")])), "anchor selects no product"),
        (pairing("r", any([sku("card")]), nothing), "target selects no product"),
        (
            clauses(vec![clause("mount", MatchOp::Superset)], cam_card("r")),
            "no target has the `mount` that its match clause compares",
        ),
        (
            clauses(
                vec![clause("mount", MatchOp::Superset)],
                pairing("r", any([sku("card")]), any([sku("cam")])),
            ),
            "no anchor has the `mount` that its match clause compares",
        ),
        (
            clauses(
                vec![clause("mount", MatchOp::Superset), clause("mount", MatchOp::AtLeast)],
                pairing("r", any([sku("cam")]), any([sku("lens")])),
            ),
            "no target has the `mount` that its match clause compares",
        ),
    ] {
        assert_eq!(found([parts]), [format!("r NeverMatches: {told}")]);
    }
}

#[test]
fn the_benefit_of_the_doubt_goes_to_a_rule_that_selects_too_much_to_look_at() {
    let many = (0..1_001).map(|at| product(&format!("p{at:04}"), "Many", &[], &[]));
    let target = Selector::new(vec![], vec![category("Many")], vec![sku("p0000")]).unwrap();
    let mut parts = pairing("r", any([sku("p0000")]), target);
    parts.matches = vec![clause("mount", MatchOp::Superset)];
    parts.anchor = Some(any([category("Many")]));
    assert_eq!(lint(&rules([parts]), &catalog(many), AT), (vec![], false));
}

#[test]
fn pairings_of_which_blocks_leave_nothing_are_told() {
    let told = "p Contradiction b: block `b` forbids its targets beside its anchors";
    let reversed = "p Contradiction b: block `b` forbids its anchors beside its targets, but it is mutual";
    let lenses = || any([category("Lenses")]);
    for (pairing, block, told) in [
        (cam_card("p"), block("b", Some(any([sku("cam")])), any([sku("card")])), Some(told)),
        (cam_card("p"), block("b", None, any([tag("gift")])), Some(told)),
        (cam_card("p"), block("b", Some(any([sku("cam2")])), any([sku("card")])), None),
        (cam_card("p"), disabled(block("b", None, any([sku("card")]))), Some("b Disabled: is switched off")),
        (disabled(cam_card("p")), block("b", None, any([sku("card")])), Some("p Disabled: is switched off")),
        // Only the pair that matches counts.
        (cameras_lenses("p"), block("b", Some(any([sku("cam")])), lenses()), Some(told)),
        (cameras_lenses("p"), block("b", Some(any([sku("cam2")])), lenses()), None),
        // The block leaves the bag.
        (pairing("p", any([sku("cam")]), any([tag("gift")])), block("b", None, any([sku("card")])), None),
        // A block for some of the pairing's stages or times leaves the others.
        (
            only_in(Stage::Cart, cam_card("p")),
            only_in(Stage::Product, block("b", None, any([sku("card")]))),
            None,
        ),
        (
            with_windows(&[window(0, 2_000)], cam_card("p")),
            with_windows(&[window(2_000, 3_000)], block("b", None, any([sku("card")]))),
            None,
        ),
        (
            with_windows(&[window(0, 2_001)], cam_card("p")),
            with_windows(&[window(2_000, 3_000)], block("b", None, any([sku("card")]))),
            None,
        ),
        (cam_card("p"), only_in(Stage::Product, block("b", None, any([sku("card")]))), None),
        (only_in(Stage::Cart, cam_card("p")), block("b", None, any([sku("card")])), Some(told)),
        (
            with_windows(&[window(2_000, 2_500)], cam_card("p")),
            with_windows(&[window(2_000, 3_000)], block("b", None, any([sku("card")]))),
            Some(told),
        ),
        (mutual(cam_card("p")), block("b", Some(any([sku("card")])), any([sku("cam")])), Some(reversed)),
        (cam_card("p"), block("b", Some(any([sku("card")])), any([sku("cam")])), None),
    ] {
        assert_eq!(found([pairing.clone(), block.clone()]), told.as_slice(), "{pairing:?} {block:?}");
    }
}

#[test]
fn several_blocks_together_may_leave_nothing() {
    let gifts = pairing("p", any([sku("cam")]), any([tag("gift")]));
    let blocks = ["bag", "card"].map(|id| block(&format!("no {id}"), None, any([sku(id)])));
    let [bag, card] = blocks;
    let told = "p Contradiction no bag: block `no bag` forbids its targets beside its anchors";
    assert_eq!(found([gifts, bag, card]), [told]);
}

#[test]
fn duplicates_name_the_first() {
    let noted = |mut parts: RuleParts| {
        parts.note = "the same".into();
        parts
    };
    assert_eq!(
        found([
            cam_card("r1"),
            noted(cam_card("r2")),
            cameras_lenses("r3"),
            mutual(cam_card("r4")),
            cam_card("r5")
        ]),
        ["r2 Duplicate r1: says the same as rule `r1`", "r5 Duplicate r1: says the same as rule `r1`"]
    );
}

#[test]
fn a_position_is_taken_once_for_the_same_anchors_at_one_time() {
    let bag = |id| pairing(id, any([sku("cam")]), any([sku("bag")]));
    let from_bag = |id| pairing(id, any([sku("bag")]), any([sku("card")]));
    let told = "r2 ShadowedPosition r1: position 1 of the same anchors is taken by rule `r1`";
    let cart = |parts| only_in(Stage::Cart, parts);
    for (first, second, told) in [
        (at(1, cam_card("r1")), at(1, bag("r2")), Some(told)),
        (at(1, cart(cam_card("r1"))), at(1, bag("r2")), Some(told)),
        (at(1, cart(cam_card("r1"))), at(1, only_in(Stage::Product, bag("r2"))), None),
        (at(2, cam_card("r1")), at(1, bag("r2")), None),
        (cam_card("r1"), at(1, bag("r2")), None),
        (at(1, cam_card("r1")), at(1, pairing("r2", any([sku("cam2")]), any([sku("bag")]))), None),
        (at(1, mutual(bag("r1"))), at(1, from_bag("r2")), Some(told)),
        (at(1, bag("r1")), at(1, from_bag("r2")), None),
        (at(1, mutual(pairing("r1", any([tag("gift")]), any([tag("gift")])))), at(2, bag("r2")), None),
        (disabled(at(1, cam_card("r1"))), at(1, bag("r2")), Some("r1 Disabled: is switched off")),
    ] {
        assert_eq!(found([first.clone(), second.clone()]), told.as_slice(), "{first:?} {second:?}");
    }
}

#[test]
fn a_pairing_that_leads_to_more_than_is_looked_at_is_named() {
    let many =
        (0..=SCAN_MAX).map(|at| product(&format!("m{at:05}"), "Many", &[], &[("mm", &["67"], &[67.0])]));
    let catalog = catalog([shop(), many.collect()].concat());
    let narrowed = |op| {
        let mut parts = pairing("r", any([sku("cam")]), any([category("Many")]));
        parts.matches = vec![MatchClause::new("mm", op, "mount").unwrap()];
        parts
    };
    let told = "leads to 1025 products under one term, of which the first 1024 by id are looked at";
    let broad = pairing("r", any([sku("cam")]), any([sku("card"), category("Many")]));
    for (parts, is_told) in [
        (broad.clone(), true),
        (narrowed(MatchOp::AtLeast), true),
        (narrowed(MatchOp::Overlaps), false),
        (mutual(pairing("r", any([category("Many")]), any([sku("cam")]))), true),
        (pairing("r", any([category("Many")]), any([sku("cam")])), false),
        (pairing("r", any([sku("cam")]), any([category("Lenses")])), false),
    ] {
        let (findings, _) = lint(&rules([parts.clone()]), &catalog, AT);
        let broad = findings.iter().find(|finding| finding.kind == FindingKind::TooBroad);
        assert_eq!(broad.map(|finding| &*finding.reason), is_told.then_some(told), "{parts:?}");
    }
}

#[test]
fn findings_come_by_rule_then_kind_and_are_bounded() {
    let faulty = |at: usize| disabled(pairing(&format!("r{at:05}"), any([sku("gone")]), any([sku("card")])));
    let (findings, is_truncated) = lint(&rules((0..3_000).map(faulty)), &catalog(shop()), AT);
    assert!(is_truncated);
    assert_eq!(findings.len(), FINDINGS_MAX);
    assert!(findings.is_sorted_by_key(|finding| (finding.rule_id.clone(), finding.kind)));
}
