//! Phrases: rows of words to find in a text, as `lexicon/README.md` describes them.

use std::collections::{BTreeMap, HashMap};

use sidecart_catalog::names::{Gap, Word, WordId, fold, is_everyday, words};
use strsim::osa_distance;

/// Words at most between two parts of a phrase.
const GAP_WORDS_MAX: usize = 4;
/// Shortest beginning that a word may be given by.
const PREFIX_CHARS_MIN: usize = 3;
/// Shortest word that is looked up as a typo.
const TYPO_CHARS_MIN: usize = 5;
/// Longest word that is looked up as a typo, and longest beginning of it.
const TYPO_CHARS_MAX: (usize, usize) = (20, 14);
/// Words of one text that are looked up as typos.
const TYPOS_MAX: usize = 32;

/// Something a word of a text can be: a word as such, or a beginning.
type Atom = u32;

/// One part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// One of these, ascending.
    Word(Vec<Atom>),
    /// One of these, or nothing.
    Maybe(Vec<Atom>),
    /// Up to [`GAP_WORDS_MAX`] words.
    Gap,
}

/// A word or beginning that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Misspelt {
    atom: Atom,
    folded: Box<str>,
    is_prefix: bool,
}

/// One phrase.
#[derive(Debug)]
struct Phrase {
    /// What it is a phrase of.
    of: usize,
    parts: Vec<Part>,
    typos: Typos,
}

/// Whether words that may be typos are taken for those of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typos {
    Forgiven,
    Kept,
}

/// All phrases of the lexicons, by the words they begin with.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    all: Vec<Phrase>,
    by_first: HashMap<Atom, Vec<usize>>,
    literals: HashMap<Box<str>, Atom>,
    prefixes: HashMap<Box<str>, Atom>,
    /// Words without one letter, and the words and beginnings that they are left of.
    typos: HashMap<Box<str>, Vec<Misspelt>>,
}

/// Where a phrase was found: in which words of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// The first word.
    pub(super) from: usize,
    /// The word after the last.
    pub(super) to: usize,
    /// What it is a phrase of.
    pub(super) of: usize,
}

impl Phrases {
    /// Adds a phrase of `of`.
    ///
    /// # Errors
    /// It names a list that there is not, or has no word to begin with.
    pub(super) fn add(
        &mut self,
        of: usize,
        phrase: &str,
        lists: &BTreeMap<String, Vec<String>>,
        typos: Typos,
    ) -> Result<(), String> {
        let mut parts = Vec::new();
        for token in phrase.split_whitespace() {
            if token == ".." {
                parts.push(Part::Gap);
                continue;
            }
            let (token, is_optional) = token.strip_suffix('?').map_or((token, false), |token| (token, true));
            let mut atoms = Vec::new();
            for alternative in token.split('|') {
                let alternative = alternative.trim_end_matches('?');
                match alternative.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        let list = lists.get(name).ok_or_else(|| format!("there is no list `{name}`"))?;
                        atoms.extend(list.iter().map(|word| self.atom(word, typos)));
                    }
                    None => atoms.push(self.atom(alternative, typos)),
                }
            }
            atoms.sort_unstable();
            atoms.dedup();
            parts.push(if is_optional { Part::Maybe(atoms) } else { Part::Word(atoms) });
        }
        let Some(Part::Word(first)) = parts.first() else { return Err("does not begin with a word".into()) };
        let place = self.all.len();
        for atom in first {
            self.by_first.entry(*atom).or_default().push(place);
        }
        self.all.push(Phrase { of, parts, typos });
        Ok(())
    }

    fn atom(&mut self, word: &str, typos: Typos) -> Atom {
        let next = (self.literals.len() + self.prefixes.len()) as Atom;
        let (map, folded) = match word.strip_suffix('*') {
            Some(prefix) => (&mut self.prefixes, fold(prefix)),
            None => (&mut self.literals, fold(word)),
        };
        let atom = *map.entry(folded.clone().into()).or_insert(next);
        if typos == Typos::Forgiven && folded.chars().count() >= TYPO_CHARS_MIN {
            let meant = Misspelt { atom, folded: folded.as_str().into(), is_prefix: word.ends_with('*') };
            for rest in without_one(&folded) {
                let known = self.typos.entry(rest.into()).or_default();
                if !known.contains(&meant) {
                    known.push(meant.clone());
                }
            }
        }
        atom
    }

    /// Every phrase found, in the order of the text.
    ///
    /// A word that is no word of any phrase and not `is_known`, told by its place, is taken for those it may be a typo
    /// of.
    pub(super) fn find(&self, text: &[Word], is_known: impl Fn(usize) -> bool) -> Vec<Found> {
        let mut typos_left = TYPOS_MAX;
        let mut is_guessed = vec![false; text.len()];
        let mut atoms_of = |(at, word): (usize, &Word)| {
            let atoms = self.atoms(&word.folded);
            if !atoms.is_empty() || typos_left == 0 || word.has_digit || is_known(at) {
                return atoms;
            }
            typos_left -= 1;
            is_guessed[at] = true;
            self.misspelt(&word.folded)
        };
        let atoms: Vec<Vec<Atom>> = text.iter().enumerate().map(&mut atoms_of).collect();
        let mut can_stand = self.standing(&atoms);
        let mut found = Vec::new();
        for (at, own) in atoms.iter().enumerate() {
            let begun = own.iter().filter_map(|atom| self.by_first.get(atom)).flatten();
            for place in begun.filter(|place| can_stand(**place)) {
                let Phrase { of, parts, typos } = &self.all[*place];
                let Some(to) = end(&parts[1..], text, &atoms, at + 1) else { continue };
                if *typos == Typos::Forgiven || !is_guessed[at..to].contains(&true) {
                    found.push(Found { from: at, to, of: *of });
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a phrase can stand in a text at all, which each is asked once: whether all its words are somewhere in it.
    fn standing(&self, atoms: &[Vec<Atom>]) -> impl FnMut(usize) -> bool {
        let mut is_there = vec![false; self.literals.len() + self.prefixes.len()];
        atoms.iter().flatten().for_each(|atom| is_there[*atom as usize] = true);
        let mut asked = vec![None; self.all.len()];
        move |place| {
            let is_met = |part: &Part| match part {
                Part::Word(any_of) => any_of.iter().any(|atom| is_there[*atom as usize]),
                Part::Maybe(_) | Part::Gap => true,
            };
            *asked[place].get_or_insert_with(|| self.all[place].parts.iter().all(is_met))
        }
    }

    /// What a word is, as it is written.
    fn atoms(&self, folded: &str) -> Vec<Atom> {
        let singular = folded.strip_suffix('s').filter(|stem| stem.len() > 2);
        let literals =
            [Some(folded), singular].into_iter().flatten().filter_map(|word| self.literals.get(word));
        let beginnings =
            folded.char_indices().map(|(at, c)| &folded[..at + c.len_utf8()]).skip(PREFIX_CHARS_MIN - 1);
        let mut atoms: Vec<Atom> =
            literals.chain(beginnings.filter_map(|start| self.prefixes.get(start))).copied().collect();
        atoms.sort_unstable();
        atoms.dedup();
        atoms
    }

    /// What a word that is nothing as it is written may be: a word, or a beginning, that is one letter off, or with a letter
    /// twice, or two words without their space.
    fn misspelt(&self, folded: &str) -> Vec<Atom> {
        let chars: Vec<char> = folded.chars().collect();
        let (word_max, start_max) = TYPO_CHARS_MAX;
        if chars.len() > word_max {
            return Vec::new();
        }
        let mut atoms = self.unspaced(folded);
        let doubled = (1..chars.len()).filter(|at| chars[*at] == chars[at - 1]);
        atoms.extend(doubled.flat_map(|at| {
            let single: String = chars[..at].iter().chain(&chars[at + 1..]).collect();
            self.atoms(&single)
        }));
        for length in TYPO_CHARS_MIN..=chars.len().min(start_max) {
            let start: String = chars[..length].iter().collect();
            let is_whole = length == chars.len();
            let meant = without_one(&start);
            let meant = meant.iter().filter_map(|rest| self.typos.get(rest.as_str())).flatten();
            let meant = meant
                .filter(|meant| (meant.is_prefix || is_whole) && osa_distance(&meant.folded, &start) <= 1);
            atoms.extend(meant.map(|meant| meant.atom));
        }
        atoms.sort_unstable();
        atoms.dedup();
        atoms
    }

    /// What the second of two words is that are written as one, where the first is a word that is known.
    fn unspaced(&self, folded: &str) -> Vec<Atom> {
        let is_word = |word: &str| self.literals.contains_key(word) || is_everyday(WordId::of(word));
        let parts = folded.char_indices().skip(1).map(|(at, _)| folded.split_at(at));
        let parts = parts.filter(|(_, second)| second.chars().count() >= TYPO_CHARS_MIN);
        parts.filter(|(first, _)| is_word(first)).flat_map(|(_, second)| self.atoms(second)).collect()
    }
}

/// Where a phrase ends of which `parts` are left at the word `at`.
fn end(parts: &[Part], text: &[Word], atoms: &[Vec<Atom>], at: usize) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let is_here = |at: usize, any_of: &[Atom]| {
        let goes_on = text.get(at).is_some_and(|word| word.gap < Gap::Sentence);
        goes_on && atoms[at].iter().any(|atom| any_of.binary_search(atom).is_ok())
    };
    match part {
        Part::Word(any_of) => is_here(at, any_of).then(|| end(rest, text, atoms, at + 1)).flatten(),
        Part::Maybe(any_of) => {
            let taken = is_here(at, any_of).then(|| end(rest, text, atoms, at + 1)).flatten();
            taken.or_else(|| end(rest, text, atoms, at))
        }
        Part::Gap => {
            let reach = text[at.min(text.len())..].iter().take(GAP_WORDS_MAX);
            let reach = reach.take_while(|word| word.gap < Gap::Sentence).count();
            (0..=reach).find_map(|skipped| end(rest, text, atoms, at + skipped))
        }
    }
}

/// A word without each of its letters, and whole.
fn without_one(word: &str) -> Vec<String> {
    let mut all = vec![word.to_owned()];
    for (at, c) in word.char_indices() {
        all.push(format!("{}{}", &word[..at], &word[at + c.len_utf8()..]));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The folded words of a text that is data, such as an answer of a topic.
pub(super) fn folded_words(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.folded).collect()
}
