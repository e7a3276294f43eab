//! Small worlds for tests: products, rules, queries and snapshots with sensible defaults.
#![allow(dead_code, reason = "each test uses its own part")]

use std::sync::Arc;

use sidecart_catalog::{
    Attributes, Availability, CategoryPath, FamilyId, Kind, Money, OrderId, Parts as ProductParts, Product,
    ProductId, ShopperId, Term, Timestamp, Values,
};
use sidecart_rules::{
    MatchClause, MatchOp, Override, Pairing, Policy, PolicyName, Relation, Rule, RuleId, RuleParts, Says,
    Selector, Stage, Stages, Surface, Surfaces,
};
use sidecart_scoring::{
    CartLine, LiveOffer, Order, Parts, Query, Snapshot,
    learn::learn,
    orders::{OrderLine, RecordedOrder, Statement},
};

/// A small stream of numbers, the same each time.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// The moment of every query that does not say otherwise.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_764_547_200_000);

/// Everything an answer depends on, open to change.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) products: Vec<ProductParts>,
    pub(crate) rules: Vec<RuleParts>,
    pub(crate) orders: Vec<RecordedOrder>,
    pub(crate) query: Query,
}

impl World {
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut parts = Parts::default();
        for product in &self.products {
            parts.catalog.upsert(Product::new(product.clone()).unwrap()).unwrap();
        }
        for rule in &self.rules {
            parts.rules.upsert(Rule::new(rule.clone()).unwrap()).unwrap();
        }
        for order in &self.orders {
            parts.orders.record(order.clone()).unwrap();
        }
        parts.model = Arc::new(learn(&parts.orders, &parts.catalog, 1));
        Snapshot::new(1, parts)
    }

    pub(crate) fn product(&mut self, id: &str) -> &mut ProductParts {
        self.products.iter_mut().find(|product| product.id.as_str() == id).unwrap()
    }

    pub(crate) fn rule(&mut self, id: &str) -> &mut RuleParts {
        self.rules.iter_mut().find(|rule| rule.id.as_str() == id).unwrap()
    }

    pub(crate) fn pairing(&mut self, id: &str) -> &mut Pairing {
        match &mut self.rule(id).says {
            Says::Pairing(pairing) => pairing,
            Says::Block | Says::Boost(_) => panic!("rule `{id}` is no pairing"),
        }
    }

    pub(crate) fn limits(&mut self, limits: Override) {
        self.query.policy = policy(limits);
    }
}

/// An order placed some days before [`NOW`]; of nobody, when the shopper is empty.
pub(crate) fn bought(id: &str, shopper: &str, days_ago: i64, products: &[&str]) -> RecordedOrder {
    let placed_at = NOW.plus_days(-days_ago);
    let line = |product: &&str| OrderLine { product: self::id(product), quantity: 1, unit_price: None };
    let statement = Statement {
        updated_at: placed_at,
        placed_at,
        shopper: ShopperId::new(shopper).ok(),
        lines: products.iter().map(line).collect(),
        delivery: None,
    };
    RecordedOrder::new(OrderId::new(id).unwrap(), Some(statement), Vec::new()).unwrap()
}

pub(crate) fn id(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

pub(crate) fn ids(ids: &[&str]) -> Vec<ProductId> {
    ids.iter().map(|one| id(one)).collect()
}

pub(crate) fn usd(minor_units: i64) -> Money {
    Money::new("USD", minor_units).unwrap()
}

/// `Cameras > Compact`.
pub(crate) fn category(path: &str) -> CategoryPath {
    CategoryPath::new(&path.split(" > ").collect::<Vec<_>>()).unwrap()
}

pub(crate) fn product(id: &str, path: &str, minor_units: i64) -> ProductParts {
    ProductParts {
        id: ProductId::new(id).unwrap(),
        title: format!("The {id}").into(),
        family: None,
        category: Some(category(path)),
        attributes: Attributes::default(),
        tags: Vec::new(),
        price: Some(usd(minor_units)),
        unit_cost: None,
        availability: Availability::InStock,
        stock_quantity: None,
        kind: Kind::Durable,
        days_of_supply: None,
        aliases: Vec::new(),
        price_set_time: Timestamp::from_ms(0),
        stock_set_time: Timestamp::from_ms(0),
    }
}

pub(crate) fn family(id: &str) -> Option<FamilyId> {
    Some(FamilyId::new(id).unwrap())
}

/// Text attributes, one value each.
pub(crate) fn text(attributes: &[(&str, &str)]) -> Attributes {
    let one = |(name, value): &(&str, &str)| {
        ((*name).into(), Values::new(vec![(*value).into()], Vec::new()).unwrap())
    };
    Attributes::new(attributes.iter().map(one).collect()).unwrap()
}

pub(crate) fn is(product: &str) -> Term {
    Term::Product(id(product))
}

pub(crate) fn within(path: &str) -> Term {
    Term::Category(category(path))
}

pub(crate) fn tagged(tag: &str) -> Term {
    Term::Tag(tag.into())
}

pub(crate) fn any(terms: &[Term]) -> Selector {
    Selector::new(terms.to_vec(), Vec::new(), Vec::new()).unwrap()
}

pub(crate) fn pairing(relation: Relation) -> Pairing {
    Pairing {
        relation,
        need: None,
        position: None,
        min_anchor_quantity: 1,
        sentence: None,
        mutual: false,
        allows_same_category: false,
    }
}

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

/// A pairing between two terms.
pub(crate) fn pair(id: &str, relation: Relation, anchor: Term, target: Term) -> RuleParts {
    rule(id, Says::Pairing(pairing(relation)), Some(any(&[anchor])), any(&[target]))
}

pub(crate) fn clause(attribute: &str, op: MatchOp) -> MatchClause {
    MatchClause::new(attribute, op, "").unwrap()
}

pub(crate) fn policy(limits: Override) -> Arc<Policy> {
    Arc::new(Policy::new(PolicyName::new("test").unwrap(), limits, Vec::new()).unwrap())
}

pub(crate) fn query(stage: Stage, anchors: &[&str]) -> Query {
    Query {
        at: NOW,
        stage,
        surface: Surface::Web,
        anchors: ids(anchors),
        cart: Vec::new(),
        owned: Vec::new(),
        order: None,
        shopper: None,
        live: Vec::new(),
        taken: Vec::new(),
        results_max: None,
        policy: Arc::new(Policy::built_in()),
        conversation: None,
    }
}

pub(crate) fn line(product: &str, quantity: u32) -> CartLine {
    CartLine { product: id(product), quantity, unit_price: None }
}

pub(crate) fn order(placed_days_ago: i64, lines: Vec<CartLine>) -> Option<Order> {
    Some(Order { placed_at: Some(NOW.plus_days(-placed_days_ago)), expected_delivery: None, lines })
}

pub(crate) fn live(product: &str, price: Option<Money>, in_stock: Option<bool>) -> LiveOffer {
    LiveOffer { product: id(product), price, in_stock }
}
