//! An index of rules by the terms under which the products they select are found.

use std::iter;

use imbl::{GenericHashMap, shared_ptr::DefaultSharedPtr};
use rapidhash::fast::GlobalState;
use sidecart_catalog::{Entry, TermId};

use crate::{
    bucket::{Bucket, Key},
    rule_set::Pointer,
};

/// Buckets by term. Cheap to clone; a change copies only what it touches.
#[derive(Clone, Default)]
pub(crate) struct Index {
    buckets: GenericHashMap<TermId, Bucket, GlobalState, DefaultSharedPtr>,
}

impl Index {
    pub(crate) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Puts a pointer under each of the terms.
    pub(crate) fn insert(&mut self, terms: &[TermId], pointer: &Pointer) {
        for term in terms {
            self.buckets.entry(*term).or_default().insert(pointer.clone());
        }
    }

    /// Removes the pointer with this key from under each of the terms.
    pub(crate) fn remove(&mut self, terms: &[TermId], key: Key<'_>) {
        for term in terms {
            let Some(bucket) = self.buckets.get_mut(term) else { continue };
            bucket.remove(key);
            if bucket.is_empty() {
                self.buckets.remove(term);
            }
        }
    }

    /// The pointers under any term of a product, by key, each once. Lazy: a caller may stop early.
    pub(crate) fn found_by<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = &'a Pointer> {
        let buckets = entry.terms().iter().filter_map(|term| self.buckets.get(term));
        let mut sources: Vec<_> = buckets.map(|bucket| bucket.iter().peekable()).collect();
        iter::from_fn(move || {
            let least = sources
                .iter_mut()
                .filter_map(|source| source.peek().copied())
                .min_by_key(|head| head.key())?;
            for source in &mut sources {
                source.next_if(|head| head.key() == least.key());
            }
            Some(least)
        })
    }
}
