//! One order: what was ordered, and what became of it.
//!
//! An order is told in any number of messages, in any order and any number of times, and always comes out the same:
//! of the statements of what was ordered the newest counts, and changes are a set, each by its own id.

use sidecart_catalog::{Money, OrderId, ProductId, ShopperId, Timestamp, Violation};

/// Most lines of one order.
pub const LINES_MAX: usize = 2_000;
/// Most changes of one order.
pub const CHANGES_MAX: usize = 500;

/// An order as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedOrder {
    id: OrderId,
    statement: Option<Statement>,
    /// By id, each once.
    changes: Box<[OrderChange]>,
}

/// What was ordered, before any change. Ordered so that the newer one is the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// When the rest was as it is here.
    pub updated_at: Timestamp,
    /// When the order was placed.
    pub placed_at: Timestamp,
    /// Who ordered, if known.
    pub shopper: Option<ShopperId>,
    /// What was ordered. Several lines of one product add up.
    pub lines: Box<[OrderLine]>,
    /// Where and when it is to arrive, as far as anything of that is known.
    pub delivery: Option<Box<Delivery>>,
}

/// Where and when an order is to arrive.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// When it should be with the shopper.
    pub expected: Option<Timestamp>,
    /// Until when something can be added to the same parcel.
    pub editable_until: Option<Timestamp>,
    /// Where the shopper is: an IANA time zone.
    pub time_zone: Option<Box<str>>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderLine {
    /// Which product.
    pub product: ProductId,
    /// How many, at least 1.
    pub quantity: u32,
    /// What was paid for one, if known.
    pub unit_price: Option<Money>,
}

/// Something that became of an order. Ordered so that, of one id, the newer one is the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderChange {
    /// Names it within the order.
    pub id: Box<str>,
    /// When it came about.
    pub at: Timestamp,
    /// What it is.
    pub what: WhatChanged,
}

/// What can become of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhatChanged {
    /// So much of a product was taken off before it was sent.
    Cancelled(Reversal),
    /// So much of a product was given back.
    Refunded(Reversal),
    /// The whole order has this status from then on.
    Status(OrderStatus),
    /// It should be with the shopper then.
    Expected(Timestamp),
}

/// So much of a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reversal {
    /// Which product.
    pub product: ProductId,
    /// How many. `None`: all that was ordered.
    pub quantity: Option<u32>,
}

/// Where an order stands. Of statuses equally new the greater counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderStatus {
    /// Placed.
    #[default]
    Placed,
    /// On its way.
    Shipped,
    /// With the shopper.
    Delivered,
    /// Given back whole: nothing of it counts.
    Refunded,
    /// Called off whole: nothing of it counts.
    Cancelled,
}

impl RecordedOrder {
    /// An order of what is told at once. Without a statement it is only heard of, and nothing of it counts.
    ///
    /// # Errors
    /// More lines or changes than an order may have, at `lines` or `changes`.
    pub fn new(
        id: OrderId,
        statement: Option<Statement>,
        changes: Vec<OrderChange>,
    ) -> Result<Self, Violation> {
        let statement = statement.map(Statement::sorted);
        let lines = statement.as_ref().map_or(0, |statement| statement.lines.len());
        at_most("lines", lines, LINES_MAX)?;
        Ok(Self { id, statement, changes: union(changes)? })
    }

    /// The merchant's own id.
    pub fn id(&self) -> &OrderId {
        &self.id
    }

    /// What was ordered, unless only changes were told.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    /// What became of it, by id.
    pub fn changes(&self) -> &[OrderChange] {
        &self.changes
    }

    /// Who ordered, if that is known.
    pub fn shopper(&self) -> Option<&ShopperId> {
        self.statement.as_ref()?.shopper.as_ref()
    }

    /// Where it stands.
    pub fn status(&self) -> OrderStatus {
        let statuses = self.changes.iter().filter_map(|change| match change.what {
            WhatChanged::Status(status) => Some((change.at, status)),
            _ => None,
        });
        statuses.max().map(|(_, status)| status).unwrap_or_default()
    }

    /// When it was with the shopper, if that was told.
    pub fn delivered_at(&self) -> Option<Timestamp> {
        let is_delivered = |change: &&OrderChange| change.what == WhatChanged::Status(OrderStatus::Delivered);
        self.changes.iter().filter(is_delivered).map(|change| change.at).max()
    }

    /// When it should be with the shopper, if that is known: as told last.
    pub fn expected_delivery(&self) -> Option<Timestamp> {
        let told = self.changes.iter().filter_map(|change| match change.what {
            WhatChanged::Expected(expected) => Some((change.at, expected)),
            _ => None,
        });
        told.max().map(|(_, expected)| expected).or_else(|| self.delivery()?.expected)
    }

    /// Where and when it is to arrive, as it was told with what was ordered.
    pub fn delivery(&self) -> Option<&Delivery> {
        self.statement.as_ref()?.delivery.as_deref()
    }

    /// What is left of it after all changes: products, ascending, each with how many, at least 1.
    pub fn bought(&self) -> impl Iterator<Item = (&ProductId, u64)> {
        let is_void = matches!(self.status(), OrderStatus::Refunded | OrderStatus::Cancelled);
        let statement = self.statement.as_ref().filter(|_| !is_void);
        let lines = statement.map_or(&[][..], |statement| &statement.lines);
        lines.chunk_by(|a, b| a.product == b.product).filter_map(|same| {
            let product = &same[0].product;
            let ordered: u64 = same.iter().map(|line| u64::from(line.quantity)).sum();
            let left = ordered.saturating_sub(self.reversed(product, ordered));
            (left > 0).then_some((product, left))
        })
    }

    /// How many of a product are left of it after all changes.
    pub fn left_of(&self, product: &ProductId) -> u64 {
        let Some(statement) = self.statement.as_ref() else { return 0 };
        let first = statement.lines.partition_point(|line| line.product < *product);
        let same = statement.lines[first..].iter().take_while(|line| line.product == *product);
        let ordered: u64 = same.map(|line| u64::from(line.quantity)).sum();
        if ordered == 0 || matches!(self.status(), OrderStatus::Refunded | OrderStatus::Cancelled) {
            return 0;
        }
        ordered.saturating_sub(self.reversed(product, ordered))
    }

    /// Both that is told here and there, whichever was told first.
    ///
    /// # Errors
    /// Together they have more changes than an order may have.
    pub fn merged(&self, other: Self) -> Result<Self, Violation> {
        let statement = self.statement.clone().max(other.statement);
        let changes = self.changes.iter().cloned().chain(other.changes).collect();
        Ok(Self { id: other.id, statement, changes: union(changes)? })
    }

    /// The same order of nobody, as if that had been told at a moment: what was told before does not bring its shopper back.
    pub(super) fn of_nobody(&self, at: Timestamp) -> Self {
        let mut order = self.clone();
        if let Some(statement) = &mut order.statement {
            statement.shopper = None;
            // Later than what was told, even if a clock was ahead.
            statement.updated_at = statement.updated_at.plus_ms(1).max(at);
            if let Some(delivery) = &mut statement.delivery {
                delivery.time_zone = None;
            }
        }
        order
    }

    /// The same order with other instances of equal ids.
    pub(super) fn sharing(mut self, share: impl Fn(&mut ProductId), shopper: Option<&ShopperId>) -> Self {
        if let Some(statement) = &mut self.statement {
            statement.lines.iter_mut().for_each(|line| share(&mut line.product));
            statement.shopper = shopper.cloned().or(statement.shopper.take());
        }
        self
    }

    /// How many of a product were cancelled or given back, of `ordered`.
    fn reversed(&self, product: &ProductId, ordered: u64) -> u64 {
        let of_product = self.changes.iter().filter_map(|change| match &change.what {
            WhatChanged::Cancelled(reversal) | WhatChanged::Refunded(reversal) => {
                (reversal.product == *product).then_some(reversal)
            }
            WhatChanged::Status(_) | WhatChanged::Expected(_) => None,
        });
        of_product.map(|reversal| reversal.quantity.map_or(ordered, u64::from)).sum()
    }
}

impl Statement {
    /// The same statement, however its lines were listed.
    fn sorted(mut self) -> Self {
        self.lines.sort_unstable();
        self
    }
}

/// Of each id the greatest, by id.
fn union(mut changes: Vec<OrderChange>) -> Result<Box<[OrderChange]>, Violation> {
    changes.sort_unstable_by(|a, b| b.cmp(a));
    changes.dedup_by(|smaller, kept| smaller.id == kept.id);
    changes.reverse();
    at_most("changes", changes.len(), CHANGES_MAX)?;
    Ok(changes.into())
}

fn at_most(field: &str, len: usize, max: usize) -> Result<(), Violation> {
    match len > max {
        true => Err(Violation::new(field, format!("has {len} entries, at most {max}"))),
        false => Ok(()),
    }
}
