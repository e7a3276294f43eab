//! Everyday words: those that people use whatever they talk about, so that they tell little about which product is
//! meant, even where only one name has them.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use rapidhash::fast::GlobalState;

use super::words::{Word, WordId, fold};

/// By language; folded like any text. Japanese has none: its particles are of one character and stand in no list.
const LISTS: [&str; 4] = [
    include_str!("everyday/en.txt"),
    include_str!("everyday/de.txt"),
    include_str!("everyday/fr.txt"),
    include_str!("everyday/es.txt"),
];

/// Those of them that go on to another word: articles, and the like.
static JOINING: LazyLock<HashSet<WordId, GlobalState>> = LazyLock::new(|| {
    let words = include_str!("everyday/joining.txt").split_whitespace();
    words.map(|word| WordId::of(&fold(word))).collect()
});

/// Languages, the nth as the nth bit.
type Languages = u8;

/// In which languages a word is an everyday word.
static WORDS: LazyLock<HashMap<WordId, Languages, GlobalState>> = LazyLock::new(|| {
    let mut languages = HashMap::default();
    for (nth, list) in LISTS.iter().enumerate() {
        for word in list.split_whitespace() {
            *languages.entry(WordId::of(&fold(word))).or_insert(0) |= 1 << nth;
        }
    }
    languages
});

fn languages(word: WordId) -> Languages {
    WORDS.get(&word).copied().unwrap_or(0)
}

/// Whether a word is an everyday word of any language.
pub fn is_everyday(word: WordId) -> bool {
    languages(word) != 0
}

/// Whether a word goes on to another in any language, so that no name ends in it.
pub(super) fn is_joining(word: WordId) -> bool {
    JOINING.contains(&word)
}

/// The everyday words of the languages that a text may be in.
#[derive(Debug, Clone, Copy)]
pub struct Everyday(Languages);

impl Everyday {
    /// Of a text: the languages of which it has the most everyday words.
    pub fn of(text: &[Word]) -> Self {
        let mut counts = [0_usize; LISTS.len()];
        for word in text {
            let languages = languages(word.id);
            for (nth, count) in counts.iter_mut().enumerate() {
                *count += usize::from(languages >> nth & 1);
            }
        }
        let most = counts.iter().max().copied().unwrap_or_default();
        let likeliest = counts.iter().enumerate().filter(|(_, count)| **count == most);
        Self(likeliest.fold(0, |languages, (nth, _)| languages | 1 << nth))
    }

    /// Whether a word is one of them.
    pub fn has(self, word: WordId) -> bool {
        languages(word) & self.0 != 0
    }
}
