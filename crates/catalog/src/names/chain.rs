//! Chains: the stretch of a text that speaks most for a name.

use std::ops::Range;

use super::{
    candidates::Candidate,
    words::{Gap, Word},
};

/// What each word between two words of a name costs.
const GAP_COST: f32 = 3.5;
/// What it costs that two words of a name stand in different parts of a sentence.
const CLAUSE_COST: f32 = 3.0;
/// What a name that the text has whole gains.
const WHOLE_GAIN: f32 = 4.0;

/// The best stretch of the text for a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    pub(super) score: f32,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Chain {
    pub(super) fn overlaps(&self, range: &Range<usize>) -> bool {
        self.from < range.end && range.start < self.to
    }
}

/// Where parts of sentences begin: of each word, how many do up to it.
pub(super) struct Clauses(Vec<usize>);

impl Clauses {
    pub(super) fn of(words: &[Word]) -> Self {
        let begun = words.iter().scan(0, |begun, word| {
            *begun += usize::from(word.gap >= Gap::Clause);
            Some(*begun)
        });
        Self(begun.collect())
    }

    /// What it costs that a hit with the last word `from` and one with the first word `to` do not stand side by side.
    fn between(&self, from: usize, to: usize) -> f32 {
        GAP_COST * (to - from - 1) as f32 + CLAUSE_COST * (self.0[to] - self.0[from]) as f32
    }
}

/// The run of hits whose gains, less what stands between them, are the highest; none when all of them are used.
pub(super) fn chain(clauses: &Clauses, candidate: &Candidate<'_>, used: &[bool]) -> Option<Chain> {
    let free = candidate.hits.iter().filter(|hit| !used[hit.from..hit.to].contains(&true));
    let (mut best, mut run): (Option<Chain>, Option<Chain>) = (None, None);
    let mut seen: Vec<u32> = Vec::new();
    let mut matched_best = 0;
    for hit in free {
        let continued =
            run.filter(|run| hit.from >= run.to).map(|run| run.score - clauses.between(run.to - 1, hit.from));
        let overlaps = run.is_some_and(|run| hit.from < run.to);
        if overlaps || seen.contains(&hit.term) && continued.is_some_and(|score| score > 0.0) {
            // The same words in another form, or a word said again, add nothing.
            continue;
        }
        run = match (run, continued) {
            (Some(run), Some(score)) if score > 0.0 => {
                Some(Chain { score: score + hit.gain, from: run.from, to: hit.to })
            }
            _ => {
                seen.clear();
                Some(Chain { score: hit.gain, from: hit.from, to: hit.to })
            }
        };
        seen.push(hit.term);
        // No name ends in a word that goes on to another, as "battery for the" does.
        if !hit.is_joining && run.is_some_and(|run| best.is_none_or(|best| run.score > best.score)) {
            best = run;
            matched_best = seen.len();
        }
    }
    let share = (matched_best as f32 / f32::from(candidate.words.max(1))).min(1.0);
    best.map(|best| Chain { score: best.score + WHOLE_GAIN * share * share, ..best })
}
