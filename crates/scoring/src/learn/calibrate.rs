//! Calibration: how often what is offered with a score is bought.
//!
//! A model of all but the newest orders is asked about these. On the signals of what it ranks first, and on whether that
//! was bought, a logistic regression is fitted (J. Platt, "Probabilistic outputs for support vector machines", 1999, with
//! several signals in the place of one score).

use std::sync::Arc;

use sidecart_catalog::{Catalog, ProductId, Timestamp};
use sidecart_rules::{Policies, RuleSet};

use super::{
    CALIBRATION_LINES_MAX, Scope, after::CALIBRATION_COST_MAX, again, learned, logistic::Example, parallel,
};
use crate::{
    follow_ups::FollowUps,
    learned::{Ranked, Ranking, SIGNALS, rank},
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
/// Which signal is always 1.
const ALWAYS: usize = 0;
/// How much chances rise with the score at the least.
const RISE_MIN: f64 = 0.01;

/// What a calibration is where orders do not tell and scores are measured against the best: odds grow with the score, and
/// most offers are declined.
const RELATIVE: Calibration = Calibration { weights: [-3.0, 0.7, 0.0, 0.0, 0.0, 0.0] };
/// The same where a score is an estimated chance already.
const ABSOLUTE: Calibration = Calibration { weights: [0.0, 1.0, 0.0, 0.0, 0.0, 0.0] };

/// How well products are found that were taken out of the newest orders.
pub(super) struct Quality {
    /// Their mean reciprocal rank at 10; 0 without any.
    pub(super) rank: f64,
    /// How many there are.
    pub(super) asked: u64,
}

/// Calibrations, and how well the newest orders are foretold by a model of the others.
pub(super) fn calibrate(
    orders: &Orders,
    catalog: &Catalog,
    until: Timestamp,
    threads: usize,
) -> (Calibrations, Quality) {
    let (cut, future) = question::newest(orders, NEWEST, until);
    let scope = Scope { until: cut, lines_max: CALIBRATION_LINES_MAX, after_cost_max: CALIBRATION_COST_MAX };
    let model = Model::new(learned(orders, catalog, &scope, threads)).expect("it was made in one piece");
    let source = Source { catalog, orders, model: &model, future: &future, cut };
    let questions = question::questions(&source, QUESTIONS_MAX);
    let parts = Parts {
        catalog: catalog.clone(),
        rules: RuleSet::default(),
        policies: Policies::default(),
        orders: orders.clone(),
        model: Arc::new(model),
        imported: Arc::default(),
        follow_ups: FollowUps::default(),
    };
    let snapshot = Snapshot::new(1, parts);
    let asked = |task: Task| questions.iter().filter(move |question| question.task == task);
    let examples = |asked: Vec<&Question>| examples(&snapshot, &asked, threads);
    let (lines, carts) = asked(Task::Completion).partition(|question| question.given.len() == 1);
    let ((lines, of_lines), (carts, of_carts)) = (examples(lines), examples(carts));
    let of = |task: Task| examples(asked(task).collect()).0;
    let calibrations = Calibrations {
        cart: fitted(&carts, RELATIVE),
        line: fitted(&lines, ABSOLUTE),
        single: fitted(&of(Task::Pair), ABSOLUTE),
        cold: fitted(&of(Task::ColdItem), ABSOLUTE),
        after: fitted(&of(Task::NextPurchase), RELATIVE),
        again: again::fitted(snapshot.model(), orders, until),
    };
    let asked = of_lines.len() + of_carts.len();
    let rank = of_lines.into_iter().chain(of_carts).sum::<f64>() / asked.max(1) as f64;
    (calibrations, Quality { rank, asked: asked as u64 })
}

/// Examples of the first products of each answer, and the reciprocal rank of the first one bought.
fn examples(
    snapshot: &Snapshot,
    questions: &[&Question],
    threads: usize,
) -> (Vec<Example<SIGNALS>>, Vec<f64>) {
    let answers = parallel::map(questions.len(), threads, || (), |(), nth| answer(snapshot, questions[nth]));
    let found = answers.iter().map(|(_, found)| *found).collect();
    (answers.into_iter().flat_map(|(examples, _)| examples).collect(), found)
}

fn answer(snapshot: &Snapshot, question: &Question) -> (Vec<Example<SIGNALS>>, f64) {
    let Ranking { ranked, signals, .. } = rank(&Setting::new(snapshot, &question.query));
    let products = ranked.iter().map(|ranked| snapshot.model().product(ranked.target));
    let places = products.zip(&ranked).filter(|(product, _)| question.given.binary_search(product).is_err());
    let example = |(product, ranked): (&ProductId, &Ranked)| Example {
        signals: signals.of(ranked.score),
        is_so: question.relevant.binary_search(product).is_ok(),
    };
    let examples: Vec<_> = places.take(PLACES).map(example).collect();
    let first = examples.iter().position(|example| example.is_so);
    let found = first.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    (examples, found)
}

/// The calibration of these examples. One that does not rise with the score would turn the ranking round: then the score
/// tells nothing but the order, and the other signals tell the chance.
fn fitted(examples: &[Example<SIGNALS>], prior: Calibration) -> Calibration {
    let fit = Calibration::fitted(examples, prior);
    if fit.weights[SCORE] >= RISE_MIN {
        return fit;
    }
    let without_score = |mut signals: [f64; SIGNALS]| {
        signals[SCORE] = 0.0;
        signals
    };
    let blind: Vec<Example<SIGNALS>> = examples
        .iter()
        .map(|example| Example { signals: without_score(example.signals), is_so: example.is_so })
        .collect();
    let mut fit = Calibration::fitted(&blind, Calibration { weights: without_score(prior.weights) });
    let mean = examples.iter().map(|example| example.signals[SCORE]).sum::<f64>() / examples.len() as f64;
    fit.weights[SCORE] = RISE_MIN;
    fit.weights[ALWAYS] -= RISE_MIN * mean;
    fit
}
