//! The trace: what stopped each candidate, kept or not.
//!
//! Everything on the path is generic over it, so that without a trace it compiles to nothing.

use sidecart_catalog::ProductId;
use sidecart_rules::RuleId;

use crate::{answer::TraceEntry, gate::Gate, recommend::TRACE_MAX, stop::Stop};

/// Where the path says what stopped a candidate.
pub(crate) trait Trace {
    /// Whether anything said about this product is kept.
    fn wants(&self, product: &ProductId) -> bool;
    /// What stopped it, the rule it came from and the anchor it was judged beside. Once for each product.
    fn note(
        &mut self,
        product: &ProductId,
        stop: &Stop<'_>,
        rule: Option<&RuleId>,
        anchor: Option<&ProductId>,
    );
}

/// Keeps nothing.
pub(crate) struct Untraced;

impl Trace for Untraced {
    fn wants(&self, _: &ProductId) -> bool {
        false
    }
    fn note(&mut self, _: &ProductId, _: &Stop<'_>, _: Option<&RuleId>, _: Option<&ProductId>) {}
}

/// Keeps what is said about some products, or all.
pub(crate) struct Kept<'a> {
    /// Ascending. `None`: all.
    only: Option<Vec<&'a ProductId>>,
    entries: Vec<TraceEntry>,
}

impl<'a> Kept<'a> {
    /// Keeps what is said about any product.
    pub(crate) fn all() -> Self {
        Self { only: None, entries: Vec::new() }
    }

    /// Keeps what is said about these.
    pub(crate) fn only(products: &'a [ProductId]) -> Self {
        let mut only: Vec<_> = products.iter().collect();
        only.sort_unstable();
        Self { only: Some(only), entries: Vec::new() }
    }

    /// What was said, by product id, one entry for each; of all products at most [`TRACE_MAX`].
    pub(crate) fn into_entries(mut self) -> Vec<TraceEntry> {
        // Where a scan ended is said of a product only if nothing else is.
        let order = |entry: &TraceEntry| entry.gate == Gate::ScanLimit;
        self.entries.sort_by(|a, b| a.product.cmp(&b.product).then(order(a).cmp(&order(b))));
        self.entries.dedup_by(|later, kept| later.product == kept.product);
        if self.only.is_none() {
            self.entries.truncate(TRACE_MAX);
        }
        self.entries
    }
}

impl Trace for Kept<'_> {
    fn wants(&self, product: &ProductId) -> bool {
        self.only.as_ref().is_none_or(|only| only.binary_search(&product).is_ok())
    }

    fn note(
        &mut self,
        product: &ProductId,
        stop: &Stop<'_>,
        rule: Option<&RuleId>,
        anchor: Option<&ProductId>,
    ) {
        if self.wants(product) {
            self.entries.push(entry(product, stop, rule, anchor));
        }
    }
}

/// A stop put into words.
pub(crate) fn entry(
    product: &ProductId,
    stop: &Stop<'_>,
    rule: Option<&RuleId>,
    anchor: Option<&ProductId>,
) -> TraceEntry {
    TraceEntry {
        product: product.clone(),
        gate: stop.gate(),
        detail: stop.to_string(),
        rule: stop.rule().or(rule).cloned(),
        anchor: anchor.cloned(),
    }
}
