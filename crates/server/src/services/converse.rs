//! `Converse`: turns and what became of offers in, decisions out whenever they change.
//!
//! A message is read, becomes a step of its session, and its words are dropped.

use std::pin::Pin;

use futures_util::{Stream, stream};
use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use sidecart_scoring::conversation::Step;
use tonic::{Extensions, Status, Streaming};

use super::{
    Desk,
    asked::{Asked, Talking},
    clock, refusal,
};
use crate::{
    convert::{
        conversation::{Labels, Said, Speaker, change_from_pb, outcome_from_pb, turn_from_pb},
        id, required, short,
    },
    edge::Deadline,
    limits::{ID_MAX_BYTES, SEQUENCE_MAX},
    sessions::{Full, SessionKey},
    status::Fault,
};

/// Decisions, each another than the one before.
pub(crate) type Decisions = Pin<Box<dyn Stream<Item = Result<pb::ConverseResponse, Status>> + Send>>;

/// A stream under way.
struct Following {
    desk: Desk,
    messages: Streaming<pb::ConverseRequest>,
    /// Who, where, and what the shopper has before them, once it was said.
    context: Option<Context>,
    /// The last decision sent, without what names it.
    told: Option<pb::RecommendResponse>,
}

/// The context of a conversation, as it was last said.
#[derive(Clone)]
struct Context {
    key: SessionKey,
    request: pb::RecommendRequest,
    labels: Labels,
}

/// What a message says, besides its context.
enum Happened {
    Said(Said),
    Step(Step),
}

impl Happened {
    fn is_said_by_customer(&self) -> bool {
        matches!(self, Self::Said(said) if said.speaker == Speaker::Customer)
    }
}

/// What is wrong with a message that could not be received: if it is the caller's fault, it says so.
fn received(status: Status) -> Status {
    Fault::unreadable(&status).map_or(status, Status::from)
}

/// The decisions of a conversation. Ends when the caller has said all, and when the server does.
pub(crate) fn decisions(desk: Desk, messages: Streaming<pb::ConverseRequest>) -> Decisions {
    let following = Following { desk, messages, context: None, told: None };
    Box::pin(stream::unfold(Some(following), |following| async {
        let mut following = following?;
        match following.next().await {
            Ok(response) => response.map(|response| (Ok(response), Some(following))),
            Err(status) => Some((Err(status), None)),
        }
    }))
}

impl Following {
    /// The next decision worth telling. `None`: the caller has said all.
    async fn next(&mut self) -> Result<Option<pb::ConverseResponse>, Status> {
        loop {
            let message = tokio::select! {
                message = self.messages.message() => message.map_err(received)?,
                () = self.desk.closing.closed() => return Err(refusal::shutting_down().into()),
            };
            let Some(message) = message else { return Ok(None) };
            if let Some(response) = self.take(message).await? {
                return Ok(Some(response));
            }
        }
    }

    /// Takes one message in; the decision if it is another one, or is asked for.
    async fn take(&mut self, message: pb::ConverseRequest) -> Result<Option<pb::ConverseResponse>, Fault> {
        let pb::ConverseRequest { context, sequence, what, answer } = message;
        if sequence > SEQUENCE_MAX {
            return Err(Violation::new("sequence", format!("is {sequence}, at most {SEQUENCE_MAX}")).into());
        }
        let is_first = self.context.is_none();
        let has_context = context.is_some();
        if let Some(context) = context {
            let same = self.context.as_ref().map(|known| &known.key);
            self.context = Some(Context::read(context, same).map_err(|fault| fault.within("context"))?);
        }
        let known = required(self.context.as_mut(), "context")?;
        let happened = what.map(happened).transpose()?;
        if !has_context && happened.as_ref().is_some_and(Happened::is_said_by_customer) {
            known.labels.forget_turn();
        }
        let Context { key, request, labels } = known.clone();
        let min_generation = request.min_generation;
        let view = self
            .desk
            .view(key.merchant.as_str(), min_generation, Deadline::of(&Extensions::default()))
            .await?;
        let snapshot = &view.snapshot;
        let asked = Asked::read(request, key.merchant.as_str(), clock::now())
            .map_err(|fault| fault.within("context"))?;
        let ready = asked.under(snapshot)?;
        let step = happened.map(|happened| match happened {
            Happened::Said(said) => said.read(snapshot, ready.query.policy.phrases()),
            Happened::Step(step) => step,
        });
        let standing = self.desk.sessions.step(&key, sequence, step).map_err(|full| no_room(full, &key))?;
        let talking =
            Talking { conversation: labels.of(standing.state), key: &key, sequence: standing.sequence };
        let decision = ready.in_conversation(talking).answer(snapshot);
        let told = pb::RecommendResponse {
            decision_id: String::new(),
            generation: 0,
            understanding: None,
            ..decision.clone()
        };
        let is_new = self.told.as_ref() != Some(&told);
        self.told = Some(told);
        let is_told = answer || is_first || is_new;
        let response = pb::ConverseResponse { sequence: standing.sequence, decision: Some(decision) };
        Ok(is_told.then_some(response))
    }
}

impl Context {
    /// Reads a context; a later one of a stream is of the same conversation.
    fn read(mut request: pb::RecommendRequest, same: Option<&SessionKey>) -> Result<Self, Violation> {
        short(&request.session_id, ID_MAX_BYTES, "session_id")?;
        let key = match same {
            Some(same) if request.merchant_id.is_empty() && request.session_id.is_empty() => same.clone(),
            _ if request.session_id.is_empty() => return Err(Violation::new("session_id", "is required")),
            _ => SessionKey {
                merchant: id::merchant(&request.merchant_id)?,
                session: request.session_id.as_str().into(),
            },
        };
        if same.is_some_and(|same| *same != key) {
            return Err(Violation::new("session_id", "is of another conversation than the stream"));
        }
        let talk = request.conversation.take().unwrap_or_default();
        let talk =
            crate::convert::conversation::from_pb(talk).map_err(|fault| fault.within("conversation"))?;
        if talk.has_steps() {
            return Err(Violation::new("conversation", "has turns or outcomes: here they come one by one"));
        }
        // It is a conversation even before anything is said: the surface and the policy follow from that.
        request.conversation = Some(pb::Conversation::default());
        Ok(Self { key, request, labels: talk.into_labels() })
    }
}

fn happened(what: pb::converse_request::What) -> Result<Happened, Violation> {
    use pb::converse_request::What;
    Ok(match what {
        What::Turn(turn) => Happened::Said(turn_from_pb(turn).map_err(|fault| fault.within("turn"))?),
        What::Outcome(outcome) => {
            Happened::Step(outcome_from_pb(outcome).map_err(|fault| fault.within("outcome"))?)
        }
        What::Change(change) => {
            Happened::Step(change_from_pb(change).map_err(|fault| fault.within("change"))?)
        }
    })
}

fn no_room(full: Full, key: &SessionKey) -> Fault {
    let (reason, description) = match full {
        Full::Server => ("SESSIONS_FULL", "too many conversations are remembered".to_owned()),
        Full::Merchant => {
            ("SESSIONS_OF_MERCHANT_FULL", format!("merchant `{}` has too many conversations", key.merchant))
        }
    };
    Fault::exhausted(reason, description)
}
