//! The names that a text may mean: its words that are words of names, and the names that have the rarest of these.

use std::collections::HashMap;

use rapidhash::fast::GlobalState;

use super::{
    Names,
    everyday::{Everyday, is_joining},
    segment::JOINED_MAX,
    words::{Gap, Word, deletions, joined},
};

/// Names looked at for one text, all words together. Frequent words are looked up in the names that rarer ones found.
const LOOKS_MAX: usize = 1_000;
/// Names that are compared, those first that lag least and are worth most.
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
const LAG_MAX: f32 = 8.0;
/// Words around which hits count together when names are compared by their rare words.
const AROUND_WORDS: usize = 4;
/// Words of one text that are looked up as typos.
const TYPOS_MAX: usize = 64;
/// Terms that one typo may stand for.
const NEAR_MAX: usize = 16;

/// `Found` keeps the number of a hit in 16 bits.
const _: () = assert!(LINKED_WORDS_MAX * JOINED_MAX + TYPOS_MAX * NEAR_MAX < 1 << 16);

/// What a word is worth when it is not written as in the name.
const TYPO_WORTH: f32 = 0.8;
/// What a word that people use whatever they talk about is worth.
const EVERYDAY_WORTH: f32 = 0.35;
/// Digits of a number that is none of a size, a price or a year.
const MODEL_DIGITS_MIN: usize = 5;
/// What a model number gains: people write such words of nothing else.
const MODEL_GAIN: f32 = 3.0;
/// Names that a catalog is taken to have at least: in a smaller one, too, a word that is no everyday word is rare.
const NAMES_MIN: usize = 400;

/// One or more neighbouring words of the text that are a word of some name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) term: u32,
    /// What it is worth in a name that has it.
    pub(super) gain: f32,
    /// Whether it goes on to another word.
    pub(super) is_joining: bool,
    frequency: usize,
    is_everyday: bool,
}

/// A name with the hits that it has, in the order of the text.
pub(super) struct Candidate<'h> {
    pub(super) product: u32,
    pub(super) words: u16,
    pub(super) hits: Vec<&'h Hit>,
}

/// A name that has a hit. Found ones sort by name, those of a name in the order of the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Found(u64);

impl Found {
    const fn new(segment: usize, place: u32, hit: usize) -> Self {
        Self((segment as u64) << 48 | (place as u64) << 16 | hit as u64)
    }

    const fn segment(self) -> usize {
        (self.0 >> 48) as usize
    }

    const fn place(self) -> u32 {
        (self.0 >> 16) as u32
    }

    const fn hit(self) -> usize {
        self.0 as u16 as usize
    }

    const fn is_of_one_name(&self, other: &Self) -> bool {
        self.0 >> 16 == other.0 >> 16
    }
}

/// The words of the text that are words of names, in its order: as written, joined with their neighbours, or a letter off.
pub(super) fn hits(names: &Names, words: &[Word], everyday: Everyday) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut is_known = vec![false; words.len()];
    // How many names have a term, and how often the text has had it.
    let mut known: HashMap<u32, (usize, usize), GlobalState> = HashMap::default();
    let mut push = |hits: &mut Vec<Hit>, from: usize, to: usize, term: u32, worth: f32| {
        let is_everyday = worth == EVERYDAY_WORTH;
        let (frequency, seen) = known.entry(term).or_insert_with(|| (names.frequency(term), 0));
        let frequency = *frequency;
        *seen += usize::from(frequency > 0);
        if frequency > 0 && *seen <= OCCURRENCES_MAX {
            let total = if is_everyday { names.len } else { names.len.max(NAMES_MIN) } as f32;
            let model = if is_model(&words[from..to]) { MODEL_GAIN } else { 0.0 };
            let gain = worth * ((total / frequency as f32).ln().max(0.05) + model);
            let is_joining = to == from + 1 && is_joining(words[from].id);
            hits.push(Hit { from, to, term, gain, is_joining, frequency, is_everyday });
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
            let worth = if run.iter().all(|word| everyday.has(word.id)) { EVERYDAY_WORTH } else { 1.0 };
            if push(&mut hits, at, at + len, joined(run).0, worth) {
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
    hits.sort_by_key(|hit| (hit.from, hit.to, hit.term));
    hits
}

/// Whether words written as one are a model number: they mix letters and digits and are no size such as `12ct`, or they
/// are a long number.
fn is_model(words: &[Word]) -> bool {
    let letters = || words.iter().flat_map(|word| word.folded.chars());
    let digits = letters().filter(char::is_ascii_digit).count();
    let is_number = digits == letters().count();
    let is_size = letters().next().is_some_and(|c| c.is_ascii_digit());
    if is_number {
        digits >= MODEL_DIGITS_MIN
    } else {
        digits > 0 && !is_size && letters().any(char::is_alphabetic)
    }
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
pub(super) fn candidates<'h>(names: &Names, hits: &'h [Hit]) -> Vec<Candidate<'h>> {
    let (rare, frequent) = by_rarity(hits);
    let found = found(names, hits, &rare);
    let worths: Vec<f32> = groups(&found).flat_map(|group| worths(hits, group)).collect();
    let mut leaders = vec![0.0_f32; hits.last().map_or(0, |last| last.from + 1)];
    for (found, worth) in found.iter().zip(&worths) {
        let leader = &mut leaders[hits[found.hit()].from];
        *leader = leader.max(*worth);
    }
    let more_may_speak = frequent.iter().any(|hit| !hits[*hit].is_everyday);
    let mut near: Vec<((f32, f32), &[Found])> = Vec::new();
    let mut rest = &worths[..];
    for group in groups(&found) {
        let (worths, after) = rest.split_at(group.len());
        rest = after;
        let is_one_of_many = group.len() == 1 && hits[group[0].hit()].frequency > ALIKE_MAX;
        if is_one_of_many && !more_may_speak {
            continue;
        }
        // How much less it is worth than the one that leads where it does best.
        let lags = group.iter().zip(worths).map(|(found, worth)| leaders[hits[found.hit()].from] - worth);
        let lag = lags.min_by(f32::total_cmp).filter(|lag| *lag <= LAG_MAX);
        let worth = worths.iter().copied().fold(0.0, f32::max);
        near.extend(lag.map(|lag| ((lag, -worth), group)));
    }
    let order = |a: (f32, f32), b: (f32, f32)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    near.sort_by(|(a, _), (b, _)| order(*a, *b));
    // Of names that lag as far and are worth as much all are compared or none: which come first must decide nothing.
    let end = near.get(COMPARED_MAX).map_or(near.len(), |(last, _)| {
        near.partition_point(|(standing, _)| order(*standing, *last).is_lt())
    });
    near[..end].iter().map(|(_, group)| candidate(names, hits, &frequent, group)).collect()
}

/// The hits by which names are found, and the more frequent ones that only speak for names that others found.
fn by_rarity(hits: &[Hit]) -> (Vec<usize>, Vec<usize>) {
    let mut by_rarity: Vec<usize> = (0..hits.len()).collect();
    // Everyday words find no names.
    by_rarity.sort_by_key(|hit| (hits[*hit].is_everyday, hits[*hit].frequency, *hit));
    let mut budget = LOOKS_MAX;
    let affordable = by_rarity.iter().map(|hit| &hits[*hit]).take_while(|hit| {
        let is_affordable = !hit.is_everyday && hit.frequency <= budget;
        budget = budget.saturating_sub(hit.frequency);
        is_affordable
    });
    let frequent = by_rarity.split_off(affordable.count());
    (by_rarity, frequent)
}

/// The live names that have any of the `rare` hits, sorted.
fn found(names: &Names, hits: &[Hit], rare: &[usize]) -> Vec<Found> {
    let mut found = Vec::new();
    for hit in rare {
        for (nth, segment) in names.segments.iter().enumerate() {
            let places = segment.places(hits[*hit].term);
            let live = places.filter(|place| names.is_live(&segment.names[*place as usize]));
            found.extend(live.map(|place| Found::new(nth, place, *hit)));
        }
    }
    found.sort_unstable();
    found
}

/// What was found, by name.
fn groups(found: &[Found]) -> impl Iterator<Item = &[Found]> {
    found.chunk_by(Found::is_of_one_name)
}

/// What the hits of a name are worth together around each of them, each word of the name counted once.
fn worths<'f>(hits: &'f [Hit], group: &'f [Found]) -> impl Iterator<Item = f32> + 'f {
    let hit = move |found: &Found| &hits[found.hit()];
    group.iter().map(move |found| {
        let around = hit(found).from;
        let start = group.partition_point(|other| hit(other).from + AROUND_WORDS < around);
        let len = group[start..].partition_point(|other| hit(other).from <= around + AROUND_WORDS);
        let near = &group[start..start + len];
        let is_first = |nth: usize| !near[..nth].iter().any(|other| hit(other).term == hit(&near[nth]).term);
        (0..len).filter(|nth| is_first(*nth)).map(|nth| hit(&near[nth]).gain).sum()
    })
}

fn candidate<'h>(names: &Names, hits: &'h [Hit], frequent: &[usize], group: &[Found]) -> Candidate<'h> {
    let (segment, place) = (&names.segments[group[0].segment()], group[0].place());
    let name = segment.names[place as usize];
    let mut own: Vec<usize> = group.iter().map(|found| found.hit()).collect();
    // Frequent words speak for a name only next to its rare ones.
    let is_beside =
        |hit: &Hit| group.iter().any(|found| hits[found.hit()].from.abs_diff(hit.from) <= BESIDE_WORDS);
    own.extend(frequent.iter().filter(|hit| is_beside(&hits[**hit]) && segment.has(place, hits[**hit].term)));
    own.sort_unstable();
    Candidate {
        product: name.product,
        words: name.words,
        hits: own.into_iter().map(|hit| &hits[hit]).collect(),
    }
}
