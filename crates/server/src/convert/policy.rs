//! Policies. The wire form is the stored form too, and returns exactly.

use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use sidecart_rules::{Override, Phrases, Policy, PolicyName, Stages, Surfaces};

use super::{
    bounds::{self, each},
    enums, follow_up,
};

/// Most bytes of an encoded policy.
pub const BYTES_MAX: usize = 3_500;
/// Most overrides, asked before any is converted.
const OVERRIDES_MAX: usize = 32;

/// A policy.
///
/// # Errors
/// The first fault.
pub fn from_pb(policy: pb::Policy) -> Result<Policy, Violation> {
    bounds::small(&policy, BYTES_MAX)?;
    let pb::Policy { name, limits, overrides, phrases, follow_ups } = policy;
    bounds::at_most(&overrides, OVERRIDES_MAX, "overrides")?;
    let name = PolicyName::new(&name).map_err(|fault| fault.within("name"))?;
    let policy = Policy::new(name, layer(limits)?, each(overrides, "overrides", difference)?)?;
    let policy = policy.with_phrases(said_phrases(phrases.unwrap_or_default()))?;
    match follow_ups {
        Some(terms) => {
            policy.with_follow_ups(follow_up::terms(terms).map_err(|fault| fault.within("follow_ups"))?)
        }
        None => Ok(policy),
    }
}

/// A policy given for one call; its name is not used, and may be anything.
///
/// # Errors
/// The first fault.
pub fn inline_from_pb(policy: pb::Policy) -> Result<Policy, Violation> {
    from_pb(pb::Policy { name: INLINE_NAME.to_owned(), ..policy })
}

const INLINE_NAME: &str = "inline";

/// The wire form.
pub fn to_pb(policy: &Policy) -> pb::Policy {
    let difference = |(stages, surfaces, own): &(Stages, Surfaces, Override)| pb::PolicyOverride {
        stages: enums::stages_to_pb(*stages),
        surfaces: enums::surfaces_to_pb(*surfaces),
        limits: optional_to_pb(own),
    };
    pb::Policy {
        name: policy.name().as_str().to_owned(),
        limits: optional_to_pb(policy.base()),
        overrides: policy.overrides().iter().map(difference).collect(),
        phrases: phrases_to_pb(policy.phrases()),
        follow_ups: follow_up::terms_to_pb(policy.follow_ups()),
    }
}

fn said_phrases(phrases: pb::ConversationPhrases) -> Phrases {
    let pb::ConversationPhrases { offer, never } = phrases;
    let list = |phrases: Vec<String>| phrases.into_iter().map(Into::into).collect();
    Phrases { offer: list(offer), never: list(never) }
}

/// None are left out, as limits are that say nothing.
fn phrases_to_pb(phrases: &Phrases) -> Option<pb::ConversationPhrases> {
    let list = |phrases: &[Box<str>]| phrases.iter().map(ToString::to_string).collect();
    (*phrases != Phrases::default())
        .then(|| pb::ConversationPhrases { offer: list(&phrases.offer), never: list(&phrases.never) })
}

fn difference(difference: pb::PolicyOverride) -> Result<(Stages, Surfaces, Override), Violation> {
    let pb::PolicyOverride { stages, surfaces, limits } = difference;
    Ok((enums::stages(stages)?, enums::surfaces(surfaces)?, layer(limits)?))
}

/// One layer of limits; a fault is under `limits`.
fn layer(limits: Option<pb::PolicyLimits>) -> Result<Override, Violation> {
    limits.map_or_else(|| Ok(Override::default()), said).map_err(|fault| fault.within("limits"))
}

fn said(limits: pb::PolicyLimits) -> Result<Override, Violation> {
    let pb::PolicyLimits {
        offers_max,
        price_proportion_max_percent,
        per_category_max,
        per_need_max,
        same_category_max,
        stock_min,
        score_min,
        lift_min,
        objective,
        disallowed_relations,
    } = limits;
    let pieces = |pieces| {
        super::product::pieces(pieces).map_err(|fault| Violation::new("stock_min", fault.description))
    };
    Ok(Override {
        offers_max,
        price_proportion_max_percent,
        per_category_max,
        per_need_max,
        same_category_max,
        stock_min: stock_min.map(pieces).transpose()?,
        score_min,
        lift_min,
        objective: enums::objective::from_pb(objective).map_err(|fault| fault.within("objective"))?,
        disallowed_relations: enums::relations(disallowed_relations, "disallowed_relations")?,
    })
}

/// A layer that says nothing is left out, so that the stored form is no longer than what was sent.
fn optional_to_pb(own: &Override) -> Option<pb::PolicyLimits> {
    (*own != Override::default()).then(|| layer_to_pb(own))
}

fn layer_to_pb(own: &Override) -> pb::PolicyLimits {
    let Override {
        offers_max,
        price_proportion_max_percent,
        per_category_max,
        per_need_max,
        same_category_max,
        stock_min,
        score_min,
        lift_min,
        objective,
        disallowed_relations,
    } = *own;
    pb::PolicyLimits {
        offers_max,
        price_proportion_max_percent,
        per_category_max,
        per_need_max,
        same_category_max,
        stock_min: stock_min.map(i64::from),
        score_min,
        lift_min,
        objective: objective.map(|objective| enums::objective::to_pb(objective).into()).unwrap_or_default(),
        disallowed_relations: disallowed_relations.map(enums::relations_to_pb).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_returns_exactly() {
        let limits = pb::PolicyLimits {
            offers_max: Some(0),
            price_proportion_max_percent: Some(50),
            per_category_max: Some(3),
            per_need_max: Some(2),
            same_category_max: Some(0),
            stock_min: Some(7),
            score_min: Some(0.25),
            lift_min: Some(1.5),
            objective: pb::ValueObjective::Margin.into(),
            disallowed_relations: vec![pb::Relation::Refill.into(), pb::Relation::Service.into()],
        };
        let silent = pb::PolicyOverride::default();
        let chatty = pb::PolicyOverride {
            stages: vec![pb::Stage::Browse.into()],
            surfaces: vec![pb::Surface::Chat.into(), pb::Surface::Sms.into()],
            limits: Some(pb::PolicyLimits { offers_max: Some(1), ..pb::PolicyLimits::default() }),
        };
        let phrases = || {
            let (offer, never) = (vec!["gift idea".to_owned()], vec!["lawyer".to_owned()]);
            Some(pb::ConversationPhrases { offer, never })
        };
        let follow_ups = || {
            Some(pb::FollowUpTerms {
                disabled_kinds: vec![pb::FollowUpKind::BeforeShip.into()],
                delay_minutes: Some(1),
                editable_minutes: Some(2),
                delivery_days: Some(3),
                add_on_days: Some(4),
                after_delivery_days: Some(5),
                refill_lead_days: Some(6),
                open_days: Some(7),
                quiet_days: Some(8),
                from_hour: Some(9),
                until_hour: Some(10),
                time_zone: "Europe/Lisbon".to_owned(),
            })
        };
        let named = |limits, overrides| pb::Policy {
            name: "default".into(),
            limits,
            overrides,
            phrases: phrases(),
            follow_ups: follow_ups(),
        };
        for sent in [named(Some(limits), vec![silent, chatty]), named(None, vec![])] {
            let read = from_pb(sent.clone()).unwrap();
            assert_eq!(to_pb(&read), sent);
            assert_eq!(from_pb(to_pb(&read)), Ok(read));
        }
    }
}
