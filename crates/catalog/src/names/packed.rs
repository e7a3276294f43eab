//! Pairs of 32-bit numbers in one sorted row, looked up by their upper number.

use std::ops::Range;

/// Pairs that a step of the directory leads to on average.
const STRIDE: usize = 8;

/// Pairs, ascending. Upper numbers are hashes, so that a directory by their first bits leads to a few pairs at once.
#[derive(Default)]
pub(super) struct Pairs {
    /// The upper number in the upper half, the lower in the lower.
    row: Vec<u64>,
    /// Where the pairs begin whose upper number has these first bits; and, at the end, how many pairs there are.
    directory: Vec<u32>,
}

pub(super) const fn pack(upper: u32, lower: u32) -> u64 {
    (upper as u64) << 32 | lower as u64
}

pub(super) const fn upper_of(pair: u64) -> u32 {
    (pair >> 32) as u32
}

pub(super) const fn lower_of(pair: u64) -> u32 {
    pair as u32
}

impl Pairs {
    /// Of pairs in any order, each of them once.
    pub(super) fn new(mut row: Vec<u64>) -> Self {
        // Two ascending runs, as merging leaves them, take the stable sort linear time.
        row.sort();
        row.dedup();
        row.shrink_to_fit();
        let bits = (row.len() / STRIDE).checked_ilog2().unwrap_or(0);
        let steps = 1 << bits;
        let mut directory = Vec::with_capacity(steps + 1);
        for (at, pair) in row.iter().enumerate() {
            while directory.len() <= step(*pair, bits) {
                directory.push(at as u32);
            }
        }
        directory.resize(steps + 1, row.len() as u32);
        Self { row, directory }
    }

    /// All pairs, ascending.
    pub(super) fn row(&self) -> &[u64] {
        &self.row
    }

    /// The pairs with an upper number, ascending.
    pub(super) fn of(&self, upper: u32) -> &[u64] {
        let near = &self.row[self.near(upper)];
        let start = near.partition_point(|pair| upper_of(*pair) < upper);
        let len = near[start..].partition_point(|pair| upper_of(*pair) == upper);
        &near[start..start + len]
    }

    /// Whether the pair is there.
    pub(super) fn has(&self, upper: u32, lower: u32) -> bool {
        self.row[self.near(upper)].binary_search(&pack(upper, lower)).is_ok()
    }

    fn near(&self, upper: u32) -> Range<usize> {
        let Some(bits) = self.directory.len().checked_sub(1).and_then(usize::checked_ilog2) else {
            return 0..0;
        };
        let step = step(pack(upper, 0), bits);
        self.directory[step] as usize..self.directory[step + 1] as usize
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.row.as_slice()) + size_of_val(self.directory.as_slice())
    }
}

/// The first `bits` bits of the upper number.
const fn step(pair: u64, bits: u32) -> usize {
    ((upper_of(pair) as u64) << bits >> 32) as usize
}
