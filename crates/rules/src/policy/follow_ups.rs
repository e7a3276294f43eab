//! When customers are written to after a purchase.

use sidecart_catalog::Violation;

use crate::{check, context::set};

/// Longest delay, in minutes: a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;
/// Longest time of all others, in days.
const DAYS_MAX: u32 = 90;
/// Longest name of a time zone, in bytes.
const TIME_ZONE_BYTES_MAX: usize = 64;
/// Where customers are of whom nothing is known.
const TIME_ZONE: &str = "UTC";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What a message after a purchase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FollowUpKind {
    /// Something to put into the same parcel, while the order can still be changed.
    BeforeShip,
    /// What is needed on day one, ordered in time to be there as well.
    BeforeArrival,
    /// How to get more out of what has arrived.
    AfterDelivery,
    /// Something that is used up is running out.
    Refill,
}

set! {
    /// A set of kinds.
    FollowUpKinds of FollowUpKind
}

/// What a policy says of when customers are written to; `None` says nothing. Units and ranges as in the proto.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FollowUpTerms {
    /// Kinds that are not sent. `None`, or an empty set on the wire, says nothing.
    pub disabled: Option<FollowUpKinds>,
    /// Minutes after an order is placed before anything is sent about it. 0 to 10,080; built in 60.
    pub delay_minutes: Option<u32>,
    /// Minutes after an order is placed in which it can be changed, where the order does not say. 0 to 10,080; built in 0:
    /// not known.
    pub editable_minutes: Option<u32>,
    /// Days from placing to delivery, where the order does not say. 0 to 90; built in 0: not known.
    pub delivery_days: Option<u32>,
    /// Days that an add-on takes to be with the customer. 0 to 90; built in 2.
    pub add_on_days: Option<u32>,
    /// Days after delivery. 0 to 90; built in 3.
    pub after_delivery_days: Option<u32>,
    /// Days before something runs out. 0 to 90; built in 3.
    pub refill_lead_days: Option<u32>,
    /// Days for which a follow-up after delivery or of a refill can be sent. 1 to 90; built in 14.
    pub open_days: Option<u32>,
    /// Days in which one customer is written to at most once. 0 to 90; built in 7.
    pub quiet_days: Option<u32>,
    /// The first hour of the day in which customers are written to. 0 to 23; built in 9.
    pub from_hour: Option<u32>,
    /// The hour from which they are not any more. 1 to 24, after the first; built in 20.
    pub until_hour: Option<u32>,
    /// Where customers are of whom the order does not say: an IANA time zone; built in UTC.
    pub time_zone: Option<Box<str>>,
}

/// Times of follow-ups, in milliseconds, with what is built in where a policy says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUpTimes {
    /// Kinds that are not sent.
    pub disabled: FollowUpKinds,
    /// From placing an order to the first message.
    pub delay: i64,
    /// From placing an order to when it can no longer be changed, where the order does not say. 0: not known.
    pub editable: i64,
    /// From placing to delivery, where the order does not say. 0: not known.
    pub delivery: i64,
    /// From ordering an add-on to its delivery.
    pub add_on: i64,
    /// From delivery to the message after it.
    pub after_delivery: i64,
    /// From the message to when something runs out.
    pub refill_lead: i64,
    /// How long messages after delivery and of refills can be sent.
    pub open: i64,
    /// From one message to a customer to the next.
    pub quiet: i64,
}

impl FollowUpTerms {
    /// Checks ranges. Field paths are the proto's, below `follow_ups`.
    ///
    /// # Errors
    /// The first value out of range.
    pub(super) fn check(&self) -> Result<(), Violation> {
        let counts = [
            ("delay_minutes", self.delay_minutes, 0, MINUTES_MAX),
            ("editable_minutes", self.editable_minutes, 0, MINUTES_MAX),
            ("delivery_days", self.delivery_days, 0, DAYS_MAX),
            ("add_on_days", self.add_on_days, 0, DAYS_MAX),
            ("after_delivery_days", self.after_delivery_days, 0, DAYS_MAX),
            ("refill_lead_days", self.refill_lead_days, 0, DAYS_MAX),
            ("open_days", self.open_days, 1, DAYS_MAX),
            ("quiet_days", self.quiet_days, 0, DAYS_MAX),
            ("from_hour", self.from_hour, 0, 23),
            ("until_hour", self.until_hour, 1, 24),
        ];
        for (field, value, min, max) in counts {
            value.map_or(Ok(()), |value| check::range(field, value, min, max))?;
        }
        let (from, until) = self.hours();
        if until <= from {
            let description = format!("is {until}, which is not after `from_hour` ({from})");
            return Err(Violation::new("until_hour", description));
        }
        self.time_zone.as_ref().map_or(Ok(()), |zone| check::text("time_zone", zone, TIME_ZONE_BYTES_MAX))
    }

    /// The times, with what is built in.
    pub fn times(&self) -> FollowUpTimes {
        let minutes = |said: Option<u32>, built_in: u32| i64::from(said.unwrap_or(built_in)) * MINUTE_MS;
        let days = |said: Option<u32>, built_in: u32| i64::from(said.unwrap_or(built_in)) * DAY_MS;
        FollowUpTimes {
            disabled: self.disabled.unwrap_or(FollowUpKinds::NONE),
            delay: minutes(self.delay_minutes, 60),
            editable: minutes(self.editable_minutes, 0),
            delivery: days(self.delivery_days, 0),
            add_on: days(self.add_on_days, 2),
            after_delivery: days(self.after_delivery_days, 3),
            refill_lead: days(self.refill_lead_days, 3),
            open: days(self.open_days, 14),
            quiet: days(self.quiet_days, 7),
        }
    }

    /// The hours of the day in which customers are written to: from the first until before the second.
    pub fn hours(&self) -> (u32, u32) {
        (self.from_hour.unwrap_or(9), self.until_hour.unwrap_or(20))
    }

    /// Where customers are of whom nothing is known.
    pub fn time_zone(&self) -> &str {
        self.time_zone.as_deref().unwrap_or(TIME_ZONE)
    }
}
