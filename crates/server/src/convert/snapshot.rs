//! What a snapshot is, and which parts of one are meant.

use sidecart::v1 as pb;
use sidecart_catalog::{MerchantId, Violation};

use super::{bounds::each, enums::known, time};
use crate::{change::PartSet, registry::Published};

/// The wire form of what is said about a snapshot.
pub(crate) fn to_pb(merchant: &MerchantId, published: &Published) -> pb::Snapshot {
    let Published { snapshot, created_at, cause, changed: _, streamed_only: _, degraded } = published;
    let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
    pb::Snapshot {
        merchant_id: merchant.to_string(),
        generation: snapshot.generation(),
        created_at: Some(time::to_pb(*created_at)),
        cause: (*cause).to_owned(),
        product_count: count(snapshot.catalog().len()),
        rule_count: count(snapshot.rules().len()),
        policy_count: count(snapshot.policies().len()),
        order_count: count(snapshot.orders().len()),
        degraded: degraded.is_some(),
        degraded_reason: degraded.as_deref().unwrap_or_default().to_owned(),
    }
}

/// The parts of a list; rules and policies, which people edit, when it is empty.
///
/// # Errors
/// An entry is unspecified or unknown.
pub(crate) fn parts(numbers: Vec<i32>) -> Result<PartSet, Violation> {
    if numbers.is_empty() {
        return Ok(PartSet { catalog: false, rules: true, policies: true });
    }
    let named =
        each(numbers, "parts", |number| match known::<pb::SnapshotPart>(number, "a SnapshotPart")? {
            pb::SnapshotPart::Unspecified => Err(Violation::new("", "is unspecified")),
            part => Ok(part),
        })?;
    let has = |part| named.contains(&part);
    Ok(PartSet {
        catalog: has(pb::SnapshotPart::Catalog),
        rules: has(pb::SnapshotPart::Rules),
        policies: has(pb::SnapshotPart::Policy),
    })
}
