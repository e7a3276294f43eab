//! `explain`: why a product is, or is not, among the offers.

use anyhow::Result;
use sidecart::v1 as pb;

use super::recommend;
use crate::{
    args::ExplainArgs,
    out::{self, Output},
    remote::Remote,
    wire::short_name,
};

/// Asks what stopped each product, if anything did.
pub(crate) async fn explain(remote: &Remote, args: ExplainArgs, output: Output) -> Result<()> {
    let request = args.context.into_request(remote.merchant.clone(), args.policy, args.max_results)?;
    let request = pb::ExplainRequest { request: Some(request), product_ids: args.products };
    let answer = remote.client.recommendation().explain(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    if let Some(response) = &answer.response {
        recommend::show(response)?;
        out::line("")?;
    }
    let rows = answer.explanations.into_iter().map(|entry| {
        let pb::TraceEntry { product_id, gate, detail, rule_id, anchor_id } = entry;
        vec![product_id, short_name("Gate", gate), rule_id, anchor_id, detail]
    });
    Ok(out::table(&["PRODUCT", "GATE", "RULE", "ANCHOR", "DETAIL"], rows)?)
}
