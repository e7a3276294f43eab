//! Sends a write, and reads its answer.

use sidecart::{client::Client, v1 as pb};
use tonic::{Status, codegen::tokio_stream};

use super::model::{Answer, Counts, Write};

/// Products or rules in one message of a stream.
const MESSAGE_ITEMS: usize = 500;

/// A write with its name. An empty one: nothing makes it idempotent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) write: Write,
    pub(crate) id: String,
}

/// What a write was answered with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) generation: u64,
    pub(crate) answer: Answer,
}

/// Sends a write of a merchant.
pub(crate) async fn send(client: &Client, merchant: &str, request: &Request) -> Result<Reply, Status> {
    match request.write {
        Write::UpsertProducts(_) | Write::SetOffers(_) | Write::DeleteProducts(_) => {
            to_catalog(client, merchant, request).await
        }
        Write::ReplaceProducts(ref products) => replace_products(client, merchant, products).await,
        Write::RecordOrders(ref orders) => {
            let (merchant_id, request_id) = (merchant.to_owned(), request.id.clone());
            let request = pb::RecordOrdersRequest { merchant_id, orders: orders.clone(), request_id };
            let answer = client.orders().record_orders(request).await?.into_inner();
            Ok(Reply { generation: answer.generation, answer: outcomes_of(&answer.outcomes) })
        }
        Write::ImportAffinities(ref affinities) => {
            let (merchant_id, affinities) = (merchant.to_owned(), affinities.clone());
            let messages = [pb::ImportAffinitiesRequest { merchant_id, affinities }];
            let call = client.affinities().import_affinities(tokio_stream::iter(messages)).await;
            let answer = call?.into_inner();
            Ok(Reply { generation: answer.generation, answer: Answer::Kept(answer.kept_count) })
        }
        Write::ReplaceRules(ref rules) => replace_rules(client, merchant, rules).await,
        _ => to_rules(client, merchant, request).await,
    }
}

async fn to_catalog(client: &Client, merchant: &str, request: &Request) -> Result<Reply, Status> {
    let (mut catalog, merchant_id, request_id) = (client.catalog(), merchant.to_owned(), request.id.clone());
    let (generation, outcomes) = match request.write.clone() {
        Write::UpsertProducts(products) => {
            let request = pb::UpsertProductsRequest { merchant_id, products, request_id };
            let pb::UpsertProductsResponse { generation, outcomes } =
                catalog.upsert_products(request).await?.into_inner();
            (generation, outcomes)
        }
        Write::SetOffers(offers) => {
            let request = pb::SetOffersRequest { merchant_id, offers, request_id };
            let pb::SetOffersResponse { generation, outcomes } =
                catalog.set_offers(request).await?.into_inner();
            (generation, outcomes)
        }
        Write::DeleteProducts(product_ids) => {
            let request = pb::DeleteProductsRequest { merchant_id, product_ids, request_id };
            let pb::DeleteProductsResponse { generation, outcomes } =
                catalog.delete_products(request).await?.into_inner();
            (generation, outcomes)
        }
        write => panic!("not a write to the catalog: {write:?}"),
    };
    Ok(Reply { generation, answer: outcomes_of(&outcomes) })
}

async fn to_rules(client: &Client, merchant: &str, request: &Request) -> Result<Reply, Status> {
    let (mut rules, merchant_id, request_id) = (client.rules(), merchant.to_owned(), request.id.clone());
    match request.write.clone() {
        Write::UpsertRules(items) => {
            let request = pb::UpsertRulesRequest { merchant_id, rules: items, request_id };
            let answer = rules.upsert_rules(request).await?.into_inner();
            Ok(Reply { generation: answer.generation, answer: outcomes_of(&answer.outcomes) })
        }
        Write::DeleteRules(rule_ids) => {
            let request = pb::DeleteRulesRequest { merchant_id, rule_ids, request_id };
            let answer = rules.delete_rules(request).await?.into_inner();
            Ok(Reply { generation: answer.generation, answer: outcomes_of(&answer.outcomes) })
        }
        Write::SetPolicy(policy) => {
            let request = pb::SetPolicyRequest { merchant_id, policy: Some(*policy), request_id };
            let answer = rules.set_policy(request).await?.into_inner();
            Ok(Reply { generation: answer.generation, answer: Answer::Done })
        }
        Write::DeletePolicy(name) => {
            let request = pb::DeletePolicyRequest { merchant_id, name, request_id };
            let answer = rules.delete_policy(request).await?.into_inner();
            Ok(Reply { generation: answer.generation, answer: Answer::Outcomes(vec![answer.outcome()]) })
        }
        Write::RollBack { generation, parts, .. } => {
            let parts = parts.into_iter().map(i32::from).collect();
            let request = pb::RollBackRequest { merchant_id, generation, parts, request_id };
            let answer = client.snapshot().roll_back(request).await?.into_inner();
            Ok(Reply { generation: answer.generation, answer: Answer::Done })
        }
        write => panic!("not a write to the rules: {write:?}"),
    }
}

async fn replace_products(
    client: &Client,
    merchant: &str,
    products: &[pb::Product],
) -> Result<Reply, Status> {
    let message = |products: &[pb::Product]| pb::ImportProductsRequest {
        merchant_id: merchant.to_owned(),
        mode: pb::ImportMode::Replace.into(),
        products: products.to_vec(),
    };
    let messages: Vec<_> = products.chunks(MESSAGE_ITEMS).map(message).collect();
    let answer = client.catalog().import_products(tokio_stream::iter(messages)).await?.into_inner();
    let (created, updated) = (answer.created_count, answer.updated_count);
    let (unchanged, deleted) = (answer.unchanged_count, answer.deleted_count);
    let counts = Counts { created, updated, unchanged, deleted };
    Ok(Reply { generation: answer.generation, answer: Answer::Counts(counts) })
}

async fn replace_rules(client: &Client, merchant: &str, rules: &[pb::Rule]) -> Result<Reply, Status> {
    let message = |rules: &[pb::Rule]| pb::ReplaceRulesRequest {
        merchant_id: merchant.to_owned(),
        rules: rules.to_vec(),
    };
    let messages: Vec<_> = rules.chunks(MESSAGE_ITEMS).map(message).collect();
    let answer = client.rules().replace_rules(tokio_stream::iter(messages)).await?.into_inner();
    let (created, updated) = (answer.created_count, answer.updated_count);
    let (unchanged, deleted) = (answer.unchanged_count, answer.deleted_count);
    let counts = Counts { created, updated, unchanged, deleted };
    Ok(Reply { generation: answer.generation, answer: Answer::Counts(counts) })
}

fn outcomes_of(items: &[pb::ItemOutcome]) -> Answer {
    Answer::Outcomes(items.iter().map(pb::ItemOutcome::outcome).collect())
}
