//! Everyday words: those that people use whatever they talk about, so that they tell little about which product is
//! meant, even where only one name has them.

use std::{collections::HashSet, sync::LazyLock};

use super::words::{Word, WordId, fold};

/// By language; folded like any text. Japanese has none: its particles are of one character and stand in no list.
const LISTS: [&str; 4] = [
    include_str!("everyday/en.txt"),
    include_str!("everyday/de.txt"),
    include_str!("everyday/fr.txt"),
    include_str!("everyday/es.txt"),
];

static WORDS: LazyLock<[HashSet<WordId>; LISTS.len()]> =
    LazyLock::new(|| LISTS.map(|list| list.split_whitespace().map(|word| WordId::of(&fold(word))).collect()));

/// Whether a word is an everyday word of any language.
pub fn is_everyday(word: WordId) -> bool {
    WORDS.iter().any(|words| words.contains(&word))
}

/// The everyday words of the languages that a text may be in.
#[derive(Debug, Clone, Copy)]
pub struct Everyday {
    languages: [bool; LISTS.len()],
}

impl Everyday {
    /// Of a text: the languages of which it has the most everyday words.
    pub fn of(text: &[Word]) -> Self {
        let count = |words: &HashSet<WordId>| text.iter().filter(|word| words.contains(&word.id)).count();
        let counts = WORDS.each_ref().map(count);
        let most = counts.iter().max().copied().unwrap_or_default();
        Self { languages: counts.map(|count| count == most) }
    }

    /// Whether a word is one of them.
    pub fn has(self, word: WordId) -> bool {
        WORDS.iter().zip(self.languages).any(|(words, may_be)| may_be && words.contains(&word))
    }
}
