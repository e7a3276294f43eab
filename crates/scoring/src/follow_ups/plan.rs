//! Plans: which follow-ups an order has, and when each can be sent.
//!
//! A plan is indexed by a moment that only the order moves: when it was placed, should arrive, arrived, or when something of
//! it runs out. What a policy says is added when plans are looked up, so that another policy moves no plan.

use std::{cmp::Ordering, sync::Arc};

use sidecart_catalog::{ProductId, ShopperId, Timestamp};
use sidecart_rules::{FollowUpKind, FollowUpTimes};

use crate::orders::{OrderStatus, RecordedOrder};

/// One planned follow-up: at most one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of which order, as it was when this was looked up.
    pub order: Arc<RecordedOrder>,
    /// What it is for.
    pub kind: FollowUpKind,
    /// Of a refill, of which product.
    pub product: Option<ProductId>,
}

/// When a follow-up can be sent: from the first moment, until before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub opens: Timestamp,
    /// The moment from which it cannot be sent any more.
    pub closes: Timestamp,
}

/// What the moment of an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// It is not to be looked at before; of any kind.
    Waiting,
    /// The order can be changed until then: before it ships.
    EditableUntil,
    /// It was placed then: before it ships.
    PlacedToShip,
    /// It should arrive then: before it arrives.
    Arrives,
    /// It was placed then: before it arrives.
    PlacedToArrive,
    /// It arrived then: after delivery.
    Delivered,
    /// It should arrive then: after delivery.
    ArrivesFirst,
    /// It was placed then: after delivery.
    PlacedFirst,
    /// A product of it runs out then.
    RunsOut,
}

impl Lane {
    /// All but the one of those that wait.
    pub(super) const OPEN: [Self; 8] = [
        Self::EditableUntil,
        Self::PlacedToShip,
        Self::Arrives,
        Self::PlacedToArrive,
        Self::Delivered,
        Self::ArrivesFirst,
        Self::PlacedFirst,
        Self::RunsOut,
    ];

    /// Of what kind its entries are.
    pub(super) fn kind(self) -> Option<FollowUpKind> {
        match self {
            Self::Waiting => None,
            Self::EditableUntil | Self::PlacedToShip => Some(FollowUpKind::BeforeShip),
            Self::Arrives | Self::PlacedToArrive => Some(FollowUpKind::BeforeArrival),
            Self::Delivered | Self::ArrivesFirst | Self::PlacedFirst => Some(FollowUpKind::AfterDelivery),
            Self::RunsOut => Some(FollowUpKind::Refill),
        }
    }

    /// How far from its moment an entry closes, and how far at the earliest it opens. `None`: the terms know no such window.
    fn offsets(self, times: &FollowUpTimes) -> Option<Offsets> {
        let FollowUpTimes { delay, editable, delivery, add_on, after_delivery, refill_lead, open, .. } =
            *times;
        let from_placing = |closes| Offsets { opens: Opens::AtMoment(delay), closes };
        let before = |closes| Offsets { opens: Opens::AfterPlacing(delay), closes };
        let lasting = |opens: i64| Offsets { opens: Opens::AtMoment(opens), closes: opens + open };
        match self {
            Self::Waiting => None,
            Self::EditableUntil => Some(before(0)),
            Self::PlacedToShip => (editable > 0).then(|| from_placing(editable)),
            Self::Arrives => Some(before(-add_on)),
            Self::PlacedToArrive => (delivery > 0).then(|| from_placing(delivery - add_on)),
            Self::Delivered | Self::ArrivesFirst => Some(lasting(after_delivery)),
            Self::PlacedFirst => (delivery > 0).then(|| lasting(delivery + after_delivery)),
            Self::RunsOut => Some(lasting(-refill_lead)),
        }
    }

    /// When an entry at a moment can be sent, of an order placed at another.
    pub(super) fn span(self, at: Timestamp, placed: Timestamp, times: &FollowUpTimes) -> Option<Span> {
        let Offsets { opens, closes } = self.offsets(times)?;
        let opens = match opens {
            Opens::AtMoment(offset) => at.plus_ms(offset),
            Opens::AfterPlacing(offset) => placed.plus_ms(offset),
        };
        Some(Span { opens, closes: at.plus_ms(closes) })
    }

    /// The moments of the entries that are open now: from after the first to the second; some of these may open later.
    pub(super) fn open_at(self, now: Timestamp, times: &FollowUpTimes) -> Option<(Timestamp, Timestamp)> {
        let Offsets { opens, closes } = self.offsets(times)?;
        let last = match opens {
            Opens::AtMoment(offset) => now.plus_ms(-offset),
            Opens::AfterPlacing(_) => Timestamp::from_ms(i64::MAX),
        };
        Some((now.plus_ms(-closes), last))
    }
}

struct Offsets {
    opens: Opens,
    closes: i64,
}

enum Opens {
    AtMoment(i64),
    AfterPlacing(i64),
}

/// A plan in the index: by lane and kind, then by moment, then by order.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) lane: Lane,
    pub(super) kind: FollowUpKind,
    /// Of a refill, the place of the first line of its product.
    line: u16,
    pub(super) at: Timestamp,
    /// `None` only in bounds: before all of the same moment.
    order: Option<Arc<RecordedOrder>>,
}

impl Entry {
    pub(super) fn new(plan: &Plan, lane: Lane, at: Timestamp) -> Self {
        let line = plan.product.as_ref().map_or(0, |product| {
            let lines = plan.order.statement().map_or(&[][..], |statement| &statement.lines);
            lines.partition_point(|line| line.product < *product)
        });
        let line = u16::try_from(line).expect("an order has at most 2,000 lines");
        Self { lane, kind: plan.kind, line, at, order: Some(plan.order.clone()) }
    }

    /// What comes before all entries of a lane from a moment on.
    pub(super) fn bound(lane: Lane, kind: FollowUpKind, at: Timestamp) -> Self {
        Self { lane, kind, line: 0, at, order: None }
    }

    /// The plan that it is of.
    pub(super) fn plan(&self) -> Option<Plan> {
        let order = self.order.clone()?;
        let product = (self.kind == FollowUpKind::Refill)
            .then(|| order.statement()?.lines.get(usize::from(self.line)).map(|line| line.product.clone()));
        Some(Plan { product: product.flatten(), order, kind: self.kind })
    }

    fn key(&self) -> (Option<&str>, u16) {
        (self.order.as_ref().map(|order| order.id().as_str()), self.line)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let moment = |entry: &Self| (entry.lane, entry.kind, entry.at);
        moment(self).cmp(&moment(other)).then_with(|| self.key().cmp(&other.key()))
    }
}

impl Plan {
    /// Who would be written to. A plan is made only where that is known.
    pub fn shopper(&self) -> Option<&ShopperId> {
        self.order.shopper()
    }

    /// When the order was placed.
    pub fn placed_at(&self) -> Timestamp {
        self.order.statement().map_or(Timestamp::from_ms(0), |statement| statement.placed_at)
    }
}

/// The plans of an order, without its refills, each with its lane and moment.
pub(super) fn plans_of(order: &Arc<RecordedOrder>) -> impl Iterator<Item = (Plan, Lane, Timestamp)> {
    let statement = order.statement().filter(|it| it.shopper.is_some() && order.bought().next().is_some());
    let expected = order.expected_delivery();
    let before_ship = statement.filter(|_| order.status() == OrderStatus::Placed).map(|statement| {
        let editable_until = order.delivery().and_then(|delivery| delivery.editable_until);
        let placed = (Lane::PlacedToShip, statement.placed_at);
        editable_until.map_or(placed, |until| (Lane::EditableUntil, until))
    });
    let is_on_its_way = matches!(order.status(), OrderStatus::Placed | OrderStatus::Shipped)
        && order.delivered_at().is_none();
    let before_arrival = statement.filter(|_| is_on_its_way).map(|statement| {
        expected.map_or((Lane::PlacedToArrive, statement.placed_at), |expected| (Lane::Arrives, expected))
    });
    let after = statement.map(|statement| {
        let undelivered = expected
            .map_or((Lane::PlacedFirst, statement.placed_at), |expected| (Lane::ArrivesFirst, expected));
        order.delivered_at().map_or(undelivered, |delivered| (Lane::Delivered, delivered))
    });
    [before_ship, before_arrival, after].into_iter().flatten().filter_map(|(lane, at)| {
        Some((Plan { order: order.clone(), kind: lane.kind()?, product: None }, lane, at))
    })
}
