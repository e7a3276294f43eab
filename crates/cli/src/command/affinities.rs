//! `learn`, `affinities` and `orders`: what orders teach, and the orders themselves.

use anyhow::Result;
use sidecart::v1 as pb;

use crate::{
    out::{self, Output},
    remote::Remote,
    wire::short_name,
};

/// Learns from the orders known now.
pub(super) async fn learn(remote: &Remote, accept_collapse: bool, output: Output) -> Result<()> {
    let request = pb::LearnAffinitiesRequest { merchant_id: remote.merchant.clone(), accept_collapse };
    let answer = remote.client.affinities().learn_affinities(remote.call(request)).await?.into_inner();
    match output {
        Output::Json => out::message(&answer)?,
        Output::Table => show(&answer.model.unwrap_or_default(), answer.generation)?,
    }
    Ok(())
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
    let pb::Model {
        order_count,
        line_count,
        newest_order,
        product_count,
        covered_count,
        bought_with_count,
        skipped_order_count,
        quality,
    } = model;
    let newest = newest_order.as_ref().map(ToString::to_string).unwrap_or_default();
    out::line(format!("learned from {order_count} orders with {line_count} lines, the newest of {newest}"))?;
    if *skipped_order_count > 0 {
        out::line(format!("left out: {}", out::counted(*skipped_order_count, "order")))?;
    }
    out::line(format!(
        "{covered_count} of {product_count} products go with others, in {bought_with_count} pairs"
    ))?;
    Ok(out::line(format!("quality {quality:.4}; generation {generation}"))?)
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
            it.provenance.clone(),
        ]
    });
    Ok(out::table(&["TARGET", "KIND", "SCORE", "SUPPORT", "LIFT", "FROM"], rows)?)
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
