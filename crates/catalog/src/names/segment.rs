//! A segment: the terms of a batch of names in flat sorted arrays, which merge in linear time.

use std::{borrow::Cow, ops::Range};

use super::{
    everyday::is_everyday,
    packed::{Pairs, lower_of, pack, upper_of},
    words::{Word, WordId, deletions, joined, words},
};

/// One name of a product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// Dense index of the product.
    pub(super) product: u32,
    /// Which naming of the product this is of; names of an earlier one are dead.
    pub(super) stamp: u32,
    /// How many terms it has, without those that only join others.
    pub(super) words: u16,
}

/// Names and where their terms are found.
#[derive(Default)]
pub(super) struct Segment {
    pub(super) names: Vec<Name>,
    /// Each term with the places of the names that have it.
    postings: Pairs,
    /// What is left of a term without one letter, with the term.
    deletions: Pairs,
}

/// The terms of a name, ascending: those that stand there, and those that only join them.
pub(super) struct Terms {
    pub(super) all: Vec<u32>,
    pub(super) words: u16,
}

/// Lost terms are taken out of a merged segment when more than one in so many of its names was dropped.
const DROPPED_PART: usize = 8;
/// What is left of terms is sorted while a segment is made when there is more than this, and twice what was kept.
const SETTLE_FROM: usize = 1 << 18;
/// Words at most that are joined to one.
pub(super) const JOINED_MAX: usize = 4;

/// The terms of a name, and what is left of each without one letter.
pub(super) fn terms(name: &str) -> (Terms, Vec<u64>) {
    let words = words(name);
    let mut all: Vec<u32> = words.iter().map(|word| word.id.0).collect();
    all.sort_unstable();
    all.dedup();
    let count = u16::try_from(all.len()).unwrap_or(u16::MAX);
    let typos =
        words.iter().flat_map(|word| deletions(&word.folded).into_iter().map(|rest| pack(rest, word.id.0)));
    let typos = typos.collect();
    all.extend(joins(&words).map(|(_, id)| id.0));
    all.sort_unstable();
    all.dedup();
    (Terms { all, words: count }, typos)
}

/// Neighbours that may as well be written as one word: parts of a model number, of which no everyday word is one, and
/// what a hyphen joins.
fn joins(words: &[Word]) -> impl Iterator<Item = (Range<usize>, WordId)> {
    let runs = (2..=JOINED_MAX)
        .flat_map(move |len| (0..words.len().saturating_sub(len - 1)).map(move |at| at..at + len));
    runs.filter(|run| {
        let run = &words[run.clone()];
        let is_hyphened = run[1..].iter().all(|word| word.gap == super::words::Gap::Joined);
        let is_model = run.len() == 2
            && run[1].gap <= super::words::Gap::Space
            && run[0].has_digit != run[1].has_digit
            && run.iter().all(|word| word.folded.len() <= 6 && !is_everyday(word.id));
        is_hyphened || is_model
    })
    .map(|run| (run.clone(), joined(&words[run])))
}

impl Segment {
    /// The names of products: index, stamp, and their texts.
    pub(super) fn new<'a>(named: impl Iterator<Item = (u32, u32, Vec<Cow<'a, str>>)>) -> Self {
        let (mut names, mut postings, mut deletions) = (Vec::new(), Vec::new(), Vec::new());
        let mut settle_from = SETTLE_FROM;
        for (product, stamp, texts) in named {
            for text in texts {
                let place = names.len() as u32;
                let (terms, typos) = terms(&text);
                names.push(Name { product, stamp, words: terms.words });
                postings.extend(terms.all.iter().map(|term| pack(*term, place)));
                deletions.extend(typos);
            }
            // Most names share their words with others: what is there twice is not kept until the end.
            if deletions.len() > settle_from {
                deletions.sort_unstable();
                deletions.dedup();
                settle_from = SETTLE_FROM.max(2 * deletions.len());
            }
        }
        names.shrink_to_fit();
        Self { names, postings: Pairs::new(postings), deletions: Pairs::new(deletions) }
    }

    /// Both in one, without the dead names, whose terms are told to `on_drop`.
    pub(super) fn merge(
        &self,
        other: &Self,
        is_live: impl Fn(&Name) -> bool,
        mut on_drop: impl FnMut(u32),
    ) -> Self {
        let mut names = Vec::with_capacity(self.names.len() + other.names.len());
        let mut places = Vec::with_capacity(self.names.len() + other.names.len());
        for name in self.names.iter().chain(&other.names) {
            places.push(is_live(name).then_some(names.len() as u32));
            names.extend(is_live(name).then_some(*name));
        }
        let (own, others) = places.split_at(self.names.len());
        let mut postings = Vec::with_capacity(self.postings.row().len() + other.postings.row().len());
        for (segment, places) in [(self, own), (other, others)] {
            for pair in segment.postings.row() {
                match places[lower_of(*pair) as usize] {
                    Some(place) => postings.push(pack(upper_of(*pair), place)),
                    None => on_drop(upper_of(*pair)),
                }
            }
        }
        let postings = Pairs::new(postings);
        let mut deletions = [self.deletions.row(), other.deletions.row()].concat();
        let dropped = places.len() - names.len();
        if dropped * DROPPED_PART > names.len() {
            // What is left of lost terms goes too, so that renaming does not make a segment grow for ever.
            deletions.retain(|pair| !postings.of(lower_of(*pair)).is_empty());
        }
        names.shrink_to_fit();
        Self { names, postings, deletions: Pairs::new(deletions) }
    }

    /// Places of the names that have a term, ascending.
    pub(super) fn places(&self, term: u32) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.postings.of(term).iter().map(|pair| lower_of(*pair))
    }

    /// Whether a name has a term.
    pub(super) fn has(&self, place: u32, term: u32) -> bool {
        self.postings.has(term, place)
    }

    /// Terms that differ from a word by one letter of which `rest` is what is left.
    pub(super) fn near(&self, rest: u32) -> impl Iterator<Item = u32> + '_ {
        self.deletions.of(rest).iter().map(|pair| lower_of(*pair))
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.names.as_slice()) + self.postings.bytes() + self.deletions.bytes()
    }
}
