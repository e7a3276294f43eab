//! `learn`, `affinities` and `orders`: what orders teach, and the orders themselves.

use anyhow::{Error, Result};
use sidecart::v1 as pb;
use tonic::Status;

use crate::{
    exit::code_name,
    out::{self, Output},
    remote::Remote,
    wire::short_name,
};

/// Learns from the orders known now.
pub(super) async fn learn(remote: &Remote, accept_collapse: bool, output: Output) -> Result<()> {
    let request = pb::LearnAffinitiesRequest { merchant_id: remote.merchant.clone(), accept_collapse };
    let call = remote.client.affinities().learn_affinities(remote.long_call(request)).await;
    let answer = call.map_err(given_up)?.into_inner();
    match output {
        Output::Json => out::message(&answer)?,
        Output::Table => show(&answer.model.unwrap_or_default(), answer.generation)?,
    }
    Ok(())
}

/// Who gives up waiting is told that the learner does not.
fn given_up(status: Status) -> Error {
    let is_late = matches!(code_name(&status), "CANCELLED" | "DEADLINE_EXCEEDED");
    let error = Error::from(status);
    if is_late {
        return error
            .context("the server goes on learning, and `sidecart affinities model` tells when it is done");
    }
    error
}

/// Describes the model being served.
pub(super) async fn model(remote: &Remote, output: Output) -> Result<()> {
    let request = pb::GetModelRequest { merchant_id: remote.merchant.clone(), min_generation: 0 };
    let answer = remote.client.affinities().get_model(remote.call(request)).await?.into_inner();
    match output {
        Output::Json => out::message(&answer)?,
        Output::Table => show(&answer.model.unwrap_or_default(), answer.generation)?,
    }
    Ok(())
}

fn show(model: &pb::Model, generation: u64) -> Result<()> {
    let count = |count: u64, noun: &str| out::counted(count, noun);
    if model.order_count == 0 {
        return Ok(out::line(format!("there was no order to learn from; generation {generation}"))?);
    }
    let newest = model.newest_order.as_ref().map(ToString::to_string).unwrap_or_default();
    let (orders, lines) = (count(model.order_count, "order"), count(model.line_count, "line"));
    out::line(format!("learned from {orders} with {lines}, the newest of {newest}"))?;
    if model.skipped_order_count > 0 {
        out::line(format!("left out: {}", count(model.skipped_order_count, "order")))?;
    }
    out::line(format!(
        "{} of {} go with others more than by chance; known are {} in one order and {} one after the other",
        model.covered_count,
        count(model.product_count, "product"),
        count(model.bought_with_count, "pair"),
        model.bought_after_count,
    ))?;
    let quality = match model.quality_count {
        0 => "quality not known: too few orders to tell".to_owned(),
        asked => format!("quality {:.4} in {}", model.quality, count(asked, "question")),
    };
    Ok(out::line(format!("{quality}; generation {generation}"))?)
}

/// Lists what is known to go with a product.
pub(super) async fn list(remote: &Remote, anchor_id: String, output: Output) -> Result<()> {
    let request =
        pb::ListAffinitiesRequest { merchant_id: remote.merchant.clone(), anchor_id, min_generation: 0 };
    let answer = remote.client.affinities().list_affinities(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let rows = answer.affinities.iter().map(|it| {
        vec![
            it.target_id.clone(),
            short_name("AffinityKind", it.kind),
            format!("{:.4}", it.score),
            it.support.to_string(),
            format!("{:.2}", it.lift),
            days(&it.days_between),
            it.provenance.clone(),
        ]
    });
    Ok(out::table(&["TARGET", "KIND", "SCORE", "SUPPORT", "LIFT", "DAYS LATER", "FROM"], rows)?)
}

/// Quartiles of days, such as `30 (14 to 60)`. Empty without them.
fn days(quartiles: &[f64]) -> String {
    let [lower, median, upper] = quartiles else { return String::new() };
    format!("{median:.0} ({lower:.0} to {upper:.0})")
}

/// Shows one order and what is left of it.
pub(super) async fn order(remote: &Remote, order_id: String, output: Output) -> Result<()> {
    let request = pb::GetOrderRequest { merchant_id: remote.merchant.clone(), order_id, min_generation: 0 };
    let answer = remote.client.orders().get_order(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let order = answer.order.unwrap_or_default();
    let placed = order.placed_at.as_ref().map_or_else(|| "not known".to_owned(), ToString::to_string);
    out::line(format!(
        "order {}, placed {placed}, {}",
        order.order_id,
        out::counted(order.changes.len() as u64, "change")
    ))?;
    let rows = answer.bought.iter().map(|line| vec![line.product_id.clone(), line.quantity.to_string()]);
    Ok(out::table(&["PRODUCT", "QUANTITY"], rows)?)
}
