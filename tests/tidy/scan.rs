//! Just enough of Rust's lexical rules to count lines of functions.
//!
//! Does not parse: what a macro makes is not seen.

/// The same text with comments and the insides of string and character literals blanked out.
/// Lines stay where they are.
pub(crate) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let fresh = !out.ends_with(is_word);
        let (keep, drop) = skipped(rest, fresh).unwrap_or((first.len_utf8(), 0));
        out.push_str(&rest[..keep]);
        out.extend(rest[keep..keep + drop].chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = &rest[keep + drop..];
    }
    out
}

/// Bytes to keep and then to blank, where a comment or a literal starts.
/// `fresh` says that no word runs into this place.
fn skipped(rest: &str, fresh: bool) -> Option<(usize, usize)> {
    if rest.starts_with("//") {
        return Some((0, rest.find('\n').unwrap_or(rest.len())));
    }
    if rest.starts_with("/*") {
        return Some((0, block_comment(rest)));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        return Some((1, character(inside)));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return Some((1, string(inside)));
    }
    let marks = rest.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let start = rest.len() - marks.len() + hashes + 1;
    let opened = fresh && rest.len() - marks.len() <= 2 && marks[hashes..].starts_with('"');
    opened.then(|| (start, raw_string(&rest[start..], hashes)))
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    for at in 0..rest.len() {
        match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => depth += 1,
            Some(b"*/") if depth == 1 => return at + 2,
            Some(b"*/") => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of the inside of a character literal; 0 for a lifetime.
fn character(inside: &str) -> usize {
    let mut chars = inside.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), Some(escaped)) => {
            let start = 1 + escaped.len_utf8();
            start + inside[start..].find('\'').unwrap_or(0) + 1
        }
        (Some(only), Some('\'')) => only.len_utf8() + 1,
        _ => 0,
    }
}

/// Length of the inside of a string literal, with its closing quote.
fn string(inside: &str) -> usize {
    let mut escaped = false;
    let end = inside.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(inside.len(), |at| at + 1)
}

fn raw_string(inside: &str, hashes: usize) -> usize {
    let end = format!("\"{}", "#".repeat(hashes));
    inside.find(&end).map_or(inside.len(), |at| at + end.len())
}

/// Each function with a body and its lines, from `fn` to the closing brace.
pub(crate) fn function_sizes(code: &str) -> Vec<(String, usize)> {
    let sized = |rest: &str| {
        let rest = rest.strip_prefix(' ')?;
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let body = body_start(rest)?;
        let end = body + body_length(&rest[body..]);
        (!name.is_empty()).then(|| (name, rest[..end].matches('\n').count() + 1))
    };
    words(code, "fn").filter_map(sized).collect()
}

/// Where a body opens, if the signature does not end without one.
fn body_start(signature: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in signature.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn body_length(body: &str) -> usize {
    let mut depth = 0;
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    body.len()
}

/// What follows each place where `word` stands by itself; a word that ends in `::` may run on.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(word).filter_map(move |(at, _)| {
        let rest = &text[at + word.len()..];
        let apart = !text[..at].ends_with(is_word) && (word.ends_with(':') || !rest.starts_with(is_word));
        apart.then_some(rest)
    })
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[test]
fn comments_and_literals_are_blanked() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ { */ d", "a                   d"),
        (r#"f("x{", y)"#, r#"f("   , y)"#),
        (r#"f("\"{", y)"#, r#"f("    , y)"#),
        ("f('{', '\\'', '\"')", "f('  , '   , '  )"),
        ("f::<'a>({ 'b: loop {} })", "f::<'a>({ 'b: loop {} })"),
        ("r#\"{\"}\"#;", "r#\"     ;"),
        ("br\"{\";", "br\"  ;"),
        ("for\"{\";", "for\"  ;"),
        ("é = '{';", "é = '  ;"),
    ];
    for (text, expected) in cases {
        assert_eq!(blank(text), expected, "{text}");
    }
}

#[test]
fn functions_are_measured() {
    let cases: [(&str, &[(&str, usize)]); 6] = [
        ("fn a() {}", &[("a", 1)]),
        ("fn a(\n    x: [u8; 2],\n) {\n    b();\n}\n", &[("a", 5)]),
        ("trait T {\n    fn a();\n    fn b() {\n    }\n}", &[("b", 2)]),
        ("type F = fn(u8) -> u8;", &[]),
        ("fn a() {\n    fn b() {\n    }\n}", &[("a", 4), ("b", 2)]),
        ("fn a() {\n    \"}\";\n    // }\n}", &[("a", 4)]),
    ];
    for (text, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(name, lines)| (name.to_string(), *lines)).collect();
        assert_eq!(function_sizes(&blank(text)), expected, "{text}");
    }
}

#[test]
fn words_stand_by_themselves() {
    let cases = [
        ("Code::Ok", "Code::", 1),
        ("ExitCode::Ok", "Code::", 0),
        ("sled::Db", "sled", 1),
        ("sledge", "sled", 0),
        ("sled, sled", "sled", 2),
    ];
    for (text, word, count) in cases {
        assert_eq!(words(text, word).count(), count, "{word} in {text}");
    }
}
