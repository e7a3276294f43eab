//! Follow-ups: what policies say of them, what became of them as it is stored, and as callers are told of them.

use bytes::Bytes;
use prost::Message;
use sidecart::v1 as pb;
use sidecart_catalog::{OrderId, ProductId, Timestamp, Violation};
use sidecart_rules::{FollowUpKind, FollowUpTerms};
use sidecart_scoring::follow_ups::{Completion, Ending, LeaseId, Plan, Span, Standing, Step, Wait};

use super::{
    bounds::{each, required, short},
    enums, id,
    offer::set_at,
    time, zone,
};
use crate::limits;

/// What became of the follow-ups of an order, as it is stored.
#[derive(Clone, PartialEq, Message)]
struct StoredSteps {
    #[prost(string, tag = "1")]
    order_id: String,
    #[prost(message, repeated, tag = "2")]
    steps: Vec<StoredStep>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredStep {
    #[prost(enumeration = "pb::FollowUpKind", tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    product_id: String,
    #[prost(string, tag = "3")]
    lease_id: String,
    #[prost(uint32, tag = "4")]
    attempts: u32,
    #[prost(oneof = "StoredStanding", tags = "5, 6, 7, 8, 9")]
    standing: Option<StoredStanding>,
    #[prost(string, tag = "10")]
    reason: String,
}

/// Where a follow-up stands, and the moment of it, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, prost::Oneof)]
enum StoredStanding {
    #[prost(sint64, tag = "5")]
    LeasedUntil(i64),
    #[prost(sint64, tag = "6")]
    FailedUntil(i64),
    #[prost(sint64, tag = "7")]
    PutOffUntil(i64),
    #[prost(sint64, tag = "8")]
    Sent(i64),
    #[prost(sint64, tag = "9")]
    Skipped(i64),
}

/// What became of the follow-ups of an order, as it is stored.
pub(crate) fn encode(order: &OrderId, steps: &[Step]) -> Bytes {
    let steps = steps.iter().map(stored).collect();
    StoredSteps { order_id: order.to_string(), steps }.encode_to_vec().into()
}

/// What was stored of the follow-ups of an order.
///
/// # Errors
/// It is no such thing.
pub(crate) fn decode(bytes: &[u8]) -> Result<(OrderId, Vec<Step>), Violation> {
    let fault = |fault| Violation::new("", format!("cannot be decoded: {fault}"));
    let StoredSteps { order_id, steps } = StoredSteps::decode(bytes).map_err(fault)?;
    Ok((OrderId::new(&order_id)?, each(steps, "steps", restored)?))
}

fn stored(step: &Step) -> StoredStep {
    let (standing, reason) = match &step.standing {
        Standing::Waits { until, why: Wait::Leased } => (StoredStanding::LeasedUntil(until.as_ms()), ""),
        Standing::Waits { until, why: Wait::Failed } => (StoredStanding::FailedUntil(until.as_ms()), ""),
        Standing::Waits { until, why: Wait::PutOff } => (StoredStanding::PutOffUntil(until.as_ms()), ""),
        Standing::Sent { at } => (StoredStanding::Sent(at.as_ms()), ""),
        Standing::Skipped { at, reason } => (StoredStanding::Skipped(at.as_ms()), &**reason),
    };
    StoredStep {
        kind: enums::follow_up_kind::to_pb(step.kind).into(),
        product_id: step.product.as_ref().map(ToString::to_string).unwrap_or_default(),
        lease_id: step.lease.map(lease_to_pb).unwrap_or_default(),
        attempts: step.attempts,
        standing: Some(standing),
        reason: reason.to_owned(),
    }
}

fn restored(step: StoredStep) -> Result<Step, Violation> {
    let StoredStep { kind, product_id, lease_id, attempts, standing, reason } = step;
    let until = |ms, why| Standing::Waits { until: Timestamp::from_ms(ms), why };
    let standing = match required(standing, "standing")? {
        StoredStanding::LeasedUntil(ms) => until(ms, Wait::Leased),
        StoredStanding::FailedUntil(ms) => until(ms, Wait::Failed),
        StoredStanding::PutOffUntil(ms) => until(ms, Wait::PutOff),
        StoredStanding::Sent(ms) => Standing::Sent { at: Timestamp::from_ms(ms) },
        StoredStanding::Skipped(ms) => {
            Standing::Skipped { at: Timestamp::from_ms(ms), reason: reason.into() }
        }
    };
    let kind = kind_from_pb(kind)?;
    let lease = if lease_id.is_empty() { None } else { Some(lease_from_pb(&lease_id)?) };
    Ok(Step { kind, product: product_of(kind, &product_id)?, lease, attempts, standing })
}

/// What became of a follow-up, told at `received`.
///
/// # Errors
/// The first fault.
pub(crate) fn completion_from_pb(
    completion: pb::FollowUpCompletion,
    received: Timestamp,
) -> Result<Completion, Violation> {
    use pb::follow_up_completion::Result as Told;
    let pb::FollowUpCompletion { r#ref, lease_id, at, result } = completion;
    let pb::FollowUpRef { order_id, kind, product_id } = required(r#ref, "ref")?;
    let within = |fault: Violation| fault.within("ref");
    let order = OrderId::new(&order_id).map_err(|fault| within(fault.within("order_id")))?;
    let kind = kind_from_pb(kind).map_err(within)?;
    let ending = match result {
        Some(Told::Sent(pb::FollowUpSent {})) => Ending::Sent,
        Some(Told::Skipped(pb::FollowUpSkipped { reason })) => {
            short(&reason, limits::ID_MAX_BYTES, "skipped.reason")?;
            Ending::Skipped(reason.into())
        }
        Some(Told::Failed(pb::FollowUpFailed {})) => Ending::Failed,
        None => return Err(Violation::new("", "is empty: set one of `sent`, `skipped` and `failed`")),
    };
    Ok(Completion {
        order,
        kind,
        product: product_of(kind, &product_id).map_err(within)?,
        lease: lease_from_pb(&lease_id)?,
        ending,
        at: set_at(at.as_ref(), "at", received)?.unwrap_or(received),
    })
}

/// A follow-up as callers see it, without what it offers.
pub(crate) fn to_pb(plan: &Plan, span: Span, step: Option<&Step>, state: pb::FollowUpState) -> pb::FollowUp {
    let reference = pb::FollowUpRef {
        order_id: plan.order.id().to_string(),
        kind: enums::follow_up_kind::to_pb(plan.kind).into(),
        product_id: plan.product.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let standing = step.map(|step| &step.standing);
    let not_before = match standing {
        Some(Standing::Waits { until, .. }) => Some(*until),
        _ => None,
    };
    let completed_at = match standing {
        Some(Standing::Sent { at } | Standing::Skipped { at, .. }) => Some(*at),
        _ => None,
    };
    let is_held = matches!(state, pb::FollowUpState::Leased | pb::FollowUpState::Waiting);
    pb::FollowUp {
        r#ref: Some(reference),
        shopper_id: plan.shopper().map(ToString::to_string).unwrap_or_default(),
        opens_at: Some(time::held_to_pb(span.opens)),
        closes_at: Some(time::held_to_pb(span.closes)),
        offers: Vec::new(),
        lease_id: String::new(),
        not_before: not_before.filter(|_| is_held).map(time::held_to_pb),
        state: state.into(),
        attempt_count: step.map_or(0, |step| step.attempts),
        completed_at: completed_at.map(time::held_to_pb),
    }
}

/// Where a follow-up stands at a moment.
pub(crate) fn state(span: Span, step: Option<&Step>, at: Timestamp) -> pb::FollowUpState {
    match step.map(|step| &step.standing) {
        Some(Standing::Sent { .. }) => pb::FollowUpState::Sent,
        Some(Standing::Skipped { .. }) => pb::FollowUpState::Skipped,
        Some(Standing::Waits { until, why: Wait::Leased }) if *until > at => pb::FollowUpState::Leased,
        _ if span.closes <= at => pb::FollowUpState::Missed,
        Some(Standing::Waits { until, .. }) if *until > at => pb::FollowUpState::Waiting,
        _ if span.opens > at => pb::FollowUpState::Planned,
        _ => pb::FollowUpState::Due,
    }
}

/// The kind of follow-up of a number.
///
/// # Errors
/// There is none, at `kind`.
pub(crate) fn kind_from_pb(number: i32) -> Result<FollowUpKind, Violation> {
    let kind = enums::follow_up_kind::from_pb(number).map_err(|fault| fault.within("kind"))?;
    required(kind, "kind")
}

/// The product of a refill.
///
/// # Errors
/// A refill without one, or another kind with one, at `product_id`.
pub(crate) fn product_of(kind: FollowUpKind, product: &str) -> Result<Option<ProductId>, Violation> {
    match (kind, product.is_empty()) {
        (FollowUpKind::Refill, _) => id::product(product).map(Some),
        (_, true) => Ok(None),
        (_, false) => Err(Violation::new("product_id", "is only for a follow-up of kind REFILL")),
    }
}

/// The name of a lease.
pub(crate) fn lease_to_pb(lease: LeaseId) -> String {
    format!("{:032x}", lease.0)
}

/// A lease by its name.
///
/// # Errors
/// It is no name of a lease, at `lease_id`.
pub(crate) fn lease_from_pb(name: &str) -> Result<LeaseId, Violation> {
    short(name, limits::ID_MAX_BYTES, "lease_id")?;
    let is_hex = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_hex.then(|| u128::from_str_radix(name, 16).ok()).flatten();
    number.map(LeaseId).ok_or_else(|| Violation::new("lease_id", "is not the name of a lease"))
}

/// When customers are written to.
///
/// # Errors
/// The first value that is none. Ranges are the policy's.
pub(super) fn terms(terms: pb::FollowUpTerms) -> Result<FollowUpTerms, Violation> {
    let pb::FollowUpTerms {
        disabled_kinds,
        delay_minutes,
        editable_minutes,
        delivery_days,
        add_on_days,
        after_delivery_days,
        refill_lead_days,
        open_days,
        quiet_days,
        from_hour,
        until_hour,
        time_zone,
    } = terms;
    zone::known(&time_zone, "time_zone")?;
    Ok(FollowUpTerms {
        disabled: enums::follow_up_kinds(disabled_kinds, "disabled_kinds")?,
        delay_minutes,
        editable_minutes,
        delivery_days,
        add_on_days,
        after_delivery_days,
        refill_lead_days,
        open_days,
        quiet_days,
        from_hour,
        until_hour,
        time_zone: (!time_zone.is_empty()).then(|| time_zone.into()),
    })
}

/// The wire form; terms that say nothing are left out.
pub(super) fn terms_to_pb(terms: &FollowUpTerms) -> Option<pb::FollowUpTerms> {
    let FollowUpTerms {
        disabled,
        delay_minutes,
        editable_minutes,
        delivery_days,
        add_on_days,
        after_delivery_days,
        refill_lead_days,
        open_days,
        quiet_days,
        from_hour,
        until_hour,
        time_zone,
    } = terms.clone();
    (*terms != FollowUpTerms::default()).then(|| pb::FollowUpTerms {
        disabled_kinds: disabled.map(enums::follow_up_kinds_to_pb).unwrap_or_default(),
        delay_minutes,
        editable_minutes,
        delivery_days,
        add_on_days,
        after_delivery_days,
        refill_lead_days,
        open_days,
        quiet_days,
        from_hour,
        until_hour,
        time_zone: time_zone.map(String::from).unwrap_or_default(),
    })
}
