//! The one way in: every write that is a single request takes this path.

use prost::Message;
use sidecart::v1 as pb;
use sidecart_catalog::{MerchantId, Timestamp, Violation};

use super::{Desk, clock, items::Kind, refusal::fault, work::apart};
use crate::{
    change::{Change, Receipt, Refusal, RequestKey, Submission},
    convert::{id, short},
    limits,
    status::Fault,
};

/// A request that changes something.
pub(crate) trait WriteRequest: Message {
    /// The method's name.
    const METHOD: &'static str;

    /// The tenant, as sent.
    fn merchant_id(&self) -> &str;

    /// What makes it idempotent, as sent; empty when it is not.
    fn request_id(&self) -> &str;
}

macro_rules! write_requests {
    ($($request:ident: $method:literal,)+) => {
        $(impl WriteRequest for pb::$request {
            const METHOD: &'static str = $method;

            fn merchant_id(&self) -> &str {
                &self.merchant_id
            }

            fn request_id(&self) -> &str {
                &self.request_id
            }
        })+
    };
}

write_requests! {
    UpsertProductsRequest: "UpsertProducts",
    SetOffersRequest: "SetOffers",
    DeleteProductsRequest: "DeleteProducts",
    UpsertRulesRequest: "UpsertRules",
    DeleteRulesRequest: "DeleteRules",
    SetPolicyRequest: "SetPolicy",
    DeletePolicyRequest: "DeletePolicy",
    RollBackRequest: "RollBack",
    RecordOrdersRequest: "RecordOrders",
    CompleteFollowUpsRequest: "CompleteFollowUps",
    SetOptOutRequest: "SetOptOut",
}

/// What a write says besides what it asks for.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// Whose it is.
    pub(crate) merchant: MerchantId,
    /// When it was received.
    pub(crate) received: Timestamp,
    request: Option<RequestKey>,
}

impl Envelope {
    /// The envelope of a request received now.
    ///
    /// # Errors
    /// A bad merchant or request id.
    pub(crate) fn of<R: WriteRequest>(request: &R) -> Result<Self, Violation> {
        let merchant = id::merchant(request.merchant_id())?;
        short(request.request_id(), limits::ID_MAX_BYTES, "request_id")?;
        Ok(Self { request: key(request), ..Self::unnamed(merchant) })
    }

    /// The envelope of a write received now that nothing makes idempotent.
    pub(crate) fn unnamed(merchant: MerchantId) -> Self {
        Self { merchant, received: clock::now(), request: None }
    }

    /// The envelope with what it asks for.
    pub(crate) fn around(self, change: Change) -> Submission {
        Submission { merchant: self.merchant, at: self.received, request: self.request, change }
    }
}

fn key<R: WriteRequest>(request: &R) -> Option<RequestKey> {
    if request.request_id().is_empty() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(R::METHOD.as_bytes()).update(&request.encode_to_vec());
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    Some(RequestKey { id: request.request_id().into(), digest })
}

/// What a bulk write is answered with.
pub(crate) struct Written {
    /// From this generation on, reads see it.
    pub(crate) generation: u64,
    /// One for each item, in the order sent.
    pub(crate) outcomes: Vec<pb::ItemOutcome>,
}

impl Desk {
    /// Submits a change made from the field `list` of a request, and waits until it is durable and visible.
    ///
    /// # Errors
    /// The writer refuses it.
    pub(crate) async fn submit(
        &self,
        envelope: Envelope,
        change: Change,
        list: &'static str,
    ) -> Result<Receipt, Fault> {
        let merchant = envelope.merchant.clone();
        self.writer.submit(envelope.around(change)).await.map_err(|refusal| fault(refusal, &merchant, list))
    }

    /// Converts the items of a bulk write, submits those that are right, and tells what became of each.
    ///
    /// When none is right, nothing is submitted.
    ///
    /// # Errors
    /// No items, too many, or the writer refuses the change.
    pub(crate) async fn write<P, T>(
        &self,
        envelope: Envelope,
        kind: &'static Kind<P, T>,
        items: Vec<P>,
    ) -> Result<Written, Fault>
    where
        P: Send + 'static,
        T: Send + 'static,
    {
        let (merchant, received) = (envelope.merchant.clone(), envelope.received);
        let mut sifted = apart(move || kind.sift(items, received)).await??;
        let good = std::mem::take(&mut sifted.good);
        let receipt = match good.is_empty() {
            true => Receipt { generation: self.generation(&merchant), outcomes: Vec::new() },
            false => self.submit(envelope, (kind.change)(good), kind.list).await?,
        };
        // An answer remembered for this request id may be to a request that meant something else when it was made:
        // whether a time lies in the future depends on when one asks.
        let outcomes = sifted.outcomes(receipt.outcomes);
        let outcomes = outcomes.ok_or_else(|| fault(Refusal::RequestIdReused, &merchant, kind.list))?;
        Ok(Written { generation: receipt.generation, outcomes })
    }

    /// The generation being served; 0 when there is none.
    pub(crate) fn generation(&self, merchant: &MerchantId) -> u64 {
        self.registry.slot(merchant.as_str()).map_or(0, |slot| slot.current().snapshot.generation())
    }
}
