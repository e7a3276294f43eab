//! Lists of different lengths in one flat array.

use std::iter;

const FITS: &str = "orders are bounded, so that their lines fit";

/// Lists, one after another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jagged<T> {
    /// Where each list starts, and where the last one ends.
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for Jagged<T> {
    fn default() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }
}

impl<T> Jagged<T> {
    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many items there are in all.
    pub(crate) fn item_count(&self) -> usize {
        self.items.len()
    }

    /// One list.
    pub(crate) fn get(&self, at: usize) -> &[T] {
        &self.items[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// All lists.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// All items, list after list, to write.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// An item by its place among all.
    pub(crate) fn item(&self, at: usize) -> &T {
        &self.items[at]
    }

    /// Has two items change places.
    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        self.items.swap(a, b);
    }

    /// One list, to write.
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut [T] {
        &mut self.items[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Adds a list.
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.items.extend(list);
        let end = u32::try_from(self.items.len()).expect(FITS);
        self.starts.push(end);
    }
}

impl<T: Clone> Jagged<T> {
    /// Lists of these lengths, of this item only.
    pub(crate) fn filled(lengths: &[usize], item: T) -> Self {
        let mut end = 0;
        let ends = lengths.iter().map(|length| {
            end += length;
            u32::try_from(end).expect(FITS)
        });
        let starts: Vec<u32> = iter::once(0).chain(ends).collect();
        Self { starts, items: vec![item; end] }
    }
}

impl Jagged<u32> {
    /// For each number below `count`, the lists that hold it, ascending.
    pub(crate) fn transposed(&self, count: usize) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for item in &self.items {
            starts[*item as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let (mut ends, mut items) = (starts.clone(), vec![0; self.items.len()]);
        for (list, at) in self.iter().zip(0..) {
            for item in list {
                let end = &mut ends[*item as usize];
                items[*end as usize] = at;
                *end += 1;
            }
        }
        Self { starts, items }
    }
}
