//! Everyday words: those that people use whatever they talk about, so that they tell little about which product is
//! meant, even where only one name has them.

use std::{collections::HashSet, sync::LazyLock};

use super::words::{WordId, fold};

/// By language; folded like any text. Japanese has none: its particles are of one character and stand in no list.
const LISTS: [&str; 4] = [
    include_str!("everyday/en.txt"),
    include_str!("everyday/de.txt"),
    include_str!("everyday/fr.txt"),
    include_str!("everyday/es.txt"),
];

/// Whether a word is an everyday word of any language.
pub fn is_everyday(word: WordId) -> bool {
    static WORDS: LazyLock<HashSet<WordId>> = LazyLock::new(|| {
        LISTS.iter().flat_map(|list| list.split_whitespace()).map(|word| WordId::of(&fold(word))).collect()
    });
    WORDS.contains(&word)
}
