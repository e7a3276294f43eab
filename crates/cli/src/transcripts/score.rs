//! How answers compare with what was expected.

use serde::Serialize;
use sidecart::v1 as pb;

use super::format::{Expect, ExpectedMention};
use crate::{out, wire::short_name};

/// From how sure on a mention counts as one.
const TOLD_MIN: f64 = 0.3;

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Share {
    right: usize,
    of: usize,
}

/// What came out, all conversations together.
#[derive(Default, Serialize)]
pub(crate) struct Score {
    pub(super) conversations: usize,
    verdicts: Share,
    questions: Share,
    offers: Share,
    mentions_told: Share,
    mentions_expected: Share,
    roles: Share,
    /// Situations in which only NEVER is right; right is whatever is not an offer.
    never: Share,
    pub(super) failures: Vec<Failure>,
}

/// One thing that came out otherwise.
#[derive(Serialize)]
pub(super) struct Failure {
    /// Conversation and step.
    at: String,
    what: &'static str,
    expected: String,
    got: String,
}

impl Share {
    fn count(&mut self, is_right: bool) {
        self.of += 1;
        self.right += usize::from(is_right);
    }

    fn row(self, name: &str) -> Vec<String> {
        let share =
            if self.of == 0 { String::new() } else { format!("{:.3}", self.right as f64 / self.of as f64) };
        vec![name.to_owned(), format!("{} of {}", self.right, self.of), share]
    }
}

impl Score {
    /// Compares an answer with what was expected of it.
    pub(super) fn compare(
        &mut self,
        at: &str,
        text: Option<&str>,
        expect: &Expect,
        decision: &pb::RecommendResponse,
    ) {
        let Expect { verdict, question, mentions, offer, reason } = expect;
        let understanding = decision.understanding.clone().unwrap_or_default();
        let (got_verdict, got_question) =
            (short_name("Verdict", decision.verdict), short_name("QuestionKind", understanding.question));
        if !verdict.is_empty() {
            let is_right = verdict.contains(&got_verdict);
            self.verdicts.count(is_right);
            if verdict.iter().all(|verdict| verdict == "NEVER") {
                self.never.count(got_verdict != "OFFER");
            }
            let got = format!("{got_verdict} ({})", decision.reason);
            self.note(is_right, at, "verdict", verdict.join(" or "), got);
        }
        if !question.is_empty() {
            let is_right = question.contains(&got_question);
            self.questions.count(is_right);
            self.note(is_right, at, "question", question.join(" or "), got_question);
        }
        if !reason.is_empty() {
            let is_right = reason.contains(&decision.reason);
            self.note(is_right, at, "reason", reason.join(" or "), decision.reason.clone());
        }
        if let Some(first) = decision.offers.first().filter(|_| !offer.is_empty()) {
            let is_right = offer.contains(&first.product_id);
            self.offers.count(is_right);
            self.note(is_right, at, "offer", offer.join(" or "), first.product_id.clone());
        }
        if let (Some(expected), Some(text)) = (mentions, text) {
            self.compare_mentions(at, text, expected, &understanding.mentions);
        }
    }

    fn compare_mentions(&mut self, at: &str, text: &str, expected: &[ExpectedMention], got: &[pb::Mention]) {
        let told: Vec<&pb::Mention> = got.iter().filter(|mention| mention.confidence >= TOLD_MIN).collect();
        for mention in &told {
            let is_right = expected.iter().any(|expected| is_meant(expected, mention));
            self.mentions_told.count(is_right);
            let words = text.get(mention.start as usize..mention.end as usize).unwrap_or_default();
            self.note(
                is_right,
                at,
                "mention",
                "none".into(),
                format!("`{words}` = {}", names(mention).join(" or ")),
            );
        }
        for expected in expected {
            let found = told.iter().find(|mention| is_meant(expected, mention));
            self.mentions_expected.count(found.is_some());
            self.note(found.is_some(), at, "mention", expected.any_of.join(" or "), "none".into());
            if let Some(mention) = found.filter(|_| !expected.role.is_empty()) {
                let role = short_name("MentionRole", mention.role);
                let is_right = expected.role.contains(&role);
                self.roles.count(is_right);
                self.note(is_right, at, "role", expected.role.join(" or "), role);
            }
        }
    }

    fn note(&mut self, is_right: bool, at: &str, what: &'static str, expected: String, got: String) {
        if !is_right {
            self.failures.push(Failure { at: at.to_owned(), what, expected, got });
        }
    }

    /// Prints it for people.
    pub(super) fn show(&self) -> std::io::Result<()> {
        out::line(out::counted(self.conversations as u64, "conversation"))?;
        let shares = [
            ("verdict as expected", self.verdicts),
            ("no offer where only NEVER is right", self.never),
            ("question as expected", self.questions),
            ("offer among those expected", self.offers),
            ("mentions told that are meant", self.mentions_told),
            ("mentions meant that are told", self.mentions_expected),
            ("role as expected", self.roles),
        ];
        out::table(&["WHAT", "COUNT", "SHARE"], shares.into_iter().map(|(name, share)| share.row(name)))?;
        if self.failures.is_empty() {
            return Ok(());
        }
        let row = |it: &Failure| vec![it.at.clone(), it.what.to_owned(), it.expected.clone(), it.got.clone()];
        out::table(&["AT", "WHAT", "EXPECTED", "GOT"], self.failures.iter().map(row))
    }
}

fn is_meant(expected: &ExpectedMention, mention: &pb::Mention) -> bool {
    names(mention).iter().any(|name| expected.any_of.contains(name))
}

/// What a mention is taken for, by the names that a file uses.
fn names(mention: &pb::Mention) -> Vec<String> {
    let pb::Meaning { product_id, family_id, category_path } = mention.meaning.clone().unwrap_or_default();
    let category = category_path.join(" > ");
    let mut names = vec![family_id, category];
    // A family is told by its first variant too.
    names.push(product_id);
    names.retain(|name| !name.is_empty());
    names
}
