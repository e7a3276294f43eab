//! What became of one item of a bulk call.

use sidecart::v1 as pb;
use sidecart_catalog::Violation;

use crate::change::Outcome;

/// Where an item stands in its request.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The list it is in, such as `products`.
    pub list: &'a str,
    /// Its place in the list, from 0.
    pub index: usize,
}

impl Place<'_> {
    /// A fault of the item, seen from the request: such as `products[3].price.currency`.
    #[must_use]
    pub fn locate(self, fault: Violation) -> Violation {
        fault.within(&format!("{}[{}]", self.list, self.index))
    }
}

/// The wire form of what became of the item at `place`, whose id is `id`.
pub(crate) fn to_pb(place: Place<'_>, id: &str, outcome: Outcome) -> pb::ItemOutcome {
    let (outcome, fault) = match outcome {
        Outcome::Created => (pb::Outcome::Created, None),
        Outcome::Updated => (pb::Outcome::Updated, None),
        Outcome::Unchanged => (pb::Outcome::Unchanged, None),
        Outcome::Deleted => (pb::Outcome::Deleted, None),
        Outcome::Unknown => (pb::Outcome::Unknown, None),
        Outcome::Stale => {
            (pb::Outcome::Stale, Some(Violation::new("set_time", "is older than what is stored")))
        }
        Outcome::Rejected(fault) => (pb::Outcome::Rejected, Some(fault)),
    };
    pb::ItemOutcome {
        index: u32::try_from(place.index).unwrap_or(u32::MAX),
        id: id.to_owned(),
        outcome: outcome.into(),
        violations: fault.map(|fault| violation_to_pb(place.locate(fault))).into_iter().collect(),
    }
}

fn violation_to_pb(fault: Violation) -> pb::FieldViolation {
    let Violation { field, description } = fault;
    pb::FieldViolation { field, description }
}
