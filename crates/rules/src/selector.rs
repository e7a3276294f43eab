//! Selectors: which products a rule is about.

use sidecart_catalog::{Entry, Term, TermId, Violation};

/// Most terms in one selector.
pub(crate) const TERMS_MAX: usize = 1_000;

/// Chooses the products that have any of some terms (if given), all of others and none of yet others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    any_of: Box<[Term]>,
    all_of: Box<[Term]>,
    none_of: Box<[Term]>,
    /// Hashes of the above, in the same order.
    any_ids: Box<[TermId]>,
    all_ids: Box<[TermId]>,
    none_ids: Box<[TermId]>,
}

impl Selector {
    /// Checks, sorts and takes terms.
    ///
    /// # Errors
    /// Empty (neither `any_of` nor `all_of`), too many, or a term both wanted and excluded.
    pub fn new(any_of: Vec<Term>, all_of: Vec<Term>, none_of: Vec<Term>) -> Result<Self, Violation> {
        let [any_of, all_of, none_of] = [any_of, all_of, none_of].map(sorted);
        let count = any_of.len() + all_of.len() + none_of.len();
        if count > TERMS_MAX {
            return Err(Violation::new("", format!("has {count} terms, at most {TERMS_MAX}")));
        }
        if any_of.is_empty() && all_of.is_empty() {
            return Err(Violation::new("", "is empty: name at least one term in any_of or all_of"));
        }
        let excluded = |term: &&Term| none_of.binary_search(term).is_ok();
        if let Some(term) = all_of.iter().find(excluded) {
            return Err(Violation::new("none_of", format!("excludes {term}, which all_of requires")));
        }
        if !any_of.is_empty() && any_of.iter().all(|term| excluded(&term)) {
            return Err(Violation::new("none_of", "excludes everything that any_of allows"));
        }
        let ids = |terms: &[Term]| terms.iter().map(Term::id).collect();
        let (any_ids, all_ids, none_ids) = (ids(&any_of), ids(&all_of), ids(&none_of));
        Ok(Self { any_of, all_of, none_of, any_ids, all_ids, none_ids })
    }

    /// Whether it selects a product.
    pub fn selects(&self, entry: &Entry) -> bool {
        (self.any_ids.is_empty() || self.any_ids.iter().any(|term| entry.has(*term)))
            && self.all_ids.iter().all(|term| entry.has(*term))
            && !self.none_ids.iter().any(|term| entry.has(*term))
    }

    /// Terms of which a selected product has at least one, ascending; may be empty.
    pub fn any_of(&self) -> &[Term] {
        &self.any_of
    }

    /// Terms which a selected product has all of, ascending; may be empty.
    pub fn all_of(&self) -> &[Term] {
        &self.all_of
    }

    /// Terms which a selected product has none of, ascending; may be empty.
    pub fn none_of(&self) -> &[Term] {
        &self.none_of
    }

    /// Hashes of the terms under which every selected product can be found: `any_of`, else the first of `all_of`.
    pub fn keys(&self) -> &[TermId] {
        if self.any_ids.is_empty() { &self.all_ids[..1] } else { &self.any_ids }
    }
}

fn sorted(mut terms: Vec<Term>) -> Box<[Term]> {
    terms.sort_unstable();
    terms.dedup();
    terms.into()
}
