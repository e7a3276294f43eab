//! Orders told in any order, late, twice and with reversals come out as a recount from scratch says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sidecart_catalog::{Change, OrderId, ProductId, ShopperId, Timestamp};
use sidecart_scoring::orders::{
    Delivery, OrderChange, OrderLine, OrderStatus, Orders, RecordedOrder, Reversal, Statement, WhatChanged,
};

fn line(product: usize, quantity: u32) -> OrderLine {
    OrderLine { product: ProductId::new(&format!("p{product}")).unwrap(), quantity, unit_price: None }
}

fn statement() -> impl Strategy<Value = Statement> {
    let lines = prop::collection::vec((0..6usize, 1..4u32), 0..6);
    let delivery = prop::option::of((0..4i64).prop_map(|day| {
        let (expected, zone) = (Some(Timestamp::from_ms(day)), (day > 2).then(|| "UTC".into()));
        Box::new(Delivery { expected, editable_until: None, time_zone: zone })
    }));
    (0..20i64, 0..4i64, prop::option::of(0..4usize), lines, delivery).prop_map(
        |(updated_at, placed_at, shopper, lines, delivery)| Statement {
            updated_at: Timestamp::from_ms(updated_at),
            placed_at: Timestamp::from_ms(placed_at),
            shopper: shopper.map(|shopper| ShopperId::new(&format!("s{shopper}")).unwrap()),
            lines: lines.into_iter().map(|(product, quantity)| line(product, quantity)).collect(),
            delivery,
        },
    )
}

fn change() -> impl Strategy<Value = OrderChange> {
    let reversal = || {
        (0..6usize, prop::option::of(1..4u32))
            .prop_map(|(product, quantity)| Reversal { product: line(product, 1).product, quantity })
    };
    let status = prop::sample::select(vec![
        OrderStatus::Placed,
        OrderStatus::Shipped,
        OrderStatus::Delivered,
        OrderStatus::Refunded,
        OrderStatus::Cancelled,
    ]);
    let what = prop_oneof![
        3 => reversal().prop_map(WhatChanged::Cancelled),
        3 => reversal().prop_map(WhatChanged::Refunded),
        2 => status.prop_map(WhatChanged::Status),
        1 => (0..20i64).prop_map(|at| WhatChanged::Expected(Timestamp::from_ms(at))),
    ];
    (0..5usize, 0..20i64, what).prop_map(|(id, at, what)| OrderChange {
        id: format!("c{id}").into(),
        at: Timestamp::from_ms(at),
        what,
    })
}

fn message() -> impl Strategy<Value = RecordedOrder> {
    (0..5usize, prop::option::weighted(0.7, statement()), prop::collection::vec(change(), 0..3)).prop_map(
        |(id, statement, changes)| {
            RecordedOrder::new(OrderId::new(&format!("o{id}")).unwrap(), statement, changes).unwrap()
        },
    )
}

/// What is left of each order by product, counted from all messages at once.
fn left(messages: &[RecordedOrder]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let ids: BTreeSet<_> = messages.iter().map(|told| told.id().to_string()).collect();
    let of = |id: &String| {
        let told: Vec<_> = messages.iter().filter(|told| told.id().as_str() == id).collect();
        let newest = told.iter().filter_map(|told| told.statement()).max();
        let mut changes: BTreeMap<&str, &OrderChange> = BTreeMap::new();
        for change in told.iter().flat_map(|told| told.changes()) {
            let known = changes.entry(&change.id).or_insert(change);
            *known = (*known).max(change);
        }
        let mut left: BTreeMap<String, u64> = BTreeMap::new();
        for line in newest.iter().flat_map(|newest| &newest.lines) {
            *left.entry(line.product.to_string()).or_default() += u64::from(line.quantity);
        }
        let mut status = (Timestamp::from_ms(i64::MIN), OrderStatus::Placed);
        for change in changes.values() {
            match &change.what {
                WhatChanged::Cancelled(reversal) | WhatChanged::Refunded(reversal) => {
                    if let Some(pieces) = left.get_mut(reversal.product.as_str()) {
                        *pieces = reversal.quantity.map_or(0, |back| pieces.saturating_sub(back.into()));
                    }
                }
                WhatChanged::Status(new) => status = status.max((change.at, *new)),
                WhatChanged::Expected(_) => {}
            }
        }
        if matches!(status.1, OrderStatus::Refunded | OrderStatus::Cancelled) {
            left.clear();
        }
        left.retain(|_, pieces| *pieces > 0);
        (id.clone(), left)
    };
    ids.iter().map(of).collect()
}

fn record_all<'a>(messages: impl IntoIterator<Item = &'a RecordedOrder>) -> Orders {
    let mut orders = Orders::default();
    for told in messages {
        orders.record(told.clone()).unwrap();
    }
    orders
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn counts_are_those_of_a_recount(messages in prop::collection::vec(message(), 1..40)) {
        let orders = record_all(&messages);
        let expected = left(&messages);
        let mut sold: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (id, left) in &expected {
            let bought: BTreeMap<_, _> =
                orders.get(id).unwrap().bought().map(|(product, pieces)| (product.to_string(), pieces)).collect();
            prop_assert_eq!(&bought, left, "order {}", id);
            for (product, pieces) in left {
                let (orders, units) = sold.entry(product).or_default();
                *orders += 1;
                *units += pieces;
            }
        }
        let counted: BTreeMap<_, _> =
            orders.products().map(|(product, sold)| (product.as_str(), (sold.orders, sold.units))).collect();
        prop_assert_eq!(counted, sold);
        prop_assert_eq!(orders.line_count(), expected.values().map(|left| left.len() as u64).sum::<u64>());
        for shopper in ["s0", "s1", "s2", "s3"] {
            let listed: Vec<_> = orders.of_shopper(shopper).map(|order| order.id().clone()).collect();
            let is_theirs = |order: &&std::sync::Arc<RecordedOrder>| {
                order.shopper().is_some_and(|other| other.as_str() == shopper)
            };
            let mut own: Vec<_> = orders.iter().filter(is_theirs).collect();
            own.sort_by_key(|order| (order.statement().unwrap().placed_at, order.id().clone()));
            prop_assert_eq!(listed, own.into_iter().map(|order| order.id().clone()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_order_of_arrival_and_repetition_change_nothing(
        (messages, arrival) in prop::collection::vec(message(), 1..30).prop_flat_map(|messages| {
            let twice: Vec<usize> = (0..messages.len()).chain(0..messages.len()).collect();
            (Just(messages), Just(twice).prop_shuffle())
        }),
    ) {
        let straight = record_all(&messages);
        let shuffled = record_all(arrival.iter().map(|at| &messages[*at]));
        prop_assert_eq!(&straight, &shuffled);
    }
}

#[test]
fn what_is_told_again_changes_nothing() {
    let told = |changes| {
        let statement = Statement {
            updated_at: Timestamp::from_ms(1),
            placed_at: Timestamp::from_ms(1),
            shopper: None,
            lines: Box::new([line(0, 2), line(1, 1)]),
            delivery: None,
        };
        RecordedOrder::new(OrderId::new("o").unwrap(), Some(statement), changes).unwrap()
    };
    let refund = OrderChange {
        id: "r".into(),
        at: Timestamp::from_ms(2),
        what: WhatChanged::Refunded(Reversal { product: line(0, 1).product, quantity: None }),
    };
    let mut orders = Orders::default();
    assert_eq!(orders.record(told(vec![])).unwrap(), Change::Created);
    assert_eq!(orders.record(told(vec![])).unwrap(), Change::Unchanged);
    assert_eq!(orders.sold("p0").units, 2);
    assert_eq!(orders.record(told(vec![refund.clone()])).unwrap(), Change::Updated);
    assert_eq!(orders.record(told(vec![refund])).unwrap(), Change::Unchanged);
    assert_eq!(orders.record(told(vec![])).unwrap(), Change::Unchanged, "what was told before still holds");
    assert_eq!(orders.sold("p0"), Default::default());
    assert_eq!(orders.line_count(), 1);
}

#[test]
fn an_order_takes_no_more_changes_than_it_may_have() {
    let told = |from: usize, to: usize| {
        let change = |n| OrderChange {
            id: format!("c{n}").into(),
            at: Timestamp::from_ms(1),
            what: WhatChanged::Status(OrderStatus::Shipped),
        };
        RecordedOrder::new(OrderId::new("o").unwrap(), None, (from..to).map(change).collect())
    };
    assert_eq!(told(0, 501).unwrap_err().field, "changes");
    let mut orders = Orders::default();
    orders.record(told(0, 500).unwrap()).unwrap();
    let before = orders.clone();
    assert_eq!(orders.record(told(500, 501).unwrap()).unwrap_err().field, "changes");
    assert_eq!(orders, before);
}

#[test]
fn the_newest_order_is_one_of_which_something_is_left() {
    let mut orders = Orders::default();
    let mut record = |id: &str, placed: i64, changes: Vec<OrderChange>| {
        let placed_at = Timestamp::from_ms(placed);
        let shopper = ShopperId::new("s").ok();
        let statement = Statement {
            updated_at: placed_at,
            placed_at,
            shopper,
            lines: [line(1, 1)].into(),
            delivery: None,
        };
        let id = OrderId::new(id).unwrap();
        orders.record(RecordedOrder::new(id, Some(statement), changes).unwrap()).unwrap();
    };
    let what = WhatChanged::Status(OrderStatus::Cancelled);
    record("a", 1, Vec::new());
    record("b", 5, Vec::new());
    record("c", 8, vec![OrderChange { id: "void".into(), at: Timestamp::from_ms(9), what }]);
    let newest = |shopper: &str, by: i64| {
        let found = orders.newest_of(shopper, Timestamp::from_ms(by));
        found.map(|order| order.id().to_string())
    };
    assert_eq!(newest("s", 10).as_deref(), Some("b"));
    assert_eq!(newest("s", 5).as_deref(), Some("b"));
    assert_eq!(newest("s", 4).as_deref(), Some("a"));
    assert_eq!((newest("s", 0), newest("t", 10)), (None, None));
}
