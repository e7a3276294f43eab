//! Answers, pages, drafts and comparisons.

use std::time::Duration;

use sidecart::v1 as pb;
use tonic::{Code, Request};

use crate::world::{SHOP, World, ask, offers, pairing, product};

#[tokio::test]
async fn the_same_question_gets_the_same_bytes() {
    let world = World::stocked().await;
    let answer = async |request: pb::RecommendRequest| {
        world.client.recommendation().recommend(request).await.unwrap().into_inner()
    };
    let first = answer(ask()).await;
    assert_eq!(offers(&first), ["bag", "card", "card2"]);
    assert_eq!(first, answer(ask()).await);
    assert_ne!(first.decision_id, answer(pb::RecommendRequest { max_results: 1, ..ask() }).await.decision_id);
    assert_eq!(answer(pb::RecommendRequest { max_results: 1, ..ask() }).await.offers, first.offers[..1]);
}

#[tokio::test]
async fn a_batch_is_answered_in_order_and_distinctly_if_asked() {
    let world = World::stocked().await;
    let one = pb::RecommendRequest { merchant_id: String::new(), max_results: 2, ..ask() };
    for (distinct, expected) in
        [(false, [vec!["bag", "card"], vec!["bag", "card"]]), (true, [vec!["bag", "card"], vec!["card2"]])]
    {
        let requests = vec![one.clone(), one.clone()];
        let request = pb::BatchRecommendRequest { merchant_id: SHOP.into(), requests, distinct };
        let answers =
            world.client.recommendation().batch_recommend(request).await.unwrap().into_inner().responses;
        assert_eq!(answers.iter().map(offers).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_batch_answers_as_single_calls_do() {
    let world = World::stocked().await;
    let single = world.client.recommendation().recommend(ask()).await.unwrap().into_inner();
    let requests = vec![pb::RecommendRequest { merchant_id: String::new(), ..ask() }];
    let request = pb::BatchRecommendRequest { merchant_id: SHOP.into(), requests, distinct: true };
    let batch = world.client.recommendation().batch_recommend(request).await.unwrap().into_inner();
    assert_eq!(batch.responses, [single]);
}

#[tokio::test]
async fn a_generation_that_does_not_come_is_unavailable() {
    let world = World::stocked().await;
    let mut request = Request::new(pb::RecommendRequest { min_generation: 1_000, ..ask() });
    request.set_timeout(Duration::from_millis(200));
    let status = world.client.recommendation().recommend(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
}

#[tokio::test]
async fn a_read_that_waits_learns_that_the_server_goes_down() {
    let world = World::stocked().await;
    let waiting = pb::RecommendRequest { min_generation: 1_000, ..ask() };
    let mut client = world.client.recommendation();
    let asked = tokio::spawn(async move { client.recommend(waiting).await.unwrap_err() });
    // A call after it on the same connection is answered once it has arrived.
    world.client.recommendation().recommend(ask()).await.unwrap();
    let server = world.server;
    let (status, ended) = tokio::join!(asked, server.shut_down());
    ended.unwrap();
    let status = status.unwrap();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "the server is shutting down"));
}

#[tokio::test]
async fn a_read_waits_for_its_generation() {
    let world = World::stocked().await;
    let next = world.upsert(vec![product("other")]).await + 1;
    let mut client = world.client.catalog();
    let get =
        pb::GetProductRequest { merchant_id: SHOP.into(), product_id: "late".into(), min_generation: next };
    let (got, written) = tokio::join!(client.get_product(get), world.upsert(vec![product("late")]));
    let got = got.unwrap().into_inner();
    assert_eq!((got.generation, got.product.unwrap().title.as_str()), (written, "The late"));
}

#[tokio::test]
async fn explain_answers_for_each_product_in_the_order_sent() {
    let world = World::stocked().await;
    let why = async |product_ids: Vec<String>, explain| {
        let request = Some(pb::RecommendRequest { explain, ..ask() });
        let request = pb::ExplainRequest { request, product_ids };
        world.client.recommendation().explain(request).await.unwrap().into_inner()
    };
    let told = why(vec!["nothing".into(), "bag".into(), "camera".into()], false).await;
    let gates: Vec<_> = told.explanations.iter().map(|entry| entry.gate()).collect();
    assert_eq!(gates[..2], [pb::Gate::UnknownProduct, pb::Gate::Passed]);
    let response = told.response.unwrap();
    assert_eq!((response.offers.len(), response.trace.len()), (3, 0));
    let all = why(vec![], true).await;
    assert_eq!(all.explanations, all.response.unwrap().trace);
}

#[tokio::test]
async fn pages_lead_through_a_whole_list() {
    let world = World::stocked().await;
    let category = vec!["Shop".to_owned()];
    for (category_path, expected) in
        [(vec![], vec!["bag", "camera", "card", "card2"]), (category, vec!["bag", "camera", "card", "card2"])]
    {
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListProductsRequest {
                merchant_id: SHOP.into(),
                page_size: 3,
                page_token: page_token.clone(),
                category_path: category_path.clone(),
                min_generation: 0,
            };
            let page = world.client.catalog().list_products(request).await.unwrap().into_inner();
            seen.extend(page.products.into_iter().map(|product| product.product_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_draft_shows_what_it_would_change_and_changes_nothing() {
    let world = World::stocked().await;
    world.upsert(vec![product("strap")]).await;
    let request = pb::SimulateRulesRequest {
        merchant_id: SHOP.into(),
        upserts: vec![pairing("r-strap", "strap"), pb::Rule { disabled: true, ..pairing("r-card", "card") }],
        delete_ids: vec!["r-bag".into()],
        contexts: vec![ask()],
    };
    let simulated = world.client.rules().simulate_rules(request).await.unwrap().into_inner();
    let context = &simulated.contexts[0];
    let ids = |offers: &[pb::Offer]| offers.iter().map(|offer| offer.product_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&context.before), ["bag", "card", "card2"]);
    assert_eq!(ids(&context.after), ["card2", "strap"]);
    assert_eq!(context.new_ids, ["strap"]);
    assert_eq!(context.lost_ids, ["bag", "card"]);
    assert_eq!(context.changed_ids, ["card2"]);
    assert_eq!(world.offered(ask()).await, ["bag", "card", "card2"]);
}

#[tokio::test]
async fn lint_names_the_rule_and_the_thing() {
    let world = World::stocked().await;
    let rules = vec![pairing("r-lost", "nothing")];
    let request = pb::UpsertRulesRequest { merchant_id: SHOP.into(), rules, request_id: String::new() };
    world.client.rules().upsert_rules(request).await.unwrap();
    let request = pb::LintRulesRequest { merchant_id: SHOP.into(), min_generation: 0 };
    let findings = world.client.rules().lint_rules(request).await.unwrap().into_inner().findings;
    assert_eq!((findings[0].rule_id.as_str(), findings[0].kind()), ("r-lost", pb::LintKind::UnknownProduct));
}

#[tokio::test]
async fn built_in_policies_are_seen_and_a_set_one_holds() {
    let world = World::stocked().await;
    let get = async |name: &str| {
        let request = pb::GetPolicyRequest { merchant_id: SHOP.into(), name: name.into(), min_generation: 0 };
        world.client.rules().get_policy(request).await.unwrap().into_inner().policy.unwrap()
    };
    assert_eq!((get("").await.name.as_str(), get("open").await.name.as_str()), ("default", "open"));
    let limits = Some(pb::PolicyLimits { offers_max: Some(1), ..Default::default() });
    let policy = pb::Policy { name: "default".into(), limits, ..pb::Policy::default() };
    let request = pb::SetPolicyRequest {
        merchant_id: SHOP.into(),
        policy: Some(policy.clone()),
        request_id: String::new(),
    };
    world.client.rules().set_policy(request).await.unwrap();
    assert_eq!(get("").await, policy);
    assert_eq!(world.offered(ask()).await, ["bag"]);
    let inline = pb::Policy {
        limits: Some(pb::PolicyLimits { offers_max: Some(2), ..Default::default() }),
        ..Default::default()
    };
    let choice = Some(pb::PolicyChoice { choice: Some(pb::policy_choice::Choice::Inline(inline)) });
    assert_eq!(world.offered(pb::RecommendRequest { policy: choice, ..ask() }).await, ["bag", "card"]);

    let listed = pb::ListPoliciesRequest { merchant_id: SHOP.into(), min_generation: 0 };
    let list =
        async || world.client.rules().list_policies(listed.clone()).await.unwrap().into_inner().policies;
    assert_eq!(list().await, [policy]);
    let delete =
        pb::DeletePolicyRequest { merchant_id: SHOP.into(), name: "default".into(), ..Default::default() };
    for outcome in [pb::Outcome::Deleted, pb::Outcome::Unknown] {
        let answer = world.client.rules().delete_policy(delete.clone()).await.unwrap().into_inner();
        assert_eq!(answer.outcome(), outcome);
    }
    assert_eq!(list().await, []);
    assert_eq!(world.offered(ask()).await.len(), 3);
}

#[tokio::test]
async fn merchants_are_listed_by_page() {
    let world = World::stocked().await;
    for merchant_id in ["boutique", "zoo"] {
        let products = vec![product("p")];
        let request =
            pb::UpsertProductsRequest { merchant_id: merchant_id.into(), products, ..Default::default() };
        world.client.catalog().upsert_products(request).await.unwrap();
    }
    let list = async |request| world.client.snapshot().list_merchants(request).await.unwrap().into_inner();
    let ids = |page: &pb::ListMerchantsResponse| {
        page.snapshots.iter().map(|it| (it.merchant_id.clone(), it.product_count)).collect::<Vec<_>>()
    };
    let first = list(pb::ListMerchantsRequest { page_size: 2, ..Default::default() }).await;
    assert_eq!(ids(&first), [("boutique".to_owned(), 1), (SHOP.to_owned(), 4)]);
    let rest = pb::ListMerchantsRequest { page_token: first.next_page_token, ..Default::default() };
    let rest = list(rest).await;
    assert_eq!((ids(&rest), rest.next_page_token.as_str()), (vec![("zoo".to_owned(), 1)], ""));
    let degraded = pb::ListMerchantsRequest { degraded_only: true, ..Default::default() };
    assert_eq!(list(degraded).await.snapshots, []);
}
