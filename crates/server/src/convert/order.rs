//! Recorded orders.

use sidecart::v1 as pb;
use sidecart_catalog::{OrderId, Timestamp, Violation};
use sidecart_scoring::orders::{
    CHANGES_MAX, Delivery, LINES_MAX, OrderChange, OrderLine, RecordedOrder, Reversal, Statement, WhatChanged,
};

use super::{
    bounds::{at_most, each, required, short, small},
    enums::order_status,
    id, money,
    offer::set_at,
    time, zone,
};
use crate::limits;

/// An order told by a client at `received`.
///
/// # Errors
/// The first fault; also a time too far ahead, and nothing told at all.
pub(crate) fn sent_from_pb(
    order: pb::RecordedOrder,
    received: Timestamp,
) -> Result<RecordedOrder, Violation> {
    if order.placed_at.is_none() && order.changes.is_empty() {
        return Err(Violation::new("placed_at", "is required, unless only changes are told"));
    }
    small(&order, limits::ORDER_MAX_BYTES)?;
    set_at(order.placed_at.as_ref(), "placed_at", received)?;
    set_at(order.updated_at.as_ref(), "updated_at", received)?;
    zone::known(&order.time_zone, "time_zone")?;
    for (at, change) in order.changes.iter().enumerate().take(CHANGES_MAX) {
        let set = set_at(change.at.as_ref(), "at", received);
        set.map_err(|fault| fault.within(&format!("changes[{at}]")))?;
    }
    from_pb(order)
}

/// An order.
///
/// # Errors
/// The first fault. Counts are looked at before what is counted.
pub(crate) fn from_pb(order: pb::RecordedOrder) -> Result<RecordedOrder, Violation> {
    let pb::RecordedOrder {
        order_id,
        shopper_id,
        placed_at,
        lines,
        updated_at,
        changes,
        expected_delivery,
        editable_until,
        time_zone,
    } = order;
    at_most(&lines, LINES_MAX, "lines")?;
    at_most(&changes, CHANGES_MAX, "changes")?;
    let order_id = OrderId::new(&order_id).map_err(|fault| fault.within("order_id"))?;
    let shopper = id::shopper(&shopper_id)?;
    let placed_at = time::optional(placed_at.as_ref(), "placed_at")?;
    let updated_at = time::optional(updated_at.as_ref(), "updated_at")?;
    let lines = each(lines, "lines", line)?;
    let changes = each(changes, "changes", change)?;
    short(&time_zone, limits::TIME_ZONE_MAX_BYTES, "time_zone")?;
    let delivery = Delivery {
        expected: time::optional(expected_delivery.as_ref(), "expected_delivery")?,
        editable_until: time::optional(editable_until.as_ref(), "editable_until")?,
        time_zone: (!time_zone.is_empty()).then(|| time_zone.into()),
    };
    let delivery = (delivery != Delivery::default()).then(|| Box::new(delivery));
    let statement = match placed_at {
        Some(placed_at) => {
            let updated_at = updated_at.unwrap_or(placed_at);
            Some(Statement { updated_at, placed_at, shopper, lines: lines.into(), delivery })
        }
        None if lines.is_empty() && shopper.is_none() && updated_at.is_none() && delivery.is_none() => None,
        None => {
            return Err(Violation::new("placed_at", "is required with all that is not a change"));
        }
    };
    RecordedOrder::new(order_id, statement, changes)
}

fn line(line: pb::OrderLine) -> Result<OrderLine, Violation> {
    let pb::OrderLine { product_id, quantity, unit_price } = line;
    Ok(OrderLine {
        product: id::product(&product_id)?,
        quantity: pieces(quantity)?.max(1),
        unit_price: money::optional(unit_price.as_ref(), "unit_price")?,
    })
}

fn change(change: pb::OrderChange) -> Result<OrderChange, Violation> {
    use pb::order_change::Change;
    let pb::OrderChange { change_id, at, change } = change;
    if change_id.is_empty() {
        return Err(Violation::new("change_id", "is required"));
    }
    short(&change_id, limits::ID_MAX_BYTES, "change_id")?;
    let at = required(time::optional(at.as_ref(), "at")?, "at")?;
    let what = match change {
        Some(Change::Cancelled(given)) => {
            WhatChanged::Cancelled(reversal(given).map_err(|fault| fault.within("cancelled"))?)
        }
        Some(Change::Refunded(given)) => {
            WhatChanged::Refunded(reversal(given).map_err(|fault| fault.within("refunded"))?)
        }
        Some(Change::Status(number)) => {
            let status = order_status::from_pb(number).and_then(|status| required(status, ""));
            WhatChanged::Status(status.map_err(|fault| fault.within("status"))?)
        }
        Some(Change::ExpectedDelivery(moment)) => {
            let moment = time::from_pb(&moment).map_err(|fault| fault.within("expected_delivery"))?;
            WhatChanged::Expected(moment)
        }
        None => {
            let one = "`cancelled`, `refunded`, `status` and `expected_delivery`";
            return Err(Violation::new("", format!("is empty: set one of {one}")));
        }
    };
    Ok(OrderChange { id: change_id.into(), at, what })
}

fn reversal(reversal: pb::LineReversal) -> Result<Reversal, Violation> {
    let pb::LineReversal { product_id, quantity } = reversal;
    let quantity = Some(pieces(quantity)?).filter(|quantity| *quantity > 0);
    Ok(Reversal { product: id::product(&product_id)?, quantity })
}

fn pieces(quantity: u32) -> Result<u32, Violation> {
    let max = limits::LINE_QUANTITY_MAX;
    if quantity > max {
        return Err(Violation::new("quantity", format!("is {quantity}, at most {max}")));
    }
    Ok(quantity)
}

/// The wire form.
pub(crate) fn to_pb(order: &RecordedOrder) -> pb::RecordedOrder {
    let (statement, delivery) = (order.statement(), order.delivery());
    pb::RecordedOrder {
        order_id: order.id().to_string(),
        shopper_id: order.shopper().map(ToString::to_string).unwrap_or_default(),
        placed_at: statement.map(|statement| time::to_pb(statement.placed_at)),
        lines: statement.iter().flat_map(|statement| &statement.lines).map(line_to_pb).collect(),
        updated_at: statement
            .filter(|statement| statement.updated_at != statement.placed_at)
            .map(|statement| time::to_pb(statement.updated_at)),
        changes: order.changes().iter().map(change_to_pb).collect(),
        expected_delivery: delivery.and_then(|delivery| delivery.expected).map(time::to_pb),
        editable_until: delivery.and_then(|delivery| delivery.editable_until).map(time::to_pb),
        time_zone: delivery.and_then(|delivery| delivery.time_zone.as_deref()).unwrap_or_default().to_owned(),
    }
}

/// What is left of an order, in the wire form.
pub(crate) fn bought_to_pb(order: &RecordedOrder) -> Vec<pb::OrderLine> {
    let line = |(product, quantity): (&sidecart_catalog::ProductId, u64)| pb::OrderLine {
        product_id: product.to_string(),
        quantity: u32::try_from(quantity).unwrap_or(u32::MAX),
        unit_price: None,
    };
    order.bought().map(line).collect()
}

fn line_to_pb(line: &OrderLine) -> pb::OrderLine {
    pb::OrderLine {
        product_id: line.product.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price.map(money::to_pb),
    }
}

fn change_to_pb(change: &OrderChange) -> pb::OrderChange {
    use pb::order_change::Change;
    let reversal = |reversal: &Reversal| pb::LineReversal {
        product_id: reversal.product.to_string(),
        quantity: reversal.quantity.unwrap_or(0),
    };
    let what = match &change.what {
        WhatChanged::Cancelled(given) => Change::Cancelled(reversal(given)),
        WhatChanged::Refunded(given) => Change::Refunded(reversal(given)),
        WhatChanged::Status(status) => Change::Status(order_status::to_pb(*status).into()),
        WhatChanged::Expected(moment) => Change::ExpectedDelivery(time::to_pb(*moment)),
    };
    pb::OrderChange { change_id: change.id.to_string(), at: Some(time::to_pb(change.at)), change: Some(what) }
}
