//! `recommend`, `traced` and `explain`: one path, with or without a trace.
//!
//! Setting → routes → candidates → gates → score → arrangement → offers, in the order of operations that is published.
//! Total and deterministic; what is looked at is bounded by the constants here.

use sidecart_catalog::ProductId;

use crate::{
    answer::{Decision, TraceEntry, Verdict, Why},
    arrange::arrange,
    candidates::{Gathered, gather},
    conversation::{Keeps, converse, sift},
    explain::explanation,
    offers::offer,
    query::Query,
    routes::Routes,
    select::select,
    setting::Setting,
    snapshot::Snapshot,
    trace::{Kept, Trace, Untraced},
};

/// Most candidates judged for one query.
pub const CANDIDATES_MAX: usize = 20_000;
/// Most entries in a trace.
pub const TRACE_MAX: usize = 1_000;
/// Most pairings asked for one query, all anchors together.
pub const ROUTES_MAX: usize = 20_000;
/// Most products looked at for one query, all pairings together.
pub const LOOKS_MAX: usize = 200_000;

/// The few products that complete the purchase.
pub fn recommend(snapshot: &Snapshot, query: &Query) -> Decision {
    if let Some(conversation) = &query.conversation {
        return converse(snapshot, query, conversation, Keeps::Nothing).0;
    }
    let setting = Setting::new(snapshot, query);
    decide(&setting, &Routes::new(&setting), &mut Untraced)
}

/// The same answer, with what stopped each candidate, by product id; at most [`TRACE_MAX`].
pub fn traced(snapshot: &Snapshot, query: &Query) -> (Decision, Vec<TraceEntry>) {
    if let Some(conversation) = &query.conversation {
        return converse(snapshot, query, conversation, Keeps::Trace);
    }
    let setting = Setting::new(snapshot, query);
    let mut trace = Kept::all();
    let decision = decide(&setting, &Routes::new(&setting), &mut trace);
    (decision, trace.into_entries())
}

/// The same answer, with the first gate that stopped each of `products`, in the order given.
///
/// Of several routes to a product, the one on which it got furthest speaks.
pub fn explain(snapshot: &Snapshot, query: &Query, products: &[ProductId]) -> (Decision, Vec<TraceEntry>) {
    if let Some(conversation) = &query.conversation {
        return converse(snapshot, query, conversation, Keeps::Only(products));
    }
    let setting = Setting::new(snapshot, query);
    let routes = Routes::new(&setting);
    let mut trace = Kept::only(products);
    let decision = decide(&setting, &routes, &mut trace);
    let entries = trace.into_entries();
    let explanations =
        products.iter().map(|product| explanation(&setting, &routes, &entries, product)).collect();
    (decision, explanations)
}

pub(crate) fn decide<T: Trace>(setting: &Setting<'_>, routes: &Routes<'_>, trace: &mut T) -> Decision {
    let gathered = gather(setting, routes, trace);
    let mut selection = select(setting, routes, &gathered, trace);
    if let Some((chat, _)) = setting.chat {
        selection.passed = sift(setting, chat, std::mem::take(&mut selection.passed), trace);
    }
    let Gathered { is_cut, has_evidence, .. } = gathered;
    let arranged = arrange(setting, &selection.passed, trace);
    let offers: Vec<_> = arranged.iter().map(|candidate| offer(setting, &selection, candidate)).collect();
    let why = if setting.limits.offers_max == 0 {
        Why::OffersDisabled
    } else if setting.anchors.is_empty() {
        Why::NoAnchor
    } else if !offers.is_empty() {
        Why::OffersFound
    } else if is_cut {
        Why::ScanLimit
    } else if has_evidence {
        Why::AllGated
    } else {
        Why::NoEvidence
    };
    let verdict = if why == Why::OffersFound { Verdict::Offer } else { Verdict::Hold };
    Decision { verdict, why, offers, unknown: setting.unknown.clone(), understood: None }
}
