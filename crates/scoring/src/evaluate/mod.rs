//! Evaluation: what a model that knows only the past says of orders that came later.
//!
//! Orders are split by time. The model learns from the earlier part, and questions made of the later part are answered
//! by the real `recommend`; simple baselines answer the same questions beside it. Deterministic: no randomness.

mod baseline;
mod measure;

use std::sync::Arc;

use sidecart_catalog::{Catalog, ProductId, Timestamp};
use sidecart_rules::{Policies, RuleSet};

pub use crate::question::Task;
pub use baseline::Baseline;
pub use measure::{Bin, Measures, Reliability};

use crate::{
    learn,
    orders::Orders,
    query::Query,
    question::{self, Question, Source},
    recommend::recommend,
    snapshot::{Parts, Snapshot},
};

/// How an evaluation is made.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    /// Which share of the orders, the newest, is asked about. Above 0 and below 1.
    pub newest: f64,
    /// Most questions of one task.
    pub questions_max: usize,
    /// Threads that learn.
    pub threads: usize,
}

/// What came out.
pub struct Report {
    /// Orders that were learned from.
    pub learned: u64,
    /// Orders that were asked about.
    pub asked: u64,
    /// When the first of these was placed.
    pub cut: Timestamp,
    /// By task, and then by who answered.
    pub rows: Vec<Row>,
    /// How often what was offered with a score was bought, by task.
    pub reliability: Vec<(Task, Reliability)>,
}

/// How well one of them answered the questions of a task.
pub struct Row {
    /// The task.
    pub task: Task,
    /// Who answered: `sidecart`, or a baseline.
    pub who: &'static str,
    /// How well.
    pub measures: Measures,
}

/// After all orders.
const AFTER_ALL: Timestamp = Timestamp::from_ms(i64::MAX);

/// The name under which Sidecart's own answers are reported.
pub const OWN: &str = "sidecart";

/// Learns from the earlier part of the orders, and asks about the later one.
///
/// `rules` and `policies` hold while asking; questions are asked under the policy `open`.
pub fn evaluate(catalog: &Catalog, orders: &Orders, rules: &RuleSet, split: &Split) -> Report {
    let (cut, future) = question::newest(orders, split.newest, AFTER_ALL);
    let model = learn::learn_until(orders, catalog, cut, split.threads);
    let source = Source { catalog, orders, model: &model, future: &future, cut };
    let questions = question::questions(&source, split.questions_max);
    let (sold, learned) = (model.parts().products.len(), model.parts().facts.orders);
    let parts = Parts {
        catalog: catalog.clone(),
        rules: rules.clone(),
        policies: Policies::default(),
        orders: orders.clone(),
        model: Arc::new(model),
        imported: Arc::default(),
    };
    let snapshot = Snapshot::new(1, parts);
    let baselines = baseline::Counted::new(orders, catalog, cut, split.threads);
    let (mut rows, mut reliability) = (Vec::new(), Vec::new());
    for task in Task::ALL {
        let asked: Vec<&Question> = questions.iter().filter(|question| question.task == task).collect();
        if asked.is_empty() {
            continue;
        }
        let own: Vec<Vec<(ProductId, f64)>> =
            asked.iter().map(|question| offered(&snapshot, &question.query)).collect();
        rows.push(Row { task, who: OWN, measures: Measures::of(catalog, &asked, &own, sold) });
        reliability.push((task, Reliability::of(&asked, &own)));
        for baseline in Baseline::ALL {
            let answers: Vec<_> = asked.iter().map(|question| baselines.rank(baseline, question)).collect();
            let measures = Measures::of(catalog, &asked, &answers, sold);
            rows.push(Row { task, who: baseline.name(), measures });
        }
    }
    Report { learned, asked: future.len() as u64, cut, rows, reliability }
}

/// What is offered, best first, with scores.
fn offered(snapshot: &Snapshot, query: &Query) -> Vec<(ProductId, f64)> {
    let offers = recommend(snapshot, query).offers;
    offers.into_iter().map(|offer| (offer.target.product().id().clone(), offer.score)).collect()
}
