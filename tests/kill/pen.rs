//! Draws random writes over the keys of one author.

use std::{collections::BTreeMap, ops::Range};

use sidecart::v1::{self as pb, SnapshotPart, rule::Says, term::Term};

use super::{model::Write, random::Random, served::State};

/// Products and rules that small writes are about.
const PRODUCTS: u64 = 40;
const RULES: u64 = 12;
/// Orders, which are only ever added to.
const ORDERS: u64 = 30;
/// Changes of one order.
const CHANGES: u64 = 6;
/// Products of a large replacement: more than one commit of the writer takes one by one.
const LARGE: Range<u64> = 2_001..2_300;
/// How many of the newest generations are gone back to.
const RECENT: usize = 10;
/// The moment that prices and stock are set at first.
const FIRST_MS: i64 = 1_700_000_000_000;

/// Draws the writes of one author; all ids start with its prefix.
#[derive(Debug)]
pub(crate) struct Pen {
    pub(crate) random: Random,
    prefix: String,
    /// Counts what is drawn, so that no two values are the same, and every one is set later than those before.
    serial: u64,
}

impl Pen {
    pub(crate) fn new(random: Random, prefix: &str) -> Self {
        Self { random, prefix: prefix.to_owned(), serial: 0 }
    }

    /// A write that touches no key but the author's.
    pub(crate) fn item_write(&mut self, state: &State) -> Write {
        match self.random.below(110) {
            0..30 => Write::UpsertProducts(self.products(state, PRODUCTS)),
            30..55 => Write::SetOffers(self.offers(state)),
            55..65 => Write::DeleteProducts(self.ids("p", PRODUCTS)),
            65..80 => Write::UpsertRules(self.rules(state)),
            80..87 => Write::DeleteRules(self.ids("r", RULES)),
            87..89 => Write::DeletePolicy(self.policy_name()),
            89..104 => Write::RecordOrders(self.orders(state)),
            _ => Write::SetPolicy(Box::new(self.policy())),
        }
    }

    /// A write that is about all of the merchant, whose only author this is.
    pub(crate) fn whole_write(&mut self, state: &State, kept: &BTreeMap<u64, State>) -> Write {
        match self.random.below(20) {
            0..6 => Write::ReplaceProducts(self.products(state, PRODUCTS)),
            6..8 => {
                let count = LARGE.start + self.random.below(LARGE.end - LARGE.start);
                Write::ReplaceProducts((0..count).map(|n| self.product(&format!("b{n:04}"))).collect())
            }
            8..11 => Write::ReplaceRules(self.rules(state)),
            11..13 => Write::ImportAffinities(self.affinities()),
            _ => self.roll_back(kept).unwrap_or_else(|| Write::SetPolicy(Box::new(self.policy()))),
        }
    }

    fn roll_back(&mut self, kept: &BTreeMap<u64, State>) -> Option<Write> {
        // Nothing is kept of the time before the first generation.
        let recent: Vec<_> = kept.range(1..).rev().take(RECENT).collect();
        let (generation, target) = *self.random.pick(&recent)?;
        let parts = [SnapshotPart::Catalog, SnapshotPart::Rules, SnapshotPart::Policy];
        let parts = parts.into_iter().filter(|_| self.random.happens(50)).collect();
        Some(Write::RollBack { generation: *generation, target: Box::new(target.clone()), parts })
    }

    /// Distinct ids of one kind.
    fn ids(&mut self, kind: &str, end: u64) -> Vec<String> {
        let percent = 5 + self.random.below(30);
        let mut ids: Vec<_> = (0..end).filter(|_| self.random.happens(percent)).collect();
        if ids.is_empty() {
            ids.push(self.random.below(end));
        }
        ids.into_iter().map(|id| format!("{}{kind}{id}", self.prefix)).collect()
    }

    /// Mostly new values; some as they are.
    fn products(&mut self, state: &State, end: u64) -> Vec<pb::Product> {
        let ids = self.ids("p", end);
        let mut one = |id: &String| match state.products.get(id) {
            Some(same) if self.random.happens(20) => pb::Product::clone(same),
            _ => self.product(&id[self.prefix.len()..]),
        };
        ids.iter().map(&mut one).collect()
    }

    fn product(&mut self, id: &str) -> pb::Product {
        let now = self.tick();
        let tags = ["bulky", "fragile", "new"].into_iter().filter(|_| self.random.happens(30));
        let tags = tags.map(str::to_owned).collect();
        let family = self.random.happens(30).then(|| format!("{}f{}", self.prefix, self.random.below(5)));
        pb::Product {
            product_id: format!("{}{id}", self.prefix),
            title: self.text(),
            family_id: family.unwrap_or_default(),
            category_path: vec!["Goods".to_owned(), format!("Shelf {}", self.random.below(4))],
            tags,
            price: Some(self.price()),
            availability: pb::Availability::InStock.into(),
            kind: pb::ProductKind::Durable.into(),
            price_set_time: Some(now),
            stock_set_time: Some(now),
            ..pb::Product::default()
        }
    }

    fn price(&mut self) -> pb::Money {
        pb::Money { currency: "EUR".to_owned(), minor_units: self.random.below(100_000).cast_signed() }
    }

    /// Some for products that are not there, and some too old to count.
    fn offers(&mut self, state: &State) -> Vec<pb::OfferUpdate> {
        let ids = self.ids("p", PRODUCTS);
        let known: Vec<_> = state.products.keys().take(100).cloned().collect();
        let extra = self.random.pick(&known).filter(|id| !ids.contains(id)).cloned();
        ids.into_iter().chain(extra).map(|id| self.offer(id)).collect()
    }

    fn offer(&mut self, product_id: String) -> pb::OfferUpdate {
        let fresh = self.tick();
        let set_time = Some(if self.random.happens(15) { moment(FIRST_MS - 1) } else { fresh });
        let sold_out = pb::Availability::OutOfStock;
        pb::OfferUpdate {
            product_id,
            price: Some(self.price()),
            availability: if self.random.happens(20) { sold_out.into() } else { 0 },
            stock_quantity: self.random.happens(40).then(|| self.random.below(50).cast_signed()),
            set_time,
        }
    }

    fn rules(&mut self, state: &State) -> Vec<pb::Rule> {
        let ids = self.ids("r", RULES);
        let mut one = |id: String| match state.rules.get(&id) {
            Some(same) if self.random.happens(20) => pb::Rule::clone(same),
            _ => self.rule(id),
        };
        ids.into_iter().map(&mut one).collect()
    }

    fn rule(&mut self, rule_id: String) -> pb::Rule {
        let pairing = pb::Pairing { relation: pb::Relation::Accessory.into(), ..pb::Pairing::default() };
        let says = match self.random.below(4) {
            0 => Says::Block(pb::Block {}),
            1 => Says::Boost(pb::Boost { factor: 1.5 }),
            _ => Says::Pairing(pairing),
        };
        // Some rules are stored in several rows.
        let terms = if self.random.happens(10) { 100 } else { 2 };
        let term = |n| pb::Term { term: Some(Term::ProductId(format!("{}p{n:050}", self.prefix))) };
        let anchor = pb::Selector { any_of: (0..terms).map(term).collect(), ..pb::Selector::default() };
        let new = pb::Term { term: Some(Term::Tag("new".to_owned())) };
        pb::Rule {
            rule_id,
            says: Some(says),
            anchor: Some(anchor),
            target: Some(pb::Selector { all_of: vec![new], ..pb::Selector::default() }),
            note: self.text(),
            ..pb::Rule::default()
        }
    }

    /// Some are new statements, some only tell of changes, some say again what was said.
    fn orders(&mut self, state: &State) -> Vec<pb::RecordedOrder> {
        let ids = self.ids("o", ORDERS);
        let mut one = |id: String| match state.orders.get(&id) {
            Some(same) if self.random.happens(20) => pb::RecordedOrder::clone(same),
            Some(_) if self.random.happens(40) => {
                pb::RecordedOrder { order_id: id, changes: self.changes(), ..pb::RecordedOrder::default() }
            }
            _ => self.order(id),
        };
        ids.into_iter().map(&mut one).collect()
    }

    fn order(&mut self, order_id: String) -> pb::RecordedOrder {
        let (placed_at, updated_at) = (self.tick(), self.tick());
        // Some orders are stored in several rows.
        let lines = if self.random.happens(10) { 200 } else { 1 + self.random.below(4) };
        let line = |n: u64| pb::OrderLine {
            product_id: format!("{}p{n:03}", self.prefix),
            quantity: 1 + u32::try_from(n % 3).unwrap_or(0),
            unit_price: None,
        };
        let lines = (0..lines).map(line).collect();
        let shopper_id = format!("{}s{}", self.prefix, self.random.below(5));
        let changes = if self.random.happens(30) { self.changes() } else { Vec::new() };
        pb::RecordedOrder {
            order_id,
            shopper_id,
            placed_at: Some(placed_at),
            lines,
            updated_at: Some(updated_at),
            changes,
            ..pb::RecordedOrder::default()
        }
    }

    /// A data team's own, sometimes none.
    fn affinities(&mut self) -> Vec<pb::Affinity> {
        let count = self.random.below(20);
        let kinds = [pb::AffinityKind::BoughtWith, pb::AffinityKind::BoughtAfter];
        let mut one = |n: u64| pb::Affinity {
            anchor_id: format!("{}p{}", self.prefix, n % 4),
            target_id: format!("{}q{n}", self.prefix),
            kind: kinds[usize::from(self.random.happens(50))].into(),
            score: (1 + self.random.below(1_000)) as f64 / 1_000.0,
            support: self.random.below(100),
            provenance: "two-tower".to_owned(),
            lift: self.random.below(10) as f64 / 2.0,
            ..pb::Affinity::default()
        };
        (0..count).map(&mut one).collect()
    }

    /// One change, of few ids, so that some are told anew.
    fn changes(&mut self) -> Vec<pb::OrderChange> {
        use pb::order_change::Change;
        let product_id = format!("{}p{:03}", self.prefix, self.random.below(4));
        let reversal = pb::LineReversal { product_id, quantity: u32::from(self.random.happens(50)) };
        let change = match self.random.below(3) {
            0 => Change::Cancelled(reversal),
            1 => Change::Refunded(reversal),
            _ => Change::Status(pb::OrderStatus::Cancelled.into()),
        };
        let (change_id, at) = (format!("c{}", self.random.below(CHANGES)), Some(self.tick()));
        vec![pb::OrderChange { change_id, at, change: Some(change) }]
    }

    fn policy(&mut self) -> pb::Policy {
        let limits = pb::PolicyLimits {
            offers_max: Some(1 + u32::try_from(self.tick().nanos % 100).unwrap_or(0)),
            stock_min: Some(self.random.below(1_000_000).cast_signed()),
            ..pb::PolicyLimits::default()
        };
        pb::Policy { name: self.policy_name(), limits: Some(limits), ..pb::Policy::default() }
    }

    fn policy_name(&self) -> String {
        format!("{}policy", self.prefix)
    }

    /// A text that no other value has, some of it long.
    fn text(&mut self) -> String {
        let filler = usize::try_from(self.random.below(300)).unwrap_or(0);
        self.serial += 1;
        format!("{} {}", self.serial, ".".repeat(filler))
    }

    fn tick(&mut self) -> prost_types::Timestamp {
        self.serial += 1;
        moment(FIRST_MS + self.serial.cast_signed())
    }

    /// An id that no other write has.
    pub(crate) fn request_id(&mut self) -> String {
        self.serial += 1;
        format!("{}{}", self.prefix, self.serial)
    }
}

fn moment(ms: i64) -> prost_types::Timestamp {
    let nanos = i32::try_from(ms.rem_euclid(1_000) * 1_000_000).unwrap_or(0);
    prost_types::Timestamp { seconds: ms.div_euclid(1_000), nanos }
}
