//! Lists of numbers of different lengths, in flat arrays.

use std::ops::Range;

use sidecart_catalog::Violation;

/// Something about each entry of [`Lists`], in their order.
pub type Column<T> = Vec<T>;

/// Lists, one after another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    /// Where each list ends. The first starts at 0.
    pub ends: Vec<u32>,
    /// The entries of all lists.
    pub targets: Vec<u32>,
}

impl Lists {
    /// So many lists of nothing.
    pub(crate) fn of_nothing(len: usize) -> Self {
        Self { ends: vec![0; len], targets: Vec::new() }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many entries there are in all.
    pub fn entry_count(&self) -> usize {
        self.targets.len()
    }

    /// Where the entries of a list are.
    pub(crate) fn range(&self, list: usize) -> Range<usize> {
        let start = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[list] as usize
    }

    /// The entries of a list.
    pub(crate) fn of(&self, list: usize) -> &[u32] {
        &self.targets[self.range(list)]
    }

    /// Where a list has an entry; its entries must be ascending.
    pub(crate) fn find(&self, list: usize, target: u32) -> Option<usize> {
        let range = self.range(list);
        self.targets[range.clone()].binary_search(&target).ok().map(|at| range.start + at)
    }

    /// The entry at a place.
    pub(crate) fn target(&self, at: usize) -> u32 {
        self.targets[at]
    }

    /// Adds a list.
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.targets.extend(list);
        self.ends.push(u32::try_from(self.targets.len()).expect("lists are bounded"));
    }

    /// Whether there are so many lists, of entries below `bound`.
    pub(super) fn check(&self, lists: usize, bound: usize) -> Result<(), Violation> {
        if self.ends.len() != lists {
            return Err(Violation::new(
                "ends",
                format!("has {} entries, where {lists} are needed", self.ends.len()),
            ));
        }
        if !self.ends.is_sorted() || self.ends.last().map_or(0, |last| *last as usize) != self.targets.len() {
            return Err(Violation::new("ends", "does not cut the entries into lists"));
        }
        if self.targets.iter().any(|target| *target as usize >= bound) {
            return Err(Violation::new("targets", "has an entry that is out of range"));
        }
        Ok(())
    }
}
