//! A bucket of an index: the rules found under one term, by rule id then direction.
//!
//! Sorted runs behind `Arc`s, copied on write: a change copies one run, even when all rules share a term.

use std::sync::Arc;

use crate::{
    rule::RuleId,
    rule_set::{Direction, Pointer},
};

/// Longest run. Longer ones are split.
const RUN_MAX: usize = 128;

/// What a bucket is ordered by.
pub(crate) type Key<'a> = (&'a RuleId, Direction);

/// Pointers in ascending order of rule id, then direction. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Bucket {
    runs: Arc<Vec<Arc<Vec<Pointer>>>>,
}

impl Pointer {
    pub(crate) fn key(&self) -> Key<'_> {
        (self.rule.id(), self.direction)
    }
}

impl Bucket {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// All pointers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pointer> {
        self.runs.iter().flat_map(|run| run.iter())
    }

    /// Puts a pointer where it belongs, in place of the one with the same key.
    pub(crate) fn insert(&mut self, pointer: Pointer) {
        let (run, place) = self.place(pointer.key());
        let runs = Arc::make_mut(&mut self.runs);
        let Some(target) = runs.get_mut(run) else {
            runs.push(Arc::new(vec![pointer]));
            return;
        };
        let target = Arc::make_mut(target);
        match place {
            Ok(at) => target[at] = pointer,
            Err(at) => target.insert(at, pointer),
        }
        if target.len() > RUN_MAX {
            // Loading in order leaves full runs behind, instead of half-full ones.
            let keep = if place == Err(RUN_MAX) { RUN_MAX } else { RUN_MAX / 2 };
            let upper = target.split_off(keep);
            runs.insert(run + 1, Arc::new(upper));
        }
    }

    /// Removes the pointer with this key, if it is there.
    pub(crate) fn remove(&mut self, key: Key<'_>) {
        let (run, Ok(at)) = self.place(key) else { return };
        let runs = Arc::make_mut(&mut self.runs);
        Arc::make_mut(&mut runs[run]).remove(at);
        if runs[run].is_empty() {
            runs.remove(run);
        }
    }

    /// The run that has the key or would get it, and its place there: found, or where it belongs.
    fn place(&self, key: Key<'_>) -> (usize, Result<usize, usize>) {
        let run = self.runs.partition_point(|run| run.last().is_some_and(|last| last.key() < key));
        let run = run.min(self.runs.len().saturating_sub(1));
        let place = self.runs.get(run).map_or(Err(0), |run| run.binary_search_by(|own| own.key().cmp(&key)));
        (run, place)
    }
}
