//! Follow-ups: whom to write to after a purchase, about which order, and when.
//!
//! Plans are made of orders and can be made again from them; what became of those that were touched is truth, the ledger.
//! The index holds every plan that can still be leased: under the moment that its window hangs on, or under the moment before
//! which it is not to be looked at. Leasing looks into ranges of it, never at all of it.

mod ask;
mod choose;
mod ledger;
mod plan;
mod refills;

use std::sync::Arc;

use imbl::{GenericHashMap, GenericHashSet, OrdSet, shared_ptr::DefaultSharedPtr};
use rapidhash::fast::GlobalState;
use sidecart_catalog::{OrderId, ProductId, ShopperId, Timestamp};
use sidecart_rules::FollowUpTimes;

use self::{
    ledger::{step, with_step},
    plan::{Entry, Lane, plans_of},
    refills::Refill,
};
use crate::orders::{Orders, RecordedOrder};

pub use self::{
    ask::offers,
    choose::{Chosen, Due, Wanted, choose, is_filled, opening},
    ledger::{Ending, LeaseId, Standing, Step, Wait},
    plan::{Plan, Span},
    refills::Known,
};

type Map<K, V> = GenericHashMap<K, V, GlobalState, DefaultSharedPtr>;

/// The follow-ups of one merchant: a part of a snapshot. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct FollowUps {
    index: OrdSet<Entry>,
    ledger: Map<OrderId, Arc<[Step]>>,
    /// What of each shopper's orders runs out, by product.
    refills: Map<ShopperId, Arc<[Refill]>>,
    contacts: Map<ShopperId, Contact>,
    opted_out: GenericHashSet<ShopperId, GlobalState, DefaultSharedPtr>,
}

/// When a shopper was written to, and may be being written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Contact {
    sent_at: Option<Timestamp>,
    /// The newest lease, and until when it holds.
    leased: Option<(LeaseId, Timestamp)>,
}

impl Contact {
    /// Until when somebody may be writing to them, if that is after a moment.
    fn leased_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.leased.map(|(_, until)| until).filter(|until| *until > at)
    }
}

/// One lease that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which follow-up, of the order as it was when the follow-up was chosen.
    pub plan: Plan,
    /// Its name.
    pub id: LeaseId,
    /// From when it holds.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// No message to the shopper may be newer than this.
    pub quiet_since: Timestamp,
}

/// What became of a follow-up, as told by its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Of which order.
    pub order: OrderId,
    /// What it is for.
    pub kind: sidecart_rules::FollowUpKind,
    /// Of a refill, of which product.
    pub product: Option<ProductId>,
    /// Under which lease.
    pub lease: LeaseId,
    /// What became of it.
    pub ending: Ending,
    /// When.
    pub at: Timestamp,
}

/// What a completion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// It is noted.
    Noted,
    /// It was known.
    Known,
    /// The follow-up is not held by that lease.
    NotHeld,
}

impl FollowUps {
    /// The follow-ups of these orders, of which the ledger says what became of some.
    pub fn of(
        known: &Known<'_>,
        ledger: impl IntoIterator<Item = (OrderId, Vec<Step>)>,
        opted_out: impl IntoIterator<Item = ShopperId>,
    ) -> Self {
        let mut all = Self { opted_out: opted_out.into_iter().collect(), ..Self::default() };
        all.ledger = ledger.into_iter().map(|(order, steps)| (order, steps.into())).collect();
        known.orders.iter().for_each(|order| all.plan(order));
        for (shopper, orders) in known.orders.shoppers() {
            let refills: Arc<[Refill]> = Refill::of_all(shopper, &bought_by(shopper, known), known).into();
            refills.iter().for_each(|refill| all.add(&refill.plan(), Lane::RunsOut, refill.due));
            if !refills.is_empty() {
                all.refills.insert(shopper.clone(), refills);
            }
            if orders.iter().any(|order| all.ledger.contains_key(order.id())) {
                all.recount(shopper, known.orders);
            }
        }
        all
    }

    /// How many plans can still be leased, now or later.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// What became of the follow-ups of an order that were touched.
    pub fn steps(&self, order: &str) -> &[Step] {
        self.ledger.get(order).map_or(&[], |steps| steps)
    }

    /// The ledger: orders of which some follow-up was touched, in no order.
    pub fn ledger(&self) -> impl Iterator<Item = (&OrderId, &Arc<[Step]>)> {
        self.ledger.iter()
    }

    /// Shoppers who do not want to be written to, in no order.
    pub fn opted_out(&self) -> impl Iterator<Item = &ShopperId> {
        self.opted_out.iter()
    }

    /// Whether a shopper does not want to be written to.
    pub fn has_opted_out(&self, shopper: &str) -> bool {
        self.opted_out.contains(shopper)
    }

    /// Plans anew for an order that was recorded.
    pub fn order_changed(
        &mut self,
        before: Option<&Arc<RecordedOrder>>,
        after: &Arc<RecordedOrder>,
        known: &Known<'_>,
    ) {
        if let Some(before) = before {
            self.unplan(before);
            self.look_again(before.id());
        }
        self.plan(after);
        let both = before.into_iter().chain([after]);
        let lines = both.clone().filter_map(|order| order.statement()).flat_map(|statement| &statement.lines);
        let mut products: Vec<&ProductId> = lines.map(|line| &line.product).collect();
        products.sort_unstable();
        products.dedup();
        let mut shoppers: Vec<&ShopperId> = both.filter_map(|order| order.shopper()).collect();
        shoppers.dedup();
        let is_handed_over =
            shoppers.len() > 1 || before.is_some_and(|before| before.shopper() != after.shopper());
        for shopper in shoppers {
            self.settle(shopper, &products, known);
            if is_handed_over && self.ledger.contains_key(after.id()) {
                self.recount(shopper, known.orders);
            }
        }
    }

    /// Works out anew what runs out of all that a shopper bought, if it is out of date, and says whether it was.
    pub fn refresh(&mut self, shopper: &ShopperId, known: &Known<'_>) -> bool {
        let is_stale = self.is_stale(shopper, known);
        if is_stale {
            let gone = self.refills.get(shopper).cloned().unwrap_or_default();
            let mut products = bought_by(shopper, known);
            products.extend(gone.iter().map(|refill| &refill.product));
            products.sort_unstable();
            products.dedup();
            self.settle(shopper, &products, known);
        }
        is_stale
    }

    /// Whether what runs out of what a shopper bought is not what it would be if it were worked out now: a model was learned
    /// since, or the catalog says something else.
    pub fn is_stale(&self, shopper: &ShopperId, known: &Known<'_>) -> bool {
        let now = Refill::of_all(shopper, &bought_by(shopper, known), known);
        self.refills.get(shopper).map_or(&[][..], |refills| refills) != now
    }

    /// Takes a lease, if the follow-up is free, its order is as it was, and its shopper may be written to.
    pub fn lease(&mut self, lease: &Lease, orders: &Orders) -> bool {
        let Lease { plan, id, at, until, quiet_since } = lease;
        let Some(shopper) = plan.shopper() else { return false };
        let contact = self.contacts.get(shopper).copied().unwrap_or_default();
        let is_same = orders.get(plan.order.id().as_str()).is_some_and(|now| *now == plan.order);
        let entry = self.entry(plan).filter(|entry| entry.lane != Lane::Waiting || entry.at <= *at);
        if !is_same
            || entry.is_none_or(|entry| !self.index.contains(&entry))
            || self.opted_out.contains(shopper)
            || contact.leased_until(*at).is_some()
            || contact.sent_at.is_some_and(|sent| sent > *quiet_since)
        {
            return false;
        }
        let attempts = self.step(plan).map_or(0, |step| step.attempts).saturating_add(1);
        let standing = Standing::Waits { until: *until, why: Wait::Leased };
        let (kind, product) = (plan.kind, plan.product.clone());
        self.note(plan, Step { kind, product, lease: Some(*id), attempts, standing });
        self.contacts.insert(shopper.clone(), Contact { leased: Some((*id, *until)), ..contact });
        true
    }

    /// Does not look at a follow-up before a moment, if it is free.
    pub fn put_off(&mut self, plan: &Plan, at: Timestamp, until: Timestamp) {
        let entry = self.entry(plan).filter(|entry| entry.lane != Lane::Waiting || entry.at <= at);
        if entry.is_none_or(|entry| !self.index.contains(&entry)) {
            return;
        }
        let before = self.step(plan);
        let (lease, attempts) = before.map_or((None, 0), |step| (step.lease, step.attempts));
        let standing = Standing::Waits { until, why: Wait::PutOff };
        let (kind, product) = (plan.kind, plan.product.clone());
        self.note(plan, Step { kind, product, lease, attempts, standing });
    }

    /// Does not look at a follow-up any more, until its order changes or the program starts anew.
    pub fn give_up(&mut self, plan: &Plan) {
        if let Some(entry) = self.entry(plan) {
            self.index.remove(&entry);
        }
    }

    /// Notes what became of a leased follow-up. A lease that has ended counts as long as nobody else has taken it.
    pub fn complete(&mut self, completion: &Completion, orders: &Orders) -> Completed {
        let Completion { order, kind, product, lease, ending, at } = completion;
        let steps = self.steps(order.as_str());
        let (Some(step), Some(order)) = (step(steps, *kind, product.as_ref()), orders.get(order.as_str()))
        else {
            return Completed::NotHeld;
        };
        if step.lease != Some(*lease) {
            return Completed::NotHeld;
        }
        if step.has_ended_so(ending) {
            return Completed::Known;
        }
        if step.is_over() {
            return Completed::NotHeld;
        }
        let after = Step { standing: step.ended(ending, *at), ..step.clone() };
        self.note(&Plan { order: order.clone(), kind: *kind, product: product.clone() }, after);
        if let Some(shopper) = order.shopper() {
            let mut contact = self.contacts.get(shopper).copied().unwrap_or_default();
            // Another lease may have come after it.
            contact.leased = contact.leased.filter(|(id, _)| id != lease);
            if *ending == Ending::Sent {
                contact.sent_at = contact.sent_at.max(Some(*at));
            }
            self.contacts.insert(shopper.clone(), contact);
        }
        Completed::Noted
    }

    /// Forgets what became of the follow-ups of an order, of which nothing is in the index, and says whether there was
    /// anything.
    pub fn forget(&mut self, order: &OrderId) -> bool {
        self.ledger.remove(order).is_some()
    }

    /// Forgets a shopper who has no orders any more, and says whether they had opted out.
    pub fn forget_shopper(&mut self, shopper: &ShopperId) -> bool {
        self.contacts.remove(shopper);
        self.refills.remove(shopper);
        self.opted_out.remove(shopper).is_some()
    }

    /// Notes whether a shopper wants to be written to, and says whether that is new.
    pub fn opt(&mut self, shopper: &ShopperId, how: Opt) -> bool {
        match how {
            Opt::Out => self.opted_out.insert(shopper.clone()).is_none(),
            Opt::In => self.opted_out.remove(shopper).is_some(),
        }
    }

    /// The follow-ups of an order that can ever be sent under these terms, whatever became of them.
    pub fn plans(&self, order: &Arc<RecordedOrder>, times: &FollowUpTimes) -> Vec<(Plan, Span)> {
        let own = plans_of(order).chain(self.refills_of(order));
        let allowed = own.filter(|(plan, ..)| !times.disabled.contains(plan.kind));
        let spans = allowed.filter_map(|(plan, lane, at)| {
            let span = lane.span(at, plan.placed_at(), times)?;
            (span.opens < span.closes).then_some((plan, span))
        });
        spans.collect()
    }

    /// The refills of an order, each with its lane and moment.
    fn refills_of(&self, order: &RecordedOrder) -> impl Iterator<Item = (Plan, Lane, Timestamp)> {
        let refills = order.shopper().and_then(|shopper| self.refills.get(shopper));
        let refills = refills.into_iter().flat_map(|refills| refills.iter());
        let own = refills.filter(|refill| refill.order.id() == order.id());
        own.map(|refill| (refill.plan(), Lane::RunsOut, refill.due))
    }

    /// When a product that a shopper bought runs out, if it is one that does.
    pub(crate) fn runs_out(&self, shopper: &ShopperId, product: &ProductId) -> Option<Timestamp> {
        let refills = self.refills.get(shopper)?;
        let at = refills.binary_search_by(|refill| refill.product.cmp(product)).ok()?;
        Some(refills[at].due)
    }

    /// When a plan can be sent.
    fn span(&self, plan: &Plan, times: &FollowUpTimes) -> Option<Span> {
        let (lane, at) = self.place(plan)?;
        lane.span(at, plan.placed_at(), times)
    }

    /// The step of a plan, if it was touched.
    pub fn step(&self, plan: &Plan) -> Option<&Step> {
        step(self.steps(plan.order.id().as_str()), plan.kind, plan.product.as_ref())
    }

    /// Where a plan stands in the index while nothing has touched it.
    fn place(&self, plan: &Plan) -> Option<(Lane, Timestamp)> {
        if let Some(product) = &plan.product {
            let refills = self.refills.get(plan.shopper()?)?;
            let at = refills.binary_search_by(|refill| refill.product.cmp(product)).ok()?;
            let refill = Some(&refills[at]).filter(|refill| refill.order.id() == plan.order.id())?;
            return Some((Lane::RunsOut, refill.due));
        }
        plans_of(&plan.order).find(|(other, ..)| other.kind == plan.kind).map(|(_, lane, at)| (lane, at))
    }

    /// Its entry, if it is in the index.
    fn entry(&self, plan: &Plan) -> Option<Entry> {
        let (lane, at) = self.place(plan)?;
        entry(plan, lane, at, self.step(plan))
    }

    /// Notes a step, and moves the plan to where it then belongs.
    fn note(&mut self, plan: &Plan, new: Step) {
        let steps = self.steps(plan.order.id().as_str());
        let gone = self.place(plan).and_then(|(lane, at)| {
            let before = entry(plan, lane, at, step(steps, plan.kind, plan.product.as_ref()))?;
            Some((before, entry(plan, lane, at, Some(&new))))
        });
        let after = with_step(steps, new);
        if let Some((before, now)) = gone
            && self.index.remove(&before).is_some()
        {
            self.index.extend(now);
        }
        self.ledger.insert(plan.order.id().clone(), after);
    }

    fn plan(&mut self, order: &Arc<RecordedOrder>) {
        for (plan, lane, at) in plans_of(order) {
            self.add(&plan, lane, at);
        }
    }

    fn unplan(&mut self, order: &Arc<RecordedOrder>) {
        let all: Vec<_> = plans_of(order).chain(self.refills_of(order)).collect();
        for (plan, lane, at) in all {
            self.remove(&plan, lane, at);
        }
    }

    /// Forgets what was put off of an order, none of which is in the index: it is another order now.
    fn look_again(&mut self, order: &OrderId) {
        let Some(steps) = self.ledger.get(order) else { return };
        let is_put_off = |step: &Step| matches!(step.standing, Standing::Waits { why: Wait::PutOff, .. });
        let mut kept: Vec<Step> =
            steps.iter().filter(|step| !is_put_off(step) || step.lease.is_some()).cloned().collect();
        for step in kept.iter_mut().filter(|step| is_put_off(step)) {
            step.standing = Standing::Waits { until: Timestamp::from_ms(i64::MIN), why: Wait::PutOff };
        }
        if kept.is_empty() {
            self.ledger.remove(order);
        } else {
            self.ledger.insert(order.clone(), kept.into());
        }
    }

    fn add(&mut self, plan: &Plan, lane: Lane, at: Timestamp) {
        if let Some(entry) = self.placed(plan, lane, at) {
            self.index.insert(entry);
        }
    }

    fn remove(&mut self, plan: &Plan, lane: Lane, at: Timestamp) {
        if let Some(entry) = self.placed(plan, lane, at) {
            self.index.remove(&entry);
        }
    }

    /// Where a plan belongs in the index, given what became of it.
    fn placed(&self, plan: &Plan, lane: Lane, at: Timestamp) -> Option<Entry> {
        entry(plan, lane, at, self.step(plan))
    }

    /// Works out anew what runs out of these products, ascending, for a shopper.
    fn settle(&mut self, shopper: &ShopperId, products: &[&ProductId], known: &Known<'_>) {
        let before = self.refills.get(shopper).cloned().unwrap_or_default();
        let is_asked = |refill: &&Refill| products.binary_search(&&refill.product).is_ok();
        for refill in before.iter().filter(is_asked) {
            self.remove(&refill.plan(), Lane::RunsOut, refill.due);
        }
        let kept = before.iter().filter(|refill| !is_asked(refill)).cloned();
        let new = Refill::of_all(shopper, products, known);
        for refill in &new {
            self.add(&refill.plan(), Lane::RunsOut, refill.due);
        }
        let mut after: Vec<Refill> = kept.chain(new).collect();
        after.sort_unstable_by(|a, b| a.product.cmp(&b.product));
        if after.is_empty() {
            self.refills.remove(shopper);
        } else {
            self.refills.insert(shopper.clone(), after.into());
        }
    }

    /// Counts anew when a shopper was written to.
    fn recount(&mut self, shopper: &ShopperId, orders: &Orders) {
        let mut contact = Contact::default();
        for order in orders.of_shopper(shopper.as_str()) {
            for step in self.steps(order.id().as_str()) {
                match (&step.standing, step.lease) {
                    (Standing::Sent { at }, _) => contact.sent_at = contact.sent_at.max(Some(*at)),
                    (Standing::Waits { until, why: Wait::Leased }, Some(lease))
                        if contact.leased.is_none_or(|(_, other)| other < *until) =>
                    {
                        contact.leased = Some((lease, *until));
                    }
                    _ => {}
                }
            }
        }
        self.contacts.insert(shopper.clone(), contact);
    }
}

/// Whether a shopper wants to be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opt {
    /// They do not.
    Out,
    /// They do.
    In,
}

/// What a shopper bought, ascending.
fn bought_by<'a>(shopper: &ShopperId, known: &Known<'a>) -> Vec<&'a ProductId> {
    let orders = known.orders.of_shopper(shopper.as_str());
    let mut products: Vec<&ProductId> =
        orders.flat_map(|order| order.bought().map(|(product, _)| product)).collect();
    products.sort_unstable();
    products.dedup();
    products
}

/// Where a plan belongs in the index, given what became of it.
fn entry(plan: &Plan, lane: Lane, at: Timestamp, step: Option<&Step>) -> Option<Entry> {
    match step.map(|step| &step.standing) {
        None => Some(Entry::new(plan, lane, at)),
        Some(Standing::Waits { until, .. }) => Some(Entry::new(plan, Lane::Waiting, *until)),
        Some(Standing::Sent { .. } | Standing::Skipped { .. }) => None,
    }
}
