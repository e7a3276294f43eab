//! Explanations: why one product is, or is not, among the offers, candidate or not.

use std::sync::Arc;

use sidecart_catalog::{Entry, ProductId};

use crate::{
    answer::TraceEntry,
    gate::Gate,
    judge::{Target, judge},
    lead::Lead,
    recommend::LOOKS_MAX,
    routes::{self, Route, Routes},
    select::Stopped,
    setting::Setting,
    stop::Stop,
    trace,
};

/// Explains one product, given what the path said about the products asked for, by id.
pub(crate) fn explanation<'a>(
    setting: &Setting<'a>,
    routes: &Routes<'a>,
    entries: &[TraceEntry],
    product: &ProductId,
) -> TraceEntry {
    let Some(entry) = setting.snapshot.catalog().get(product.as_str()) else {
        return trace::entry(product, &Stop::UnknownProduct, None, None);
    };
    let said = entries.binary_search_by(|entry| entry.product.cmp(product)).ok().map(|at| &entries[at]);
    if let Some(said) = said.filter(|said| was_arranged(said.gate)) {
        return said.clone();
    }
    let Some(Stopped { stop, lead }) = furthest(setting, routes, entry) else {
        // What was learned has no route, and nothing but the path to speak of it.
        if let Some(said) = said {
            return said.clone();
        }
        let stop = if setting.anchors.is_empty() { Stop::NoAnchor } else { Stop::NoEvidence };
        return trace::entry(product, &stop, None, None);
    };
    let anchor = setting.anchors[lead.anchor()].entry.product().id();
    trace::entry(product, &stop, lead.rule(), Some(anchor))
}

/// Whether a gate speaks of a candidate that passed all the gates before the arrangement.
fn was_arranged(gate: Gate) -> bool {
    gate == Gate::Passed || (gate >= Gate::EvidenceFloor && gate != Gate::ScanLimit)
}

/// Walks every pairing from every anchor that would offer the product, open or not, scanned or not;
/// up to [`LOOKS_MAX`] pairings looked at.
fn furthest<'a>(setting: &Setting<'a>, routes: &Routes<'a>, entry: &'a Arc<Entry>) -> Option<Stopped<'a>> {
    let target = Target::new(setting, entry);
    let leading = routes::all(setting).take(LOOKS_MAX).filter(|route| route.targets().selects(entry));
    let stop = |route: &Route<'a>| {
        let anchor = setting.anchors[route.anchor].entry;
        let asked = route.admit(setting).and_then(|()| {
            judge(setting, routes, &Lead::Pairing(*route), &target, route.misfit(entry, anchor))
        });
        // What passes and was still no candidate was never reached.
        asked.err().unwrap_or(Stop::ScanLimit(route.rule.id()))
    };
    leading.fold(None, |furthest, route| {
        Some(Stopped { stop: stop(&route), lead: Lead::Pairing(route) }.or(furthest))
    })
}
