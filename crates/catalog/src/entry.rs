//! A catalog entry: a product together with the terms it answers to.

use crate::{
    category::CategoryPath,
    product::Product,
    term::{Term, TermId},
};

/// A product and its compiled terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    product: Product,
    own: TermId,
    family: TermId,
    leaf: Option<TermId>,
    /// Every term the product answers to, ascending.
    terms: Box<[TermId]>,
}

impl Entry {
    pub(crate) fn new(product: Product) -> Self {
        let own = TermId::of_product(product.id().as_str());
        let family = TermId::of_family(product.family_name());
        let mut terms = vec![own, family];
        terms.extend(product.category().iter().flat_map(|path| path.prefixes().map(TermId::of_category)));
        terms.extend(product.tags().iter().map(|tag| TermId::of_tag(tag)));
        for (name, values) in product.attributes().iter() {
            terms.extend(values.text().iter().map(|value| TermId::of_attribute(name, value)));
        }
        let leaf = product.category().map(|path| TermId::of_category(path.as_slice()));
        terms.sort_unstable();
        terms.dedup();
        Self { own, family, leaf, terms: terms.into(), product }
    }

    /// The product itself.
    pub fn product(&self) -> &Product {
        &self.product
    }

    /// The term of being this product.
    pub fn own(&self) -> TermId {
        self.own
    }

    /// The term of belonging to its family.
    pub fn family(&self) -> TermId {
        self.family
    }

    /// The term of its own category, the leaf of its path.
    pub fn leaf(&self) -> Option<TermId> {
        self.leaf
    }

    /// The term of the category above its own, if there is one.
    pub fn parent(&self) -> Option<TermId> {
        let (_, above) = self.product.category()?.as_slice().split_last()?;
        (!above.is_empty()).then(|| TermId::of_category(above))
    }

    /// Every term the product answers to, ascending: itself, its family, its categories, tags and text values.
    pub fn terms(&self) -> &[TermId] {
        &self.terms
    }

    /// The terms of its tags and of the text values of its attributes.
    pub fn own_terms(&self) -> impl Iterator<Item = TermId> {
        let tags = self.product.tags().iter().map(|tag| TermId::of_tag(tag));
        let values = self.product.attributes().iter().flat_map(|(name, values)| {
            values.text().iter().map(move |value| TermId::of_attribute(name, value))
        });
        tags.chain(values)
    }

    /// Whether the product answers to a term.
    pub fn has(&self, term: TermId) -> bool {
        self.terms.binary_search(&term).is_ok()
    }

    /// The terms under which the product is posted: all but itself, and its family only where it was given one.
    pub(crate) fn posted(&self) -> Vec<Term> {
        let product = &self.product;
        let mut posted: Vec<Term> = product.family().cloned().map(Term::Family).into_iter().collect();
        posted.extend(
            product
                .category()
                .iter()
                .flat_map(|path| path.prefixes())
                .map(|names| Term::Category(CategoryPath::from_prefix(names))),
        );
        posted.extend(product.tags().iter().map(|tag| Term::Tag((&**tag).into())));
        for (name, values) in product.attributes().iter() {
            posted.extend(
                values
                    .text()
                    .iter()
                    .map(|value| Term::Attribute { name: name.into(), value: (&**value).into() }),
            );
        }
        posted
    }

    pub(crate) fn share_category(&mut self, shared: CategoryPath) {
        self.product.share_category(shared);
    }

    /// The same entry with a product that differs in price or stock only.
    pub(crate) fn with_offer(&self, product: Product) -> Self {
        Self { product, terms: self.terms.clone(), ..*self }
    }
}
