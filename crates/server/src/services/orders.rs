//! `OrderService`.

use sidecart::v1::{self as pb, order_service_server::OrderService};
use sidecart_catalog::OrderId;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Desk, import,
    items::ORDERS,
    write::{Envelope, Written},
};
use crate::{convert::order, edge::Deadline, status::Fault};

/// Answers `OrderService`.
#[derive(Clone)]
pub(crate) struct OrderDesk {
    desk: Desk,
}

impl OrderDesk {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk }
    }

    async fn record(&self, request: pb::RecordOrdersRequest) -> Result<pb::RecordOrdersResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let Written { generation, outcomes } = self.desk.write(envelope, &ORDERS, request.orders).await?;
        Ok(pb::RecordOrdersResponse { generation, outcomes })
    }

    async fn get(
        &self,
        request: pb::GetOrderRequest,
        deadline: Deadline,
    ) -> Result<pb::GetOrderResponse, Fault> {
        let pb::GetOrderRequest { merchant_id, order_id, min_generation } = request;
        OrderId::new(&order_id).map_err(|fault| fault.within("order_id"))?;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let found = view.snapshot.orders().get(&order_id);
        let found = found.ok_or_else(|| Fault::not_found("order", order_id))?;
        Ok(pb::GetOrderResponse {
            order: Some(order::to_pb(found)),
            bought: order::bought_to_pb(found),
            generation: view.snapshot.generation(),
        })
    }
}

#[async_trait]
impl OrderService for OrderDesk {
    async fn record_orders(
        &self,
        request: Request<pb::RecordOrdersRequest>,
    ) -> Result<Response<pb::RecordOrdersResponse>, Status> {
        Ok(Response::new(self.record(request.into_inner()).await?))
    }

    async fn import_orders(
        &self,
        request: Request<Streaming<pb::ImportOrdersRequest>>,
    ) -> Result<Response<pb::ImportOrdersResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(import::orders(&self.desk, request.into_inner(), deadline).await?))
    }

    async fn get_order(
        &self,
        request: Request<pb::GetOrderRequest>,
    ) -> Result<Response<pb::GetOrderResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.get(request.into_inner(), deadline).await?))
    }
}
