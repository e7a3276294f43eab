//! `recommend`: one question, one answer.

use anyhow::Result;
use sidecart::v1 as pb;
use sidecart_catalog::Money;

use crate::{
    args::RecommendArgs,
    out::{self, Output},
    remote::Remote,
    wire::short_name,
};

/// Asks what to offer.
pub(crate) async fn recommend(remote: &Remote, args: RecommendArgs, output: Output) -> Result<()> {
    let request = args.context.into_request(remote.merchant.clone(), args.policy, args.max_results)?;
    let answer = remote.client.recommendation().recommend(remote.call(request)).await?.into_inner();
    match output {
        Output::Json => out::message(&answer)?,
        Output::Table => show(&answer)?,
    }
    Ok(())
}

/// Prints an answer for people.
pub(crate) fn show(answer: &pb::RecommendResponse) -> Result<()> {
    let verdict = short_name("Verdict", answer.verdict);
    out::line(format!("{verdict} ({}), generation {}", answer.reason, answer.generation))?;
    if !answer.unknown_ids.is_empty() {
        out::line(format!("not in the catalog: {}", answer.unknown_ids.join(", ")))?;
    }
    if answer.offers.is_empty() {
        return Ok(());
    }
    let header = ["#", "PRODUCT", "PRICE", "SCORE", "RELATION", "NEED", "FOR", "EVIDENCE", "REASON"];
    let rows = answer.offers.iter().enumerate().map(|(at, offer)| {
        vec![
            (at + 1).to_string(),
            offer.product_id.clone(),
            price(offer.price.as_ref()),
            format!("{:.3}", offer.score),
            tie(offer),
            offer.need.clone(),
            offer.anchor_ids.join(", "),
            offer.evidence.as_ref().map(evidence).unwrap_or_default(),
            offer.reason.as_ref().map(|reason| reason.text.clone()).unwrap_or_default(),
        ]
    });
    Ok(out::table(&header, rows)?)
}

/// What the merchant says the target is to its anchors; else how orders tie them.
fn tie(offer: &pb::Offer) -> String {
    match offer.relation() {
        pb::Relation::Unspecified => short_name("Source", offer.source),
        _ => short_name("Relation", offer.relation),
    }
}

/// What speaks for it: the rule, or how near the orders are, how many, and how many times as often as by chance.
fn evidence(evidence: &pb::Evidence) -> String {
    if evidence.level() == pb::EvidenceLevel::Merchant {
        return evidence.rule_id.clone();
    }
    let level = short_name("EvidenceLevel", evidence.level);
    format!("{level} {} x {:.1}, {}", evidence.support, evidence.lift, evidence.provenance)
}

/// Money for people, such as `129.00 USD`. Empty without one.
pub(crate) fn price(money: Option<&pb::Money>) -> String {
    let Some(pb::Money { currency, minor_units }) = money else { return String::new() };
    let known = Money::new(currency, *minor_units);
    known.map_or_else(|_| format!("{minor_units} {currency}"), |money| money.to_string())
}
