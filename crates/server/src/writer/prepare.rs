//! Heavy changes, prepared before they are queued: compiled and staged on the caller's blocking thread, so that the
//! writer, which other merchants wait for, only has to compare and flip.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use sidecart_catalog::{Catalog, MerchantId, Product, Violation};
use sidecart_rules::{Policies, Policy, Rule, RuleSet};
use sidecart_scoring::{FollowUps, Imported, Orders, Parts, model::Model, orders::RecordedOrder};

use crate::{
    archive,
    change::{Change, PartSet, Refusal, Truth},
    convert,
    diff::differences,
    registry::Registry,
    store::{Batch, Row, RowKind, Staged, Store, StoreError, chain},
};

use super::rows::Record;

/// Up to this many differing records are written one by one; more are staged as a whole.
const SINGLE_WRITES_MAX: usize = 2_000;

/// Parts that take the place of a merchant's own.
#[derive(Default)]
pub(super) struct Replacement {
    pub(super) catalog: Option<Part<Catalog>>,
    pub(super) rules: Option<Part<RuleSet>>,
    pub(super) policies: Option<Policies>,
    pub(super) orders: Option<Part<Orders>>,
    pub(super) model: Option<Part<Arc<Model>>>,
    pub(super) imported: Option<Part<Arc<Imported>>>,
    /// With the rows of what became of them, and of who opted out.
    pub(super) follow_ups: Option<(FollowUps, Vec<Staged>)>,
    /// Whether price and stock that were set later than the replacement's stay.
    pub(super) keeps_newer_offers: bool,
}

/// One part, and its rows if they were too many for one commit.
pub(super) struct Part<T> {
    pub(super) value: T,
    pub(super) staged: Option<Staged>,
}

/// What is queued.
pub(super) enum Work {
    /// Laid over the draft item by item.
    Change(Change),
    /// Takes the place of parts.
    Replacement(Box<Replacement>),
    /// Could not be prepared. Queued all the same: it may be a repetition of a write that was answered.
    Refused(Refusal),
}

/// Whether a change must be prepared, off the async threads.
pub(super) fn is_heavy(change: &Change) -> bool {
    matches!(
        change,
        Change::ReplaceProducts(_)
            | Change::ReplaceRules(_)
            | Change::RollBack { .. }
            | Change::Restore(_)
            | Change::Learned(_)
            | Change::ImportAffinities(_)
    )
}

/// Compiles and stages a change. Changes nothing that is served.
///
/// # Errors
/// Faulty items, an unknown generation, or a store that cannot be written.
pub(super) fn prepare(
    store: &Store,
    registry: &Registry,
    merchant: &MerchantId,
    change: Change,
) -> Result<Work, Refusal> {
    let stager = Stager { store, merchant };
    let replacement = match change {
        Change::ReplaceProducts(products) => Replacement {
            catalog: Some(stager.all(catalog_of(products)?)?),
            keeps_newer_offers: true,
            ..Replacement::default()
        },
        Change::ReplaceRules(rules) => {
            Replacement { rules: Some(stager.all(rule_set_of(rules)?)?), ..Replacement::default() }
        }
        Change::ImportAffinities(affinities) => {
            let refused = |(at, fault)| Refusal::Rejected(vec![(at, fault)]);
            let imported = Arc::new(Imported::new(affinities).map_err(refused)?);
            Replacement { imported: Some(stager.all(imported)?), ..Replacement::default() }
        }
        Change::Learned(model) => Replacement { model: Some(stager.all(model)?), ..Replacement::default() },
        Change::Restore(truth) => restore(&stager, *truth)?,
        Change::RollBack { generation, parts } => roll_back(&stager, registry, generation, parts)?,
        light => return Ok(Work::Change(light)),
    };
    Ok(Work::Replacement(Box::new(replacement)))
}

fn restore(stager: &Stager<'_>, truth: Truth) -> Result<Replacement, Refusal> {
    let Parts { catalog, rules, policies, orders, model, imported, follow_ups } = parts_of(truth)?;
    let touched = stager.follow_ups(&follow_ups).map_err(refusal)?;
    Ok(Replacement {
        catalog: Some(stager.all(catalog)?),
        rules: Some(stager.all(rules)?),
        policies: Some(policies),
        orders: Some(stager.all(orders)?),
        model: Some(stager.all(model)?),
        imported: Some(stager.all(imported)?),
        follow_ups: Some((follow_ups, touched.into())),
        keeps_newer_offers: false,
    })
}

/// The compiled parts of a merchant's truth.
///
/// # Errors
/// Items that do not go together.
pub(crate) fn parts_of(truth: Truth) -> Result<Parts, Refusal> {
    let Truth { products, rules, policies, orders, model, imported, follow_ups, opted_out } = truth;
    let mut parts = Parts {
        catalog: catalog_of(products)?,
        rules: rule_set_of(rules)?,
        policies: policies_of(policies)?,
        orders: orders_of(orders)?,
        model: joined(&model, "model", convert::model::decode)?,
        imported: joined(&imported, "imported", convert::affinity::decode)?,
        follow_ups: FollowUps::default(),
    };
    let (_, known) = parts.follow_ups_and_known();
    parts.follow_ups = FollowUps::of(&known, follow_ups, opted_out);
    Ok(parts)
}

fn roll_back(
    stager: &Stager<'_>,
    registry: &Registry,
    generation: u64,
    parts: PartSet,
) -> Result<Replacement, Refusal> {
    let slot = registry.slot(stager.merchant.as_str()).ok_or(Refusal::NotKept(generation))?;
    let target = slot.kept(generation).ok_or(Refusal::NotKept(generation))?;
    let (target, current) = (target.snapshot.parts(), slot.current());
    let current = current.snapshot.parts();
    let changed = |count: usize| count > SINGLE_WRITES_MAX;
    let catalog_differs = || differences(current.catalog.iter(), target.catalog.iter()).count();
    let rules_differ = || differences(current.rules.list(None), target.rules.list(None)).count();
    Ok(Replacement {
        catalog: match parts.catalog {
            false => None,
            true if changed(catalog_differs()) => Some(stager.all(target.catalog.clone())?),
            true => Some(Part { value: target.catalog.clone(), staged: None }),
        },
        rules: match parts.rules {
            false => None,
            true if changed(rules_differ()) => Some(stager.all(target.rules.clone())?),
            true => Some(Part { value: target.rules.clone(), staged: None }),
        },
        policies: parts.policies.then(|| target.policies.clone()),
        ..Replacement::default()
    })
}

/// A catalog of these products, whatever their order.
fn catalog_of(products: Vec<Product>) -> Result<Catalog, Refusal> {
    let mut catalog = Catalog::default();
    let mut places: Vec<(usize, Product)> = products.into_iter().enumerate().collect();
    places.sort_by(|a, b| a.1.id().cmp(b.1.id()));
    refuse_repeats(&places)?;
    let mut refused = Vec::new();
    for (at, product) in places {
        if let Err(conflict) = catalog.upsert(product) {
            refused.push((at, Violation::new("family_id", conflict.to_string())));
        }
    }
    if !refused.is_empty() {
        return Err(Refusal::Rejected(refused));
    }
    catalog.settle_names();
    Ok(catalog)
}

/// A rule set of these rules, whatever their order.
fn rule_set_of(rules: Vec<Rule>) -> Result<RuleSet, Refusal> {
    let mut set = RuleSet::default();
    let mut places: Vec<(usize, Rule)> = rules.into_iter().enumerate().collect();
    places.sort_by(|a, b| a.1.id().cmp(b.1.id()));
    refuse_repeats(&places)?;
    for (at, rule) in places {
        set.upsert(rule).map_err(|violation| Refusal::Rejected(vec![(at, violation)]))?;
    }
    Ok(set)
}

fn policies_of(all: Vec<Policy>) -> Result<Policies, Refusal> {
    let mut policies = Policies::default();
    for (at, policy) in all.into_iter().enumerate() {
        policies.set(policy).map_err(|violation| Refusal::Rejected(vec![(at, violation)]))?;
    }
    Ok(policies)
}

fn orders_of(all: Vec<RecordedOrder>) -> Result<Orders, Refusal> {
    let mut orders = Orders::default();
    for (at, order) in all.into_iter().enumerate() {
        orders.record(order).map_err(|violation| Refusal::Rejected(vec![(at, violation)]))?;
    }
    Ok(orders)
}

/// What was stored in pieces.
fn joined<T>(
    pieces: &BTreeMap<Box<[u8]>, Bytes>,
    what: &str,
    decode: impl FnOnce(&[u8]) -> Result<T, Violation>,
) -> Result<Arc<T>, Refusal> {
    let bytes: Vec<u8> = pieces.values().flatten().copied().collect();
    let faulty = |fault: Violation| Refusal::Rejected(vec![(0, fault.within(what))]);
    decode(&bytes).map(Arc::new).map_err(faulty)
}

/// Refuses items, sorted by id, of which an earlier one has the same id.
fn refuse_repeats<T: Record>(sorted: &[(usize, T)]) -> Result<(), Refusal> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut refused = Vec::new();
    for pair in sorted.windows(2).filter(|pair| pair[0].1.id() == pair[1].1.id()) {
        let earlier = *first.entry(pair[0].1.id()).or_insert(pair[0].0);
        refused.push((pair[1].0, Violation::new("", format!("is a duplicate of item {earlier}"))));
    }
    if refused.is_empty() { Ok(()) } else { Err(Refusal::Rejected(refused)) }
}

/// Makes these parts the whole truth of a merchant that the store does not hold yet.
///
/// # Errors
/// As the store.
pub(crate) fn store_whole(
    store: &Store,
    merchant: &MerchantId,
    generation: u64,
    parts: &Parts,
) -> Result<(), StoreError> {
    let stager = Stager { store, merchant };
    let staged = [
        stager.stage(&parts.catalog)?,
        stager.stage(&parts.rules)?,
        stager.stage(&parts.orders)?,
        stager.stage(&parts.model)?,
        stager.stage(&parts.imported)?,
    ];
    let touched = stager.follow_ups(&parts.follow_ups)?;
    let mut batch = Batch::default();
    let part = batch.merchant(merchant.as_str(), generation);
    staged.into_iter().chain(touched).for_each(|staged| part.flip(staged));
    for policy in parts.policies.iter() {
        part.put(RowKind::Policy, policy.name().as_str().as_bytes(), policy.encode());
    }
    store.commit(batch)
}

/// A part that can be staged record by record.
trait Stageable {
    const KIND: RowKind;

    fn rows(&self) -> impl Iterator<Item = (Box<[u8]>, Bytes)>;
}

impl Stageable for Catalog {
    const KIND: RowKind = RowKind::Product;

    fn rows(&self) -> impl Iterator<Item = (Box<[u8]>, Bytes)> {
        self.iter().map(|entry| row(entry.product()))
    }
}

impl Stageable for RuleSet {
    const KIND: RowKind = RowKind::Rule;

    fn rows(&self) -> impl Iterator<Item = (Box<[u8]>, Bytes)> {
        self.list(None).map(|rule| row(&**rule))
    }
}

impl Stageable for Orders {
    const KIND: RowKind = RowKind::Order;

    fn rows(&self) -> impl Iterator<Item = (Box<[u8]>, Bytes)> {
        self.iter().map(|order| row(&**order))
    }
}

impl Stageable for Arc<Model> {
    const KIND: RowKind = RowKind::Model;

    fn rows(&self) -> impl Iterator<Item = (Box<[u8]>, Bytes)> {
        archive::model_rows(self).map(|row| (row.id, row.value))
    }
}

impl Stageable for Arc<Imported> {
    const KIND: RowKind = RowKind::Imported;

    fn rows(&self) -> impl Iterator<Item = (Box<[u8]>, Bytes)> {
        archive::imported_rows(self).map(|row| (row.id, row.value))
    }
}

fn row<T: Record>(value: &T) -> (Box<[u8]>, Bytes) {
    (value.id().as_bytes().into(), value.encode())
}

struct Stager<'a> {
    store: &'a Store,
    merchant: &'a MerchantId,
}

impl Stager<'_> {
    fn all<T: Stageable>(&self, value: T) -> Result<Part<T>, Refusal> {
        let staged = self.stage(&value).map_err(refusal)?;
        Ok(Part { value, staged: Some(staged) })
    }

    /// What became of follow-ups, and who opted out.
    fn follow_ups(&self, value: &FollowUps) -> Result<[Staged; 2], StoreError> {
        let keyed = |row: Row| (row.id, row.value);
        let steps = self.rows(RowKind::FollowUps, archive::steps_rows(value).map(keyed))?;
        Ok([steps, self.rows(RowKind::OptOut, archive::opt_out_rows(value).map(keyed))?])
    }

    fn stage<T: Stageable>(&self, value: &T) -> Result<Staged, StoreError> {
        self.rows(T::KIND, value.rows())
    }

    fn rows(
        &self,
        kind: RowKind,
        rows: impl Iterator<Item = (Box<[u8]>, Bytes)>,
    ) -> Result<Staged, StoreError> {
        let mut staged = self.store.stage(self.merchant.as_str(), kind)?;
        match self.store.stage_rows(&mut staged, rows) {
            Ok(()) => Ok(staged),
            Err(fault) => {
                self.store.discard(staged);
                Err(fault)
            }
        }
    }
}

/// What a store that cannot be written means to the caller, when nothing was committed.
pub(super) fn refusal(fault: StoreError) -> Refusal {
    match fault {
        StoreError::BatchTooLarge { .. } | StoreError::RecordTooLarge { .. } => Refusal::TooLarge,
        fault => Refusal::Degraded(chain(&fault)),
    }
}
