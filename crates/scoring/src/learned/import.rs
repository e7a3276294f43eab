//! What imported affinities say about a setting. Where they speak of a target, what was learned of it is not asked.

use std::{collections::BTreeMap, sync::Arc};

use sidecart_catalog::Entry;
use sidecart_rules::Stage;

use crate::{
    answer::Level,
    imported::ImportedAffinity,
    lead::{AffinityKind, Learned},
    setting::Setting,
};

/// The products that imported affinities lead to, in the place of those that were learned.
///
/// Of several anchors each may be the one that it is bought for: the chance is that any is.
pub(super) fn over<'a>(
    setting: &Setting<'a>,
    learned: Vec<(&'a Arc<Entry>, Learned<'a>)>,
) -> Vec<(&'a Arc<Entry>, Learned<'a>)> {
    let imported = setting.snapshot.imported();
    if imported.is_empty() {
        return learned;
    }
    let kind = match setting.query.stage {
        Stage::Delivered => AffinityKind::BoughtAfter,
        _ => AffinityKind::BoughtWith,
    };
    let mut spoken: BTreeMap<&str, Vec<(usize, &'a ImportedAffinity)>> = BTreeMap::new();
    for (at, anchor) in setting.anchors.iter().enumerate() {
        let list = imported.of(anchor.entry.product().id().as_str()).iter();
        for affinity in list.filter(|affinity| affinity.kind == kind) {
            spoken.entry(affinity.target.as_str()).or_default().push((at, affinity));
        }
    }
    let is_spoken = |target: &Entry| spoken.contains_key(target.product().id().as_str());
    let mut all: Vec<_> = learned.into_iter().filter(|(target, _)| !is_spoken(target)).collect();
    all.extend(spoken.iter().filter_map(|(target, said)| {
        let target = setting.snapshot.catalog().get(target)?;
        let best = said.iter().max_by(|a, b| a.1.score.total_cmp(&b.1.score).then(b.0.cmp(&a.0)))?;
        let none = said.iter().map(|(_, affinity)| 1.0 - affinity.score).product::<f64>();
        let (anchor, ImportedAffinity { support, lift, provenance, .. }) = *best;
        let chance = 1.0 - none;
        let (level, provenance) = (Level::Product, Some(&**provenance));
        Some((target, Learned { anchor, kind, chance, level, support: *support, lift: *lift, provenance }))
    }));
    all
}
