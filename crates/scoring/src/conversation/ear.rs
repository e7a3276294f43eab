//! The ear: which of the phrases that were found in a text the customer says, and means.

use sidecart_catalog::{
    Catalog,
    names::{Gap, Link, Word},
};

use super::{
    EVIDENCE_MAX, Evidence, SURE_MIN,
    lexicon::{Heard, Lexicon, Says, Spoken},
    quotation::quoted,
    read::Signals,
    sentence::{Marks, Sentences},
};

/// Words up to which a negation reaches.
const NEGATED_WORDS: usize = 3;
/// Words that a negation reaches back in a language without spaces, where each is a pair of characters.
const NEGATED_BACK_WORDS: usize = 10;

/// What was heard, with where it does not count.
pub(super) struct Ear<'a> {
    pub(super) lexicon: &'static Lexicon,
    pub(super) words: &'a [Word],
    pub(super) quoted: Vec<bool>,
    pub(super) heard: Heard,
    /// The language of the text, as its place.
    pub(super) language: Option<usize>,
    /// Of each word, whether something sold is named by it.
    pub(super) is_named: Vec<bool>,
    /// Whether something sold is surely named.
    pub(super) is_sold_named: bool,
}

impl<'a> Ear<'a> {
    /// What is heard in a text, in which something is named.
    pub(super) fn of(catalog: &Catalog, text: &str, words: &'a [Word], links: &[Link]) -> Self {
        let lexicon = Lexicon::get();
        let mut is_named = vec![false; words.len()];
        for link in links {
            is_named[link.words.clone()].fill(true);
        }
        let is_sure = |link: &Link| link.best.confidence >= SURE_MIN;
        Self {
            lexicon,
            words,
            quoted: quoted(text, words),
            heard: lexicon.hear(text, words, |at| catalog.has_word(words[at].id) || is_named[at]),
            language: lexicon.language_of(text, words),
            is_named,
            is_sold_named: links.iter().any(is_sure),
        }
    }

    /// What is neither quoted nor taken back nor settled, nor asked or supposed where it must be told.
    pub(super) fn signals(&self, text: &str) -> Signals<'a> {
        let sentences = Sentences::of(text, self.words, &self.marks());
        let arrivals = self.own(Says::Arrived);
        let is_said = |spoken: &&Spoken| self.is_said(spoken, &sentences, &arrivals);
        let said: Vec<Spoken> = self.heard.spoken.iter().filter(is_said).copied().collect();
        let all = |says: Says| said.iter().filter(move |spoken| self.says(spoken) == says);
        let settled: Vec<&Spoken> = all(Says::Resolved).collect();
        let denials: Vec<&Spoken> = all(Says::Not).collect();
        let has_thing = self.is_sold_named || all(Says::Owns).chain(all(Says::Arrived)).next().is_some();
        let counts = |spoken: &&Spoken| {
            !denials.iter().any(|denial| self.takes_back(denial, spoken))
                && !settled.iter().any(|settled| self.settles(settled, spoken))
                // What is amiss with nothing that came, is their own or is sold is nobody's trouble.
                && (has_thing || self.says(spoken) != Says::Damage)
        };
        let spoken = said.iter().filter(counts).copied().collect();
        Signals {
            lexicon: self.lexicon,
            words: self.words,
            sentences,
            spoken,
            is_named: self.is_named.clone(),
        }
    }

    fn says(&self, spoken: &Spoken) -> Says {
        self.lexicon.rules[spoken.rule].says
    }

    /// Whether it is the customer who says it now: what is quoted they do not, and some is said only where it is told.
    fn is_said(&self, spoken: &Spoken, sentences: &Sentences, arrivals: &[Spoken]) -> bool {
        let is_quoted = self.quoted[spoken.from..spoken.to].iter().all(|quoted| *quoted);
        // Who asks in alarm whether it is dangerous tells it: "it melted??".
        let is_alarm = self.says(spoken) == Says::Safety && sentences.is_rising(spoken);
        let is_told =
            !self.lexicon.rules[spoken.rule].is_told || is_alarm || sentences.is_told(spoken, arrivals);
        // What forbids an offer counts in any language; the rest in the one that the text is in.
        !is_quoted && is_told && (is_matter(self.says(spoken)) || !self.is_foreign(spoken))
    }

    /// Whether what is said is a part of saying that it is settled, as in "never mind the refund", or trouble told before.
    fn settles(&self, settled: &Spoken, spoken: &Spoken) -> bool {
        match self.says(spoken) {
            Says::Trouble | Says::Damage => spoken.from < settled.to,
            Says::Cancel | Says::Refund | Says::Return | Says::Complaint => {
                settled.from < spoken.to && spoken.from < settled.to
            }
            _ => false,
        }
    }

    /// Whether a rule of another language than that of the text spoke.
    fn is_foreign(&self, spoken: &Spoken) -> bool {
        self.language.is_some_and(|own| own != self.lexicon.rules[spoken.rule].language)
    }

    /// What is said in the language of the text.
    fn own(&self, says: Says) -> Vec<Spoken> {
        let is_own =
            |spoken: &&Spoken| self.lexicon.rules[spoken.rule].says == says && !self.is_foreign(spoken);
        self.heard.spoken.iter().filter(is_own).copied().collect()
    }

    fn marks(&self) -> Marks {
        let openers = [Says::Opens, Says::Greeting, Says::Thanks].into_iter().flat_map(|says| self.own(says));
        let mut openers: Vec<Spoken> = openers.collect();
        openers.sort_unstable();
        Marks {
            forms: self.own(Says::Question),
            openers,
            suppositions: self.own(Says::Supposes),
            presumptions: self.own(Says::Presumes),
            is_unspaced: self.language.is_some_and(|own| self.lexicon.languages[own].is_unspaced),
        }
    }

    /// Whether a denial takes back what is said.
    fn takes_back(&self, denial: &Spoken, spoken: &Spoken) -> bool {
        let says = self.says(spoken);
        // An opt-out is a denial itself.
        if !(is_matter(says) && says != Says::OptOut || matches!(says, Says::Trouble | Says::Damage)) {
            return false;
        }
        let (denying, denied) = (&self.lexicon.rules[denial.rule], &self.lexicon.rules[spoken.rule]);
        if denying.is_unspaced != denied.is_unspaced {
            return false;
        }
        if denying.is_unspaced {
            return spoken.to <= denial.to
                && denial.from <= spoken.to + NEGATED_BACK_WORDS
                && spoken.from < denial.from;
        }
        // What denies may itself begin what is denied: "I don't want" is a part of "I don't want offers".
        let is_within = spoken.from > denial.from && spoken.from <= denial.to + NEGATED_WORDS;
        is_within && self.words[denial.from + 1..=spoken.from].iter().all(|word| word.gap < Gap::Clause)
    }

    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let evidence = self.heard.spoken.iter().map(|spoken| Evidence {
            from: self.words[spoken.from].span.start,
            to: self.words[spoken.to - 1].span.end,
            rule: &self.lexicon.rules[spoken.rule].id,
        });
        evidence.take(EVIDENCE_MAX).collect()
    }
}

/// Whether it forbids an offer.
fn is_matter(says: Says) -> bool {
    says <= Says::Complaint
}
