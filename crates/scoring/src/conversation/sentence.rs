//! Sentences: which words of a text ask, and which tell.
//!
//! What is told as a fact weighs otherwise than what is asked or supposed: "it leaks" complains, "does it leak?" does not.

use std::ops::Range;

use sidecart_catalog::names::{Gap, Word};

use super::lexicon::Spoken;

/// Words up to which a supposition reaches back in a language without spaces between words.
const SUPPOSED_BACK_WORDS: usize = 6;

/// Words of a language without spaces, each a pair of characters, that tell as much as a word of another.
const PAIRS_OF_A_WORD: usize = 2;

/// Full stops after a question that may belong to abbreviations in it.
const ABBREVIATIONS_MAX: usize = 3;
/// Words from one such full stop to the next.
const ABBREVIATED_WORDS_MAX: usize = 3;

/// What is heard that tells questions and suppositions from statements.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Words by whose form a clause is a question, in the order of the text.
    pub(super) forms: Vec<Spoken>,
    /// Words that may stand before them, in the order of the text: greetings, `and`, `so`.
    pub(super) openers: Vec<Spoken>,
    /// Words that make what follows in their clause, or in an unspaced language what precedes, a supposition.
    pub(super) suppositions: Vec<Spoken>,
    /// Words by which a question takes what it asks for granted: `is it normal that`.
    pub(super) presumptions: Vec<Spoken>,
    /// Whether the language puts no spaces between words.
    pub(super) is_unspaced: bool,
}

/// What the words of a text ask and tell.
#[derive(Debug)]
pub(super) struct Sentences {
    /// Of each word, whether it asks.
    is_asked: Vec<bool>,
    /// Of each word, whether it asks by its tone alone: it would be told but for the mark at the end.
    is_rising: Vec<bool>,
    /// Of each word, whether it is supposed.
    is_supposed: Vec<bool>,
    /// Of each word, whether it is taken for granted, even if it is asked about.
    is_presumed: Vec<bool>,
    /// Of each word, where its sentence begins and ends.
    sentences: Vec<Range<usize>>,
    has_mark: bool,
    is_unspaced: bool,
}

impl Sentences {
    pub(super) fn of(text: &str, words: &[Word], marks: &Marks) -> Self {
        let mut this = Self {
            is_asked: vec![false; words.len()],
            is_rising: vec![false; words.len()],
            is_supposed: vec![false; words.len()],
            is_presumed: vec![false; words.len()],
            sentences: Vec::with_capacity(words.len()),
            has_mark: text.contains(['?', '？']),
            is_unspaced: marks.is_unspaced,
        };
        let is_marked = |sentence: &Range<usize>| {
            let until = words.get(sentence.end).map_or(text.len(), |next| next.span.start);
            let after = text.get(words[sentence.end - 1].span.end..until);
            after.is_some_and(|after| after.contains(['?', '？']))
        };
        let asks_from = |sentence: &Range<usize>| {
            let mut clauses = runs(words, sentence.clone(), Gap::Clause);
            let opened = sentence.clone().find(|at| is_opened(text, words, *at));
            opened.or_else(|| clauses.find(|clause| marks.is_question(clause)).map(|clause| clause.start))
        };
        // The mark at the end of what follows, which asks nothing by itself, is its own: "does it fit a 25 cu. ft. oven?"
        let goes_on_to = |rest: &mut dyn Iterator<Item = Range<usize>>| {
            let mut rest = rest.take(ABBREVIATIONS_MAX).take_while(|next| asks_from(next).is_none());
            let next = rest.find(|next| next.len() > ABBREVIATED_WORDS_MAX || is_marked(next));
            next.filter(is_marked).map(|next| next.end)
        };
        let mut sentences = runs(words, 0..words.len(), Gap::Sentence);
        while let Some(sentence) = sentences.next() {
            this.sentences.resize(sentence.end, sentence.clone());
            let is_marked = is_marked(&sentence);
            match asks_from(&sentence) {
                // Who uses question marks at all uses them.
                Some(from) if is_marked || !this.has_mark => this.is_asked[from..sentence.end].fill(true),
                Some(from) => {
                    let to = goes_on_to(&mut sentences.clone()).unwrap_or(from);
                    this.is_asked[from..to].fill(true);
                }
                None if is_marked => {
                    this.is_asked[sentence.clone()].fill(true);
                    this.is_rising[sentence.clone()].fill(true);
                }
                _ => {}
            }
            for clause in runs(words, sentence, Gap::Clause) {
                marks.suppose(&clause, &mut this.is_supposed);
            }
        }
        for presumption in &marks.presumptions {
            let sentence = this.sentences[presumption.from].clone();
            let from = if marks.is_unspaced { sentence.start } else { presumption.from };
            this.is_presumed[from..sentence.end].fill(true);
        }
        this
    }

    /// Whether any of the text asks.
    pub(super) fn ask(&self) -> bool {
        self.is_asked.contains(&true)
    }

    /// How many words tell, neither ask nor suppose.
    ///
    /// `is_known` says of a word that it tells nothing, as a name does.
    pub(super) fn told(&self, is_known: impl Fn(usize) -> bool) -> usize {
        let is_told = |at: &usize| !self.is_asked[*at] && !self.is_supposed[*at] && !is_known(*at);
        let told = (0..self.is_asked.len()).filter(is_told).count();
        if self.is_unspaced { told / PAIRS_OF_A_WORD } else { told }
    }

    /// Whether a word is part of a question.
    pub(super) fn asks(&self, at: usize) -> bool {
        self.is_asked[at]
    }

    /// Whether a question mark stands in the text.
    pub(super) const fn has_mark(&self) -> bool {
        self.has_mark
    }

    /// Whether what is said is part of a question.
    pub(super) fn is_asked(&self, spoken: &Spoken) -> bool {
        self.is_asked[spoken.from]
    }

    /// Whether what is said asks by its tone alone.
    pub(super) fn is_rising(&self, spoken: &Spoken) -> bool {
        self.is_rising[spoken.from] && !self.is_supposed[spoken.to - 1]
    }

    /// Whether what is said is taken for granted.
    pub(super) fn is_presumed(&self, spoken: &Spoken) -> bool {
        self.is_presumed[spoken.from]
    }

    /// Whether what is said is told as a fact. `arrivals` tell of goods that came: a sentence with one tells, even if its
    /// tone rises at the end.
    pub(super) fn is_told(&self, spoken: &Spoken, arrivals: &[Spoken]) -> bool {
        let sentence = &self.sentences[spoken.from];
        let tells = || arrivals.iter().any(|arrival| sentence.contains(&arrival.from));
        let is_asked = self.is_asked[spoken.from] && !(self.is_rising[spoken.from] && tells());
        self.is_presumed[spoken.from] || !self.is_supposed[spoken.to - 1] && !is_asked
    }
}

impl Marks {
    /// Whether a clause has the form of a question.
    fn is_question(&self, clause: &Range<usize>) -> bool {
        if self.is_unspaced {
            return self.forms.iter().any(|form| clause.contains(&form.from));
        }
        let mut at = clause.start;
        while at < clause.end && begun_at(&self.forms, at).is_none() {
            let Some(opener) = begun_at(&self.openers, at) else { return false };
            at = opener.to;
        }
        at < clause.end
    }

    fn suppose(&self, clause: &Range<usize>, is_supposed: &mut [bool]) {
        let within = self.suppositions.iter().filter(|spoken| clause.contains(&spoken.from));
        for spoken in within {
            let supposed = if self.is_unspaced {
                spoken.to.saturating_sub(SUPPOSED_BACK_WORDS).max(clause.start)..spoken.to.min(clause.end)
            } else {
                spoken.from..clause.end
            };
            is_supposed[supposed].fill(true);
        }
    }
}

/// What is said from a word on, of what is in the order of the text.
fn begun_at(spoken: &[Spoken], at: usize) -> Option<&Spoken> {
    spoken.get(spoken.partition_point(|spoken| spoken.from < at)).filter(|spoken| spoken.from == at)
}

/// Whether a mark that opens a question stands before a word.
fn is_opened(text: &str, words: &[Word], at: usize) -> bool {
    let from = at.checked_sub(1).map_or(0, |before| words[before].span.end);
    // Words of an unspaced script share characters: nothing stands between those.
    text.get(from..words[at].span.start).is_some_and(|between| between.contains('¿'))
}

/// The runs of words in `within` that begin where a gap is at least so wide.
fn runs(words: &[Word], within: Range<usize>, gap: Gap) -> impl Iterator<Item = Range<usize>> + Clone {
    let mut start = within.start;
    std::iter::from_fn(move || {
        if start >= within.end {
            return None;
        }
        let len = words[start + 1..within.end].iter().take_while(|word| word.gap < gap).count() + 1;
        let run = start..start + len;
        start = run.end;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use sidecart_catalog::names::words;

    use super::*;

    /// The words of a text that ask, when `does` and `is` are forms, `and` opens, `if` supposes and `why`
    /// takes for granted.
    fn read(text: &str) -> (Vec<Word>, Sentences) {
        let words = words(text);
        let said = |said: &[&str]| {
            let is_said = |(_, word): &(usize, &Word)| said.contains(&word.folded.as_str());
            let spoken = words.iter().enumerate().filter(is_said);
            spoken.map(|(at, _)| Spoken { from: at, to: at + 1, rule: 0 }).collect::<Vec<_>>()
        };
        let marks = Marks {
            forms: said(&["does", "is"]),
            openers: said(&["and"]),
            suppositions: said(&["if"]),
            presumptions: said(&["why"]),
            is_unspaced: false,
        };
        let sentences = Sentences::of(text, &words, &marks);
        (words, sentences)
    }

    #[test]
    fn a_clause_asks_by_its_form_and_a_sentence_by_its_mark() {
        let cases = [
            ("It leaks. Does it fit?", "does it fit"),
            ("It leaks, and does it fit?", "and does it fit"),
            ("It leaks and it is wet", ""),
            ("does it leak", "does it leak"),
            ("it leaks?", "it leaks"),
            ("compré uno, ¿gotea?", "gotea"),
            ("漏れました。合います？", "合い いま ます"),
            ("Does it fit model no. X100?", "does it fit model no x100"),
            ("Does it fit a 25 cu. ft. Side Oven? It leaks.", "does it fit a 25 cu ft side oven"),
            ("Does it fit a big one. I mean a really huge one. So?", "so"),
            // Who uses question marks would have used one here.
            ("Does it leak. Does it fit?", "does it fit"),
        ];
        for (text, expected) in cases {
            let (words, sentences) = read(text);
            let asked = words.iter().zip(&sentences.is_asked).filter(|(_, is_asked)| **is_asked);
            let asked: Vec<&str> = asked.map(|(word, _)| word.folded.as_str()).collect();
            assert_eq!(asked.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_is_supposed_is_not_told_and_what_arrived_is() {
        let at = |nth: usize| Spoken { from: nth, to: nth + 1, rule: 0 };
        let (_, sentences) = read("I wonder if it leaks, it drips");
        assert!(!sentences.is_told(&at(4), &[]), "leaks");
        assert!(sentences.is_told(&at(6), &[]), "drips");
        let (_, sentences) = read("i got one that leaks?");
        assert!(!sentences.is_told(&at(4), &[]));
        assert!(sentences.is_told(&at(4), &[at(1)]), "it arrived so");
        let (_, sentences) = read("why does it leak?");
        assert!(sentences.is_told(&at(3), &[]), "who asks why takes it for granted");
        let (_, sentences) = read("i got one, is it loud?");
        assert!(!sentences.is_told(&at(5), &[at(1)]), "what is asked has a form");
    }
}
