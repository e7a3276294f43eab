//! Whether scores say how often what is offered is bought.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use sidecart_rules::Stage;
use sidecart_scoring::evaluate::{Bin, Reliability, Report, Split, Task, evaluate};
use support::*;

/// Sets of twelve products. Half of the orders have six of one set; the others have two products of any sets, so that a
/// cart of one line is completed by next to nothing, though orders of many lines say much of what goes with it.
const SETS: usize = 5;
const SET: usize = 12;

fn evaluated() -> Report {
    let name = |product: usize| format!("p{product:02}");
    let products =
        (0..SETS * SET).map(|nth| product(&name(nth), &format!("All > set{}", nth / SET), 1_000)).collect();
    let mut draw = Draw(7);
    let order = |nth: usize| {
        let is_large = draw.below(2) == 0;
        let (first, among, count) =
            if is_large { (draw.below(SETS) * SET, SET, 6) } else { (0, SETS * SET, 2) };
        let mut lines: Vec<String> = Vec::new();
        while lines.len() < count {
            let line = name(first + draw.below(among));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        bought(&format!("o{nth:05}"), &format!("s{}", nth % 1_000), 200 - (nth / 30) as i64, &lines)
    };
    let orders = (0..6_000).map(order).collect();
    let world = World { products, rules: Vec::new(), orders, query: query(Stage::Product, &["p00"]) };
    let snapshot = world.snapshot();
    let split = Split { newest: 0.2, questions_max: 1_000, threads: 2 };
    evaluate(snapshot.catalog(), snapshot.orders(), &Default::default(), &split)
}

fn of(report: &Report, task: Task) -> &Reliability {
    report.reliability.iter().find(|(found, _)| *found == task).map(|(_, reliability)| reliability).unwrap()
}

#[test]
fn offers_are_bought_as_often_as_their_scores_say() {
    let report = evaluated();
    for task in [Task::Completion, Task::Pair] {
        let reliability = of(&report, task);
        assert!(reliability.error < 0.04, "{task:?}: {reliability:?}");
        let many = |bin: &&Bin| bin.offers >= 100;
        assert!(reliability.bins.iter().filter(many).count() >= 1, "{reliability:?}");
        for bin in reliability.bins.iter().filter(many) {
            assert!((bin.score - bin.taken).abs() < 0.06, "{task:?}: {bin:?}");
        }
    }
    // A page asks what else is in any order of the product, a cart of one line what one product completes it.
    let mean = |task| {
        let bins = &of(&report, task).bins;
        let offers: usize = bins.iter().map(|bin| bin.offers).sum();
        bins.iter().map(|bin| bin.score * bin.offers as f64).sum::<f64>() / offers as f64
    };
    assert!(
        mean(Task::Pair) > 1.5 * mean(Task::Completion),
        "{} {}",
        mean(Task::Pair),
        mean(Task::Completion)
    );
}
