//! The model of a write: what it makes of a state, and what it is answered with. It mirrors the contract, not the code.

use std::{collections::BTreeMap, sync::Arc};

use sidecart::v1::{self as pb, Outcome, SnapshotPart};

use super::served::{State, affinity_key};

/// A write, as an author means it.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    UpsertProducts(Vec<pb::Product>),
    SetOffers(Vec<pb::OfferUpdate>),
    DeleteProducts(Vec<String>),
    ReplaceProducts(Vec<pb::Product>),
    UpsertRules(Vec<pb::Rule>),
    DeleteRules(Vec<String>),
    ReplaceRules(Vec<pb::Rule>),
    SetPolicy(Box<pb::Policy>),
    DeletePolicy(String),
    RecordOrders(Vec<pb::RecordedOrder>),
    ImportAffinities(Vec<pb::Affinity>),
    RollBack { generation: u64, target: Box<State>, parts: Vec<SnapshotPart> },
}

/// What a write is answered with, but for the generation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// One for each item.
    Outcomes(Vec<Outcome>),
    /// How many there are of each.
    Counts(Counts),
    /// How many are kept.
    Kept(u64),
    /// Nothing else.
    Done,
}

/// What a replacement did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) deleted: u64,
}

impl Write {
    /// The state after it, and its answer.
    pub(crate) fn apply(&self, before: &State) -> (State, Answer) {
        let mut after = before.clone();
        let answer = match self {
            Self::UpsertProducts(items) => Answer::Outcomes(upsert(&mut after.products, items, product_id)),
            Self::UpsertRules(items) => Answer::Outcomes(upsert(&mut after.rules, items, rule_id)),
            Self::SetOffers(offers) => {
                Answer::Outcomes(offers.iter().map(|offer| set(&mut after.products, offer)).collect())
            }
            Self::DeleteProducts(ids) => Answer::Outcomes(delete(&mut after.products, ids)),
            Self::DeleteRules(ids) => Answer::Outcomes(delete(&mut after.rules, ids)),
            Self::ReplaceProducts(items) => Answer::Counts(replace(&mut after.products, items, product_id)),
            Self::ReplaceRules(items) => Answer::Counts(replace(&mut after.rules, items, rule_id)),
            Self::SetPolicy(policy) => {
                after.policies.insert(policy.name.clone(), Arc::new((**policy).clone()));
                Answer::Done
            }
            Self::DeletePolicy(name) => {
                Answer::Outcomes(delete(&mut after.policies, std::slice::from_ref(name)))
            }
            Self::RecordOrders(told) => {
                Answer::Outcomes(told.iter().map(|order| record(&mut after.orders, order)).collect())
            }
            Self::ImportAffinities(told) => {
                let keyed = |it: &pb::Affinity| (affinity_key(it), Arc::new(it.clone()));
                after.imported = told.iter().map(keyed).collect();
                Answer::Kept(after.imported.len() as u64)
            }
            Self::RollBack { target, parts, .. } => {
                roll_back(&mut after, target, parts);
                Answer::Done
            }
        };
        (after, answer)
    }
}

fn product_id(product: &pb::Product) -> &String {
    &product.product_id
}

fn rule_id(rule: &pb::Rule) -> &String {
    &rule.rule_id
}

fn upsert<T: Clone + PartialEq>(
    all: &mut BTreeMap<String, Arc<T>>,
    items: &[T],
    id: impl Fn(&T) -> &String,
) -> Vec<Outcome> {
    let mut one = |item: &T| match all.insert(id(item).clone(), Arc::new(item.clone())) {
        None => Outcome::Created,
        Some(old) if *old == *item => Outcome::Unchanged,
        Some(_) => Outcome::Updated,
    };
    items.iter().map(&mut one).collect()
}

fn delete<T>(all: &mut BTreeMap<String, Arc<T>>, ids: &[String]) -> Vec<Outcome> {
    let mut one = |id: &String| match all.remove(id) {
        Some(_) => Outcome::Deleted,
        None => Outcome::Unknown,
    };
    ids.iter().map(&mut one).collect()
}

fn replace<T: Clone + PartialEq>(
    all: &mut BTreeMap<String, Arc<T>>,
    items: &[T],
    id: impl Fn(&T) -> &String,
) -> Counts {
    let mut old = std::mem::take(all);
    let mut counts = Counts::default();
    for item in items {
        let count = match old.remove(id(item)) {
            None => &mut counts.created,
            Some(same) if *same == *item => &mut counts.unchanged,
            Some(_) => &mut counts.updated,
        };
        *count += 1;
        all.insert(id(item).clone(), Arc::new(item.clone()));
    }
    counts.deleted = old.len() as u64;
    counts
}

/// Price has one time, availability and stock another; what is older than what is stored is dropped.
fn set(products: &mut BTreeMap<String, Arc<pb::Product>>, offer: &pb::OfferUpdate) -> Outcome {
    let Some(stored) = products.get_mut(&offer.product_id) else { return Outcome::Unknown };
    let mut product = pb::Product::clone(stored);
    let (set, stocks) = (offer.set_time, offer.availability != 0 || offer.stock_quantity.is_some());
    let prices = offer.price.is_some() && since(&set) >= since(&product.price_set_time);
    let stocks = stocks && since(&set) >= since(&product.stock_set_time);
    if !prices && !stocks {
        return Outcome::Stale;
    }
    if prices {
        (product.price, product.price_set_time) = (offer.price.clone(), set);
    }
    if stocks {
        product.stock_set_time = set;
        product.stock_quantity = offer.stock_quantity.or(product.stock_quantity);
        if offer.availability != 0 {
            product.availability = offer.availability;
        }
    }
    let timed = pb::Product {
        price_set_time: product.price_set_time,
        stock_set_time: product.stock_set_time,
        ..pb::Product::clone(stored)
    };
    let outcome = if timed == product { Outcome::Unchanged } else { Outcome::Updated };
    *stored = Arc::new(product);
    outcome
}

fn since(moment: &Option<prost_types::Timestamp>) -> (i64, i32) {
    moment.map_or((0, 0), |moment| (moment.seconds, moment.nanos))
}

/// The newest statement counts; changes add up, each id once. Here no two statements and no two changes of one id are
/// equally new.
fn record(orders: &mut BTreeMap<String, Arc<pb::RecordedOrder>>, told: &pb::RecordedOrder) -> Outcome {
    let Some(known) = orders.get(&told.order_id).cloned() else {
        orders.insert(told.order_id.clone(), Arc::new(told.clone()));
        return Outcome::Created;
    };
    let newer = if since(&told.updated_at) > since(&known.updated_at) { told } else { &*known };
    let mut order = pb::RecordedOrder { changes: known.changes.clone(), ..newer.clone() };
    for change in &told.changes {
        match order.changes.iter_mut().find(|other| other.change_id == change.change_id) {
            Some(other) if since(&other.at) < since(&change.at) => *other = change.clone(),
            Some(_) => {}
            None => order.changes.push(change.clone()),
        }
    }
    order.changes.sort_by(|a, b| a.change_id.cmp(&b.change_id));
    let outcome = if order == *known { Outcome::Unchanged } else { Outcome::Updated };
    orders.insert(order.order_id.clone(), Arc::new(order));
    outcome
}

/// Without parts: rules and policies.
fn roll_back(state: &mut State, target: &State, parts: &[SnapshotPart]) {
    let takes = |part| parts.contains(&part) || parts.is_empty() && part != SnapshotPart::Catalog;
    if takes(SnapshotPart::Catalog) {
        state.products = target.products.clone();
    }
    if takes(SnapshotPart::Rules) {
        state.rules = target.rules.clone();
    }
    if takes(SnapshotPart::Policy) {
        state.policies = target.policies.clone();
    }
}
