//! What is answered.

use std::sync::Arc;

use sidecart_catalog::{Entry, Money, ProductId};
use sidecart_rules::{Relation, RuleId};

use crate::{conversation::Understood, gate::Gate, lead::AffinityKind};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Make these offers.
    Offer,
    /// Not now.
    Hold,
    /// Not in this context.
    Never,
}

/// Why the verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There are offers.
    OffersFound,
    /// No anchor, cart line or order line is in the catalog.
    NoAnchor,
    /// Nothing leads from the anchors to anything.
    NoEvidence,
    /// There were candidates, and gates stopped all of them.
    AllGated,
    /// The pairings lead to more than is looked at, and nothing that was looked at passed.
    ScanLimit,
    /// The policy makes no offers here.
    OffersDisabled,
    /// The customer wants no offers.
    OptedOut,
    /// A human was asked for.
    HumanRequested,
    /// Someone or something may come to harm.
    Safety,
    /// It is about the customer's own data.
    Privacy,
    /// Something is being called off.
    CancellationOpen,
    /// Something is being given back.
    RefundOpen,
    /// A complaint is open.
    ComplaintOpen,
    /// The caller says that an issue is open.
    IssueOpen,
    /// The customer said a phrase at which the merchant forbids offers.
    MerchantForbids,
    /// The customer declined too many offers.
    Refused,
    /// The customer writes in a language that Sidecart does not read.
    LanguageUnread,
    /// What was open has only just been settled.
    JustSettled,
    /// An offer was made a moment ago.
    JustOffered,
    /// An offer was declined a moment ago.
    JustDeclined,
    /// The customer is still telling.
    StillExplaining,
    /// Something does not work, or the customer is angry.
    Trouble,
    /// It is a matter of orders, accounts or payment.
    ServiceMatter,
    /// The customer compares prices or products.
    Deciding,
    /// Nothing is asked.
    NothingAsked,
    /// No product is meant that can be told.
    ProductUnclear,
    /// A product is meant that can be read in two ways, and the offers would differ.
    AmbiguousProduct,
}

impl Why {
    /// Its name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OffersFound => "OFFERS_FOUND",
            Self::NoAnchor => "NO_ANCHOR",
            Self::NoEvidence => "NO_EVIDENCE",
            Self::AllGated => "ALL_GATED",
            Self::ScanLimit => "SCAN_LIMIT",
            Self::OffersDisabled => "OFFERS_DISABLED",
            Self::OptedOut => "OPTED_OUT",
            Self::HumanRequested => "HUMAN_REQUESTED",
            Self::Safety => "SAFETY",
            Self::Privacy => "PRIVACY",
            Self::CancellationOpen => "CANCELLATION_OPEN",
            Self::RefundOpen => "REFUND_OPEN",
            Self::ComplaintOpen => "COMPLAINT_OPEN",
            Self::IssueOpen => "ISSUE_OPEN",
            Self::MerchantForbids => "MERCHANT_FORBIDS",
            Self::Refused => "REFUSED",
            Self::LanguageUnread => "LANGUAGE_UNREAD",
            Self::JustSettled => "JUST_SETTLED",
            Self::JustOffered => "JUST_OFFERED",
            Self::JustDeclined => "JUST_DECLINED",
            Self::StillExplaining => "STILL_EXPLAINING",
            Self::Trouble => "TROUBLE",
            Self::ServiceMatter => "SERVICE_MATTER",
            Self::Deciding => "DECIDING",
            Self::NothingAsked => "NOTHING_ASKED",
            Self::ProductUnclear => "PRODUCT_UNCLEAR",
            Self::AmbiguousProduct => "AMBIGUOUS_PRODUCT",
        }
    }
}

/// Where an offer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The merchant's pairing.
    Pairing,
    /// What orders taught, or an import says they do.
    Affinity(AffinityKind),
}

/// How well founded an offer is.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// The merchant says so, in this rule.
    Merchant(RuleId),
    /// Orders say so.
    Orders {
        /// How near they are to the pair.
        level: Level,
        /// How many orders have both, or how many shoppers bought one after the other.
        support: u32,
        /// How many times as often as by chance they are bought together, at the lower end of what the orders allow.
        lift: f32,
        /// What the import called itself that it comes from; `None`: it was learned here.
        provenance: Option<Box<str>>,
    },
}

/// How near the evidence of orders is to the pair it speaks for, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Orders of this very anchor.
    Product,
    /// Orders of other variants of the anchor.
    Family,
    /// Orders of other products in the anchor's leaf category.
    Leaf,
    /// Orders of products in the category above.
    Parent,
    /// Orders of anything: the target is bought often, beside whatever. Below any evidence floor.
    Shop,
}

/// A word of a reason, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// `target`, `anchor`, `need` or `price`.
    pub name: &'static str,
    /// What stands there.
    pub value: String,
}

/// Why an offer is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Relation and stage, such as `REQUIRED_ACCESSORY_PRODUCT`.
    pub code: &'static str,
    /// What the words are made of.
    pub slots: Vec<Slot>,
    /// A ready sentence in the tone of the stage, or the merchant's own.
    pub text: String,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The target.
    pub target: Arc<Entry>,
    /// Estimated chance that it is taken, 0 to 1.
    pub score: f64,
    /// Where it came from.
    pub source: Source,
    /// What the merchant says it is to its anchors; `None` where only orders speak.
    pub relation: Option<Relation>,
    /// The job it does.
    pub need: Arc<str>,
    /// The anchors it goes with, ascending.
    pub anchors: Vec<ProductId>,
    /// How well founded it is.
    pub evidence: Evidence,
    /// Why, in a code and in words.
    pub reason: Reason,
    /// What it costs.
    pub price: Money,
    /// In a conversation: a sentence in the customer's language that claims no more than is known. Else empty.
    pub safe_to_say: String,
}

/// What stopped a candidate, or that nothing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEntry {
    /// The candidate; it may be unknown to the catalog.
    pub product: ProductId,
    /// The first gate that stopped it, or [`Gate::Passed`].
    pub gate: Gate,
    /// With the numbers.
    pub detail: String,
    /// The rule that it came from, or that stopped it.
    pub rule: Option<RuleId>,
    /// The anchor that it was judged beside.
    pub anchor: Option<ProductId>,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub why: Why,
    /// Best first.
    pub offers: Vec<Offer>,
    /// Ids in the query that the catalog does not have, ascending, each once. At most 100.
    pub unknown: Vec<ProductId>,
    /// What was understood of the conversation, if there is one.
    pub understood: Option<Box<Understood>>,
}
