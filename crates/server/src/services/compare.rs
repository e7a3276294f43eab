//! What differs between two kept generations.

use sidecart::v1 as pb;
use sidecart_catalog::Entry;
use sidecart_scoring::Snapshot;

use crate::{
    diff::{Difference, Keyed, differences},
    limits,
};

/// Says what differs, by part, then id. Time grows with the size of the two, since all of both is walked.
pub(crate) fn compare(earlier: &Snapshot, later: &Snapshot) -> pb::DiffSnapshotsResponse {
    let mut response = pb::DiffSnapshotsResponse {
        to_generation: later.generation(),
        ..pb::DiffSnapshotsResponse::default()
    };
    let products = differences(earlier.catalog().iter(), later.catalog().iter());
    add(&mut response, pb::SnapshotPart::Catalog, products.filter(says_something));
    let rules = differences(earlier.rules().list(None), later.rules().list(None));
    add(&mut response, pb::SnapshotPart::Rules, rules);
    let policies = differences(earlier.policies().iter(), later.policies().iter());
    add(&mut response, pb::SnapshotPart::Policy, policies);
    response
}

/// Whether products differ in more than when their fields were set: a write calls those UNCHANGED too.
fn says_something(difference: &Difference<&Entry>) -> bool {
    !matches!(difference, Difference::Changed(old, new) if old.product().says_the_same_as(new.product()))
}

fn add<'a, T: Keyed + 'a>(
    response: &mut pb::DiffSnapshotsResponse,
    part: pb::SnapshotPart,
    differences: impl Iterator<Item = Difference<&'a T>>,
) {
    for difference in differences {
        response.change_count += 1;
        if response.changes.len() == limits::DIFF_CHANGES_MAX {
            continue;
        }
        let (kind, item) = match difference {
            Difference::Added(new) => (pb::SnapshotChangeKind::Added, new),
            Difference::Removed(old) => (pb::SnapshotChangeKind::Removed, old),
            Difference::Changed(_, new) => (pb::SnapshotChangeKind::Changed, new),
        };
        let id = item.key().to_owned();
        response.changes.push(pb::SnapshotChange { part: part.into(), id, kind: kind.into() });
    }
}
