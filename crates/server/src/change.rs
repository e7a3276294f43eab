//! Changes: what a write asks for, as domain values, and what became of it.
//!
//! Applying a change is deterministic: every time and id it needs is a field of it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use sidecart_catalog::{
    MerchantId, OfferPatch, OrderId, Product, ProductId, ShopperId, Timestamp, Violation,
};
use sidecart_rules::{Policy, PolicyName, Rule, RuleId};
use sidecart_scoring::{
    follow_ups::{Completion, Lease, Opt, Plan, Step},
    imported::ImportedAffinity,
    model::Model,
    orders::RecordedOrder,
};

/// One write of one merchant.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// Whose it is.
    pub merchant: MerchantId,
    /// When it was received.
    pub at: Timestamp,
    /// Makes it idempotent, if given.
    pub request: Option<RequestKey>,
    /// What it asks for.
    pub change: Change,
}

/// A client's name for a write, and the digest of what it asked, so that a name used twice for two things is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestKey {
    /// The client's own id, 1 to 128 bytes.
    pub id: Box<str>,
    /// BLAKE3 of method and encoded request, cut to 16 bytes.
    pub digest: [u8; 16],
}

/// What a write asks for. Lists are bounded by the caller, at the edge.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Create or replace products, each on its own.
    UpsertProducts(Vec<Product>),
    /// Make these the whole catalog, or refuse all.
    ReplaceProducts(Vec<Product>),
    /// Set price and stock, each on its own.
    SetOffers(Vec<(ProductId, OfferPatch)>),
    /// Remove products, each on its own.
    DeleteProducts(Vec<ProductId>),
    /// Create or replace rules, each on its own.
    UpsertRules(Vec<Rule>),
    /// Make these the whole rule set, or refuse all.
    ReplaceRules(Vec<Rule>),
    /// Remove rules, each on its own.
    DeleteRules(Vec<RuleId>),
    /// Set a policy.
    SetPolicy(Box<Policy>),
    /// Remove a policy.
    DeletePolicy(PolicyName),
    /// Add what is told of orders to what is known of them, each on its own.
    RecordOrders(Vec<RecordedOrder>),
    /// Lease follow-ups, each on its own, and note which others are not to be looked at.
    LeaseFollowUps(Claims),
    /// Note what became of leased follow-ups, each on its own.
    CompleteFollowUps(Vec<Completion>),
    /// Note whether a shopper wants to be written to.
    SetOptOut(ShopperId, Opt),
    /// Take a shopper out of some of their orders, at most so many, and when none is left out of all else. One outcome for each
    /// order.
    EraseShopper {
        /// Who.
        shopper: ShopperId,
        /// When that was asked.
        at: Timestamp,
        /// How many orders at most.
        orders_max: usize,
    },
    /// Work out anew when what these shoppers bought runs out.
    RefreshRefills(Vec<ShopperId>),
    /// Serve what was learned from orders.
    Learned(Arc<Model>),
    /// Make these the whole of what was imported.
    ImportAffinities(Vec<ImportedAffinity>),
    /// Go back to what an earlier generation held.
    RollBack {
        /// Which generation.
        generation: u64,
        /// Which parts of it.
        parts: PartSet,
    },
    /// Make this the whole truth of the merchant.
    Restore(Box<Truth>),
}

/// What was found when due follow-ups were looked for.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    /// When.
    pub at: Timestamp,
    /// To lease, if they are still free.
    pub leases: Vec<Lease>,
    /// Not to be looked at before a moment.
    pub put_off: Vec<(Plan, Timestamp)>,
    /// Not to be looked at any more as things are.
    pub over: Vec<Plan>,
}

/// Everything durable that a merchant has said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// Products.
    pub products: Vec<Product>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Orders.
    pub orders: Vec<RecordedOrder>,
    /// What was learned from them, as it is stored: its pieces, by place.
    pub model: BTreeMap<Box<[u8]>, Bytes>,
    /// What was imported, in the same form.
    pub imported: BTreeMap<Box<[u8]>, Bytes>,
    /// What became of follow-ups.
    pub follow_ups: Vec<(OrderId, Vec<Step>)>,
    /// Shoppers who do not want to be written to.
    pub opted_out: Vec<ShopperId>,
}

/// Which parts of a snapshot are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartSet {
    /// Products, with prices and stock.
    pub catalog: bool,
    /// Pairings, blocks and boosts.
    pub rules: bool,
    /// Policies.
    pub policies: bool,
}

/// What became of one item of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was not there before.
    Created,
    /// It was there, and differs now.
    Updated,
    /// It was there, and is the same.
    Unchanged,
    /// It was there, and is gone.
    Deleted,
    /// It was not there, or is not what it would have to be.
    Unknown,
    /// Every field of it was older than what is stored.
    Stale,
    /// It is wrong beside what is stored, and changed nothing. The field is relative to the item.
    Rejected(Violation),
}

/// The answer to a write that is durable and visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// From this generation on, reads see it.
    pub generation: u64,
    /// One for each item of the change, in its order.
    /// For a replacement of products or rules, one for each item and each item gone, in no order.
    /// Empty for SetPolicy, RollBack and Restore.
    pub outcomes: Vec<Outcome>,
}

/// Why a write was not done. Nothing has changed then, unless said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The queue, or the merchant's share of it, is full.
    #[error("too many writes are waiting")]
    Full,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
    /// The store was damaged or its state is unknown; the last good view is served.
    #[error("the store is damaged, so nothing can be written: {0}")]
    Degraded(String),
    /// The commit failed, and whether it is on disk is not known.
    #[error("the write may or may not be durable: {0}")]
    Uncertain(String),
    /// The request id was used for another request.
    #[error("the request id was used for another request within 24 hours")]
    RequestIdReused,
    /// An all-or-nothing change has faulty items.
    #[error("{} items are refused", .0.len())]
    Rejected(Vec<(usize, Violation)>),
    /// The generation to roll back to is not kept.
    #[error("generation {0} is not kept")]
    NotKept(u64),
    /// The change touches more than one commit may hold. Smaller ones, or a replacement, would do.
    #[error("the change touches more than one commit may hold: send less at once")]
    TooLarge,
    /// The writer met a fault of its own.
    #[error("the writer met a fault of its own, and nothing was written")]
    Faulted,
    /// The server holds as many merchants as it may.
    #[error("there are too many merchants")]
    TooManyMerchants,
}

/// The call that takes a shopper out of everything.
pub(crate) const ERASE: &str = "EraseShopper";

impl Change {
    /// The call that asks for it, by its name on the wire.
    pub(crate) fn cause(&self) -> &'static str {
        match self {
            Self::UpsertProducts(_) => "UpsertProducts",
            Self::ReplaceProducts(_) => "ImportProducts",
            Self::SetOffers(_) => "SetOffers",
            Self::DeleteProducts(_) => "DeleteProducts",
            Self::UpsertRules(_) => "UpsertRules",
            Self::ReplaceRules(_) => "ReplaceRules",
            Self::DeleteRules(_) => "DeleteRules",
            Self::SetPolicy(_) => "SetPolicy",
            Self::DeletePolicy(_) => "DeletePolicy",
            Self::RecordOrders(_) => "RecordOrders",
            Self::LeaseFollowUps(_) => "LeaseFollowUps",
            Self::CompleteFollowUps(_) => "CompleteFollowUps",
            Self::SetOptOut(..) => "SetOptOut",
            Self::EraseShopper { .. } => ERASE,
            Self::RefreshRefills(_) => "RefreshRefills",
            Self::Learned(_) => "LearnAffinities",
            Self::ImportAffinities(_) => "ImportAffinities",
            Self::RollBack { .. } => "RollBack",
            Self::Restore(_) => "Import",
        }
    }
}
