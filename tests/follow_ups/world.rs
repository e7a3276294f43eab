//! A small store of its own server: a camera with a card and a course, and beans that run out.

use sidecart::{client::Client, v1 as pb};
use sidecart_server::{Config, Running, start};
use tempfile::TempDir;

pub(crate) const SHOP: &str = "shop";
/// 2026-03-02T12:00:00Z, a Monday.
pub(crate) const NOON: i64 = 1_772_452_800;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) struct World {
    pub(crate) data: TempDir,
    pub(crate) client: Client,
    server: Running,
}

pub(crate) fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

async fn serve(data: &TempDir) -> (Running, Client) {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        export_every: std::time::Duration::from_millis(200),
        ..Config::new(data.path().to_path_buf())
    };
    let server = start(config).await.unwrap();
    let client = Client::connect(&format!("http://{}", server.addr)).await.unwrap();
    (server, client)
}

fn product(id: &str, kind: pb::ProductKind, days_of_supply: Option<u32>) -> pb::Product {
    pb::Product {
        product_id: id.into(),
        title: format!("The {id}"),
        category_path: vec![format!("shelf of {id}")],
        kind: kind.into(),
        price: Some(pb::Money {
            currency: "EUR".into(),
            minor_units: if id == "camera" { 50_000 } else { 900 },
        }),
        days_of_supply,
        ..Default::default()
    }
}

fn pairing(anchor: &str, target: &str, relation: pb::Relation, stage: pb::Stage) -> pb::Rule {
    let select = |id: &str| {
        let term = pb::Term { term: Some(pb::term::Term::ProductId(id.into())) };
        Some(pb::Selector { any_of: vec![term], ..Default::default() })
    };
    pb::Rule {
        rule_id: format!("{anchor}-{target}"),
        anchor: select(anchor),
        target: select(target),
        stages: vec![stage.into()],
        says: Some(pb::rule::Says::Pairing(pb::Pairing {
            relation: relation.into(),
            need: target.into(),
            allows_same_category: anchor == target,
            ..Default::default()
        })),
        ..Default::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let data = TempDir::new().unwrap();
        let (server, client) = serve(&data).await;
        let world = Self { data, client, server };
        let durable = pb::ProductKind::Durable;
        let products = vec![
            product("camera", durable, None),
            product("card", durable, None),
            product("course", pb::ProductKind::Service, None),
            product("beans", pb::ProductKind::Consumable, Some(10)),
        ];
        let request =
            pb::UpsertProductsRequest { merchant_id: SHOP.into(), products, request_id: String::new() };
        world.client.catalog().upsert_products(request).await.unwrap();
        let rules = vec![
            pairing("camera", "card", pb::Relation::RequiredAccessory, pb::Stage::OrderPlaced),
            pairing("camera", "course", pb::Relation::Service, pb::Stage::Delivered),
            pairing("beans", "beans", pb::Relation::Refill, pb::Stage::Replenish),
        ];
        let request = pb::UpsertRulesRequest { merchant_id: SHOP.into(), rules, request_id: String::new() };
        world.client.rules().upsert_rules(request).await.unwrap();
        world
    }

    pub(crate) async fn restarted(self) -> Self {
        self.server.shut_down().await.unwrap();
        let (server, client) = serve(&self.data).await;
        Self { data: self.data, client, server }
    }

    pub(crate) async fn shut_down(self) -> TempDir {
        self.server.shut_down().await.unwrap();
        self.data
    }

    pub(crate) async fn terms(&self, follow_ups: pb::FollowUpTerms) {
        let policy =
            pb::Policy { name: "default".into(), follow_ups: Some(follow_ups), ..Default::default() };
        let request = pb::SetPolicyRequest {
            merchant_id: SHOP.into(),
            policy: Some(policy),
            request_id: String::new(),
        };
        self.client.rules().set_policy(request).await.unwrap();
    }

    /// Records an order placed at noon, which should arrive five days later.
    pub(crate) async fn order(&self, id: &str, shopper: &str, products: &[&str]) {
        let line = |id: &&str| pb::OrderLine { product_id: (*id).into(), quantity: 1, unit_price: None };
        self.tell(pb::RecordedOrder {
            order_id: id.into(),
            shopper_id: shopper.into(),
            placed_at: at(NOON),
            lines: products.iter().map(line).collect(),
            expected_delivery: at(NOON + 5 * DAY),
            time_zone: "Europe/Lisbon".into(),
            ..Default::default()
        })
        .await;
    }

    pub(crate) async fn change(
        &self,
        id: &str,
        change_id: &str,
        seconds: i64,
        change: pb::order_change::Change,
    ) {
        let change = pb::OrderChange { change_id: change_id.into(), at: at(seconds), change: Some(change) };
        self.tell(pb::RecordedOrder { order_id: id.into(), changes: vec![change], ..Default::default() })
            .await;
    }

    pub(crate) async fn tell(&self, order: pb::RecordedOrder) {
        let (merchant_id, orders) = (SHOP.to_owned(), vec![order]);
        let request = pb::RecordOrdersRequest { merchant_id, orders, request_id: String::new() };
        let answer = self.client.orders().record_orders(request).await.unwrap().into_inner();
        assert_eq!(answer.outcomes[0].violations, []);
    }

    pub(crate) async fn lease(&self, seconds: i64) -> Vec<pb::FollowUp> {
        let request = pb::LeaseFollowUpsRequest {
            merchant_id: SHOP.into(),
            surface: pb::Surface::Email.into(),
            at: at(seconds),
            ..Default::default()
        };
        self.client.follow_ups().lease_follow_ups(request).await.unwrap().into_inner().follow_ups
    }

    /// Says what became of a leased follow-up, at a moment.
    pub(crate) async fn complete(
        &self,
        follow_up: &pb::FollowUp,
        seconds: i64,
        result: pb::follow_up_completion::Result,
    ) -> pb::Outcome {
        let completion = pb::FollowUpCompletion {
            r#ref: follow_up.r#ref.clone(),
            lease_id: follow_up.lease_id.clone(),
            at: at(seconds),
            result: Some(result),
        };
        let (merchant_id, completions) = (SHOP.to_owned(), vec![completion]);
        let request = pb::CompleteFollowUpsRequest { merchant_id, completions, request_id: String::new() };
        let answer = self.client.follow_ups().complete_follow_ups(request).await.unwrap().into_inner();
        answer.outcomes[0].outcome()
    }

    pub(crate) async fn opt(&self, shopper: &str, opted_out: bool) {
        let request = pb::SetOptOutRequest {
            merchant_id: SHOP.into(),
            shopper_id: shopper.into(),
            opted_out,
            request_id: String::new(),
        };
        self.client.follow_ups().set_opt_out(request).await.unwrap();
    }

    /// The follow-ups of an order at a moment that would be sent or were: kind, state, and what each offers.
    pub(crate) async fn time_line(
        &self,
        order: &str,
        seconds: i64,
    ) -> Vec<(pb::FollowUpKind, pb::FollowUpState, Vec<String>)> {
        let request = pb::ListFollowUpsRequest {
            merchant_id: SHOP.into(),
            of: Some(pb::list_follow_ups_request::Of::OrderId(order.into())),
            at: at(seconds),
            ..Default::default()
        };
        let listed = self.client.follow_ups().list_follow_ups(request).await.unwrap().into_inner().follow_ups;
        let telling = listed.into_iter().filter(|it| !it.offers.is_empty() || it.completed_at.is_some());
        let told = telling.map(|it| {
            let kind = it.r#ref.as_ref().unwrap().kind();
            (kind, it.state(), it.offers.iter().map(|offer| offer.product_id.clone()).collect())
        });
        told.collect()
    }
}
