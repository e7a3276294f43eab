//! `evaluate` on a made-up shop: twelve pairs of products, each always bought together.

use std::{fmt::Write, fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Ended, run};

const PAIRS: usize = 12;
const ORDERS: usize = 200;

/// Files in a folder of their own.
struct Shop(TempDir);

impl Shop {
    fn new() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        shop.file("products.jsonl", &products());
        shop.file("orders.csv", &orders());
        shop
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn evaluate(&self, flags: &str) -> Ended {
        let dir = self.0.path().display();
        run(&format!("evaluate --catalog {dir}/products.jsonl --orders {dir}/orders.csv{flags}"), &[], "")
    }
}

fn products() -> String {
    let line = |product: &str, category: &str, at: usize| {
        format!(
            "{{\"product_id\":\"{product}{at}\",\"title\":\"{product} {at}\",\"category_path\":[\"{category}\"],\
             \"price\":{{\"currency\":\"USD\",\"minor_units\":{}}}}}\n",
            if product == "camera" { 90_000 } else { 4_900 }
        )
    };
    (0..PAIRS).flat_map(|at| [line("camera", "Cameras", at), line("card", "Cards", at)]).collect()
}

fn orders() -> String {
    let mut text = "order_id,placed_at,product_id,quantity\n".to_owned();
    for order in 0..ORDERS {
        let (month, day, pair) = (1 + order / 28, 1 + order % 28, order * 7 % PAIRS);
        for product in ["camera", "card"] {
            writeln!(text, "o{order},2026-{month:02}-{day:02}T12:00:00Z,{product}{pair},1").unwrap();
        }
    }
    text
}

/// The hit rate at 1 in the row of one who completes orders.
fn hit(table: &str, by: &str) -> f64 {
    let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = row.into_iter().find(|row| row.starts_with(&["completion", by])).unwrap();
    row[4].parse().unwrap()
}

#[test]
fn what_is_always_bought_together_is_found() {
    let shop = Shop::new();
    let first = shop.evaluate(" --newest 0.2").expect(0);
    for part in ["learned from 160 orders, asked about 40", "expected calibration error", "PRECISION"] {
        assert!(first.stdout.contains(part), "`{part}` is not in {}", first.stdout);
    }
    assert!(hit(&first.stdout, "sidecart") > hit(&first.stdout, "popularity"), "{}", first.stdout);
    assert!(hit(&first.stdout, "sidecart") > 0.9, "{}", first.stdout);
    let second = shop.evaluate(" --newest 0.2 --threads 1").expect(0);
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn shuffled_products_are_not_offered() {
    let ended = Shop::new().evaluate(" --newest 0.2 --relabelings 3 --output json").expect(0);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let real = report["chance"]["real_offers"].as_u64().unwrap();
    assert!(real >= PAIRS as u64, "{real}");
    assert_eq!(report["chance"]["relabeled_offers"], serde_json::json!([0, 0, 0]));
}

#[test]
fn a_card_is_offered_under_restraint_and_a_camera_is_not() {
    let ended = Shop::new().evaluate(" --newest 0.2 --output json").expect(0);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let restraint = &report["restraint"][0];
    assert_eq!((&restraint["task"], &restraint["questions"]), (&"completion".into(), &40.into()));
    // Beside a card a camera is too dear, and half of the questions are about a card.
    let answered = restraint["answered"].as_f64().unwrap();
    assert!(0.0 < answered && answered < 1.0, "{restraint}");
    assert!(restraint["precision"].as_f64().unwrap() > 0.3, "{restraint}");
}

#[test]
fn bad_lines_are_told_and_the_rest_is_used() {
    let shop = Shop::new();
    let whole = shop.evaluate(" --newest 0.2").expect(0);
    shop.file("products.jsonl", &format!("{}nonsense\n{{\"product_id\":\"x\"}}\n", products()));
    let rules = shop.file("rules.jsonl", "{\"rule_id\":\"r\",\"block\":{}}\n");
    let partly = shop.evaluate(&format!(" --newest 0.2 --rules {}", rules.display())).expect(3);
    assert_eq!(partly.stdout, whole.stdout);
    for part in
        ["products.jsonl:25: is not JSON", "products.jsonl:26: `x`: title", "rules.jsonl:1: `r`: target"]
    {
        assert!(partly.stderr.contains(part), "`{part}` is not in {}", partly.stderr);
    }
}

#[test]
fn files_that_leave_nothing_to_ask_are_refused() {
    let shop = Shop::new();
    assert!(shop.evaluate(" --newest 1.5").expect(2).stderr.contains("above 0 and below 1"));
    shop.file("orders.csv", "order_id,placed_at,product_id,quantity\no1,2026-01-01T12:00:00Z,card1,1\n");
    assert!(shop.evaluate(" --newest 0.2").expect(2).stderr.contains("nothing can be asked"));
    shop.file("orders.csv", "order_id,colour\n");
    assert!(shop.evaluate(" --newest 0.2").expect(2).stderr.contains("column `colour`"));
    fs::remove_file(shop.0.path().join("orders.csv")).unwrap();
    assert!(shop.evaluate(" --newest 0.2").expect(1).stderr.contains("orders.csv"));
}
