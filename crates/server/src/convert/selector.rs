//! Selectors and terms.

use std::sync::Arc;

use sidecart::v1 as pb;
use sidecart_catalog::{CategoryPath, FamilyId, ProductId, Term, Violation, limits};
use sidecart_rules::Selector;

use super::bounds::{each, required, short};

/// Most terms of a selector, asked before any is converted.
const TERMS_MAX: usize = 1_000;

/// A selector.
///
/// # Errors
/// Empty, contradictory, too large, or a bad term.
pub fn from_pb(selector: pb::Selector) -> Result<Selector, Violation> {
    let pb::Selector { any_of, all_of, none_of } = selector;
    let count = any_of.len() + all_of.len() + none_of.len();
    if count > TERMS_MAX {
        return Err(Violation::new("", format!("has {count} terms, at most {TERMS_MAX}")));
    }
    Selector::new(
        each(any_of, "any_of", term)?,
        each(all_of, "all_of", term)?,
        each(none_of, "none_of", term)?,
    )
}

/// The wire form.
pub fn to_pb(selector: &Selector) -> pb::Selector {
    let terms = |terms: &[Term]| terms.iter().map(term_to_pb).collect();
    pb::Selector {
        any_of: terms(selector.any_of()),
        all_of: terms(selector.all_of()),
        none_of: terms(selector.none_of()),
    }
}

fn term(term: pb::Term) -> Result<Term, Violation> {
    let pb::Term { term } = term;
    match required(term, "").map_err(|_| Violation::new("", NO_TERM))? {
        pb::term::Term::ProductId(id) => named("product_id", ProductId::new(&id).map(Term::Product)),
        pb::term::Term::FamilyId(id) => named("family_id", FamilyId::new(&id).map(Term::Family)),
        pb::term::Term::Category(pb::CategoryPath { path }) => {
            named("category.path", CategoryPath::new(&path).map(Term::Category))
        }
        pb::term::Term::Tag(tag) => Ok(Term::Tag(text(&tag, limits::TAG_BYTES_MAX, "tag")?)),
        pb::term::Term::Attribute(pb::AttributeTerm { name, value }) => Ok(Term::Attribute {
            name: text(&name, ATTRIBUTE_NAME_BYTES_MAX, "attribute.name")?,
            value: text(&value, ATTRIBUTE_VALUE_BYTES_MAX, "attribute.value")?,
        }),
    }
}

const NO_TERM: &str = "is empty: set one of `product_id`, `family_id`, `category`, `tag` and `attribute`";

/// Longest name and text value of an attribute, as in the contract of `Product`.
const ATTRIBUTE_NAME_BYTES_MAX: usize = 64;
const ATTRIBUTE_VALUE_BYTES_MAX: usize = 128;

/// Text that a product could have.
fn text(text: &str, max: usize, field: &str) -> Result<Arc<str>, Violation> {
    if text.is_empty() {
        return Err(Violation::new(field, "is empty"));
    }
    short(text, max, field)?;
    Ok(text.into())
}

fn named(field: &str, term: Result<Term, Violation>) -> Result<Term, Violation> {
    term.map_err(|fault| fault.within(field))
}

fn term_to_pb(term: &Term) -> pb::Term {
    let term = match term {
        Term::Product(id) => pb::term::Term::ProductId(id.to_string()),
        Term::Family(id) => pb::term::Term::FamilyId(id.to_string()),
        Term::Category(path) => {
            pb::term::Term::Category(pb::CategoryPath { path: path.names().map(str::to_owned).collect() })
        }
        Term::Tag(tag) => pb::term::Term::Tag(tag.to_string()),
        Term::Attribute { name, value } => {
            pb::term::Term::Attribute(pb::AttributeTerm { name: name.to_string(), value: value.to_string() })
        }
    };
    pb::Term { term: Some(term) }
}
