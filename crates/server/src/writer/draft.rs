//! A draft: the next generation of one merchant while a group of changes is laid over it.
//!
//! Applying is deterministic and touches neither disk nor clock: the writer commits the draft's rows, then publishes
//! its parts. A draft that is dropped has changed nothing.

use std::sync::Arc;

use bytes::Bytes;
use sidecart_catalog::{
    Catalog, Change as Done, Entry, OfferPatch, OrderId, Patched, Product, ProductId, ShopperId, Timestamp,
    Violation,
};
use sidecart_rules::{Policy, PolicyName, Rule, RuleId};
use sidecart_scoring::{
    Parts,
    follow_ups::{Completed, Completion, Opt},
    orders::RecordedOrder,
};

use crate::{
    change::{Change, Claims, Outcome, Refusal},
    diff::{Difference, differences},
    limits::PRODUCTS_MAX,
    store::{MerchantBatch, RowKind, Staged},
};

use super::{
    prepare::{Part, Replacement},
    rows::{OptedOut, Record, Steps},
};

/// One write of a record, or of all records of a kind.
enum Write {
    Put(RowKind, Box<[u8]>, Bytes),
    Delete(RowKind, Box<[u8]>),
    Flip(Staged),
}

/// The next generation of one merchant.
pub(super) struct Draft {
    /// What it will be served from.
    pub(super) parts: Parts,
    /// What is to be written, in order.
    writes: Vec<Write>,
    /// How many products, rules, policies and orders differ so far.
    pub(super) changed: usize,
    /// Whether only what streams in differs so far: products and orders, not what people edit.
    pub(super) streamed_only: bool,
    /// The last call that changed something.
    pub(super) cause: &'static str,
    /// When the last of the changes was received.
    pub(super) at: Timestamp,
}

impl Draft {
    /// A draft that does not differ yet.
    pub(super) fn new(parts: Parts, at: Timestamp) -> Self {
        Self { parts, writes: Vec::new(), changed: 0, streamed_only: true, cause: "", at }
    }

    /// Lays a change over the draft.
    ///
    /// # Errors
    /// The change is refused as a whole; the draft is as before.
    pub(super) fn apply(&mut self, change: Change) -> Result<Vec<Outcome>, Refusal> {
        match change {
            Change::UpsertProducts(all) => Ok(all.into_iter().map(|one| self.upsert_product(one)).collect()),
            Change::SetOffers(all) => Ok(all.iter().map(|(id, patch)| self.set_offer(id, patch)).collect()),
            Change::DeleteProducts(ids) => Ok(ids.iter().map(|id| self.delete_product(id)).collect()),
            Change::UpsertRules(all) => Ok(all.into_iter().map(|one| self.upsert_rule(one)).collect()),
            Change::DeleteRules(ids) => Ok(ids.iter().map(|id| self.delete_rule(id)).collect()),
            Change::SetPolicy(policy) => self.set_policy(&policy).map(|()| Vec::new()),
            Change::DeletePolicy(name) => Ok(vec![self.delete_policy(&name)]),
            Change::RecordOrders(all) => Ok(all.into_iter().map(|one| self.record_order(one)).collect()),
            Change::LeaseFollowUps(claims) => Ok(self.lease(&claims)),
            Change::CompleteFollowUps(all) => Ok(all.iter().map(|one| self.complete(one)).collect()),
            Change::SetOptOut(shopper, how) => Ok(vec![self.opt(&shopper, how)]),
            Change::EraseShopper { shopper, at, orders_max } => Ok(self.erase(&shopper, at, orders_max)),
            Change::RefreshRefills(shoppers) => {
                self.refresh(&shoppers);
                Ok(Vec::new())
            }
            Change::ReplaceProducts(_)
            | Change::ReplaceRules(_)
            | Change::RollBack { .. }
            | Change::Restore(_)
            | Change::Learned(_)
            | Change::ImportAffinities(_) => {
                unreachable!("these are prepared as a `Replacement` before they are queued")
            }
        }
    }

    fn upsert_product(&mut self, product: Product) -> Outcome {
        let id = product.id().clone();
        let before = self.parts.catalog.get(id.as_str()).cloned();
        if before.is_none() && self.parts.catalog.len() >= PRODUCTS_MAX {
            return Outcome::Rejected(Violation::new(
                "",
                format!("is one more than the {PRODUCTS_MAX} products allowed"),
            ));
        }
        let done = match self.parts.catalog.upsert(product) {
            Ok(done) => done,
            Err(conflict) => return Outcome::Rejected(Violation::new("family_id", conflict.to_string())),
        };
        let after = self.parts.catalog.get(id.as_str()).cloned();
        if let Some(after) = after.filter(|after| before.is_none_or(|before| !Arc::ptr_eq(&before, after))) {
            self.put(after.product());
        }
        outcome(done)
    }

    fn set_offer(&mut self, id: &ProductId, patch: &OfferPatch) -> Outcome {
        let outcome = match self.parts.catalog.patch(id.as_str(), patch) {
            None => return Outcome::Unknown,
            Some(Patched::Stale) => return Outcome::Stale,
            Some(Patched::Unchanged) => Outcome::Unchanged,
            Some(Patched::Changed) => Outcome::Updated,
        };
        if let Some(after) = self.parts.catalog.get(id.as_str()).cloned() {
            self.put(after.product());
        }
        outcome
    }

    fn delete_product(&mut self, id: &ProductId) -> Outcome {
        if !self.parts.catalog.remove(id.as_str()) {
            return Outcome::Unknown;
        }
        self.delete(RowKind::Product, id.as_str());
        Outcome::Deleted
    }

    fn upsert_rule(&mut self, rule: Rule) -> Outcome {
        let id = rule.id().clone();
        let done = match self.parts.rules.upsert(rule) {
            Ok(done) => done,
            Err(violation) => return Outcome::Rejected(violation),
        };
        let after = self.parts.rules.get(id.as_str()).cloned();
        if let Some(rule) = after.filter(|_| done != Done::Unchanged) {
            self.put(&*rule);
        }
        outcome(done)
    }

    fn delete_rule(&mut self, id: &RuleId) -> Outcome {
        if !self.parts.rules.remove(id.as_str()) {
            return Outcome::Unknown;
        }
        self.delete(RowKind::Rule, id.as_str());
        Outcome::Deleted
    }

    fn set_policy(&mut self, policy: &Policy) -> Result<(), Refusal> {
        if self.parts.policies.iter().any(|own| **own == *policy) {
            return Ok(());
        }
        let refused = |violation| Refusal::Rejected(vec![(0, violation)]);
        self.parts.policies.set(policy.clone()).map_err(refused)?;
        self.put(policy);
        Ok(())
    }

    fn delete_policy(&mut self, name: &PolicyName) -> Outcome {
        if !self.parts.policies.remove(name.as_str()) {
            return Outcome::Unknown;
        }
        self.delete(RowKind::Policy, name.as_str());
        Outcome::Deleted
    }

    fn record_order(&mut self, told: RecordedOrder) -> Outcome {
        let id = told.id().clone();
        let before = self.parts.orders.get(id.as_str()).cloned();
        let done = match self.parts.orders.record(told) {
            Ok(done) => done,
            Err(violation) => return Outcome::Rejected(violation),
        };
        let after = self.parts.orders.get(id.as_str()).cloned();
        if let Some(order) = after.filter(|_| done != Done::Unchanged) {
            let (follow_ups, known) = self.parts.follow_ups_and_known();
            follow_ups.order_changed(before.as_ref(), &order, &known);
            self.put(&*order);
        }
        outcome(done)
    }

    fn lease(&mut self, claims: &Claims) -> Vec<Outcome> {
        let Claims { at, leases, put_off, over } = claims;
        let mut outcomes = Vec::with_capacity(leases.len());
        for lease in leases {
            if !self.parts.follow_ups.lease(lease, &self.parts.orders) {
                outcomes.push(Outcome::Unknown);
                continue;
            }
            self.put_steps(lease.plan.order.id());
            outcomes.push(Outcome::Created);
        }
        // What is only not looked at is no truth, and no row.
        let (follow_ups, _) = self.parts.follow_ups_and_known();
        put_off.iter().for_each(|(plan, until)| follow_ups.put_off(plan, *at, *until));
        over.iter().for_each(|plan| follow_ups.give_up(plan));
        self.changed += put_off.len() + over.len();
        outcomes
    }

    fn complete(&mut self, completion: &Completion) -> Outcome {
        match self.parts.follow_ups.complete(completion, &self.parts.orders) {
            Completed::Noted => {
                self.put_steps(&completion.order);
                Outcome::Updated
            }
            Completed::Known => Outcome::Unchanged,
            Completed::NotHeld => Outcome::Unknown,
        }
    }

    fn opt(&mut self, shopper: &ShopperId, how: Opt) -> Outcome {
        if !self.parts.follow_ups.opt(shopper, how) {
            return Outcome::Unchanged;
        }
        match how {
            Opt::Out => self.put(&OptedOut(shopper.clone())),
            Opt::In => self.delete(RowKind::OptOut, shopper.as_str()),
        }
        Outcome::Updated
    }

    fn erase(&mut self, shopper: &ShopperId, at: Timestamp, orders_max: usize) -> Vec<Outcome> {
        let erased = self.parts.orders.erase(shopper, at, orders_max);
        for (before, after) in &erased {
            let (follow_ups, known) = self.parts.follow_ups_and_known();
            follow_ups.order_changed(Some(before), after, &known);
            if follow_ups.forget(after.id()) {
                self.delete(RowKind::FollowUps, after.id().as_str());
            }
            self.put(&**after);
        }
        let is_done = self.parts.orders.of_shopper(shopper.as_str()).next().is_none();
        if is_done && self.parts.follow_ups.forget_shopper(shopper) {
            self.delete(RowKind::OptOut, shopper.as_str());
        }
        vec![Outcome::Updated; erased.len()]
    }

    fn refresh(&mut self, shoppers: &[ShopperId]) {
        let (follow_ups, known) = self.parts.follow_ups_and_known();
        let stale = shoppers.iter().filter(|shopper| follow_ups.refresh(shopper, &known)).count();
        self.changed += stale;
    }

    /// Writes what became of the follow-ups of an order.
    fn put_steps(&mut self, order: &OrderId) {
        let steps = self.parts.follow_ups.steps(order.as_str()).to_vec();
        self.put(&Steps(order.clone(), steps));
    }

    /// Puts prepared parts in the place of the draft's own.
    pub(super) fn replace(&mut self, replacement: Replacement) -> Vec<Outcome> {
        let Replacement { catalog, rules, policies, orders, model, imported, follow_ups, keeps_newer_offers } =
            replacement;
        let mut outcomes = Vec::new();
        if let Some(Part { mut value, staged }) = catalog {
            let old = std::mem::take(&mut self.parts.catalog);
            let kept = if keeps_newer_offers { keep_newer_offers(&old, &mut value) } else { Vec::new() };
            let differences = differences(old.iter(), value.iter());
            self.write(
                differences.map(|difference| difference.map(Entry::product)),
                staged,
                value.len(),
                &mut outcomes,
            );
            kept.iter().for_each(|product| self.put(product));
            self.parts.catalog = value;
        }
        if let Some(Part { value, staged }) = rules {
            let old = std::mem::take(&mut self.parts.rules);
            let differences = differences(old.list(None), value.list(None));
            self.write(
                differences.map(|difference| difference.map(|rule| rule)),
                staged,
                value.len(),
                &mut outcomes,
            );
            self.parts.rules = value;
        }
        if let Some(policies) = policies {
            let old = std::mem::take(&mut self.parts.policies);
            let differences = differences(old.iter(), policies.iter());
            self.write(
                differences.map(|difference| difference.map(|policy| policy)),
                None,
                policies.len(),
                &mut outcomes,
            );
            self.parts.policies = policies;
        }
        if let Some(Part { value, staged }) = orders {
            self.changed += value.len();
            self.streamed_only = false;
            self.writes.extend(staged.map(Write::Flip));
            self.parts.orders = value;
        }
        if let Some(Part { value, staged }) = model {
            // It is one thing, whatever it holds.
            self.changed += usize::from(*value != *self.parts.model);
            self.writes.extend(staged.map(Write::Flip));
            self.parts.model = value;
        }
        if let Some(Part { value, staged }) = imported {
            self.changed += usize::from(*value != *self.parts.imported);
            self.writes.extend(staged.map(Write::Flip));
            self.parts.imported = value;
        }
        if let Some((value, staged)) = follow_ups {
            self.changed += value.len();
            self.writes.extend(staged.into_iter().map(Write::Flip));
            self.parts.follow_ups = value;
        }
        outcomes
    }

    /// Writes what differs between an old and a new part of `len` records: as one flip if that was staged.
    fn write<'a, T: Record + 'a>(
        &mut self,
        differences: impl Iterator<Item = Difference<&'a T>>,
        staged: Option<Staged>,
        len: usize,
        outcomes: &mut Vec<Outcome>,
    ) {
        let is_staged = staged.is_some();
        self.writes.extend(staged.map(Write::Flip));
        let (before, mut unchanged) = (outcomes.len(), len);
        for difference in differences {
            self.note(T::KIND);
            outcomes.push(match &difference {
                Difference::Added(_) => Outcome::Created,
                Difference::Changed(old, new) if old.says_the_same_as(new) => Outcome::Unchanged,
                Difference::Changed(..) => Outcome::Updated,
                Difference::Removed(_) => Outcome::Deleted,
            });
            match difference {
                Difference::Removed(old) if !is_staged => self.delete(T::KIND, old.id()),
                Difference::Added(new) | Difference::Changed(_, new) if !is_staged => self.put(new),
                _ => {}
            }
        }
        unchanged -= outcomes[before..].iter().filter(|outcome| **outcome != Outcome::Deleted).count();
        outcomes.extend(std::iter::repeat_n(Outcome::Unchanged, unchanged));
    }

    fn put<T: Record>(&mut self, value: &T) {
        self.writes.push(Write::Put(T::KIND, value.id().as_bytes().into(), value.encode()));
        self.note(T::KIND);
    }

    fn delete(&mut self, kind: RowKind, id: &str) {
        self.writes.push(Write::Delete(kind, id.as_bytes().into()));
        self.note(kind);
    }

    fn note(&mut self, kind: RowKind) {
        self.changed += 1;
        self.streamed_only &=
            matches!(kind, RowKind::Product | RowKind::Order | RowKind::FollowUps | RowKind::OptOut);
    }

    /// Moves the draft's writes into a commit.
    pub(super) fn write_into(&mut self, batch: &mut MerchantBatch) {
        for write in std::mem::take(&mut self.writes) {
            match write {
                Write::Put(kind, id, value) => batch.put(kind, &id, value),
                Write::Delete(kind, id) => batch.delete(kind, &id),
                Write::Flip(staged) => batch.flip(staged),
            }
        }
    }
}

/// Gives products of the new catalog the price and stock of the old one, where those were set later, and returns them.
fn keep_newer_offers(old: &Catalog, new: &mut Catalog) -> Vec<Product> {
    let is_newer = |old: &Product, new: &Product| {
        old.price_set_time() > new.price_set_time() || old.stock_set_time() > new.stock_set_time()
    };
    let pairs =
        old.iter().filter_map(|old| Some((old.product(), new.get(old.product().id().as_str())?.product())));
    let kept: Vec<Product> = pairs
        .filter(|(old, new)| is_newer(old, new))
        .map(|(old, new)| new.clone().with_newer_offer_of(old))
        .collect();
    for product in &kept {
        // The same product with another price or stock: its family is what it was, so nothing can conflict.
        let _ = new.upsert(product.clone());
    }
    kept
}

fn outcome(done: Done) -> Outcome {
    match done {
        Done::Created => Outcome::Created,
        Done::Updated => Outcome::Updated,
        Done::Unchanged => Outcome::Unchanged,
    }
}
