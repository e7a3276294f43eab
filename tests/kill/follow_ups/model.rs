//! What should be true of follow-ups, worked out from what was told and acknowledged, by rules of its own.

use std::collections::{BTreeMap, BTreeSet};

use sidecart::v1 as pb;

pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
/// What the policy of the merchant says.
pub(super) const DELAY: i64 = HOUR;
pub(super) const ADD_ON: i64 = DAY;
pub(super) const AFTER_DELIVERY: i64 = 2 * DAY;
pub(super) const REFILL_LEAD: i64 = 2 * DAY;
pub(super) const OPEN: i64 = 10 * DAY;
pub(super) const QUIET: i64 = 3 * DAY;
pub(super) const FROM_HOUR: i64 = 8;
pub(super) const UNTIL_HOUR: i64 = 21;
/// How long a piece of the consumable lasts.
pub(super) const SUPPLY: i64 = 10 * DAY;
pub(super) const CAMERA: &str = "camera";
pub(super) const BEANS: &str = "beans";

/// Which follow-up: order, kind, product.
pub(super) type Key = (String, pb::FollowUpKind, String);

/// An order as it was told.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) shopper: String,
    pub(super) placed: i64,
    /// Pieces left of each product.
    pub(super) left: BTreeMap<&'static str, i64>,
    pub(super) expected: Option<i64>,
    pub(super) editable_until: Option<i64>,
    pub(super) shipped: bool,
    pub(super) delivered: Option<i64>,
    /// Hours east of Greenwich.
    pub(super) zone: i64,
}

/// Who holds a follow-up, and until when.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) lease: String,
    pub(super) until: i64,
    pub(super) attempts: u32,
}

/// A merchant as it should be.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) orders: BTreeMap<String, Order>,
    pub(super) holds: BTreeMap<Key, Hold>,
    pub(super) done: BTreeSet<Key>,
    /// Not to be leased before: after a failure, or for want of an hour or an offer.
    pub(super) not_before: BTreeMap<Key, i64>,
    pub(super) sent_at: BTreeMap<String, i64>,
    pub(super) opted_out: BTreeSet<String>,
    /// Shoppers of whom nothing is expected before a moment, since what was put off for them may still be.
    pub(super) unsure_until: BTreeMap<String, i64>,
}

impl Order {
    /// The window of a kind, if it has one. Of refills, only for who never bought the product before.
    fn window(&self, kind: pb::FollowUpKind) -> Option<(i64, i64)> {
        let opens = self.placed + DELAY;
        match kind {
            pb::FollowUpKind::BeforeShip if !self.shipped && self.delivered.is_none() => {
                Some((opens, self.editable_until?))
            }
            pb::FollowUpKind::BeforeArrival if self.delivered.is_none() => {
                Some((opens, self.expected? - ADD_ON))
            }
            pb::FollowUpKind::AfterDelivery => {
                let opens = self.delivered.or(self.expected)? + AFTER_DELIVERY;
                Some((opens, opens + OPEN))
            }
            pb::FollowUpKind::Refill => {
                let opens = self.placed + self.left.get(BEANS)? * SUPPLY - REFILL_LEAD;
                Some((opens, opens + OPEN))
            }
            _ => None,
        }
    }

    /// Whether it is an hour to write to its shopper.
    pub(super) fn is_awake(&self, now: i64) -> bool {
        let hour = (now + self.zone * HOUR).rem_euclid(DAY) / HOUR;
        (FROM_HOUR..UNTIL_HOUR).contains(&hour)
    }
}

impl Model {
    /// Orders of a shopper that have a product left, the newest last.
    fn having(&self, shopper: &str, product: &str) -> Vec<&String> {
        let mut own: Vec<_> = self
            .orders
            .iter()
            .filter(|(_, it)| it.shopper == shopper && it.left.contains_key(product))
            .collect();
        own.sort_by_key(|(id, order)| (order.placed, (*id).clone()));
        own.into_iter().map(|(id, _)| id).collect()
    }

    /// Checks a follow-up that was handed out.
    pub(super) fn check(&self, follow_up: &pb::FollowUp, now: i64) -> Result<Key, String> {
        let key = key_of(follow_up);
        let fail = |why: &str| Err(format!("{key:?} was handed out at {now}: {why}"));
        let Some(order) = self.orders.get(&key.0) else { return fail("there is no such order") };
        if self.done.contains(&key) {
            return fail("it is over");
        }
        if self.holds.get(&key).is_some_and(|hold| hold.until > now) {
            return fail("somebody holds it");
        }
        if self.not_before.get(&key).is_some_and(|until| *until > now) {
            return fail("it failed a moment ago");
        }
        if follow_up.shopper_id != order.shopper {
            return fail("it is of another shopper");
        }
        if self.opted_out.contains(&order.shopper) {
            return fail("the shopper opted out");
        }
        if self.sent_at.get(&order.shopper).is_some_and(|sent| sent + QUIET > now) {
            return fail("its shopper was written to within the quiet days");
        }
        let of_shopper = |key: &Key| self.orders.get(&key.0).is_some_and(|it| it.shopper == order.shopper);
        if self.holds.iter().any(|(key, hold)| hold.until > now && of_shopper(key)) {
            return fail("another one of its shopper is held");
        }
        if !order.is_awake(now) {
            return fail("it is no hour to write");
        }
        let opens = follow_up.opens_at.map_or(0, |at| at.seconds);
        let closes = follow_up.closes_at.map_or(0, |at| at.seconds);
        if now < opens || now >= closes {
            return fail(&format!("its window is {opens} to {closes}"));
        }
        let is_habit = key.1 == pb::FollowUpKind::Refill && self.having(&order.shopper, BEANS).len() > 1;
        match order.window(key.1) {
            None => return fail("it has no window"),
            Some(window) if !is_habit && window != (opens, closes) => {
                return fail(&format!("its window should be {window:?}, not {:?}", (opens, closes)));
            }
            Some(_) => {}
        }
        if key.1 == pb::FollowUpKind::Refill {
            if self.having(&order.shopper, BEANS).last() != Some(&&key.0) {
                return fail("its product was bought again");
            }
            if key.2 != BEANS {
                return fail("its product is not used up");
            }
        }
        let anchors = follow_up.offers.iter().flat_map(|offer| &offer.anchor_ids);
        if let Some(gone) = anchors.into_iter().find(|anchor| !order.left.contains_key(anchor.as_str())) {
            return fail(&format!("it is about {gone}, of which nothing is left"));
        }
        if follow_up.offers.is_empty() {
            return fail("it has nothing to offer");
        }
        Ok(key)
    }

    /// Shoppers to whom something must be handed out now.
    pub(super) fn expected(&self, now: i64) -> BTreeSet<String> {
        let kinds = [
            pb::FollowUpKind::BeforeShip,
            pb::FollowUpKind::BeforeArrival,
            pb::FollowUpKind::AfterDelivery,
            pb::FollowUpKind::Refill,
        ];
        let all = self.orders.iter().flat_map(|order| kinds.map(|kind| (order, kind)));
        let due = all.filter(|((id, order), kind)| {
            let is_refill = *kind == pb::FollowUpKind::Refill;
            let product = if is_refill { BEANS } else { CAMERA };
            let key = ((*id).clone(), *kind, if is_refill { BEANS.to_owned() } else { String::new() });
            let is_open = order.window(*kind).is_some_and(|(opens, closes)| opens <= now && now < closes);
            let is_known = !is_refill || self.having(&order.shopper, BEANS).len() == 1;
            order.left.contains_key(product)
                && is_open
                && is_known
                && !self.done.contains(&key)
                && self.not_before.get(&key).is_none_or(|until| *until <= now)
                && self.is_free(&order.shopper, now)
                && order.is_awake(now)
        });
        due.map(|((_, order), _)| order.shopper.clone()).collect()
    }

    /// Whether something may, and must, be sent to a shopper.
    fn is_free(&self, shopper: &str, now: i64) -> bool {
        let is_held = |(key, hold): (&Key, &Hold)| {
            hold.until > now && self.orders.get(&key.0).is_some_and(|it| it.shopper == shopper)
        };
        !self.opted_out.contains(shopper)
            && self.sent_at.get(shopper).is_none_or(|sent| sent + QUIET <= now)
            && !self.holds.iter().any(is_held)
            && self.unsure_until.get(shopper).is_none_or(|until| *until <= now)
    }
}

/// Which follow-up it is.
pub(super) fn key_of(follow_up: &pb::FollowUp) -> Key {
    let reference = follow_up.r#ref.clone().unwrap_or_default();
    let kind = reference.kind();
    (reference.order_id, kind, reference.product_id)
}
