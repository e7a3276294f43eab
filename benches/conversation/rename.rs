//! A product of a large catalog renamed over the wire, until its new name is linked.

use std::time::Instant;

use sidecart::v1::{
    self as pb, catalog_service_client::CatalogServiceClient,
    recommendation_service_client::RecommendationServiceClient,
};
use tonic::transport::Channel;

use crate::{
    Size,
    harness::{
        Fault,
        child::Server,
        figures::{Table, Times},
    },
    link::names,
    talk::connect,
};

const MERCHANT: &str = "bench";
/// Products of one write.
const WRITTEN_AT_ONCE: usize = 1_000;
/// Products that are renamed, one after another.
const RENAMES: usize = 100;
/// How often a name is asked for until it is taken for lost.
const ASKED_MAX: usize = 1_000;

pub(crate) async fn measure(size: &Size, table: &mut Table) -> Result<(), Fault> {
    let data = tempfile::TempDir::new()?;
    let server = Server::start(data.path())?;
    let channel = connect(&server.addr).await?;
    let products: Vec<pb::Product> =
        names(size.names)?.iter().enumerate().map(|(nth, name)| product(nth, name)).collect();
    for some in products.chunks(WRITTEN_AT_ONCE) {
        write(&channel, some.to_vec()).await?;
    }
    let mut times = Times::default();
    for nth in 0..RENAMES.min(products.len()) {
        let begun = Instant::now();
        write(&channel, vec![product(nth, &format!("Zephyrine{nth} holdall"))]).await?;
        let mut is_linked = false;
        for _ in 0..ASKED_MAX {
            is_linked = names_it(&channel, nth).await?;
            if is_linked {
                break;
            }
        }
        if !is_linked {
            return Err(Fault::Wrong("a renamed product is not linked".into()));
        }
        times.push(begun.elapsed());
    }
    table.line("rename over the wire, until its name is linked", times.summary());
    server.stop()?;
    Ok(())
}

fn product(nth: usize, title: &str) -> pb::Product {
    pb::Product { product_id: format!("p{nth}"), title: title.into(), ..Default::default() }
}

async fn write(channel: &Channel, products: Vec<pb::Product>) -> Result<(), Fault> {
    let request = pb::UpsertProductsRequest { merchant_id: MERCHANT.into(), products, ..Default::default() };
    CatalogServiceClient::new(channel.clone()).upsert_products(request).await?;
    Ok(())
}

/// Whether a text with its new name is taken for the product.
async fn names_it(channel: &Channel, nth: usize) -> Result<bool, Fault> {
    let text = format!("Is the zephyrine{nth} holdall waterproof?");
    let turn = pb::Turn { role: pb::Role::Customer.into(), text, at: None };
    let request = pb::RecommendRequest {
        merchant_id: MERCHANT.into(),
        stage: pb::Stage::Product.into(),
        conversation: Some(pb::Conversation { turns: vec![turn], ..Default::default() }),
        ..Default::default()
    };
    let answer = RecommendationServiceClient::new(channel.clone()).recommend(request).await?.into_inner();
    let mentions = answer.understanding.unwrap_or_default().mentions;
    let meant = mentions.into_iter().filter_map(|mention| mention.meaning);
    Ok(meant.into_iter().any(|meaning| meaning.product_id == format!("p{nth}")))
}
