//! Conversations: what a customer means and is after, and whether that calls for an offer.
//!
//! `read` makes a [`Turn`] of one text, by the lexicons and the catalog's names: what is said, never the words themselves.
//! `state` folds turns and what became of offers into where the conversation stands; `occasion` says what that calls for;
//! `chat` finds the offer. Nothing here knows a model, a network or a clock: the same steps give the same answer.

mod answers;
mod chat;
mod ear;
mod lexicon;
mod occasion;
mod phrase;
mod quotation;
mod read;
mod role;
mod say;
mod sentence;
mod state;
mod subjects;
mod substring;

use std::ops::Range;

use sidecart_catalog::{CategoryPath, ProductId, names::WordId};

pub(crate) use answers::{Chat, sift};
pub(crate) use chat::{Keeps, converse};
pub(crate) use lexicon::Language;
pub use read::{read, read_assistant};
pub(crate) use say::safe_to_say;
pub use state::State;

/// Most mentions kept of one turn.
pub const MENTIONS_MAX: usize = sidecart_catalog::names::MENTIONS_MAX;
/// Most pieces of evidence kept of one turn.
pub const EVIDENCE_MAX: usize = 32;
/// Most words of a question that are compared with what could be offered.
pub const ASKED_WORDS_MAX: usize = 32;

/// From how sure on a mention is taken for what is meant without asking.
const SURE_MIN: f32 = 0.5;

/// What the customer asks about, or wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuestionKind {
    /// Whether it fits, or works with something.
    Compatibility,
    /// Whether it serves a purpose.
    UseCase,
    /// What it is like.
    Specification,
    /// How something is done with it.
    HowTo,
    /// What it costs.
    PriceOrDeal,
    /// Whether it can be had.
    Availability,
    /// How it differs from another.
    Comparison,
    /// Where an order is, or how it is delivered.
    OrderStatus,
    /// Giving something back.
    ReturnOrRefund,
    /// Something went wrong.
    Complaint,
    /// Calling something off.
    Cancel,
    /// Account, payment, data.
    Account,
    /// Someone human is asked for.
    HumanRequest,
    /// Thanks or goodbye.
    Thanks,
    /// Anything else.
    Other,
}

/// How near the customer is to buying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readiness {
    /// Nothing is known.
    Browsing,
    /// Asks about a product.
    Interested,
    /// Says that they will buy.
    ReadyToBuy,
    /// Has bought.
    AlreadyBought,
}

/// How the customer feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sentiment {
    /// Angry, or in trouble.
    Negative,
    /// Neither.
    Neutral,
    /// Pleased.
    Positive,
}

/// A matter during which no offer is made, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matter {
    /// The customer wants no offers.
    OptedOut,
    /// A phrase that the merchant forbids offers at.
    Merchant,
    /// A human was asked for.
    HumanRequested,
    /// Someone or something may come to harm.
    Safety,
    /// The customer's own data.
    Privacy,
    /// Something is called off.
    Cancellation,
    /// Something is given back.
    ReturnOrRefund,
    /// Something went wrong.
    Complaint,
}

/// What a product has to do with the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MentionRole {
    /// They ask about it.
    AskedAbout,
    /// They have it.
    Owns,
    /// They want it.
    Wants,
    /// They do not want it.
    Rejected,
    /// They give it back.
    Returning,
}

/// What a mention is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// One product.
    Product(ProductId),
    /// Any variant of a family.
    Family {
        /// Its name.
        family: Box<str>,
        /// The variant whose id comes first.
        first: ProductId,
    },
    /// Any product of a category.
    Category(CategoryPath),
}

/// Something sold that the text names.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// The likeliest reading.
    pub meant: Meant,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
    /// The next likely reading, and how sure that is.
    pub runner_up: Option<(Meant, f32)>,
    /// What it has to do with the customer.
    pub role: MentionRole,
}

/// What is spoken of by a name of the merchant's, or by a word for such things that the merchant calls otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thing {
    /// By its name.
    Named(Meant),
    /// By a word that answers a topic of the lexicons.
    Topic(usize),
}

/// A phrase that was found, and what it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// From which byte of the text.
    pub from: usize,
    /// Up to which byte.
    pub to: usize,
    /// The rule of the lexicon.
    pub rule: &'static str,
}

/// A word for something named before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// The one talked of last.
    It,
    /// The first, second or last of those named together.
    First,
    /// See [`Pointer::First`].
    Second,
    /// See [`Pointer::First`].
    Last,
}

/// What was read from one text of the customer. Holds none of its words but where the merchant sells something by them.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What it names, in its order.
    pub mentions: Vec<Mention>,
    /// What it asks.
    pub question: QuestionKind,
    /// How near to buying it is.
    pub readiness: Readiness,
    /// How the customer feels.
    pub sentiment: Sentiment,
    /// What forbids an offer.
    pub matter: Option<Matter>,
    /// Whether it may call for an offer.
    pub calls: Calls,
    /// Which product of earlier turns it points to.
    pub pointer: Option<Pointer>,
    /// Whether what was open is said to be settled.
    pub is_settled: bool,
    /// Whether they tell that something is amiss, or are angry.
    pub(crate) is_troubled: bool,
    /// How they turn an offer down, if one was shown.
    pub(crate) refusal: Option<Decline>,
    /// How many words they tell that no phrase knows.
    pub(crate) told_unknown: usize,
    /// What they do not want, give back, or have already.
    pub(crate) unwanted: Vec<Thing>,
    /// Kinds of products of which they want one, or ask which.
    pub(crate) wanted: Vec<Thing>,
    /// What the question is about.
    pub asked: Asked,
    /// The language it is in, as its place among the lexicons.
    pub(crate) language: Option<usize>,
    /// Phrases that spoke, in the order of the text.
    pub evidence: Vec<Evidence>,
}

/// What was read from one text of the assistant.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What it names, in its order.
    pub mentions: Vec<Mention>,
    /// Whether it is sorry for what the customer told, or mends it.
    pub is_sorry: bool,
    /// Whether it asks what a help desk does of who has a matter open: an order number, a photo, what was tried.
    pub is_helping: bool,
    /// Whether it asks something.
    pub asks: bool,
}

/// What a turn calls for, apart from what forbids an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calls {
    /// An offer, if there is a product.
    Offer,
    /// An offer in any case: a phrase of the merchant's asks for one.
    OfferByMerchant,
    /// More offers are asked for: one may follow another at once.
    MoreOffers,
    /// Not yet: the customer is still telling.
    Patience,
    /// Not now: something does not work, or they are angry.
    Care,
    /// Not now: it is a matter of orders, accounts or payment.
    Service,
    /// Not now: they compare prices or products.
    Decision,
    /// Not now: it is in a language that no lexicon carries, and may be about anything.
    Unread,
    /// Nothing is asked.
    Nothing,
}

/// What a question is about, as far as the merchant's own words and the lexicons' topics tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Words, at most [`ASKED_WORDS_MAX`].
    pub(crate) words: Vec<WordId>,
    /// Topics, ascending.
    pub(crate) topics: Vec<usize>,
}

impl Asked {
    /// Asks what was asked before, too: its topics, and as many of its words as there is room for.
    pub(crate) fn join(&mut self, before: &Self) {
        let room = ASKED_WORDS_MAX.saturating_sub(self.words.len());
        self.words.extend(before.words.iter().take(room));
        self.topics.extend(&before.topics);
        self.words.sort_unstable();
        self.words.dedup();
        self.topics.sort_unstable();
        self.topics.dedup();
    }
}

/// How an offer was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decline {
    /// Not wanted.
    NoThanks,
    /// It costs too much.
    TooExpensive,
    /// They have one.
    HaveOne,
    /// Not now.
    Later,
}

/// One thing that happened in a conversation, in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The customer wrote.
    Customer(Box<Turn>),
    /// The assistant wrote, and named these.
    Assistant(Reply),
    /// An offer was shown.
    Shown(ProductId),
    /// It was declined.
    Declined(ProductId, Decline),
    /// It was bought.
    Bought(ProductId),
    /// The caller says that an issue is open.
    IssueOpened,
    /// The caller says that none is open any more.
    IssueClosed,
    /// The caller says that the customer wants no offers.
    OptedOut,
}

/// A conversation, as far as an answer depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Where it stands.
    pub state: State,
    /// The caller's own label of the last turn; wins over what was read.
    pub question: Option<QuestionKind>,
    /// The caller's own label; wins over what was read.
    pub sentiment: Option<Sentiment>,
    /// Whether the caller says that an issue is open, or that none is; wins over what was read.
    pub open_issue: Option<bool>,
    /// The language to answer in, BCP 47; else the customer's.
    pub language: Option<Box<str>>,
}

/// Reads the lexicons, for a quarter of a second, so that the first text need not wait for them. Later calls do nothing.
pub fn get_ready() {
    lexicon::Lexicon::get();
}

/// What was understood, besides the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Understood {
    /// What the last turn of the customer names.
    pub mentions: Vec<Mention>,
    /// What it asks.
    pub question: QuestionKind,
    /// How near to buying the customer is.
    pub readiness: Readiness,
    /// How they feel.
    pub sentiment: Sentiment,
    /// Where a mention can be read in two ways: whether the offers would differ.
    pub offers_differ: Option<bool>,
    /// After how many more turns of the customer to ask again.
    pub retry_after_turns: Option<u32>,
    /// Phrases that spoke in the last turn, in the order of the text.
    pub evidence: Vec<Evidence>,
}
