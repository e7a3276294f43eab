//! `AffinityService`.

use sidecart::v1::{self as pb, affinity_service_server::AffinityService};
use sidecart_catalog::MerchantId;
use tonic::{Request, Response, Status, async_trait};

use super::{Desk, refusal};
use crate::{
    convert::{decision::LEARNED, id, model},
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
        let anchor = id::product(&anchor_id)
            .map_err(|fault| sidecart_catalog::Violation::new("anchor_id", fault.description))?;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let affinities =
            view.snapshot.model().bought_with(&anchor).into_iter().map(|affinity| pb::Affinity {
                anchor_id: anchor_id.clone(),
                target_id: affinity.target.to_string(),
                kind: pb::AffinityKind::BoughtWith.into(),
                score: affinity.chance.into(),
                support: affinity.support.into(),
                provenance: LEARNED.to_owned(),
                lift: affinity.lift.into(),
            });
        Ok(pb::ListAffinitiesResponse {
            affinities: affinities.collect(),
            generation: view.snapshot.generation(),
        })
    }
}

/// What a failure to learn is answered with.
fn told(fault: LearnError, merchant: &MerchantId) -> Fault {
    match fault {
        LearnError::Nobody => Fault::not_found("merchant", merchant.as_str()),
        LearnError::Collapsed(why) => {
            let description =
                format!("the new model is not served: {why}; accept_collapse serves it all the same");
            Fault::precondition("MODEL_COLLAPSED", merchant.as_str(), description)
        }
        LearnError::Refused(refused) => refusal::fault(refused, merchant, ""),
        LearnError::Faulted => Fault::Internal,
    }
}

#[async_trait]
impl AffinityService for Affinities {
    async fn learn_affinities(
        &self,
        request: Request<pb::LearnAffinitiesRequest>,
    ) -> Result<Response<pb::LearnAffinitiesResponse>, Status> {
        Ok(Response::new(self.learn(request.into_inner()).await?))
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
