//! One request for offers, from message to answer: the path that `Recommend`, batches, explanations and simulations
//! share.

use prost::Message;
use sidecart::v1 as pb;
use sidecart_catalog::{ProductId, Timestamp, Violation};
use sidecart_scoring::{
    Decision, Query, Snapshot, TraceEntry, conversation::Conversation, recommend, traced,
};

use crate::{
    convert::{
        conversation::Telling,
        decision::{self, Label},
        query::{self, Draft},
        time,
    },
    sessions::SessionKey,
    status::Fault,
};

/// A request that was read, and waits for a snapshot.
pub(crate) struct Asked {
    /// The request as it is named in decisions: with its merchant and moment filled in.
    encoded: Vec<u8>,
    draft: Draft,
    tells: Tells,
}

/// Whether an answer comes with its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    /// Offers only.
    Offers,
    /// What stopped each candidate, too.
    Trace,
}

/// A request under the policies of a snapshot.
pub(crate) struct Ready {
    encoded: Vec<u8>,
    /// What is asked.
    pub(crate) query: Query,
    tells: Tells,
    /// Which conversation it is asked in, and after which message; empty where the request says all.
    moment: Vec<u8>,
}

/// A conversation that a request is asked in, and where it stands.
pub(crate) struct Talking<'a> {
    pub(crate) conversation: Conversation,
    pub(crate) key: &'a SessionKey,
    pub(crate) sequence: u64,
}

impl Asked {
    /// Reads a request of a merchant, to be answered for `now` unless it says when.
    ///
    /// # Errors
    /// The first fault.
    pub(crate) fn read(
        mut request: pb::RecommendRequest,
        merchant_id: &str,
        now: Timestamp,
    ) -> Result<Self, Violation> {
        merchant_id.clone_into(&mut request.merchant_id);
        request.at.get_or_insert_with(|| time::to_pb(now));
        let encoded = request.encode_to_vec();
        let tells = if request.explain { Tells::Trace } else { Tells::Offers };
        Ok(Self { encoded, draft: query::from_pb(request, now)?, tells })
    }

    /// The request under the policies of a snapshot.
    ///
    /// # Errors
    /// It names a policy that the merchant does not have.
    pub(crate) fn under(self, snapshot: &Snapshot) -> Result<Ready, Fault> {
        let Self { encoded, draft, tells } = self;
        Ok(Ready { encoded, query: draft.under(snapshot)?, tells, moment: Vec::new() })
    }
}

impl Ready {
    /// The answer from a snapshot.
    pub(crate) fn answer(&self, snapshot: &Snapshot) -> pb::RecommendResponse {
        let (decision, trace) = match self.tells {
            Tells::Offers => (recommend(snapshot, &self.query), Vec::new()),
            Tells::Trace => traced(snapshot, &self.query),
        };
        self.render(decision, trace, snapshot)
    }

    /// The answer that a decision is.
    pub(crate) fn render(
        &self,
        decision: Decision,
        trace: Vec<TraceEntry>,
        snapshot: &Snapshot,
    ) -> pb::RecommendResponse {
        let generation = snapshot.generation();
        let telling = if self.tells == Tells::Trace { Telling::Evidence } else { Telling::Findings };
        decision::to_pb(decision, trace, Label { decision_id: self.name(generation), generation, telling })
    }

    /// Whether the answer comes with its trace.
    pub(crate) fn tells(&self) -> Tells {
        self.tells
    }

    /// The same request, of which these products may not be offered.
    #[must_use]
    pub(crate) fn without(mut self, taken: &[ProductId]) -> Self {
        self.query.taken = taken.to_vec();
        self
    }

    /// The same request in a conversation.
    #[must_use]
    pub(crate) fn in_conversation(mut self, talking: Talking<'_>) -> Self {
        let Talking { conversation, key, sequence } = talking;
        self.query.conversation = Some(conversation);
        self.moment = [key.session.as_bytes(), &sequence.to_le_bytes()].concat();
        self
    }

    /// Names the answer to this request from a generation: the first 16 bytes of BLAKE3, in hex.
    fn name(&self, generation: u64) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&generation.to_le_bytes()).update(&self.encoded).update(&self.moment);
        for product in &self.query.taken {
            hasher.update(&[0]).update(product.as_str().as_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}
