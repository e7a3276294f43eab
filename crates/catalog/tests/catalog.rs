//! The catalog against a naive model, its family rule, and last-writer-wins of price and stock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use sidecart_catalog::{
    Attributes, Availability, Catalog, CategoryPath, Change, FamilyId, Kind, Money, OfferPatch, Parts,
    Patched, Product, ProductId, Term, Timestamp, Values,
};

/// A plain product, to be varied.
fn parts(id: &str) -> Parts {
    Parts {
        id: ProductId::new(id).unwrap(),
        title: id.into(),
        family: None,
        category: None,
        attributes: Attributes::default(),
        tags: vec![],
        price: Some(Money::new("USD", 100).unwrap()),
        unit_cost: None,
        availability: Availability::InStock,
        stock_quantity: None,
        kind: Kind::Durable,
        days_of_supply: None,
        aliases: vec![],
        price_set_time: Timestamp::from_ms(10),
        stock_set_time: Timestamp::from_ms(10),
    }
}

fn in_family(id: &str, family: &str) -> Product {
    Product::new(Parts { family: Some(FamilyId::new(family).unwrap()), ..parts(id) }).unwrap()
}

fn plain(id: &str) -> Product {
    Product::new(parts(id)).unwrap()
}

fn catalog_of(products: impl IntoIterator<Item = Product>) -> Catalog {
    let mut catalog = Catalog::default();
    for product in products {
        catalog.upsert(product).unwrap();
    }
    catalog
}

fn arbitrary() -> impl Strategy<Value = Product> {
    let category = prop::option::of(prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4));
    let tags = prop::collection::vec(prop::sample::select(vec!["t", "u", "v"]), 0..3);
    (0_u8..30, category, tags, prop::option::of("[fg]"), prop::option::of("[xyz]"), 0_i64..3).prop_map(
        |(id, category, tags, family, mount, price)| {
            let mount = mount.map(|mount| ("mount".into(), Values::new(vec![mount.into()], vec![]).unwrap()));
            let built = Parts {
                category: category.map(|names| CategoryPath::new(&names).unwrap()),
                tags: tags.into_iter().map(Into::into).collect(),
                family: family.map(|id| FamilyId::new(&id).unwrap()),
                attributes: Attributes::new(mount.into_iter().collect()).unwrap(),
                price: Some(Money::new("USD", price).unwrap()),
                ..parts(&format!("p{id}"))
            };
            Product::new(built).unwrap()
        },
    )
}

/// Every term that the products above can answer to, apart from being themselves.
fn terms() -> Vec<Term> {
    let name = |text: &str| text.into();
    let mut terms: Vec<Term> = ["t", "u", "v"].into_iter().map(|tag| Term::Tag(name(tag))).collect();
    terms.extend(["f", "g"].into_iter().map(|id| Term::Family(FamilyId::new(id).unwrap())));
    terms
        .extend(["x", "y", "z"].into_iter().map(|v| Term::Attribute { name: name("mount"), value: name(v) }));
    for root in ["a", "b", "c"] {
        terms.push(Term::Category(CategoryPath::new(&[root]).unwrap()));
        terms.extend(["a", "b"].map(|below| Term::Category(CategoryPath::new(&[root, below]).unwrap())));
    }
    terms
}

proptest! {
    #[test]
    fn catalog_is_what_a_sorted_map_is(
        steps in prop::collection::vec(prop_oneof![3 => arbitrary().prop_map(Ok), 1 => (0_u8..30).prop_map(Err)], 0..120)
    ) {
        let (mut catalog, mut model) = (Catalog::default(), BTreeMap::new());
        for step in steps {
            let earlier = catalog.clone();
            let before: Vec<_> = earlier.iter().map(|entry| entry.product().clone()).collect();
            match step {
                Ok(product) => {
                    let expected = match model.insert(product.id().as_str().to_owned(), product.clone()) {
                        None => Change::Created,
                        Some(old) if old == product => Change::Unchanged,
                        Some(_) => Change::Updated,
                    };
                    prop_assert_eq!(catalog.upsert(product), Ok(expected));
                }
                Err(id) => {
                    let id = format!("p{id}");
                    prop_assert_eq!(catalog.remove(&id), model.remove(&id).is_some());
                }
            }
            prop_assert!(earlier.iter().map(|entry| entry.product()).eq(before.iter()), "an earlier generation changed");
        }
        prop_assert!(catalog.iter().map(|entry| entry.product()).eq(model.values()));
        prop_assert_eq!(catalog.len(), model.len());
        prop_assert!(catalog.list(Some("p2"), None).all(|entry| entry.product().id().as_str() > "p2"));
        for term in terms() {
            let posted = catalog.postings(term.id()).into_iter().flat_map(|list| list.iter());
            let posted: Vec<_> = posted.map(|at| catalog.entry(at).unwrap().product().id().to_string()).collect();
            let having = catalog.iter().filter(|entry| entry.has(term.id()));
            let having: Vec<_> = having.map(|entry| entry.product().id().to_string()).collect();
            prop_assert_eq!(&posted, &having, "{}", term);
            prop_assert_eq!(catalog.knows(&term), !having.is_empty());
        }
    }
}

#[test]
fn families_do_not_nest() {
    let cases: [(&str, Vec<Product>, Product, bool); 6] = [
        ("a cycle", vec![in_family("a", "b")], in_family("b", "a"), false),
        ("a chain from below", vec![in_family("b", "c")], in_family("a", "b"), false),
        ("a chain from above", vec![in_family("a", "b")], in_family("b", "c"), false),
        ("a head that names itself", vec![in_family("a", "b")], in_family("b", "b"), true),
        ("a head without a family", vec![in_family("a", "b")], plain("b"), true),
        ("a family that is no product", vec![in_family("a", "x")], in_family("b", "x"), true),
    ];
    for (name, stored, product, fits) in cases {
        let mut catalog = catalog_of(stored);
        assert_eq!(catalog.upsert(product).is_ok(), fits, "{name}");
    }
}

#[test]
fn head_and_variants_are_one_family() {
    let catalog = catalog_of([plain("b"), in_family("a", "b")]);
    assert_eq!(catalog.get("a").unwrap().family(), catalog.get("b").unwrap().family());
    let family = Term::Family(FamilyId::new("b").unwrap());
    assert_eq!(catalog.postings(family.id()).unwrap().len(), 1);
    assert_eq!(catalog.head(&family), catalog.index_of("b"));
}

#[test]
fn newest_set_time_wins_by_field() {
    let price = |minor_units| Some(Money::new("USD", minor_units).unwrap());
    let nothing =
        OfferPatch { price: None, availability: None, stock_quantity: None, set_time: Timestamp::from_ms(0) };
    let at = Timestamp::from_ms;
    let cases = [
        (
            "newer price",
            OfferPatch { price: price(5), set_time: at(11), ..nothing },
            Patched::Changed,
            5,
            None,
        ),
        (
            "older price",
            OfferPatch { price: price(5), set_time: at(9), ..nothing },
            Patched::Stale,
            100,
            None,
        ),
        (
            "same price",
            OfferPatch { price: price(100), set_time: at(11), ..nothing },
            Patched::Unchanged,
            100,
            None,
        ),
        ("same time", OfferPatch { price: price(6), set_time: at(10), ..nothing }, Patched::Changed, 6, None),
        (
            "stock",
            OfferPatch { stock_quantity: Some(3), set_time: at(11), ..nothing },
            Patched::Changed,
            100,
            Some(3),
        ),
    ];
    for (name, patch, done, minor_units, stock) in cases {
        let mut catalog = catalog_of([plain("a")]);
        assert_eq!(catalog.patch("a", &patch), Some(done), "{name}");
        let product = catalog.get("a").unwrap().product().clone();
        assert_eq!(product.price().unwrap().minor_units(), minor_units, "{name}");
        assert_eq!(product.stock_quantity(), stock, "{name}");
    }
    assert_eq!(Catalog::default().patch("a", &nothing), None);
}

#[test]
fn upsert_keeps_a_newer_price() {
    let mut catalog = catalog_of([plain("a")]);
    let newer = OfferPatch {
        price: Some(Money::new("USD", 7).unwrap()),
        availability: None,
        stock_quantity: None,
        set_time: Timestamp::from_ms(50),
    };
    catalog.patch("a", &newer);
    let retitled =
        Product::new(Parts { title: "new".into(), price_set_time: Timestamp::from_ms(20), ..parts("a") });
    assert_eq!(catalog.upsert(retitled.unwrap()), Ok(Change::Updated));
    let product = catalog.get("a").unwrap().product();
    assert_eq!((product.title(), product.price().unwrap().minor_units()), ("new", 7));
}

#[test]
fn faulty_products_are_refused_with_their_field() {
    let usd = |minor_units| Money::new("USD", minor_units).ok();
    let cases: [(Parts, &str); 7] = [
        (Parts { title: "".into(), ..parts("a") }, "title"),
        (Parts { title: "x".repeat(513).into(), ..parts("a") }, "title"),
        (Parts { tags: vec!["ok".into(), "\n".into()], ..parts("a") }, "tags[1]"),
        (Parts { days_of_supply: Some(3), ..parts("a") }, "days_of_supply"),
        (Parts { days_of_supply: Some(0), kind: Kind::Consumable, ..parts("a") }, "days_of_supply"),
        (Parts { unit_cost: usd(1), price: None, ..parts("a") }, "unit_cost"),
        (Parts { unit_cost: Money::new("EUR", 1).ok(), ..parts("a") }, "unit_cost.currency"),
    ];
    for (parts, field) in cases {
        assert_eq!(Product::new(parts).unwrap_err().field, field);
    }
}
