//! Reading: from one text of the customer to what it says.

use std::{collections::BTreeSet, ops::Range};

use sidecart_catalog::{
    Catalog, Term,
    names::{Everyday, Link, Linked, Reading, Word, WordId, words},
};
use sidecart_rules::Phrases;

use crate::snapshot::Snapshot;

use super::{
    ASKED_WORDS_MAX, Asked, Calls, Decline, Matter, Meant, Mention, MentionRole, Pointer, QuestionKind,
    Readiness, Reply, SURE_MIN, Sentiment, Turn,
    ear::Ear,
    lexicon::{Lexicon, Says, Spoken, Topical},
    quotation::without_cited_lines,
    role::{Asking, Named, Roles, Spotted},
    sentence::Sentences,
};

/// Places of one of a merchant's own phrases that are looked at in one text.
const PLACES_MAX: usize = 8;
/// Words told and not known beside which a purchase, a statement or the form of a question calls for no offer: fewer are
/// thanks, or an aside.
const TOLD_WORDS_MIN: usize = 5;
/// The same beside a question of a known kind.
const STORY_WORDS_MIN: usize = 7;
/// How much the form of a question says by itself.
const WEIGHT_OF_FORM: f32 = 0.3;
/// The most that a rule weighs which hears no more of a question than its form, such as `can it`.
const FORM_WEIGHT_MAX: f32 = 0.4;
/// Words of a text that is a question without the form of one, such as `battery life`.
const TERSE_WORDS_MAX: usize = 4;
/// How much more of a question about a product must speak than of a matter of service, to be taken for one.
const SERVICE_ODDS: f32 = 1.5;

/// Reads a text of the customer, with the merchant's own phrases.
///
/// Takes time linear in the text, of which [`sidecart_catalog::names::TEXT_WORDS_MAX`] words count.
pub fn read(snapshot: &Snapshot, text: &str, own_phrases: &Phrases) -> Turn {
    let own = without_cited_lines(text);
    let words = words(&own);
    let catalog = snapshot.catalog();
    let links = catalog.link(&words);
    let heard = Ear::of(catalog, &own, &words, &links);
    let signals = heard.signals(&own);
    let kinds = signals.kinds(&links, &heard.heard.topics);
    let spots = links.iter().map(|link| link.words.clone());
    let spots = spots.chain(kinds.iter().map(|topic| topic.from..topic.to)).collect();
    let roles = Roles::of(&signals, spots);
    let named: Vec<Named> =
        links.iter().filter_map(|link| named(catalog, &words, link, roles.role(&link.words))).collect();
    let things = signals.things(&named, &kinds);
    let (unwanted, others): (Vec<Spotted>, Vec<Spotted>) =
        things.into_iter().partition(|(thing, words)| roles.is_unwanted(thing, words));
    let is_asked = |topic: &&Topical| {
        !unwanted.iter().any(|(_, words)| words.start < topic.to && topic.from < words.end)
    };
    let topics: BTreeSet<usize> =
        heard.heard.topics.iter().filter(is_asked).map(|topic| topic.topic).collect();
    let asking = Asking { has_topic: !topics.is_empty(), ..Asking::of(&signals, catalog, others) };
    let mentions: Vec<Mention> = named.into_iter().map(|named| named.mention).collect();
    let places = |phrases: &[Box<str>]| phrases.iter().flat_map(|phrase| places(&words, phrase)).collect();
    let (forbidding, offering): (Vec<_>, Vec<_>) = (places(&own_phrases.never), places(&own_phrases.offer));
    let question = signals.question(&mentions, &asking);
    let matter = if !forbidding.is_empty() { Some(Matter::Merchant) } else { signals.matter() };
    let calls = if offering.iter().any(|words| !signals.is_denied(words)) {
        Calls::OfferByMerchant
    } else if !heard.lexicon.can_read(&own, &words, heard.language) {
        Calls::Unread
    } else {
        signals.calls(question, &mentions, &asking, &own)
    };
    Turn {
        question: signals.named_question(question, matter),
        readiness: signals.readiness(&mentions, question),
        sentiment: signals.sentiment(),
        matter,
        calls,
        pointer: signals.pointer(),
        is_settled: signals.any(Says::Resolved),
        // Who tells of an order or an account, and asks nothing of it, is in trouble with it; and who knows of what in a
        // language that is not carried?
        is_troubled: signals.any(Says::Anger)
            || signals.tells_trouble()
            || calls == Calls::Service && !signals.is_asked()
            || calls == Calls::Unread,
        refusal: signals.refusal(),
        told_unknown: signals.told_unknown(),
        asked: asked(&words, &links, topics),
        unwanted: unwanted.into_iter().map(|(thing, _)| thing).collect(),
        wanted: asking.wanted,
        language: heard.language,
        evidence: heard.evidence(),
        mentions,
    }
}

/// Reads a text of the assistant.
pub fn read_assistant(snapshot: &Snapshot, text: &str) -> Reply {
    let (words, catalog) = (words(text), snapshot.catalog());
    let links = catalog.link(&words);
    let role = MentionRole::AskedAbout;
    let signals = Ear::of(catalog, text, &words, &links).signals(text);
    Reply {
        mentions: links.iter().filter_map(|link| Some(named(catalog, &words, link, role)?.mention)).collect(),
        is_sorry: signals.any(Says::Sorry),
        is_helping: signals.any(Says::Helps),
        asks: signals.is_asked(),
    }
}

/// Where the words of a phrase stand in a text, side by side: the first of these places.
fn places(text: &[Word], phrase: &str) -> Vec<Range<usize>> {
    let phrase: Vec<WordId> = words(phrase).iter().map(|word| word.id).collect();
    if phrase.is_empty() {
        return Vec::new();
    }
    let runs = text.windows(phrase.len()).enumerate();
    let same = runs.filter(|(_, run)| run.iter().zip(&phrase).all(|(word, id)| word.id == *id));
    same.map(|(at, _)| at..at + phrase.len()).take(PLACES_MAX).collect()
}

/// What counts of what was heard.
pub(super) struct Signals<'a> {
    pub(super) lexicon: &'static Lexicon,
    pub(super) words: &'a [Word],
    pub(super) sentences: Sentences,
    pub(super) spoken: Vec<Spoken>,
    /// Of each word, whether something sold is named by it.
    pub(super) is_named: Vec<bool>,
}

/// What is open, gravest first, and what says so.
const MATTERS: [(Says, Matter); 8] = [
    (Says::OptOut, Matter::OptedOut),
    (Says::Human, Matter::HumanRequested),
    (Says::Safety, Matter::Safety),
    (Says::Privacy, Matter::Privacy),
    (Says::Cancel, Matter::Cancellation),
    (Says::Refund, Matter::ReturnOrRefund),
    (Says::Return, Matter::ReturnOrRefund),
    (Says::Complaint, Matter::Complaint),
];

/// Kinds of questions about products, and what says so.
const PRODUCT_KINDS: [(QuestionKind, Says); 7] = [
    (QuestionKind::Comparison, Says::Comparison),
    (QuestionKind::PriceOrDeal, Says::Price),
    (QuestionKind::Availability, Says::Availability),
    (QuestionKind::Compatibility, Says::Compatibility),
    (QuestionKind::HowTo, Says::HowTo),
    (QuestionKind::UseCase, Says::UseCase),
    (QuestionKind::Specification, Says::Specification),
];

impl Signals<'_> {
    pub(super) fn all(&self, says: Says) -> impl Iterator<Item = &Spoken> {
        self.spoken.iter().filter(move |spoken| self.lexicon.rules[spoken.rule].says == says)
    }

    fn any(&self, says: Says) -> bool {
        self.all(says).next().is_some()
    }

    /// How much speaks for something: the weights of what is said, no stretch counted twice.
    fn weight<'s>(&self, spoken: impl Iterator<Item = &'s Spoken>) -> f32 {
        let (mut weight, mut until) = (0.0, 0);
        for spoken in spoken {
            if spoken.from >= until {
                weight += self.lexicon.rules[spoken.rule].weight;
                until = spoken.to;
            }
        }
        weight
    }

    /// Whether anything is asked.
    fn is_asked(&self) -> bool {
        self.sentences.has_mark() || self.sentences.ask()
    }

    /// What is asked; or said, where nothing is asked.
    fn asked(&self, says: Says) -> impl Iterator<Item = &Spoken> {
        self.all(says).filter(|spoken| !self.sentences.ask() || self.sentences.is_asked(spoken))
    }

    /// The gravest matter that is open.
    fn matter(&self) -> Option<Matter> {
        let said = self.said().find(|matter| !(is_of_purchase(*matter) && self.any(Says::Unbought)));
        said.or_else(|| self.complains().then_some(Matter::Complaint))
    }

    /// The matter that would be open if anything had been bought: its terms are asked about.
    fn terms(&self) -> Option<Matter> {
        self.said().find(|matter| is_of_purchase(*matter) && self.any(Says::Unbought))
    }

    /// Matters that are spoken of, gravest first.
    fn said(&self) -> impl Iterator<Item = Matter> {
        MATTERS.into_iter().filter(|(says, _)| self.any(*says)).map(|(_, matter)| matter)
    }

    /// What is amiss.
    fn troubles(&self) -> impl Iterator<Item = &Spoken> {
        self.all(Says::Trouble).chain(self.all(Says::Damage))
    }

    fn is_in_trouble(&self) -> bool {
        self.troubles().next().is_some()
    }

    /// Who is in trouble complains, whatever words they use: in anger, of what has come, when they ask nothing, or why.
    fn complains(&self) -> bool {
        self.is_in_trouble() && self.any(Says::Anger)
            || (self.any(Says::Arrived) || !self.sentences.ask() && !self.any(Says::Account))
                && self.tells_trouble()
            || self.troubles().any(|trouble| self.sentences.is_presumed(trouble))
    }

    /// How many words are told that no phrase knows: they may be a complaint.
    fn told_unknown(&self) -> usize {
        let everyday = Everyday::of(self.words);
        let mut is_known = self.is_named.clone();
        for spoken in &self.spoken {
            is_known[spoken.from..spoken.to].fill(true);
        }
        let is_number = |word: &Word| word.folded.contains(|letter: char| letter.is_numeric());
        self.sentences
            .told(|at| is_known[at] || everyday.has(self.words[at].id) || is_number(&self.words[at]))
    }

    /// Whether trouble is told of, not asked about or supposed.
    fn tells_trouble(&self) -> bool {
        let arrivals: Vec<Spoken> = self.all(Says::Arrived).copied().collect();
        self.troubles().any(|trouble| self.sentences.is_told(trouble, &arrivals))
    }

    /// The kind of question about a product, with how much speaks for it.
    fn question(&self, mentions: &[Mention], asking: &Asking) -> Option<(QuestionKind, f32)> {
        let is_marked = self.sentences.has_mark();
        let kinds = PRODUCT_KINDS.map(|(kind, says)| (kind, self.weight(self.asked(says))));
        let total: f32 = kinds.iter().map(|(_, weight)| weight).sum();
        let best =
            kinds.into_iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, weight)| *weight > 0.0);
        let is_asked = self.is_asked();
        let is_name =
            |spoken: &Spoken| self.is_named[spoken.from..spoken.to].iter().all(|is_named| *is_named);
        let asked = || PRODUCT_KINDS.iter().flat_map(|(_, says)| self.asked(*says));
        let is_known = asked().any(|spoken| {
            self.lexicon.rules[spoken.rule].weight > FORM_WEIGHT_MAX && (is_asked || !is_name(spoken))
        });
        // The form of a question speaks only where nothing is told beside it; a statement is none by its form, nor by
        // the names it has.
        let told_min = if is_known && is_asked { STORY_WORDS_MIN } else { TOLD_WORDS_MIN };
        // Who asks why, or about a product that is theirs, in no words of a question about products, may be in trouble.
        let owns = |mention: &Mention| mention.role == MentionRole::Owns && is_sure_product(mention);
        let asks_of_own = !asking.has_topic
            && mentions.iter().any(owns)
            && self.all(Says::Owns).any(|spoken| self.sentences.asks(spoken.from));
        let is_presumed =
            self.any(Says::Presumes) && asked().all(|spoken| self.sentences.is_presumed(spoken));
        let is_theirs = is_presumed || asks_of_own;
        if self.told_unknown() >= told_min || !is_known && (!is_asked || is_theirs) {
            return None;
        }
        // Words of unspaced scripts are of two characters.
        let is_word = |word: &&Word| word.folded.len() >= 3;
        let is_question = is_marked && self.words.iter().filter(is_word).count() >= 2
            || self.sentences.ask() && (self.any(Says::Points) || !mentions.is_empty());
        // An order to the machine, or any other statement, asks nothing by the words it uses.
        let asks = is_marked
            || [Says::Question, Says::Wants, Says::Owns, Says::Bought].into_iter().any(|says| self.any(says))
            || mentions.iter().any(is_sure_product)
            || self.words.len() <= TERSE_WORDS_MAX;
        let (kind, weight) = match best.filter(|_| asks) {
            Some((kind, _)) => (kind, total),
            None if is_question => (QuestionKind::Specification, WEIGHT_OF_FORM),
            None => return None,
        };
        // Who asks which of a kind, and no more, asks what goes with what they have.
        let asks_which = !is_known && kind == QuestionKind::Specification && !asking.wanted.is_empty();
        Some((if asks_which { QuestionKind::Compatibility } else { kind }, weight))
    }

    /// The matter of service that speaks loudest.
    fn service(&self) -> Option<(QuestionKind, f32)> {
        let kinds = [
            (QuestionKind::OrderStatus, Says::OrderStatus),
            (QuestionKind::Account, Says::Account),
            (QuestionKind::Other, Says::Service),
        ];
        let kinds = kinds.map(|(kind, says)| (kind, self.weight(self.all(says))));
        let total: f32 = kinds.iter().map(|(_, weight)| weight).sum();
        let best =
            kinds.into_iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, weight)| *weight > 0.0);
        best.map(|(kind, _)| (kind, total))
    }

    /// Whether it is a matter of service rather than of a product.
    fn is_service(&self, question: Option<(QuestionKind, f32)>) -> bool {
        if self.terms().is_some() {
            return true;
        }
        let Some((_, service)) = self.service() else { return false };
        let asked = question.map_or(0.0, |(_, weight)| weight) + self.weight(self.all(Says::Asks));
        asked <= SERVICE_ODDS * service
    }

    fn calls(
        &self,
        question: Option<(QuestionKind, f32)>,
        mentions: &[Mention],
        asking: &Asking,
        text: &str,
    ) -> Calls {
        let is_service = self.is_service(question);
        let is_trouble = self.is_in_trouble()
            && (question.is_none_or(|(kind, _)| kind != QuestionKind::Compatibility) || self.tells_trouble());
        if is_service {
            return Calls::Service;
        }
        if self.any(Says::Anger) || is_trouble {
            return Calls::Care;
        }
        let goes_on = text.trim_end().ends_with(['…', ',', ':']) || text.trim_end().ends_with("...");
        if (self.any(Says::Explaining) || goes_on) && !self.sentences.has_mark() {
            return Calls::Patience;
        }
        if self.any(Says::Asks) {
            return Calls::MoreOffers;
        }
        let calls = match question {
            Some((QuestionKind::PriceOrDeal | QuestionKind::Availability | QuestionKind::Comparison, _)) => {
                // "do you have a battery for the V20" is no question of the stock, "which is best for it" none of a rival.
                let asks_for_kind = matches!(question, Some((kind, _)) if kind != QuestionKind::PriceOrDeal)
                    && !asking.wanted.is_empty()
                    && (asking.has_other || self.any(Says::Points));
                if self.any(Says::Buying) || asks_for_kind { Calls::Offer } else { Calls::Decision }
            }
            Some(_) => Calls::Offer,
            None if self.any(Says::Buying) => Calls::Offer,
            None if !asking.wanted.is_empty() && (self.sentences.ask() || self.is_bare()) => Calls::Offer,
            None if (self.any(Says::Bought) || self.wants(mentions, asking))
                && self.told_unknown() < TOLD_WORDS_MIN =>
            {
                Calls::Offer
            }
            // What is asked beside a story is not understood before the story is.
            None if self.is_asked() && self.told_unknown() >= TOLD_WORDS_MIN => Calls::Patience,
            None => Calls::Nothing,
        };
        // Who asks for a kind of thing need not wait for it.
        if calls == Calls::Offer && !asking.wanted.is_empty() { Calls::MoreOffers } else { calls }
    }

    /// Whether there are a few words, all of them names.
    pub(super) fn is_bare(&self) -> bool {
        self.words.len() <= TERSE_WORDS_MAX && self.is_named.iter().all(|is_named| *is_named)
    }

    /// Whether something is wanted that is named, or of a kind that is, or for what is named.
    fn wants(&self, mentions: &[Mention], asking: &Asking) -> bool {
        let is_sure = |mention: &Mention| mention.confidence >= SURE_MIN;
        self.any(Says::Wants) && (!asking.wanted.is_empty() || mentions.iter().any(is_sure))
    }

    /// The kind of question as it is told.
    fn named_question(&self, question: Option<(QuestionKind, f32)>, matter: Option<Matter>) -> QuestionKind {
        if let Some(kind) = [matter, self.terms()].into_iter().flatten().find_map(question_of) {
            return kind;
        }
        match (question, self.service()) {
            (Some((_, weight)), Some((kind, service)))
                if weight <= SERVICE_ODDS * service && kind != QuestionKind::Other =>
            {
                kind
            }
            (Some((kind, _)), _) => kind,
            (None, Some((kind, _))) => kind,
            (None, None) if self.any(Says::Thanks) => QuestionKind::Thanks,
            (None, None) => QuestionKind::Other,
        }
    }

    fn readiness(&self, mentions: &[Mention], question: Option<(QuestionKind, f32)>) -> Readiness {
        if self.any(Says::Buying) {
            return Readiness::ReadyToBuy;
        }
        if self.any(Says::Bought) || mentions.iter().any(|mention| mention.role == MentionRole::Owns) {
            return Readiness::AlreadyBought;
        }
        let is_interested = question.is_some() || !mentions.is_empty();
        if is_interested { Readiness::Interested } else { Readiness::Browsing }
    }

    fn sentiment(&self) -> Sentiment {
        if self.any(Says::Anger) || self.any(Says::Complaint) || self.is_in_trouble() {
            return Sentiment::Negative;
        }
        if [Says::Thanks, Says::Pleased, Says::Resolved].into_iter().any(|says| self.any(says)) {
            Sentiment::Positive
        } else {
            Sentiment::Neutral
        }
    }

    /// How an offer would be turned down by it; what says more goes first.
    fn refusal(&self) -> Option<Decline> {
        let refusals = [
            (Says::HasOne, Decline::HaveOne),
            (Says::TooDear, Decline::TooExpensive),
            (Says::Later, Decline::Later),
            (Says::Declines, Decline::NoThanks),
        ];
        refusals.into_iter().find(|(says, _)| self.any(*says)).map(|(_, how)| how)
    }

    fn pointer(&self) -> Option<Pointer> {
        let pointers = [
            (Says::First, Pointer::First),
            (Says::Second, Pointer::Second),
            (Says::Last, Pointer::Last),
            (Says::Points, Pointer::It),
        ];
        pointers.into_iter().find(|(says, _)| self.any(*says)).map(|(_, pointer)| pointer)
    }
}

/// Whether a mention is surely of a product, not of a category.
pub(super) fn is_sure_product(mention: &Mention) -> bool {
    mention.confidence >= SURE_MIN && !matches!(mention.meant, Meant::Category(_))
}

/// Whether a matter can be open only of something that was bought.
const fn is_of_purchase(matter: Matter) -> bool {
    matches!(matter, Matter::Cancellation | Matter::ReturnOrRefund)
}

/// What a matter asks, where it says so.
const fn question_of(matter: Matter) -> Option<QuestionKind> {
    match matter {
        Matter::HumanRequested => Some(QuestionKind::HumanRequest),
        Matter::Cancellation => Some(QuestionKind::Cancel),
        Matter::ReturnOrRefund => Some(QuestionKind::ReturnOrRefund),
        Matter::Complaint | Matter::Safety => Some(QuestionKind::Complaint),
        Matter::Privacy => Some(QuestionKind::Account),
        Matter::OptedOut | Matter::Merchant => None,
    }
}

fn named(catalog: &Catalog, words: &[Word], link: &Link, role: MentionRole) -> Option<Named> {
    let span = words[link.words.start].span.start..words[link.words.end - 1].span.end;
    let meant = |reading: &Reading| Some((meant(catalog, &reading.what)?, reading.confidence));
    let (best, confidence) = meant(&link.best)?;
    let runner_up = link.runner_up.as_ref().and_then(meant);
    let mention = Mention { span, meant: best, confidence, runner_up, role };
    Some(Named { words: link.words.clone(), mention })
}

fn meant(catalog: &Catalog, what: &Linked) -> Option<Meant> {
    match what {
        Linked::Product(index) => Some(Meant::Product(catalog.entry(*index)?.product().id().clone())),
        Linked::Family(index) => {
            let product = catalog.entry(*index)?.product();
            Some(Meant::Family { family: product.family_name().into(), first: product.id().clone() })
        }
        Linked::Category(term) => match catalog.term(*term)? {
            Term::Category(path) => Some(Meant::Category(path.clone())),
            _ => None,
        },
    }
}

/// The words of a text that may be about what is offered: not those by which products are named.
fn asked(words: &[Word], links: &[Link], topics: BTreeSet<usize>) -> Asked {
    let everyday = Everyday::of(words);
    let is_named =
        |at: usize| links.iter().any(|link| link.best.confidence >= SURE_MIN && link.words.contains(&at));
    let told = words.iter().enumerate().filter(|(at, word)| !is_named(*at) && !everyday.has(word.id));
    let mut asked: Vec<WordId> = told.map(|(_, word)| word.id).take(ASKED_WORDS_MAX).collect();
    asked.sort_unstable();
    asked.dedup();
    Asked { words: asked, topics: topics.into_iter().collect() }
}
