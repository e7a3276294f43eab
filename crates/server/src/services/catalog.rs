//! `CatalogService`.

use std::sync::Arc;

use sidecart::v1::{self as pb, catalog_service_server::CatalogService};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Desk, import,
    items::{OFFERS, PRODUCT_IDS, PRODUCTS},
    page::{self, Listing, Page},
    work::apart,
    write::{Envelope, Written},
};
use crate::{
    convert::{id, product},
    edge::Deadline,
    registry::Published,
    status::Fault,
};

/// Answers `CatalogService`.
#[derive(Clone)]
pub(crate) struct Catalog {
    desk: Desk,
}

impl Catalog {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk }
    }

    async fn upsert(&self, request: pb::UpsertProductsRequest) -> Result<pb::UpsertProductsResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let Written { generation, outcomes } = self.desk.write(envelope, &PRODUCTS, request.products).await?;
        Ok(pb::UpsertProductsResponse { generation, outcomes })
    }

    async fn set(&self, request: pb::SetOffersRequest) -> Result<pb::SetOffersResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let Written { generation, outcomes } = self.desk.write(envelope, &OFFERS, request.offers).await?;
        Ok(pb::SetOffersResponse { generation, outcomes })
    }

    async fn delete(&self, request: pb::DeleteProductsRequest) -> Result<pb::DeleteProductsResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let Written { generation, outcomes } =
            self.desk.write(envelope, &PRODUCT_IDS, request.product_ids).await?;
        Ok(pb::DeleteProductsResponse { generation, outcomes })
    }

    async fn get(
        &self,
        request: pb::GetProductRequest,
        deadline: Deadline,
    ) -> Result<pb::GetProductResponse, Fault> {
        let pb::GetProductRequest { merchant_id, product_id, min_generation } = request;
        id::product(&product_id)?;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let entry = view
            .snapshot
            .catalog()
            .get(&product_id)
            .ok_or_else(|| Fault::not_found("product", product_id))?;
        let product = Some(product::to_pb(entry.product()));
        Ok(pb::GetProductResponse { product, generation: view.snapshot.generation() })
    }

    async fn list(
        &self,
        request: pb::ListProductsRequest,
        deadline: Deadline,
    ) -> Result<pb::ListProductsResponse, Fault> {
        let view = self.desk.view(&request.merchant_id, request.min_generation, deadline).await?;
        apart(move || listed(&view, &request)).await?
    }
}

fn listed(
    view: &Arc<Published>,
    request: &pb::ListProductsRequest,
) -> Result<pb::ListProductsResponse, Fault> {
    let pb::ListProductsRequest { merchant_id, page_size, page_token, category_path, min_generation: _ } =
        request;
    let listing = Listing { what: PRODUCTS.list, merchant_id, filter: category_path };
    let (size, category) = (page::size(*page_size)?, product::category(category_path)?);
    let after = listing.after(page_token)?;
    let entries = view.snapshot.catalog().list(after.as_deref(), category.as_ref());
    let Page { items: products, has_more } =
        page::cut(entries.map(|entry| product::to_pb(entry.product())), size);
    let last = products.last().filter(|_| has_more);
    let next_page_token = last.map(|last| listing.token(&last.product_id)).unwrap_or_default();
    Ok(pb::ListProductsResponse { products, next_page_token, generation: view.snapshot.generation() })
}

#[async_trait]
impl CatalogService for Catalog {
    async fn upsert_products(
        &self,
        request: Request<pb::UpsertProductsRequest>,
    ) -> Result<Response<pb::UpsertProductsResponse>, Status> {
        Ok(Response::new(self.upsert(request.into_inner()).await?))
    }

    async fn import_products(
        &self,
        request: Request<Streaming<pb::ImportProductsRequest>>,
    ) -> Result<Response<pb::ImportProductsResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(import::products(&self.desk, request.into_inner(), deadline).await?))
    }

    async fn set_offers(
        &self,
        request: Request<pb::SetOffersRequest>,
    ) -> Result<Response<pb::SetOffersResponse>, Status> {
        Ok(Response::new(self.set(request.into_inner()).await?))
    }

    async fn get_product(
        &self,
        request: Request<pb::GetProductRequest>,
    ) -> Result<Response<pb::GetProductResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.get(request.into_inner(), deadline).await?))
    }

    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Result<Response<pb::ListProductsResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.list(request.into_inner(), deadline).await?))
    }

    async fn delete_products(
        &self,
        request: Request<pb::DeleteProductsRequest>,
    ) -> Result<Response<pb::DeleteProductsResponse>, Status> {
        Ok(Response::new(self.delete(request.into_inner()).await?))
    }
}
