//! Orders and what is learned from them.

use std::time::Duration;

use sidecart::v1::{self as pb, Outcome, order_change::Change};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{SHOP, World, ask, offers, product};

const DAY_S: i64 = 86_400;
const LAST_S: i64 = 1_763_700_000;

fn moment(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn order(id: &str, days_ago: i64, products: &[&str]) -> pb::RecordedOrder {
    let line = |id: &&str| pb::OrderLine { product_id: (*id).into(), ..Default::default() };
    pb::RecordedOrder {
        order_id: id.into(),
        shopper_id: format!("of-{id}"),
        placed_at: moment(LAST_S - days_ago * DAY_S),
        lines: products.iter().map(line).collect(),
        ..Default::default()
    }
}

fn cancelled(id: &str) -> pb::RecordedOrder {
    let change = Some(Change::Status(pb::OrderStatus::Cancelled.into()));
    let changes = vec![pb::OrderChange { change_id: "gone".into(), at: moment(LAST_S), change }];
    pb::RecordedOrder { order_id: id.into(), changes, ..Default::default() }
}

/// Cameras with cards, lamps with bulbs, and things alone.
fn many() -> Vec<pb::RecordedOrder> {
    let lines: [&[&str]; 5] = [
        &["camera", "card"],
        &["camera", "card", "bag"],
        &["lamp", "bulb"],
        &["bag"],
        &["lamp", "bulb", "pen"],
    ];
    (0..300)
        .map(|nth| order(&format!("o{nth:03}"), nth % 60, lines[usize::try_from(nth % 5).unwrap()]))
        .collect()
}

impl World {
    async fn selling() -> Self {
        let world = Self::empty().await;
        world.upsert(["camera", "bag", "card", "lamp", "bulb", "pen"].map(product).into()).await;
        world
    }

    async fn record(&self, orders: Vec<pb::RecordedOrder>) -> pb::RecordOrdersResponse {
        let request = pb::RecordOrdersRequest { merchant_id: SHOP.into(), orders, request_id: String::new() };
        self.client.orders().record_orders(request).await.unwrap().into_inner()
    }

    async fn learn(&self) -> Result<pb::LearnAffinitiesResponse, Status> {
        self.learn_and(false).await
    }

    async fn learn_and(&self, accept_collapse: bool) -> Result<pb::LearnAffinitiesResponse, Status> {
        let request = pb::LearnAffinitiesRequest { merchant_id: SHOP.into(), accept_collapse };
        Ok(self.client.affinities().learn_affinities(request).await?.into_inner())
    }

    async fn order(&self, id: &str) -> Result<pb::GetOrderResponse, Status> {
        let request =
            pb::GetOrderRequest { merchant_id: SHOP.into(), order_id: id.into(), min_generation: 0 };
        Ok(self.client.orders().get_order(request).await?.into_inner())
    }
}

#[tokio::test]
async fn what_became_of_an_order_is_told_in_any_order() {
    let world = World::selling().await;
    let refund = Some(Change::Refunded(pb::LineReversal { product_id: "card".into(), quantity: 1 }));
    let changes = vec![pb::OrderChange { change_id: "r".into(), at: moment(LAST_S), change: refund }];
    let early = pb::RecordedOrder { order_id: "a".into(), changes, ..Default::default() };
    let told = world.record(vec![early.clone()]).await;
    assert_eq!(told.outcomes[0].outcome(), Outcome::Created);
    let mut late = order("a", 3, &["camera", "card"]);
    late.lines[1].quantity = 3;
    assert_eq!(world.record(vec![late.clone()]).await.outcomes[0].outcome(), Outcome::Updated);
    let generation = world.record(vec![late]).await.generation;
    let again = world.record(vec![early]).await;
    assert_eq!((again.outcomes[0].outcome(), again.generation), (Outcome::Unchanged, generation));
    let left = world.order("a").await.unwrap().bought;
    let left: Vec<_> = left.iter().map(|line| (line.product_id.as_str(), line.quantity)).collect();
    assert_eq!(left, [("camera", 1), ("card", 2)]);
    assert_eq!(world.order("nowhere").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_is_asked_about_without_an_order_is_asked_about_by_their_newest() {
    let world = World::selling().await;
    let of_ann = |id: &str, days_ago: i64, products: &[&str]| pb::RecordedOrder {
        shopper_id: "ann".into(),
        ..order(id, days_ago, products)
    };
    let mut void = vec![cancelled("c")];
    void[0].changes[0].change_id = "void".into();
    world
        .record(vec![of_ann("a", 9, &["camera"]), of_ann("b", 5, &["lamp"]), of_ann("c", 2, &["bag"])])
        .await;
    world.record(void).await;
    let anchored = async |stage: pb::Stage, days_ago: i64| {
        let request = pb::RecommendRequest {
            merchant_id: SHOP.into(),
            stage: stage.into(),
            shopper_id: "ann".into(),
            at: moment(LAST_S - days_ago * DAY_S),
            ..Default::default()
        };
        world.client.recommendation().recommend(request).await.unwrap().into_inner().reason
    };
    for stage in [pb::Stage::OrderPlaced, pb::Stage::Delivered, pb::Stage::Replenish] {
        assert_eq!(anchored(stage, 0).await, "NO_EVIDENCE", "{stage:?}: about the lamp");
        assert_eq!(anchored(stage, 10).await, "NO_ANCHOR", "{stage:?}: before the first order");
    }
    assert_eq!(anchored(pb::Stage::Product, 0).await, "NO_ANCHOR");
}

#[tokio::test]
async fn an_import_of_orders_counts_what_it_did() {
    let world = World::selling().await;
    let mut orders = many();
    orders.push(order("", 1, &["camera"]));
    orders.push(order("o000", 0, &["camera", "card"]));
    let message = |orders: &[pb::RecordedOrder]| pb::ImportOrdersRequest {
        merchant_id: SHOP.into(),
        orders: orders.to_vec(),
    };
    let messages: Vec<_> = orders.chunks(77).map(message).collect();
    let done = world.client.orders().import_orders(tokio_stream::iter(messages)).await.unwrap().into_inner();
    let counts = (done.received_count, done.created_count, done.unchanged_count, done.rejected_count);
    assert_eq!(counts, (302, 300, 1, 1));
    assert_eq!(done.errors[0].violations[0].field, "orders[300].order_id");
}

#[tokio::test]
async fn what_was_learned_is_offered_and_survives_a_restart_and_a_backup() {
    let world = World::selling().await;
    assert!(world.offered(ask()).await.is_empty(), "nothing is known yet");
    world.record(many()).await;
    assert!(world.offered(ask()).await.is_empty(), "nothing was learned yet");
    let learned = world.learn().await.unwrap();
    let model = learned.model.unwrap();
    assert_eq!((model.order_count, model.product_count, model.skipped_order_count), (300, 6, 0));
    let before = world.client.recommendation().recommend(ask()).await.unwrap().into_inner();
    assert_eq!((offers(&before)[0].as_str(), before.generation), ("card", learned.generation));
    assert_eq!(before.offers[0].source(), pb::Source::BoughtWith);
    assert_eq!(world.learn().await.unwrap().generation, learned.generation, "nothing new was learned");
    let world = world.restarted().await;
    assert_eq!(world.client.recommendation().recommend(ask()).await.unwrap().into_inner(), before);
    let request = pb::ExportRequest { merchant_id: SHOP.into() };
    let mut chunks = world.client.snapshot().export(request).await.unwrap().into_inner();
    let mut pieces = Vec::new();
    while let Some(chunk) = chunks.message().await.unwrap() {
        pieces.push(pb::ImportRequest { merchant_id: "copy".into(), chunk: chunk.chunk });
    }
    let copied = world.client.snapshot().import(tokio_stream::iter(pieces)).await.unwrap().into_inner();
    assert_eq!((copied.product_count, copied.order_count), (6, 300));
    let asked = pb::RecommendRequest { merchant_id: "copy".into(), ..ask() };
    let answer = world.client.recommendation().recommend(asked).await.unwrap().into_inner();
    assert_eq!(answer.offers, before.offers);
}

#[tokio::test]
async fn affinities_are_listed_with_their_evidence() {
    let world = World::selling().await;
    let request = pb::GetModelRequest { merchant_id: SHOP.into(), min_generation: 0 };
    let nothing = world.client.affinities().get_model(request.clone()).await.unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
    world.record(many()).await;
    let learned = world.learn().await.unwrap();
    let got = world.client.affinities().get_model(request).await.unwrap().into_inner();
    assert_eq!((got.model, got.generation), (learned.model, learned.generation));
    let request =
        pb::ListAffinitiesRequest { merchant_id: SHOP.into(), anchor_id: "camera".into(), min_generation: 0 };
    let listed = world.client.affinities().list_affinities(request).await.unwrap().into_inner();
    let first = &listed.affinities[0];
    assert_eq!(
        (first.target_id.as_str(), first.support, first.provenance.as_str()),
        ("card", 120, "learned")
    );
    assert!(first.lift > 1.0 && first.score > 0.5, "{first:?}");
}

#[tokio::test]
async fn a_model_that_collapsed_is_refused_unless_accepted() {
    let world = World::selling().await;
    world.record(many()).await;
    let learned = world.learn().await.unwrap();
    world.record(many().iter().map(|order| cancelled(&order.order_id)).collect()).await;
    let refused = world.learn().await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "MODEL_COLLAPSED");
    assert!(refused.message().contains("products with affinities fell from 6 to 0"), "{}", refused.message());
    assert_eq!(world.offered(ask()).await, ["card", "bag"], "what was served still is");
    let accepted = world.learn_and(true).await.unwrap();
    assert!(accepted.generation > learned.generation);
    assert!(world.offered(ask()).await.is_empty());
}

#[tokio::test]
async fn new_orders_are_learned_from_at_the_next_interval() {
    let world = World::learning(Duration::from_millis(200)).await;
    world.upsert(["camera", "bag", "card", "lamp", "bulb", "pen"].map(product).into()).await;
    let recorded = world.record(many()).await.generation;
    let request = pb::WatchRequest { merchant_id: SHOP.into(), after_generation: recorded };
    let mut watch = world.client.snapshot().watch(request).await.unwrap().into_inner();
    let published = watch.message().await.unwrap().unwrap().snapshot.unwrap();
    assert_eq!((published.cause.as_str(), published.order_count), ("LearnAffinities", 300));
    assert_eq!(world.offered(ask()).await, ["card", "bag"]);
}

#[tokio::test]
async fn nobody_has_nothing_to_learn() {
    let world = World::empty().await;
    assert_eq!(world.learn().await.unwrap_err().code(), Code::NotFound);
}

fn says(target: &str, score: f64) -> pb::Affinity {
    pb::Affinity {
        anchor_id: "camera".into(),
        target_id: target.into(),
        score,
        provenance: "two-tower".into(),
        ..Default::default()
    }
}

async fn import(
    world: &World,
    affinities: Vec<pb::Affinity>,
) -> Result<pb::ImportAffinitiesResponse, Status> {
    let message = pb::ImportAffinitiesRequest { merchant_id: SHOP.into(), affinities };
    Ok(world.client.affinities().import_affinities(tokio_stream::iter([message])).await?.into_inner())
}

#[tokio::test]
async fn imported_affinities_are_used_in_the_place_of_learned_ones_and_say_where_they_are_from() {
    let world = World::selling().await;
    world.record(many()).await;
    world.learn().await.unwrap();
    let done = import(&world, vec![says("pen", 0.9), says("pen", 0.4), says("card", 0.1)]).await.unwrap();
    assert_eq!((done.received_count, done.kept_count), (3, 2));
    let world = world.restarted().await;
    let answer = world.client.recommendation().recommend(ask()).await.unwrap().into_inner();
    assert_eq!(offers(&answer), ["pen", "bag", "card"]);
    assert!((answer.offers[0].score - 0.9).abs() < 1e-9);
    assert_eq!(answer.offers[2].evidence.as_ref().unwrap().provenance, "two-tower");
    let list =
        pb::ListAffinitiesRequest { merchant_id: SHOP.into(), anchor_id: "camera".into(), min_generation: 0 };
    let listed = world.client.affinities().list_affinities(list).await.unwrap().into_inner().affinities;
    let listed: Vec<_> = listed.iter().map(|it| (it.target_id.as_str(), it.provenance.as_str())).collect();
    assert_eq!(listed[..3], [("pen", "two-tower"), ("card", "two-tower"), ("bag", "learned")]);
    let gone = import(&world, Vec::new()).await.unwrap();
    assert_eq!(gone.kept_count, 0);
    assert_eq!(world.offered(ask()).await, ["card", "bag"], "what was learned speaks again");
}

#[tokio::test]
async fn a_sure_affinity_has_a_score_like_any_other() {
    let world = World::selling().await;
    import(&world, vec![says("pen", 1.0)]).await.unwrap();
    let answer = world.client.recommendation().recommend(ask()).await.unwrap().into_inner();
    assert!((answer.offers[0].score - 1.0).abs() < 1e-5, "{answer:?}");
}

#[tokio::test]
async fn an_import_does_not_pass_for_what_was_learned() {
    let world = World::selling().await;
    for provenance in ["learned", "two\ntowers", "\u{1b}[31mred"] {
        let named = pb::Affinity { provenance: provenance.into(), ..says("pen", 0.5) };
        let refused = import(&world, vec![named]).await.unwrap_err();
        assert!(refused.message().starts_with("affinities[0].provenance"), "{}", refused.message());
    }
    let wide = pb::Affinity { support: 1 << 40, ..says("pen", 0.5) };
    let refused = import(&world, vec![wide]).await.unwrap_err();
    assert!(refused.message().starts_with("affinities[0].support"), "{}", refused.message());
}

#[tokio::test]
async fn without_orders_there_is_nothing_to_learn() {
    let world = World::selling().await;
    let refused = world.learn().await.unwrap_err();
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "NO_ORDERS");
}

#[tokio::test]
async fn what_is_bought_later_is_listed_with_the_days_between() {
    let world = World::selling().await;
    world.record(many()).await;
    let of = |shopper: usize, what: &str, days_ago: i64| pb::RecordedOrder {
        shopper_id: format!("s{shopper}"),
        ..order(&format!("{what}{shopper}"), days_ago, &[what])
    };
    let twice = |shopper| [of(shopper, "lamp", 60), of(shopper, "pen", 30)];
    world.record((0..60).flat_map(twice).collect()).await;
    let learned = world.learn().await.unwrap().model.unwrap();
    assert!(learned.bought_after_count > 0 && learned.quality_count > 0, "{learned:?}");
    let list =
        pb::ListAffinitiesRequest { merchant_id: SHOP.into(), anchor_id: "lamp".into(), min_generation: 0 };
    let listed = world.client.affinities().list_affinities(list).await.unwrap().into_inner().affinities;
    let later = listed.iter().find(|it| it.kind() == pb::AffinityKind::BoughtAfter).unwrap();
    assert_eq!((later.target_id.as_str(), later.support), ("pen", 60));
    assert_eq!(later.days_between, [30.0; 3]);
}

#[tokio::test]
async fn an_import_with_a_wrong_affinity_changes_nothing() {
    let world = World::selling().await;
    for (affinity, field) in [
        (says("camera", 0.5), "affinities[1].target_id"),
        (says("pen", 0.0), "affinities[1].score"),
        (says("pen", f64::NAN), "affinities[1].score"),
        (pb::Affinity { lift: -1.0, ..says("pen", 0.5) }, "affinities[1].lift"),
        (pb::Affinity { kind: 99, ..says("pen", 0.5) }, "affinities[1].kind"),
        (pb::Affinity { anchor_id: String::new(), ..says("pen", 0.5) }, "affinities[1].anchor_id"),
        (pb::Affinity { provenance: "x".repeat(65), ..says("pen", 0.5) }, "affinities[1].provenance"),
    ] {
        let refused = import(&world, vec![says("card", 0.5), affinity]).await.unwrap_err();
        assert_eq!(refused.get_error_details().bad_request().unwrap().field_violations[0].field, field);
    }
    assert!(world.offered(ask()).await.is_empty());
}
