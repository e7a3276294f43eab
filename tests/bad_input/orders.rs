//! The part of the table that is about orders and what is learned from them.

use sidecart::v1::{self as pb, Outcome, order_change::Change};
use tonic::Code;

use super::build::*;

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    [wholes(), lines(), changes(), reads()].into_iter().flatten().collect()
}

fn order(id: &str, spoil: impl FnOnce(&mut pb::RecordedOrder)) -> pb::RecordedOrder {
    let mut order = pb::RecordedOrder {
        order_id: id.into(),
        placed_at: moment(1_700_000_000, 0),
        lines: vec![line(|_| {})],
        ..Default::default()
    };
    spoil(&mut order);
    order
}

fn line(spoil: impl FnOnce(&mut pb::OrderLine)) -> pb::OrderLine {
    let mut line = pb::OrderLine { product_id: "camera".into(), quantity: 1, unit_price: None };
    spoil(&mut line);
    line
}

fn change(spoil: impl FnOnce(&mut pb::OrderChange)) -> pb::OrderChange {
    let mut change = pb::OrderChange {
        change_id: "c".into(),
        at: moment(1_700_000_000, 0),
        change: Some(Change::Cancelled(pb::LineReversal { product_id: "camera".into(), quantity: 0 })),
    };
    spoil(&mut change);
    change
}

fn orders(orders: Vec<pb::RecordedOrder>) -> pb::RecordOrdersRequest {
    pb::RecordOrdersRequest { merchant_id: merchant(), orders, request_id: String::new() }
}

fn bad_order(name: &'static str, spoil: impl FnOnce(&mut pb::RecordedOrder), at: &str) -> Case {
    item(name, RECORD_ORDERS, orders(vec![order("bad", spoil)]), Outcome::Rejected, at)
}

fn bad_line(name: &'static str, spoil: impl FnOnce(&mut pb::OrderLine), at: &str) -> Case {
    let spoilt = line(spoil);
    bad_order(name, |order| order.lines.push(spoilt), &format!("orders[0].lines[1].{at}"))
}

fn bad_change(name: &'static str, spoil: impl FnOnce(&mut pb::OrderChange), at: &str) -> Case {
    let spoilt = change(spoil);
    bad_order(name, |order| order.changes.push(spoilt), &format!("orders[0].changes[0]{at}"))
}

fn wholes() -> Vec<Case> {
    let streamed = pb::ImportOrdersRequest {
        merchant_id: merchant(),
        orders: vec![order("fine", |_| {}), order("", |_| {})],
    };
    let many = (0..1_001).map(|at| order(&at.to_string(), |_| {})).collect();
    let large = |order: &mut pb::RecordedOrder| {
        order.lines = (0..2_000).map(|at| line(|line| line.product_id = format!("{at:0128}"))).collect();
    };
    let told = |order: &mut pb::RecordedOrder| (order.placed_at, order.updated_at) = (None, order.placed_at);
    vec![
        field("empty list: orders", RECORD_ORDERS, orders(vec![]), "orders"),
        field("long list: orders", RECORD_ORDERS, orders(many), "orders"),
        bad_order("empty: order id", |order| order.order_id.clear(), "orders[0].order_id"),
        bad_order("long: order id", |order| order.order_id = "x".repeat(129), "orders[0].order_id"),
        bad_order(
            "control character: shopper",
            |order| order.shopper_id = "a\nb".into(),
            "orders[0].shopper_id",
        ),
        bad_order("nothing told", |order| order.placed_at = None, "orders[0].placed_at"),
        bad_order("updated, never placed", told, "orders[0].placed_at"),
        bad_order("future: placed", |order| order.placed_at = Some(from_now(3_700)), "orders[0].placed_at"),
        bad_order(
            "future: updated",
            |order| order.updated_at = Some(from_now(3_700)),
            "orders[0].updated_at",
        ),
        bad_order("bad time: placed", |order| order.placed_at = moment(0, -1), "orders[0].placed_at.nanos"),
        bad_order("large: order", large, "orders[0]"),
        item(
            "duplicate id: orders",
            RECORD_ORDERS,
            orders(vec![order("twice", |_| {}), order("twice", |_| {})]),
            Outcome::Rejected,
            "orders[1].order_id",
        ),
        item("streamed: order id", IMPORT_ORDERS, streamed, Outcome::Rejected, "orders[1].order_id"),
        field("no merchant: orders", RECORD_ORDERS, pb::RecordOrdersRequest::default(), "merchant_id"),
    ]
}

fn lines() -> Vec<Case> {
    let many = |order: &mut pb::RecordedOrder| order.lines = vec![line(|_| {}); 2_001];
    vec![
        bad_line("empty: line's product", |line| line.product_id.clear(), "product_id"),
        bad_line("absurd: line's quantity", |line| line.quantity = 1_000_001, "quantity"),
        bad_line("bad money: line", |line| line.unit_price = money("usd", 1), "unit_price.currency"),
        bad_order("long list: lines", many, "orders[0].lines"),
    ]
}

fn changes() -> Vec<Case> {
    let back = |quantity| pb::LineReversal { product_id: "camera".into(), quantity };
    let nothing = pb::LineReversal::default();
    let many = |order: &mut pb::RecordedOrder| {
        order.changes = (0..501).map(|at| change(|change| change.change_id = at.to_string())).collect();
    };
    vec![
        bad_change("empty: change id", |change| change.change_id.clear(), ".change_id"),
        bad_change("absent: change's time", |change| change.at = None, ".at"),
        bad_change("future: change", |change| change.at = Some(from_now(3_700)), ".at"),
        bad_change("empty: change", |change| change.change = None, ""),
        bad_change("unspecified: status", |change| change.change = Some(Change::Status(0)), ".status"),
        bad_change("unknown enum: status", |change| change.change = Some(Change::Status(99)), ".status"),
        bad_change(
            "absurd: reversal",
            |change| change.change = Some(Change::Refunded(back(1_000_001))),
            ".refunded.quantity",
        ),
        bad_change(
            "empty: reversed product",
            |change| change.change = Some(Change::Cancelled(nothing)),
            ".cancelled.product_id",
        ),
        bad_order("long list: changes", many, "orders[0].changes"),
    ]
}

fn reads() -> Vec<Case> {
    let get =
        |id: &str| pb::GetOrderRequest { merchant_id: merchant(), order_id: id.into(), min_generation: 0 };
    let model = pb::GetModelRequest { merchant_id: merchant(), min_generation: 0 };
    vec![
        field("empty: order asked for", GET_ORDER, get(""), "order_id"),
        field("no merchant: learn", LEARN_AFFINITIES, pb::LearnAffinitiesRequest::default(), "merchant_id"),
        field("empty: anchor", LIST_AFFINITIES, pb::ListAffinitiesRequest::default(), "anchor_id"),
        code("nothing learned", GET_MODEL, model, Code::NotFound, "MODEL_NOT_FOUND"),
        code("unknown: order", GET_ORDER, get("nowhere"), Code::NotFound, "ORDER_NOT_FOUND"),
    ]
}
