//! Calibration: how often what is offered with a score is bought.
//!
//! A model of all but the newest orders is asked about these. On the signals of what it ranks first, and on whether that
//! was bought, a logistic regression is fitted (J. Platt, "Probabilistic outputs for support vector machines", 1999, with
//! several signals in the place of one score).

use std::sync::Arc;

use sidecart_catalog::{Catalog, Timestamp};
use sidecart_rules::{Policies, RuleSet};

use super::{after::CALIBRATION_COST_MAX, again, learned, logistic::Example};
use crate::{
    learned::{Ranking, SIGNALS, rank},
    model::{Calibration, Calibrations, Model},
    orders::Orders,
    question::{self, Question, Source, Task},
    setting::Setting,
    snapshot::{Parts, Snapshot},
};

/// The share of orders, the newest, that is asked about.
const NEWEST: f64 = 0.1;
/// Most questions of one kind.
const QUESTIONS_MAX: usize = 3_000;
/// Products looked at in each answer.
const PLACES: usize = 10;

/// Which signal the score is.
const SCORE: usize = 1;

/// What a calibration is where orders do not tell: odds grow with the score, and most offers are declined.
const PRIOR: Calibration = Calibration { weights: [-2.0, 0.7, 0.0, 0.0, 0.0, 0.0] };

/// Calibrations, and the mean reciprocal rank at 10 of products taken out of the newest orders; 0 without any.
pub(super) fn calibrate(
    orders: &Orders,
    catalog: &Catalog,
    until: Timestamp,
    threads: usize,
) -> (Calibrations, f64) {
    let (cut, future) = question::newest(orders, NEWEST, until);
    let model = Model::new(learned(orders, catalog, cut, CALIBRATION_COST_MAX, threads))
        .expect("it was made in one piece");
    let source = Source { catalog, orders, model: &model, future: &future, cut };
    let questions = question::questions(&source, QUESTIONS_MAX);
    let parts = Parts {
        catalog: catalog.clone(),
        rules: RuleSet::default(),
        policies: Policies::default(),
        orders: orders.clone(),
        model: Arc::new(model),
        imported: Arc::default(),
    };
    let snapshot = Snapshot::new(1, parts);
    let (carts, found) = examples(&snapshot, questions.iter().filter(|it| it.task == Task::Completion));
    let (singles, _) = examples(&snapshot, questions.iter().filter(|it| it.task == Task::Pair));
    let (nexts, _) = examples(&snapshot, questions.iter().filter(|it| it.task == Task::NextPurchase));
    let quality = if found.is_empty() { 0.0 } else { found.iter().sum::<f64>() / found.len() as f64 };
    let calibrations = Calibrations {
        cart: fitted(&carts),
        single: fitted(&singles),
        after: fitted(&nexts),
        again: again::fitted(snapshot.model(), orders, until),
    };
    (calibrations, quality)
}

/// Examples of the first products of each answer, and the reciprocal rank of the first one bought.
fn examples<'q>(
    snapshot: &Snapshot,
    questions: impl Iterator<Item = &'q Question>,
) -> (Vec<Example<SIGNALS>>, Vec<f64>) {
    let (mut examples, mut found) = (Vec::new(), Vec::new());
    for question in questions {
        let setting = Setting::new(snapshot, &question.query);
        let Ranking { ranked, signals, .. } = rank(&setting);
        let products = ranked.iter().map(|ranked| snapshot.model().product(ranked.target));
        let places =
            products.zip(&ranked).filter(|(product, _)| question.given.binary_search(product).is_err());
        let mut first = 0.0;
        for (place, (product, ranked)) in (1..=PLACES).zip(places) {
            let is_bought = question.relevant.binary_search(product).is_ok();
            if is_bought && first == 0.0 {
                first = 1.0 / place as f64;
            }
            examples.push(Example { signals: signals.of(ranked.score), is_so: is_bought });
        }
        found.push(first);
    }
    (examples, found)
}

/// The calibration of these examples. One that does not rise with the score would turn the ranking round, and is none.
fn fitted(examples: &[Example<SIGNALS>]) -> Calibration {
    let fit = Calibration::fitted(examples, PRIOR);
    if fit.weights[SCORE] > 0.0 { fit } else { PRIOR }
}
