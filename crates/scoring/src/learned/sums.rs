//! Sums by number: as quick as an array, whose room is kept from one use to the next.

/// What is summed up under each number. A sum that is its default was not seen yet, so nothing may be added that keeps
/// it there.
#[derive(Debug, Default)]
pub(super) struct Sums<T> {
    sums: Vec<T>,
    seen: Vec<u32>,
}

impl<T: Clone + Default + PartialEq> Sums<T> {
    /// Begins anew, with room for numbers below `count`.
    pub(super) fn begin(&mut self, count: usize) {
        // Nothing is left of sums that were drained; a panic may have come before.
        self.drain().for_each(drop);
        if self.sums.len() < count {
            self.sums.resize(count, T::default());
        }
    }

    /// What there is of a number, to add to.
    pub(super) fn of(&mut self, number: u32) -> &mut T {
        let sum = &mut self.sums[number as usize];
        if *sum == T::default() {
            self.seen.push(number);
        }
        sum
    }

    /// Everything, in the order in which it was first seen. Nothing is left of it.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u32, T)> {
        let Self { sums, seen } = self;
        seen.drain(..).map(|number| (number, std::mem::take(&mut sums[number as usize])))
    }
}
