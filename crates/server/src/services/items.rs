//! The items of a bulk write, and the kinds there are.
//!
//! Each item is converted on its own: a bad one is rejected with its field path and does not stop the others.

use std::collections::HashMap;

use sidecart::v1 as pb;
use sidecart_catalog::{OfferPatch, Product, ProductId, Timestamp, Violation};
use sidecart_rules::{Rule, RuleId};
use sidecart_scoring::{follow_ups::Completion, imported::ImportedAffinity, orders::RecordedOrder};

use crate::{
    change::{Change, Outcome},
    convert::{self, outcome::Place},
    limits,
};

/// A kind of item: how it looks in a request, and what change a list of it asks for.
pub(crate) struct Kind<P, T> {
    /// The field of the request that holds the list.
    pub(crate) list: &'static str,
    /// The field of an item that holds its id; empty when the item is its id.
    pub(crate) id_field: &'static str,
    /// The id of an item, as sent.
    pub(crate) id: fn(&P) -> &str,
    /// The domain value of an item received at a moment.
    pub(crate) from_pb: fn(P, Timestamp) -> Result<T, Violation>,
    /// What a list of it asks for.
    pub(crate) change: fn(Vec<T>) -> Change,
}

/// Products to create or replace.
pub(crate) const PRODUCTS: Kind<pb::Product, Product> = Kind {
    list: "products",
    id_field: "product_id",
    id: |product| &product.product_id,
    from_pb: convert::product::sent_from_pb,
    change: Change::UpsertProducts,
};

/// Price and stock to set.
pub(crate) const OFFERS: Kind<pb::OfferUpdate, (ProductId, OfferPatch)> = Kind {
    list: "offers",
    id_field: "product_id",
    id: |offer| &offer.product_id,
    from_pb: convert::offer::from_pb,
    change: Change::SetOffers,
};

/// Products to delete.
pub(crate) const PRODUCT_IDS: Kind<String, ProductId> = Kind {
    list: "product_ids",
    id_field: "",
    id: |id| id,
    from_pb: |id, _| ProductId::new(&id),
    change: Change::DeleteProducts,
};

/// Rules to create or replace.
pub(crate) const RULES: Kind<pb::Rule, Rule> = Kind {
    list: "rules",
    id_field: "rule_id",
    id: |rule| &rule.rule_id,
    from_pb: |rule, _| convert::rule::from_pb(rule),
    change: Change::UpsertRules,
};

/// Rules to delete.
pub(crate) const RULE_IDS: Kind<String, RuleId> = Kind {
    list: "rule_ids",
    id_field: "",
    id: |id| id,
    from_pb: |id, _| RuleId::new(&id),
    change: Change::DeleteRules,
};

/// What is told of orders.
pub(crate) const ORDERS: Kind<pb::RecordedOrder, RecordedOrder> = Kind {
    list: "orders",
    id_field: "order_id",
    id: |order| &order.order_id,
    from_pb: convert::order::sent_from_pb,
    change: Change::RecordOrders,
};

/// What became of leased follow-ups.
pub(crate) const COMPLETIONS: Kind<pb::FollowUpCompletion, Completion> = Kind {
    list: "completions",
    id_field: "lease_id",
    id: |completion| &completion.lease_id,
    from_pb: convert::follow_up::completion_from_pb,
    change: Change::CompleteFollowUps,
};

/// What a data team says goes with what.
pub(crate) const AFFINITIES: Kind<pb::Affinity, ImportedAffinity> = Kind {
    list: "affinities",
    id_field: "anchor_id",
    id: |affinity| &affinity.anchor_id,
    from_pb: |affinity, _| convert::affinity::from_pb(affinity),
    change: Change::ImportAffinities,
};

/// The items of one bulk write: those that are right, and what is known of the others.
pub(crate) struct Sifted<T> {
    list: &'static str,
    /// What is right, in the order sent.
    pub(crate) good: Vec<T>,
    /// Id of each item sent, and its fault if it is wrong.
    sent: Vec<(String, Option<Violation>)>,
}

impl<P, T> Kind<P, T> {
    /// Converts the items of one request, received at a moment. An id that comes again is rejected.
    ///
    /// # Errors
    /// There are none, or too many.
    pub(crate) fn sift(&self, items: Vec<P>, received: Timestamp) -> Result<Sifted<T>, Violation> {
        convert::at_least_one(&items, limits::BULK_ITEMS_MAX, self.list)?;
        let mut first: HashMap<String, usize> = HashMap::with_capacity(items.len());
        let (mut good, mut sent) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for (index, item) in items.into_iter().enumerate() {
            let id = (self.id)(&item).to_owned();
            let earlier = first.get(&id).filter(|_| !id.is_empty()).copied();
            let converted = match earlier {
                Some(earlier) => Err(self.repeats(earlier)),
                None => (self.from_pb)(item, received),
            };
            first.entry(id.clone()).or_insert(index);
            sent.push((id, converted.map(|item| good.push(item)).err()));
        }
        Ok(Sifted { list: self.list, good, sent })
    }

    fn repeats(&self, earlier: usize) -> Violation {
        Violation::new(self.id_field, format!("is a duplicate of {}[{earlier}]", self.list))
    }
}

impl<T> Sifted<T> {
    /// What became of every item, given what became of the good ones. `None` when the counts do not fit.
    pub(crate) fn outcomes(self, of_good: Vec<Outcome>) -> Option<Vec<pb::ItemOutcome>> {
        let good_count = self.sent.iter().filter(|(_, fault)| fault.is_none()).count();
        if good_count != of_good.len() {
            return None;
        }
        let (list, mut of_good) = (self.list, of_good.into_iter());
        let told = self.sent.into_iter().enumerate().map(|(index, (id, fault))| {
            let outcome = fault.map(Outcome::Rejected).or_else(|| of_good.next());
            convert::outcome::to_pb(Place { list, index }, &id, outcome.unwrap_or(Outcome::Unchanged))
        });
        Some(told.collect())
    }
}
