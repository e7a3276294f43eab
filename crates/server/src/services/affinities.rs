//! `AffinityService`.

use futures_util::Stream;
use sidecart::v1::{self as pb, affinity_service_server::AffinityService};
use sidecart_catalog::{MerchantId, ProductId, Violation};
use sidecart_scoring::{AffinityKind, imported::IMPORTED_MAX, model::Affinity};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Desk,
    items::AFFINITIES,
    refusal,
    upload::{self, Upload},
    write::Envelope,
};
use crate::{
    change::Change,
    convert::{affinity, id, model},
    edge::Deadline,
    learner::{Effort, LearnError, Learned, Learner, OnCollapse},
    status::Fault,
};

/// Answers `AffinityService`.
#[derive(Clone)]
pub(crate) struct Affinities {
    desk: Desk,
    learner: Learner,
}

impl Affinities {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk, learner: Learner) -> Self {
        Self { desk, learner }
    }

    /// Learns in a task of its own: a caller that gives up half-way changes nothing.
    async fn learn(&self, request: pb::LearnAffinitiesRequest) -> Result<pb::LearnAffinitiesResponse, Fault> {
        let pb::LearnAffinitiesRequest { merchant_id, accept_collapse } = request;
        self.desk.slot(&merchant_id)?;
        let merchant = id::merchant(&merchant_id)?;
        let on_collapse = if accept_collapse { OnCollapse::Accept } else { OnCollapse::Refuse };
        let (learner, of) = (self.learner.clone(), merchant.clone());
        let learning = tokio::spawn(async move { learner.learn(&of, on_collapse, Effort::Full).await });
        let Learned { generation, model } =
            learning.await.map_err(|_| Fault::Internal)?.map_err(|fault| told(fault, &merchant))?;
        Ok(pb::LearnAffinitiesResponse { generation, model: Some(model::to_pb(&model)) })
    }

    async fn get(
        &self,
        request: pb::GetModelRequest,
        deadline: Deadline,
    ) -> Result<pb::GetModelResponse, Fault> {
        let pb::GetModelRequest { merchant_id, min_generation } = request;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let served = view.snapshot.model();
        if served.is_empty() {
            return Err(Fault::not_found("model", merchant_id));
        }
        Ok(pb::GetModelResponse { model: Some(model::to_pb(served)), generation: view.snapshot.generation() })
    }

    async fn list(
        &self,
        request: pb::ListAffinitiesRequest,
        deadline: Deadline,
    ) -> Result<pb::ListAffinitiesResponse, Fault> {
        let pb::ListAffinitiesRequest { merchant_id, anchor_id, min_generation } = request;
        let anchor =
            id::product(&anchor_id).map_err(|fault| Violation::new("anchor_id", fault.description))?;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let imported = view.snapshot.imported().of(&anchor_id);
        let model = view.snapshot.model();
        let learned = |list: Vec<Affinity<'_>>, kind: AffinityKind| {
            let of_kind = || imported.iter().filter(move |it| it.kind == kind);
            let is_imported = |target: &ProductId| of_kind().any(|it| it.target == *target);
            let list = list.into_iter().filter(|affinity| !is_imported(affinity.target));
            list.map(|it| affinity::learned_to_pb(&anchor, kind, &it)).collect::<Vec<_>>()
        };
        let with = learned(model.bought_with(&anchor), AffinityKind::BoughtWith);
        let after = learned(model.bought_after(&anchor), AffinityKind::BoughtAfter);
        Ok(pb::ListAffinitiesResponse {
            affinities: imported.iter().map(affinity::to_pb).chain(with).chain(after).collect(),
            generation: view.snapshot.generation(),
        })
    }
}

/// What a failure to learn is answered with.
fn told(fault: LearnError, merchant: &MerchantId) -> Fault {
    match fault {
        LearnError::Nobody => Fault::not_found("merchant", merchant.as_str()),
        LearnError::NoOrders => {
            let description = "there is no order to learn from; RecordOrders and ImportOrders take them";
            Fault::precondition("NO_ORDERS", merchant.as_str(), description)
        }
        LearnError::Busy => Fault::exhausted("LEARNING_FULL", "too many models are waiting to be learned"),
        LearnError::Collapsed(why) => {
            let description =
                format!("the new model is not served: {why}; accept_collapse serves it all the same");
            Fault::precondition("MODEL_COLLAPSED", merchant.as_str(), description)
        }
        LearnError::Refused(refused) => refusal::fault(refused, merchant, ""),
        LearnError::Faulted => Fault::Internal,
    }
}

/// Takes affinities as the whole of what was imported, or refuses all of them.
async fn import<S>(desk: &Desk, messages: S) -> Result<pb::ImportAffinitiesResponse, Status>
where
    S: Stream<Item = Result<pb::ImportAffinitiesRequest, Status>> + Unpin,
{
    let _place = desk.room.take()?;
    let upload = Upload::open(messages).await?;
    let envelope = Envelope::unnamed(upload.merchant.clone());
    let merchant = upload.merchant.clone();
    let affinities = upload::gather(upload, &AFFINITIES, IMPORTED_MAX, envelope.received).await?;
    let received_count = affinities.len() as u64;
    let receipt = desk.submit(envelope, Change::ImportAffinities(affinities), AFFINITIES.list).await?;
    let kept = desk.slot(merchant.as_str())?.current().snapshot.imported().len();
    Ok(pb::ImportAffinitiesResponse {
        generation: receipt.generation,
        received_count,
        kept_count: kept as u64,
    })
}

#[async_trait]
impl AffinityService for Affinities {
    async fn learn_affinities(
        &self,
        request: Request<pb::LearnAffinitiesRequest>,
    ) -> Result<Response<pb::LearnAffinitiesResponse>, Status> {
        Ok(Response::new(self.learn(request.into_inner()).await?))
    }

    async fn import_affinities(
        &self,
        request: Request<Streaming<pb::ImportAffinitiesRequest>>,
    ) -> Result<Response<pb::ImportAffinitiesResponse>, Status> {
        Ok(Response::new(import(&self.desk, request.into_inner()).await?))
    }

    async fn get_model(
        &self,
        request: Request<pb::GetModelRequest>,
    ) -> Result<Response<pb::GetModelResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.get(request.into_inner(), deadline).await?))
    }

    async fn list_affinities(
        &self,
        request: Request<pb::ListAffinitiesRequest>,
    ) -> Result<Response<pb::ListAffinitiesResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.list(request.into_inner(), deadline).await?))
    }
}
