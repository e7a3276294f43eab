//! Imports, bulk writes, comparisons and watches.

use sidecart::v1::{self as pb, ImportMode, SnapshotChangeKind as Kind, SnapshotPart as Part};
use tonic::Code;

use crate::world::{SHOP, World, ask, pairing, product};

#[tokio::test]
async fn an_import_applies_what_is_right_and_samples_what_is_not() {
    let world = World::empty().await;
    let many =
        |from: usize, to: usize| (from..to).map(|at| product(&format!("p{at:05}"))).collect::<Vec<_>>();
    let mut second = many(1_500, 2_600);
    second[0].title.clear();
    second.push(pb::Product { title: "Twice".into(), ..product("p00000") });
    let done = world.import(ImportMode::Incremental, vec![many(0, 1_500), second]).await.unwrap();
    assert_eq!((done.received_count, done.created_count, done.updated_count), (2_601, 2_599, 1));
    assert_eq!((done.rejected_count, done.unchanged_count), (1, 0));
    let error = &done.errors[0];
    assert_eq!((error.index, error.id.as_str()), (1_500, "p01500"));
    assert_eq!(error.violations[0].field, "products[1500].title");
    let get = pb::GetProductRequest {
        merchant_id: SHOP.into(),
        product_id: "p00000".into(),
        min_generation: done.generation,
    };
    let got = world.client.catalog().get_product(get).await.unwrap().into_inner();
    assert_eq!((got.product.unwrap().title.as_str(), got.generation), ("Twice", done.generation));
}

#[tokio::test]
async fn a_replacement_counts_what_it_did() {
    let world = World::stocked().await;
    let dearer = pb::Product { title: "Another bag".into(), ..product("bag") };
    let done =
        world.import(ImportMode::Replace, vec![vec![product("camera")], vec![dearer, product("new")]]).await;
    let done = done.unwrap();
    let counts = (done.created_count, done.updated_count, done.unchanged_count, done.deleted_count);
    assert_eq!((counts, done.received_count), ((1, 1, 1, 2), 3));
}

#[tokio::test]
async fn replaced_rules_are_counted_too() {
    let world = World::stocked().await;
    let rules = vec![pairing("r-bag", "bag"), pb::Rule { note: "new".into(), ..pairing("r-card", "card") }];
    let messages = [
        pb::ReplaceRulesRequest { merchant_id: SHOP.into(), rules },
        pb::ReplaceRulesRequest { merchant_id: String::new(), rules: vec![pairing("r-new", "card2")] },
    ];
    let done = world.client.rules().replace_rules(tokio_stream::iter(messages)).await.unwrap().into_inner();
    let counts = (done.created_count, done.updated_count, done.unchanged_count, done.deleted_count);
    assert_eq!(counts, (1, 1, 1, 1));
}

#[tokio::test]
async fn offers_take_the_newest_time_per_field() {
    let world = World::stocked().await;
    let ahead = |seconds: i64| {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        Some(prost_types::Timestamp { seconds: i64::try_from(now).unwrap() + seconds, nanos: 0 })
    };
    let set = async |offer: pb::OfferUpdate| {
        let offers = vec![pb::OfferUpdate { product_id: "card".into(), ..offer }];
        let request = pb::SetOffersRequest { merchant_id: SHOP.into(), offers, request_id: String::new() };
        world.client.catalog().set_offers(request).await.unwrap().into_inner().outcomes.remove(0)
    };
    let price = |minor_units| Some(pb::Money { currency: "USD".into(), minor_units });
    let newest = set(pb::OfferUpdate { price: price(500), set_time: ahead(100), ..Default::default() }).await;
    assert_eq!(newest.outcome(), pb::Outcome::Updated);
    let late = set(pb::OfferUpdate { price: price(700), set_time: ahead(50), ..Default::default() }).await;
    assert_eq!(
        (late.outcome(), late.violations[0].field.as_str()),
        (pb::Outcome::Stale, "offers[0].set_time")
    );
    let stock =
        set(pb::OfferUpdate { stock_quantity: Some(0), set_time: ahead(50), ..Default::default() }).await;
    assert_eq!(stock.outcome(), pb::Outcome::Updated);
    assert_eq!(world.offered(ask()).await, ["bag", "card2"]);
}

#[tokio::test]
async fn a_comparison_lists_what_differs_by_part_then_id() {
    let world = World::stocked().await;
    let from_generation = world.upsert(vec![product("x")]).await;
    world.upsert(vec![pb::Product { title: "New".into(), ..product("bag") }, product("y")]).await;
    let delete = pb::DeleteProductsRequest {
        merchant_id: SHOP.into(),
        product_ids: vec!["x".into(), "never".into()],
        request_id: String::new(),
    };
    let deleted = world.client.catalog().delete_products(delete).await.unwrap().into_inner();
    let outcomes: Vec<_> = deleted.outcomes.iter().map(|item| item.outcome()).collect();
    assert_eq!(outcomes, [pb::Outcome::Deleted, pb::Outcome::Unknown]);
    let rules = vec![pb::Rule { note: "new".into(), ..pairing("r-bag", "bag") }];
    let request = pb::UpsertRulesRequest { merchant_id: SHOP.into(), rules, request_id: String::new() };
    world.client.rules().upsert_rules(request).await.unwrap();
    let request = pb::DiffSnapshotsRequest { merchant_id: SHOP.into(), from_generation, to_generation: 0 };
    let diff = world.client.snapshot().diff_snapshots(request).await.unwrap().into_inner();
    let changes: Vec<_> = diff.changes.iter().map(|at| (at.part(), at.id.as_str(), at.kind())).collect();
    let expected = [
        (Part::Catalog, "bag", Kind::Changed),
        (Part::Catalog, "x", Kind::Removed),
        (Part::Catalog, "y", Kind::Added),
        (Part::Rules, "r-bag", Kind::Changed),
    ];
    assert_eq!((changes.as_slice(), diff.change_count), (expected.as_slice(), 4));
}

#[tokio::test]
async fn nothing_right_is_nothing_written() {
    let world = World::empty().await;
    assert_eq!(world.upsert(vec![pb::Product::default()]).await, 0);
    let request = pb::GetSnapshotRequest { merchant_id: SHOP.into(), min_generation: 0 };
    let status = world.client.snapshot().get_snapshot(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_watch_ends_with_the_server() {
    let world = World::stocked().await;
    let World { client, server, .. } = world;
    let request = pb::WatchRequest { merchant_id: SHOP.into(), after_generation: 0 };
    let mut watch = client.snapshot().watch(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().snapshot.unwrap().product_count, 4);
    let (ended, shut) = tokio::join!(watch.message(), server.shut_down());
    shut.unwrap();
    assert_eq!(ended.unwrap_err().code(), Code::Unavailable);
}
