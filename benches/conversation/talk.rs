//! Many conversations at once, over the wire.

use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use sidecart::v1::{
    self as pb, catalog_service_client::CatalogServiceClient, converse_request::What,
    recommendation_service_client::RecommendationServiceClient,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use crate::{
    Size,
    harness::{
        Fault,
        child::Server,
        figures::{Table, rate},
    },
};

/// Conversations of one connection.
const PER_CONNECTION: usize = 100;
/// What the customer says in each.
const TURNS: [&str; 4] = [
    "Hello, I am looking at the Orbit X1",
    "Does it take a memory card, and which?",
    "And how heavy is the Wren bag?",
    "Thanks, can I use it in the rain?",
];

type Talk = (mpsc::Sender<pb::ConverseRequest>, Streaming<pb::ConverseResponse>);

pub(crate) async fn measure(size: &Size, table: &mut Table) -> Result<(), Fault> {
    let data = tempfile::TempDir::new()?;
    let server = Server::start(data.path())?;
    let channel = connect(&server.addr).await?;
    let product = |id: &str, title: &str| pb::Product {
        product_id: id.into(),
        title: title.into(),
        ..Default::default()
    };
    let products = vec![product("x1", "Orbit X1 camera"), product("wren", "Wren shoulder bag")];
    let request = pb::UpsertProductsRequest { merchant_id: "bench".into(), products, ..Default::default() };
    CatalogServiceClient::new(channel.clone()).upsert_products(request).await?;
    let before = server.resident_bytes()?;
    let mut talks = Vec::with_capacity(size.talks);
    for first in (0..size.talks).step_by(PER_CONNECTION) {
        let channel = connect(&server.addr).await?;
        let sessions = first..(first + PER_CONNECTION).min(size.talks);
        let opened = stream::iter(sessions).map(|nth| open(channel.clone(), nth)).buffered(16);
        talks.extend(opened.try_collect::<Vec<_>>().await?);
    }
    let begun = Instant::now();
    for text in TURNS {
        let said = stream::iter(&mut talks).map(|talk| say(talk, text)).buffer_unordered(64);
        said.try_collect::<Vec<()>>().await?;
    }
    let (turns, took) = (talks.len() * TURNS.len(), begun.elapsed());
    let each = (server.resident_bytes()?.saturating_sub(before)) as f64 / talks.len() as f64 / 1024.0;
    let open = format!("{} open, {each:.1} KiB each, streams included", talks.len());
    table.line("conversations at once", format!("{open}; {:.0} turns/s", rate(turns, took)));
    drop(talks);
    server.stop()?;
    Ok(())
}

pub(crate) async fn connect(addr: &str) -> Result<Channel, Fault> {
    Ok(Channel::from_shared(addr.to_owned())
        .map_err(|error| Fault::Wrong(error.to_string()))?
        .connect()
        .await?)
}

async fn open(channel: Channel, nth: usize) -> Result<Talk, Fault> {
    let (sender, receiver) = mpsc::channel(1);
    let context = pb::RecommendRequest {
        merchant_id: "bench".into(),
        session_id: format!("session-{nth}"),
        stage: pb::Stage::Product.into(),
        anchor_ids: vec!["x1".into()],
        ..Default::default()
    };
    let first = pb::ConverseRequest { context: Some(context), ..Default::default() };
    sender.send(first).await.map_err(|error| Fault::Wrong(error.to_string()))?;
    let answers = RecommendationServiceClient::new(channel).converse(ReceiverStream::new(receiver)).await?;
    let mut talk = (sender, answers.into_inner());
    next(&mut talk).await?;
    Ok(talk)
}

async fn say(talk: &mut Talk, text: &str) -> Result<(), Fault> {
    let turn = pb::Turn { role: pb::Role::Customer.into(), text: text.into(), at: None };
    let message = pb::ConverseRequest { what: Some(What::Turn(turn)), answer: true, ..Default::default() };
    talk.0.send(message).await.map_err(|error| Fault::Wrong(error.to_string()))?;
    next(talk).await
}

async fn next(talk: &mut Talk) -> Result<(), Fault> {
    let response = talk.1.message().await?;
    response.map(drop).ok_or_else(|| Fault::Wrong("a conversation ended".into()))
}
