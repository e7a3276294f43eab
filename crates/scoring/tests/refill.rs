//! When a shopper buys a product again: by what that is told, and how far off it may be.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use sidecart_catalog::{Kind, OrderId, ShopperId};
use sidecart_rules::Stage;
use sidecart_scoring::{
    Snapshot,
    evaluate::{Split, evaluate},
    orders::{OrderLine, RecordedOrder, Statement},
    refill::{Basis, Habit, Pace},
};
use support::*;

/// Beans, pods and tea in the category of drinks; soap in one of its own; filters of a stated supply.
fn shop(orders: Vec<RecordedOrder>) -> Snapshot {
    let mut products = vec![
        product("beans", "Pantry > Drinks", 1_000),
        product("pods", "Pantry > Drinks", 1_000),
        product("tea", "Pantry > Drinks", 1_000),
        product("soap", "Home > Soap", 300),
        product("filters", "Home > Filters", 500),
    ];
    products[4].days_of_supply = Some(30);
    products.iter_mut().for_each(|product| product.kind = Kind::Consumable);
    World { products, rules: Vec::new(), orders, query: query(Stage::Replenish, &["beans"]) }.snapshot()
}

/// Thirty shoppers buy a product ten times each, so many days apart, one or two pieces in turn.
fn regulars(product: &str, days: i64, days_after_two: i64) -> Vec<RecordedOrder> {
    let of = |shopper: i64| {
        let mut ago = 200 + shopper;
        (0..10).map(move |nth| {
            let pieces = if (nth + shopper) % 2 == 0 { 1 } else { 2 };
            let placed = ago;
            ago -= if pieces == 2 { days_after_two } else { days };
            pieces_bought(
                &format!("{product}-{shopper}-{nth}"),
                &format!("s{shopper}"),
                placed,
                product,
                pieces,
            )
        })
    };
    (0..30).flat_map(of).collect()
}

fn pieces_bought(id: &str, shopper: &str, days_ago: i64, product: &str, pieces: u32) -> RecordedOrder {
    let placed_at = NOW.plus_days(-days_ago);
    let line = OrderLine { product: support::id(product), quantity: pieces, unit_price: None };
    let shopper = ShopperId::new(shopper).ok();
    let statement =
        Statement { updated_at: placed_at, placed_at, shopper, lines: [line].into(), delivery: None };
    RecordedOrder::new(OrderId::new(id).unwrap(), Some(statement), Vec::new()).unwrap()
}

/// A habit of purchases of one piece, so many days apart.
fn habit(gaps: &[i64]) -> Habit {
    let mut habit = Habit::default();
    let mut at = NOW.plus_days(-365);
    habit.add(at, 1);
    for days in gaps {
        at = at.plus_days(*days);
        habit.add(at, 1);
    }
    habit
}

fn pace(shop: &Snapshot, product: &str, habit: &Habit) -> Option<Pace> {
    Pace::of(shop.model(), shop.catalog().get(product).unwrap(), habit)
}

fn days(shop: &Snapshot, product: &str, habit: &Habit) -> f64 {
    pace(shop, product, habit).unwrap().median_days()
}

#[test]
fn a_shoppers_own_pace_counts_the_more_the_longer_they_keep_it() {
    let shop = shop(regulars("beans", 10, 10));
    let none = days(&shop, "beans", &habit(&[]));
    let one = days(&shop, "beans", &habit(&[40]));
    let many = days(&shop, "beans", &habit(&[40; 20]));
    assert!((none - 10.0).abs() < 1.0, "{none}");
    assert!(none < one && one < many && (many - 40.0).abs() < 5.0, "{none} {one} {many}");
}

#[test]
fn without_a_history_the_product_tells_then_its_category_then_its_supply() {
    let shop = shop(regulars("beans", 10, 10));
    let first = habit(&[]);
    let basis = |product: &str| pace(&shop, product, &first).map(|pace| pace.basis);
    assert_eq!(basis("beans"), Some(Basis::Product));
    assert_eq!(basis("tea"), Some(Basis::Category));
    assert_eq!(basis("filters"), Some(Basis::Supply));
    assert_eq!(basis("soap"), None);
    assert!((days(&shop, "tea", &first) - 10.0).abs() < 1.0);
    assert!((days(&shop, "filters", &first) - 30.0).abs() < 1e-6);
    assert_eq!(pace(&shop, "soap", &habit(&[7])).unwrap().basis, Basis::Shopper);
}

#[test]
fn a_supply_is_of_all_pieces() {
    let shop = shop(Vec::new());
    let mut two = Habit::default();
    two.add(NOW, 2);
    assert!((days(&shop, "filters", &two) - 60.0).abs() < 1e-6);
}

#[test]
fn what_is_bought_within_half_a_day_is_one_purchase() {
    let mut habit = Habit::default();
    habit.add(NOW, 1);
    habit.add(NOW, 1);
    assert_eq!((habit.gaps(), habit.last()), (0, Some(NOW)));
    let shop = shop(Vec::new());
    assert!((days(&shop, "filters", &habit) - 60.0).abs() < 1e-6, "of two pieces");
}

#[test]
fn a_stock_lasts_longer_as_far_as_orders_say() {
    let lasting = shop(regulars("beans", 10, 20));
    let fleeting = shop(regulars("beans", 10, 10));
    let mut stocked = habit(&[10, 10, 10]);
    let usual = stocked;
    stocked.add(usual.last().unwrap().plus_days(10), 2);
    let longer = |shop: &Snapshot| days(shop, "beans", &stocked) / days(shop, "beans", &usual);
    assert!(longer(&lasting) > 1.6, "{}", longer(&lasting));
    assert!(longer(&fleeting) < longer(&lasting), "{}", longer(&fleeting));
}

#[test]
fn the_surer_the_narrower() {
    let shop = shop([regulars("beans", 10, 10), regulars("pods", 40, 40)].concat());
    let wide = |gaps: &[i64]| {
        let pace = pace(&shop, "tea", &habit(gaps)).unwrap();
        let [early, late] = pace.quartile_days();
        assert!(early <= pace.median_days() && pace.median_days() <= late);
        (late + 1.0) / (early + 1.0)
    };
    assert!(wide(&[20; 10]) < wide(&[20]), "{} {}", wide(&[20; 10]), wide(&[20]));
    assert!(wide(&[20]) < wide(&[]), "{} {}", wide(&[20]), wide(&[]));
}

#[test]
fn how_well_it_is_told_is_measured_on_later_purchases() {
    // Each shopper has a pace of their own, of 5 to 34 days, and keeps it for a year.
    let orders = (0..30).flat_map(|shopper| {
        let days = 5 + shopper;
        let place = move |nth: i64| {
            let id = format!("{shopper}-{nth}");
            pieces_bought(&id, &format!("s{shopper}"), 360 - nth * days, "beans", 1)
        };
        (0..360 / days).map(place)
    });
    let shop = shop(orders.collect());
    let split = Split { newest: 0.1, questions_max: 10, threads: 1 };
    let timing = evaluate(shop.catalog(), shop.orders(), shop.rules(), &split).timing;
    let error = |who: &str| {
        let of_who = timing.iter().find(|timing| timing.who == who && timing.gaps_min == 3).unwrap();
        assert!(of_who.asked > 30, "{of_who:?}");
        of_who.median_error_days
    };
    assert!(error("own median") < 1e-9);
    assert!(error("sidecart") < 1.0, "{}", error("sidecart"));
    assert!(error("median") > 3.0 && error("leaf median") > 3.0);
}
