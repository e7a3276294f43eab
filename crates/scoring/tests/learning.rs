//! What is learned from orders: from which, what is offered of it, and what is not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use sidecart_catalog::Kind;
use sidecart_rules::{Override, Policy, Relation, Says, Stage};
use sidecart_scoring::{
    AffinityKind, Evidence, Gate, Level, Orders, Source, Why, evaluate::Relabeling, explain, learn::learn,
    orders::RecordedOrder, recommend, traced,
};
use support::*;

/// Shelves of five products each; products of one shelf are never bought together, and of two shelves that go together
/// the products of equal number are.
const SHELVES: [(&str, &str); 3] = [("camera", "card"), ("printer", "ink"), ("lamp", "bulb")];

fn shop() -> World {
    let mut products = Vec::new();
    for (anchor, target) in SHELVES {
        for nth in 0..5 {
            products.push(product(&format!("{anchor}{nth}"), &format!("Things > {anchor}s"), 50_000));
            products.push(product(&format!("{target}{nth}"), &format!("More > {target}s"), 2_000));
        }
    }
    products.extend(
        (0..30).map(|nth| product(&format!("other{nth:02}"), &format!("Misc > m{}", nth % 6), 1_000)),
    );
    World { products, rules: Vec::new(), orders: orders(600), query: query(Stage::Product, &["camera1"]) }
}

fn orders(count: usize) -> Vec<RecordedOrder> {
    let mut draw = Draw(1);
    let order = |nth: usize| {
        let ((anchor, target), number) = (SHELVES[draw.below(3)], draw.below(5));
        let mut lines = vec![format!("{anchor}{number}")];
        if draw.below(10) < 6 {
            lines.push(format!("{target}{number}"));
        }
        (0..draw.below(3)).for_each(|_| lines.push(format!("other{:02}", draw.below(30))));
        lines.sort_unstable();
        lines.dedup();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let shopper = format!("s{}", draw.below(80));
        bought(&format!("o{nth:04}"), &shopper, 200 - (nth * 200 / count) as i64, &lines)
    };
    (0..count).map(order).collect()
}

/// Sixty shoppers `b-0` to `b-59` buy the one, and the first forty of them the other a month later.
fn later(one: &str, other: &str) -> Vec<RecordedOrder> {
    let of = |shopper: usize, days_ago: i64, product: &str| {
        bought(&format!("{product}-{shopper}"), &format!("b-{shopper}"), days_ago, &[product])
    };
    let first = (0..60).map(|shopper| of(shopper, 90, one));
    first.chain((0..40).map(|shopper| of(shopper, 60, other))).collect()
}

fn offered(world: &World) -> Vec<String> {
    let decision = recommend(&world.snapshot(), &world.query);
    decision.offers.iter().map(|offer| offer.target.product().id().to_string()).collect()
}

#[test]
fn what_is_bought_together_is_offered_and_says_on_what_evidence() {
    let mut world = shop();
    for nth in 0..5 {
        world.query.anchors = ids(&[&format!("camera{nth}")]);
        let decision = recommend(&world.snapshot(), &world.query);
        let first = &decision.offers[0];
        assert_eq!(first.target.product().id().as_str(), format!("card{nth}"));
        assert_eq!((first.source, first.relation), (Source::Affinity(AffinityKind::BoughtWith), None));
        let Evidence::Orders { level, support, lift, provenance } = &first.evidence else {
            panic!("orders say so")
        };
        assert!(*support >= 10 && *lift > 1.0, "{support} {lift}");
        assert_eq!((*level, provenance.as_deref()), (Level::Product, None));
        assert_eq!(first.reason.code, "BOUGHT_WITH_PRODUCT");
    }
}

#[test]
fn what_is_bought_together_by_chance_is_not_offered() {
    let world = shop();
    for id in offered(&world) {
        assert!(!id.starts_with("other"), "{id} is beside everything, by chance");
    }
}

#[test]
fn a_cart_is_judged_as_a_whole() {
    let mut world = shop();
    world.query = query(Stage::Cart, &[]);
    world.query.cart = vec![line("camera2", 1), line("lamp3", 1)];
    let mut first_two = offered(&world)[..2].to_vec();
    first_two.sort_unstable();
    assert_eq!(first_two, ["bulb3", "card2"]);
    world.query.cart.push(line("card2", 1));
    assert_eq!(offered(&world)[0], "bulb3", "the camera has its card");
}

#[test]
fn pairings_with_positions_come_first_and_others_compete() {
    let mut world = shop();
    let mut pinned = pair("pin", Relation::Accessory, is("camera1"), is("other00"));
    if let Says::Pairing(pairing) = &mut pinned.says {
        pairing.position = Some(1);
    }
    world.rules.push(pinned);
    assert_eq!(offered(&world)[..2], ["other00", "card1"]);
}

#[test]
fn a_pairing_speaks_for_a_product_that_orders_know_too() {
    let mut world = shop();
    world.rules.push(pair("card", Relation::Accessory, is("camera1"), is("card1")));
    let decision = recommend(&world.snapshot(), &world.query);
    assert_eq!(
        (decision.offers[0].source, decision.offers[0].relation),
        (Source::Pairing, Some(Relation::Accessory))
    );
    assert!(decision.offers[0].score > sidecart_scoring::prior(Relation::Accessory, Stage::Product));
}

#[test]
fn blocks_hold_for_what_was_learned() {
    let mut world = shop();
    let mut block = pair("no", Relation::Accessory, is("camera1"), is("card1"));
    block.says = Says::Block;
    world.rules.push(block);
    assert!(!offered(&world).contains(&"card1".to_owned()));
}

#[test]
fn the_order_of_arrival_and_the_number_of_threads_change_nothing() {
    let world = shop();
    let snapshot = world.snapshot();
    let mut arrivals = world.orders.clone();
    arrivals.reverse();
    let mut draw = Draw(7);
    for at in (1..arrivals.len()).rev() {
        arrivals.swap(at, draw.below(at + 1));
    }
    let mut orders = Orders::default();
    for order in arrivals.iter().chain(&arrivals) {
        orders.record(order.clone()).unwrap();
    }
    for threads in [1, 2, 5] {
        assert!(learn(&orders, snapshot.catalog(), threads) == *snapshot.model(), "{threads} threads");
    }
}

#[test]
fn a_shop_with_few_orders_is_neither_silent_nor_misled() {
    let mut world = shop();
    world.orders.truncate(0);
    assert_eq!(offered(&world), [""; 0]);
    world.orders = orders(600).into_iter().take(200).collect();
    let (mut right, mut wrong) = (0, 0);
    for (anchor, target) in SHELVES {
        for nth in 0..5 {
            world.query.anchors = ids(&[&format!("{anchor}{nth}")]);
            for id in offered(&world) {
                if id == format!("{target}{nth}") { right += 1 } else { wrong += 1 }
            }
        }
    }
    assert!(right >= 10 && wrong <= 1, "{right} right, {wrong} wrong");
}

#[test]
fn ids_shuffled_over_orders_leave_nothing_to_offer() {
    let mut world = shop();
    world.orders = orders(1_000);
    let snapshot = world.snapshot();
    let relabeling = Relabeling::new(snapshot.catalog(), snapshot.orders(), 2);
    let real = relabeling.offers();
    assert!(real >= 15, "{real}");
    let by_chance: usize = (0..100).map(|seed| relabeling.offers_on_chance(seed)).sum();
    assert!(by_chance < real, "{by_chance} by chance in 100 relabelings, {real} real ones");
}

#[test]
fn a_product_that_was_never_sold_is_answered_by_those_like_it() {
    let mut world = shop();
    let mut twin = product("camera9", "Things > cameras", 50_000);
    twin.family = family("camera2");
    world.products.push(twin);
    world.products.push(product("camera8", "Things > cameras", 50_000));
    world.products.push(product("thing", "Things > gadgets", 50_000));
    for (anchor, level) in [("camera9", Level::Family), ("camera8", Level::Leaf), ("thing", Level::Parent)] {
        world.query.anchors = ids(&[anchor]);
        world.query.policy = Arc::new(Policy::open());
        let decision = recommend(&world.snapshot(), &world.query);
        let Evidence::Orders { level: found, .. } = &decision.offers[0].evidence else {
            panic!("orders say so")
        };
        assert_eq!(*found, level, "{anchor}");
    }
    world.query.anchors = ids(&["camera9"]);
    assert_eq!(offered(&world)[0], "card2", "as its sibling");
    world.limits(Override::default());
    assert_eq!(
        offered(&world),
        ["card2"],
        "its own orders are too few to tell, those of its sibling are not"
    );
    world.orders.push(bought("first", "", 1, &["camera9"]));
    assert_eq!(offered(&world), ["card2"], "nor are they once it is sold");
    world.orders.extend((0..20).map(|nth| bought(&format!("n{nth}"), "", 1, &["camera8", "bulb0"])));
    world.query.anchors = ids(&["camera8"]);
    assert_eq!(offered(&world)[0], "bulb0", "its own evidence, as soon as there is some");
}

#[test]
fn a_consumable_is_offered_again_when_the_shopper_is_due() {
    let mut world = shop();
    for nth in 0..5 {
        world.product(&format!("ink{nth}")).kind = Kind::Consumable;
    }
    // Every month ink, by forty shoppers; and once a lamp.
    for shopper in 0..40 {
        for month in 0..6 {
            let (id, days) = (format!("i{shopper}-{month}"), 170 - month * 28 + shopper % 5);
            world.orders.push(bought(
                &id,
                &format!("ink-{shopper}"),
                days,
                &[&format!("ink{}", shopper % 5)],
            ));
        }
        world.orders.push(bought(&format!("l{shopper}"), &format!("ink-{shopper}"), 100, &["lamp0"]));
    }
    world.query = query(Stage::Replenish, &["ink3"]);
    world.query.shopper = sidecart_catalog::ShopperId::new("ink-3").ok();
    let decision = recommend(&world.snapshot(), &world.query);
    let first = &decision.offers[0];
    assert_eq!(first.target.product().id().as_str(), "ink3");
    assert_eq!(first.source, Source::Affinity(AffinityKind::BoughtAgain));
    assert!(!offered(&world).contains(&"lamp0".to_owned()), "nobody buys a second lamp");
}

#[test]
fn what_is_bought_later_is_offered_after_the_purchase() {
    let mut world = shop();
    world.orders.extend(later("printer4", "other07"));
    world.query = query(Stage::Delivered, &["printer4"]);
    world.query.shopper = sidecart_catalog::ShopperId::new("b-55").ok();
    let decision = recommend(&world.snapshot(), &world.query);
    let found =
        decision.offers.iter().find(|offer| offer.target.product().id().as_str() == "other07").unwrap();
    assert_eq!(found.source, Source::Affinity(AffinityKind::BoughtAfter));
    assert_eq!(found.reason.code, "BOUGHT_AFTER_DELIVERED");
}

#[test]
fn another_of_a_kind_that_is_bought_at_another_time_is_a_substitute() {
    let mut world = shop();
    for nth in 0..5 {
        world.product(&format!("ink{nth}")).kind = Kind::Consumable;
    }
    world.orders.extend(later("ink4", "ink3"));
    world.query = query(Stage::Delivered, &["ink4"]);
    world.query.shopper = sidecart_catalog::ShopperId::new("b-55").ok();
    let (decision, said) = explain(&world.snapshot(), &world.query, &ids(&["ink3"]));
    assert_eq!(said[0].gate, Gate::Substitute, "{said:?}");
    assert!(decision.offers.iter().all(|offer| offer.target.product().id().as_str() != "ink3"));
    world.query.policy = Arc::new(Policy::open());
    assert!(offered(&world).contains(&"ink3".to_owned()), "where the policy does not mind");
}

#[test]
fn a_product_with_few_orders_leaves_the_word_to_its_category() {
    let mut world = shop();
    let order = |nth: usize, lines: &[&str]| bought(&format!("t{nth:03}"), "", 20, lines);
    for id in ["tripod", "stand", "mount"] {
        world.products.push(product(id, "Things > tripods", 9_000));
    }
    world.products.push(product("clamp", "More > clamps", 900));
    world.products.push(product("hook", "More > hooks", 900));
    world.orders.extend((0..40).map(|nth| order(nth, &["clamp", "hook", "stand"])));
    world.orders.extend((40..60).map(|nth| order(nth, &["clamp", "mount"])));
    world.orders.extend((60..64).map(|nth| order(nth, &["tripod"])));
    world.query.anchors = ids(&["tripod"]);
    let decision = recommend(&world.snapshot(), &world.query);
    assert_eq!(offered(&world), ["clamp"], "what goes with one of the others alone says nothing of this one");
    let offer = &decision.offers[0];
    let Evidence::Orders { level, lift, .. } = &offer.evidence else { panic!("orders say so") };
    assert!((*level, *lift > 1.0) == (Level::Leaf, true), "{level:?} {lift}");
    assert_eq!(offer.reason.text, "Often bought with things like this: The clamp.");
    // With orders enough of its own, which do not show it, it is no longer offered.
    world.orders.extend((64..120).map(|nth| order(nth, &["other00", "tripod"])));
    assert!(!offered(&world).contains(&"clamp".to_owned()));
}

#[test]
fn what_others_bought_later_is_put_down_to_what_they_bought_before() {
    let mut world = shop();
    world.orders.extend(later("printer4", "other07"));
    // The history leads to a bulb too, which is no reason to keep it from those who have a lamp.
    world.orders.extend((0..30).map(|nth| bought(&format!("r{nth}"), &format!("b-{nth}"), 50, &["bulb2"])));
    world.query = query(Stage::Delivered, &["lamp2"]);
    world.query.shopper = sidecart_catalog::ShopperId::new("b-55").ok();
    let ids = offered(&world);
    assert!(!ids.contains(&"other07".to_owned()), "it follows a printer, not the lamp: {ids:?}");
    assert!(ids.contains(&"bulb2".to_owned()), "what goes with the lamp is there all the same: {ids:?}");
    let (explained, said) = explain(&world.snapshot(), &world.query, &[id("bulb2")]);
    assert_eq!((explained.offers.len(), said[0].gate), (ids.len(), Gate::Passed));
}

#[test]
fn why_nothing_is_offered_does_not_depend_on_who_asks() {
    let mut world = shop();
    world.limits(Override { lift_min: Some(900.0), ..Override::default() });
    let snapshot = world.snapshot();
    let (explained, _) = explain(&snapshot, &world.query, &ids(&["card1"]));
    assert_eq!(recommend(&snapshot, &world.query).why, Why::AllGated);
    assert_eq!((explained.why, traced(&snapshot, &world.query).0.why), (Why::AllGated, Why::AllGated));
    world.products.push(product("loner", "Alone > loners", 50_000));
    world.query.anchors = ids(&["loner"]);
    let snapshot = world.snapshot();
    assert_eq!(recommend(&snapshot, &world.query).why, Why::NoEvidence);
    assert_eq!(traced(&snapshot, &world.query).0.why, Why::NoEvidence);
}

#[test]
fn one_wrong_date_does_not_make_all_else_new() {
    let mut world = shop();
    let before = world.snapshot();
    world.orders.push(bought("wrong", "", 700_000, &["other01"]));
    let after = world.snapshot();
    let chances = |snapshot: &sidecart_scoring::Snapshot| {
        let list = snapshot.model().bought_with(&id("camera1"));
        list.iter().find(|it| it.target.as_str() == "card1").unwrap().chance
    };
    assert!((chances(&before) - chances(&after)).abs() < 0.01, "{} {}", chances(&before), chances(&after));
}

#[test]
fn what_is_bought_most_is_there_when_nothing_else_is_but_below_every_floor() {
    let mut world = shop();
    world.products.push(product("loner", "Alone > loners", 50_000));
    world.query.anchors = ids(&["loner"]);
    assert_eq!(offered(&world), [""; 0]);
    world.query.policy = Arc::new(Policy::open());
    let decision = recommend(&world.snapshot(), &world.query);
    let Evidence::Orders { level, support, lift, .. } = decision.offers[0].evidence else {
        panic!("orders say so")
    };
    assert_eq!((decision.offers.len(), level, support, lift), (10, Level::Shop, 0, 0.0));
}

#[test]
fn orders_of_one_shopper_that_are_too_often_alike_are_left_out() {
    let mut world = shop();
    let bot = |count: usize| {
        let order = |nth| bought(&format!("bot{nth:04}"), "bot", 30, &["camera1", "other07"]);
        (0..count).map(order).collect::<Vec<_>>()
    };
    world.orders.extend(bot(10));
    let few = world.snapshot();
    world.orders.extend(bot(500));
    let many = world.snapshot();
    assert_eq!(few.model().parts().facts.skipped, 0);
    assert_eq!(many.model().parts().facts.skipped, 490);
    assert_eq!(many.model().parts().with, few.model().parts().with);
    // What different people order alike counts, and so do orders of nobody.
    let of = |nth: usize| bought(&format!("c{nth:04}"), "", 30, &["camera1", "other07"]);
    world.orders.extend((0..50).map(of));
    assert_eq!(world.snapshot().model().parts().facts.orders, many.model().parts().facts.orders + 50);
}

#[test]
fn huge_orders_are_left_out() {
    let mut world = shop();
    let before = world.snapshot();
    let all: Vec<String> = (0..160).map(|nth| format!("w{nth}")).collect();
    let lines: Vec<&str> = all.iter().map(String::as_str).collect();
    world.orders.push(bought("wholesale", "w", 50, &lines));
    let after = world.snapshot();
    assert_eq!(after.model().parts().facts.skipped, 1);
    assert_eq!(after.model().parts().with, before.model().parts().with);
}

#[test]
fn explain_names_the_floor_that_stops_what_was_learned() {
    let mut world = shop();
    world.limits(Override { lift_min: Some(900.0), ..Override::default() });
    let (decision, said) = explain(&world.snapshot(), &world.query, &ids(&["card1"]));
    assert!(decision.offers.is_empty());
    assert!(said[0].detail.starts_with("lift ") && said[0].detail.contains("< 900"), "{}", said[0].detail);
    assert_eq!(said[0].anchor.as_ref().unwrap().as_str(), "camera1");
}
