//! How good answers are.

use std::collections::BTreeSet;

use sidecart_catalog::{Catalog, ProductId, TermId};

use crate::question::Question;

/// A question, and what was answered, best first, with scores.
pub(super) type Answered<'a> = (&'a Question, Vec<(ProductId, f64)>);

/// Places that are looked at.
const PLACES: usize = 10;

/// How well questions of one task were answered. All but the counts are means over questions, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// How many questions were asked to which something is right.
    pub questions: usize,
    /// Of these, the share that got any answer.
    pub answered: f64,
    /// Share with a right product among the first 1, 3 and 10.
    pub hit: [f64; 3],
    /// Normalised discounted cumulative gain of the first 1, 3 and 10.
    pub ndcg: [f64; 3],
    /// Standard error of the NDCG of the first 10.
    pub ndcg_error: f64,
    /// One over the place of the first right product among the first 10.
    pub reciprocal_rank: f64,
    /// Share of the offers that stand in the leaf category of a product asked about.
    pub same_leaf: f64,
    /// Share of the products sold before that were offered at least once.
    pub coverage: f64,
}

/// The depths of `hit` and `ndcg`.
pub const DEPTHS: [usize; 3] = [1, 3, 10];

impl Measures {
    /// Compares answers, best first, with what is right; `sold` products could be offered.
    pub(super) fn of(catalog: &Catalog, answers: &[Answered<'_>], sold: usize) -> Self {
        let answers = || answers.iter().filter(|(question, _)| !question.relevant.is_empty());
        let mut sum = Self { questions: answers().count(), ..Self::default() };
        let (mut gains, mut offered, mut offers, mut same) = (Vec::new(), BTreeSet::new(), 0_usize, 0_usize);
        for (question, answer) in answers() {
            let places = &answer[..answer.len().min(PLACES)];
            let hits: Vec<bool> = places.iter().map(|(product, _)| question.is_right(product)).collect();
            for (depth, (hit, ndcg)) in DEPTHS.iter().zip(sum.hit.iter_mut().zip(&mut sum.ndcg)) {
                *hit += f64::from(u8::from(hits.iter().take(*depth).any(|hit| *hit)));
                *ndcg += gain(&hits, question.relevant.len(), *depth);
            }
            gains.push(gain(&hits, question.relevant.len(), PLACES));
            let first = hits.iter().position(|hit| *hit);
            sum.reciprocal_rank += first.map_or(0.0, |first| 1.0 / (first + 1) as f64);
            sum.answered += f64::from(u8::from(!places.is_empty()));
            let leaves: BTreeSet<TermId> =
                question.given.iter().filter_map(|given| leaf(catalog, given)).collect();
            offers += places.len();
            same += places
                .iter()
                .filter(|(product, _)| leaf(catalog, product).is_some_and(|it| leaves.contains(&it)))
                .count();
            offered.extend(places.iter().map(|(product, _)| product));
        }
        let count = sum.questions as f64;
        let means =
            sum.hit.iter_mut().chain(&mut sum.ndcg).chain([&mut sum.reciprocal_rank, &mut sum.answered]);
        means.for_each(|sum| *sum /= count.max(1.0));
        sum.same_leaf = same as f64 / offers.max(1) as f64;
        sum.coverage = offered.len() as f64 / sold.max(1) as f64;
        sum.ndcg_error = standard_error(&gains);
        sum
    }
}

impl Question {
    /// Whether this is what was bought.
    pub(super) fn is_right(&self, product: &ProductId) -> bool {
        self.relevant.binary_search(product).is_ok()
    }
}

fn leaf(catalog: &Catalog, product: &ProductId) -> Option<TermId> {
    catalog.get(product.as_str())?.leaf()
}

/// Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, with gains of 0 and 1.
fn gain(hits: &[bool], relevant: usize, depth: usize) -> f64 {
    let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
    let found: f64 =
        hits.iter().take(depth).enumerate().filter(|(_, hit)| **hit).map(|(at, _)| discount(at)).sum();
    let ideal: f64 = (0..relevant.min(depth)).map(discount).sum();
    if ideal > 0.0 { found / ideal } else { 0.0 }
}

fn standard_error(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    if count < 2.0 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

/// Lower bounds of the scores that are looked at together.
const BINS: [f64; 9] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5];
/// Offers of each answer that are looked at: what a shopper would see.
const SHOWN: usize = 3;

/// How often what was offered with a score was bought.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// By score, ascending; bins without offers are left out.
    pub bins: Vec<Bin>,
    /// How far scores and shares are apart, weighted by the number of offers: the expected calibration error.
    pub error: f64,
}

/// Offers with scores between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Scores are at least this.
    pub from: f64,
    /// How many offers there are.
    pub offers: usize,
    /// Their mean score.
    pub score: f64,
    /// The share of them that was bought.
    pub taken: f64,
}

impl Reliability {
    /// Compares the scores of the first offers of each answer with what was bought.
    pub(super) fn of(answers: &[Answered<'_>]) -> Self {
        let mut sums = [(0_usize, 0.0, 0.0); BINS.len()];
        for (question, answer) in answers {
            for (product, score) in answer.iter().take(SHOWN) {
                let (offers, scores, taken) =
                    &mut sums[BINS.partition_point(|from| from <= score).max(1) - 1];
                *offers += 1;
                *scores += score;
                *taken += f64::from(u8::from(question.is_right(product)));
            }
        }
        let bins: Vec<Bin> = BINS
            .iter()
            .zip(sums)
            .filter(|(_, (offers, ..))| *offers > 0)
            .map(|(from, (offers, score, taken))| Bin {
                from: *from,
                offers,
                score: score / offers as f64,
                taken: taken / offers as f64,
            })
            .collect();
        let all: usize = bins.iter().map(|bin| bin.offers).sum();
        let apart = |bin: &Bin| bin.offers as f64 * (bin.score - bin.taken).abs();
        Self { error: bins.iter().map(apart).sum::<f64>() / all.max(1) as f64, bins }
    }
}
