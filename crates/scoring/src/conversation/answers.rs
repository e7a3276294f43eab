//! Answers: which candidates answer what was asked, and which the conversation has done with.

use crate::{select::Candidate, setting::Setting, stop::Stop, trace::Trace};
use sidecart_catalog::{
    Entry, Money, ProductId,
    names::{WordId, words},
};

use super::{Asked, Decline, lexicon::Lexicon};

/// Candidates that are compared with the question, best first.
const COMPARED_MAX: usize = 64;
/// What it counts that the customer names the candidate itself.
const NAMED: u32 = 1_000;
/// What a word counts by where it stands.
const IN_NEED: u32 = 6;
const IN_CATEGORY: u32 = 4;
const IN_TITLE: u32 = 2;
/// What a topic counts by where its words stand.
const TOPIC_IN_NEED: u32 = 5;
const TOPIC_IN_TITLE: u32 = 3;

/// What a conversation says of candidates.
pub(crate) struct Chat {
    /// What the question is about.
    pub(crate) asked: Asked,
    /// Products that the customer names, which may be what to offer.
    pub(crate) named: Vec<ProductId>,
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

/// Takes out what was shown or declined, and says of the rest how well it answers the question.
pub(crate) fn sift<'a, T: Trace>(
    setting: &Setting<'a>,
    chat: &Chat,
    passed: Vec<Candidate<'a>>,
    trace: &mut T,
) -> Vec<Candidate<'a>> {
    let refused = refused(setting, chat, &passed);
    let stop = |candidate: &Candidate<'a>| {
        let id = candidate.entry.product().id();
        if chat.shown.contains(id) {
            return Some(Stop::ShownBefore);
        }
        if chat.declined.iter().any(|(declined, _)| declined == id) {
            return Some(Stop::Declined(id));
        }
        refused
            .iter()
            .find(|refused| refused.extends_to(candidate))
            .map(|refused| Stop::Declined(refused.entry.product().id()))
    };
    let mut kept = Vec::with_capacity(passed.len());
    for candidate in passed {
        match stop(&candidate) {
            Some(stop) => {
                let anchor = setting.anchors[candidate.lead.anchor()].entry.product().id();
                trace.note(candidate.entry.product().id(), &stop, candidate.lead.rule(), Some(anchor));
            }
            None => kept.push(candidate),
        }
    }
    weigh(setting, chat, &mut kept);
    kept
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
    /// Whether the decline of one offer speaks against another: one for the same need, unless it is cheaper and the
    /// price was what spoke against the first.
    fn extends_to(&self, candidate: &Candidate<'_>) -> bool {
        let is_same_leaf = self.entry.leaf().is_some() && self.entry.leaf() == candidate.entry.leaf();
        if !is_same_leaf && self.need != Some(candidate.need) {
            return false;
        }
        match (self.how, self.price) {
            (Decline::TooExpensive, Some(price)) => {
                candidate.price.currency() != price.currency()
                    || candidate.price.minor_units() >= price.minor_units()
            }
            _ => true,
        }
    }
}

/// Says of each candidate how well it answers the question, the best by score first.
fn weigh(setting: &Setting<'_>, chat: &Chat, candidates: &mut [Candidate<'_>]) {
    let lexicon = Lexicon::get();
    let topics: Vec<WordId> =
        chat.asked.topics.iter().flat_map(|topic| &lexicon.answers[*topic]).copied().collect();
    if chat.asked.words.is_empty() && topics.is_empty() && chat.named.is_empty() {
        return;
    }
    let known = anchors_words(setting);
    let asked: Vec<WordId> = chat.asked.words.iter().filter(|word| !known.contains(word)).copied().collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| candidates[*b].key.total_cmp(&candidates[*a].key).then(a.cmp(b)));
    for at in order.into_iter().take(COMPARED_MAX) {
        let candidate = &mut candidates[at];
        let product = candidate.entry.product();
        let is_named = chat.named.iter().any(|named| named == product.id());
        let in_need: Vec<WordId> = words(candidate.need).iter().map(|word| word.id).collect();
        let category = product.category().map(|category| words(category.leaf()));
        let in_category: Vec<WordId> = category.iter().flatten().map(|word| word.id).collect();
        let in_title: Vec<WordId> = words(product.title()).iter().map(|word| word.id).collect();
        let count =
            |own: &[WordId], of: &[WordId]| own.iter().filter(|word| of.contains(word)).count() as u32;
        let topic = if topics.iter().any(|word| in_need.contains(word)) {
            TOPIC_IN_NEED
        } else if topics.iter().any(|word| in_title.contains(word) || in_category.contains(word)) {
            TOPIC_IN_TITLE
        } else {
            0
        };
        candidate.answers = if is_named { NAMED } else { 0 }
            + IN_NEED * count(&in_need, &asked)
            + IN_CATEGORY * count(&in_category, &asked)
            + IN_TITLE * count(&in_title, &asked)
            + topic;
    }
}

/// The words by which the anchors are known: the customer who says them means the anchor.
fn anchors_words(setting: &Setting<'_>) -> Vec<WordId> {
    let of = |entry: &Entry| {
        let product = entry.product();
        let category = product.category().map(|path| path.as_slice().join(" ")).unwrap_or_default();
        words(product.title()).into_iter().chain(words(&category)).map(|word| word.id).collect::<Vec<_>>()
    };
    setting.anchors.iter().flat_map(|anchor| of(anchor.entry)).collect()
}
