//! Terms: everything a selector can name about a product, in one form.

use std::{fmt, sync::Arc};

use rapidhash::v3::rapidhash_v3;

use crate::{
    category::CategoryPath,
    id::{FamilyId, ProductId},
};

/// One thing a product may be or have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// Is this product.
    Product(ProductId),
    /// Belongs to this family.
    Family(FamilyId),
    /// Is in this category or below.
    Category(CategoryPath),
    /// Has this tag.
    Tag(Arc<str>),
    /// Has this text value of this attribute.
    Attribute {
        /// Name of the attribute.
        name: Arc<str>,
        /// One of its text values.
        value: Arc<str>,
    },
}

/// A term in 64 bits: its hash, so that every part of a snapshot finds it without asking another.
///
/// Never stored and never shown.
/// Among ten million terms the chance that any two collide is about three in a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(u64);

impl Term {
    /// The term's hash.
    pub fn id(&self) -> TermId {
        match self {
            Self::Product(id) => TermId::of_product(id.as_str()),
            Self::Family(id) => TermId::of_family(id.as_str()),
            Self::Category(path) => TermId::of_category(path.as_slice()),
            Self::Tag(tag) => TermId::of_tag(tag),
            Self::Attribute { name, value } => TermId::of_attribute(name, value),
        }
    }
}

impl TermId {
    /// The term of being this product.
    pub fn of_product(id: &str) -> Self {
        Self(1).and(id)
    }

    /// The term of belonging to this family.
    pub fn of_family(name: &str) -> Self {
        Self(2).and(name)
    }

    /// The term of being in this category or below.
    pub fn of_path(path: &CategoryPath) -> Self {
        Self::of_category(path.as_slice())
    }

    pub(crate) fn of_category(names: &[Arc<str>]) -> Self {
        names.iter().fold(Self(3), |above, name| above.and(name))
    }

    /// The term of having this tag.
    pub fn of_tag(tag: &str) -> Self {
        Self(4).and(tag)
    }

    /// The term of having this text value of this attribute.
    pub fn of_attribute(name: &str, value: &str) -> Self {
        Self(5).and(name).and(value)
    }

    fn and(self, part: &str) -> Self {
        let mut both = [0; 16];
        both[..8].copy_from_slice(&self.0.to_le_bytes());
        both[8..].copy_from_slice(&rapidhash_v3(part.as_bytes()).to_le_bytes());
        Self(rapidhash_v3(&both))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => write!(f, "product `{id}`"),
            Self::Family(id) => write!(f, "family `{id}`"),
            Self::Category(path) => write!(f, "category `{path}`"),
            Self::Tag(tag) => write!(f, "tag `{tag}`"),
            Self::Attribute { name, value } => write!(f, "attribute `{name}` = `{value}`"),
        }
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
