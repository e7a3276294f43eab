//! Enums: each wire enum and its domain twin, whose values bear the same names.
//!
//! A number that the contract does not define is refused; UNSPECIFIED is `None`, and the caller says what that means.

use sidecart_catalog::{Availability, Kind, Violation};
use sidecart_rules::{
    FollowUpKind, FollowUpKinds, Objective, Relation, Relations, Stage, Stages, Surface, Surfaces,
};
use sidecart_scoring::{
    AffinityKind,
    conversation::{Decline, MentionRole, QuestionKind, Readiness, Sentiment},
    orders::OrderStatus,
};

use sidecart::v1 as pb;

use super::bounds::{each, required};

/// The wire enum value of a number; `what` is its name with an article.
///
/// # Errors
/// The contract defines no such value.
pub fn known<E: TryFrom<i32>>(number: i32, what: &str) -> Result<E, Violation> {
    E::try_from(number).map_err(|_| Violation::new("", format!("is {number}, which is not {what}")))
}

macro_rules! twins {
    ($(#[$doc:meta])* $module:ident: $what:literal, $wire:ident, $domain:ident { $($name:ident),+ $(,)? }) => {
        $(#[$doc])*
        pub mod $module {
            use super::*;

            /// The domain value of a number. `None` when unspecified.
            ///
            /// # Errors
            /// The contract defines no such value.
            pub fn from_pb(number: i32) -> Result<Option<$domain>, Violation> {
                Ok(match known::<pb::$wire>(number, $what)? {
                    pb::$wire::Unspecified => None,
                    $(pb::$wire::$name => Some($domain::$name),)+
                })
            }

            /// The wire value.
            pub fn to_pb(value: $domain) -> pb::$wire {
                match value {
                    $($domain::$name => pb::$wire::$name,)+
                }
            }

            /// All values, in the contract's order.
            pub const ALL: &[$domain] = &[$($domain::$name),+];
        }
    };
}

twins! {
    /// Stages of the journey.
    stage: "a Stage", Stage, Stage { Browse, Product, Cart, Checkout, OrderPlaced, Delivered, Replenish }
}
twins! {
    /// Surfaces.
    surface: "a Surface", Surface, Surface { Web, App, Chat, Email, Sms, Voice }
}
twins! {
    /// Kinds of follow-up.
    follow_up_kind: "a FollowUpKind", FollowUpKind, FollowUpKind { BeforeShip, BeforeArrival, AfterDelivery, Refill }
}
twins! {
    /// Kinds of question.
    question: "a QuestionKind", QuestionKind, QuestionKind {
        Compatibility, UseCase, Specification, HowTo, PriceOrDeal, Availability, Comparison, OrderStatus,
        ReturnOrRefund, Complaint, Cancel, Account, HumanRequest, Thanks, Other,
    }
}
twins! {
    /// How customers feel.
    sentiment: "a Sentiment", Sentiment, Sentiment { Negative, Neutral, Positive }
}
twins! {
    /// How near customers are to buying.
    readiness: "a Readiness", Readiness, Readiness { Browsing, Interested, ReadyToBuy, AlreadyBought }
}
twins! {
    /// What products have to do with customers.
    mention_role: "a MentionRole", MentionRole, MentionRole { AskedAbout, Owns, Wants, Rejected, Returning }
}
twins! {
    /// How offers are declined.
    decline: "a DeclineReason", DeclineReason, Decline { NoThanks, TooExpensive, HaveOne, Later }
}
twins! {
    /// Kinds of product.
    kind: "a ProductKind", ProductKind, Kind { Durable, Consumable, Service }
}
twins! {
    /// Availabilities.
    availability: "an Availability", Availability, Availability { InStock, OutOfStock, Preorder, Discontinued }
}
twins! {
    /// Relations of a pairing.
    relation: "a Relation", Relation, Relation {
        RequiredAccessory, Accessory, Consumable, Refill, Protection, BundlePart, Service,
    }
}
/// Kinds of affinity that can be imported. What a shopper buys again is not between two products.
pub mod affinity_kind {
    use super::*;

    /// The domain value of a number. `None` when unspecified.
    ///
    /// # Errors
    /// The contract defines no such value.
    pub fn from_pb(number: i32) -> Result<Option<AffinityKind>, Violation> {
        Ok(match known::<pb::AffinityKind>(number, "an AffinityKind")? {
            pb::AffinityKind::Unspecified => None,
            pb::AffinityKind::BoughtWith => Some(AffinityKind::BoughtWith),
            pb::AffinityKind::BoughtAfter => Some(AffinityKind::BoughtAfter),
        })
    }

    /// The wire value.
    pub fn to_pb(kind: AffinityKind) -> pb::AffinityKind {
        match kind {
            AffinityKind::BoughtWith => pb::AffinityKind::BoughtWith,
            AffinityKind::BoughtAfter => pb::AffinityKind::BoughtAfter,
            AffinityKind::BoughtAgain => pb::AffinityKind::Unspecified,
        }
    }
}

twins! {
    /// Where an order stands.
    order_status: "an OrderStatus", OrderStatus, OrderStatus { Placed, Shipped, Delivered, Refunded, Cancelled }
}
twins! {
    /// What the order of offers is weighed by.
    objective: "a ValueObjective", ValueObjective, Objective { TakeRate, Revenue, Margin }
}

/// The stages of a list; all, when it is empty.
///
/// # Errors
/// An entry is unspecified or unknown.
pub fn stages(numbers: Vec<i32>) -> Result<Stages, Violation> {
    if numbers.is_empty() {
        return Ok(Stages::ALL);
    }
    Ok(each(numbers, "stages", |number| required(stage::from_pb(number)?, ""))?.into_iter().collect())
}

/// The surfaces of a list; all, when it is empty.
///
/// # Errors
/// An entry is unspecified or unknown.
pub fn surfaces(numbers: Vec<i32>) -> Result<Surfaces, Violation> {
    if numbers.is_empty() {
        return Ok(Surfaces::ALL);
    }
    Ok(each(numbers, "surfaces", |number| required(surface::from_pb(number)?, ""))?.into_iter().collect())
}

/// The relations of a list; `None`, when it is empty.
///
/// # Errors
/// An entry is unspecified or unknown.
pub fn relations(numbers: Vec<i32>, field: &str) -> Result<Option<Relations>, Violation> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let relations = each(numbers, field, |number| required(relation::from_pb(number)?, ""))?;
    Ok(Some(relations.into_iter().collect()))
}

/// A set of kinds of follow-up; `None` for an empty list.
///
/// # Errors
/// The first number that is none.
pub fn follow_up_kinds(numbers: Vec<i32>, field: &str) -> Result<Option<FollowUpKinds>, Violation> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let kinds = each(numbers, field, |number| required(follow_up_kind::from_pb(number)?, ""))?;
    Ok(Some(kinds.into_iter().collect()))
}

/// The list of a set of kinds of follow-up.
pub fn follow_up_kinds_to_pb(set: FollowUpKinds) -> Vec<i32> {
    let listed = follow_up_kind::ALL.iter().filter(|kind| set.contains(**kind));
    listed.map(|kind| follow_up_kind::to_pb(*kind).into()).collect()
}

/// The list of a set of stages; empty for all.
pub fn stages_to_pb(set: Stages) -> Vec<i32> {
    let listed = stage::ALL.iter().filter(|_| set != Stages::ALL);
    listed.filter(|item| set.contains(**item)).map(|item| stage::to_pb(*item).into()).collect()
}

/// The list of a set of surfaces; empty for all.
pub fn surfaces_to_pb(set: Surfaces) -> Vec<i32> {
    let listed = surface::ALL.iter().filter(|_| set != Surfaces::ALL);
    listed.filter(|item| set.contains(**item)).map(|item| surface::to_pb(*item).into()).collect()
}

/// The list of a set of relations.
pub fn relations_to_pb(set: Relations) -> Vec<i32> {
    relation::ALL
        .iter()
        .filter(|item| set.contains(**item))
        .map(|item| relation::to_pb(*item).into())
        .collect()
}
