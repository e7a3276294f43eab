//! Ranges, built-in limits and layers.

use super::*;

const STAGES: [Stage; 2] = [Stage::Product, Stage::Cart];
const SURFACES: [Surface; 6] =
    [Surface::Web, Surface::App, Surface::Chat, Surface::Email, Surface::Sms, Surface::Voice];

fn name(text: &str) -> PolicyName {
    PolicyName::new(text).unwrap()
}

fn offers(max: u32) -> Override {
    Override { offers_max: Some(max), ..Override::default() }
}

#[test]
fn names_are_short_and_plain() {
    let (longest, long) = ("p".repeat(64), "p".repeat(65));
    for (text, is_good) in [
        ("default", true),
        ("a-b_9", true),
        (&*longest, true),
        ("", false),
        (&*long, false),
        ("A", false),
        ("a b", false),
    ] {
        assert_eq!(PolicyName::new(text).is_ok(), is_good, "{text:?}");
    }
}

#[test]
fn limits_out_of_range_are_refused_with_their_field() {
    let none = Override::default();
    for (layer, field) in [
        (none, None),
        (offers(0), None),
        (offers(100), None),
        (offers(101), Some("offers_max")),
        (Override { price_proportion_max_percent: Some(0), ..none }, Some("price_proportion_max_percent")),
        (Override { price_proportion_max_percent: Some(100_000), ..none }, None),
        (
            Override { price_proportion_max_percent: Some(100_001), ..none },
            Some("price_proportion_max_percent"),
        ),
        (Override { per_category_max: Some(0), ..none }, Some("per_category_max")),
        (Override { per_category_max: Some(101), ..none }, Some("per_category_max")),
        (Override { per_need_max: Some(0), ..none }, Some("per_need_max")),
        (Override { per_need_max: Some(101), ..none }, Some("per_need_max")),
        (Override { same_category_max: Some(0), ..none }, None),
        (Override { same_category_max: Some(101), ..none }, Some("same_category_max")),
        (Override { stock_min: Some(1_000_000_000), ..none }, None),
        (Override { stock_min: Some(1_000_000_001), ..none }, Some("stock_min")),
        (Override { lift_min: Some(1_000.0), ..none }, None),
        (Override { lift_min: Some(1_000.1), ..none }, Some("lift_min")),
        (Override { lift_min: Some(-0.1), ..none }, Some("lift_min")),
        (Override { score_min: Some(1.0), ..none }, None),
        (Override { score_min: Some(1.1), ..none }, Some("score_min")),
        (Override { score_min: Some(-0.1), ..none }, Some("score_min")),
        (Override { score_min: Some(f64::NAN), ..none }, Some("score_min")),
    ] {
        let at = |outer: &str| field.map(|field| format!("{outer}.{field}"));
        let refused =
            |base, overrides| Policy::new(name("p"), base, overrides).err().map(|fault| fault.field);
        assert_eq!(refused(layer, vec![]), at("limits"));
        let second = vec![(Stages::ALL, Surfaces::ALL, none), (Stages::ALL, Surfaces::ALL, layer)];
        assert_eq!(refused(none, second), at("overrides[1].limits"));
    }
}

#[test]
fn a_policy_has_at_most_32_overrides() {
    let layer = (Stages::ALL, Surfaces::ALL, Override::default());
    for (count, field) in [(32, None), (33, Some("overrides"))] {
        let refused =
            Policy::new(name("p"), Override::default(), vec![layer; count]).err().map(|fault| fault.field);
        assert_eq!(refused.as_deref(), field);
    }
}

#[test]
fn built_in_limits_are_as_published() {
    for (surface, offers_max) in SURFACES.into_iter().zip([3, 3, 1, 3, 1, 1]) {
        let expected = Limits {
            offers_max,
            price_proportion_max_percent: Some(100),
            per_category_max: Some(2),
            per_need_max: Some(1),
            same_category_max: Some(1),
            stock_min: 1,
            score_min: 0.0,
            lift_min: 1.0,
            objective: Objective::TakeRate,
            disallowed_relations: Relations::NONE,
        };
        assert!(
            STAGES.into_iter().all(|stage| Policy::built_in().limits(stage, surface) == expected),
            "{surface:?}"
        );
    }
}

#[test]
fn open_lifts_restraint_everywhere() {
    let expected = Limits {
        offers_max: 10,
        price_proportion_max_percent: None,
        per_category_max: None,
        per_need_max: None,
        same_category_max: None,
        stock_min: 0,
        score_min: 0.0,
        lift_min: 0.0,
        objective: Objective::TakeRate,
        disallowed_relations: Relations::NONE,
    };
    assert!(SURFACES.into_iter().all(|surface| Policy::open().limits(Stage::Cart, surface) == expected));
}

#[test]
fn later_layers_win_where_they_hold() {
    let (cart, chat) = (Stages::from_iter([Stage::Cart]), Surfaces::from_iter([Surface::Chat]));
    let overrides = vec![
        (cart, Surfaces::ALL, offers(5)),
        (Stages::ALL, chat, offers(2)),
        (cart, chat, Override { per_need_max: Some(9), ..Override::default() }),
    ];
    let base = Override { stock_min: Some(7), ..offers(4) };
    let policy = Policy::new(name("p"), base, overrides).unwrap();
    for (stage, surface, offers_max, per_need_max) in [
        (Stage::Product, Surface::Web, 4, 1),
        (Stage::Product, Surface::Sms, 4, 1),
        (Stage::Cart, Surface::Web, 5, 1),
        (Stage::Product, Surface::Chat, 2, 1),
        (Stage::Cart, Surface::Chat, 2, 9),
    ] {
        let limits = policy.limits(stage, surface);
        let found = (limits.offers_max, limits.per_need_max, limits.stock_min);
        assert_eq!(found, (offers_max, Some(per_need_max), 7), "{stage:?} {surface:?}");
    }
}

#[test]
fn every_limit_can_be_overridden() {
    let relations = Relations::from_iter([crate::rule::Relation::Service]);
    let base = Override {
        offers_max: Some(2),
        price_proportion_max_percent: Some(3),
        per_category_max: Some(4),
        per_need_max: Some(5),
        same_category_max: Some(6),
        stock_min: Some(7),
        score_min: Some(0.8),
        lift_min: Some(2.0),
        objective: Some(Objective::Margin),
        disallowed_relations: Some(relations),
    };
    let expected = Limits {
        offers_max: 2,
        price_proportion_max_percent: Some(3),
        per_category_max: Some(4),
        per_need_max: Some(5),
        same_category_max: Some(6),
        stock_min: 7,
        score_min: 0.8,
        lift_min: 2.0,
        objective: Objective::Margin,
        disallowed_relations: relations,
    };
    assert_eq!(Policy::new(name("p"), base, vec![]).unwrap().limits(Stage::Cart, Surface::Voice), expected);
}

#[test]
fn the_merchants_own_default_takes_the_place_of_the_built_in_one() {
    let mut policies = Policies::default();
    assert_eq!(policies.get("default").as_deref(), Some(&Policy::built_in()));
    assert_eq!(policies.get("open").as_deref(), Some(&Policy::open()));
    assert_eq!(policies.get("mine"), None);
    let own = Policy::new(name("default"), offers(9), vec![]).unwrap();
    policies.set(own.clone()).unwrap();
    assert_eq!(policies.get("default").as_deref(), Some(&own));
    assert!(policies.iter().map(|policy| policy.name().as_str()).eq(["default"]));
}

#[test]
fn open_cannot_be_set_and_policies_are_bounded() {
    let mut policies = Policies::default();
    let plain = |name| Policy::new(name, Override::default(), vec![]).unwrap();
    assert_eq!(policies.set(plain(name("open"))).unwrap_err().field, "name");
    for at in 0..POLICIES_MAX {
        policies.set(plain(name(&format!("p{at}")))).unwrap();
    }
    assert_eq!(policies.set(plain(name("one-more"))).unwrap_err().field, "name");
    policies.set(plain(name("p1"))).unwrap();
    assert_eq!(policies.len(), POLICIES_MAX);
}
