//! The chance that a product is bought beside one other alone, with back-off to what is bought beside its category.
//!
//! A conditional share shrunk to that of the leaf category, which is shrunk to that of the category above, and that to
//! the product's own share of orders: hierarchical Dirichlet smoothing (D. MacKay and L. Peto, "A hierarchical Dirichlet
//! language model", 1995), with fixed strengths. What is bought most of all is thus a candidate everywhere.

use std::collections::HashSet;

use sidecart_catalog::CategoryPath;

use super::{
    corpus::{Corpus, NONE},
    counts::{Beside, Counts, Tally},
    jagged::Jagged,
    lift, parallel,
};
use crate::model::ModelParts;

/// Strength of the leaf category's word against a product's own orders, in orders.
const PRODUCT_STRENGTH: f64 = 20.0;
/// Strength of the word of the category above against the leaf's, and of the base rate against that, in orders.
const CATEGORY_STRENGTH: f64 = 120.0;
/// How far a product's present share of orders, beside its usual one, raises its chance.
const TREND_POWER: f64 = 0.25;
/// Shares are raised by this before they are compared, so that rare products have no wild trend.
const TREND_FLOOR: f64 = 3e-5;
/// Products in fewer orders of a category than this are left out.
const SUPPORT_MIN: u32 = 2;
/// Most targets of one list.
pub(super) const LIST_MAX: usize = 50;

/// A target with its chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chance {
    pub(crate) target: u32,
    pub(crate) chance: f32,
}

/// Chances beside each product, and beside any product of each category; each list best first.
pub(crate) struct Chances {
    pub(crate) of_products: Vec<Vec<Chance>>,
    pub(crate) of_leaves: Vec<Shelved>,
    pub(crate) of_parents: Vec<Shelved>,
}

/// Chances beside any product of a category.
pub(crate) struct Shelved {
    /// Lines beside the products of the category in their orders.
    beside: f64,
    /// By target.
    list: Vec<Said>,
}

/// What the orders of a category say of a target.
struct Said {
    chance: Chance,
    /// In how many orders it is beside products of the category.
    orders: u32,
    /// Which of these is in most of them, and in how many.
    strongest: Option<(u32, u32)>,
}

/// What is in the orders of the products of one category, beside others of them: no product speaks for itself.
struct Shelf {
    /// What these orders weigh together.
    weight: f64,
    /// The lines beside one product of the category in each of them.
    lines: f64,
    /// Ascending.
    row: Vec<Beside>,
}

impl Shelf {
    /// A list of targets, with what is known of each.
    fn shelved(&self, list: Vec<Chance>, members: &[u32], counts: &Counts) -> Shelved {
        let said = |chance: Chance| {
            let at = self.row.binary_search_by_key(&chance.target, |beside| beside.product);
            let of_member = |member: &u32| Some((*member, counts.pair(*member, chance.target)?.orders));
            let of_members = members.iter().filter_map(of_member);
            Said {
                orders: at.map_or(0, |at| self.row[at].orders),
                strongest: of_members.max_by_key(|(member, orders)| (*orders, *member)),
                chance,
            }
        };
        let mut list: Vec<Said> = list.into_iter().map(said).collect();
        list.sort_unstable_by_key(|said| said.chance.target);
        Shelved { beside: self.lines, list }
    }
}

impl Chances {
    pub(crate) fn new(corpus: &Corpus, counts: &Counts, threads: usize) -> Self {
        let shelves = &corpus.shelves;
        let (leaves, parents) =
            (members(&shelves.leaf, shelves.leaves.len()), members(&shelves.parent, shelves.parents.len()));
        let of_parents = shelves_of(corpus, counts, &parents, threads);
        let of_leaves = shelves_of(corpus, counts, &leaves, threads);
        let trend = trend(counts);
        let ranker = Ranker { counts, trend: &trend };
        let of_all = ranker.of_all();
        let parent_lists = of_parents.iter().enumerate().map(|(parent, shelf)| {
            let list = ranker.best(ranker.of_parent(shelf, &of_all).into_iter());
            shelf.shelved(list, parents.get(parent), counts)
        });
        let done = parallel::map(
            leaves.len(),
            threads,
            || vec![0.0; corpus.products.len()],
            |room, leaf| {
                let parent = leaves.get(leaf).first().map_or(NONE, |first| shelves.parent[*first as usize]);
                let above = of_parents.get(parent as usize);
                let above = above.map_or_else(|| of_all.clone(), |above| ranker.of_parent(above, &of_all));
                ranker.of_leaf(&of_leaves[leaf], &above, leaves.get(leaf), room)
            },
        );
        let mut of_products: Vec<Vec<Chance>> = vec![Vec::new(); corpus.products.len()];
        let (mut leaf_lists, parent_lists) = (Vec::new(), parent_lists.collect());
        let of_any = ranker.best(of_all.iter().copied());
        for (leaf, (list, products)) in done.into_iter().enumerate() {
            leaf_lists.push(of_leaves[leaf].shelved(list, leaves.get(leaf), counts));
            for (product, list) in leaves.get(leaf).iter().zip(products) {
                of_products[*product as usize] = list;
            }
        }
        for (product, list) in of_products.iter_mut().enumerate().filter(|(at, _)| shelves.leaf[*at] == NONE)
        {
            *list = ranker.of_product(product, |target| counts.base[target as usize], &of_any);
        }
        Self { of_products, of_leaves: leaf_lists, of_parents: parent_lists }
    }
}

/// The products of each category, ascending.
fn members(category: &[u32], count: usize) -> Jagged<u32> {
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (category, product) in category.iter().zip(0..) {
        if let Some(list) = lists.get_mut(*category as usize) {
            list.push(product);
        }
    }
    let mut members = Jagged::default();
    lists.into_iter().for_each(|list| members.push(list));
    members
}

fn shelves_of(corpus: &Corpus, counts: &Counts, members: &Jagged<u32>, threads: usize) -> Vec<Shelf> {
    let room = || Tally::new(corpus.products.len());
    parallel::map(members.len(), threads, room, |tally, category| {
        let own = members.get(category);
        let held = own.iter().flat_map(|product| corpus.holders.get(*product as usize));
        let mut baskets: Vec<u32> = held.copied().collect();
        baskets.sort_unstable();
        // Orders with several members: there, others of the category speak for each of them.
        let several: Vec<u32> =
            baskets.chunk_by(|a, b| a == b).filter(|same| same.len() > 1).map(|same| same[0]).collect();
        baskets.dedup();
        let weight = baskets.iter().map(|at| f64::from(counts.weights[*at as usize])).sum();
        let lines = baskets.iter().map(|at| corpus.baskets.get(*at as usize).len() as f64 - 1.0).sum();
        let mut row_of = |orders: &[u32]| {
            for at in orders {
                tally.add(corpus.baskets.get(*at as usize).iter(), counts.weights[*at as usize]);
            }
            tally.row(SUPPORT_MIN)
        };
        let mut row = row_of(&baskets);
        let is_member = |product: u32| own.binary_search(&product).is_ok();
        row.retain(|beside| !is_member(beside.product));
        let among = row_of(&several);
        row.extend(among.into_iter().filter(|beside| is_member(beside.product)));
        row.sort_unstable_by_key(|beside| beside.product);
        Shelf { weight, lines, row }
    })
}

fn trend(counts: &Counts) -> Vec<f64> {
    let of = |(fresh, base): (&f64, &f64)| ((fresh + TREND_FLOOR) / (base + TREND_FLOOR)).powf(TREND_POWER);
    counts.fresh.iter().zip(&counts.base).map(of).collect()
}

struct Ranker<'a> {
    counts: &'a Counts,
    trend: &'a [f64],
}

impl Ranker<'_> {
    /// The chances of the products that are bought most of all, beside anything.
    fn of_all(&self) -> Vec<(u32, f64)> {
        let base = |target: u32| (target, self.counts.base[target as usize]);
        let best = self.best((0..).zip(&self.counts.base).map(|(target, base)| (target, *base)));
        best.into_iter().map(|chance| base(chance.target)).collect()
    }

    /// The chances beside any product of a category, over those beside anything.
    fn of_parent(&self, shelf: &Shelf, of_all: &[(u32, f64)]) -> Vec<(u32, f64)> {
        let chance =
            |weight: f64, base: f64| (weight + CATEGORY_STRENGTH * base) / (shelf.weight + CATEGORY_STRENGTH);
        let own = shelf.row.iter().map(|beside| {
            (beside.product, chance(beside.weight.into(), self.counts.base[beside.product as usize]))
        });
        let is_new = |target: u32| shelf.row.binary_search_by_key(&target, |beside| beside.product).is_err();
        let others = of_all.iter().filter(|(target, _)| is_new(*target));
        own.chain(others.map(|(target, base)| (*target, chance(0.0, *base)))).collect()
    }

    /// The list of a leaf category, and those of its members, over the chances `above` it. `room` is all zero before and
    /// after.
    fn of_leaf(
        &self,
        shelf: &Shelf,
        above: &[(u32, f64)],
        members: &[u32],
        room: &mut [f64],
    ) -> (Vec<Chance>, Vec<Vec<Chance>>) {
        let all = shelf.weight + CATEGORY_STRENGTH;
        let prior = |chance: f64| CATEGORY_STRENGTH * chance / all;
        let mut targets: Vec<u32> = above.iter().map(|(target, _)| *target).collect();
        for (target, chance) in above {
            room[*target as usize] = prior(*chance);
        }
        for beside in &shelf.row {
            let place = &mut room[beside.product as usize];
            if *place == 0.0 {
                *place = prior(self.counts.base[beside.product as usize]);
                targets.push(beside.product);
            }
            *place += f64::from(beside.weight) / all;
        }
        let chance = |target: u32| room[target as usize];
        let list = self.best(targets.iter().map(|target| (*target, chance(*target))));
        let of_products =
            members.iter().map(|product| self.of_product(*product as usize, chance, &list)).collect();
        for target in targets {
            room[target as usize] = 0.0;
        }
        (list, of_products)
    }

    /// The list of a product, given the chance of each target beside its category and the best of these.
    fn of_product(&self, product: usize, prior: impl Fn(u32) -> f64, fallback: &[Chance]) -> Vec<Chance> {
        let all = self.counts.single[product] + PRODUCT_STRENGTH;
        let chance = |target: u32, weight: f64| (target, (weight + PRODUCT_STRENGTH * prior(target)) / all);
        let row = self.counts.pairs.get(product);
        let own = row.iter().map(|beside| chance(beside.product, f64::from(beside.weight)));
        let is_new = |target: &u32| {
            *target as usize != product && row.binary_search_by_key(target, |beside| beside.product).is_err()
        };
        let others =
            fallback.iter().map(|chance| chance.target).filter(is_new).map(|target| chance(target, 0.0));
        self.best(own.chain(others))
    }

    /// The best targets by chance and trend, best first; of equals the smaller.
    fn best(&self, chances: impl Iterator<Item = (u32, f64)>) -> Vec<Chance> {
        let trending = |(target, chance): (u32, f64)| Chance {
            target,
            chance: (chance * self.trend[target as usize]).min(1.0) as f32,
        };
        let mut list: Vec<Chance> = chances.map(trending).collect();
        let order = |a: &Chance, b: &Chance| b.chance.total_cmp(&a.chance).then(a.target.cmp(&b.target));
        if list.len() > LIST_MAX {
            list.select_nth_unstable_by(LIST_MAX, order);
            list.truncate(LIST_MAX);
            list.shrink_to_fit();
        }
        list.sort_unstable_by(order);
        list
    }
}

/// Fills the lists of the categories, each by target: those of leaves first, then those above that are no leaves.
///
/// A category says that more than one of its products goes with a target: what is left of its orders without the product
/// that is in most of them. A case for one phone is nothing to offer with another.
pub(super) fn fill(parts: &mut ModelParts, corpus: &Corpus, chances: &Chances, by_chance: &lift::Chance) {
    let shelves = &corpus.shelves;
    let leaves = shelves.leaves.iter().zip(&chances.of_leaves);
    let is_leaf: HashSet<&CategoryPath> = shelves.leaves.iter().collect();
    let parents = shelves.parents.iter().zip(&chances.of_parents).filter(|(path, _)| !is_leaf.contains(path));
    for (path, Shelved { beside, list }) in leaves.chain(parents) {
        parts.categories.push(path.clone());
        let lift = |said: &Said| {
            let target = said.chance.target;
            let sold = corpus.holders.get(target as usize).len() as f64;
            let expected = beside * sold / corpus.baskets.item_count() as f64;
            let (member, orders) = said.strongest.unwrap_or((target, 0));
            let of_member = if orders > 0 { by_chance.one_way(corpus, member, target) } else { 0.0 };
            by_chance.lower(said.orders.saturating_sub(orders), expected - of_member)
        };
        parts.beside.push(list.iter().map(|said| said.chance.target));
        parts.beside_chance.extend(list.iter().map(|said| said.chance.chance));
        parts.beside_support.extend(list.iter().map(|said| said.orders));
        parts.beside_lift.extend(list.iter().map(lift));
    }
}
