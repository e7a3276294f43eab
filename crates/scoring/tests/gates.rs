//! Explain names the first failing gate with its numbers: one row for each gate, and for each way it can stop.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;

use sidecart_catalog::{Availability, Kind, Money, ProductId};
use sidecart_rules::{
    MatchOp, Override, Phrases, Relation, Relations, Says, Stage, Stages, Surface, Surfaces, Window,
};
use sidecart_scoring::{
    Gate,
    conversation::{Conversation, Decline, State, Step, read},
    explain, recommend, traced,
};
use support::*;

/// A camera with a card, a case, a second case and a film; and another camera that nothing leads to.
fn world() -> World {
    let fit = text(&[("slot", "SD")]);
    let mut card = product("card", "Memory > Cards", 3_900);
    card.attributes = fit.clone();
    let mut camera = product("x100v", "Cameras > Compact", 79_900);
    camera.attributes = fit;
    camera.family = family("x100");
    let mut film = product("film", "Film", 900);
    film.kind = Kind::Consumable;
    film.days_of_supply = Some(10);
    let mut to_card = pair("r1", Relation::RequiredAccessory, is("x100v"), within("Memory"));
    to_card.matches = vec![clause("slot", MatchOp::Superset)];
    World {
        products: vec![
            camera,
            card,
            film,
            product("case", "Bags > Cases", 5_900),
            product("case2", "Bags > Cases", 6_900),
            product("gr3", "Cameras > Compact", 69_900),
        ],
        rules: vec![
            to_card,
            pair("r2", Relation::Protection, within("Cameras"), within("Bags")),
            pair("r3", Relation::Consumable, is("x100v"), is("film")),
        ],
        orders: Vec::new(),
        query: query(Stage::Product, &["x100v"]),
    }
}

/// What is changed in the world, the product asked for, and what is said of it.
type Row = (fn(&mut World), &'static str, Gate, &'static str);

/// What rules and products alone decide.
const OF_RULES: &[Row] = &[
    (|_| {}, "card", Gate::Passed, "offered in place 1 with score 0.2000"),
    (|_| {}, "gr3", Gate::NoEvidence, "no pairing and no orders lead from the anchors to it"),
    (
        |w| w.query.anchors.clear(),
        "card",
        Gate::NoEvidence,
        "no anchor, cart line or order line is in the catalog",
    ),
    (|w| w.rule("r1").disabled = true, "card", Gate::RuleDisabled, "rule `r1` is switched off"),
    (
        |w| w.rule("r1").stages = Stages::from_iter([Stage::Cart]),
        "card",
        Gate::RuleStage,
        "rule `r1` does not hold at stage PRODUCT on surface WEB",
    ),
    (
        |w| w.rule("r1").surfaces = Surfaces::from_iter([Surface::Chat]),
        "card",
        Gate::RuleStage,
        "rule `r1` does not hold at stage PRODUCT on surface WEB",
    ),
    (
        |w| w.rule("r1").windows = vec![Window::new(Some(NOW.plus_days(1)), Some(NOW.plus_days(3))).unwrap()],
        "card",
        Gate::RuleWindow,
        "rule `r1` does not hold on 2025-12-01: it holds from 2025-12-02 until 2025-12-04",
    ),
    (
        |w| w.pairing("r1").min_anchor_quantity = 2,
        "card",
        Gate::MinQuantity,
        "quantity 1 of anchor `x100v` < 2",
    ),
    (|_| {}, "nothing", Gate::UnknownProduct, "the catalog does not have it"),
    (
        |w| {
            w.rules.push(rule("r7", Says::Block, None, any(&[within("Memory > Cards")])));
        },
        "card",
        Gate::Blocked,
        "blocked by rule `r7`",
    ),
    (
        |w| w.product("card").attributes = text(&[("slot", "CF")]),
        "card",
        Gate::Match,
        "target slot [CF] does not contain anchor slot [SD]",
    ),
    (|w| w.product("card").attributes = text(&[]), "card", Gate::Match, "`slot`"),
    (scans_too_much, "m1025", Gate::ScanLimit, "at most 1024 products for one anchor and term"),
];

/// What is wrong with the target, or too near to what the shopper looks at or has.
const OF_TARGETS: &[Row] = &[
    (|w| w.product("card").price = None, "card", Gate::Unsellable, "has no price"),
    (
        |w| w.product("card").availability = Availability::Discontinued,
        "card",
        Gate::Unsellable,
        "is discontinued",
    ),
    (
        |w| w.product("card").availability = Availability::OutOfStock,
        "card",
        Gate::OutOfStock,
        "is out of stock",
    ),
    (|w| w.product("card").stock_quantity = Some(0), "card", Gate::OutOfStock, "stock 0 < 1"),
    (|w| w.query.live = vec![live("card", None, Some(false))], "card", Gate::OutOfStock, "the caller says"),
    (
        |w| {
            w.product("card").availability = Availability::Preorder;
            w.query = query(Stage::OrderPlaced, &["x100v"]);
        },
        "card",
        Gate::OutOfStock,
        "preorder ships after the delivery",
    ),
    (|w| w.query.cart = vec![line("card", 1)], "card", Gate::InCart, "is in the cart"),
    (
        |w| {
            w.product("card").family = family("cards");
            w.products.push(product("card-silver", "Memory > Cards", 4_900));
            w.product("card-silver").family = family("cards");
            w.query.cart = vec![line("card-silver", 1)];
        },
        "card",
        Gate::SameFamily,
        "sibling variant `card-silver` in cart",
    ),
    (
        |w| {
            w.product("card").family = family("cards");
            w.products.push(product("card-silver", "Memory > Cards", 4_900));
            w.product("card-silver").family = family("cards");
            w.query.anchors = ids(&["x100v", "card-silver"]);
        },
        "card",
        Gate::SameFamily,
        "sibling variant `card-silver` is an anchor",
    ),
    (|w| w.query.anchors = ids(&["x100v", "card"]), "card", Gate::SameFamily, "is an anchor itself"),
    (|w| w.query.owned = ids(&["card"]), "card", Gate::Owned, "the shopper has it"),
    (
        |w| {
            w.rules.push(pair("r4", Relation::Accessory, is("x100v"), is("gr3")));
        },
        "gr3",
        Gate::Substitute,
        "shares category `Cameras > Compact` with anchor `x100v`",
    ),
    (
        |w| w.product("card").price = Some(Money::new("EUR", 100).unwrap()),
        "card",
        Gate::Currency,
        "price 1.00 EUR is not in USD, the currency of anchor `x100v`",
    ),
];

/// Restraint and arrangement.
const OF_POLICY: &[Row] = &[
    (
        |w| {
            let disallowed = Relations::from_iter([Relation::Protection]);
            w.limits(Override { disallowed_relations: Some(disallowed), ..Override::default() });
        },
        "case",
        Gate::RelationDisallowed,
        "the policy does not offer relation PROTECTION",
    ),
    (|w| w.query.owned = ids(&["case2"]), "case", Gate::NeedMet, "need `Cases` is met by `case2`"),
    (
        |w| w.product("card").price = Some(usd(89_900)),
        "card",
        Gate::PriceProportion,
        "price 899.00 USD is 113 % of anchor `x100v` at 799.00 USD, at most 100 %",
    ),
    (
        |w| {
            let mut paid = line("x100v", 1);
            paid.unit_price = Some(usd(3_000));
            w.query.cart = vec![paid];
        },
        "card",
        Gate::PriceProportion,
        "price 39.00 USD is 130 % of anchor `x100v` at 30.00 USD, at most 100 %",
    ),
    (
        |w| w.limits(Override { score_min: Some(0.1), ..Override::default() }),
        "case",
        Gate::ScoreFloor,
        "score 0.0630 < 0.1",
    ),
    (bought_by_chance, "lamp", Gate::EvidenceFloor, "lift 0.00 < 1, with support 2"),
    (|_| {}, "case2", Gate::NeedTaken, "need `Cases` is taken by `case`, at most 1 for one need"),
    (
        |w| {
            w.limits(Override { per_need_max: Some(5), per_category_max: Some(1), ..Override::default() });
        },
        "case2",
        Gate::CategoryFull,
        "better offers fill category `Bags > Cases`, at most 1 of one category",
    ),
    (
        |w| {
            let mut other = pair("r4", Relation::Accessory, is("x100v"), is("gr3"));
            if let Says::Pairing(pairing) = &mut other.says {
                pairing.allows_same_category = true;
            }
            w.rules.push(other);
            w.limits(Override { same_category_max: Some(0), offers_max: Some(9), ..Override::default() });
        },
        "gr3",
        Gate::SameCategoryFull,
        "category `Cameras > Compact` is an anchor's own, at most 0 such offers",
    ),
    (
        |w| w.limits(Override { offers_max: Some(1), ..Override::default() }),
        "case",
        Gate::Trimmed,
        "better offers fill the answer, at most 1",
    ),
    (|w| w.query.results_max = Some(2), "case", Gate::Trimmed, "better offers fill the answer, at most 2"),
    (
        |w| w.query.taken = ids(&["card"]),
        "card",
        Gate::NotDistinct,
        "an earlier answer of the batch offers it",
    ),
    (
        |w| w.limits(Override { offers_max: Some(0), ..Override::default() }),
        "card",
        Gate::OffersDisabled,
        "at most 0 offers",
    ),
    (|w| talk(w, &["does it take a card?"]), "card", Gate::Passed, "offered in place 1"),
    (
        |w| {
            talk(w, &["does it take a card?"]);
            happened(w, Step::Declined(id("card"), Decline::NoThanks));
            (0..4).for_each(|_| talk(w, &["does it fit?"]));
        },
        "card",
        Gate::Declined,
        "`card` was declined in this conversation",
    ),
    (|w| talk(w, &["I want a refund"]), "card", Gate::Conversation, "calls for no offer: REFUND_OPEN"),
];

/// The customer says something more.
fn talk(world: &mut World, texts: &[&str]) {
    let snapshot = world.snapshot();
    for text in texts {
        happened(world, Step::Customer(Box::new(read(&snapshot, text, &Phrases::default()))));
    }
}

fn happened(world: &mut World, step: Step) {
    let state = world.query.conversation.take().map_or_else(State::default, |known| known.state);
    let (question, sentiment, open_issue, language) = (None, None, None, None);
    let state = state.after(step);
    world.query.conversation = Some(Conversation { state, question, sentiment, open_issue, language });
}

/// Bought with the camera once too seldom to say anything, among many other orders.
fn bought_by_chance(world: &mut World) {
    world.products.push(product("lamp", "Lights", 5_000));
    world.orders.extend((0..2).map(|nth| bought(&format!("a{nth}"), "", 9, &["x100v", "lamp"])));
    world.orders.extend((0..40).map(|nth| bought(&format!("b{nth}"), "", 9, &["gr3", "lamp"])));
}

/// Nobody has got as far as the 1,025th product of a category.
fn scans_too_much(world: &mut World) {
    let many = (0..1_030).map(|nth| product(&format!("m{nth:04}"), "Many", 100));
    world.products.extend(many);
    world.rules.push(pair("r8", Relation::Accessory, is("x100v"), within("Many")));
}

#[test]
fn explain_names_the_first_failing_gate_with_its_numbers() {
    let mut seen = BTreeSet::new();
    for (change, product, gate, detail) in [OF_RULES, OF_TARGETS, OF_POLICY].concat() {
        let mut world = world();
        change(&mut world);
        let snapshot = world.snapshot();
        let (decision, said) = explain(&snapshot, &world.query, &[ProductId::new(product).unwrap()]);
        assert_eq!(said[0].gate, gate, "{product}: {}", said[0].detail);
        assert!(said[0].detail.contains(detail), "{product}: {} lacks {detail}", said[0].detail);
        assert_eq!(decision, recommend(&snapshot, &world.query));
        let (decision, trace) = traced(&snapshot, &world.query);
        assert_eq!(decision, recommend(&snapshot, &world.query));
        // What the trace says of a product, explain says too.
        for entry in trace.iter().filter(|entry| entry.product.as_str() == product) {
            assert_eq!(entry, &said[0]);
        }
        seen.insert(gate);
    }
    assert_eq!(seen.len(), Gate::ALL.len());
}

#[test]
fn the_trace_has_every_candidate_once_by_id() {
    let world = world();
    let (_, trace) = traced(&world.snapshot(), &world.query);
    let told: Vec<_> = trace.iter().map(|entry| (entry.product.as_str(), entry.gate)).collect();
    let expected =
        [("card", Gate::Passed), ("case", Gate::Passed), ("case2", Gate::NeedTaken), ("film", Gate::Passed)];
    assert_eq!(told, expected);
    assert_eq!(trace[2].rule.as_ref().unwrap().as_str(), "r2");
    assert_eq!(trace[2].anchor.as_ref().unwrap().as_str(), "x100v");
}

#[test]
fn explanations_come_in_the_order_asked() {
    let world = world();
    let asked = ids(&["film", "nothing", "card", "film"]);
    let (_, said) = explain(&world.snapshot(), &world.query, &asked);
    let told: Vec<_> = said.into_iter().map(|entry| entry.product).collect();
    assert_eq!(told, asked);
}

#[test]
fn of_several_routes_the_furthest_speaks() {
    let mut world = world();
    world.rules.push(pair("r0", Relation::Accessory, is("x100v"), is("card")));
    world.rule("r0").disabled = true;
    world.product("card").price = Some(usd(89_900));
    let (_, said) = explain(&world.snapshot(), &world.query, &ids(&["card"]));
    assert_eq!(said[0].gate, Gate::PriceProportion);
    assert_eq!(said[0].rule.as_ref().unwrap().as_str(), "r1");
}
