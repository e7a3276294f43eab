//! Plans follow from orders: those that were planned as orders came are those that are made of all of them at once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use sidecart_catalog::{Catalog, Kind, OrderId, Product, ShopperId, Timestamp};
use sidecart_rules::FollowUpTerms;
use sidecart_scoring::{
    FollowUps, Orders,
    follow_ups::{Known, Plan, Span},
    model::Model,
    orders::{
        Delivery, OrderChange, OrderLine, OrderStatus, RecordedOrder, Reversal, Statement, WhatChanged,
    },
};
use support::{Draw, NOW, id, product};

const PRODUCTS: [&str; 4] = ["camera", "card", "beans", "tea"];
const STATUSES: [OrderStatus; 4] =
    [OrderStatus::Shipped, OrderStatus::Delivered, OrderStatus::Refunded, OrderStatus::Cancelled];

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for name in PRODUCTS {
        let mut parts = product(name, name, 900);
        if matches!(name, "beans" | "tea") {
            (parts.kind, parts.days_of_supply) = (Kind::Consumable, Some(10));
        }
        catalog.upsert(Product::new(parts).unwrap()).unwrap();
    }
    catalog
}

fn told(draw: &mut Draw) -> RecordedOrder {
    let order = OrderId::new(&format!("o{}", draw.below(30))).unwrap();
    let at = |draw: &mut Draw| NOW.plus_days(draw.below(60) as i64);
    let statement = (draw.below(3) > 0).then(|| {
        let placed_at = at(draw);
        let line = |draw: &mut Draw| OrderLine {
            product: id(PRODUCTS[draw.below(4)]),
            quantity: 1 + draw.below(3) as u32,
            unit_price: None,
        };
        let expected = (draw.below(2) > 0).then(|| placed_at.plus_days(4));
        let editable_until = (draw.below(3) == 0).then(|| placed_at.plus_days(1));
        Statement {
            updated_at: at(draw),
            placed_at,
            shopper: (draw.below(5) > 0).then(|| ShopperId::new(&format!("s{}", draw.below(4))).unwrap()),
            lines: (0..1 + draw.below(4)).map(|_| line(draw)).collect(),
            delivery: Some(Box::new(Delivery { expected, editable_until, time_zone: None })),
        }
    });
    let change = |draw: &mut Draw| OrderChange {
        id: format!("c{}", draw.below(6)).into(),
        at: at(draw),
        what: match draw.below(3) {
            0 => WhatChanged::Status(STATUSES[draw.below(4)]),
            1 => WhatChanged::Expected(at(draw)),
            _ => WhatChanged::Cancelled(Reversal { product: id(PRODUCTS[draw.below(4)]), quantity: None }),
        },
    };
    let changes = (0..draw.below(3)).map(|_| change(draw)).collect();
    RecordedOrder::new(order, statement, changes).unwrap()
}

fn plans(follow_ups: &FollowUps, orders: &Orders) -> Vec<(Plan, Span)> {
    let times =
        FollowUpTerms { editable_minutes: Some(60), delivery_days: Some(3), ..Default::default() }.times();
    let mut plans: Vec<_> = orders.iter().flat_map(|order| follow_ups.plans(order, &times)).collect();
    plans.sort_by(|(a, _), (b, _)| {
        (a.order.id(), a.kind, &a.product).cmp(&(b.order.id(), b.kind, &b.product))
    });
    plans
}

#[test]
fn what_is_planned_as_orders_come_is_what_all_orders_plan() {
    let (catalog, model, mut draw, mut planned) = (catalog(), Model::default(), Draw(7), 0);
    for _ in 0..60 {
        let (mut orders, mut follow_ups) = (Orders::default(), FollowUps::default());
        for _ in 0..80 {
            let told = told(&mut draw);
            let order = told.id().clone();
            let before = orders.get(order.as_str()).cloned();
            orders.record(told).unwrap();
            let after: Arc<RecordedOrder> = orders.get(order.as_str()).unwrap().clone();
            let known = Known { catalog: &catalog, model: &model, orders: &orders };
            follow_ups.order_changed(before.as_ref(), &after, &known);
        }
        let known = Known { catalog: &catalog, model: &model, orders: &orders };
        let anew = FollowUps::of(&known, [], []);
        assert_eq!(follow_ups.len(), anew.len());
        assert_eq!(plans(&follow_ups, &orders), plans(&anew, &orders));
        assert!(orders.shoppers().all(|(shopper, _)| !follow_ups.is_stale(shopper, &known)));
        planned += anew.len();
    }
    assert!(planned > 1_000, "so few plans show nothing: {planned}");
}

#[test]
fn what_runs_out_is_found_when_the_catalog_says_so_later() {
    let (catalog, model, mut orders) = (catalog(), Model::default(), Orders::default());
    orders.record(support::bought("o", "ann", 1, &["beans"])).unwrap();
    let empty = Catalog::default();
    let ann = ShopperId::new("ann").unwrap();
    let mut follow_ups = FollowUps::of(&Known { catalog: &empty, model: &model, orders: &orders }, [], []);
    let known = Known { catalog: &catalog, model: &model, orders: &orders };
    let refills = |follow_ups: &FollowUps| {
        plans(follow_ups, &orders).into_iter().filter(|(plan, _)| plan.product.is_some()).count()
    };
    assert_eq!(refills(&follow_ups), 0);
    assert!(follow_ups.is_stale(&ann, &known));
    assert!(follow_ups.refresh(&ann, &known));
    assert_eq!(refills(&follow_ups), 1);
    assert!(!follow_ups.refresh(&ann, &known));
    let due = plans(&follow_ups, &orders).into_iter().find(|(plan, _)| plan.product.is_some()).unwrap().1;
    assert_eq!(due.opens, Timestamp::from_ms(NOW.as_ms()).plus_days(-1 + 10 - 3));
}
