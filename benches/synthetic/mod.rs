//! A made-up merchant of any size, in the shape of `examples/synthetic/make.py`: everything about a product, a pairing
//! or a question follows from its number.
//!
//! Blocks and boosts are left out: beside 200,000 pairings there is no room for them.

#![allow(dead_code, reason = "each bench uses its part")]

mod dice;
pub(crate) mod orders;

use std::collections::BTreeMap;

use sidecart::v1::{self as pb, term::Term};

use self::dice::{Dice, mixed, share};

const CATEGORIES_PER_DEPARTMENT: u64 = 20;
const LEAVES_PER_CATEGORY: u64 = 10;
const CATEGORIES: u64 = 10 * CATEGORIES_PER_DEPARTMENT;
const LEAVES: u64 = CATEGORIES * LEAVES_PER_CATEGORY;
const FAMILY_SIZE: u64 = 3;
/// What the products of a category fit.
const SYSTEMS: u64 = 100;
const TAGS: u64 = 25;
const NEEDS: u64 = 400;
const COLOURS: [&str; 8] = ["black", "white", "silver", "red", "blue", "green", "sand", "olive"];
const MATERIALS: [&str; 8] = ["steel", "oak", "cotton", "glass", "leather", "ceramic", "aluminium", "linen"];
const NOUNS: [&str; 6] = ["stand", "lamp", "case", "filter", "mount", "cable"];
const STAGES: [pb::Stage; 5] =
    [pb::Stage::Product, pb::Stage::Cart, pb::Stage::Checkout, pb::Stage::OrderPlaced, pb::Stage::Delivered];

/// The merchant.
pub(crate) struct World {
    products: u64,
    /// The families in each category.
    families: Vec<Vec<u64>>,
}

impl World {
    /// A merchant with this many products.
    pub(crate) fn new(products: u64) -> Self {
        let mut families = vec![Vec::new(); CATEGORIES as usize];
        for family in 0..products.div_ceil(FAMILY_SIZE) {
            families[(leaf_of(family) / LEAVES_PER_CATEGORY) as usize].push(family);
        }
        Self { products, families }
    }

    /// How many products there are.
    pub(crate) fn products(&self) -> u64 {
        self.products
    }

    /// A product.
    pub(crate) fn product(&self, number: u64) -> pb::Product {
        let (family, variant) = (number / FAMILY_SIZE, number % FAMILY_SIZE);
        let (bits, own, leaf) = (mixed(family, 1) >> 8, mixed(number, 2) >> 8, leaf_of(family));
        let minor_units = price(bits, variant);
        let (brand, material) = (format!("brand {}", bits % 900), MATERIALS[(bits >> 4) as usize % 8]);
        let colour = COLOURS[(bits + variant) as usize % 8];
        let (is_consumable, stock) = (bits.is_multiple_of(5), (own % 400) as i64);
        let mut tags = vec![tag(leaf, bits >> 24)];
        tags.extend(own.is_multiple_of(9).then(|| "sale".to_owned()));
        pb::Product {
            product_id: product_id(number),
            title: format!("{brand} {material} {} {}, {colour}", NOUNS[leaf as usize % 6], family % 9_999),
            family_id: family_id(family),
            category_path: path(leaf),
            attributes: BTreeMap::from([
                ("brand".into(), text(brand)),
                ("material".into(), text(material.into())),
                ("colour".into(), text(colour.into())),
                (
                    "system".into(),
                    text(format!("sys-{}-{}", leaf / LEAVES_PER_CATEGORY, (bits >> 12) % SYSTEMS)),
                ),
                ("load_kg".into(), pb::AttributeValues { text: vec![], number: vec![load_kg(bits)] }),
            ]),
            tags,
            price: Some(usd(minor_units)),
            unit_cost: Some(usd(minor_units * 6 / 10)),
            availability: if stock < 8 { pb::Availability::OutOfStock } else { pb::Availability::InStock }
                .into(),
            stock_quantity: Some(stock),
            kind: if is_consumable { pb::ProductKind::Consumable } else { pb::ProductKind::Durable }.into(),
            days_of_supply: is_consumable.then_some(10 + (bits % 110) as u32),
            ..pb::Product::default()
        }
    }

    /// A pairing. Of 100, 60 go from a product to 1 to 4 products, 20 from a product to a tag with match clauses,
    /// 15 from a leaf to another leaf of its category with a match clause, and 5 from a family to a family.
    pub(crate) fn pairing(&self, number: u64) -> pb::Rule {
        let mut dice = Dice::new(number, 3);
        let family = self.some_product(&mut dice) / FAMILY_SIZE;
        let (anchor, target, matches) = match number % 100 {
            0..60 => self.product_to_products(family, &mut dice),
            60..80 => self.product_to_tag(family, &mut dice),
            80..95 => leaf_to_leaf(&mut dice),
            _ => {
                let near = self.near(family, &mut dice);
                let of = |family| any_of(vec![Term::FamilyId(family_id(family))]);
                (of(family), of(near), Vec::new())
            }
        };
        let pairing = pb::Pairing {
            relation: pb::Relation::Accessory.into(),
            need: if number.is_multiple_of(4) {
                String::new()
            } else {
                format!("need {}", dice.below(NEEDS))
            },
            position: if number % 50 == 7 { 1 + dice.below(3) as u32 } else { 0 },
            ..pb::Pairing::default()
        };
        let first = dice.below(5) as usize;
        let stages = [STAGES[first], STAGES[(first + 1) % 5]];
        pb::Rule {
            rule_id: rule_id(number),
            says: Some(pb::rule::Says::Pairing(pairing)),
            anchor: Some(anchor),
            target: Some(target),
            r#match: matches,
            stages: if dice.below(3) == 0 { stages.map(Into::into).to_vec() } else { Vec::new() },
            ..pb::Rule::default()
        }
    }

    /// A question: half are product pages, half carts of 1 to 5.
    pub(crate) fn question(&self, merchant_id: &str, number: u64) -> pb::RecommendRequest {
        let mut dice = Dice::new(number, 4);
        let is_page = !number.is_multiple_of(2);
        let count = if is_page { 1 } else { 1 + dice.below(5) };
        let mut ids: Vec<_> = (0..count).map(|_| product_id(self.some_product(&mut dice))).collect();
        let request =
            pb::RecommendRequest { merchant_id: merchant_id.into(), ..pb::RecommendRequest::default() };
        if is_page {
            return pb::RecommendRequest { stage: pb::Stage::Product.into(), anchor_ids: ids, ..request };
        }
        ids.sort();
        ids.dedup();
        let line = |product_id| pb::CartLine { product_id, quantity: 1, unit_price: None };
        pb::RecommendRequest {
            stage: pb::Stage::Cart.into(),
            cart: ids.into_iter().map(line).collect(),
            ..request
        }
    }

    /// The first ones more often, as shoppers look at some more often than at others.
    fn some_product(&self, dice: &mut Dice) -> u64 {
        (dice.share().powi(2) * self.products as f64) as u64
    }

    /// A family of the same category.
    fn near(&self, family: u64, dice: &mut Dice) -> u64 {
        let families = &self.families[(leaf_of(family) / LEAVES_PER_CATEGORY) as usize];
        families[dice.below(families.len() as u64) as usize]
    }

    fn product_of(&self, family: u64, dice: &mut Dice) -> u64 {
        (family * FAMILY_SIZE + dice.below(FAMILY_SIZE)).min(self.products - 1)
    }

    fn product_to_products(&self, family: u64, dice: &mut Dice) -> Says {
        let anchor = self.product_of(family, dice);
        let count = 1 + dice.below(4);
        let mut targets: Vec<u64> =
            (0..count).map(|_| self.product_of(self.near(family, dice), dice)).collect();
        targets.retain(|target| *target != anchor);
        if targets.is_empty() {
            targets.push((anchor + FAMILY_SIZE) % self.products);
        }
        let is = |number| Term::ProductId(product_id(number));
        (any_of(vec![is(anchor)]), any_of(targets.into_iter().map(is).collect()), Vec::new())
    }

    fn product_to_tag(&self, family: u64, dice: &mut Dice) -> Says {
        let anchor = Term::ProductId(product_id(self.product_of(family, dice)));
        let matches = match dice.below(2) {
            0 => vec![clause("system", pb::MatchOp::Overlaps)],
            _ => vec![clause("load_kg", pb::MatchOp::AtLeast), clause("material", pb::MatchOp::Equal)],
        };
        let near = self.near(family, dice);
        (any_of(vec![anchor]), any_of(vec![Term::Tag(tag(leaf_of(family), mixed(near, 1) >> 32))]), matches)
    }
}

/// Anchor, target and match clauses.
type Says = (pb::Selector, pb::Selector, Vec<pb::MatchClause>);

fn leaf_to_leaf(dice: &mut Dice) -> Says {
    let leaf = dice.below(LEAVES);
    let step = 1 + dice.below(LEAVES_PER_CATEGORY - 1);
    let other = leaf / LEAVES_PER_CATEGORY * LEAVES_PER_CATEGORY + (leaf + step) % LEAVES_PER_CATEGORY;
    let op = [pb::MatchOp::Overlaps, pb::MatchOp::Superset, pb::MatchOp::Equal][dice.below(3) as usize];
    let within = |leaf| any_of(vec![Term::Category(pb::CategoryPath { path: path(leaf) })]);
    let not_on_sale = vec![pb::Term { term: Some(Term::Tag("sale".into())) }];
    (within(leaf), pb::Selector { none_of: not_on_sale, ..within(other) }, vec![clause("system", op)])
}

/// The power makes the first leaves larger; the product spreads them over the departments.
fn leaf_of(family: u64) -> u64 {
    (share(mixed(family, 1)).powf(1.2) * LEAVES as f64) as u64 * 1_009 % LEAVES
}

fn path(leaf: u64) -> Vec<String> {
    let category = leaf / LEAVES_PER_CATEGORY;
    let department = category / CATEGORIES_PER_DEPARTMENT;
    vec![format!("Department {department}"), format!("Category {category}"), format!("Leaf {leaf}")]
}

fn price(bits: u64, variant: u64) -> i64 {
    let step = (bits % 97) as i64;
    300 + step * step * (5 + (bits % 11) as i64) + variant as i64 * 200
}

fn load_kg(bits: u64) -> f64 {
    (1 + (bits >> 20) % 40) as f64
}

fn tag(leaf: u64, bits: u64) -> String {
    format!("tag-{}-{}", leaf / LEAVES_PER_CATEGORY, bits % TAGS)
}

fn clause(attribute: &str, op: pb::MatchOp) -> pb::MatchClause {
    pb::MatchClause { target_attribute: attribute.into(), op: op.into(), ..pb::MatchClause::default() }
}

fn any_of(terms: Vec<Term>) -> pb::Selector {
    let terms = terms.into_iter().map(|term| pb::Term { term: Some(term) });
    pb::Selector { any_of: terms.collect(), ..pb::Selector::default() }
}

fn text(value: String) -> pb::AttributeValues {
    pb::AttributeValues { text: vec![value], number: vec![] }
}

fn usd(minor_units: i64) -> pb::Money {
    pb::Money { currency: "USD".into(), minor_units }
}

/// The id of a product.
pub(crate) fn product_id(number: u64) -> String {
    format!("p{number:07}")
}

fn family_id(number: u64) -> String {
    format!("f{number:07}")
}

/// The id of a pairing.
pub(crate) fn rule_id(number: u64) -> String {
    format!("r{number:06}")
}
