//! What texts name: mentions of products, families and categories in several languages and spellings.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use sidecart_catalog::{
    Attributes, Availability, Catalog, CategoryPath, FamilyId, Kind, Parts, Product, ProductId, Timestamp,
    names::{Linked, words},
};

fn product(id: &str, title: &str, family: &str, category: &[&str], aliases: &[&str]) -> Product {
    Product::new(Parts {
        id: ProductId::new(id).unwrap(),
        title: title.into(),
        family: (!family.is_empty()).then(|| FamilyId::new(family).unwrap()),
        category: (!category.is_empty()).then(|| CategoryPath::new(category).unwrap()),
        attributes: Attributes::default(),
        tags: Vec::new(),
        price: None,
        unit_cost: None,
        availability: Availability::InStock,
        stock_quantity: None,
        kind: Kind::Durable,
        days_of_supply: None,
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        price_set_time: Timestamp::from_ms(0),
        stock_set_time: Timestamp::from_ms(0),
    })
    .unwrap()
}

/// A shop in five languages, with what is needed to make its words neither rare nor unique.
fn shop() -> Catalog {
    let cameras = ["Photo", "Mirrorless cameras"];
    let products = [
        product("cam-x100v", "Fujira X100V compact camera", "", &cameras, &["X100V"]),
        product("cam-x200-black", "Fujira X200 camera in black", "cam-x200", &cameras, &["X200"]),
        product("cam-x200-silver", "Fujira X200 camera in silver", "cam-x200", &cameras, &["X200"]),
        product("bag-1", "Wandelstein Kameratasche Größe M", "", &["Photo", "Bags"], &[]),
        product("pod-1", "Cafetière à piston Boréale 1 litre", "", &["Coffee", "Presses"], &[]),
        product("mach-1", "Máquina de café Señorío espresso", "", &["Coffee", "Espresso machines"], &[]),
        product("lens-jp", "望遠レンズ ホシゾラ", "", &["Photo", "レンズ"], &["星空レンズ"]),
        product("batt-jp", "予備電池 デンキ", "", &["Photo", "電池"], &[]),
        product("SKU-77-AB", "Plain strap", "", &["Photo", "Straps"], &[]),
    ];
    let mut catalog = Catalog::default();
    for product in products {
        catalog.upsert(product).unwrap();
    }
    // Other goods, so that a word of one name says something.
    for (nth, maker) in ["Alder", "Birken", "Cobalt", "Dunmore", "Elmsworth", "Farrow"].iter().enumerate() {
        for (at, thing) in
            ["Teapot", "Saucer", "Kettle", "Ladle", "Tray", "Whisk", "Funnel", "Grater"].iter().enumerate()
        {
            let title = format!("{maker} {thing}");
            catalog
                .upsert(product(&format!("other-{nth}-{at}"), &title, "", &["Kitchen", thing], &[]))
                .unwrap();
        }
    }
    catalog.settle_names();
    catalog
}

/// What a text names, surely enough to be told: ids of products, families after `family:`, categories after `in:`.
fn named(catalog: &Catalog, text: &str) -> Vec<String> {
    let links = catalog.link(&words(text));
    let name = |link: &sidecart_catalog::names::Link| match link.best.what {
        Linked::Product(index) => catalog.entry(index).unwrap().product().id().to_string(),
        Linked::Family(index) => format!("family:{}", catalog.entry(index).unwrap().product().family_name()),
        Linked::Category(term) => format!("in:{}", catalog.term(term).unwrap()),
    };
    links.iter().filter(|link| link.best.confidence >= 0.3).map(name).collect()
}

#[test]
fn names_are_found_however_they_are_written() {
    let catalog = shop();
    let cases: [(&str, &[&str]); 21] = [
        ("does the X100V have wifi?", &["cam-x100v"]),
        ("does the x-100 v have wifi?", &["cam-x100v"]),
        ("is x 100v any good", &["cam-x100v"]),
        ("I own a FUJIRA X100V", &["cam-x100v"]),
        ("the compact fujira x100v camera", &["cam-x100v"]),
        ("das x200 gehäuse", &["family:cam-x200"]),
        ("the silver fujira x200", &["cam-x200-silver"]),
        ("Passt die Wandelstein Kameratasche?", &["bag-1"]),
        ("passt die WANDELSTEIN kameratasche grosse m", &["bag-1"]),
        ("die wandelstien kameratasche", &["bag-1"]),
        ("la cafetiere boreale, elle est comment ?", &["pod-1"]),
        ("piston boréale", &["pod-1"]),
        ("la maquina senorio hace espuma?", &["mach-1"]),
        ("la máquina Señorio", &["mach-1"]),
        ("望遠レンズは使えますか", &["lens-jp"]),
        ("星空レンズについて", &["lens-jp"]),
        ("予備電池はありますか", &["batt-jp"]),
        ("about my sku-77-ab order", &["SKU-77-AB"]),
        ("my espresso machine leaks", &["in:category `Coffee > Espresso machines`"]),
        ("two alder teapots please", &["other-0-0"]),
        ("what time do you open on sunday?", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(named(&catalog, text), expected, "{text}");
    }
}

#[test]
fn several_are_found_in_the_order_of_the_text() {
    let catalog = shop();
    let found = named(&catalog, "does the wandelstein kameratasche take my x100v, and a birken kettle?");
    assert_eq!(found, ["bag-1", "cam-x100v", "other-1-2"]);
}

#[test]
fn what_can_be_read_in_two_ways_says_so() {
    let mut catalog = shop();
    catalog
        .upsert(product("bag-2", "Wandelstein Kameratasche Größe L", "", &["Photo", "Bags"], &[]))
        .unwrap();
    catalog.settle_names();
    let links = catalog.link(&words("how big is the wandelstein kameratasche?"));
    let [link] = links.as_slice() else { panic!("{links:?}") };
    assert!(link.best.confidence < 0.5 && link.runner_up.is_some(), "{link:?}");
}

#[test]
fn a_renamed_product_goes_by_its_new_name_only() {
    let mut catalog = shop();
    catalog.upsert(product("bag-1", "Nordlicht Umhängetasche", "", &["Photo", "Bags"], &[])).unwrap();
    catalog.settle_names();
    assert_eq!(named(&catalog, "is the nordlicht umhangetasche big?"), ["bag-1"]);
    assert!(named(&catalog, "is the wandelstein kameratasche big?").is_empty());
    assert!(catalog.remove("bag-1"));
    assert!(named(&catalog, "is the nordlicht umhangetasche big?").is_empty());
}

/// A product by number, under one of a few names.
fn numbered(id: u8, name: u8) -> Product {
    let makers = ["Alder", "Birken", "Cobalt", "Dunmore"];
    let things = ["teapot", "saucers", "kettle v2", "ladle"];
    let title = format!("{} {}", makers[name as usize % 4], things[name as usize / 4 % 4]);
    product(&format!("p{id:02}"), &title, "", &["Kitchen", things[name as usize / 4 % 4]], &[])
}

/// Words that many names share lead nowhere, and must not crowd out a name that is told by rarer ones.
#[test]
fn a_rare_name_is_found_among_many_that_share_a_word() {
    let mut catalog = shop();
    for nth in 0..60 {
        for thing in ["shower", "wall"] {
            let title = format!("Item{nth}q {thing}");
            catalog.upsert(product(&format!("{thing}-{nth}"), &title, "", &[], &[])).unwrap();
        }
    }
    catalog.upsert(product("sponge", "Original Scrub Daddy sponge for dishes", "", &[], &[])).unwrap();
    catalog.settle_names();
    assert_eq!(named(&catalog, "is scrub daddy good for shower walls"), ["sponge"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// How names came and went, and how they are spread over segments, decides nothing.
    #[test]
    fn only_what_is_sold_decides(steps in prop::collection::vec((0_u8..24, 0_u8..20, any::<bool>()), 1..120)) {
        let mut catalog = Catalog::default();
        let mut held = std::collections::BTreeMap::new();
        for (id, name, settles) in steps {
            // Names 16 and up stand for a removal.
            if name < 16 {
                catalog.upsert(numbered(id, name)).unwrap();
                held.insert(id, name);
            } else {
                catalog.remove(&format!("p{id:02}"));
                held.remove(&id);
            }
            if settles {
                catalog.settle_names();
            }
        }
        catalog.settle_names();
        let mut fresh = Catalog::default();
        for (id, name) in &held {
            fresh.upsert(numbered(*id, *name)).unwrap();
        }
        fresh.settle_names();
        for text in ["the alder teapot", "birken", "kettle v2 or cobalt ladle", "dunmor saucer", "v-2", "my ladles"] {
            let ids = |catalog: &Catalog| {
                catalog.link(&words(text)).iter().map(|link| {
                    let id = |what: &Linked| match what {
                        Linked::Product(at) | Linked::Family(at) => catalog.entry(*at).unwrap().product().id().to_string(),
                        Linked::Category(term) => catalog.term(*term).unwrap().to_string(),
                    };
                    let other = link.runner_up.as_ref().map(|other| (id(&other.what), other.confidence.to_bits()));
                    (link.words.clone(), id(&link.best.what), link.best.confidence.to_bits(), other)
                }).collect::<Vec<_>>()
            };
            prop_assert_eq!(ids(&catalog), ids(&fresh), "{}", text);
        }
    }
}
