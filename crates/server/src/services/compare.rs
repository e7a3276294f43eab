//! What differs between two kept generations.

use std::sync::Arc;

use sidecart::v1 as pb;
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
    let (old, new) = (earlier.catalog(), later.catalog());
    add(&mut response, pb::SnapshotPart::Catalog, old.iter(), new.iter());
    let (old, new) = (earlier.rules(), later.rules());
    add(&mut response, pb::SnapshotPart::Rules, old.list(None), new.list(None));
    let (old, new) = (earlier.policies(), later.policies());
    add(&mut response, pb::SnapshotPart::Policy, old.iter(), new.iter());
    response
}

fn add<'a, T: Keyed + PartialEq + 'a>(
    response: &mut pb::DiffSnapshotsResponse,
    part: pb::SnapshotPart,
    earlier: impl Iterator<Item = &'a Arc<T>>,
    later: impl Iterator<Item = &'a Arc<T>>,
) {
    for difference in differences(earlier, later) {
        response.change_count += 1;
        if response.changes.len() == limits::DIFF_CHANGES_MAX {
            continue;
        }
        let (kind, item) = match difference {
            Difference::Added(new) => (pb::SnapshotChangeKind::Added, new),
            Difference::Removed(old) => (pb::SnapshotChangeKind::Removed, old),
            Difference::Changed(_, new) => (pb::SnapshotChangeKind::Changed, new),
        };
        response.changes.push(pb::SnapshotChange {
            part: part.into(),
            id: item.key().to_owned(),
            kind: kind.into(),
        });
    }
}
