//! Roles: what a product that is named has to do with the customer, by what is said next to it.

use std::ops::Range;

use sidecart_catalog::{
    Catalog,
    names::{Gap, Link},
};

use super::{
    Meant, Mention, MentionRole, SURE_MIN, Thing,
    lexicon::{Says, Spoken, Topical},
    read::Signals,
};

/// Words between a mention and what says its role.
const ROLE_WORDS: usize = 4;
/// Words, each a pair of characters, up to what stands beside a mention in a language without spaces.
const BESIDE_WORDS: usize = 2;

/// Words between two things in a row, such as `and a spare`.
const JOINED_WORDS: usize = 3;

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

/// What is said of things that are spoken of, by the words in which they are, in the order of the text.
pub(super) struct Roles(Vec<(Range<usize>, Option<Said>)>);

/// What is said of a thing.
#[derive(Clone, Copy)]
struct Said {
    says: Says,
    role: MentionRole,
    /// Whether it is said after it: "a bag I have already".
    is_after: bool,
}

impl Roles {
    pub(super) fn of(signals: &Signals<'_>, mut spots: Vec<Range<usize>>) -> Self {
        spots.sort_unstable_by_key(|words| (words.start, words.end));
        let mut said: Vec<Option<Said>> = spots.iter().map(|words| signals.nearest(words)).collect();
        // What is said of one of a row is said of the others: "I have a bag, a card and a battery".
        for at in 1..spots.len() {
            let of_last = said[at - 1].filter(|said| !said.is_after);
            said[at] =
                said[at].or(of_last.filter(|said| signals.join(&spots[at - 1], &spots[at], said.says)));
        }
        for at in (1..spots.len()).rev() {
            let of_next = said[at].filter(|said| said.is_after);
            said[at - 1] =
                said[at - 1].or(of_next.filter(|said| signals.join(&spots[at - 1], &spots[at], said.says)));
        }
        Self(spots.into_iter().zip(said).collect())
    }

    fn said(&self, words: &Range<usize>) -> Option<Said> {
        self.0.iter().find(|(spot, _)| spot == words).and_then(|(_, said)| *said)
    }

    /// The role of what is named in some words.
    pub(super) fn role(&self, words: &Range<usize>) -> MentionRole {
        self.said(words).map_or(MentionRole::AskedAbout, |said| said.role)
    }

    /// Whether they have it already, do not want it or give it back. A topic is vaguer: nobody gives one back.
    pub(super) fn is_unwanted(&self, thing: &Thing, words: &Range<usize>) -> bool {
        self.said(words).is_some_and(|said| match said.says {
            Says::Already | Says::Rejects => true,
            Says::Returns => matches!(thing, Thing::Named(_)),
            _ => false,
        })
    }
}

/// What they ask for.
#[derive(Default)]
pub(super) struct Asking {
    /// Kinds of products of which they want one, or ask which.
    pub(super) wanted: Vec<Thing>,
    /// Whether another product is named, which it may be to go with.
    pub(super) has_other: bool,
    /// Whether it is about something that the lexicons have a word for, such as protection.
    pub(super) has_topic: bool,
}

impl Asking {
    pub(super) fn of(signals: &Signals<'_>, catalog: &Catalog, things: Vec<Spotted>) -> Self {
        let is_product =
            |thing: &Thing| matches!(thing, Thing::Named(Meant::Product(_) | Meant::Family { .. }));
        // "memory card V20": who names a kind and a product, and says no more, asks for one of the kind.
        let is_bare = signals.is_bare() && things.iter().any(|(thing, _)| is_product(thing));
        things.into_iter().fold(Self::default(), |mut this, (thing, words)| {
            let is_product = is_product(&thing);
            let wanted = match is_bare && !is_product {
                true => Some(thing),
                false => signals.wanted(catalog, thing, &words),
            };
            match wanted {
                Some(kind) => this.wanted.push(kind),
                None => this.has_other |= is_product,
            }
            this
        })
    }
}

impl Signals<'_> {
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
    pub(super) fn things(&self, named: &[Named], topics: &[&Topical]) -> Vec<Spotted> {
        let topics = topics.iter().map(|topic| (Thing::Topic(topic.topic), topic.from..topic.to));
        let named = named.iter().filter(|named| named.mention.confidence >= SURE_MIN);
        let named = named.map(|named| (Thing::Named(named.mention.meant.clone()), named.words.clone()));
        named.chain(topics).collect()
    }

    /// Topics by a word that answers them and that surely names nothing of the merchant's: they stand for kinds of products.
    /// Of those in the same words the one with the fewest answers, which says most.
    pub(super) fn kinds<'t>(&self, links: &[Link], topics: &'t [Topical]) -> Vec<&'t Topical> {
        let answers = |topic: &Topical| &self.lexicon.answers[topic.topic];
        let mut is_named = vec![false; self.words.len()];
        for link in links.iter().filter(|link| link.best.confidence >= SURE_MIN) {
            is_named[link.words.clone()].fill(true);
        }
        let is_kind = |topic: &&Topical| {
            let mut words = topic.from..topic.to;
            words.any(|at| answers(topic).contains(&self.words[at].id) && !is_named[at])
        };
        let mut kinds: Vec<&Topical> = topics.iter().filter(is_kind).take(TOPICAL_MAX).collect();
        kinds.sort_by_key(|topic| answers(topic).len());
        let mut narrowest: Vec<&Topical> = Vec::new();
        for topic in kinds {
            if !narrowest.iter().any(|other| other.from < topic.to && topic.from < other.to) {
                narrowest.push(topic);
            }
        }
        narrowest
    }

    /// Whether two things stand in a row, so that what is said of one is said of the other. A comma joins what they have,
    /// but not what they do not want: "not a bag, a strap".
    fn join(&self, one: &Range<usize>, other: &Range<usize>, says: Says) -> bool {
        let between = one.end..other.start;
        if other.start < one.end || between.len() > JOINED_WORDS {
            return false;
        }
        let gaps = &self.words[one.end..=other.start];
        let is_joined = || self.all(Says::Joins).any(|joint| between.contains(&joint.from));
        let is_listed = || gaps.iter().any(|word| word.gap == Gap::Clause);
        // What is told and what is asked are no row: "I have a card, which bag?".
        let is_told_alike = self.sentences.asks(one.start) == self.sentences.asks(other.start);
        let is_row = is_told_alike
            && match says {
                Says::Already => is_listed() || is_joined(),
                Says::Rejects => is_joined(),
                _ => false,
            };
        is_row && gaps.iter().all(|word| word.gap < Gap::Sentence)
    }

    /// Whether it is said right before what is named; or beside it, in a language without spaces.
    fn is_next_to(&self, spoken: &Spoken, named: &Range<usize>) -> bool {
        let is_unspaced = self.lexicon.rules[spoken.rule].is_unspaced;
        self.is_near(spoken, named, if is_unspaced { BESIDE_WORDS } else { 0 })
    }

    /// Whether what is named in some words is said not to be wanted, or not to be meant.
    pub(super) fn is_denied(&self, named: &Range<usize>) -> bool {
        let is_unwanted = |said: Said| matches!(said.says, Says::Rejects | Says::Already | Says::Returns);
        self.nearest(named).is_some_and(is_unwanted)
            || self.all(Says::Not).any(|denial| self.is_near(denial, named, ROLE_WORDS))
    }

    /// What is said nearest to what is named in some words, and the role that it gives.
    fn nearest(&self, named: &Range<usize>) -> Option<Said> {
        let said = ROLES.into_iter().filter_map(|(says, role)| {
            let near = self.all(says).filter(|spoken| self.is_near(spoken, named, ROLE_WORDS));
            let (words, is_after) = near
                .map(|spoken| (self.words_between(spoken, named), spoken.from >= named.end))
                .min_by_key(|(words, _)| *words)?;
            Some((words, Said { says, role, is_after }))
        });
        let nearest = said.min_by_key(|(words, _)| *words).map(|(_, said)| said)?;
        // "I already have my": what says that they have it may stand nearer.
        let already = || self.all(Says::Already).any(|spoken| self.is_near(spoken, named, ROLE_WORDS));
        let is_there = nearest.says == Says::Owns && already();
        Some(if is_there { Said { says: Says::Already, ..nearest } } else { nearest })
    }

    /// Whether it is said within some words of what is named, in the same part of the sentence: before it; or after it,
    /// where the rule is of what stands before, and of what they have already in any case.
    fn is_near(&self, spoken: &Spoken, named: &Range<usize>, words: usize) -> bool {
        let rule = &self.lexicon.rules[spoken.rule];
        if rule.is_unspaced {
            // Words are pairs of characters there, of which the first may be of what is named.
            let follows = !rule.is_postposed || spoken.from + 1 >= named.end;
            return follows && spoken.from < named.end + words && named.start < spoken.to + words;
        }
        let is_one_clause =
            |within: Range<usize>| self.words[within].iter().all(|word| word.gap < Gap::Clause);
        if spoken.from < named.start {
            return !rule.is_postposed
                && named.start <= spoken.to + words
                && is_one_clause(spoken.from + 1..named.start + 1);
        }
        (rule.is_postposed || rule.says == Says::Already)
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
