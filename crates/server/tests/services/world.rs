//! A server with a small shop in it, and the requests that the tests send.

use std::time::Duration;

use sidecart::{client::Client, v1 as pb};
use sidecart_server::{Config, Running, start};
use tempfile::TempDir;

pub(crate) const SHOP: &str = "shop";

/// A running server, a client of it, and its data.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) server: Running,
    data: TempDir,
}

impl World {
    /// A server that holds nothing.
    pub(crate) async fn empty() -> Self {
        Self::on(TempDir::new().unwrap(), Config::new("").learn_every).await
    }

    /// A server that learns by itself so often.
    pub(crate) async fn learning(every: Duration) -> Self {
        Self::on(TempDir::new().unwrap(), every).await
    }

    /// The server shut down, and another started on the same data.
    pub(crate) async fn restarted(self) -> Self {
        self.server.shut_down().await.unwrap();
        Self::on(self.data, Config::new("").learn_every).await
    }

    async fn on(data: TempDir, learn_every: Duration) -> Self {
        let mut config = Config::new(data.path());
        config.listen.set_port(0);
        config.learn_every = learn_every;
        let server = start(config).await.unwrap();
        let client = Client::connect(&format!("http://{}", server.addr)).await.unwrap();
        Self { client, server, data }
    }

    /// A server with a camera, a bag and two cards that go with it.
    pub(crate) async fn stocked() -> Self {
        let world = Self::empty().await;
        world.upsert(["camera", "bag", "card", "card2"].map(product).into()).await;
        let rules = vec![pairing("r-bag", "bag"), pairing("r-card", "card"), pairing("r-card2", "card2")];
        let request = pb::UpsertRulesRequest { merchant_id: SHOP.into(), rules, request_id: String::new() };
        world.client.rules().upsert_rules(request).await.unwrap();
        world
    }

    /// Creates or replaces products; gives the generation.
    pub(crate) async fn upsert(&self, products: Vec<pb::Product>) -> u64 {
        let request =
            pb::UpsertProductsRequest { merchant_id: SHOP.into(), products, request_id: String::new() };
        self.client.catalog().upsert_products(request).await.unwrap().into_inner().generation
    }

    /// Imports messages of products.
    pub(crate) async fn import(
        &self,
        mode: pb::ImportMode,
        messages: Vec<Vec<pb::Product>>,
    ) -> Result<pb::ImportProductsResponse, tonic::Status> {
        let mut messages: Vec<_> = messages
            .into_iter()
            .map(|products| pb::ImportProductsRequest { products, ..Default::default() })
            .collect();
        messages[0].merchant_id = SHOP.into();
        messages[0].set_mode(mode);
        Ok(self.client.catalog().import_products(tokio_stream::iter(messages)).await?.into_inner())
    }

    /// The ids that a request is offered.
    pub(crate) async fn offered(&self, request: pb::RecommendRequest) -> Vec<String> {
        offers(&self.client.recommendation().recommend(request).await.unwrap().into_inner())
    }
}

/// A product in a category of its own.
pub(crate) fn product(id: &str) -> pb::Product {
    let long_ago = Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 });
    pb::Product {
        price_set_time: long_ago,
        stock_set_time: long_ago,
        product_id: id.into(),
        title: format!("The {id}"),
        category_path: vec!["Shop".into(), format!("Leaf of {id}")],
        price: Some(pb::Money { currency: "USD".into(), minor_units: 1_000 }),
        ..Default::default()
    }
}

/// The target goes with the camera, at place 1.
pub(crate) fn pairing(id: &str, target: &str) -> pb::Rule {
    let selector = |id: &str| {
        let term = pb::Term { term: Some(pb::term::Term::ProductId(id.into())) };
        Some(pb::Selector { any_of: vec![term], ..Default::default() })
    };
    let pairing = pb::Pairing { relation: pb::Relation::Accessory.into(), ..Default::default() };
    pb::Rule {
        rule_id: id.into(),
        says: Some(pb::rule::Says::Pairing(pairing)),
        anchor: selector("camera"),
        target: selector(target),
        ..Default::default()
    }
}

/// What goes with the camera?
pub(crate) fn ask() -> pb::RecommendRequest {
    pb::RecommendRequest {
        merchant_id: SHOP.into(),
        stage: pb::Stage::Product.into(),
        anchor_ids: vec!["camera".into()],
        at: Some(prost_types::Timestamp { seconds: 1_763_800_000, nanos: 0 }),
        ..Default::default()
    }
}

/// The ids of the offers of an answer.
pub(crate) fn offers(answer: &pb::RecommendResponse) -> Vec<String> {
    answer.offers.iter().map(|offer| offer.product_id.clone()).collect()
}
