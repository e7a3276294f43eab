//! The written conversations of `examples/conversations`, played to a server with the demo store.

use std::path::Path;

use crate::server::Server;

#[test]
fn the_written_conversations_are_answered_as_they_say() {
    let server = Server::start(&["--demo"]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/conversations");
    let mut played = 0;
    for language in ["en", "de", "es", "fr", "ja", "other"] {
        let file = folder.join(format!("{language}.jsonl"));
        let ended = server.run(&format!("chat --check {}", file.display()));
        assert_eq!(ended.code, 0, "{language}: {}{}", ended.stdout, ended.stderr);
        played += std::fs::read_to_string(&file).unwrap().lines().count();
    }
    assert!(played >= 40, "{played} conversations");
}

#[test]
fn a_written_conversation_that_checks_nothing_is_refused() {
    let server = Server::start(&["--demo"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some.jsonl");
    let hi = |expect: &str| format!(r#"{{"id": "a", "steps": [{{"customer": "hi", "expect": {expect}}}]}}"#);
    let fine = hi(r#"{"verdict": ["HOLD"]}"#);
    for (text, expected) in [
        (String::new(), "some.jsonl: has no conversation"),
        (r#"{"id": "a", "steps": []}"#.to_owned(), "some.jsonl:1: steps: is empty"),
        (format!("{fine}\n{fine}"), "some.jsonl:2: id: `a` is there twice"),
        (hi(r#"{"verdict": ["PERHAPS"]}"#), "some.jsonl:1: steps[0]: expect.verdict: `PERHAPS` is not known"),
        (hi(r#"{"verdicts": ["OFFER"]}"#), "some.jsonl:1: unknown field `verdicts`"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let ended = server.run(&format!("chat --check {}", file.display()));
        assert_eq!(ended.code, 1, "{text}");
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}

#[test]
fn texts_are_linked_and_judged_in_batches() {
    let server = Server::start(&["--demo"]);
    let folder = tempfile::tempdir().unwrap();
    let (texts, answers) = (folder.path().join("texts.jsonl"), folder.path().join("answers.jsonl"));
    let lines = [
        r#"{"id": "a", "text": "does the orvane v-40 take CFexpress cards?", "kind": "question"}"#,
        r#"{"id": 2, "text": "I want a refund"}"#,
    ];
    std::fs::write(&texts, lines.join("\n")).unwrap();
    let batch = format!("--batch {} --out {}", texts.display(), answers.display());
    let answered = || std::fs::read_to_string(&answers).unwrap();
    assert_eq!(server.run(&format!("link {batch}")).code, 0);
    assert!(answered().starts_with(r#"{"id":"a","product_ids":["orvane-v40"#), "{}", answered());
    assert_eq!(server.run(&format!("chat {batch} --anchor orvane-v20-black")).code, 0);
    let second = answered().lines().nth(1).unwrap().to_owned();
    assert_eq!(second, r#"{"id":2,"verdict":"NEVER","question":"RETURN_OR_REFUND"}"#);

    let long = format!(r#"{{"id": "long", "text": "{}"}}"#, "x".repeat(8_193));
    std::fs::write(&texts, [lines[0], &long].join("\n")).unwrap();
    let refused = server.run(&format!("chat {batch} --anchor orvane-v20-black"));
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains(r#"question "long": INVALID_ARGUMENT"#), "{}", refused.stderr);
}
