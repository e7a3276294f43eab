//! Random worlds, small and crowded, so that every gate has something to do.

use std::sync::Arc;

use proptest::{collection::vec, option, prelude::*, sample::select, sample::subsequence};
use sidecart_catalog::{
    Attributes, Availability, CategoryPath, Currency, FamilyId, Kind, Money, Parts as Product, ProductId,
    Term, Timestamp, Values,
};
use sidecart_rules::{
    Boost, MatchClause, MatchOp, Objective, Override, Pairing, Policy, PolicyName, Relation, Relations,
    RuleParts, Says, Selector, Stage, Stages, Surface, Surfaces, Window,
};
use sidecart_scoring::{CartLine, LiveOffer, Order, Query};

use crate::support::{self, NOW, World};

const PRODUCTS: usize = 14;
const STAGES: [Stage; 7] = [
    Stage::Browse,
    Stage::Product,
    Stage::Cart,
    Stage::Checkout,
    Stage::OrderPlaced,
    Stage::Delivered,
    Stage::Replenish,
];
const SURFACES: [Surface; 3] = [Surface::Web, Surface::Chat, Surface::Email];
const RELATIONS: [Relation; 7] = [
    Relation::RequiredAccessory,
    Relation::Accessory,
    Relation::Consumable,
    Relation::Refill,
    Relation::Protection,
    Relation::BundlePart,
    Relation::Service,
];
const CATEGORIES: [&str; 6] = ["A", "A > B", "A > C", "D > C", "D > E", "D"];
const FAMILIES: [&str; 3] = ["f1", "f2", "p00"];
const TAGS: [&str; 3] = ["t1", "t2", "t3"];
const NAMES: [&str; 2] = ["mount", "size"];
const TEXTS: [&str; 3] = ["X", "Y", "Z"];

pub(crate) fn world() -> impl Strategy<Value = World> {
    let products = (6..=PRODUCTS).prop_flat_map(|count| (0..count).map(product).collect::<Vec<_>>());
    let rules = vec(any_rule(), 4..20);
    (products, rules, query()).prop_map(|(products, rules, query)| World {
        orders: Vec::new(),
        products,
        rules: rules.into_iter().enumerate().filter_map(|(at, rule)| numbered(at, rule)).collect(),
        query,
    })
}

/// The same world, with every list in another order.
pub(crate) fn shuffled(world: &World) -> impl Strategy<Value = World> + use<> {
    let query = &world.query;
    let lines = query.order.as_ref().map_or(Vec::new(), |order| order.lines.clone());
    let whole = (Just(world.products.clone()).prop_shuffle(), Just(world.rules.clone()).prop_shuffle());
    let lists = (
        Just(query.anchors.clone()).prop_shuffle(),
        Just(query.cart.clone()).prop_shuffle(),
        Just(query.owned.clone()).prop_shuffle(),
        Just(lines).prop_shuffle(),
        Just(query.live.clone()).prop_shuffle(),
        Just(query.taken.clone()).prop_shuffle(),
    );
    let query = query.clone();
    (whole, lists).prop_map(move |((products, rules), (anchors, cart, owned, lines, live, taken))| {
        let order = query.order.clone().map(|order| Order { lines, ..order });
        World {
            products,
            rules,
            orders: Vec::new(),
            query: Query { anchors, cart, owned, order, live, taken, ..query.clone() },
        }
    })
}

/// Mostly dollars, sometimes euros.
fn money() -> impl Strategy<Value = Money> {
    let currency = prop_oneof![19 => Just("USD"), 1 => Just("EUR")];
    (currency, select(vec![0_i64, 5, 9, 10, 11, 20, 40]))
        .prop_map(|(currency, units)| Money::new(currency, units).unwrap())
}

fn values() -> impl Strategy<Value = Values> {
    let text = subsequence(TEXTS.to_vec(), 0..=3);
    let numbers = subsequence(vec![1.0, 2.0, 3.0], 0..=2);
    (text, numbers).prop_map(|(text, numbers)| {
        let text: Vec<Box<str>> = text.into_iter().map(Into::into).collect();
        Values::new(text, numbers).unwrap_or_default()
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    (option::of(values()), option::of(values())).prop_map(|both| {
        let named = NAMES.into_iter().zip(<[_; 2]>::from(both));
        let given = named.filter_map(|(name, values)| Some((name.into(), values?)));
        Attributes::new(given.filter(|(_, values)| *values != Values::default()).collect()).unwrap()
    })
}

fn product(at: usize) -> impl Strategy<Value = Product> {
    let place = (
        option::weighted(0.2, select(FAMILIES.to_vec())),
        option::weighted(0.8, select(CATEGORIES.to_vec())),
    );
    let availability = prop_oneof![
        17 => Just(Availability::InStock),
        1 => Just(Availability::OutOfStock),
        1 => Just(Availability::Preorder),
        1 => Just(Availability::Discontinued),
    ];
    let offer = (
        option::weighted(0.9, money()),
        option::of(0_i64..15),
        availability,
        option::weighted(0.3, 0_u32..4),
    );
    let kind = (select(vec![Kind::Durable, Kind::Consumable, Kind::Service]), option::of(1_u32..20));
    let facts = (attributes(), subsequence(TAGS.to_vec(), 0..=2));
    (place, offer, kind, facts).prop_map(move |(place, offer, (kind, days), (attributes, tags))| {
        let (price, cost, availability, stock_quantity) = offer;
        let code = price.map(|price: Money| price.currency());
        let cost =
            cost.zip(code).map(|(units, code): (i64, Currency)| Money::new(code.code(), units).unwrap());
        // The head of a family belongs to no other.
        let family = place.0.filter(|_| at > 0).map(|family| FamilyId::new(family).unwrap());
        Product {
            family,
            category: place.1.map(support::category),
            attributes,
            tags: tags.into_iter().map(Into::into).collect(),
            price,
            unit_cost: cost,
            availability,
            stock_quantity,
            kind,
            days_of_supply: days.filter(|_| kind == Kind::Consumable),
            ..support::product(&format!("p{at:02}"), "A", 0)
        }
    })
}

fn id() -> impl Strategy<Value = ProductId> {
    // The last is never in the catalog, and some are not in every catalog.
    (0..PRODUCTS + 1).prop_map(|at| support::id(&format!("p{at:02}")))
}

fn term() -> impl Strategy<Value = Term> {
    let categories: Vec<CategoryPath> = CATEGORIES.iter().map(|path| support::category(path)).collect();
    let attribute = (select(NAMES.to_vec()), select(TEXTS.to_vec()));
    prop_oneof![
        2 => id().prop_map(Term::Product),
        1 => select(FAMILIES.to_vec()).prop_map(|name| Term::Family(FamilyId::new(name).unwrap())),
        4 => select(categories).prop_map(Term::Category),
        2 => select(TAGS.to_vec()).prop_map(support::tagged),
        1 => attribute.prop_map(|(name, value)| Term::Attribute { name: name.into(), value: value.into() }),
    ]
}

fn selector() -> impl Strategy<Value = Selector> {
    let few = |percent: f64| option::weighted(percent, term()).prop_map(Vec::from_iter);
    (vec(term(), 0..5), few(0.15), few(0.15))
        .prop_filter_map("is empty or contradicts itself", |(any, all, none)| {
            Selector::new(any, all, none).ok()
        })
}

fn clause() -> impl Strategy<Value = MatchClause> {
    let op = select(vec![
        MatchOp::Superset,
        MatchOp::Subset,
        MatchOp::Overlaps,
        MatchOp::Equal,
        MatchOp::AtLeast,
        MatchOp::AtMost,
        MatchOp::Within(1.0),
    ]);
    (select(NAMES.to_vec()), op, select(vec!["mount", "size", ""]))
        .prop_map(|(target, op, anchor)| MatchClause::new(target, op, anchor).unwrap())
}

fn pairing() -> impl Strategy<Value = Says> {
    let need = option::weighted(0.6, select(vec!["n1", "n2", "n3", "n4", "C"]));
    let place = (option::weighted(0.3, 1_u8..5), prop_oneof![6 => Just(1_u32), 1 => Just(2_u32)]);
    (select(RELATIONS.to_vec()), need, place, any::<bool>(), any::<bool>()).prop_map(
        |(relation, need, (position, min), mutual, same)| {
            Says::Pairing(Pairing {
                need: need.map(Into::into),
                position,
                min_anchor_quantity: min,
                mutual,
                allows_same_category: same,
                ..support::pairing(relation)
            })
        },
    )
}

fn any_rule() -> impl Strategy<Value = RuleParts> {
    let factor = select(vec![0.02, 0.5, 2.0, 99.0]);
    let says = prop_oneof![
        8 => pairing(),
        1 => Just(Says::Block),
        1 => factor.prop_map(|factor| Says::Boost(Boost::new(factor).unwrap())),
    ];
    let matches = option::weighted(0.3, clause()).prop_map(Vec::from_iter);
    let selectors = (option::weighted(0.9, selector()), selector(), matches);
    let days = option::weighted(0.1, (-3_i64..3, 1_i64..4));
    let context = (
        option::weighted(0.2, subsequence(STAGES.to_vec(), 2..7)),
        option::weighted(0.2, subsequence(SURFACES.to_vec(), 1..3)),
        days,
        prop_oneof![9 => Just(false), 1 => Just(true)],
    );
    (says, selectors, context).prop_map(|(says, (anchor, target, matches), context)| {
        let (stages, surfaces, days, disabled) = context;
        let window = |(from, days): (i64, i64)| {
            Window::new(Some(NOW.plus_days(from)), Some(NOW.plus_days(from + days))).unwrap()
        };
        RuleParts {
            matches,
            stages: stages.map_or(Stages::ALL, Stages::from_iter),
            surfaces: surfaces.map_or(Surfaces::ALL, Surfaces::from_iter),
            windows: days.map(window).into_iter().collect(),
            disabled,
            ..support::rule("r", says, anchor, target)
        }
    })
}

/// The rule with an id of its own, if it is a valid one.
fn numbered(at: usize, parts: RuleParts) -> Option<RuleParts> {
    let id = sidecart_rules::RuleId::new(&format!("r{at:02}")).unwrap();
    let parts = RuleParts { id, ..parts };
    sidecart_rules::Rule::new(parts.clone()).is_ok().then_some(parts)
}

fn lines(max: usize) -> impl Strategy<Value = Vec<CartLine>> {
    let line = (id(), 1_u32..4, option::weighted(0.2, money()));
    vec(line.prop_map(|(product, quantity, unit_price)| CartLine { product, quantity, unit_price }), 0..max)
}

fn query() -> impl Strategy<Value = Query> {
    let order = (option::weighted(0.8, 0_i64..40), lines(4)).prop_map(|(days, lines)| Order {
        placed_at: days.map(|days| NOW.plus_days(-days)),
        expected_delivery: None::<Timestamp>,
        lines,
    });
    let live = (id(), option::of(money()), option::of(any::<bool>()))
        .prop_map(|(product, price, in_stock)| LiveOffer { product, price, in_stock });
    let context = (select(STAGES.to_vec()), select(SURFACES.to_vec()), policy());
    let lists = (vec(id(), 0..3), lines(3), vec(id(), 0..3), option::weighted(0.3, order), vec(live, 0..3));
    (context, lists, vec(id(), 0..3)).prop_map(|((stage, surface, policy), lists, taken)| {
        let (anchors, cart, owned, order, live) = lists;
        Query {
            surface,
            anchors,
            cart,
            owned,
            order,
            live,
            taken,
            policy: Arc::new(policy),
            conversation: None,
            ..support::query(stage, &[])
        }
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let offers_max = prop_oneof![1 => Just(0_u32), 9 => 1_u32..9];
    let needs = option::weighted(0.7, select(vec![1_u32, 3, 9]));
    let caps = (option::of(offers_max), option::of(1_u32..3), needs, option::of(0_u32..4));
    let limits = (option::of(select(vec![100_u32, 200, 1000])), option::of(0_u32..3), option::of(0.0..0.2));
    let objective = option::of(select(vec![Objective::TakeRate, Objective::Revenue, Objective::Margin]));
    let disallowed = option::weighted(0.2, subsequence(RELATIONS.to_vec(), 1..3));
    let own =
        (caps, limits, objective, disallowed).prop_map(|(caps, limits, objective, disallowed)| Override {
            offers_max: caps.0,
            per_category_max: caps.1,
            per_need_max: caps.2,
            same_category_max: caps.3,
            price_proportion_max_percent: limits.0,
            stock_min: limits.1,
            score_min: limits.2,
            lift_min: None,
            objective,
            disallowed_relations: disallowed.map(Relations::from_iter),
        });
    let named = |limits| Policy::new(PolicyName::new("test").unwrap(), limits, Vec::new()).unwrap();
    prop_oneof![6 => own.prop_map(named), 2 => Just(Policy::open()), 1 => Just(Policy::built_in())]
}
