//! Quotations: what stands in a text that is not the customer's own.

use sidecart_catalog::names::Word;

/// Words that a quotation must have to be someone else's; fewer are stressed, not quoted.
const QUOTED_WORDS_MIN: usize = 3;

/// The text with the lines that cite an earlier message blanked out, so that places stay as they were.
pub(super) fn without_cited_lines(text: &str) -> String {
    let line = |line: &str| {
        if line.trim_start().starts_with('>') {
            " ".repeat(line.trim_end().len()) + &line[line.trim_end().len()..]
        } else {
            line.to_owned()
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Which words stand in quotation marks, in a quotation long enough to be someone else's.
pub(super) fn quoted(text: &str, words: &[Word]) -> Vec<bool> {
    let mut quoted = vec![false; words.len()];
    let mut open: Option<(usize, char)> = None;
    for (at, c) in text.char_indices() {
        let closes = open.is_some_and(|(_, opened)| closing(opened).contains(&c));
        if closes {
            let (start, _) = open.take().unwrap_or_default();
            let first = words.partition_point(|word| word.span.start < start);
            let after = words.partition_point(|word| word.span.start < at);
            if after.saturating_sub(first) >= QUOTED_WORDS_MIN {
                quoted[first..after].fill(true);
            }
        } else if open.is_none() && !closing(c).is_empty() {
            open = Some((at, c));
        }
    }
    quoted
}

/// The marks that close a quotation; none when the character opens none. German closes with what English opens with.
const fn closing(open: char) -> &'static [char] {
    match open {
        '"' => &['"'],
        '“' => &['”'],
        '„' => &['“', '”'],
        '«' => &['»'],
        '「' => &['」'],
        '『' => &['』'],
        _ => &[],
    }
}
