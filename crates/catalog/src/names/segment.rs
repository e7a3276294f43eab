//! A segment: the terms of a batch of names in flat sorted arrays, which merge in linear time.

use std::{borrow::Cow, ops::Range};

use super::words::{Word, WordId, deletions, joined, words};

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
    /// Term in the upper half, place of the name in the lower; ascending.
    postings: Vec<u64>,
    /// What is left of a term without one letter in the upper half, the term in the lower; ascending.
    deletions: Vec<u64>,
}

/// The terms of a name, ascending: those that stand there, and those that only join them.
pub(super) struct Terms {
    pub(super) all: Vec<u32>,
    pub(super) words: u16,
}

/// Lost terms are taken out of a merged segment when more than one in so many of its names was dropped.
const DROPPED_PART: usize = 8;
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

/// Neighbours that may as well be written as one word: parts of a model number, and what a hyphen joins.
fn joins(words: &[Word]) -> impl Iterator<Item = (Range<usize>, WordId)> {
    let runs = (2..=JOINED_MAX)
        .flat_map(move |len| (0..words.len().saturating_sub(len - 1)).map(move |at| at..at + len));
    runs.filter(|run| {
        let run = &words[run.clone()];
        let is_hyphened = run[1..].iter().all(|word| word.gap == super::words::Gap::Joined);
        let is_model = run.len() == 2
            && run[1].gap <= super::words::Gap::Space
            && run[0].has_digit != run[1].has_digit
            && run.iter().all(|word| word.folded.len() <= 6);
        is_hyphened || is_model
    })
    .map(|run| (run.clone(), joined(&words[run])))
}

const fn pack(upper: u32, lower: u32) -> u64 {
    (upper as u64) << 32 | lower as u64
}

const fn upper_of(packed: u64) -> u32 {
    (packed >> 32) as u32
}

const fn lower(packed: u64) -> u32 {
    packed as u32
}

impl Segment {
    /// The names of products: index, stamp, and their texts.
    pub(super) fn new<'a>(named: impl Iterator<Item = (u32, u32, Vec<Cow<'a, str>>)>) -> Self {
        let mut segment = Self::default();
        for (product, stamp, texts) in named {
            for text in texts {
                let place = segment.names.len() as u32;
                let (terms, typos) = terms(&text);
                segment.names.push(Name { product, stamp, words: terms.words });
                segment.postings.extend(terms.all.iter().map(|term| pack(*term, place)));
                segment.deletions.extend(typos);
            }
            if segment.deletions.len() > 2 * segment.names.len() * 64 {
                segment.settle();
            }
        }
        segment.settle();
        segment.names.shrink_to_fit();
        segment
    }

    fn settle(&mut self) {
        for packed in [&mut self.postings, &mut self.deletions] {
            packed.sort_unstable();
            packed.dedup();
            packed.shrink_to_fit();
        }
    }

    /// Both in one, without the dead names, whose terms are told to `on_drop`.
    pub(super) fn merge(
        &self,
        other: &Self,
        is_live: impl Fn(&Name) -> bool,
        mut on_drop: impl FnMut(u32),
    ) -> Self {
        let mut merged = Self::default();
        let mut places = Vec::with_capacity(self.names.len() + other.names.len());
        for name in self.names.iter().chain(&other.names) {
            places.push(is_live(name).then_some(merged.names.len() as u32));
            merged.names.extend(is_live(name).then_some(*name));
        }
        let (own, others) = places.split_at(self.names.len());
        merged.postings.reserve_exact(self.postings.len() + other.postings.len());
        for (segment, places) in [(self, own), (other, others)] {
            for packed in &segment.postings {
                match places[lower(*packed) as usize] {
                    Some(place) => merged.postings.push(packed & !u64::from(u32::MAX) | u64::from(place)),
                    None => on_drop(upper_of(*packed)),
                }
            }
        }
        merged.deletions = [self.deletions.as_slice(), other.deletions.as_slice()].concat();
        // Two ascending runs: the stable sort merges them in linear time.
        merged.postings.sort();
        merged.deletions.sort();
        merged.deletions.dedup();
        let dropped = places.iter().filter(|place| place.is_none()).count();
        if dropped * DROPPED_PART > merged.names.len() {
            merged.forget_lost_terms();
        }
        merged.deletions.shrink_to_fit();
        merged.postings.shrink_to_fit();
        merged
    }

    /// Takes out what is left of terms that no name has any more, so that renaming does not make a segment grow for ever.
    fn forget_lost_terms(&mut self) {
        let mut terms: Vec<u32> = self.postings.iter().map(|packed| upper_of(*packed)).collect();
        terms.dedup();
        self.deletions.retain(|packed| terms.binary_search(&lower(*packed)).is_ok());
    }

    /// Places of the names that have a term, ascending.
    pub(super) fn places(&self, term: u32) -> impl ExactSizeIterator<Item = u32> + '_ {
        within(&self.postings, term).iter().map(|packed| lower(*packed))
    }

    /// Whether a name has a term.
    pub(super) fn has(&self, place: u32, term: u32) -> bool {
        self.postings.binary_search(&pack(term, place)).is_ok()
    }

    /// Terms that differ from a word by one letter of which `rest` is what is left.
    pub(super) fn near(&self, rest: u32) -> impl Iterator<Item = u32> + '_ {
        within(&self.deletions, rest).iter().map(|packed| lower(*packed))
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.names.as_slice())
            + size_of_val(self.postings.as_slice())
            + size_of_val(self.deletions.as_slice())
    }
}

fn within(packed: &[u64], upper: u32) -> &[u64] {
    let start = packed.partition_point(|entry| upper_of(*entry) < upper);
    let len = packed[start..].partition_point(|entry| upper_of(*entry) == upper);
    &packed[start..start + len]
}
