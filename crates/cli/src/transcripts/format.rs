//! The form of a written conversation.

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use sidecart::v1::{self as pb, converse_request::What};

/// One conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transcript {
    pub(super) id: String,
    #[serde(rename = "language", default)]
    _language: String,
    #[serde(rename = "note", default)]
    _note: String,
    #[serde(default)]
    pub(super) opened_on: OpenedOn,
    pub(super) steps: Vec<Step>,
}

/// Where the chat was opened.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OpenedOn {
    stage: Option<String>,
    anchor_ids: Vec<String>,
    cart: Vec<String>,
    order: Vec<String>,
    owned_ids: Vec<String>,
}

/// Something said, or something that happened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) customer: Option<String>,
    assistant: Option<String>,
    event: Option<Event>,
    pub(super) expect: Option<Expect>,
}

/// What became of an offer, or of the conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    kind: String,
    #[serde(default)]
    product_id: String,
    how: Option<String>,
}

/// What should hold right after a step. What is left out may be anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Expect {
    /// Any of these.
    pub(super) verdict: Vec<String>,
    /// Any of these.
    pub(super) question: Vec<String>,
    /// All that the customer names.
    pub(super) mentions: Option<Vec<ExpectedMention>>,
    /// Any of these, where an offer is made.
    pub(super) offer: Vec<String>,
    /// Any of these.
    pub(super) reason: Vec<String>,
}

/// Something that the customer names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedMention {
    /// Ids of products or families, or categories from the top with ` > ` between them.
    pub(super) any_of: Vec<String>,
    #[serde(default)]
    pub(super) role: Vec<String>,
}

impl Transcript {
    /// Whether it can be played, and what it expects be answered.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(!self.id.is_empty(), "id: is empty");
        ensure!(!self.steps.is_empty(), "steps: is empty");
        self.opened_on.request(String::new(), String::new())?;
        for (at, step) in self.steps.iter().enumerate() {
            step.check().with_context(|| format!("steps[{at}]"))?;
        }
        Ok(())
    }
}

impl OpenedOn {
    /// The context of the conversation.
    pub(super) fn request(&self, merchant_id: String, session_id: String) -> Result<pb::RecommendRequest> {
        let line =
            |product_id: &String| pb::CartLine { product_id: product_id.clone(), ..pb::CartLine::default() };
        let stage = self.stage.as_deref().unwrap_or("PRODUCT");
        let stage = pb::Stage::from_str_name(&format!("STAGE_{stage}"));
        let order = (!self.order.is_empty())
            .then(|| pb::Order { lines: self.order.iter().map(line).collect(), ..pb::Order::default() });
        Ok(pb::RecommendRequest {
            merchant_id,
            session_id,
            stage: stage.ok_or_else(|| anyhow!("opened_on.stage: is not a stage"))?.into(),
            surface: pb::Surface::Chat.into(),
            anchor_ids: self.anchor_ids.clone(),
            cart: self.cart.iter().map(line).collect(),
            owned_ids: self.owned_ids.clone(),
            order,
            ..Default::default()
        })
    }
}

impl Step {
    fn check(&self) -> Result<()> {
        self.what()?;
        let Some(expect) = &self.expect else { return Ok(()) };
        let reads = expect.mentions.is_some() || !expect.question.is_empty();
        ensure!(
            !reads || self.customer.is_some(),
            "expect: mentions and question are of what a customer says"
        );
        known("verdict", "VERDICT", &expect.verdict, |name| pb::Verdict::from_str_name(name).is_some())?;
        known("question", "QUESTION_KIND", &expect.question, |name| {
            pb::QuestionKind::from_str_name(name).is_some()
        })?;
        expect.mentions.iter().flatten().try_for_each(|mention| {
            known("mentions.role", "MENTION_ROLE", &mention.role, |name| {
                pb::MentionRole::from_str_name(name).is_some()
            })
        })
    }

    /// What the step tells the server.
    pub(super) fn what(&self) -> Result<What> {
        let turn = |role: pb::Role, text: &String| {
            What::Turn(pb::Turn { role: role.into(), text: text.clone(), at: None })
        };
        match self {
            Self { customer: Some(text), assistant: None, event: None, .. } => {
                Ok(turn(pb::Role::Customer, text))
            }
            Self { customer: None, assistant: Some(text), event: None, .. } => {
                Ok(turn(pb::Role::Assistant, text))
            }
            Self { customer: None, assistant: None, event: Some(event), .. } => event.what(),
            _ => Err(anyhow!("a step is one of customer, assistant and event")),
        }
    }
}

/// Whether all are names of the contract.
fn known(field: &str, prefix: &str, names: &[String], is_known: impl Fn(&str) -> bool) -> Result<()> {
    let unknown = names.iter().find(|name| !is_known(&format!("{prefix}_{name}")));
    unknown.map_or(Ok(()), |name| Err(anyhow!("expect.{field}: `{name}` is not known")))
}

impl Event {
    fn what(&self) -> Result<What> {
        let change = pb::ConversationChange::from_str_name(&format!("CONVERSATION_CHANGE_{}", self.kind));
        if let Some(change) = change {
            return Ok(What::Change(change.into()));
        }
        let kind = pb::OutcomeKind::from_str_name(&format!("OUTCOME_KIND_{}", self.kind));
        let how = self.how.as_deref().unwrap_or("UNSPECIFIED");
        let reason = pb::DeclineReason::from_str_name(&format!("DECLINE_REASON_{how}"));
        let unknown = |what: &str| anyhow!("event.{what}: is not known");
        Ok(What::Outcome(pb::OfferOutcome {
            product_id: self.product_id.clone(),
            kind: kind.ok_or_else(|| unknown("kind"))?.into(),
            reason: reason.ok_or_else(|| unknown("how"))?.into(),
            after_turn: 0,
        }))
    }
}
