//! A merchant's life through the wire: write, read one's own writes, repeat, go back, export, import, restart.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use sidecart::v1::{
    self as pb, catalog_service_client::CatalogServiceClient,
    recommendation_service_client::RecommendationServiceClient, rules_service_client::RulesServiceClient,
    snapshot_service_client::SnapshotServiceClient,
};
use sidecart_server::{Config, Running, start};
use tempfile::TempDir;
use tonic::{Code, transport::Channel};

const SHOP: &str = "shop";

struct World {
    data: TempDir,
    server: Running,
    channel: Channel,
}

impl World {
    async fn new() -> Self {
        let data = TempDir::new().unwrap();
        let (server, channel) = serve(&data).await;
        Self { data, server, channel }
    }

    async fn restarted(self) -> Self {
        self.server.shut_down().await.unwrap();
        let (server, channel) = serve(&self.data).await;
        Self { data: self.data, server, channel }
    }

    fn catalog(&self) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.channel.clone())
    }

    fn rules(&self) -> RulesServiceClient<Channel> {
        RulesServiceClient::new(self.channel.clone())
    }

    fn snapshots(&self) -> SnapshotServiceClient<Channel> {
        SnapshotServiceClient::new(self.channel.clone())
    }

    async fn upsert(&self, products: Vec<pb::Product>, request_id: &str) -> pb::UpsertProductsResponse {
        let request =
            pb::UpsertProductsRequest { merchant_id: SHOP.into(), products, request_id: request_id.into() };
        self.catalog().upsert_products(request).await.unwrap().into_inner()
    }

    async fn pair(&self, rule: &str, anchor: &str, target: &str) -> u64 {
        let rules = vec![pairing(rule, anchor, target)];
        let request = pb::UpsertRulesRequest { merchant_id: SHOP.into(), rules, request_id: String::new() };
        let response = self.rules().upsert_rules(request).await.unwrap().into_inner();
        assert_eq!(response.outcomes[0].violations, []);
        response.generation
    }

    /// What is offered beside `camera`, from `min_generation` on.
    async fn offered(&self, min_generation: u64) -> Vec<String> {
        let request = pb::RecommendRequest {
            merchant_id: SHOP.into(),
            stage: pb::Stage::Product.into(),
            anchor_ids: vec!["camera".into()],
            min_generation,
            ..Default::default()
        };
        let mut client = RecommendationServiceClient::new(self.channel.clone());
        let answer = client.recommend(request).await.unwrap().into_inner();
        assert!(answer.generation >= min_generation);
        answer.offers.into_iter().map(|offer| offer.product_id).collect()
    }

    async fn export(&self) -> Vec<u8> {
        let request = pb::ExportRequest { merchant_id: SHOP.into() };
        let mut stream = self.snapshots().export(request).await.unwrap().into_inner();
        let mut file = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            file.extend(message.chunk);
        }
        file
    }

    async fn import(&self, merchant: &str, file: &[u8]) -> Result<pb::ImportResponse, tonic::Status> {
        let mut messages = vec![pb::ImportRequest { merchant_id: merchant.into(), chunk: vec![].into() }];
        messages.extend(
            file.chunks(1000)
                .map(|chunk| pb::ImportRequest { merchant_id: String::new(), chunk: chunk.to_vec().into() }),
        );
        let sent = self.snapshots().import(tokio_stream::iter(messages)).await?;
        Ok(sent.into_inner())
    }
}

async fn serve(data: &TempDir) -> (Running, Channel) {
    let mut config = Config::new(data.path());
    config.listen.set_port(0);
    let server = start(config).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", server.addr)).unwrap().connect().await.unwrap();
    (server, channel)
}

fn product(id: &str, leaf: &str, minor_units: i64) -> pb::Product {
    pb::Product {
        product_id: id.into(),
        title: format!("The {id}"),
        category_path: vec!["Shop".into(), leaf.into()],
        price: Some(pb::Money { currency: "USD".into(), minor_units }),
        ..Default::default()
    }
}

fn pairing(id: &str, anchor: &str, target: &str) -> pb::Rule {
    let selector = |id: &str| {
        let term = pb::Term { term: Some(pb::term::Term::ProductId(id.into())) };
        Some(pb::Selector { any_of: vec![term], ..Default::default() })
    };
    let pairing = pb::Pairing { relation: pb::Relation::Accessory.into(), ..Default::default() };
    pb::Rule {
        rule_id: id.into(),
        says: Some(pb::rule::Says::Pairing(pairing)),
        anchor: selector(anchor),
        target: selector(target),
        ..Default::default()
    }
}

fn stock() -> Vec<pb::Product> {
    vec![product("camera", "Cameras", 90_000), product("card", "Cards", 3_000), product("bag", "Bags", 8_000)]
}

fn outcomes(outcomes: &[pb::ItemOutcome]) -> Vec<pb::Outcome> {
    outcomes.iter().map(|outcome| outcome.outcome()).collect()
}

#[tokio::test]
async fn a_write_is_seen_from_its_generation_on_and_after_a_restart() {
    let world = World::new().await;
    world.upsert(stock(), "").await;
    let generation = world.pair("r1", "camera", "card").await;
    assert_eq!(world.offered(generation).await, ["card"]);
    let before = world.export().await;
    let world = world.restarted().await;
    assert_eq!(world.offered(generation).await, ["card"]);
    assert!(world.pair("r2", "camera", "bag").await > generation);
    assert_ne!(world.export().await, before);
    world.server.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_repeated_request_is_not_done_again() {
    let world = World::new().await;
    let first = world.upsert(stock(), "once").await;
    assert_eq!(outcomes(&first.outcomes), [pb::Outcome::Created; 3]);
    assert_eq!(world.upsert(stock(), "once").await, first);
    let world = world.restarted().await;
    assert_eq!(world.upsert(stock(), "once").await, first, "the answer outlives a restart");
    let other = pb::UpsertProductsRequest {
        merchant_id: SHOP.into(),
        products: vec![product("other", "Bags", 1)],
        request_id: "once".into(),
    };
    let refused = world.catalog().upsert_products(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let again = world.upsert(stock(), "twice").await;
    assert_eq!(outcomes(&again.outcomes), [pb::Outcome::Unchanged; 3]);
    world.server.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_rollback_is_a_new_generation_with_the_old_rules() {
    let world = World::new().await;
    world.upsert(stock(), "").await;
    let good = world.pair("r1", "camera", "card").await;
    let bad = world.pair("r1", "camera", "bag").await;
    assert_eq!(world.offered(bad).await, ["bag"]);
    let diff =
        pb::DiffSnapshotsRequest { merchant_id: SHOP.into(), from_generation: good, to_generation: bad };
    let diff = world.snapshots().diff_snapshots(diff).await.unwrap().into_inner();
    assert_eq!(diff.changes.iter().map(|change| &*change.id).collect::<Vec<_>>(), ["r1"]);
    let back = pb::RollBackRequest { merchant_id: SHOP.into(), generation: good, ..Default::default() };
    let back = world.snapshots().roll_back(back).await.unwrap().into_inner().generation;
    assert!(back > bad);
    assert_eq!(world.offered(back).await, ["card"]);
    let missing = pb::RollBackRequest { merchant_id: SHOP.into(), generation: 999, ..Default::default() };
    assert_eq!(world.snapshots().roll_back(missing).await.unwrap_err().code(), Code::NotFound);
    let world = world.restarted().await;
    assert_eq!(world.offered(back).await, ["card"]);
    world.server.shut_down().await.unwrap();
}

#[tokio::test]
async fn an_export_is_the_whole_truth_and_a_damaged_one_is_refused() {
    let world = World::new().await;
    world.upsert(stock(), "").await;
    world.pair("r1", "camera", "card").await;
    let file = world.export().await;
    let imported = world.import("copy", &file).await.unwrap();
    assert_eq!((imported.product_count, imported.rule_count), (3, 1));
    let mut damaged = file.clone();
    damaged[file.len() / 2] ^= 1;
    assert_eq!(world.import("other", &damaged).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(
        world.import("other", &file[..file.len() - 1]).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let unknown = pb::GetSnapshotRequest { merchant_id: "other".into(), min_generation: 0 };
    assert_eq!(world.snapshots().get_snapshot(unknown).await.unwrap_err().code(), Code::NotFound);
    world.server.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_watcher_sees_the_newest_generation() {
    let world = World::new().await;
    let first = world.upsert(stock(), "").await.generation;
    let request = pb::WatchRequest { merchant_id: SHOP.into(), after_generation: first };
    let mut stream = world.snapshots().watch(request).await.unwrap().into_inner();
    let next = world.pair("r1", "camera", "card").await;
    let seen = stream.message().await.unwrap().unwrap().snapshot.unwrap();
    assert_eq!((seen.generation, seen.rule_count, &*seen.cause), (next, 1, "UpsertRules"));
    world.server.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_replaced_catalog_is_all_or_nothing() {
    let world = World::new().await;
    world.upsert(stock(), "").await;
    let message = |merchant: &str, products| pb::ImportProductsRequest {
        merchant_id: merchant.into(),
        mode: pb::ImportMode::Replace.into(),
        products,
    };
    let bad = product("", "Bags", 1);
    let refused =
        world.catalog().import_products(tokio_stream::iter([message(SHOP, vec![bad])])).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let many: Vec<_> = (0..5_000).map(|n| product(&format!("p{n}"), "Bags", n)).collect();
    let sent =
        tokio_stream::iter([message(SHOP, many[..2_500].to_vec()), message("", many[2_500..].to_vec())]);
    let replaced = world.catalog().import_products(sent).await.unwrap().into_inner();
    assert_eq!((replaced.created_count, replaced.deleted_count, replaced.rejected_count), (5_000, 3, 0));
    let before = world.export().await;
    let world = world.restarted().await;
    assert_eq!(world.export().await.len(), before.len());
    let gone =
        pb::GetProductRequest { merchant_id: SHOP.into(), product_id: "card".into(), min_generation: 0 };
    assert_eq!(world.catalog().get_product(gone).await.unwrap_err().code(), Code::NotFound);
    world.server.shut_down().await.unwrap();
}

#[tokio::test]
async fn half_an_upload_is_no_upload() {
    let world = World::new().await;
    let generation = world.upsert(stock(), "").await.generation;
    for _ in 0..200 {
        let first = pb::ImportProductsRequest {
            merchant_id: SHOP.into(),
            mode: pb::ImportMode::Replace.into(),
            products: vec![product("half", "Bags", 1)],
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let mut catalog = world.catalog();
        let messages = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let call = tokio::spawn(async move { catalog.import_products(messages).await });
        sender.send(first).await.unwrap();
        world.offered(generation).await;
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    let world = world.restarted().await;
    let request = pb::GetSnapshotRequest { merchant_id: SHOP.into(), min_generation: 0 };
    let snapshot = world.snapshots().get_snapshot(request).await.unwrap().into_inner().snapshot.unwrap();
    assert_eq!((snapshot.generation, snapshot.product_count), (generation, 3));
    world.server.shut_down().await.unwrap();
}

/// So that a merchant is known by more than the store, should that be lost.
#[tokio::test]
async fn a_new_merchant_is_exported_soon() {
    let world = World::new().await;
    world.upsert(vec![product("camera", "Cameras", 100)], "").await;
    let exports = world.data.path().join("exports").join(SHOP);
    let exported = async {
        while !std::fs::read_dir(&exports).is_ok_and(|mut files| {
            files.any(|file| file.unwrap().path().extension().is_some_and(|found| found == "sidecart"))
        }) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), exported).await.unwrap();
}
