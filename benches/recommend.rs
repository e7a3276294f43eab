//! `recommend` alone, in process: by catalog size, by candidates of an anchor, by lines of a cart, and the same of a
//! merchant without pairings who lets orders speak.
//!
//! `cargo bench --bench recommend`; `SIDECART_BENCH_FULL=1` adds a catalog of a million products.
//! Criterion prints the times; a table of ratios to the smallest of each kind follows, since ratios carry over to other
//! machines and times do not.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints its figures, and no library")]

mod synthetic;

use std::{
    cell::RefCell,
    env,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Criterion;
use sidecart::v1 as pb;
use sidecart_catalog::{Catalog, ProductId, Timestamp};
use sidecart_rules::{Policy, RuleSet, Stage, Surface};
use sidecart_scoring::{CartLine, Orders, Parts, Query, Snapshot, learn::learn, recommend};
use sidecart_server::convert;
use synthetic::{World, orders::History, product_id};

const MERCHANT: &str = "bench";
const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
const QUESTIONS: u64 = 4_096;
/// What the merchant sells and has sold who lets orders speak.
const LEARNED_PRODUCTS: u64 = 64_000;
const LEARNED_LINES: u64 = 1_000_000;

/// The least time that each measurement took for one answer, in the order of measuring.
type Least = RefCell<Vec<(String, Duration)>>;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let least = Least::default();
    by_catalog(&mut criterion, &least);
    by_candidates(&mut criterion, &least);
    by_cart(&mut criterion, &least);
    by_learned_cart(&mut criterion, &least);
    criterion.final_summary();
    ratios(&least.borrow());
}

/// Pages and carts, half and half, over catalogs of several sizes with a fifth as many pairings.
fn by_catalog(criterion: &mut Criterion, least: &Least) {
    let mut sizes = vec![1_000, 10_000, 100_000];
    sizes.extend(env::var_os("SIDECART_BENCH_FULL").map(|_| 1_000_000));
    for products in sizes {
        let world = World::new(products);
        let began = Instant::now();
        let snapshot = compiled(&world, products / 5);
        println!("{products} products made and compiled in {:.2} s", began.elapsed().as_secs_f64());
        let queries: Vec<_> = (0..QUESTIONS).map(|number| query(&world.question(MERCHANT, number))).collect();
        measure(criterion, least, "catalog", products, &snapshot, &queries);
    }
}

/// One anchor whose pairing leads to many products, all of which pass.
fn by_candidates(criterion: &mut Criterion, least: &Least) {
    for candidates in [1, 10, 100, 1_000] {
        let mut catalog = Catalog::default();
        insert(&mut catalog, plain("anchor".into(), 100_000, ""));
        (0..candidates)
            .for_each(|nth| insert(&mut catalog, plain(product_id(nth), 100 + nth as i64, "fits")));
        let tagged = pb::term::Term::Tag("fits".into());
        let is_anchor = pb::term::Term::ProductId("anchor".into());
        let mut rules = RuleSet::default();
        upsert(&mut rules, pairing(is_anchor, tagged));
        let snapshot = Snapshot::new(1, Parts { catalog, rules, ..Parts::default() });
        let asked =
            pb::RecommendRequest { anchor_ids: vec!["anchor".into()], ..pb::RecommendRequest::default() };
        measure(criterion, least, "candidates", candidates, &snapshot, &[query(&asked)]);
    }
}

/// Carts of several sizes over one catalog.
fn by_cart(criterion: &mut Criterion, least: &Least) {
    let world = World::new(100_000);
    let snapshot = compiled(&world, 20_000);
    for lines in [1, 5, 20, 100, 500] {
        // Steps of a prime, so that the lines lie anywhere in the catalog.
        let line = |nth: u64| pb::CartLine {
            product_id: product_id(nth * 7_919 % 100_000),
            ..pb::CartLine::default()
        };
        let cart = |first: u64| (0..lines).map(|nth| line(first * 500 + nth)).collect();
        let asked = |first| pb::RecommendRequest { cart: cart(first), ..pb::RecommendRequest::default() };
        let queries: Vec<_> = (0..64).map(|first| query(&asked(first))).collect();
        measure(criterion, least, "cart lines", lines, &snapshot, &queries);
    }
}

/// Carts of several sizes where all that is offered was learned from orders.
fn by_learned_cart(criterion: &mut Criterion, least: &Least) {
    let (world, history) = (World::new(LEARNED_PRODUCTS), History::new(LEARNED_PRODUCTS, LEARNED_LINES, NOW));
    let mut catalog = Catalog::default();
    (0..world.products()).for_each(|number| insert(&mut catalog, world.product(number)));
    let mut orders = Orders::default();
    for number in 0..history.orders() {
        orders.record(history.purchase(number).recorded()).expect("made-up orders have no changes");
    }
    let model = Arc::new(learn(&orders, &catalog, 2));
    let snapshot = Snapshot::new(1, Parts { catalog, orders, model, ..Parts::default() });
    let baskets: Vec<Vec<String>> = (history.orders()..)
        .map(|number| history.purchase(number).told().lines.into_iter().map(|line| line.product_id).collect())
        .take(QUESTIONS as usize)
        .collect();
    for lines in [1, 3, 10, 30] {
        let cart = |basket: &Vec<String>| pb::RecommendRequest {
            cart: basket
                .iter()
                .take(lines)
                .map(|id| pb::CartLine { product_id: id.clone(), ..pb::CartLine::default() })
                .collect(),
            ..pb::RecommendRequest::default()
        };
        let queries: Vec<_> = baskets
            .iter()
            .filter(|basket| basket.len() >= lines)
            .map(|basket| query(&cart(basket)))
            .collect();
        measure(criterion, least, "learned, cart lines", lines as u64, &snapshot, &queries);
    }
}

/// Times answers to the queries in turn.
fn measure(
    criterion: &mut Criterion,
    least: &Least,
    kind: &str,
    size: u64,
    snapshot: &Snapshot,
    queries: &[Query],
) {
    let mut best = Duration::MAX;
    criterion.bench_function(&format!("{kind} {size}"), |bencher| {
        let mut next = queries.iter().cycle();
        bencher.iter_custom(|count| {
            let began = Instant::now();
            for query in next.by_ref().take(count as usize) {
                black_box(recommend(snapshot, black_box(query)));
            }
            let took = began.elapsed();
            if count >= queries.len() as u64 {
                best = best.min(took.div_f64(count as f64));
            }
            took
        });
    });
    least.borrow_mut().push((format!("{kind} {size}"), best));
}

fn ratios(least: &[(String, Duration)]) {
    println!("| what | µs for an answer | beside the smallest |\n|---|---|---|");
    let kind = |name: &str| name.rsplit_once(' ').map_or_else(String::new, |(kind, _)| kind.to_owned());
    for same_kind in least.chunk_by(|a, b| kind(&a.0) == kind(&b.0)) {
        for (name, time) in same_kind.iter().filter(|(_, time)| *time < Duration::MAX) {
            let ratio = time.as_secs_f64() / same_kind[0].1.as_secs_f64();
            println!("| {name} | {:.2} | {ratio:.2} × |", time.as_secs_f64() * 1e6);
        }
    }
}

fn compiled(world: &World, pairings: u64) -> Snapshot {
    let mut catalog = Catalog::default();
    (0..world.products()).for_each(|number| insert(&mut catalog, world.product(number)));
    let mut rules = RuleSet::default();
    (0..pairings).for_each(|number| upsert(&mut rules, world.pairing(number)));
    Snapshot::new(1, Parts { catalog, rules, ..Parts::default() })
}

fn insert(catalog: &mut Catalog, product: pb::Product) {
    let product = convert::product::from_pb(product, NOW).expect("made-up products are valid");
    catalog.upsert(product).expect("made-up families do not nest");
}

fn upsert(rules: &mut RuleSet, rule: pb::Rule) {
    rules.upsert(convert::rule::from_pb(rule).expect("made-up rules are valid")).expect("there are few");
}

fn plain(id: String, minor_units: i64, tag: &str) -> pb::Product {
    pb::Product {
        title: format!("Title of {id}"),
        category_path: vec!["All".into(), id.clone()],
        tags: Some(tag.to_owned()).filter(|tag| !tag.is_empty()).into_iter().collect(),
        price: Some(pb::Money { currency: "USD".into(), minor_units }),
        product_id: id,
        ..pb::Product::default()
    }
}

fn pairing(anchor: pb::term::Term, target: pb::term::Term) -> pb::Rule {
    let only =
        |term| Some(pb::Selector { any_of: vec![pb::Term { term: Some(term) }], ..pb::Selector::default() });
    let pairing = pb::Pairing { relation: pb::Relation::Accessory.into(), ..pb::Pairing::default() };
    pb::Rule {
        rule_id: "rule".into(),
        says: Some(pb::rule::Says::Pairing(pairing)),
        anchor: only(anchor),
        target: only(target),
        ..pb::Rule::default()
    }
}

fn query(asked: &pb::RecommendRequest) -> Query {
    let id = |id: &String| ProductId::new(id).expect("made-up ids are valid");
    let line =
        |line: &pb::CartLine| CartLine { product: id(&line.product_id), quantity: 1, unit_price: None };
    Query {
        at: NOW,
        stage: if asked.cart.is_empty() { Stage::Product } else { Stage::Cart },
        surface: Surface::Web,
        anchors: asked.anchor_ids.iter().map(id).collect(),
        cart: asked.cart.iter().map(line).collect(),
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
