//! Linking: which products, families and categories a text names.
//!
//! A name is told by its rarest words: words that `n` of `N` names have are worth ln(N / n) each (inverse document
//! frequency, Spärck Jones 1972) as far as they stand together in the text.
//! Of all names that share words with a stretch of the text the one with the most is meant, as surely as it
//! outweighs the others and chance, which gives every name one in N.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use crate::{catalog::Catalog, term::TermId};

use super::{
    CATEGORY_WORDS_MAX, Names,
    candidates::{candidates, hits},
    chain::{Chain, Clauses, chain},
    everyday::Everyday,
    words::Word,
};

/// Most mentions of one text.
pub const MENTIONS_MAX: usize = 8;
/// How much chance weighs beside a name: as much as this many names that have one word that no other name has.
const CHANCE: f32 = 0.1;
/// How sure it is that the whole name of a category means the category, where no product is meant more surely.
const CATEGORY_SURE: f32 = 0.8;
/// What chance weighs at least, as a logarithm: in a small catalog every word is rare, and says little for it.
const CHANCE_MIN: f32 = 6.5;
/// Categories of one name that are looked at.
const CATEGORIES_ALIKE_MAX: usize = 16;
/// From how sure on something is a mention.
const SURE_MIN: f32 = 0.15;

/// What a mention is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// One product, by dense index.
    Product(u32),
    /// Any variant of a family: the dense index of the one whose id comes first.
    Family(u32),
    /// Any product of a category.
    Category(TermId),
}

/// One way to read a mention.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it is taken for.
    pub what: Linked,
    /// How sure that is, 0 to 1; all readings of a mention together are at most 1.
    pub confidence: f32,
}

/// A stretch of a text that names something that is sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Which words of the text.
    pub words: Range<usize>,
    /// The likeliest reading.
    pub best: Reading,
    /// The next likely, of another family.
    pub runner_up: Option<Reading>,
}

/// What `catalog` sells that `words` name, in the order of the text; at most [`MENTIONS_MAX`].
pub(crate) fn link(catalog: &Catalog, names: &Names, words: &[Word]) -> Vec<Link> {
    if names.len == 0 {
        return Vec::new();
    }
    let everyday = Everyday::of(words);
    let hits = hits(names, words, everyday);
    let candidates = candidates(names, &hits);
    let categories = categories(catalog, names, words);
    // Each word that may tell a name is a try; the more there are, the likelier it is that one does by chance.
    let tries = words.iter().filter(|word| !everyday.has(word.id)).count().max(1);
    let chance = (CHANCE * (names.len * tries) as f32).ln().max(CHANCE_MIN);
    let clauses = Clauses::of(words);
    let mut used = vec![false; words.len()];
    let mut chains: Vec<Option<Chain>> =
        candidates.iter().map(|candidate| chain(&clauses, candidate, &used)).collect();
    let mut links = Vec::new();
    for _ in 0..2 * MENTIONS_MAX {
        let free = chains.iter().zip(&candidates);
        let named: Vec<(Chain, u32)> =
            free.filter_map(|(chain, candidate)| Some(((*chain)?, candidate.product))).collect();
        let Some((range, link)) = strongest(catalog, chance, &named, &categories, &used) else {
            break;
        };
        used[range.clone()].fill(true);
        links.extend(link);
        if links.len() == MENTIONS_MAX {
            break;
        }
        for (one, candidate) in chains.iter_mut().zip(&candidates) {
            if candidate.hits.iter().any(|hit| hit.from < range.end && range.start < hit.to) {
                *one = chain(&clauses, candidate, &used);
            }
        }
    }
    links.sort_by_key(|link| link.words.start);
    links
}

/// The strongest stretch of the words not used yet, and what it names; nothing when it could as well be chance.
fn strongest(
    catalog: &Catalog,
    chance: f32,
    chains: &[(Chain, u32)],
    categories: &[(Range<usize>, TermId)],
    used: &[bool],
) -> Option<(Range<usize>, Option<Link>)> {
    let id = |product: u32| catalog.entry(product).map(|entry| entry.product().id());
    let best = chains
        .iter()
        .max_by(|(a, one), (b, other)| a.score.total_cmp(&b.score).then_with(|| id(*other).cmp(&id(*one))));
    let category = categories.iter().find(|(range, _)| !used[range.clone()].contains(&true));
    let Some((best, _)) = best else {
        let (range, category) = category?;
        return Some((range.clone(), Some(of_category(range.clone(), *category, None))));
    };
    let range = best.from..best.to;
    let rivals = chains.iter().filter(|(chain, _)| chain.overlaps(&range));
    let readings = readings(catalog, chance, rivals.map(|(chain, product)| (chain.score, *product)));
    let overlapping = categories.iter().find(|(other, _)| {
        other.start < range.end && range.start < other.end && !used[other.clone()].contains(&true)
    });
    let first = readings.first().cloned();
    let is_sure = first.as_ref().is_some_and(|first| first.confidence >= 0.5);
    // Who says no more than the name of a category means any of it, even if only one product has those words.
    let says_more = |category: &Range<usize>| range.start < category.start || category.end < range.end;
    match (overlapping, first) {
        (Some((category_range, category)), first) if !is_sure || !says_more(category_range) => {
            let range = category_range.clone();
            Some((range.clone(), Some(of_category(range, *category, first))))
        }
        (_, Some(best)) if best.confidence >= SURE_MIN => {
            let runner_up = readings.into_iter().nth(1);
            Some((range.clone(), Some(Link { words: range, best, runner_up })))
        }
        _ => Some((range, None)),
    }
}

fn of_category(words: Range<usize>, category: TermId, runner_up: Option<Reading>) -> Link {
    let best = Reading { what: Linked::Category(category), confidence: CATEGORY_SURE };
    let runner_up = runner_up
        .map(|reading| Reading { confidence: reading.confidence.min(1.0 - CATEGORY_SURE), ..reading });
    Link { words, best, runner_up }
}

/// Products of a family, by id, each with its dense index.
type Members<'a> = Vec<(&'a str, u32)>;

/// What a stretch may mean, likeliest first: one reading for each family.
fn readings(catalog: &Catalog, chance: f32, rivals: impl Iterator<Item = (f32, u32)>) -> Vec<Reading> {
    // Of each product its best name, by id: sums must not depend on the order in which products arrived.
    let mut products: BTreeMap<&str, (u32, f32)> = BTreeMap::new();
    for (score, product) in rivals {
        let Some(entry) = catalog.entry(product) else { continue };
        let (_, best) = products.entry(entry.product().id().as_str()).or_insert((product, score));
        *best = best.max(score);
    }
    // Of each family the best score, the products that have it, by id, and the score of all of it.
    let mut families: BTreeMap<&str, (f32, Members<'_>, f32)> = BTreeMap::new();
    for (id, (product, score)) in products {
        let Some(entry) = catalog.entry(product) else { continue };
        let (best, members, all) = families.entry(entry.product().family_name()).or_insert((
            f32::NEG_INFINITY,
            Vec::new(),
            f32::NEG_INFINITY,
        ));
        *all = either(*all, score);
        if score > *best + f32::EPSILON {
            *best = score;
            members.clear();
        }
        if score >= *best - f32::EPSILON {
            members.push((id, product));
        }
    }
    let mut ranked: Vec<(f32, Members<'_>)> =
        families.into_values().map(|(_, members, all)| (all, members)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let top = ranked.first().map_or(chance, |first| first.0.max(chance));
    let all: f32 = ranked.iter().map(|(score, _)| (score - top).exp()).sum::<f32>() + (chance - top).exp();
    let reading = |(score, members): (f32, Members<'_>)| {
        let first = members[0].1;
        let what = if members.len() == 1 { Linked::Product(first) } else { Linked::Family(first) };
        Reading { what, confidence: (score - top).exp() / all }
    };
    ranked.into_iter().take(2).map(reading).collect()
}

/// The score of one or the other: the logarithm of the sum of what they are logarithms of.
fn either(a: f32, b: f32) -> f32 {
    let (less, more) = (a.min(b), a.max(b));
    more + (less - more).exp().ln_1p()
}

/// The categories whose whole name stands in the text, longest first, then in the order of the text.
fn categories(catalog: &Catalog, names: &Names, words: &[Word]) -> Vec<(Range<usize>, TermId)> {
    let mut found = Vec::new();
    for at in 0..words.len() {
        for len in 1..=CATEGORY_WORDS_MAX.min(words.len() - at) {
            let run = &words[at..at + len];
            let named = names.categories_named(run).iter().take(CATEGORIES_ALIKE_MAX);
            // `Capsules` is meant by `capsules` sooner than `Capsule` is.
            let is_as_written = |category: &TermId| catalog.is_category_written(*category, run);
            found.extend(
                named
                    .min_by_key(|category| !is_as_written(category))
                    .map(|category| (at..at + len, *category)),
            );
        }
    }
    found.sort_by_key(|(range, category)| (Reverse(range.len()), range.start, *category));
    found
}
