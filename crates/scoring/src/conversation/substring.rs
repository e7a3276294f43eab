//! Phrases of languages without spaces between words: substrings of the folded text.

use aho_corasick::{AhoCorasick, MatchKind};
use sidecart_catalog::names::{Word, fold};

use super::phrase::Found;

/// Characters at most between two parts of a phrase.
const GAP_CHARS_MAX: usize = 12;
/// Bytes of a text that are looked at.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Begun phrases that an occurrence is compared with, latest first.
const OPEN_MAX: usize = 64;
/// Occurrences of parts in one text that are looked at.
const FOUND_MAX: usize = 4_096;

/// The phrases, found in one pass.
#[derive(Debug, Default)]
pub(super) struct Substrings {
    /// Finds the alternatives of all parts.
    alternatives: Option<AhoCorasick>,
    /// Of each alternative: the phrase and which part of it.
    parts: Vec<(usize, usize)>,
    /// Of each phrase: what it is a phrase of, and how many parts it has.
    phrases: Vec<(usize, usize)>,
}

impl Substrings {
    /// Phrases, each with what it is a phrase of.
    ///
    /// # Errors
    /// They are too many to be found in one pass.
    pub(super) fn new(given: Vec<(usize, String)>) -> Result<Self, String> {
        let (mut patterns, mut parts, mut phrases) = (Vec::new(), Vec::new(), Vec::new());
        for (of, phrase) in given {
            let mut count = 0;
            for (nth, part) in phrase.split(" .. ").enumerate() {
                count = nth + 1;
                for alternative in part.split('|').map(fold).filter(|alternative| !alternative.is_empty()) {
                    patterns.push(alternative);
                    parts.push((phrases.len(), nth));
                }
            }
            phrases.push((of, count));
        }
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let alternatives = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns);
        Ok(Self { alternatives: Some(alternatives.map_err(|error| error.to_string())?), parts, phrases })
    }

    /// Every phrase found, by the words it touches.
    pub(super) fn find(&self, text: &str, words: &[Word]) -> Vec<Found> {
        let Some(alternatives) = &self.alternatives else { return Vec::new() };
        if text.is_ascii() {
            return Vec::new();
        }
        let (folded, origins) = folded(text);
        let mut open: Vec<(usize, usize, usize, usize)> = Vec::new();
        let mut found = Vec::new();
        for hit in alternatives.find_overlapping_iter(&folded).take(FOUND_MAX) {
            let (phrase, part) = self.parts[hit.pattern().as_usize()];
            let (of, count) = self.phrases[phrase];
            // Begun phrases of which this is the next part: phrase, parts seen, start, end.
            let begun = open.iter().rev().take(OPEN_MAX).find(|(other, seen, _, end)| {
                *other == phrase
                    && *seen == part
                    && hit.start() >= *end
                    && folded[*end..hit.start()].chars().count() <= GAP_CHARS_MAX
            });
            let start = match (part, begun) {
                (0, _) => hit.start(),
                (_, Some((_, _, start, _))) => *start,
                _ => continue,
            };
            if part + 1 == count {
                let (from, to) = (origins[start], origins[hit.end() - 1]);
                found.extend(touched(words, from, to).map(|(from, to)| Found { from, to, of }));
            } else {
                open.push((phrase, part + 1, start, hit.end()));
            }
        }
        found
    }
}

/// The text folded character by character, and for each byte of that where it comes from.
fn folded(text: &str) -> (String, Vec<usize>) {
    let (mut folded, mut origins) = (String::new(), Vec::new());
    for (at, c) in text.char_indices().take_while(|(at, _)| *at < TEXT_BYTES_MAX) {
        let mut buffer = [0; 4];
        folded.push_str(&fold(c.encode_utf8(&mut buffer)));
        origins.resize(folded.len(), at);
    }
    (folded, origins)
}

/// The words that the bytes from `from` to `to` of the text touch.
fn touched(words: &[Word], from: usize, to: usize) -> Option<(usize, usize)> {
    let first = words.partition_point(|word| word.span.end <= from);
    let after = words.partition_point(|word| word.span.start <= to);
    (first < after).then_some((first, after))
}
