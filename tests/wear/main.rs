//! A thousand generations of a merchant of 16 MB: what a server leaves on the disk stays in proportion to what is live.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use prost::Message as _;
use sidecart::{client::Client, v1 as pb};
use sidecart_server::{Config, start};
use tokio::time::{sleep, timeout};

const MERCHANT: &str = "worn";
const PRODUCTS: u64 = 18_000;
const NOTES: usize = 8;
const NOTE_BYTES: usize = 80;
const GENERATIONS: u64 = 1_000;
/// Of so many generations one replaces the whole catalog.
const REPLACE_EVERY: u64 = 100;
const PER_MESSAGE: u64 = 1_000;
/// How long the store may take to come to rest after the last write.
const REST_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(500);
const TIMES_LIVE_MAX: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_generations_leave_a_disk_of_at_most_four_times_the_live_data() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        start(Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::new(dir.path()) }).await.unwrap();
    let client = Client::connect(&format!("http://{}", server.addr)).await.unwrap();
    let live: u64 = (0..PRODUCTS).map(|number| product(number, 0).encoded_len() as u64).sum();
    assert!((15_000_000..17_000_000).contains(&live), "{live} bytes");

    let (mut most, mut generation) = (0, 0);
    while generation < GENERATIONS {
        generation = write(&client, generation + 1).await;
        most = most.max(bytes_under(dir.path()));
    }
    let left = at_rest(dir.path()).await;
    let times = |bytes: u64| bytes as f64 / live as f64;
    println!("{live} bytes live: {:.2} times that at rest, {:.2} at most", times(left), times(most));
    assert!(left <= TIMES_LIVE_MAX * live, "{left} bytes for {live} live");
    let blobs: Vec<PathBuf> = files_under(dir.path())
        .into_iter()
        .filter(|file| file.parent().unwrap().ends_with("blobs"))
        .collect();
    assert_eq!(blobs, Vec::<PathBuf>::new());
    server.shut_down().await.unwrap();
}

/// Makes generation `next`, and answers which it became.
async fn write(client: &Client, next: u64) -> u64 {
    let merchant_id = MERCHANT.to_owned();
    // Neighbours, far from those of the generation before.
    let some = (0..20).map(|offset| (next * 1_777 + offset) % PRODUCTS);
    let mut catalog = client.catalog();
    if next % REPLACE_EVERY == 1 {
        let messages =
            (0..PRODUCTS).step_by(PER_MESSAGE as usize).map(move |first| pb::ImportProductsRequest {
                merchant_id: merchant_id.clone(),
                mode: pb::ImportMode::Replace.into(),
                products: (first..first + PER_MESSAGE).map(|number| product(number, next)).collect(),
            });
        catalog.import_products(tokio_stream::iter(messages)).await.unwrap().into_inner().generation
    } else if next % 10 == 2 {
        let products = some.map(|number| product(number, next)).collect();
        let request = pb::UpsertProductsRequest { merchant_id, products, ..Default::default() };
        catalog.upsert_products(request).await.unwrap().into_inner().generation
    } else if next % 10 == 3 {
        let request = pb::UpsertRulesRequest { merchant_id, rules: vec![rule(next)], ..Default::default() };
        client.rules().upsert_rules(request).await.unwrap().into_inner().generation
    } else {
        let offers = some.map(|number| pb::OfferUpdate {
            product_id: id(number),
            stock_quantity: Some(next as i64),
            ..Default::default()
        });
        let request = pb::SetOffersRequest { merchant_id, offers: offers.collect(), ..Default::default() };
        catalog.set_offers(request).await.unwrap().into_inner().generation
    }
}

fn id(number: u64) -> String {
    format!("p{number:05}")
}

fn product(number: u64, version: u64) -> pb::Product {
    let note = |line: usize| format!("{line:x<NOTE_BYTES$}, version {version} of {number}");
    let note = pb::AttributeValues { text: (0..NOTES).map(note).collect(), number: vec![] };
    pb::Product {
        product_id: id(number),
        title: format!("Product {number}"),
        category_path: vec!["things".into(), format!("kind {}", number % 40)],
        attributes: [("notes".to_owned(), note)].into(),
        price: Some(pb::Money { currency: "EUR".into(), minor_units: 1_000 + number as i64 }),
        ..pb::Product::default()
    }
}

/// One large rule, always the same but for its sentence: it takes several rows.
fn rule(version: u64) -> pb::Rule {
    let of = |numbers: std::ops::Range<u64>| {
        let terms = numbers
            .map(|number| pb::Term { term: Some(pb::term::Term::ProductId(id(number))) })
            .collect::<Vec<_>>();
        Some(pb::Selector { any_of: terms, ..pb::Selector::default() })
    };
    let pairing = pb::Pairing {
        relation: pb::Relation::Accessory.into(),
        sentence: format!("Goes with it, {version}"),
        ..pb::Pairing::default()
    };
    pb::Rule {
        rule_id: "large".into(),
        says: Some(pb::rule::Says::Pairing(pairing)),
        anchor: of(0..500),
        target: of(500..1_000),
        ..pb::Rule::default()
    }
}

/// The bytes under a directory once they do not change any more.
async fn at_rest(dir: &Path) -> u64 {
    let settled = async {
        let mut before = bytes_under(dir);
        loop {
            sleep(LOOK_EVERY).await;
            let now = bytes_under(dir);
            if now == before {
                return now;
            }
            before = now;
        }
    };
    timeout(REST_MAX, settled).await.unwrap()
}

fn bytes_under(dir: &Path) -> u64 {
    // A file may be gone before it is looked at.
    files_under(dir).iter().filter_map(|file| fs::metadata(file).ok()).map(|data| data.len()).sum()
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let (mut files, mut dirs) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let kind = if entry.path().is_dir() { &mut dirs } else { &mut files };
            kind.push(entry.path());
        }
    }
    files
}
