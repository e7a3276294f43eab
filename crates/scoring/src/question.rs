//! Questions about orders that came later.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{Catalog, ProductId, ShopperId, TermId, Timestamp};
use sidecart_rules::{Policy, Stage, Surface};

use crate::{
    model::Model,
    orders::{Orders, RecordedOrder},
    query::{CartLine, Order, Query},
};

/// How long after the cut a purchase counts as the next one.
pub const NEXT_DAYS: i64 = 14;
/// Shoppers whose last order is older than this are not asked what they buy again.
const ACTIVE_DAYS: i64 = 120;
/// Orders of more products than this are not asked about.
const BASKET_MAX: usize = 50;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The product that was taken out of an order, given the rest of it.
    Completion,
    /// What was bought beside one product.
    Pair,
    /// The same of a product that was never sold before.
    ColdItem,
    /// What a shopper buys for the first time after their last order.
    NextPurchase,
    /// What a shopper buys again.
    Refill,
}

/// One question, and what is right.
pub(crate) struct Question {
    pub(crate) task: Task,
    pub(crate) query: Query,
    /// The products that the query is about, ascending.
    pub(crate) given: Vec<ProductId>,
    /// What was bought, ascending; of refills it may be nothing.
    pub(crate) relevant: Vec<ProductId>,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Completion, Self::Pair, Self::ColdItem, Self::NextPurchase, Self::Refill];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completion => "completion",
            Self::Pair => "pair",
            Self::ColdItem => "cold item",
            Self::NextPurchase => "next purchase",
            Self::Refill => "refill",
        }
    }
}

/// What questions are made from.
pub(crate) struct Source<'a> {
    /// What is sold.
    pub(crate) catalog: &'a Catalog,
    /// All orders.
    pub(crate) orders: &'a Orders,
    /// What is known of those before the cut.
    pub(crate) model: &'a Model,
    /// Those from then on.
    pub(crate) future: &'a [Arc<RecordedOrder>],
    /// When the future starts.
    pub(crate) cut: Timestamp,
}

impl Source<'_> {
    /// Whether a product was sold before the cut.
    fn was_sold(&self, product: &ProductId) -> bool {
        self.model.place(TermId::of_product(product.as_str())).is_some()
    }
}

/// All questions about the future, in no task more than `max`: those whose ids have the smallest hashes.
pub(crate) fn questions(source: &Source<'_>, max: usize) -> Vec<Question> {
    let future = source.future;
    let mut drawn: Vec<&RecordedOrder> = future.iter().map(|order| &**order).collect();
    drawn.sort_unstable_by_key(|order| (hash(order.id().as_str()), order.id()));
    let mut all = Drawn { questions: Vec::new(), counts: BTreeMap::new(), max };
    for order in drawn {
        if all.is_full(&[Task::Completion, Task::Pair, Task::ColdItem]) {
            break;
        }
        of_order(source, order, &mut all);
    }
    of_shoppers(source, &mut all);
    all.questions
}

/// Questions, of each task at most so many.
struct Drawn {
    questions: Vec<Question>,
    counts: BTreeMap<&'static str, usize>,
    max: usize,
}

impl Drawn {
    fn push(&mut self, question: Question) {
        let count = self.counts.entry(question.task.name()).or_default();
        if *count < self.max {
            *count += 1;
            self.questions.push(question);
        }
    }

    fn is_full(&self, tasks: &[Task]) -> bool {
        tasks.iter().all(|task| self.counts.get(task.name()) == Some(&self.max))
    }
}

/// What one order of the future asks: to be completed, and what goes with one of its products.
fn of_order(source: &Source<'_>, order: &RecordedOrder, all: &mut Drawn) {
    let Some(at) = placed(order) else { return };
    let is_listed = |product: &&ProductId| source.catalog.get(product.as_str()).is_some();
    let bought: Vec<&ProductId> = order.bought().map(|(product, _)| product).filter(is_listed).collect();
    if !(2..=BASKET_MAX).contains(&bought.len()) {
        return;
    }
    let (known, fresh): (Vec<&ProductId>, Vec<&ProductId>) =
        bought.iter().partition(|product| source.was_sold(product));
    let pick = |from: &[&ProductId], salt: &str| {
        let nth = hash(&format!("{salt}{}", order.id())) % (from.len().max(1) as u64);
        from.get(usize::try_from(nth).unwrap_or(0)).map(|product| ProductId::clone(product))
    };
    let without = |from: &[&ProductId], one: &ProductId| -> Vec<ProductId> {
        from.iter().filter(|product| **product != one).map(|product| ProductId::clone(product)).collect()
    };
    if let Some(taken) = pick(&known, "completion") {
        let cart = without(&bought, &taken);
        let query = Query { cart: cart.iter().map(line).collect(), ..query(Stage::Cart, at) };
        all.push(Question { task: Task::Completion, query, given: cart, relevant: vec![taken] });
    }
    let mut beside = |task, anchor: ProductId, relevant: Vec<ProductId>| {
        if !relevant.is_empty() {
            let query = Query { anchors: vec![anchor.clone()], ..query(Stage::Product, at) };
            all.push(Question { task, query, given: vec![anchor], relevant });
        }
    };
    if let Some(anchor) = pick(&known, "pair") {
        let relevant = without(&known, &anchor);
        beside(Task::Pair, anchor, relevant);
    }
    if let Some(anchor) = pick(&fresh, "cold") {
        beside(Task::ColdItem, anchor, known.into_iter().cloned().collect());
    }
}

/// What shoppers ask: those who come back, what they buy anew; and all, what they buy again, be it nothing.
fn of_shoppers(source: &Source<'_>, all: &mut Drawn) {
    let Source { catalog, orders, future, cut, .. } = *source;
    let end = cut.plus_days(NEXT_DAYS);
    let mut next: HashMap<&ShopperId, BTreeSet<&ProductId>, GlobalState> = HashMap::default();
    for order in future.iter().filter(|order| placed(order) < Some(end)) {
        let Some(shopper) = order.shopper() else { continue };
        next.entry(shopper).or_default().extend(order.bought().map(|(product, _)| product));
    }
    let mut shoppers: Vec<&ShopperId> = orders.shoppers().map(|(shopper, _)| shopper).collect();
    shoppers.sort_unstable_by_key(|shopper| (hash(shopper.as_str()), *shopper));
    for shopper in shoppers {
        if all.is_full(&[Task::NextPurchase, Task::Refill]) {
            break;
        }
        let past = || orders.of_shopper(shopper.as_str()).filter(|order| placed(order) < Some(cut));
        let last = past().rev().find(|order| order.bought().next().is_some());
        let small = |last: &&Arc<RecordedOrder>| last.bought().take(BASKET_MAX + 1).count() <= BASKET_MAX;
        let Some(last) = last.filter(small) else { continue };
        let before: BTreeSet<&ProductId> =
            past().flat_map(|order| order.bought()).map(|(product, _)| product).collect();
        let is_known =
            |product: &&ProductId| source.was_sold(product) && catalog.get(product.as_str()).is_some();
        let bought = next.remove(shopper).unwrap_or_default();
        let (again, anew): (Vec<&ProductId>, Vec<&ProductId>) =
            bought.into_iter().filter(is_known).partition(|product| before.contains(product));
        let given: Vec<ProductId> = last.bought().map(|(product, _)| product.clone()).collect();
        let placed_at = placed(last);
        let mut ask = |task, stage, relevant: Vec<&ProductId>| {
            let lines = given.iter().map(line).collect();
            let order = Some(Order { placed_at, expected_delivery: None, lines });
            let query = Query { order, shopper: Some(shopper.clone()), ..query(stage, cut) };
            let relevant = relevant.into_iter().cloned().collect();
            all.push(Question { task, query, given: given.clone(), relevant });
        };
        if !anew.is_empty() {
            ask(Task::NextPurchase, Stage::Delivered, anew);
        }
        if !again.is_empty() || placed_at > Some(cut.plus_days(-ACTIVE_DAYS)) {
            ask(Task::Refill, Stage::Replenish, again);
        }
    }
}

/// A question at a stage and a moment, with nothing in it yet, under the policy `open`.
pub(crate) fn query(stage: Stage, at: Timestamp) -> Query {
    Query {
        at,
        stage,
        surface: Surface::Web,
        anchors: Vec::new(),
        cart: Vec::new(),
        owned: Vec::new(),
        order: None,
        shopper: None,
        live: Vec::new(),
        taken: Vec::new(),
        results_max: None,
        policy: Arc::new(Policy::open()),
        conversation: None,
    }
}

fn line(product: &ProductId) -> CartLine {
    CartLine { product: product.clone(), quantity: 1, unit_price: None }
}

pub(crate) fn hash(text: &str) -> u64 {
    rapidhash::v3::rapidhash_v3(text.as_bytes())
}

/// When the newest share of the orders starts, and these, by when they were placed.
///
/// Only orders placed before `until` are looked at.
pub(crate) fn newest(orders: &Orders, share: f64, until: Timestamp) -> (Timestamp, Vec<Arc<RecordedOrder>>) {
    let mut all: Vec<(Timestamp, &Arc<RecordedOrder>)> = orders
        .iter()
        .filter_map(|order| Some((placed(order).filter(|placed| *placed < until)?, order)))
        .filter(|(_, order)| order.bought().next().is_some())
        .collect();
    let first = ((1.0 - share) * all.len() as f64) as usize;
    let cut = if first < all.len() {
        all.select_nth_unstable_by_key(first, |(placed, _)| *placed).1.0
    } else {
        until
    };
    all.retain(|(placed, _)| *placed >= cut);
    all.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.id().cmp(y.id())));
    (cut, all.into_iter().map(|(_, order)| order.clone()).collect())
}

pub(crate) fn placed(order: &RecordedOrder) -> Option<Timestamp> {
    order.statement().map(|statement| statement.placed_at)
}
