//! Evaluation: what a model that knows only the past says of orders that came later.
//!
//! Orders are split by time. The model learns from the earlier part, and questions made of the later part are answered
//! by the real `recommend`; simple baselines answer the same questions beside it. Deterministic: no randomness.

mod baseline;
mod chance;
mod measure;
mod restraint;
mod timing;

use std::sync::Arc;

use sidecart_catalog::{Catalog, ProductId, Timestamp};
use sidecart_rules::{Policies, Policy, RuleSet};

pub use crate::question::{NEXT_DAYS, Task};
pub use baseline::Baseline;
pub use chance::Relabeling;
pub use measure::{Bin, DEPTHS, Measures, Reliability};
pub use restraint::Restraint;
pub use timing::Timing;

use self::baseline::Counted;
use crate::{
    follow_ups::FollowUps,
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
    /// When the last of them was.
    pub end: Timestamp,
    /// By task, and then by who answered.
    pub rows: Vec<Row>,
    /// How often what was offered with a score was bought, by task.
    pub reliability: Vec<(Task, Reliability)>,
    /// What the policy `default` offers to the same questions, for the tasks in which a shopper would see that.
    pub restraint: Vec<(Task, Restraint)>,
    /// How well it is told when a product is bought next.
    pub timing: Vec<Timing>,
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

/// The tasks that are asked again under the policy `default`.
const RESTRAINED: [Task; 2] = [Task::Completion, Task::Pair];

/// A model that knows only the past, and questions about what came later.
pub struct Trial {
    cut: Timestamp,
    end: Timestamp,
    /// Orders that are asked about.
    asked: u64,
    questions: Vec<Question>,
    snapshot: Snapshot,
    baselines: Counted,
}

/// Learns from the earlier part of the orders, and asks about the later one.
///
/// `rules` hold while asking; questions are asked under the policy `open`, and some again under the policy `default`.
pub fn evaluate(catalog: &Catalog, orders: &Orders, rules: &RuleSet, split: &Split) -> Report {
    Trial::new(catalog, orders, rules, split).report()
}

impl Trial {
    /// Learns from the earlier part of the orders.
    pub fn new(catalog: &Catalog, orders: &Orders, rules: &RuleSet, split: &Split) -> Self {
        let (cut, future) = question::newest(orders, split.newest, AFTER_ALL);
        let model = learn::learn_until(orders, catalog, cut, split.threads);
        let source = Source { catalog, orders, model: &model, future: &future, cut };
        let questions = question::questions(&source, split.questions_max);
        let parts = Parts {
            catalog: catalog.clone(),
            rules: rules.clone(),
            policies: Policies::default(),
            orders: orders.clone(),
            model: Arc::new(model),
            imported: Arc::default(),
            follow_ups: FollowUps::default(),
        };
        let baselines = Counted::new(orders, catalog, cut, split.threads);
        let snapshot = Snapshot::new(1, parts);
        let end = future.last().and_then(|order| question::placed(order)).unwrap_or(cut);
        Self { cut, end, asked: future.len() as u64, questions, snapshot, baselines }
    }

    /// How many questions there are, of all tasks.
    pub fn question_count(&self) -> usize {
        self.questions.len()
    }

    /// Asks, and compares the answers with what was bought.
    pub fn report(&self) -> Report {
        let mut report = Report {
            learned: self.snapshot.model().parts().facts.orders,
            asked: self.asked,
            cut: self.cut,
            end: self.end,
            rows: Vec::new(),
            reliability: Vec::new(),
            restraint: Vec::new(),
            timing: timing::timings(self.snapshot.catalog(), self.snapshot.orders()),
        };
        for task in Task::ALL {
            let asked: Vec<&Question> =
                self.questions.iter().filter(|question| question.task == task).collect();
            if !asked.is_empty() {
                self.ask(task, &asked, &mut report);
            }
        }
        report
    }

    /// Asks the questions of one task.
    fn ask(&self, task: Task, asked: &[&Question], report: &mut Report) {
        let sold = self.snapshot.model().parts().products.len();
        let mut row = |who, answer: &dyn Fn(&Question) -> Vec<(ProductId, f64)>| {
            let answers: Vec<_> = asked.iter().map(|question| (*question, answer(question))).collect();
            let measures = Measures::of(self.snapshot.catalog(), &answers, sold);
            report.rows.push(Row { task, who, measures });
            answers
        };
        let own = row(OWN, &|question| offered(&self.snapshot, &question.query));
        for baseline in Baseline::ALL {
            row(baseline.name(), &|question| self.baselines.rank(baseline, question));
        }
        report.reliability.push((task, Reliability::of(&own)));
        if RESTRAINED.contains(&task) {
            let policy = Arc::new(Policy::built_in());
            let bought = |question: &&Question| self.bought(question, &policy);
            report.restraint.push((task, Restraint::of(&asked.iter().map(bought).collect::<Vec<_>>())));
        }
    }

    /// Whether what is offered under a policy was bought, best offer first.
    fn bought(&self, question: &Question, policy: &Arc<Policy>) -> Vec<bool> {
        let query = Query { policy: policy.clone(), ..question.query.clone() };
        offered(&self.snapshot, &query).iter().map(|(product, _)| question.is_right(product)).collect()
    }
}

/// What is offered, best first, with scores.
fn offered(snapshot: &Snapshot, query: &Query) -> Vec<(ProductId, f64)> {
    let offers = recommend(snapshot, query).offers;
    offers.into_iter().map(|offer| (offer.target.product().id().clone(), offer.score)).collect()
}
