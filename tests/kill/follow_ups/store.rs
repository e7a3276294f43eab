//! The store whose customers are written to.

use sidecart::{client::Client, v1 as pb};
use tonic::Status;

use super::{
    MERCHANT,
    model::{
        ADD_ON, AFTER_DELIVERY, BEANS, CAMERA, DAY, DELAY, FROM_HOUR, OPEN, QUIET, REFILL_LEAD, SUPPLY,
        UNTIL_HOUR,
    },
};

/// A camera with a card and a course, and beans that run out.
pub(super) async fn set_up(client: &Client) -> Result<(), Status> {
    let merchant_id = || MERCHANT.to_owned();
    let price = |minor_units| Some(pb::Money { currency: "EUR".into(), minor_units });
    let product = |id: &str, minor_units, kind: pb::ProductKind| pb::Product {
        product_id: id.into(),
        title: format!("The {id}"),
        category_path: vec![format!("shelf of {id}")],
        kind: kind.into(),
        price: price(minor_units),
        availability: pb::Availability::InStock.into(),
        ..Default::default()
    };
    let days_of_supply = u32::try_from(SUPPLY / DAY).ok();
    let beans = pb::Product { days_of_supply, ..product(BEANS, 900, pb::ProductKind::Consumable) };
    let durable = pb::ProductKind::Durable;
    let products = vec![
        product(CAMERA, 50_000, durable),
        product("card", 900, durable),
        product("course", 2_000, pb::ProductKind::Service),
        beans,
    ];
    let request =
        pb::UpsertProductsRequest { merchant_id: merchant_id(), products, request_id: String::new() };
    client.catalog().upsert_products(request).await?;
    let select = |id: &str| {
        let term = pb::Term { term: Some(pb::term::Term::ProductId(id.into())) };
        Some(pb::Selector { any_of: vec![term], ..Default::default() })
    };
    let rule = |anchor: &str, target: &str, relation: pb::Relation, stage: pb::Stage| pb::Rule {
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
    };
    let rules = vec![
        rule(CAMERA, "card", pb::Relation::RequiredAccessory, pb::Stage::OrderPlaced),
        rule(CAMERA, "course", pb::Relation::Service, pb::Stage::Delivered),
        rule(BEANS, BEANS, pb::Relation::Refill, pb::Stage::Replenish),
    ];
    let request = pb::UpsertRulesRequest { merchant_id: merchant_id(), rules, request_id: String::new() };
    client.rules().upsert_rules(request).await?;
    let units = |seconds: i64, unit: i64| u32::try_from(seconds / unit).ok();
    let follow_ups = pb::FollowUpTerms {
        delay_minutes: units(DELAY, 60),
        add_on_days: units(ADD_ON, DAY),
        after_delivery_days: units(AFTER_DELIVERY, DAY),
        refill_lead_days: units(REFILL_LEAD, DAY),
        open_days: units(OPEN, DAY),
        quiet_days: units(QUIET, DAY),
        from_hour: u32::try_from(FROM_HOUR).ok(),
        until_hour: u32::try_from(UNTIL_HOUR).ok(),
        ..Default::default()
    };
    let policy = pb::Policy { name: "default".into(), follow_ups: Some(follow_ups), ..Default::default() };
    let request =
        pb::SetPolicyRequest { merchant_id: merchant_id(), policy: Some(policy), request_id: String::new() };
    client.rules().set_policy(request).await?;
    Ok(())
}
