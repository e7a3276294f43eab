//! The part of the table that is about conversations, and phrases of policies that are looked for in them.

use sidecart::v1 as pb;

use super::build::*;

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    [turns(), outcomes(), labels(), phrases(), streamed()].into_iter().flatten().collect()
}

fn bad_talk(name: &'static str, spoil: impl FnOnce(&mut pb::Conversation), at: &str) -> Case {
    let mut conversation = pb::Conversation { turns: vec![said("Does it fit?")], ..Default::default() };
    spoil(&mut conversation);
    bad_ask(name, |ask| ask.conversation = Some(conversation), &format!("conversation.{at}"))
}

fn said(text: &str) -> pb::Turn {
    pb::Turn { role: pb::Role::Customer.into(), text: text.into(), at: None }
}

fn became(spoil: impl FnOnce(&mut pb::OfferOutcome)) -> Vec<pb::OfferOutcome> {
    let kind = pb::OutcomeKind::Shown.into();
    let mut outcome = pb::OfferOutcome { product_id: "card".into(), kind, ..Default::default() };
    spoil(&mut outcome);
    vec![outcome]
}

fn turns() -> Vec<Case> {
    let long = said(&"é".repeat(4_097));
    let many = vec![said("Does it fit?"); 201];
    let much = vec![said(&"x".repeat(8_192)); 17];
    let by_nobody = pb::Turn { role: 9, ..said("Does it fit?") };
    let in_batch = asked(|ask| {
        ask.conversation = Some(pb::Conversation { question: 99, ..Default::default() });
    });
    vec![
        bad_talk("conversation: long turn", |talk| talk.turns.push(long), "turns[1].text"),
        bad_talk("conversation: many turns", |talk| talk.turns = many, "turns"),
        bad_talk("conversation: long together", |talk| talk.turns = much, "turns"),
        bad_talk("conversation: role", |talk| talk.turns.push(by_nobody), "turns[1].role"),
        field(
            "conversation: batch",
            BATCH_RECOMMEND,
            batch(vec![in_batch]),
            "requests[0].conversation.question",
        ),
    ]
}

fn outcomes() -> Vec<Case> {
    let many = vec![became(|_| {}).remove(0); 101];
    let bad = |name, spoil: fn(&mut pb::OfferOutcome), at: &str| {
        bad_talk(name, |talk| talk.outcomes = became(spoil), &format!("outcomes[0].{at}"))
    };
    vec![
        bad("conversation: outcome of nothing", |outcome| outcome.product_id.clear(), "product_id"),
        bad("conversation: no outcome", |outcome| outcome.kind = 0, "kind"),
        bad("conversation: unknown outcome", |outcome| outcome.kind = 9, "kind"),
        bad("conversation: after no turn", |outcome| outcome.after_turn = 2, "after_turn"),
        bad("conversation: unknown reason", |outcome| outcome.reason = 9, "reason"),
        bad_talk("conversation: many outcomes", |talk| talk.outcomes = many, "outcomes"),
    ]
}

fn labels() -> Vec<Case> {
    vec![
        bad_talk("conversation: question", |talk| talk.question = 99, "question"),
        bad_talk("conversation: sentiment", |talk| talk.sentiment = -1, "sentiment"),
        bad_talk("conversation: language", |talk| talk.language = "x".repeat(36), "language"),
    ]
}

/// Messages of a stream that cannot be read.
fn streamed() -> Vec<Case> {
    let case = |name, message: &[u8], field: &str| Case {
        name,
        path: CONVERSE,
        messages: vec![message.to_vec()],
        expect: Expect::Field(field.into()),
    };
    vec![
        case("conversation: no message at all", b"\xff\xff\xff", ""),
        // A context whose first field is a string of one byte that is not UTF-8.
        case("conversation: text that is no UTF-8", b"\x0a\x03\x0a\x01\xff", "context.merchant_id"),
    ]
}

fn phrases() -> Vec<Case> {
    let bad = |name, phrases: pb::ConversationPhrases, at: &str| {
        field(name, SET_POLICY, policy("p", |policy| policy.phrases = Some(phrases)), at)
    };
    let offer = |phrases: Vec<String>| pb::ConversationPhrases { offer: phrases, never: Vec::new() };
    let never = |phrases: Vec<String>| pb::ConversationPhrases { offer: Vec::new(), never: phrases };
    let words = |count: usize| vec!["gift"; count].join(" ");
    vec![
        bad("phrases: empty", never(vec!["lawyer".into(), "".into()]), "policy.phrases.never[1]"),
        bad("phrases: no word", offer(vec!["?!".into()]), "policy.phrases.offer[0]"),
        bad("phrases: long", offer(vec!["x".repeat(65)]), "policy.phrases.offer[0]"),
        bad("phrases: control character", never(vec!["law\u{7}yer".into()]), "policy.phrases.never[0]"),
        bad("phrases: many", never(vec!["lawyer".into(); 33]), "policy.phrases.never"),
        bad("phrases: many words", offer(vec![words(12).replace("gift", "a b")]), "policy.phrases.offer[0]"),
    ]
}
