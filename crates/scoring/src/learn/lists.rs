//! The lists of a model: for each product, whom it goes with by any of three measures.

use super::{
    chance::{Chance, Chances},
    corpus::Corpus,
    counts::{Beside, Counts},
    lift, parallel,
    sparse::{inverted, keep_best},
};
use crate::model::ModelParts;

/// Most entries of a list by each measure.
pub(crate) const LIST_MAX: usize = 40;
/// How far it counts against a bond that its target is bought often.
const DAMP_POWER: f64 = -0.3;
/// Orders at which a bond has half its strength.
const BOND_SUPPORT: f64 = 10.0;

/// One entry of a list.
struct Entry {
    target: u32,
    chance: f32,
    pull: f32,
    bond: f32,
    support: u32,
    lift: f32,
}

/// Fills the lists of what is bought together.
pub(super) fn fill(
    parts: &mut ModelParts,
    corpus: &Corpus,
    counts: &Counts,
    chances: &Chances,
    fits: &[Vec<(u32, f32)>],
    by_chance: &lift::Chance,
    threads: usize,
) {
    let pulls = inverted(fits, corpus.products.len(), LIST_MAX);
    let lists = parallel::map(
        corpus.products.len(),
        threads,
        || (),
        |(), product| {
            list(product, corpus, counts, &chances.of_products[product], &pulls[product], by_chance)
        },
    );
    for list in lists {
        parts.with.push(list.iter().map(|entry| entry.target));
        for Entry { target: _, chance, pull, bond, support, lift } in list {
            parts.with_chance.push(chance);
            parts.with_pull.push(pull);
            parts.with_bond.push(bond);
            parts.with_support.push(support);
            parts.with_lift.push(lift);
        }
    }
}

/// The list of one product: the best by any of the three measures, by target.
fn list(
    product: usize,
    corpus: &Corpus,
    counts: &Counts,
    chances: &[Chance],
    pulls: &[(u32, f32)],
    by_chance: &lift::Chance,
) -> Vec<Entry> {
    let product = product as u32;
    let entry = |target: u32| Entry { target, chance: 0.0, pull: 0.0, bond: 0.0, support: 0, lift: 0.0 };
    let chances = chances.iter().take(LIST_MAX).map(|it| Entry { chance: it.chance, ..entry(it.target) });
    let pulls = pulls.iter().map(|(target, pull)| Entry { pull: *pull, ..entry(*target) });
    let bonds = bonds(counts, product).into_iter().map(|(target, bond)| Entry { bond, ..entry(target) });
    let mut entries: Vec<Entry> = chances.chain(pulls).chain(bonds).collect();
    entries.sort_unstable_by_key(|entry| entry.target);
    let joined = entries.chunk_by(|a, b| a.target == b.target).map(|same| {
        let target = same[0].target;
        let sum = |of: fn(&Entry) -> f32| same.iter().map(of).sum::<f32>();
        let support = counts.pair(product, target).map_or(0, |beside| beside.orders);
        Entry {
            target,
            chance: sum(|entry| entry.chance),
            pull: sum(|entry| entry.pull),
            bond: sum(|entry| entry.bond),
            support,
            lift: by_chance.lift(corpus, product, target, support),
        }
    });
    joined.collect()
}

fn bonds(counts: &Counts, product: u32) -> Vec<(u32, f32)> {
    let all = counts.single[product as usize];
    let bond = |beside: &Beside| {
        let support = f64::from(beside.orders);
        let damp = counts.single[beside.product as usize].powf(DAMP_POWER);
        let strength = f64::from(beside.weight) / all * damp * support / (support + BOND_SUPPORT);
        (beside.product, strength as f32)
    };
    let mut list: Vec<_> = counts.pairs.get(product as usize).iter().map(bond).collect();
    keep_best(&mut list, LIST_MAX);
    list
}
