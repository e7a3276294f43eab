//! Roles: what a product that is named has to do with the customer, by what is said next to it.

use std::ops::Range;

use sidecart_catalog::{Catalog, names::Gap};

use super::{
    Meant, Mention, MentionRole, SURE_MIN, Thing,
    lexicon::{Says, Spoken, Topical},
    read::Signals,
};

/// Words between a mention and what says its role.
const ROLE_WORDS: usize = 4;
/// Words, each a pair of characters, up to what stands beside a mention in a language without spaces.
const BESIDE_WORDS: usize = 2;

/// Words for kinds of products that are looked at in one text.
const TOPICAL_MAX: usize = 16;

/// What is said next to a mention, of equals the first, and the role that it gives.
const ROLES: [(Says, MentionRole); 5] = [
    (Says::Returns, MentionRole::Returning),
    (Says::Rejects, MentionRole::Rejected),
    (Says::Wants, MentionRole::Wants),
    (Says::Already, MentionRole::Owns),
    (Says::Owns, MentionRole::Owns),
];

/// A mention, with the words that name it.
pub(super) struct Named {
    pub(super) words: Range<usize>,
    pub(super) mention: Mention,
}

/// What is spoken of, and in which words.
pub(super) type Spotted = (Thing, Range<usize>);

/// What they ask for.
#[derive(Default)]
pub(super) struct Asking {
    /// Kinds of products of which they want one, or ask which.
    pub(super) wanted: Vec<Thing>,
    /// Whether another product is named, which it may be to go with.
    pub(super) has_other: bool,
}

impl Asking {
    pub(super) fn of(signals: &Signals<'_>, catalog: &Catalog, things: Vec<Spotted>) -> Self {
        things.into_iter().fold(Self::default(), |mut this, (thing, words)| {
            let is_product = matches!(thing, Thing::Named(Meant::Product(_) | Meant::Family { .. }));
            match signals.wanted(catalog, thing, &words) {
                Some(kind) => this.wanted.push(kind),
                None => this.has_other |= is_product,
            }
            this
        })
    }
}

impl Signals<'_> {
    /// The role of what is named in some words.
    pub(super) fn role(&self, named: &Range<usize>) -> MentionRole {
        self.nearest(named).map_or(MentionRole::AskedAbout, |(_, role)| role)
    }

    /// Whether they have it already, do not want it or give it back. A topic is vaguer: nobody gives one back, and in a
    /// language without spaces what denies may be far from it.
    pub(super) fn is_unwanted(&self, thing: &Thing, words: &Range<usize>) -> bool {
        let is_named = matches!(thing, Thing::Named(_));
        match self.nearest(words) {
            Some((Says::Already, _)) => true,
            Some((Says::Rejects, _)) => is_named || !self.sentences.is_unspaced(),
            Some((Says::Returns, _)) => is_named,
            _ => false,
        }
    }

    /// The kind of product of which they want one, or ask which: "which SD card" asks for a card, if it names one.
    fn wanted(&self, catalog: &Catalog, thing: Thing, words: &Range<usize>) -> Option<Thing> {
        let is_said = |says: Says| self.all(says).any(|spoken| self.is_next_to(spoken, words));
        match thing {
            Thing::Named(Meant::Product(product) | Meant::Family { first: product, .. }) => {
                let path = catalog.get(product.as_str())?.product().category()?;
                is_said(Says::Which).then(|| Thing::Named(Meant::Category(path.clone())))
            }
            kind => (is_said(Says::Which) || is_said(Says::Wants)).then_some(kind),
        }
    }

    /// What is surely spoken of: what is named, and topics by words that answer them and that the merchant uses nowhere.
    pub(super) fn things(&self, catalog: &Catalog, named: &[Named], topics: &[Topical]) -> Vec<Spotted> {
        let answers = |topic: &&Topical| {
            let (words, answers) = (&self.words[topic.from..topic.to], &self.lexicon.answers[topic.topic]);
            words.iter().any(|word| answers.contains(&word.id))
                && !words.iter().any(|word| catalog.has_word(word.id))
        };
        let topics = topics.iter().filter(answers).take(TOPICAL_MAX);
        let named = named.iter().filter(|named| named.mention.confidence >= SURE_MIN);
        let named = named.map(|named| (Thing::Named(named.mention.meant.clone()), named.words.clone()));
        named.chain(topics.map(|topic| (Thing::Topic(topic.topic), topic.from..topic.to))).collect()
    }

    /// Whether it is said right before what is named; or beside it, in a language without spaces.
    fn is_next_to(&self, spoken: &Spoken, named: &Range<usize>) -> bool {
        let is_unspaced = self.lexicon.rules[spoken.rule].is_unspaced;
        self.is_near(spoken, named, if is_unspaced { BESIDE_WORDS } else { 0 })
    }

    /// What is said nearest to what is named in some words, and the role that it gives.
    fn nearest(&self, named: &Range<usize>) -> Option<(Says, MentionRole)> {
        let said = ROLES.into_iter().filter_map(|(says, role)| {
            let near = self.all(says).filter(|spoken| self.is_near(spoken, named, ROLE_WORDS));
            Some((near.map(|spoken| self.words_between(spoken, named)).min()?, (says, role)))
        });
        let nearest = said.min_by_key(|(words, _)| *words).map(|(_, said)| said);
        // "I already have my": what says that they have it may stand nearer.
        let already = || self.all(Says::Already).any(|spoken| self.is_near(spoken, named, ROLE_WORDS));
        nearest.map(
            |(says, role)| if says == Says::Owns && already() { (Says::Already, role) } else { (says, role) },
        )
    }

    /// Whether it is said within some words before what is named, in the same part of the sentence. What they have
    /// already is told after it as well, as is anything in a language without spaces.
    fn is_near(&self, spoken: &Spoken, named: &Range<usize>, words: usize) -> bool {
        let rule = &self.lexicon.rules[spoken.rule];
        if rule.is_unspaced {
            return spoken.from < named.end + words && named.start < spoken.to + words;
        }
        let is_one_clause =
            |within: Range<usize>| self.words[within].iter().all(|word| word.gap < Gap::Clause);
        if spoken.from < named.start {
            return named.start <= spoken.to + words && is_one_clause(spoken.from + 1..named.start + 1);
        }
        rule.says == Says::Already
            && named.end <= spoken.from
            && spoken.from < named.end + words
            && is_one_clause(named.end..spoken.from + 1)
    }

    /// Words between what is said and what is named; fewer than none where it reaches into it, or, in a language without
    /// spaces, where it follows.
    fn words_between(&self, spoken: &Spoken, named: &Range<usize>) -> isize {
        let is_unspaced = self.lexicon.rules[spoken.rule].is_unspaced;
        let is_before = is_unspaced || spoken.from < named.start;
        let (from, to) = if is_before { (spoken.to, named.start) } else { (named.end, spoken.from) };
        to as isize - from as isize
    }
}
