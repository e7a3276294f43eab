//! Conversations. Their texts are read as soon as there is a snapshot to read them by, and dropped.

use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use sidecart_rules::Phrases;
use sidecart_scoring::{
    Snapshot,
    conversation::{
        Conversation, Decline, Evidence, Meant, Mention, QuestionKind, Sentiment, State, Step, Understood,
        read, read_assistant,
    },
};

use super::{
    bounds::{at_most, each, required, short},
    enums, id,
};
use crate::limits;

/// Longest language tag, in bytes.
const LANGUAGE_BYTES_MAX: usize = 35;

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    Customer,
    /// Who answers them.
    Assistant,
}

/// A text and who wrote it.
#[derive(Clone)]
pub struct Said {
    /// Who.
    pub speaker: Speaker,
    /// What. Not for logs.
    pub text: String,
}

/// The caller's own labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    question: Option<QuestionKind>,
    sentiment: Option<Sentiment>,
    open_issue: Option<bool>,
    language: Option<Box<str>>,
}

/// A conversation whose texts are still to be read.
pub struct Talk {
    turns: Vec<Said>,
    /// Each with the number of turns before it, ascending.
    outcomes: Vec<(usize, Step)>,
    labels: Labels,
}

impl std::fmt::Debug for Talk {
    /// Without the texts: they are private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk").field("turns", &self.turns.len()).finish_non_exhaustive()
    }
}

impl Labels {
    /// A conversation at a state under these labels.
    pub fn of(&self, state: State) -> Conversation {
        let Self { question, sentiment, open_issue, language } = self.clone();
        Conversation { state, question, sentiment, open_issue, language }
    }

    /// Drops what was said of one turn, once another follows.
    pub fn forget_turn(&mut self) {
        self.question = None;
        self.sentiment = None;
    }
}

impl Said {
    /// What it is to the conversation.
    pub fn read(&self, snapshot: &Snapshot, phrases: &Phrases) -> Step {
        match self.speaker {
            Speaker::Customer => Step::Customer(Box::new(read(snapshot, &self.text, phrases))),
            Speaker::Assistant => Step::Assistant(read_assistant(snapshot, &self.text)),
        }
    }
}

impl Talk {
    /// Whether turns or outcomes come with it.
    pub fn has_steps(&self) -> bool {
        !self.turns.is_empty() || !self.outcomes.is_empty()
    }

    /// The labels alone.
    pub fn into_labels(self) -> Labels {
        self.labels
    }

    /// The conversation, read by a snapshot and the merchant's own phrases.
    pub fn read(self, snapshot: &Snapshot, phrases: &Phrases) -> Conversation {
        let Self { turns, outcomes, labels } = self;
        let mut outcomes = outcomes.into_iter().peekable();
        let mut state = State::default();
        for (at, said) in turns.iter().enumerate() {
            while let Some((_, step)) = outcomes.next_if(|(after, _)| *after <= at) {
                state = state.after(step);
            }
            state = state.after(said.read(snapshot, phrases));
        }
        labels.of(outcomes.fold(state, |state, (_, step)| state.after(step)))
    }
}

/// A conversation.
///
/// # Errors
/// The first fault. Counts are looked at before what is counted.
pub fn from_pb(conversation: pb::Conversation) -> Result<Talk, Violation> {
    let pb::Conversation { turns, question, sentiment, open_issue, language, outcomes } = conversation;
    at_most(&turns, limits::TURNS_MAX, "turns")?;
    let bytes: usize = turns.iter().map(|turn| turn.text.len()).sum();
    if bytes > limits::CONVERSATION_MAX_BYTES {
        let max = limits::CONVERSATION_MAX_BYTES;
        return Err(Violation::new("turns", format!("are {bytes} bytes together, at most {max}")));
    }
    at_most(&outcomes, limits::OUTCOMES_MAX, "outcomes")?;
    short(&language, LANGUAGE_BYTES_MAX, "language")?;
    let labels = Labels {
        question: enums::question::from_pb(question).map_err(|fault| fault.within("question"))?,
        sentiment: enums::sentiment::from_pb(sentiment).map_err(|fault| fault.within("sentiment"))?,
        open_issue,
        language: (!language.is_empty()).then(|| language.into()),
    };
    let after = |outcome: pb::OfferOutcome| {
        let after = outcome.after_turn as usize;
        if after > turns.len() {
            return Err(Violation::new("after_turn", format!("is {after}, of {} turns", turns.len())));
        }
        Ok((after, outcome_from_pb(outcome)?))
    };
    let mut outcomes = each(outcomes, "outcomes", after)?;
    outcomes.sort_by_key(|(after, _)| *after);
    Ok(Talk { turns: each(turns, "turns", turn_from_pb)?, outcomes, labels })
}

/// A turn.
///
/// # Errors
/// Too long, or written by nobody the contract knows.
pub fn turn_from_pb(turn: pb::Turn) -> Result<Said, Violation> {
    let pb::Turn { role, text, at: _ } = turn;
    short(&text, limits::TURN_MAX_BYTES, "text")?;
    let role = enums::known::<pb::Role>(role, "a Role").map_err(|fault| fault.within("role"))?;
    let speaker = match role {
        pb::Role::Unspecified | pb::Role::Customer => Speaker::Customer,
        pb::Role::Assistant => Speaker::Assistant,
    };
    Ok(Said { speaker, text })
}

/// What became of an offer.
///
/// # Errors
/// No product, or nothing that the contract knows became of it.
pub fn outcome_from_pb(outcome: pb::OfferOutcome) -> Result<Step, Violation> {
    let pb::OfferOutcome { product_id, kind, reason, after_turn: _ } = outcome;
    let product = id::product(&product_id)?;
    let kind =
        enums::known::<pb::OutcomeKind>(kind, "an OutcomeKind").map_err(|fault| fault.within("kind"))?;
    let reason = enums::decline::from_pb(reason).map_err(|fault| fault.within("reason"))?;
    match kind {
        pb::OutcomeKind::Unspecified => required(None, "kind"),
        pb::OutcomeKind::Shown => Ok(Step::Shown(product)),
        pb::OutcomeKind::Declined => Ok(Step::Declined(product, reason.unwrap_or(Decline::NoThanks))),
        pb::OutcomeKind::Bought => Ok(Step::Bought(product)),
    }
}

/// What changed in a conversation.
///
/// # Errors
/// Nothing that the contract knows.
pub fn change_from_pb(change: i32) -> Result<Step, Violation> {
    match enums::known::<pb::ConversationChange>(change, "a ConversationChange")? {
        pb::ConversationChange::Unspecified => required(None, ""),
        pb::ConversationChange::IssueOpened => Ok(Step::IssueOpened),
        pb::ConversationChange::IssueClosed => Ok(Step::IssueClosed),
        pb::ConversationChange::OptedOut => Ok(Step::OptedOut),
    }
}

/// Whether the phrases that spoke are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// They are.
    Evidence,
    /// They are not.
    Findings,
}

/// What was understood.
pub fn understanding_to_pb(understood: Understood, telling: Telling) -> pb::Understanding {
    let Understood {
        mentions,
        question,
        readiness,
        sentiment,
        offers_differ,
        retry_after_turns: _,
        evidence,
    } = understood;
    let evidence = if telling == Telling::Evidence { evidence } else { Vec::new() };
    pb::Understanding {
        mentions: mentions.into_iter().map(mention_to_pb).collect(),
        question: enums::question::to_pb(question).into(),
        readiness: enums::readiness::to_pb(readiness).into(),
        sentiment: enums::sentiment::to_pb(sentiment).into(),
        offers_differ,
        evidence: evidence.into_iter().map(evidence_to_pb).collect(),
    }
}

fn mention_to_pb(mention: Mention) -> pb::Mention {
    let Mention { span, meant, confidence, runner_up, role } = mention;
    let (runner_up, runner_up_confidence) =
        runner_up.map_or((None, 0.0), |(meant, confidence)| (Some(meaning(meant)), confidence));
    pb::Mention {
        start: offset(span.start),
        end: offset(span.end),
        meaning: Some(meaning(meant)),
        confidence: confidence.into(),
        runner_up,
        runner_up_confidence: runner_up_confidence.into(),
        role: enums::mention_role::to_pb(role).into(),
    }
}

fn meaning(meant: Meant) -> pb::Meaning {
    match meant {
        Meant::Product(id) => pb::Meaning { product_id: id.to_string(), ..pb::Meaning::default() },
        Meant::Family { family, first } => {
            pb::Meaning { product_id: first.to_string(), family_id: family.into(), category_path: Vec::new() }
        }
        Meant::Category(path) => {
            pb::Meaning { category_path: path.names().map(str::to_owned).collect(), ..pb::Meaning::default() }
        }
    }
}

fn evidence_to_pb(evidence: Evidence) -> pb::PhraseEvidence {
    let Evidence { from, to, rule } = evidence;
    pb::PhraseEvidence { start: offset(from), end: offset(to), rule: rule.to_owned() }
}

/// A place in a text, which is at most a few KiB long.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
