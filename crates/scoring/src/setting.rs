//! The setting of one answer: everything that the query and the snapshot say before any target is looked at.
//!
//! Sorted lists and binary search throughout, so that the order in which the query lists things decides nothing.

use std::sync::Arc;

use sidecart_catalog::{Catalog, Entry, Money, ProductId, TermId};
use sidecart_rules::{Limits, Rule};

use crate::{
    conversation::{Chat, Language},
    holdings::{Held, Holding, Holdings},
    query::{LiveOffer, Query},
    snapshot::Snapshot,
};

/// Most unknown ids in one answer.
const UNKNOWN_MAX: usize = 100;

/// A product that the shopper's need is about.
pub(crate) struct Anchor<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    /// How many are in the cart and the order; at least 1.
    pub(crate) quantity: u64,
    /// What the shopper pays for one: as the cart or the order says, else the live price, else the catalog's.
    pub(crate) price: Option<Money>,
    /// Whether it is in the order.
    pub(crate) is_ordered: bool,
}

/// What the query and the snapshot say, resolved.
pub(crate) struct Setting<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) query: &'a Query,
    pub(crate) limits: Limits,
    /// By product id.
    pub(crate) anchors: Vec<Anchor<'a>>,
    pub(crate) holdings: Holdings<'a>,
    /// Ids that the catalog does not have, ascending, each once; at most 100.
    pub(crate) unknown: Vec<ProductId>,
    /// Families and leaf categories of the anchors, each with the place of an anchor.
    families: Vec<(TermId, usize)>,
    leaves: Vec<(TermId, usize)>,
    /// By product id, each once.
    live: Vec<LiveOffer>,
    /// Ascending.
    taken: Vec<&'a ProductId>,
    /// What a conversation says, and the language to answer in.
    pub(crate) chat: Option<(&'a Chat, &'a Language)>,
}

/// One place where the query names a product that the catalog has.
struct Mention<'a> {
    entry: &'a Arc<Entry>,
    quantity: u64,
    unit_price: Option<Money>,
    is_ordered: bool,
}

impl<'a> Setting<'a> {
    /// Resolves a query against a snapshot.
    pub(crate) fn new(snapshot: &'a Snapshot, query: &'a Query) -> Self {
        let catalog = snapshot.catalog();
        let live = merged(&query.live);
        let anchors = anchors(catalog, query, &live);
        let places = |term: fn(&Entry) -> Option<TermId>| {
            let pairs = anchors.iter().enumerate().filter_map(|(at, anchor)| Some((term(anchor.entry)?, at)));
            let mut places: Vec<_> = pairs.collect();
            places.sort_unstable();
            places
        };
        let (families, leaves) = (places(|entry| Some(entry.family())), places(Entry::leaf));
        let mut taken: Vec<_> = query.taken.iter().collect();
        taken.sort_unstable();
        Self {
            snapshot,
            query,
            limits: query.policy.limits(query.stage, query.surface),
            holdings: holdings(snapshot, query),
            unknown: unknown(catalog, query),
            anchors,
            families,
            leaves,
            live,
            taken,
            chat: None,
        }
    }

    /// The same in a conversation, answered in a language.
    pub(crate) fn in_chat(
        snapshot: &'a Snapshot,
        query: &'a Query,
        chat: &'a Chat,
        language: &'a Language,
    ) -> Self {
        Self { chat: Some((chat, language)), ..Self::new(snapshot, query) }
    }

    /// What the caller knows better about a product.
    pub(crate) fn live(&self, product: &ProductId) -> Option<&LiveOffer> {
        live(&self.live, product)
    }

    /// What a product costs now: the live price, else the catalog's.
    pub(crate) fn price(&self, entry: &Entry) -> Option<Money> {
        price(&self.live, entry)
    }

    /// Whether a product is an anchor itself.
    pub(crate) fn is_anchor(&self, entry: &Entry) -> bool {
        self.place(entry).is_some()
    }

    /// The place of a product among the anchors.
    pub(crate) fn place(&self, entry: &Entry) -> Option<usize> {
        let id = entry.product().id();
        self.anchors.binary_search_by(|anchor| anchor.entry.product().id().cmp(id)).ok()
    }

    /// The first anchor of the same family.
    pub(crate) fn of_family(&self, family: TermId) -> Option<&Anchor<'a>> {
        self.first(&self.families, family)
    }

    /// The first anchor in the same leaf category.
    pub(crate) fn of_leaf(&self, leaf: TermId) -> Option<&Anchor<'a>> {
        self.first(&self.leaves, leaf)
    }

    /// Whether an earlier answer of the same batch has it.
    pub(crate) fn is_taken(&self, product: &ProductId) -> bool {
        self.taken.binary_search(&product).is_ok()
    }

    /// Whether a rule has effect at the moment, stage and surface of the query.
    pub(crate) fn applies(&self, rule: &Rule) -> bool {
        !rule.parts().disabled
            && rule.holds_in(self.query.stage, self.query.surface)
            && rule.holds_at(self.query.at)
    }

    fn first(&self, places: &[(TermId, usize)], term: TermId) -> Option<&Anchor<'a>> {
        let (found, at) = places.get(places.partition_point(|(other, _)| *other < term))?;
        (*found == term).then(|| &self.anchors[*at])
    }
}

fn anchors<'a>(catalog: &'a Catalog, query: &'a Query, live: &[LiveOffer]) -> Vec<Anchor<'a>> {
    let mut mentions: Vec<Mention<'a>> = Vec::new();
    let named = query.anchors.iter().filter_map(|id| catalog.get(id.as_str()));
    mentions.extend(named.map(|entry| Mention { entry, quantity: 0, unit_price: None, is_ordered: false }));
    let lines = query.cart.iter().map(|line| (line, false)).chain(query.ordered().map(|line| (line, true)));
    mentions.extend(lines.filter_map(|(line, is_ordered)| {
        let entry = catalog.get(line.product.as_str())?;
        Some(Mention { entry, quantity: line.quantity.into(), unit_price: line.unit_price, is_ordered })
    }));
    mentions.sort_unstable_by(|a, b| a.entry.product().id().cmp(b.entry.product().id()));
    let same = |a: &Mention<'_>, b: &Mention<'_>| a.entry.own() == b.entry.own();
    mentions.chunk_by(same).map(|mentions| anchor(mentions, live)).collect()
}

/// One anchor of everything said about it. Of several prices the dearest counts, whatever the order of the lines.
fn anchor<'a>(mentions: &[Mention<'a>], live: &[LiveOffer]) -> Anchor<'a> {
    let entry = mentions[0].entry;
    let paid = mentions.iter().filter_map(|mention| mention.unit_price).max();
    Anchor {
        entry,
        quantity: mentions.iter().map(|mention| mention.quantity).sum::<u64>().max(1),
        price: paid.or_else(|| price(live, entry)),
        is_ordered: mentions.iter().any(|mention| mention.is_ordered),
    }
}

fn holdings<'a>(snapshot: &'a Snapshot, query: &'a Query) -> Holdings<'a> {
    let catalog = snapshot.catalog();
    let cart = query.cart.iter().map(|line| (&line.product, Held::InCart));
    let owned = query.owned.iter().map(|id| (id, Held::Owned));
    let ordered = query.ordered().map(|line| (&line.product, Held::Ordered { quantity: line.quantity }));
    let known =
        cart.chain(owned).chain(ordered).filter_map(|(id, how)| Some((catalog.get(id.as_str())?, how)));
    let mut held: Vec<_> = known.collect();
    held.sort_by(|(a, _), (b, _)| a.product().id().cmp(b.product().id()));
    let placed_at = query.order.as_ref().and_then(|order| order.placed_at);
    let one_each = held.chunk_by(|(a, _), (b, _)| a.own() == b.own());
    let runs_out = |product: &ProductId| snapshot.follow_ups().runs_out(query.shopper.as_ref()?, product);
    Holdings::new(one_each.map(|same| Holding::new(same, placed_at, runs_out)).collect())
}

/// Ids in a query that the catalog does not have, ascending, each once; at most 100.
pub(crate) fn unknown(catalog: &Catalog, query: &Query) -> Vec<ProductId> {
    let lines = query.cart.iter().chain(query.ordered()).map(|line| &line.product);
    let live = query.live.iter().map(|live| &live.product);
    let told = query.conversation.iter().flat_map(|conversation| conversation.state.products_told());
    let all = query.anchors.iter().chain(&query.owned).chain(lines).chain(live).chain(told);
    let mut unknown: Vec<_> = all.filter(|id| catalog.index_of(id.as_str()).is_none()).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown.into_iter().take(UNKNOWN_MAX).cloned().collect()
}

/// One overlay for each product. Where the caller contradicts itself, the dearer price and "out of stock" count.
fn merged(live: &[LiveOffer]) -> Vec<LiveOffer> {
    let mut merged = live.to_vec();
    merged.sort_by(|a, b| a.product.cmp(&b.product));
    merged.dedup_by(|later, kept| {
        let is_same = later.product == kept.product;
        if is_same {
            kept.price = kept.price.max(later.price);
            kept.in_stock = kept.in_stock.into_iter().chain(later.in_stock).min();
        }
        is_same
    });
    merged
}

fn live<'l>(live: &'l [LiveOffer], product: &ProductId) -> Option<&'l LiveOffer> {
    live.binary_search_by(|other| other.product.cmp(product)).ok().map(|at| &live[at])
}

fn price(overlay: &[LiveOffer], entry: &Entry) -> Option<Money> {
    live(overlay, entry.product().id()).and_then(|live| live.price).or(entry.product().price())
}
