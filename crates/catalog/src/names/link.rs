//! Linking: which products, families and categories a text names.
//!
//! A name is told by its rarest words: words that `n` of `N` names have are worth ln(N / n) each (inverse document
//! frequency, Spärck Jones 1972) as far as they stand together in the text.
//! Of all names that share words with a stretch of the text the one with the most is meant, as surely as it
//! outweighs the others and chance, which gives every name one in N.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use crate::{catalog::Catalog, term::TermId};

use super::{
    Names,
    everyday::Everyday,
    segment::{JOINED_MAX, Segment},
    words::{Gap, Word, deletions, joined},
};

/// Most mentions of one text.
pub const MENTIONS_MAX: usize = 8;
/// Names looked at for one text, all words together. Frequent words are looked up in the names that rarer ones found.
const LOOKS_MAX: usize = 1_000;
/// Names that are compared, those first that lag least.
const COMPARED_MAX: usize = 64;
/// Words of one text in which names are looked for.
const LINKED_WORDS_MAX: usize = 512;
/// How often a word that is said over and over is looked at.
const OCCURRENCES_MAX: usize = 3;
/// Words between a frequent word of a name and a rare one for which it speaks.
const BESIDE_WORDS: usize = 2;
/// Names that may share the one word by which they are found: of more, none can be meant by that word alone.
const ALIKE_MAX: usize = 64;
/// How much less than another a name may be worth, by its rare words, to be compared with it.
const LAG_MAX: f32 = 4.0;
/// Words around which hits count together when names are compared by their rare words.
const AROUND_WORDS: usize = 4;
/// Words of one text that are looked up as typos.
const TYPOS_MAX: usize = 128;
/// Terms that one typo may stand for.
const NEAR_MAX: usize = 16;

/// What a word is worth when it is not written as in the name.
const TYPO_WORTH: f32 = 0.8;
/// What a word that people use whatever they talk about is worth.
const EVERYDAY_WORTH: f32 = 0.35;
/// What each word between two words of a name costs.
const GAP_COST: f32 = 3.5;
/// What it costs that two words of a name stand in different parts of a sentence.
const CLAUSE_COST: f32 = 3.0;
/// What a name that the text has whole gains.
const WHOLE_GAIN: f32 = 2.0;
/// How much chance weighs beside a name: as much as this many names that have one word that no other name has.
const CHANCE: f32 = 0.1;
/// How sure it is that the whole name of a category means the category, where no product is meant more surely.
const CATEGORY_SURE: f32 = 0.8;
/// What chance weighs at least, as a logarithm: in a small catalog every word is rare, and says little for it.
const CHANCE_MIN: f32 = 6.5;
/// What a word gains that mixes letters and digits: people write such words of nothing else.
const MODEL_GAIN: f32 = 3.0;
/// Names that a catalog is taken to have at least: in a smaller one, too, a word that is no everyday word is rare.
const NAMES_MIN: usize = 400;
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

/// One or more neighbouring words of the text that are a word of some name.
#[derive(Debug, Clone, Copy)]
struct Hit {
    from: usize,
    to: usize,
    term: u32,
    /// What it is worth in a name that has it.
    gain: f32,
    frequency: usize,
    is_everyday: bool,
}

/// Segment and place of a name, and a hit that it has.
type Found<'h> = (usize, u32, &'h Hit);

/// A name with the hits that it has, in the order of the text.
struct Candidate<'a> {
    product: u32,
    words: u16,
    hits: Vec<&'a Hit>,
}

/// The words of a text, and which of them are everyday words.
type Text<'a> = (&'a [Word], Everyday);

/// The best stretch of the text for a name.
#[derive(Debug, Clone, Copy)]
struct Chain {
    score: f32,
    from: usize,
    to: usize,
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
    let mut used = vec![false; words.len()];
    let mut links = Vec::new();
    for _ in 0..2 * MENTIONS_MAX {
        let Some((range, link)) =
            strongest(catalog, names.len, (words, everyday), &candidates, &categories, &used)
        else {
            break;
        };
        used[range].fill(true);
        links.extend(link);
        if links.len() == MENTIONS_MAX {
            break;
        }
    }
    links.sort_by_key(|link| link.words.start);
    links
}

/// The words of the text that are words of names: as written, joined with their neighbours, or a letter off.
fn hits(names: &Names, words: &[Word], everyday: Everyday) -> Vec<Hit> {
    let total = names.len.max(NAMES_MIN) as f32;
    let mut hits = Vec::new();
    let mut is_known = vec![false; words.len()];
    // How many names have a term, and how often the text has had it.
    let mut known: HashMap<u32, (usize, usize)> = HashMap::new();
    let mut push = |hits: &mut Vec<Hit>, from: usize, to: usize, term: u32, worth: f32| {
        let is_everyday = worth == EVERYDAY_WORTH;
        let (frequency, seen) = known.entry(term).or_insert_with(|| (names.frequency(term), 0));
        let frequency = *frequency;
        *seen += usize::from(frequency > 0);
        if frequency > 0 && *seen <= OCCURRENCES_MAX {
            let model = if is_model(&words[from..to]) { MODEL_GAIN } else { 0.0 };
            let gain = worth * ((total / frequency as f32).ln().max(0.05) + model);
            hits.push(Hit { from, to, term, gain, frequency, is_everyday });
        }
        frequency > 0
    };
    let words = &words[..words.len().min(LINKED_WORDS_MAX)];
    for (at, word) in words.iter().enumerate() {
        let worth = if everyday.has(word.id) { EVERYDAY_WORTH } else { 1.0 };
        is_known[at] |= push(&mut hits, at, at + 1, word.id.0, worth);
        for len in 2..=JOINED_MAX.min(words.len() - at) {
            let run = &words[at..at + len];
            if run[1..].iter().any(|word| word.gap > Gap::Space) {
                break;
            }
            if push(&mut hits, at, at + len, joined(run).0, 1.0) {
                is_known[at..at + len].fill(true);
            }
        }
    }
    let unknown = words.iter().enumerate().filter(|(at, word)| !is_known[*at] && !everyday.has(word.id));
    for (at, word) in unknown.take(TYPOS_MAX) {
        for term in near(names, word) {
            push(&mut hits, at, at + 1, term, TYPO_WORTH);
        }
    }
    hits
}

/// Whether words written as one mix letters and digits, as model numbers do, and are no size such as `12ct`.
fn is_model(words: &[Word]) -> bool {
    let letters = || words.iter().flat_map(|word| word.folded.chars());
    let is_size = letters().next().is_some_and(|c| c.is_ascii_digit());
    !is_size && letters().any(|c| c.is_ascii_digit()) && letters().any(char::is_alphabetic)
}

/// Terms that a word may be a typo of, ascending.
fn near(names: &Names, word: &Word) -> Vec<u32> {
    let rests = deletions(&word.folded);
    let segments = names.segments.iter();
    let mut near: Vec<u32> =
        segments.flat_map(|segment| rests.iter().flat_map(|rest| segment.near(*rest))).collect();
    near.sort_unstable();
    near.dedup();
    near.retain(|term| names.frequency(*term) > 0);
    near.truncate(NEAR_MAX);
    near
}

/// The names that have the rarest hits, with all hits that they have.
fn candidates<'h>(names: &Names, hits: &'h [Hit]) -> Vec<Candidate<'h>> {
    let mut by_rarity: Vec<&Hit> = hits.iter().collect();
    // Everyday words find no names; they only speak for those that others found.
    by_rarity.sort_by_key(|hit| (hit.is_everyday, hit.frequency, hit.from, hit.to, hit.term));
    let mut budget = LOOKS_MAX;
    let affordable = by_rarity.iter().take_while(|hit| {
        let is_affordable = !hit.is_everyday && hit.frequency <= budget;
        budget = budget.saturating_sub(hit.frequency);
        is_affordable
    });
    let (rare, frequent) = by_rarity.split_at(affordable.count());
    let mut found: Vec<Found<'_>> = Vec::new();
    for hit in rare {
        for (nth, segment) in names.segments.iter().enumerate() {
            let live =
                segment.places(hit.term).filter(|place| names.is_live(&segment.names[*place as usize]));
            found.extend(live.map(|place| (nth, place, *hit)));
        }
    }
    found.sort_unstable_by_key(|(segment, place, hit)| (*segment, *place, hit.from, hit.to, hit.term));
    let groups = || found.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    let leaders = leaders(groups());
    let more_may_speak = frequent.iter().any(|hit| !hit.is_everyday);
    // How much less a name is worth than the one that leads where it does best; none when that is too much.
    let lag = |group: &[Found<'_>]| {
        if group.len() == 1 && group[0].2.frequency > ALIKE_MAX && !more_may_speak {
            return None;
        }
        let lags = group.iter().map(|(_, _, hit)| leaders[&hit.from] - worth(group, hit.from));
        lags.min_by(f32::total_cmp).filter(|lag| *lag <= LAG_MAX)
    };
    let candidate = |group: &[Found<'h>]| {
        let (nth, place, _) = group[0];
        let segment: &Segment = &names.segments[nth];
        let name = segment.names[place as usize];
        let mut hits: Vec<&Hit> = group.iter().map(|(_, _, hit)| *hit).collect();
        // Frequent words speak for a name only next to its rare ones.
        let is_beside =
            |hit: &Hit| group.iter().any(|(_, _, own)| own.from.abs_diff(hit.from) <= BESIDE_WORDS);
        hits.extend(frequent.iter().filter(|hit| is_beside(hit) && segment.has(place, hit.term)));
        hits.sort_by_key(|hit| (hit.from, hit.to, hit.term));
        Candidate { product: name.product, words: name.words, hits }
    };
    let mut near: Vec<(f32, &[Found<'h>])> =
        groups().filter_map(|group| Some((lag(group)?, group))).collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Of names that lag as far, all are compared or none: which of them come first must decide nothing.
    let end =
        near.get(COMPARED_MAX).map_or(near.len(), |(lag, _)| near.partition_point(|(other, _)| other < lag));
    near[..end].iter().map(|(_, group)| candidate(group)).collect()
}

/// What the hits of a name around a word of the text are worth together, each word of the name counted once.
fn worth(group: &[Found<'_>], around: usize) -> f32 {
    let near = |hit: &Hit| hit.from.abs_diff(around) <= AROUND_WORDS;
    let is_first = |nth: usize, hit: &Hit| {
        !group[..nth].iter().any(|(_, _, other)| near(other) && other.term == hit.term)
    };
    let hits = group.iter().enumerate().filter(|(nth, (_, _, hit))| near(hit) && is_first(*nth, hit));
    hits.map(|(_, (_, _, hit))| hit.gain).sum()
}

/// What the name that is worth most is worth, around each word of the text at which hits begin.
fn leaders<'f, 'h: 'f>(groups: impl Iterator<Item = &'f [Found<'h>]>) -> BTreeMap<usize, f32> {
    let mut leaders = BTreeMap::new();
    for group in groups {
        for (_, _, hit) in group {
            let worth = worth(group, hit.from);
            let leader = leaders.entry(hit.from).or_insert(worth);
            *leader = f32::max(*leader, worth);
        }
    }
    leaders
}

/// The strongest stretch of the words not used yet, and what it names; nothing when it could as well be chance.
fn strongest(
    catalog: &Catalog,
    total: usize,
    text: Text<'_>,
    candidates: &[Candidate<'_>],
    categories: &[(Range<usize>, TermId)],
    used: &[bool],
) -> Option<(Range<usize>, Option<Link>)> {
    let chains: Vec<(Chain, u32)> = candidates
        .iter()
        .filter_map(|candidate| Some((chain(text, candidate, used)?, candidate.product)))
        .collect();
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
    let rivals = chains.iter().filter(|(chain, _)| chain.from < range.end && range.start < chain.to);
    let readings = readings(catalog, total, rivals.map(|(chain, product)| (chain.score, *product)));
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

/// The stretch of the text that speaks most for a name: the run of hits whose gains, less what stands between them,
/// are the highest.
fn chain(text: Text<'_>, candidate: &Candidate<'_>, used: &[bool]) -> Option<Chain> {
    let free = candidate.hits.iter().filter(|hit| !used[hit.from..hit.to].contains(&true));
    let (mut best, mut run): (Option<Chain>, Option<Chain>) = (None, None);
    let mut seen: Vec<u32> = Vec::new();
    let mut matched_best = 0;
    for hit in free {
        let continued =
            run.filter(|run| hit.from >= run.to).map(|run| run.score - between(text, run.to, hit.from));
        let overlaps = run.is_some_and(|run| hit.from < run.to);
        if overlaps || seen.contains(&hit.term) && continued.is_some_and(|score| score > 0.0) {
            // The same words in another form, or a word said again, add nothing.
            continue;
        }
        run = match (run, continued) {
            (Some(run), Some(score)) if score > 0.0 => {
                // An everyday word after another of the name is part of it, as in `Tin Man`.
                let is_part = hit.is_everyday && hit.from == run.to;
                let gain = if is_part { hit.gain / EVERYDAY_WORTH } else { hit.gain };
                Some(Chain { score: score + gain, from: run.from, to: hit.to })
            }
            _ => {
                seen.clear();
                Some(Chain { score: hit.gain, from: hit.from, to: hit.to })
            }
        };
        seen.push(hit.term);
        if run.is_some_and(|run| best.is_none_or(|best| run.score > best.score)) {
            best = run;
            matched_best = seen.len();
        }
    }
    let share = (matched_best as f32 / f32::from(candidate.words.max(1))).min(1.0);
    best.map(|best| Chain { score: best.score + WHOLE_GAIN * share * share, ..best })
}

/// What it costs that two hits do not stand side by side.
fn between((words, everyday): Text<'_>, from: usize, to: usize) -> f32 {
    let breaks = words[from..=to].iter().filter(|word| word.gap >= Gap::Clause).count();
    let told = words[from..to].iter().filter(|word| !everyday.has(word.id)).count();
    let small = to - from - told;
    GAP_COST * (told as f32 + 0.5 * small as f32) + CLAUSE_COST * breaks as f32
}

/// Products of a family, by id, each with its dense index.
type Members<'a> = Vec<(&'a str, u32)>;

/// What a stretch may mean, likeliest first: one reading for each family.
fn readings(catalog: &Catalog, total: usize, rivals: impl Iterator<Item = (f32, u32)>) -> Vec<Reading> {
    // Of each family the best score, and the products that have it, by id.
    let mut families: BTreeMap<&str, (f32, Members<'_>)> = BTreeMap::new();
    for (score, product) in rivals {
        let Some(entry) = catalog.entry(product) else { continue };
        let (family, id) = (entry.product().family_name(), entry.product().id().as_str());
        let (best, members) = families.entry(family).or_insert((f32::NEG_INFINITY, Vec::new()));
        if score > *best + f32::EPSILON {
            *best = score;
            members.clear();
        }
        if score >= *best - f32::EPSILON {
            members.push((id, product));
        }
    }
    let mut ranked: Vec<(f32, Members<'_>)> = families.into_values().collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let chance = (CHANCE * total as f32).ln().max(CHANCE_MIN);
    let top = ranked.first().map_or(chance, |first| first.0.max(chance));
    let all: f32 = ranked.iter().map(|(score, _)| (score - top).exp()).sum::<f32>() + (chance - top).exp();
    let reading = |(score, mut members): (f32, Members<'_>)| {
        members.sort_unstable();
        members.dedup();
        let first = members[0].1;
        let what = if members.len() == 1 { Linked::Product(first) } else { Linked::Family(first) };
        Reading { what, confidence: (score - top).exp() / all }
    };
    ranked.into_iter().take(2).map(reading).collect()
}

/// The categories whose whole name stands in the text, longest first, then in the order of the text.
fn categories(catalog: &Catalog, names: &Names, words: &[Word]) -> Vec<(Range<usize>, TermId)> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for category in names.categories_of(word.id) {
            let Some(len) = catalog.category_words(*category).filter(|len| *len <= words.len() - at) else {
                continue;
            };
            let range = at..at + len;
            let all = words[range.clone()].iter().all(|word| names.categories_of(word.id).contains(category));
            if all {
                found.push((range, *category));
            }
        }
    }
    found.sort_by_key(|(range, category)| (std::cmp::Reverse(range.len()), range.start, *category));
    found
}
