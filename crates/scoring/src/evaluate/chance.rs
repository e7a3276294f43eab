//! Whether anything is offered on chance.

use std::sync::Arc;

use sidecart_catalog::{Catalog, Timestamp};
use sidecart_rules::{Policy, Stage};

use super::AFTER_ALL;
use crate::{
    learn::{self, LINES_MAX, corpus::Corpus, parallel},
    model::Model,
    orders::Orders,
    query::Query,
    question,
    recommend::recommend,
    snapshot::{Parts, Snapshot},
};

/// Orders that can be relabeled: each product in as many orders as it is in, each order of the size that it has, and
/// nothing together for a reason. What is offered then beside the products that were sold is offered on chance.
pub struct Relabeling {
    catalog: Catalog,
    corpus: Corpus,
    threads: usize,
}

impl Relabeling {
    /// Of all orders.
    pub fn new(catalog: &Catalog, orders: &Orders, threads: usize) -> Self {
        let corpus = Corpus::new(orders, catalog, AFTER_ALL, LINES_MAX);
        Self { catalog: catalog.clone(), corpus, threads }
    }

    /// How many offers there are beside all products that were sold, each alone, under the policy `default`.
    pub fn offers(&self) -> usize {
        self.count(&self.corpus)
    }

    /// The same of relabeled orders; another seed gives others.
    pub fn offers_on_chance(&self, seed: u64) -> usize {
        self.count(&self.corpus.relabeled(seed))
    }

    fn count(&self, corpus: &Corpus) -> usize {
        let model = Arc::new(learn::bought_with(corpus, self.threads));
        let parts = Parts { catalog: self.catalog.clone(), model: model.clone(), ..Parts::default() };
        let (snapshot, policy) = (Snapshot::new(1, parts), Arc::new(Policy::built_in()));
        let at = corpus.placed.last().copied().unwrap_or(Timestamp::from_ms(0));
        let offers = parallel::map(
            corpus.products.len(),
            self.threads,
            || (),
            |(), product| recommend(&snapshot, &beside(&model, product, at, &policy)).offers.len(),
        );
        offers.into_iter().sum()
    }
}

/// What is asked beside one product.
fn beside(model: &Model, product: usize, at: Timestamp, policy: &Arc<Policy>) -> Query {
    let anchors = vec![model.parts().products[product].clone()];
    Query { anchors, policy: policy.clone(), ..question::query(Stage::Product, at) }
}
