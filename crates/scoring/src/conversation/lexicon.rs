//! The lexicons: what customers' phrases say, by language, as data in `lexicon/*.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use sidecart_catalog::names::{Gap, Word, WordId, fold, is_everyday};
use whichlang::detect_language;

use super::{
    phrase::{Found, Phrases, Typos, folded_words},
    substring::Substrings,
};

/// Words of a text of plain letters from which on they tell its language.
const TOLD_BY_WORDS_MIN: usize = 5;
/// One of so many words is a mark of its language in a text that is in it, whatever it looks like.
const MARKS_EVERY: usize = 4;
/// Phrases silenced in one text that are held against those of other languages.
const MUTE_MAX: usize = 64;

/// The files, in the order in which they win where two languages are as likely.
const FILES: [&str; 5] = [
    include_str!("lexicon/en.toml"),
    include_str!("lexicon/de.toml"),
    include_str!("lexicon/fr.toml"),
    include_str!("lexicon/es.toml"),
    include_str!("lexicon/ja.toml"),
];

/// What a phrase says of the customer. See `lexicon/README.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Says {
    OptOut,
    Human,
    Safety,
    Privacy,
    Cancel,
    Refund,
    Return,
    Complaint,
    OrderStatus,
    Account,
    Service,
    Trouble,
    Damage,
    Arrived,
    Unbought,
    Anger,
    Compatibility,
    Specification,
    HowTo,
    UseCase,
    Price,
    Availability,
    Comparison,
    Buying,
    Bought,
    Asks,
    Thanks,
    Pleased,
    Greeting,
    Resolved,
    Declines,
    HasOne,
    Later,
    TooDear,
    Sorry,
    Helps,
    Explaining,
    Owns,
    Already,
    Which,
    Wants,
    Rejects,
    Returns,
    Joins,
    Points,
    First,
    Second,
    Last,
    Question,
    Opens,
    Supposes,
    Presumes,
    Not,
}

/// Sentences that claim no more than is known, with `{target}` and `{anchor}` for titles.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sayings {
    pub(crate) required: String,
    pub(crate) fits: String,
    pub(crate) accessory: String,
    pub(crate) consumable: String,
    pub(crate) refill: String,
    pub(crate) protection: String,
    pub(crate) bundle_part: String,
    pub(crate) service: String,
    pub(crate) bought_with: String,
    pub(crate) bought_alike: String,
    pub(crate) bought_after: String,
    pub(crate) bought_again: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: String,
    iso_639_3: String,
    #[serde(default)]
    unspaced: bool,
    marks: Vec<String>,
    #[serde(default)]
    letters: String,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    rule: Vec<FileRule>,
    topic: Vec<FileTopic>,
    say: Sayings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    id: String,
    says: Says,
    weight: Option<f32>,
    #[serde(default = "yes")]
    typos: bool,
    #[serde(default)]
    told: bool,
    #[serde(default)]
    postposed: bool,
    phrases: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTopic {
    id: String,
    asks: Vec<String>,
    answers: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// A rule of a lexicon.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Shown as evidence.
    pub(crate) id: Box<str>,
    pub(crate) says: Says,
    pub(crate) weight: f32,
    /// Whether it counts only where it is told, not where it is asked or supposed.
    pub(crate) is_told: bool,
    /// Whether it speaks of what stands before it, not after.
    pub(crate) is_postposed: bool,
    /// Whether its language puts no spaces between words.
    pub(crate) is_unspaced: bool,
    /// Place of its language.
    pub(crate) language: usize,
}

/// A language.
#[derive(Debug)]
pub(crate) struct Language {
    /// BCP 47.
    pub(crate) tag: Box<str>,
    /// ISO 639-3.
    code: Box<str>,
    pub(crate) is_unspaced: bool,
    marks: Vec<WordId>,
    letters: String,
    pub(crate) say: Sayings,
}

/// What a phrase that is looked for belongs to.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Rule(usize),
    Unless(usize),
    Topic(usize),
}

/// A rule that spoke, and in which words of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spoken {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Place of the rule.
    pub(crate) rule: usize,
}

/// What the lexicons find in a text.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// In the order of the text.
    pub(crate) spoken: Vec<Spoken>,
    /// Topics spoken of, in the order of the text.
    pub(crate) topics: Vec<Topical>,
}

/// A topic that is spoken of, and in which words of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Topical {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Place of the topic.
    pub(crate) topic: usize,
}

/// All languages at once: a text need not say in which it is.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(crate) rules: Vec<Rule>,
    pub(crate) languages: Vec<Language>,
    /// Words of what answers each topic.
    pub(crate) answers: Vec<Vec<WordId>>,
    owners: Vec<Owner>,
    phrases: Phrases,
    substrings: Substrings,
}

impl Lexicon {
    /// The lexicons that come with the engine.
    pub(crate) fn get() -> &'static Self {
        static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
            Lexicon::parse(&FILES).expect("a test reads the files that come with the engine")
        });
        &LEXICON
    }

    /// Reads lexicon files.
    ///
    /// # Errors
    /// A file that is not TOML of this form, or a phrase that cannot be read, by rule or topic.
    fn parse(files: &[&str]) -> Result<Self, String> {
        let mut lexicon = Self {
            rules: Vec::new(),
            languages: Vec::new(),
            answers: Vec::new(),
            owners: Vec::new(),
            phrases: Phrases::default(),
            substrings: Substrings::default(),
        };
        let mut topics: Vec<String> = Vec::new();
        let mut substrings = Vec::new();
        for text in files {
            let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
            let mut add = |lexicon: &mut Self, owner: Owner, phrase: &str, of: &str, typos: Typos| {
                let place = lexicon.owners.len();
                lexicon.owners.push(owner);
                if file.unspaced {
                    substrings.push((place, phrase.to_owned()));
                    return Ok(());
                }
                lexicon
                    .phrases
                    .add(place, phrase, &file.words, typos)
                    .map_err(|fault| format!("{of}: `{phrase}`: {fault}"))
            };
            for FileRule { id, says, weight, typos, told, postposed, phrases, unless } in &file.rule {
                let rule = lexicon.rules.len();
                let typos = if *typos { Typos::Forgiven } else { Typos::Kept };
                phrases
                    .iter()
                    .try_for_each(|phrase| add(&mut lexicon, Owner::Rule(rule), phrase, id, typos))?;
                unless
                    .iter()
                    .try_for_each(|phrase| add(&mut lexicon, Owner::Unless(rule), phrase, id, Typos::Kept))?;
                let (id, weight) = (id.as_str().into(), weight.unwrap_or(1.0));
                lexicon.rules.push(Rule {
                    id,
                    says: *says,
                    weight,
                    is_told: *told,
                    is_postposed: *postposed,
                    is_unspaced: file.unspaced,
                    language: lexicon.languages.len(),
                });
            }
            for FileTopic { id, asks, answers } in &file.topic {
                let topic = topics.iter().position(|known| known == id).unwrap_or_else(|| {
                    topics.push(id.clone());
                    lexicon.answers.push(Vec::new());
                    topics.len() - 1
                });
                asks.iter().try_for_each(|phrase| {
                    add(&mut lexicon, Owner::Topic(topic), phrase, id, Typos::Forgiven)
                })?;
                let words = answers.iter().flat_map(|answer| folded_words(answer));
                lexicon.answers[topic].extend(words.map(|word| WordId::of(&word)));
            }
            lexicon.languages.push(Language {
                tag: file.language.into(),
                code: file.iso_639_3.into(),
                is_unspaced: file.unspaced,
                marks: file.marks.iter().map(|mark| WordId::of(&fold(mark))).collect(),
                letters: file.letters,
                say: file.say,
            });
        }
        lexicon.substrings = Substrings::new(substrings)?;
        Ok(lexicon)
    }

    /// What the phrases of all languages say in a text.
    ///
    /// `is_name` says of a word, by its place, that something sold is called so, which then is no typo.
    pub(crate) fn hear(&self, text: &str, words: &[Word], is_name: impl Fn(usize) -> bool) -> Heard {
        let is_known = |at: usize| is_everyday(words[at].id) || is_name(at);
        let mut found = self.phrases.find(words, is_known);
        found.extend(self.substrings.find(text, words));
        let mut heard = Heard::default();
        let mut silenced: Vec<(usize, usize)> = Vec::new();
        let sentences = sentences(words);
        for Found { from, to, of } in found {
            match self.owners[of] {
                Owner::Rule(rule) => heard.spoken.push(Spoken { from, to, rule }),
                Owner::Unless(rule) => silenced.push((rule, sentences[from])),
                Owner::Topic(topic) => heard.topics.push(Topical { from, to, topic }),
            }
        }
        silenced.sort_unstable();
        let is_silenced =
            |spoken: &Spoken| silenced.binary_search(&(spoken.rule, sentences[spoken.from])).is_ok();
        let (mute, spoken): (Vec<Spoken>, Vec<Spoken>) = heard.spoken.into_iter().partition(is_silenced);
        heard.spoken = spoken;
        // Languages share words: what one of them silences speaks in none of the others.
        let mute = &mute[..mute.len().min(MUTE_MAX)];
        heard.spoken.retain(|spoken| !mute.iter().any(|mute| self.says_the_same_there(mute, spoken)));
        heard.spoken.sort_unstable();
        heard.spoken.dedup();
        heard.topics.sort_unstable();
        heard.topics.dedup();
        heard
    }

    /// Whether a rule of another language says the same of words that both have.
    fn says_the_same_there(&self, one: &Spoken, other: &Spoken) -> bool {
        let (rule, of_other) = (&self.rules[one.rule], &self.rules[other.rule]);
        rule.says == of_other.says
            && rule.language != of_other.language
            && one.from < other.to
            && other.from < one.to
    }

    /// The language that a text is in, by its small words and its own letters: place in `languages`. `None` when none
    /// of them stands in it.
    pub(crate) fn language_of(&self, text: &str, words: &[Word]) -> Option<usize> {
        if let Some(unspaced) = self.languages.iter().position(|language| language.is_unspaced)
            && text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}'))
        {
            return Some(unspaced);
        }
        let count = |language: &Language| {
            let letters = language.letters.chars().filter(|letter| text.contains(*letter));
            words.iter().filter(|word| language.marks.contains(&word.id)).count() + letters.count()
        };
        let counts: Vec<usize> = self.languages.iter().map(count).collect();
        let most = counts.iter().max().copied().filter(|most| *most > 0)?;
        counts.iter().position(|count| *count == most)
    }

    /// Whether a text may be in a language that is carried: its letters look like it, or its small words are of one.
    ///
    /// `language` is the one that its small words tell.
    pub(crate) fn can_read(&self, text: &str, words: &[Word], language: Option<usize>) -> bool {
        let words: Vec<WordId> = words.iter().filter(|word| !word.has_digit).map(|word| word.id).collect();
        if words.len() < TOLD_BY_WORDS_MIN && text.is_ascii() {
            return true;
        }
        let Some(language) = language else { return self.is_carried(text) };
        let Language { is_unspaced, marks, .. } = &self.languages[language];
        let own = words.iter().filter(|word| marks.contains(word)).count();
        *is_unspaced || MARKS_EVERY * own >= words.len() || self.is_carried(text)
    }

    /// Whether the language that a text looks like is carried.
    fn is_carried(&self, text: &str) -> bool {
        let code = detect_language(text).three_letter_code();
        self.languages.iter().any(|language| *language.code == *code)
    }

    /// A language by its tag, with or without a region.
    pub(crate) fn language(&self, tag: &str) -> Option<usize> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        self.languages.iter().position(|language| language.tag.eq_ignore_ascii_case(primary))
    }
}

/// Of each word, in which sentence it stands.
fn sentences(words: &[Word]) -> Vec<usize> {
    let begun = words.iter().scan(0, |begun, word| {
        *begun += usize::from(word.gap == Gap::Sentence);
        Some(*begun)
    });
    begun.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_come_with_the_engine_can_be_read() {
        let lexicon = Lexicon::parse(&FILES).unwrap();
        let mut ids: Vec<&str> = lexicon.rules.iter().map(|rule| &*rule.id).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "rule ids are unique: {ids:?}");
    }
}
