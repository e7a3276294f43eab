//! `link --batch` and `chat --batch`: a file of customers' texts in, what each means or calls for out.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sidecart::v1 as pb;

use crate::{
    batch::{self, Question, WriteAnswer},
    lines,
    out::{self, Output},
    remote::Remote,
    wire::short_name,
};

/// Products that are asked about to find one that has offers.
const TRIED_MAX: u32 = 1_000;
/// From how sure on mentions are ranked by where they stand: what a text is about comes before what it is for.
const SURE: f64 = 0.95;
/// From how sure on a mention is told.
const TOLD_MIN: f64 = 0.3;

/// What is asked of each text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Which products it names.
    Link,
    /// Whether it calls for an offer.
    Chat,
}

/// A file of texts and one of answers.
pub(crate) struct Texts {
    /// Lines of `{"id", "text"}`.
    pub(crate) texts: PathBuf,
    /// Where the answers go.
    pub(crate) answers: PathBuf,
    /// The product page that each chat was opened on. Empty: that of some product with offers.
    pub(crate) anchors: Vec<String>,
}

#[derive(Deserialize)]
struct Text {
    id: Value,
    text: String,
}

/// Asks of every text and writes every answer. A line that cannot be read stops it before anything is asked.
pub(crate) async fn ask(remote: &Remote, ask: Ask, texts: Texts, output: Output) -> Result<()> {
    let Texts { texts, answers, mut anchors } = texts;
    let texts = read(&texts)?;
    if ask == Ask::Chat && anchors.is_empty() {
        anchors = some_product_with_offers(remote).await?;
        match anchors.first() {
            Some(anchor) => out::note(format!("each chat is opened on the page of `{anchor}`")),
            None => out::note("no product has offers, so no chat calls for one"),
        }
    }
    let question = |Text { id, text }: Text| Question { id, request: request(text, anchors.clone()) };
    let write: WriteAnswer = if ask == Ask::Link { write_links } else { write_verdict };
    let asked = batch::ask_all(remote, texts.into_iter().map(question).collect(), &answers, write).await?;
    batch::tell(&asked, &answers, output)
}

/// A text as the only turn of a chat.
fn request(text: String, anchor_ids: Vec<String>) -> pb::RecommendRequest {
    let turn = pb::Turn { role: pb::Role::Customer.into(), text, at: None };
    pb::RecommendRequest {
        stage: pb::Stage::Product.into(),
        surface: pb::Surface::Chat.into(),
        anchor_ids,
        conversation: Some(pb::Conversation { turns: vec![turn], ..Default::default() }),
        ..Default::default()
    }
}

/// The first product by id, of those tried, beside which something is offered on its page in a chat.
async fn some_product_with_offers(remote: &Remote) -> Result<Vec<String>> {
    let merchant_id = remote.merchant.clone();
    let request = pb::ListProductsRequest { merchant_id, page_size: TRIED_MAX, ..Default::default() };
    let products = remote.client.catalog().list_products(remote.call(request)).await?.into_inner().products;
    if products.is_empty() {
        return Ok(Vec::new());
    }
    let on_page = |product: &pb::Product| pb::RecommendRequest {
        stage: pb::Stage::Product.into(),
        surface: pb::Surface::Chat.into(),
        anchor_ids: vec![product.product_id.clone()],
        ..Default::default()
    };
    let request = pb::BatchRecommendRequest {
        merchant_id: remote.merchant.clone(),
        requests: products.iter().map(on_page).collect(),
        distinct: false,
    };
    let answers = remote.client.recommendation().batch_recommend(remote.call(request)).await?.into_inner();
    let has_offers = |answer: &pb::RecommendResponse| !answer.offers.is_empty();
    let found = products.iter().zip(&answers.responses).find(|(_, answer)| has_offers(answer));
    Ok(found.map(|(product, _)| product.product_id.clone()).into_iter().collect())
}

fn read(path: &Path) -> Result<Vec<Text>> {
    let name = path.display();
    let mut texts = Vec::new();
    for line in lines::lines(lines::open(path)?.bytes) {
        let (number, text) = line.with_context(|| name.to_string())?;
        let text = text.map_err(|reason| anyhow!("{name}:{number}: {reason}"))?;
        let text = serde_json::from_str(&text).map_err(|fault| anyhow!("{name}:{number}: {fault}"))?;
        texts.push(text);
    }
    Ok(texts)
}

#[derive(Serialize)]
struct Links<'a> {
    id: &'a Value,
    product_ids: Vec<&'a str>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    id: &'a Value,
    verdict: String,
    question: String,
}

fn write_links(to: &mut dyn Write, id: &Value, response: &pb::RecommendResponse) -> io::Result<()> {
    serde_json::to_writer(&mut *to, &Links { id, product_ids: linked(response) })?;
    to.write_all(b"\n")
}

/// The products that a text names: surest first, of those that are sure the one named first.
fn linked(response: &pb::RecommendResponse) -> Vec<&str> {
    let mentions = response.understanding.iter().flat_map(|understanding| &understanding.mentions);
    let mut mentions: Vec<&pb::Mention> = mentions.filter(|mention| mention.confidence >= TOLD_MIN).collect();
    mentions.sort_by(|a, b| {
        b.confidence.min(SURE).total_cmp(&a.confidence.min(SURE)).then(a.start.cmp(&b.start))
    });
    let best = mentions.iter().filter_map(|mention| mention.meaning.as_ref());
    let next = mentions.iter().filter_map(|mention| mention.runner_up.as_ref());
    let mut ids: Vec<&str> = Vec::new();
    for meaning in best.chain(next).filter(|meaning| !meaning.product_id.is_empty()) {
        if !ids.contains(&meaning.product_id.as_str()) {
            ids.push(&meaning.product_id);
        }
    }
    ids
}

fn write_verdict(to: &mut dyn Write, id: &Value, response: &pb::RecommendResponse) -> io::Result<()> {
    let question = response.understanding.as_ref().map_or(0, |understanding| understanding.question);
    let verdict = Verdict {
        id,
        verdict: short_name("Verdict", response.verdict),
        question: short_name("QuestionKind", question),
    };
    serde_json::to_writer(&mut *to, &verdict)?;
    to.write_all(b"\n")
}
