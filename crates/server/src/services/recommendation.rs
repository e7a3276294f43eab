//! `RecommendationService`.

use std::sync::Arc;

use sidecart::v1::{self as pb, recommendation_service_server::RecommendationService};
use sidecart_catalog::ProductId;
use sidecart_scoring::{Snapshot, explain, traced};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Desk,
    asked::{Asked, Ready, Tells},
    clock,
    converse::{Decisions, decisions},
    work::{apart, in_time},
};
use crate::{
    convert::{at_least_one, decision, id, required},
    edge::Deadline,
    limits,
    status::Fault,
};

/// Answers `RecommendationService`.
#[derive(Clone)]
pub(crate) struct Recommendation {
    desk: Desk,
}

impl Recommendation {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk }
    }

    /// Answered on the async thread: a hop to another costs more than the answer.
    async fn one(
        &self,
        mut request: pb::RecommendRequest,
        deadline: Deadline,
    ) -> Result<pb::RecommendResponse, Fault> {
        let (merchant_id, min_generation) =
            (std::mem::take(&mut request.merchant_id), request.min_generation);
        let turns = request.conversation.iter().flat_map(|conversation| &conversation.turns);
        let is_long = turns.map(|turn| turn.text.len()).sum::<usize>() > limits::READ_INLINE_MAX_BYTES;
        let asked = Asked::read(request, &merchant_id, clock::now())?;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        if is_long {
            return apart(move || Ok(asked.under(&view.snapshot)?.answer(&view.snapshot))).await?;
        }
        let snapshot = &view.snapshot;
        Ok(asked.under(snapshot)?.answer(snapshot))
    }

    async fn batch(
        &self,
        request: pb::BatchRecommendRequest,
        deadline: Deadline,
    ) -> Result<pb::BatchRecommendResponse, Fault> {
        let pb::BatchRecommendRequest { merchant_id, requests, distinct } = request;
        check_batch(&requests)?;
        let min_generation = min_generation(&requests);
        let own = merchant_id.clone();
        let asked = apart(move || read_all(requests, &own, "requests")).await??;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        apart(move || {
            let ready = asked.into_iter().map(|asked| asked.under(&view.snapshot));
            let ready = ready.collect::<Result<Vec<_>, _>>()?;
            let responses = match distinct {
                true => answer_distinctly(ready, &view.snapshot, deadline)?,
                false => {
                    let answer = |ready: &Ready| in_time(deadline).map(|()| ready.answer(&view.snapshot));
                    ready.iter().map(answer).collect::<Result<_, _>>()?
                }
            };
            Ok(pb::BatchRecommendResponse { responses })
        })
        .await?
    }

    async fn why(
        &self,
        request: pb::ExplainRequest,
        deadline: Deadline,
    ) -> Result<pb::ExplainResponse, Fault> {
        let pb::ExplainRequest { request, product_ids } = request;
        let mut request = required(request, "request")?;
        let products = id::products(&product_ids, limits::EXPLAIN_PRODUCTS_MAX, "product_ids")?;
        let (merchant_id, min_generation) =
            (std::mem::take(&mut request.merchant_id), request.min_generation);
        let asked =
            Asked::read(request, &merchant_id, clock::now()).map_err(|fault| fault.within("request"))?;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let ready = asked.under(&view.snapshot)?;
        apart(move || explained(&ready, &products, &view.snapshot)).await
    }
}

/// Refuses a batch by its counts, before anything in it is read.
fn check_batch(requests: &[pb::RecommendRequest]) -> Result<(), Fault> {
    at_least_one(requests, limits::BATCH_MAX, "requests")?;
    let (explained, max) =
        (requests.iter().filter(|request| request.explain).count(), limits::BATCH_EXPLAINED_MAX);
    if explained > max {
        let description = format!("has {explained} entries that ask for the trace, at most {max}");
        return Err(Fault::invalid("requests", description));
    }
    Ok(())
}

/// The generation that all of several requests want to be answered from.
pub(crate) fn min_generation(requests: &[pb::RecommendRequest]) -> u64 {
    requests.iter().map(|request| request.min_generation).max().unwrap_or_default()
}

/// Reads requests of one merchant, from the field `list`; their own merchant may be left out.
///
/// # Errors
/// The first fault, or another merchant.
pub(crate) fn read_all(
    requests: Vec<pb::RecommendRequest>,
    merchant_id: &str,
    list: &str,
) -> Result<Vec<Asked>, Fault> {
    let now = clock::now();
    let read = |(at, request): (usize, pb::RecommendRequest)| {
        if !request.merchant_id.is_empty() && request.merchant_id != merchant_id {
            let description =
                format!("is `{}`, but the request is about `{merchant_id}`", request.merchant_id);
            return Err(Fault::invalid(format!("{list}[{at}].merchant_id"), description));
        }
        let asked = Asked::read(request, merchant_id, now);
        Ok(asked.map_err(|fault| fault.within(&format!("{list}[{at}]")))?)
    };
    requests.into_iter().enumerate().map(read).collect()
}

/// Answers so that no product is offered twice; earlier requests choose first.
fn answer_distinctly(
    ready: Vec<Ready>,
    snapshot: &Snapshot,
    deadline: Deadline,
) -> Result<Vec<pb::RecommendResponse>, Fault> {
    let mut taken: Vec<ProductId> = Vec::new();
    let answer = |ready: Ready| {
        in_time(deadline)?;
        let response = ready.without(&taken).answer(snapshot);
        let offered = response.offers.iter().filter_map(|offer| ProductId::new(&offer.product_id).ok());
        taken.extend(offered);
        Ok(response)
    };
    ready.into_iter().map(answer).collect()
}

/// The answer, with why each of `products`, or each candidate when none is named, is or is not among the offers.
fn explained(ready: &Ready, products: &[ProductId], snapshot: &Arc<Snapshot>) -> pb::ExplainResponse {
    let (decision, trace) = traced(snapshot, &ready.query);
    let explanations = match products {
        [] => trace.clone(),
        products => explain(snapshot, &ready.query, products).1,
    };
    let trace = if ready.tells() == Tells::Trace { trace } else { Vec::new() };
    pb::ExplainResponse {
        response: Some(ready.render(decision, trace, snapshot)),
        explanations: explanations.into_iter().map(decision::trace_to_pb).collect(),
    }
}

#[async_trait]
impl RecommendationService for Recommendation {
    async fn recommend(
        &self,
        request: Request<pb::RecommendRequest>,
    ) -> Result<Response<pb::RecommendResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.one(request.into_inner(), deadline).await?))
    }

    async fn batch_recommend(
        &self,
        request: Request<pb::BatchRecommendRequest>,
    ) -> Result<Response<pb::BatchRecommendResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.batch(request.into_inner(), deadline).await?))
    }

    async fn explain(
        &self,
        request: Request<pb::ExplainRequest>,
    ) -> Result<Response<pb::ExplainResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.why(request.into_inner(), deadline).await?))
    }

    type ConverseStream = Decisions;

    async fn converse(
        &self,
        request: Request<Streaming<pb::ConverseRequest>>,
    ) -> Result<Response<Decisions>, Status> {
        Ok(Response::new(decisions(self.desk.clone(), request.into_inner())))
    }
}
