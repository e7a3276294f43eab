//! Words: how text and names are cut and folded, so that the same thing written in two ways is one term.
//!
//! Case, accents, width, apostrophes and a plural `s` are forgiven here; typos are not, see `segment`.
//! Scripts that put no spaces between words are cut into pairs of characters, as no dictionary is carried.

use std::ops::Range;

use rapidhash::v3::rapidhash_v3;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// Most words of one text that are looked at: as many as 8 KiB can hold, so that nothing goes unread in a text of that size.
pub const TEXT_WORDS_MAX: usize = 4_096;
/// Characters of a word that count.
const WORD_CHARS_MAX: usize = 48;
/// Shortest word whose plural `s` is dropped.
const PLURAL_CHARS_MIN: usize = 4;

/// A folded word in 32 bits. Never stored on disk and never shown.
///
/// Among a million words of a catalog, a word that is none of them is taken for one of them once in four thousand times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WordId(pub(crate) u32);

impl WordId {
    /// Of a word that is folded already, such as one of a word list.
    pub fn of(folded: &str) -> Self {
        Self(hash(singular(folded).as_bytes()))
    }
}

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// Nothing, or a mark that joins, as in `x-100`.
    Joined,
    /// Space.
    Space,
    /// A comma, a bracket, a quotation mark: another part of the sentence.
    Clause,
    /// The end of a sentence or a line, or the start of the text.
    Sentence,
}

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands, in bytes of the text as written.
    pub span: Range<usize>,
    /// Lower case, without accents; the plural `s` still on it.
    pub folded: String,
    /// What stands before it.
    pub gap: Gap,
    /// Its term: that of the singular.
    pub id: WordId,
    /// Whether it has a digit, as model numbers do: such words are not taken for typos of others.
    pub has_digit: bool,
}

/// The words of a text, in order; at most [`TEXT_WORDS_MAX`].
pub fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut gap = Gap::Sentence;
    for (start, piece) in text.split_word_bound_indices() {
        if found.len() == TEXT_WORDS_MAX {
            break;
        }
        if !piece.chars().any(char::is_alphanumeric) {
            gap = gap.max(between(piece));
            continue;
        }
        let folded = fold(piece);
        if !folded.is_empty() {
            found.push(word(start..start + piece.len(), folded, gap));
            gap = Gap::Joined;
        }
    }
    pair_up(found, text)
}

fn word(span: Range<usize>, folded: String, gap: Gap) -> Word {
    let has_digit = folded.bytes().any(|byte| byte.is_ascii_digit());
    let id = if has_digit { WordId(hash(folded.as_bytes())) } else { WordId::of(&folded) };
    Word { span, folded, gap, id, has_digit }
}

fn between(piece: &str) -> Gap {
    let of = |c: char| match c {
        '-' | '\u{2010}' | '\u{2011}' | '_' | '/' | '\u{200d}' | '\u{200e}' | '\u{200f}' => Gap::Joined,
        '.' | '!' | '?' | '\n' | '\r' | '。' | '！' | '？' | '…' => Gap::Sentence,
        c if c.is_whitespace() || matches!(c, '&' | '+' | '#' | '*' | '\'' | '’') => Gap::Space,
        _ => Gap::Clause,
    };
    piece.chars().map(of).max().unwrap_or(Gap::Joined)
}

/// A text in lower case and without accents, letters and digits only.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        let plain = text.chars().filter(char::is_ascii_alphanumeric).take(WORD_CHARS_MAX);
        return plain.map(|c| c.to_ascii_lowercase()).collect();
    }
    let mut folded = String::with_capacity(text.len().min(4 * WORD_CHARS_MAX));
    // The marks that voice a kana are no accents: `か` and `が` are two letters.
    let is_accent = |c: &char| is_combining_mark(*c) && !matches!(c, '\u{3099}' | '\u{309a}');
    let plain = text.nfkd().filter(|c| !is_accent(c)).nfc().flat_map(char::to_lowercase);
    for c in plain.filter(|c| c.is_alphanumeric()).take(WORD_CHARS_MAX) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            c => folded.push(c),
        }
    }
    folded
}

/// Plurals that no rule here makes of their singular.
const IRREGULAR: [(&str, &str); 5] =
    [("lenses", "lens"), ("knives", "knife"), ("shelves", "shelf"), ("scarves", "scarf"), ("mice", "mouse")];

/// Without a plural ending: the weak stemmer of Harman (How effective is suffixing?, JASIS 42, 1991), with another rule for
/// `es`: after a hiss it goes, and so does a plain `e` there, for `tasses` is of `tasse` as `glasses` is of `glass`.
fn singular(word: &str) -> std::borrow::Cow<'_, str> {
    let word = IRREGULAR.iter().find(|(plural, _)| *plural == word).map_or(word, |(_, singular)| singular);
    if word.len() < PLURAL_CHARS_MIN || !word.is_ascii() {
        return word.into();
    }
    let hissing = |stem: &str| ["ss", "x", "ch", "sh", "zz"].iter().any(|hiss| stem.ends_with(hiss));
    let stem = word.strip_suffix("es").or_else(|| word.strip_suffix('e'));
    if let Some(stem) = stem.filter(|stem| stem.len() > 2 && hissing(stem)) {
        return stem.into();
    }
    if word.ends_with("ss") || word.ends_with("us") {
        return word.into();
    }
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) if stem.len() > 2 => format!("{stem}y").into(),
        (_, Some(stem)) => stem.into(),
        _ => word.into(),
    }
}

fn hash(bytes: &[u8]) -> u32 {
    (rapidhash_v3(bytes) >> 32) as u32
}

/// Whether a character is of a script that puts no spaces between words, of which one alone says little.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{0e00}'..='\u{0e7f}' | '\u{20000}'..='\u{2fa1f}')
}

/// Puts neighbouring characters of an unspaced script in the place of each alone.
fn pair_up(found: Vec<Word>, text: &str) -> Vec<Word> {
    let is_single = |word: &Word| {
        let mut chars = word.folded.chars();
        chars.next().is_some_and(is_unspaced) && chars.next().is_none()
    };
    if !found.iter().any(is_single) {
        return found;
    }
    let mut paired = Vec::with_capacity(found.len());
    for (at, one) in found.iter().enumerate() {
        let goes_on =
            |next: &Word| is_single(next) && next.gap == Gap::Joined && next.span.start == one.span.end;
        match found.get(at + 1).filter(|next| is_single(one) && goes_on(next)) {
            Some(next) => {
                let span = one.span.start..next.span.end;
                let folded = fold(&text[span.clone()]);
                paired.push(word(span, folded, one.gap));
            }
            // The last of a run is in the pair before it.
            None if is_single(one) && at > 0 && is_single(&found[at - 1]) && one.gap == Gap::Joined => {}
            None => paired.push(one.clone()),
        }
    }
    paired
}

/// The term of several words written as one.
pub(super) fn joined(words: &[Word]) -> WordId {
    let whole: String = words.iter().map(|word| word.folded.as_str()).collect();
    if whole.bytes().any(|byte| byte.is_ascii_digit()) {
        WordId(hash(whole.as_bytes()))
    } else {
        WordId::of(&whole)
    }
}

/// Shortest word that may be a typo of another.
const TYPO_CHARS_MIN: usize = 5;

/// What is left of a word when one of its characters is left out, each once, and the whole: two words that have one
/// of these in common differ by one letter, or by two that changed places (Garbe's symmetric delete, SymSpell).
/// Nothing for words that are too short, or have a digit.
pub(super) fn deletions(folded: &str) -> Vec<u32> {
    let stem = singular(folded);
    let starts: Vec<usize> = stem.char_indices().map(|(at, _)| at).collect();
    if starts.len() < TYPO_CHARS_MIN || stem.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let mut all: Vec<u32> = Vec::with_capacity(starts.len() + 1);
    let mut rest = String::with_capacity(stem.len());
    for (nth, at) in starts.iter().enumerate() {
        rest.clear();
        rest.push_str(&stem[..*at]);
        rest.push_str(&stem[starts.get(nth + 1).copied().unwrap_or(stem.len())..]);
        all.push(hash(rest.as_bytes()));
    }
    all.push(hash(stem.as_bytes()));
    all.sort_unstable();
    all.dedup();
    all
}
