//! What an offer says, and the rules of the journey that a single example shows best.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use sidecart_catalog::{Kind, Parts as ProductParts};
use sidecart_rules::{
    Boost, MatchOp, Objective, Override, Relation, RuleParts, SCAN_MAX, Says, Sentence, Stage,
};
use sidecart_scoring::{Decision, Order, Query, Verdict, Why, recommend};
use support::*;

/// What is changed in the world.
type Change = fn(&mut World);

/// Rules and the positions that they are given.
type Pins = &'static [(&'static str, u8)];

fn world() -> World {
    let mut beans = product("beans", "Coffee > Beans", 1_500);
    beans.kind = Kind::Consumable;
    beans.days_of_supply = Some(20);
    World {
        orders: Vec::new(),
        products: vec![
            product("x100v", "Cameras > Compact", 79_900),
            product("card", "Memory", 3_900),
            product("case", "Cases", 5_900),
            product("tripod", "Tripods", 19_900),
            product("course", "Courses", 9_900),
            beans,
        ],
        rules: vec![
            pair("card", Relation::RequiredAccessory, is("x100v"), is("card")),
            pair("case", Relation::Protection, is("x100v"), is("case")),
            pair("course", Relation::Service, is("x100v"), is("course")),
            pair("tripod", Relation::Accessory, is("x100v"), is("tripod")),
        ],
        query: query(Stage::Product, &["x100v"]),
    }
}

fn offered(decision: &Decision) -> Vec<&str> {
    decision.offers.iter().map(|offer| offer.target.product().id().as_str()).collect()
}

fn answer(change: impl Fn(&mut World)) -> Decision {
    let mut world = world();
    change(&mut world);
    recommend(&world.snapshot(), &world.query)
}

#[test]
fn words_fit_the_stage_and_the_relation() {
    let ordered = |days| Order {
        expected_delivery: Some(NOW.plus_days(days)),
        ..order(1, vec![line("x100v", 1)]).unwrap()
    };
    for (stage, order, code, text) in [
        (Stage::Browse, None, "REQUIRED_ACCESSORY_BROWSE", "The x100v needs this: The card."),
        (
            Stage::Product,
            None,
            "REQUIRED_ACCESSORY_PRODUCT",
            "Pair this with The card: The x100v needs it to work.",
        ),
        (Stage::Cart, None, "REQUIRED_ACCESSORY_CART", "Don't forget The card: The x100v needs it to work."),
        (
            Stage::Checkout,
            None,
            "REQUIRED_ACCESSORY_CHECKOUT",
            "Add The card before you go: The x100v needs it to work.",
        ),
        (
            Stage::OrderPlaced,
            None,
            "REQUIRED_ACCESSORY_ORDER_PLACED",
            "Add The card to go with your order: The x100v needs it to work.",
        ),
        (
            Stage::OrderPlaced,
            Some(ordered(2)),
            "REQUIRED_ACCESSORY_ORDER_PLACED",
            "Add The card before The x100v arrives: it needs this to work.",
        ),
        (
            Stage::OrderPlaced,
            Some(ordered(-2)),
            "REQUIRED_ACCESSORY_ORDER_PLACED",
            "Add The card to go with your order: The x100v needs it to work.",
        ),
        (
            Stage::Delivered,
            None,
            "REQUIRED_ACCESSORY_DELIVERED",
            "Now that you have The x100v, you might need The card to use it.",
        ),
        (
            Stage::Replenish,
            None,
            "REQUIRED_ACCESSORY_REPLENISH",
            "Time for more: The x100v needs The card to work.",
        ),
    ] {
        let decision = answer(|world| {
            world.query = Query { order: order.clone(), ..query(stage, &["x100v"]) };
            world.query.policy = policy(Override { offers_max: Some(9), ..Override::default() });
        });
        let card =
            decision.offers.iter().find(|offer| offer.relation == Some(Relation::RequiredAccessory)).unwrap();
        assert_eq!((card.reason.code, card.reason.text.as_str()), (code, text));
    }
}

#[test]
fn slots_name_what_the_words_are_made_of() {
    let decision = answer(|_| {});
    let slots: Vec<_> =
        decision.offers[0].reason.slots.iter().map(|slot| (slot.name, slot.value.as_str())).collect();
    assert_eq!(
        slots,
        [("target", "The card"), ("anchor", "The x100v"), ("need", "Memory"), ("price", "39.00 USD")]
    );
}

#[test]
fn the_merchants_own_sentence_wins_where_it_renders() {
    let long = "c".repeat(300);
    for (template, title, text) in [
        (
            "{{ anchor }} + {{ target }} ({{ need }}) for {{ price }}",
            "The card",
            "The x100v + The card (Memory) for 39.00 USD".to_owned(),
        ),
        // Titles are words, never templates.
        ("Have {{ target }}!", "{{ anchor }}", "Have {{ anchor }}!".to_owned()),
        // Too long a sentence with this title.
        ("{{ target }} {{ target }}", &long, format!("Pair this with {long}: The x100v needs it to work.")),
    ] {
        let sentence = Sentence::new(template).unwrap();
        let decision = answer(|world| {
            world.product("card").title = title.into();
            world.pairing("card").sentence = Some(sentence.clone());
        });
        assert_eq!(decision.offers[0].reason.text, text);
    }
}

#[test]
fn titles_in_ready_sentences_are_taken_as_they_are() {
    let decision = answer(|world| world.product("card").title = "{anchor} {".into());
    assert_eq!(decision.offers[0].reason.text, "Pair this with {anchor} {: The x100v needs it to work.");
}

#[test]
fn an_empty_answer_says_why() {
    let cases: [(Change, Why); 5] = [
        (|world| world.query.anchors = ids(&["nothing"]), Why::NoAnchor),
        (|world| world.query.anchors = ids(&["beans"]), Why::NoEvidence),
        (|world| world.products.iter_mut().for_each(|product| product.price = None), Why::AllGated),
        (|world| world.limits(Override { offers_max: Some(0), ..Override::default() }), Why::OffersDisabled),
        (
            |world| {
                world.query.anchors.clear();
                world.limits(Override { offers_max: Some(0), ..Override::default() });
            },
            Why::OffersDisabled,
        ),
    ];
    for (change, why) in cases {
        let decision = answer(change);
        assert_eq!((decision.verdict, decision.why, decision.offers.len()), (Verdict::Hold, why, 0));
    }
    assert_eq!(answer(|_| {}).verdict, Verdict::Offer);
}

#[test]
fn pins_stand_where_they_belong() {
    // By score alone: card, tripod, case, course.
    let cases: [(Pins, &[&str]); 6] = [
        (&[], &["card", "tripod", "case", "course"]),
        (&[("course", 1)], &["course", "card", "tripod", "case"]),
        (&[("course", 3)], &["card", "tripod", "course", "case"]),
        (&[("course", 20), ("case", 9)], &["card", "tripod", "case", "course"]),
        (&[("course", 1), ("case", 1), ("card", 2)], &["case", "card", "course", "tripod"]),
        (&[("course", 2), ("case", 4), ("card", 3), ("tripod", 1)], &["tripod", "course", "card", "case"]),
    ];
    for (pins, expected) in cases {
        let decision = answer(|world| {
            world.limits(Override { offers_max: Some(9), ..Override::default() });
            for (rule, position) in pins {
                world.pairing(rule).position = Some(*position);
            }
        });
        assert_eq!(offered(&decision), expected, "{pins:?}");
    }
}

#[test]
fn a_pin_that_the_answer_has_no_place_for_takes_no_room() {
    let decision = answer(|world| {
        world.products.push(product("card2", "Memory", 3_800));
        world.rules.push(pair("card2", Relation::RequiredAccessory, is("x100v"), is("card2")));
        world.pairing("card2").position = Some(2);
        world.limits(Override { offers_max: Some(1), ..Override::default() });
    });
    assert_eq!(offered(&decision), ["card"]);
}

#[test]
fn the_objective_decides_the_order() {
    let cases = [
        (Objective::TakeRate, ["card", "tripod", "case"]),
        (Objective::Revenue, ["tripod", "card", "case"]),
        // Only these two have a unit cost, and so a margin.
        (Objective::Margin, ["course", "case", "card"]),
    ];
    for (objective, expected) in cases {
        let decision = answer(|world| {
            world.product("course").unit_cost = Some(usd(100));
            world.product("case").unit_cost = Some(usd(5_800));
            world.limits(Override { objective: Some(objective), ..Override::default() });
        });
        assert_eq!(offered(&decision), expected, "{objective:?}");
    }
}

#[test]
fn boosts_multiply_the_odds_and_never_reach_certainty() {
    let score = |factors: &[f64]| {
        let decision = answer(|world| {
            for (at, factor) in factors.iter().enumerate() {
                let says = Says::Boost(Boost::new(*factor).unwrap());
                world.rules.push(rule(&format!("boost{at}"), says, None, any(&[is("card")])));
            }
        });
        decision
            .offers
            .iter()
            .find(|offer| offer.target.product().id().as_str() == "card")
            .map(|offer| offer.score)
    };
    // Odds of 0.2 are 1 to 4.
    assert_eq!(score(&[]), Some(0.2));
    assert_eq!(score(&[4.0]), Some(0.5));
    assert_eq!(score(&[4.0, 0.25]), Some(0.2));
    assert!(score(&[99.0; 200]).is_some_and(|score| score < 1.0));
}

#[test]
fn a_refill_is_offered_once_it_is_due() {
    let cases: [(Stage, i64, u32, &[&str], bool); 7] = [
        // Twenty days for each piece.
        (Stage::Delivered, 19, 1, &[], false),
        (Stage::Delivered, 20, 1, &[], true),
        (Stage::Delivered, 39, 2, &[], false),
        (Stage::Replenish, 40, 2, &[], true),
        (Stage::Replenish, 1, 1, &["beans"], false),
        // Nobody knows since when the shopper has them.
        (Stage::Delivered, 0, 0, &["beans"], false),
        (Stage::Replenish, 0, 0, &["beans"], true),
    ];
    for (stage, days_ago, pieces, owned, is_offered) in cases {
        let decision = answer(|world| {
            world.rules = vec![pair("more", Relation::Refill, is("beans"), is("beans"))];
            let lines = if pieces == 0 { Vec::new() } else { vec![line("beans", pieces)] };
            world.query =
                Query { order: order(days_ago, lines), owned: ids(owned), ..query(stage, &["beans"]) };
        });
        assert_eq!(!decision.offers.is_empty(), is_offered, "{stage:?} {days_ago} {pieces} {owned:?}");
    }
}

#[test]
fn a_larger_pack_is_a_refill_once_the_smaller_is_used_up() {
    for (days_ago, is_offered) in [(5, false), (25, true)] {
        let decision = answer(|world| {
            let small = world.product("beans");
            small.family = family("beans-of-all-sizes");
            let title = "The large pack".into();
            let large = ProductParts { id: id("large"), title, price: Some(usd(1_400)), ..small.clone() };
            world.products.push(large);
            world.rules = vec![pair("more", Relation::Refill, is("beans"), is("large"))];
            world.query.order = order(days_ago, vec![line("beans", 1)]);
            world.query.anchors.clear();
        });
        let expected: &[&str] = if is_offered { &["large"] } else { &[] };
        assert_eq!(offered(&decision), expected);
    }
}

#[test]
fn what_is_used_up_meets_no_need() {
    for (days_ago, is_offered) in [(5, false), (25, true)] {
        let decision = answer(|world| {
            world.products.push(product("grinder", "Grinders", 20_000));
            world.products.push(product("decaf", "Coffee > Beans", 1_400));
            world.rules = vec![pair("r", Relation::Consumable, is("grinder"), within("Coffee"))];
            world.pairing("r").allows_same_category = true;
            let lines = vec![line("grinder", 1), line("beans", 1)];
            world.query = Query { order: order(days_ago, lines), ..query(Stage::Delivered, &[]) };
        });
        let expected: &[&str] = if is_offered { &["decaf"] } else { &[] };
        assert_eq!(offered(&decision), expected);
    }
}

#[test]
fn several_anchors_of_one_offer_are_all_named() {
    let decision = answer(|world| {
        world.products.push(product("gr3", "Cameras > Compact", 69_900));
        world.rules.push(pair("a", Relation::Accessory, is("gr3"), is("card")));
        world.query.anchors = ids(&["x100v", "gr3"]);
    });
    let card = &decision.offers[0];
    assert_eq!(card.anchors, ids(&["gr3", "x100v"]));
    assert_eq!(card.relation, Some(Relation::RequiredAccessory));
}

#[test]
fn what_lies_beyond_the_scan_leaves_the_rest_alone() {
    let decision = answer(|world| {
        world.products.extend((0..SCAN_MAX + 10).map(|nth| product(&format!("m{nth:05}"), "Many", 100)));
        world.rules.push(pair("a", Relation::Accessory, is("x100v"), within("Many")));
    });
    assert_eq!(offered(&decision), ["card", "m00000", "tripod"]);
}

/// That nothing was found among what was looked at does not mean that nothing goes with it.
#[test]
fn a_scan_that_finds_nothing_says_that_it_was_cut() {
    let decision = answer(|world| {
        world.products.extend((0..SCAN_MAX + 10).map(|nth| product(&format!("m{nth:05}"), "Many", 100)));
        let matches = vec![clause("load_kg", MatchOp::AtLeast)];
        world.rules =
            vec![RuleParts { matches, ..pair("a", Relation::Accessory, is("x100v"), within("Many")) }];
    });
    assert_eq!((decision.why, decision.offers.len()), (Why::ScanLimit, 0));
}

#[test]
fn unknown_ids_are_reported_once_and_bounded() {
    let decision = answer(|world| {
        world.query.owned = (0..150).map(|nth| id(&format!("u{nth:03}"))).collect();
        world.query.live = vec![live("a", None, None), live("u000", None, None)];
        world.query.cart = vec![line("b", 1), line("b", 2)];
        world.query.order = order(1, vec![line("c", 1)]);
        world.query.taken = ids(&["nobody"]);
    });
    assert_eq!(decision.unknown.len(), 100);
    assert_eq!(decision.unknown[..4], ids(&["a", "b", "c", "u000"]));
}

#[test]
fn where_the_caller_contradicts_itself_the_worse_counts_in_any_order() {
    let said = [
        live("card", Some(usd(90_000)), None),
        live("card", Some(usd(100)), None),
        live("case", None, Some(true)),
        live("case", None, Some(false)),
    ];
    let mut reversed = said.to_vec();
    reversed.reverse();
    for live in [said.to_vec(), reversed] {
        let decision = answer(|world| world.query.live = live.clone());
        // The card is dearer than the camera then, and the case is out of stock.
        assert_eq!(offered(&decision), ["tripod", "course"]);
    }
}
