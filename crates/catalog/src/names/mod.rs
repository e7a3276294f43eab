//! The text index: which products a text may mean, by their titles, aliases, ids and categories.
//!
//! A part of the catalog that is rebuilt only where names change: each batch of new names is a segment, small segments
//! are merged into larger ones, and names that are no longer held are skipped until then.
//! How the names are spread over segments decides no answer.

mod candidates;
mod chain;
mod everyday;
mod link;
mod packed;
mod segment;
mod words;

use std::{borrow::Cow, sync::Arc};

use imbl::{GenericHashMap, Vector, shared_ptr::DefaultSharedPtr};
use rapidhash::{fast::GlobalState, v3::rapidhash_v3};

use crate::{catalog::Catalog, term::TermId};

use segment::{Name, Segment, terms};

pub use everyday::{Everyday, is_everyday};
pub use link::{Link, Linked, MENTIONS_MAX, Reading};
pub use words::{Gap, TEXT_WORDS_MAX, Word, WordId, fold, words};

type Map<K, V> = GenericHashMap<K, V, GlobalState, DefaultSharedPtr>;

/// Words of a category's name by which it is found.
const CATEGORY_WORDS_MAX: usize = 6;
/// A segment is merged into the one before it when that is less than this many times as large.
const TIER_FACTOR: usize = 8;

/// The names of the products of one merchant. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Names {
    /// Large ones first.
    segments: Vector<Arc<Segment>>,
    /// The stamp of the latest naming of each product, by dense index; 0: it has no name.
    current: Vector<u32>,
    /// How many dead names still have a term, by term.
    dead: Map<u32, u32>,
    /// Categories by all words of their own names together, ascending.
    categories: Map<u64, Arc<[TermId]>>,
    /// Live names.
    len: usize,
    last_stamp: u32,
}

impl Names {
    /// Takes the names of products from the index; `texts` are the names they had.
    pub(crate) fn drop_names(&mut self, product: u32, texts: &[Cow<'_, str>]) {
        let Some(stamp) = self.current.get_mut(product as usize).filter(|stamp| **stamp != 0) else { return };
        *stamp = 0;
        for text in texts {
            self.len -= 1;
            for term in terms(text).0.all {
                *self.dead.entry(term).or_insert(0) += 1;
            }
        }
    }

    /// Adds the names of products that have none in the index: dense index and texts of each.
    pub(crate) fn add<'a>(&mut self, named: impl Iterator<Item = (u32, Vec<Cow<'a, str>>)>) {
        self.last_stamp += 1;
        let (stamp, mut added) = (self.last_stamp, Vec::new());
        let segment = Segment::new(named.map(|(product, texts)| {
            added.push(product);
            (product, stamp, texts)
        }));
        for product in added {
            while self.current.len() <= product as usize {
                self.current.push_back(0);
            }
            self.current.set(product as usize, stamp);
        }
        self.len += segment.names.len();
        self.push(segment);
    }

    /// Adds the name of a category.
    pub(crate) fn add_category(&mut self, name: &str, category: TermId) {
        let Some(key) = together(&words(name)) else { return };
        let of_name = self.categories.entry(key).or_insert_with(|| Arc::new([]));
        if let Err(at) = of_name.binary_search(&category) {
            let (before, after) = of_name.split_at(at);
            *of_name = before.iter().chain([&category]).chain(after).copied().collect();
        }
    }

    /// Takes the name of a category from the index.
    pub(crate) fn drop_category(&mut self, name: &str, category: TermId) {
        let Some(key) = together(&words(name)) else { return };
        let Some(of_name) = self.categories.get_mut(&key) else { return };
        *of_name = of_name.iter().filter(|other| **other != category).copied().collect();
        if of_name.is_empty() {
            self.categories.remove(&key);
        }
    }

    /// The categories whose own name has these words and no others, in any order; ascending.
    fn categories_named(&self, words: &[Word]) -> &[TermId] {
        let named = together(words).and_then(|key| self.categories.get(&key));
        named.map_or(&[], |categories| categories)
    }

    /// What a text names of what a catalog sells.
    pub(crate) fn link(&self, catalog: &Catalog, words: &[Word]) -> Vec<Link> {
        link::link(catalog, self, words)
    }

    /// Adds a segment, merging it with those before it that are not much larger.
    fn push(&mut self, mut segment: Segment) {
        while let Some(before) = self.segments.last().cloned() {
            if before.names.len() >= TIER_FACTOR * segment.names.len() {
                break;
            }
            self.segments.pop_back();
            let (current, dead) = (&self.current, &mut self.dead);
            segment = before.merge(&segment, |name| is_current(current, name), |term| forget(dead, term));
        }
        if !segment.names.is_empty() {
            self.segments.push_back(Arc::new(segment));
        }
    }

    fn is_live(&self, name: &Name) -> bool {
        is_current(&self.current, name)
    }

    /// Whether a live name has a word.
    pub(crate) fn has_word(&self, word: WordId) -> bool {
        self.frequency(word.0) > 0
    }

    /// How many live names have a term.
    fn frequency(&self, term: u32) -> usize {
        let all: usize = self.segments.iter().map(|segment| segment.places(term).len()).sum();
        all - self.dead.get(&term).map_or(0, |dead| *dead as usize)
    }

    /// Bytes the index takes, without what its persistent maps share.
    pub(crate) fn bytes(&self) -> usize {
        let segments: usize = self.segments.iter().map(|segment| segment.bytes()).sum();
        segments + self.current.len() * size_of::<u32>() + self.dead.len() * 2 * size_of::<u32>()
    }
}

/// Words in any order, as one number; none of none, or of more than the name of a category may have to be found.
fn together(words: &[Word]) -> Option<u64> {
    let mut ids = [[0; 4]; CATEGORY_WORDS_MAX];
    let known = ids.get_mut(..words.len()).filter(|known| !known.is_empty())?;
    for (id, word) in known.iter_mut().zip(words) {
        *id = word.id.0.to_le_bytes();
    }
    known.sort_unstable();
    Some(rapidhash_v3(known.as_flattened()))
}

fn is_current(current: &Vector<u32>, name: &Name) -> bool {
    current.get(name.product as usize).is_some_and(|stamp| *stamp == name.stamp)
}

fn forget(dead: &mut Map<u32, u32>, term: u32) {
    match dead.get_mut(&term) {
        Some(count) if *count > 1 => *count -= 1,
        _ => drop(dead.remove(&term)),
    }
}
