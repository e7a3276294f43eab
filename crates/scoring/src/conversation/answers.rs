//! Answers: which candidates answer what was asked, and which the conversation has done with.

use std::collections::HashMap;

use crate::{select::Candidate, setting::Setting, snapshot::Snapshot, stop::Stop, trace::Trace};
use sidecart_catalog::{
    CategoryPath, Entry, Money, ProductId, TermId,
    names::{WordId, words},
};

use super::{Asked, Decline, Meant, Thing, lexicon::Lexicon};

/// Candidates that are compared with the question, best first.
const COMPARED_MAX: usize = 64;
/// Products of a category that are looked at to see whether it has others within it.
const CATEGORY_LOOKS_MAX: usize = 64;
/// What it counts that the customer names the candidate itself.
const NAMED: u32 = 10_000;
/// What it counts that it is of a category that the customer names, or by its own words of a kind that is asked for: more
/// than all words of a question together.
const OF_CATEGORY: u32 = 2_000;
const OF_KIND: u32 = 1_000;
/// What a word counts by where it stands.
const IN_NEED: u32 = 6;
const IN_CATEGORY: u32 = 4;
const IN_TITLE: u32 = 2;
/// What a topic counts by where its words stand: as what the need is a kind of (a battery grip is no battery), in the
/// need, or elsewhere.
const TOPIC_IS_NEED: u32 = 7;
const TOPIC_IN_NEED: u32 = 5;
const TOPIC_IN_TITLE: u32 = 3;

/// What a conversation says of candidates.
pub(crate) struct Chat {
    /// What the question is about.
    pub(crate) asked: Asked,
    /// Products that the customer names, which may be what to offer.
    pub(crate) named: Vec<ProductId>,
    /// Own names of categories that the customer names, of which the offer may be: two may bear one name.
    pub(crate) kinds: Vec<Box<str>>,
    /// Kinds of products that they ask for: then nothing else is an answer.
    pub(crate) wanted: Vec<Thing>,
    /// What is not wanted, or there already.
    pub(crate) unwanted: Vec<Thing>,
    /// Offers that were shown.
    pub(crate) shown: Vec<ProductId>,
    /// Offers that were declined.
    pub(crate) declined: Vec<(ProductId, Decline)>,
}

/// What of an offer declined holds for others.
struct Refused<'a> {
    entry: &'a Entry,
    need: Option<&'a str>,
    how: Decline,
    price: Option<Money>,
}

/// Says of each candidate how well it answers the question, and takes out what was shown or is not wanted; all of them
/// where none is of the kind that is asked for.
pub(crate) fn sift<'a, T: Trace>(
    setting: &Setting<'a>,
    chat: &Chat,
    mut passed: Vec<Candidate<'a>>,
    trace: &mut T,
) -> Vec<Candidate<'a>> {
    weigh(setting, chat, &mut passed);
    let refused = refused(setting, chat, &passed);
    let mut unwanted = Unwanted { things: &chat.unwanted, needs: HashMap::new() };
    let mut stop = |candidate: &Candidate<'a>| {
        let id = candidate.entry.product().id();
        if chat.shown.contains(id) {
            return Some(Stop::ShownBefore);
        }
        if chat.declined.iter().any(|(declined, _)| declined == id) {
            return Some(Stop::Declined(id));
        }
        if unwanted.includes(candidate) {
            return Some(Stop::Unwanted);
        }
        refused
            .iter()
            .find(|refused| refused.extends_to(candidate))
            .map(|refused| Stop::Declined(refused.entry.product().id()))
    };
    let mut note = |candidate: &Candidate<'a>, stop: &Stop<'_>| {
        let anchor = setting.anchors[candidate.lead.anchor()].entry.product().id();
        trace.note(candidate.entry.product().id(), stop, candidate.lead.rule(), Some(anchor));
    };
    let mut kept = Vec::with_capacity(passed.len());
    for candidate in passed {
        match stop(&candidate) {
            Some(stop) => note(&candidate, &stop),
            None => kept.push(candidate),
        }
    }
    if !chat.wanted.is_empty() && kept.iter().all(|candidate| candidate.answers < OF_KIND) {
        kept.drain(..).for_each(|candidate| note(&candidate, &Stop::OtherKind));
    }
    kept
}

/// What is not to be offered, made ready once for all candidates.
struct Unwanted<'a> {
    things: &'a [Thing],
    /// Whether a need is unwanted, of those asked so far: many candidates have few needs.
    needs: HashMap<&'a str, bool>,
}

impl<'a> Unwanted<'a> {
    fn includes(&mut self, candidate: &Candidate<'a>) -> bool {
        self.things.iter().any(|thing| is_named_by(thing, candidate.entry))
            || self.includes_need(candidate.need)
    }

    /// Whether what a need is a kind of answers a topic.
    fn includes_need(&mut self, need: &'a str) -> bool {
        let mut topics = self.things.iter().filter_map(topic_of).peekable();
        topics.peek().is_some()
            && *self.needs.entry(need).or_insert_with(|| {
                let head = words(need).last().map(|word| word.id);
                head.is_some_and(|head| topics.any(|topic| Lexicon::get().answers[topic].contains(&head)))
            })
    }
}

/// Whether a product is what is spoken of by name.
fn is_named_by(thing: &Thing, entry: &Entry) -> bool {
    match thing {
        Thing::Named(Meant::Product(id)) => entry.product().id() == id,
        Thing::Named(Meant::Family { family, .. }) => entry.product().family_name() == &**family,
        Thing::Named(Meant::Category(path)) => entry.has(TermId::of_path(path)),
        Thing::Topic(_) => false,
    }
}

fn topic_of(thing: &Thing) -> Option<usize> {
    match thing {
        Thing::Topic(topic) => Some(*topic),
        Thing::Named(_) => None,
    }
}

/// Offers that were declined, with the need that each was for.
fn refused<'a>(setting: &Setting<'a>, chat: &Chat, passed: &[Candidate<'a>]) -> Vec<Refused<'a>> {
    let catalog = setting.snapshot.catalog();
    let refused = chat.declined.iter().filter_map(|(product, how)| {
        let entry = catalog.get(product.as_str())?;
        let same = passed.iter().find(|candidate| candidate.entry.product().id() == product);
        Some(Refused { entry, need: same.map(|same| same.need), how: *how, price: setting.price(entry) })
    });
    refused.collect()
}

impl Refused<'_> {
    /// Whether the decline of one offer speaks against another: one for the same need; where the price spoke against the
    /// first, only what is as dear, but for whatever need unless it is asked for.
    fn extends_to(&self, candidate: &Candidate<'_>) -> bool {
        let is_same_leaf = self.entry.leaf().is_some() && self.entry.leaf() == candidate.entry.leaf();
        let is_for_the_same = is_same_leaf || self.need == Some(candidate.need);
        match (self.how, self.price) {
            (Decline::TooExpensive, Some(price)) => {
                let is_cheaper = candidate.price.currency() == price.currency()
                    && candidate.price.minor_units() < price.minor_units();
                !is_cheaper && (is_for_the_same || candidate.answers < OF_KIND)
            }
            _ => is_for_the_same,
        }
    }
}

/// Says of each candidate how well it answers the question, the best by score first.
fn weigh(setting: &Setting<'_>, chat: &Chat, candidates: &mut [Candidate<'_>]) {
    let Chat { asked, named, kinds, wanted, .. } = chat;
    if *asked == Asked::default() && named.is_empty() && kinds.is_empty() && wanted.is_empty() {
        return;
    }
    let known = anchors_words(setting);
    let unknown = |words: &[WordId]| -> Vec<WordId> {
        words.iter().filter(|word| !known.contains(word)).copied().collect()
    };
    let words = unknown(&asked.words);
    let topics: Vec<Vec<WordId>> =
        asked.topics.iter().map(|topic| unknown(&Lexicon::get().answers[*topic])).collect();
    let wanted: Vec<Kind> = wanted.iter().flat_map(|thing| wanted_kinds(setting, thing, asked)).collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| candidates[*b].key.total_cmp(&candidates[*a].key).then(a.cmp(b)));
    for at in order.into_iter().take(COMPARED_MAX) {
        let candidate = &mut candidates[at];
        let is_named = named.iter().any(|named| named == candidate.entry.product().id());
        let path = candidate.entry.product().category();
        let told = Told::of(candidate);
        let is_of_category = kinds.iter().any(|kind| is_of_kind(path, kind));
        let is_of_kind = wanted.iter().any(|kind| told.is_of(kind));
        candidate.answers = if is_named { NAMED } else { 0 }
            + if is_of_category { OF_CATEGORY } else { 0 }
            + if is_of_kind { OF_KIND } else { 0 }
            + told.answers(&words, &topics);
    }
}

/// Whether a category path has a category of this name.
pub(super) fn is_of_kind(path: Option<&CategoryPath>, kind: &str) -> bool {
    path.is_some_and(|path| path.names().any(|name| name == kind))
}

/// The words by which a candidate is known.
struct Told {
    need: Vec<WordId>,
    category: Vec<WordId>,
    /// With the other names it goes by.
    title: Vec<WordId>,
}

impl Told {
    fn of(candidate: &Candidate<'_>) -> Self {
        let ids = |text: &str| words(text).into_iter().map(|word| word.id).collect::<Vec<_>>();
        let product = candidate.entry.product();
        let aliases = product.aliases().iter().map(|alias| &**alias);
        Self {
            need: ids(candidate.need),
            category: ids(product.category().map_or("", |category| category.leaf())),
            title: aliases.chain([product.title()]).flat_map(ids).collect(),
        }
    }

    /// How well it answers words, and topics by the words of what answers each.
    fn answers(&self, asked: &[WordId], topics: &[Vec<WordId>]) -> u32 {
        let count = |own: &[WordId]| own.iter().filter(|word| asked.contains(word)).count() as u32;
        let topics = topics.iter().map(|answers| self.answers_topic(answers));
        IN_NEED * count(&self.need)
            + IN_CATEGORY * count(&self.category)
            + IN_TITLE * count(&self.title)
            + topics.sum::<u32>()
    }

    /// Whether it is of a kind: a card reader is no card, which the last word of what it is tells.
    fn is_of(&self, kind: &Kind) -> bool {
        let is_head = |is_meant: &dyn Fn(&WordId) -> bool| {
            [&self.need, &self.category].into_iter().any(|own| own.last().is_some_and(is_meant))
        };
        match kind {
            Kind::Named(name) => {
                let own = [&self.need, &self.category, &self.title];
                let is_known = |word: &WordId| own.iter().any(|own| own.contains(word));
                is_head(&|word| name.last() == Some(word)) && name.iter().all(is_known)
            }
            Kind::Called(words) => !self.is_other_than(words) && self.answers_topic(words) > 0,
            Kind::AllOf(words) => self.answers_topic(words) > 0,
        }
    }

    /// Whether the last word of what it is stands for something else than these words do.
    fn is_other_than(&self, words: &[WordId]) -> bool {
        let answers = &Lexicon::get().answers;
        self.need
            .last()
            .is_some_and(|head| !words.contains(head) && answers.iter().any(|answers| answers.contains(head)))
    }

    fn answers_topic(&self, answers: &[WordId]) -> u32 {
        let has = |own: &[WordId]| own.iter().any(|word| answers.contains(word));
        if self.need.last().is_some_and(|head| answers.contains(head)) {
            return TOPIC_IS_NEED;
        }
        if has(&self.need) {
            return TOPIC_IN_NEED;
        }
        if has(&self.title) || has(&self.category) { TOPIC_IN_TITLE } else { 0 }
    }
}

/// What a kind that is asked for is called.
enum Kind {
    /// By this name of the merchant's.
    Named(Vec<WordId>),
    /// By any of these words.
    Called(Vec<WordId>),
    /// It is whatever has to do with any of these words: a pouch is a protection, too.
    AllOf(Vec<WordId>),
}

fn wanted_kinds(setting: &Setting<'_>, thing: &Thing, asked: &Asked) -> Vec<Kind> {
    let answers = |topic: usize| Lexicon::get().answers[topic].clone();
    match thing {
        Thing::Topic(topic) => vec![Kind::Called(answers(*topic))],
        Thing::Named(Meant::Category(path)) => {
            let name: Vec<WordId> = words(path.leaf()).iter().map(|word| word.id).collect();
            let topics = if is_broad(setting, path) { asked.topics.as_slice() } else { &[] };
            let same = topics.iter().map(|topic| answers(*topic));
            let same: Vec<Kind> = same
                .filter(|answers| name.iter().any(|word| answers.contains(word)))
                .map(Kind::AllOf)
                .collect();
            same.into_iter().chain([Kind::Named(name)]).collect()
        }
        Thing::Named(_) => Vec::new(),
    }
}

/// Whether a category has others within it.
fn is_broad(setting: &Setting<'_>, path: &CategoryPath) -> bool {
    let depth = path.names().len();
    let within = setting.snapshot.catalog().list(None, Some(path)).take(CATEGORY_LOOKS_MAX);
    within.filter_map(|entry| entry.product().category()).any(|category| category.names().len() > depth)
}

/// Whether a word by which one of `products` is known answers a topic.
pub(super) fn is_answered_by(snapshot: &Snapshot, topic: usize, products: &[ProductId]) -> bool {
    let answers = &Lexicon::get().answers[topic];
    let entries = products.iter().filter_map(|id| snapshot.catalog().get(id.as_str()));
    entries.flat_map(|entry| own_words(entry)).any(|word| answers.contains(&word))
}

/// The words by which the anchors are known: the customer who says them means the anchor.
fn anchors_words(setting: &Setting<'_>) -> Vec<WordId> {
    setting.anchors.iter().flat_map(|anchor| own_words(anchor.entry)).collect()
}

/// The words of a product's title and categories.
fn own_words(entry: &Entry) -> Vec<WordId> {
    let product = entry.product();
    let category = product.category().map(|path| path.as_slice().join(" ")).unwrap_or_default();
    words(product.title()).into_iter().chain(words(&category)).map(|word| word.id).collect()
}
