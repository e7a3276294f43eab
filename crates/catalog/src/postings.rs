//! Postings: which products answer to a term, in the order of their ids.
//!
//! Sorted runs behind `Arc`s, copied on write: a change copies one run, not the list.
//! A longer list has a bitmap besides, so that one index is found without looking at products.

use std::{cmp::Ordering, sync::Arc};

use roaring::RoaringBitmap;

/// Longest run. Longer ones are split in half.
const RUN_MAX: usize = 512;
/// Longest list without a bitmap: up to here looking through the list is as quick.
const PLAIN_MAX: usize = 64;

/// Dense product indexes in ascending order of product id. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Postings {
    runs: Arc<Vec<Arc<Vec<u32>>>>,
    len: usize,
    /// The same indexes, once there were more than [`PLAIN_MAX`].
    bitmap: Option<Arc<RoaringBitmap>>,
}

impl Postings {
    /// How many products there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a product is among them.
    pub fn contains(&self, index: u32) -> bool {
        match &self.bitmap {
            Some(bitmap) => bitmap.contains(index),
            None => self.iter().any(|other| other == index),
        }
    }

    /// The indexes, in ascending order of product id.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flat_map(|run| run.iter().copied())
    }

    /// The indexes from the first that does not compare less, where `order` compares one with what is sought.
    pub(crate) fn iter_from(&self, mut order: impl FnMut(u32) -> Ordering) -> impl Iterator<Item = u32> {
        let (run, at) = self.place(&mut order);
        let first = self.runs.get(run).map_or(&[][..], |run| &run[at..]);
        let rest = self.runs.get(run + 1..).unwrap_or_default();
        first.iter().copied().chain(rest.iter().flat_map(|run| run.iter().copied()))
    }

    /// Adds an index where `order` says it belongs. It must not be there yet.
    pub(crate) fn insert(&mut self, index: u32, mut order: impl FnMut(u32) -> Ordering) {
        let (run, at) = self.place(&mut order);
        match &mut self.bitmap {
            Some(bitmap) => _ = Arc::make_mut(bitmap).insert(index),
            None if self.len == PLAIN_MAX => {
                self.bitmap = Some(Arc::new(self.iter().chain([index]).collect()));
            }
            None => {}
        }
        let runs = Arc::make_mut(&mut self.runs);
        self.len += 1;
        let Some(target) = runs.get_mut(run) else {
            runs.push(Arc::new(vec![index]));
            return;
        };
        let target = Arc::make_mut(target);
        target.insert(at, index);
        if target.len() > RUN_MAX {
            // Appending in order leaves full runs behind, instead of half-full ones.
            let keep = if at + 1 == target.len() { RUN_MAX } else { RUN_MAX / 2 };
            let upper = target.split_off(keep);
            runs.insert(run + 1, Arc::new(upper));
        }
    }

    /// Removes the index that `order` calls equal, if it is there.
    pub(crate) fn remove(&mut self, mut order: impl FnMut(u32) -> Ordering) {
        let (run, at) = self.place(&mut order);
        let index = self.runs.get(run).and_then(|run| run.get(at)).copied();
        let Some(index) = index.filter(|index| order(*index).is_eq()) else { return };
        self.len -= 1;
        if let Some(bitmap) = &mut self.bitmap {
            Arc::make_mut(bitmap).remove(index);
        }
        let runs = Arc::make_mut(&mut self.runs);
        Arc::make_mut(&mut runs[run]).remove(at);
        if runs[run].is_empty() {
            runs.remove(run);
        }
    }

    /// Run and place of the first index that does not compare less; in the last run, possibly its end.
    fn place(&self, order: &mut impl FnMut(u32) -> Ordering) -> (usize, usize) {
        // Loading in order appends, which takes one look instead of a search.
        if let Some(last) = self.runs.last()
            && last.last().is_some_and(|last| order(*last).is_lt())
        {
            return (self.runs.len() - 1, last.len());
        }
        let run = self.runs.partition_point(|run| run.last().is_some_and(|last| order(*last).is_lt()));
        let run = run.min(self.runs.len().saturating_sub(1));
        let at = self.runs.get(run).map_or(0, |run| run.partition_point(|index| order(*index).is_lt()));
        (run, at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn postings_are_a_sorted_set(steps in prop::collection::vec((any::<bool>(), 0_u32..3000), 0..6000)) {
            let (mut postings, mut model) = (Postings::default(), BTreeSet::new());
            for (add, index) in steps {
                if add && model.insert(index) {
                    postings.insert(index, |other| other.cmp(&index));
                }
                if !add {
                    model.remove(&index);
                    postings.remove(|other| other.cmp(&index));
                }
            }
            prop_assert!(postings.iter().eq(model.iter().copied()));
            prop_assert_eq!(postings.len(), model.len());
            prop_assert!((0..3000).all(|index| postings.contains(index) == model.contains(&index)));
            prop_assert!(postings.iter_from(|other| other.cmp(&1500)).eq(model.range(1500..).copied()));
            prop_assert!(postings.runs.iter().all(|run| (1..=RUN_MAX).contains(&run.len())));
        }
    }
}
