//! Lists of different lengths in one flat array.

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

    /// Adds a list.
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.items.extend(list);
        let end = u32::try_from(self.items.len()).expect("orders are bounded, so that their lines fit");
        self.starts.push(end);
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
