//! `SnapshotService`.

use sidecart::v1::{self as pb, snapshot_service_server::SnapshotService};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Desk, compare,
    page::{self, Listing, Page},
    transfer, watch,
    work::apart,
    write::Envelope,
};
use crate::{
    change::Change,
    convert::{id, snapshot},
    edge::Deadline,
    registry::{Published, Slot},
    status::Fault,
};

/// Answers `SnapshotService`.
#[derive(Clone)]
pub(crate) struct Snapshots {
    desk: Desk,
}

impl Snapshots {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk }
    }

    async fn get(
        &self,
        request: pb::GetSnapshotRequest,
        deadline: Deadline,
    ) -> Result<pb::GetSnapshotResponse, Fault> {
        let pb::GetSnapshotRequest { merchant_id, min_generation } = request;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        Ok(pb::GetSnapshotResponse { snapshot: Some(snapshot::to_pb(&id::merchant(&merchant_id)?, &view)) })
    }

    fn list(&self, request: pb::ListSnapshotsRequest) -> Result<pb::ListSnapshotsResponse, Fault> {
        let pb::ListSnapshotsRequest { merchant_id } = request;
        let (history, merchant) = (self.desk.slot(&merchant_id)?.history(), id::merchant(&merchant_id)?);
        let snapshots = history.iter().map(|kept| snapshot::to_pb(&merchant, kept)).collect();
        Ok(pb::ListSnapshotsResponse { snapshots })
    }

    async fn diff(&self, request: pb::DiffSnapshotsRequest) -> Result<pb::DiffSnapshotsResponse, Fault> {
        let pb::DiffSnapshotsRequest { merchant_id, from_generation, to_generation } = request;
        let slot = self.desk.slot(&merchant_id)?;
        named(from_generation, "from_generation")?;
        let later = if to_generation == 0 { slot.current() } else { kept(&slot, to_generation)? };
        if from_generation > later.snapshot.generation() {
            return Err(Fault::invalid("from_generation", "is later than to_generation"));
        }
        let earlier = kept(&slot, from_generation)?;
        apart(move || compare::compare(&earlier.snapshot, &later.snapshot)).await
    }

    fn merchants(&self, request: &pb::ListMerchantsRequest) -> Result<pb::ListMerchantsResponse, Fault> {
        let pb::ListMerchantsRequest { page_size, page_token, degraded_only } = request;
        let filter = degraded_only.then(|| "degraded".to_owned());
        let listing = Listing { what: "merchants", merchant_id: "", filter: filter.as_slice() };
        let (size, after) = (page::size(*page_size)?, listing.after(page_token)?);
        let mut merchants = self.desk.registry.all();
        merchants.retain(|(merchant, _)| after.as_deref().is_none_or(|after| merchant.as_str() > after));
        merchants.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let found = merchants.iter().filter_map(|(merchant, slot)| {
            let current = slot.current();
            let is_listed = !degraded_only || current.degraded.is_some();
            is_listed.then(|| snapshot::to_pb(merchant, &current))
        });
        let Page { items: snapshots, has_more } = page::cut(found, size);
        let last = snapshots.last().filter(|_| has_more);
        let next_page_token = last.map(|last| listing.token(&last.merchant_id)).unwrap_or_default();
        Ok(pb::ListMerchantsResponse { snapshots, next_page_token })
    }

    async fn go_back(&self, request: pb::RollBackRequest) -> Result<pb::RollBackResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let pb::RollBackRequest { merchant_id: _, generation, parts, request_id: _ } = request;
        named(generation, "generation")?;
        let parts = snapshot::parts(parts)?;
        let receipt =
            self.desk.submit(envelope, Change::RollBack { generation, parts }, "generation").await?;
        Ok(pb::RollBackResponse { generation: receipt.generation })
    }
}

/// Refuses 0, which no generation has: the field was forgotten.
fn named(generation: u64, field: &str) -> Result<(), Fault> {
    if generation > 0 { Ok(()) } else { Err(Fault::invalid(field, "is required, from 1")) }
}

fn kept(slot: &Slot, generation: u64) -> Result<std::sync::Arc<Published>, Fault> {
    slot.kept(generation).ok_or_else(|| Fault::not_found("generation", generation.to_string()))
}

#[async_trait]
impl SnapshotService for Snapshots {
    type ExportStream = ReceiverStream<Result<pb::ExportResponse, Status>>;
    type WatchStream = watch::Generations;

    async fn get_snapshot(
        &self,
        request: Request<pb::GetSnapshotRequest>,
    ) -> Result<Response<pb::GetSnapshotResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.get(request.into_inner(), deadline).await?))
    }

    async fn list_snapshots(
        &self,
        request: Request<pb::ListSnapshotsRequest>,
    ) -> Result<Response<pb::ListSnapshotsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner())?))
    }

    async fn diff_snapshots(
        &self,
        request: Request<pb::DiffSnapshotsRequest>,
    ) -> Result<Response<pb::DiffSnapshotsResponse>, Status> {
        Ok(Response::new(self.diff(request.into_inner()).await?))
    }

    async fn roll_back(
        &self,
        request: Request<pb::RollBackRequest>,
    ) -> Result<Response<pb::RollBackResponse>, Status> {
        Ok(Response::new(self.go_back(request.into_inner()).await?))
    }

    async fn export(
        &self,
        request: Request<pb::ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let pb::ExportRequest { merchant_id } = request.into_inner();
        let view = self.desk.slot(&merchant_id)?.current();
        let merchant = id::merchant(&merchant_id).map_err(Fault::from)?;
        Ok(Response::new(transfer::export(merchant, view)))
    }

    async fn import(
        &self,
        request: Request<Streaming<pb::ImportRequest>>,
    ) -> Result<Response<pb::ImportResponse>, Status> {
        Ok(Response::new(transfer::import(&self.desk, request.into_inner()).await?))
    }

    async fn list_merchants(
        &self,
        request: Request<pb::ListMerchantsRequest>,
    ) -> Result<Response<pb::ListMerchantsResponse>, Status> {
        Ok(Response::new(self.merchants(&request.into_inner())?))
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let pb::WatchRequest { merchant_id, after_generation } = request.into_inner();
        let slot = self.desk.slot(&merchant_id)?;
        let merchant = id::merchant(&merchant_id).map_err(Fault::from)?;
        Ok(Response::new(watch::generations(merchant, slot, after_generation, self.desk.closing.clone())))
    }
}
