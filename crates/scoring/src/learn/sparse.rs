//! A sparse linear model: what each product of a cart adds to the chance of a target.
//!
//! For each target, non-negative coefficients on its nearest neighbours that best explain in which orders it is
//! (X. Ning and G. Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011, section IV; the
//! restriction to the nearest neighbours is its "fsSLIM"), by coordinate descent on the weighted counts.

use super::{counts::Counts, parallel};

/// How much it takes to have a coefficient.
pub(super) struct Strength {
    /// Targets in fewer orders than this have none.
    pub(super) target_support_min: u32,
    /// Nearest neighbours of a target that may have one: fewer than [`NOWHERE`].
    pub(super) neighbours: usize,
    /// Weight of the sum of coefficients, in orders: the larger, the fewer there are.
    pub(super) l1: f64,
    /// Weight of the sum of their squares, in orders: the larger, the more evidence a coefficient needs.
    pub(super) l2: f64,
}

/// What it takes beside the other lines of an order.
pub(super) const OF_ORDERS: Strength = Strength { target_support_min: 3, neighbours: 100, l1: 0.2, l2: 20.0 };

/// The place of what is no neighbour.
const NOWHERE: u8 = u8::MAX;
/// Passes over the coefficients.
const PASSES: usize = 10;
/// How many entries of a row are read in the time that one is searched for.
const SEARCH_AT: usize = 200;
/// A pass that changes no coefficient by more than this is the last.
const SETTLED: f64 = 1e-4;

/// For each target, its neighbours with a coefficient, ascending.
pub(super) fn fit(counts: &Counts, strength: &Strength, threads: usize) -> Vec<Vec<(u32, f32)>> {
    parallel::map(
        counts.single.len(),
        threads,
        || Fit::new(counts.single.len()),
        |fit, target| fit.target(counts, strength, target),
    )
}

struct Fit {
    /// The place of each product among the neighbours, or [`NOWHERE`]. Small, to be near at hand.
    place: Vec<u8>,
    /// Weighted counts among the neighbours, row by row.
    gram: Vec<f64>,
}

impl Fit {
    fn new(products: usize) -> Self {
        Self { place: vec![NOWHERE; products], gram: Vec::new() }
    }

    fn target(&mut self, counts: &Counts, strength: &Strength, target: usize) -> Vec<(u32, f32)> {
        if counts.orders[target] < strength.target_support_min {
            return Vec::new();
        }
        let near = nearest(counts, target, strength.neighbours);
        self.read_gram(counts, &near);
        let coefficients = descend(&self.gram, &near, strength);
        near.iter().zip(coefficients).filter(|(_, c)| *c > 0.0).map(|((at, _), c)| (*at, c as f32)).collect()
    }

    /// Reads the counts among the neighbours. Counts are symmetric, so each pair is read from the shorter of its rows:
    /// the longest rows, of what is bought with everything, are hardly read at all.
    fn read_gram(&mut self, counts: &Counts, near: &[(u32, f64)]) {
        let count = near.len();
        let row = |place: usize| counts.pairs.get(near[place].0 as usize);
        let mut shortest_first: Vec<usize> = (0..count).collect();
        shortest_first.sort_by_key(|place| row(*place).len());
        self.gram.clear();
        self.gram.resize(count * count, 0.0);
        for (place, (product, _)) in near.iter().enumerate() {
            self.gram[place * count + place] = counts.single[*product as usize];
            self.place[*product as usize] = place as u8;
        }
        for (nth, place) in shortest_first.iter().enumerate() {
            let (own, longer) = (row(*place), &shortest_first[nth + 1..]);
            if own.len() < SEARCH_AT * longer.len() {
                for beside in own {
                    self.put(count, *place, self.place[beside.product as usize], beside.weight);
                }
                continue;
            }
            for other in longer {
                if let Ok(at) = own.binary_search_by_key(&near[*other].0, |beside| beside.product) {
                    self.put(count, *place, *other as u8, own[at].weight);
                }
            }
        }
        for (product, _) in near {
            self.place[*product as usize] = NOWHERE;
        }
    }

    fn put(&mut self, count: usize, place: usize, other: u8, weight: f32) {
        if other != NOWHERE {
            self.gram[place * count + other as usize] = weight.into();
            self.gram[other as usize * count + place] = weight.into();
        }
    }
}

/// The nearest neighbours of a target by cosine, ascending, each with its weight beside the target.
fn nearest(counts: &Counts, target: usize, neighbours: usize) -> Vec<(u32, f64)> {
    let cosine = |beside: &super::counts::Beside| {
        f64::from(beside.weight) / (counts.single[beside.product as usize] * counts.single[target]).sqrt()
    };
    let mut near: Vec<_> = counts.pairs.get(target).iter().map(|beside| (cosine(beside), beside)).collect();
    if near.len() > neighbours {
        near.select_nth_unstable_by(neighbours, |(a, x), (b, y)| {
            b.total_cmp(a).then(x.product.cmp(&y.product))
        });
        near.truncate(neighbours);
    }
    let mut near: Vec<_> =
        near.into_iter().map(|(_, beside)| (beside.product, f64::from(beside.weight))).collect();
    near.sort_unstable_by_key(|(product, _)| *product);
    near
}

/// Coefficients of at least 0 by coordinate descent, each in turn at its best given the others.
fn descend(gram: &[f64], near: &[(u32, f64)], strength: &Strength) -> Vec<f64> {
    let count = near.len();
    let mut coefficients = vec![0.0_f64; count];
    // What is left to explain beside each neighbour.
    let mut rest: Vec<f64> = near.iter().map(|(_, weight)| *weight).collect();
    for _ in 0..PASSES {
        let mut largest = 0.0_f64;
        for at in 0..count {
            let row = &gram[at * count..(at + 1) * count];
            let old = coefficients[at];
            let new = ((rest[at] + row[at] * old - strength.l1) / (row[at] + strength.l2)).max(0.0);
            let step = new - old;
            if step != 0.0 {
                coefficients[at] = new;
                rest.iter_mut().zip(row).for_each(|(rest, gram)| *rest -= gram * step);
                largest = largest.max(step.abs());
            }
        }
        if largest < SETTLED {
            break;
        }
    }
    coefficients
}

/// For each anchor the targets that it pulls most, at most `max`, from the anchors that pull each target.
pub(super) fn inverted(fits: &[Vec<(u32, f32)>], products: usize, max: usize) -> Vec<Vec<(u32, f32)>> {
    let mut lists: Vec<Vec<(u32, f32)>> = vec![Vec::new(); products];
    for (target, list) in (0..).zip(fits) {
        for (anchor, pull) in list {
            lists[*anchor as usize].push((target, *pull));
        }
    }
    lists.iter_mut().for_each(|list| keep_best(list, max));
    lists
}

/// Keeps the greatest, in no order; of equals the smaller products.
pub(super) fn keep_best(list: &mut Vec<(u32, f32)>, max: usize) {
    if list.len() > max {
        list.select_nth_unstable_by(max, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        list.truncate(max);
    }
}
