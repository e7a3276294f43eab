//! What the tests of this crate build their worlds from.

use sidecart_catalog::{
    Attributes, Availability, Catalog, CategoryPath, Kind, Money, Parts, Product, ProductId, Term, Timestamp,
    Values,
};

use crate::{
    context::{Stages, Surfaces},
    matching::{MatchClause, MatchOp},
    rule::{Pairing, Relation, Rule, RuleId, RuleParts, Says},
    rule_set::RuleSet,
    selector::Selector,
};

/// An attribute by name, with its text values and its numbers.
pub(crate) type Fact<'a> = (&'a str, &'a [&'a str], &'a [f64]);

/// A product in a category such as `Cameras > Mirrorless`, with tags and attributes.
pub(crate) fn product(id: &str, category: &str, tags: &[&str], facts: &[Fact<'_>]) -> Product {
    let values = |text: &[&str], numbers: &[f64]| {
        Values::new(text.iter().map(|value| (*value).into()).collect(), numbers.to_vec()).unwrap()
    };
    let attributes =
        facts.iter().map(|(name, text, numbers)| ((*name).into(), values(text, numbers))).collect();
    Product::new(Parts {
        id: ProductId::new(id).unwrap(),
        title: id.into(),
        family: None,
        category: Some(path(category)),
        attributes: Attributes::new(attributes).unwrap(),
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
        price: Some(Money::new("USD", 1_000).unwrap()),
        unit_cost: None,
        availability: Availability::InStock,
        stock_quantity: None,
        kind: Kind::Durable,
        days_of_supply: None,
        aliases: Vec::new(),
        price_set_time: Timestamp::from_ms(0),
        stock_set_time: Timestamp::from_ms(0),
    })
    .unwrap()
}

pub(crate) fn catalog(products: impl IntoIterator<Item = Product>) -> Catalog {
    let mut catalog = Catalog::default();
    for product in products {
        catalog.upsert(product).unwrap();
    }
    catalog
}

/// The term of being this product.
pub(crate) fn sku(id: &str) -> Term {
    Term::Product(ProductId::new(id).unwrap())
}

/// The term of being in a category such as `Cameras > Mirrorless`.
pub(crate) fn category(names: &str) -> Term {
    Term::Category(path(names))
}

pub(crate) fn tag(tag: &str) -> Term {
    Term::Tag(tag.into())
}

/// Selects the products that have any of these terms.
pub(crate) fn any<const N: usize>(terms: [Term; N]) -> Selector {
    Selector::new(terms.into(), Vec::new(), Vec::new()).unwrap()
}

/// A plain accessory pairing, to be varied.
pub(crate) fn pairing(id: &str, anchor: Selector, target: Selector) -> RuleParts {
    let says = Pairing {
        relation: Relation::Accessory,
        need: None,
        position: None,
        min_anchor_quantity: 1,
        sentence: None,
        mutual: false,
        allows_same_category: false,
    };
    rule(id, Says::Pairing(says), Some(anchor), target)
}

/// A pairing with some of its own fields changed.
pub(crate) fn pairing_with(mut parts: RuleParts, change: impl FnOnce(&mut Pairing)) -> RuleParts {
    if let Says::Pairing(pairing) = &mut parts.says {
        change(pairing);
    }
    parts
}

pub(crate) fn block(id: &str, anchor: Option<Selector>, target: Selector) -> RuleParts {
    rule(id, Says::Block, anchor, target)
}

/// A rule that always and everywhere holds.
pub(crate) fn rule(id: &str, says: Says, anchor: Option<Selector>, target: Selector) -> RuleParts {
    RuleParts {
        id: RuleId::new(id).unwrap(),
        says,
        anchor,
        target,
        matches: Vec::new(),
        stages: Stages::ALL,
        surfaces: Surfaces::ALL,
        windows: Vec::new(),
        disabled: false,
        note: "".into(),
    }
}

pub(crate) fn rules(parts: impl IntoIterator<Item = RuleParts>) -> RuleSet {
    let mut rules = RuleSet::default();
    for parts in parts {
        rules.upsert(Rule::new(parts).unwrap()).unwrap();
    }
    rules
}

/// A clause that compares the same attribute of both sides.
pub(crate) fn clause(attribute: &str, op: MatchOp) -> MatchClause {
    MatchClause::new(attribute, op, "").unwrap()
}

fn path(names: &str) -> CategoryPath {
    CategoryPath::new(&names.split(" > ").collect::<Vec<_>>()).unwrap()
}
