//! `chat`: a conversation in the terminal, as the customer writes it.
//!
//! Each line is a turn; lines that begin with `/` say what became of the offer. Offers that are printed count as shown.

use std::{fmt::Write as _, io::IsTerminal, io::stdin};

use anyhow::{Context, Result, anyhow};
use sidecart::v1::{self as pb, converse_request::What};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming};

use crate::{
    args::ChatArgs,
    out::{self, Output},
    remote::Remote,
    wire::short_name,
};

/// Messages that wait to be sent.
const QUEUE_MAX: usize = 4;
/// What a line that begins with `/` may say.
const COMMANDS: &str = "/no (thanks), /dear (too expensive), /have (one already), /later, /buy, /issue, /closed, /stop (no offers), /quit";

/// A conversation under way.
struct Talk {
    sender: mpsc::Sender<pb::ConverseRequest>,
    answers: Streaming<pb::ConverseResponse>,
    output: Output,
    /// The offer that was shown last.
    shown: Option<String>,
}

/// Follows a conversation, line by line, until the input ends.
pub(crate) async fn chat(remote: &Remote, args: ChatArgs, output: Output) -> Result<()> {
    let ChatArgs { context, session, language, policy, .. } = args;
    let mut context = context.on_a_product_page().into_request(remote.merchant.clone(), policy, None)?;
    context.session_id = session.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    context.surface = pb::Surface::Chat.into();
    context.explain = true;
    context.conversation =
        Some(pb::Conversation { language: language.unwrap_or_default(), ..Default::default() });
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let first = pb::ConverseRequest { context: Some(context), answer: true, ..Default::default() };
    sender.send(first).await?;
    // A conversation has no deadline: people take their time.
    let call = Request::new(ReceiverStream::new(receiver));
    let mut answers = remote.client.recommendation().converse(call).await?.into_inner();
    let first = answers.message().await?.context("the server has nothing to say")?;
    let unknown = first.decision.map(|decision| decision.unknown_ids).unwrap_or_default();
    if !unknown.is_empty() {
        out::note(format!("the catalog does not have {}", unknown.join(", ")));
    }
    let mut talk = Talk { sender, answers, output, shown: None };
    let is_terminal = stdin().is_terminal();
    if is_terminal {
        out::note(format!("You are the customer. {COMMANDS}"));
    }
    let mut lines = spawn_lines();
    while let Some(line) = lines.recv().await {
        let line = line?;
        match line.trim() {
            "" => {}
            "/quit" => break,
            line => talk.take(line, is_terminal).await?,
        }
    }
    talk.end().await
}

/// The lines of standard input, read apart, for it cannot be waited for.
fn spawn_lines() -> mpsc::Receiver<std::io::Result<String>> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in stdin().lines() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Talk {
    /// Says a line, prints what it calls for, and reports an offer as shown.
    async fn take(&mut self, line: &str, is_terminal: bool) -> Result<()> {
        let what = match self.what(line) {
            Ok(what) => what,
            Err(why) => {
                out::note(why);
                return Ok(());
            }
        };
        let response = self.ask(what).await?;
        let decision = response.decision.unwrap_or_default();
        match self.output {
            Output::Json => out::message(&decision)?,
            Output::Table => {
                if !is_terminal {
                    out::line(format!("> {line}"))?;
                }
                out::line(told(line, &decision).trim_end())?;
            }
        }
        if let Some(offer) = decision.offers.first() {
            let outcome = outcome(&offer.product_id, pb::OutcomeKind::Shown, pb::DeclineReason::Unspecified);
            self.ask(outcome).await?;
            self.shown = Some(offer.product_id.clone());
        }
        Ok(())
    }

    /// What a line says; or why it says nothing: it begins with `/` and is no command, or is about an offer and none was
    /// made.
    fn what(&self, line: &str) -> Result<What, String> {
        let became = |kind, reason| {
            let shown = self.shown.as_deref().ok_or_else(|| format!("`{line}`: nothing was offered yet"))?;
            Ok(outcome(shown, kind, reason))
        };
        let declined = |reason| became(pb::OutcomeKind::Declined, reason);
        match line {
            "/no" => declined(pb::DeclineReason::NoThanks),
            "/dear" => declined(pb::DeclineReason::TooExpensive),
            "/have" => declined(pb::DeclineReason::HaveOne),
            "/later" => declined(pb::DeclineReason::Later),
            "/buy" => became(pb::OutcomeKind::Bought, pb::DeclineReason::Unspecified),
            "/issue" => Ok(What::Change(pb::ConversationChange::IssueOpened.into())),
            "/closed" => Ok(What::Change(pb::ConversationChange::IssueClosed.into())),
            "/stop" => Ok(What::Change(pb::ConversationChange::OptedOut.into())),
            line if line.starts_with('/') => Err(format!("`{line}` is none of {COMMANDS}")),
            line => {
                Ok(What::Turn(pb::Turn { role: pb::Role::Customer.into(), text: line.to_owned(), at: None }))
            }
        }
    }

    /// Says that all was said, and waits until the server has heard it.
    async fn end(self) -> Result<()> {
        let Self { sender, mut answers, .. } = self;
        drop(sender);
        while answers.message().await?.is_some() {}
        Ok(())
    }

    async fn ask(&mut self, what: What) -> Result<pb::ConverseResponse> {
        let message = pb::ConverseRequest { what: Some(what), answer: true, ..Default::default() };
        self.sender.send(message).await.map_err(|_| anyhow!("the conversation has ended"))?;
        self.answers.message().await?.context("the conversation has ended")
    }
}

fn outcome(product_id: &str, kind: pb::OutcomeKind, reason: pb::DeclineReason) -> What {
    What::Outcome(pb::OfferOutcome {
        product_id: product_id.to_owned(),
        kind: kind.into(),
        reason: reason.into(),
        after_turn: 0,
    })
}

/// What was understood of a line, and what it calls for, for people.
fn told(line: &str, decision: &pb::RecommendResponse) -> String {
    let mut told = String::new();
    let pb::Understanding { mentions, question, readiness, sentiment, .. } =
        decision.understanding.clone().unwrap_or_default();
    for mention in &mentions {
        let words = line.get(mention.start as usize..mention.end as usize).unwrap_or_default();
        let role = short_name("MentionRole", mention.role);
        // Writing to a string cannot fail.
        let _ = writeln!(
            told,
            "  mention   \"{words}\" = {}, {role}, {:.2}",
            meaning(mention.meaning.as_ref()),
            mention.confidence
        );
        if mention.runner_up.is_some() && mention.runner_up_confidence >= 0.05 {
            let _ = writeln!(
                told,
                "            or {}, {:.2}",
                meaning(mention.runner_up.as_ref()),
                mention.runner_up_confidence
            );
        }
    }
    let (question, readiness) = (short_name("QuestionKind", question), short_name("Readiness", readiness));
    let _ = writeln!(told, "  question  {question}, {readiness}, {}", short_name("Sentiment", sentiment));
    let retry = match decision.retry_after_turns {
        0 => String::new(),
        turns => format!(", ask again after {}", out::counted(turns.into(), "turn")),
    };
    let _ = writeln!(
        told,
        "  verdict   {} ({}){retry}",
        short_name("Verdict", decision.verdict),
        decision.reason
    );
    for offer in &decision.offers {
        let price = super::recommend::price(offer.price.as_ref());
        let _ = writeln!(told, "  offer     {}, {price}, {}", offer.product_id, offer.need);
        let _ = writeln!(told, "  say       {}", offer.safe_to_say);
    }
    told
}

fn meaning(meaning: Option<&pb::Meaning>) -> String {
    let Some(pb::Meaning { product_id, family_id, category_path }) = meaning else { return String::new() };
    match (family_id.as_str(), product_id.as_str()) {
        ("", "") => category_path.join(" > "),
        ("", product) => product.to_owned(),
        (family, _) => format!("family {family}"),
    }
}
