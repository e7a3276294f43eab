//! A naive recommender, written from the published order of operations alone:
//! every product against every rule and every anchor, without an index, a bound or a care for speed.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, btree_map},
    sync::Arc,
};

use sidecart_catalog::{Availability, Entry, Kind, Money, ProductId};
use sidecart_rules::{Direction, Limits, Objective, Pairing, Relation, Rule, Says, Stage};
use sidecart_scoring::{LiveOffer, Query, Snapshot, Why, prior};

/// What is compared of an offer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NaiveOffer {
    pub(crate) product: String,
    pub(crate) rule: String,
    pub(crate) need: String,
    pub(crate) relation: Relation,
    pub(crate) score: f64,
    pub(crate) anchors: Vec<String>,
    pub(crate) price: Money,
}

/// What is compared of a decision.
#[derive(Debug, PartialEq)]
pub(crate) struct NaiveDecision {
    pub(crate) why: Why,
    pub(crate) offers: Vec<NaiveOffer>,
    pub(crate) unknown: Vec<String>,
}

struct Naive<'a> {
    products: BTreeMap<&'a str, &'a Arc<Entry>>,
    rules: Vec<&'a Rule>,
    anchors: Vec<&'a Arc<Entry>>,
    query: &'a Query,
    limits: Limits,
}

/// One way to an offer that nothing stops.
#[derive(Clone)]
struct Way<'a> {
    target: &'a Arc<Entry>,
    anchor: &'a Arc<Entry>,
    rule: &'a Rule,
    direction: Direction,
    score: f64,
}

impl<'a> Way<'a> {
    fn pairing(&self) -> &'a Pairing {
        self.rule.pairing().unwrap()
    }

    fn position(&self) -> usize {
        self.pairing().position.map_or(usize::MAX, usize::from)
    }

    fn id(&self) -> &'a str {
        self.target.product().id().as_str()
    }

    fn need(&self) -> String {
        need(self.pairing(), self.target)
    }
}

pub(crate) fn naive(snapshot: &Snapshot, query: &Query) -> NaiveDecision {
    let products: BTreeMap<&str, _> =
        snapshot.catalog().iter().map(|entry| (entry.product().id().as_str(), entry)).collect();
    let lines =
        query.order.iter().flat_map(|order| &order.lines).chain(&query.cart).map(|line| &line.product);
    let named: BTreeSet<&ProductId> = query.anchors.iter().chain(lines).collect();
    let mentioned = query.owned.iter().chain(query.live.iter().map(|live| &live.product));
    let unknown: BTreeSet<&ProductId> =
        named.iter().copied().chain(mentioned).filter(|id| !products.contains_key(id.as_str())).collect();
    let world = Naive {
        anchors: named.iter().filter_map(|id| products.get(id.as_str()).copied()).collect(),
        rules: snapshot.rules().list(None).map(|rule| &**rule).collect(),
        limits: query.policy.limits(query.stage, query.surface),
        products,
        query,
    };
    let (led_anywhere, ways) = world.ways();
    let offers = world.arranged(&ways);
    let why = match () {
        () if world.limits.offers_max == 0 => Why::OffersDisabled,
        () if world.anchors.is_empty() => Why::NoAnchor,
        () if !led_anywhere => Why::NoEvidence,
        () if offers.is_empty() => Why::AllGated,
        () => Why::OffersFound,
    };
    NaiveDecision { why, offers, unknown: unknown.into_iter().take(100).map(ProductId::to_string).collect() }
}

impl<'a> Naive<'a> {
    /// Whether any pairing leads anywhere, and every way that passes every gate.
    fn ways(&self) -> (bool, Vec<Way<'a>>) {
        let mut led_anywhere = false;
        let mut ways = Vec::new();
        for target in self.products.values() {
            for anchor in &self.anchors {
                for (rule, direction) in self.pairings_of(anchor) {
                    if !rule.covers(direction, anchor, target) {
                        continue;
                    }
                    led_anywhere = true;
                    let score = self.score(rule.pairing().unwrap().relation, target, anchor);
                    let way = Way { target, anchor, rule, direction, score };
                    if self.passes(&way) {
                        ways.push(way);
                    }
                }
            }
        }
        (led_anywhere, ways)
    }

    fn holds(&self, rule: &Rule) -> bool {
        !rule.parts().disabled
            && rule.holds_in(self.query.stage, self.query.surface)
            && rule.holds_at(self.query.at)
    }

    /// Pairings that hold here and now for so many of this anchor.
    fn pairings_of(&self, anchor: &Arc<Entry>) -> Vec<(&'a Rule, Direction)> {
        let mut pairings = Vec::new();
        for rule in &self.rules {
            let Some(pairing) = rule.pairing() else { continue };
            if !self.holds(rule) || self.quantity(anchor) < u64::from(pairing.min_anchor_quantity) {
                continue;
            }
            let selects = |direction| rule.selectors(direction).0.unwrap().selects(anchor);
            if selects(Direction::Forward) {
                pairings.push((*rule, Direction::Forward));
            }
            if pairing.mutual && selects(Direction::Reverse) {
                pairings.push((*rule, Direction::Reverse));
            }
        }
        pairings
    }

    fn quantity(&self, entry: &Arc<Entry>) -> u64 {
        let lines = self.query.cart.iter().chain(self.query.order.iter().flat_map(|order| &order.lines));
        lines.filter(|line| is(entry, &line.product)).map(|line| u64::from(line.quantity)).sum::<u64>().max(1)
    }

    fn passes(&self, way: &Way<'a>) -> bool {
        let (query, limits, pairing, target) = (self.query, &self.limits, way.pairing(), way.target);
        let product = target.product();
        let Some(price) = self.price(target) else { return false };
        if product.availability() == Availability::Discontinued
            || !self.in_stock(target)
            || self.in_cart(target)
        {
            return false;
        }
        let about = if self.is_held(target) { target } else { way.anchor };
        let due_refill = pairing.relation == Relation::Refill
            && product.kind() == Kind::Consumable
            && self.runs_out(about).map_or(query.stage == Stage::Replenish, |out| out <= query.at.as_ms());
        if !due_refill {
            if self.anchors.iter().any(|anchor| anchor.product().family_name() == product.family_name()) {
                return false;
            }
            if self.is_owned(target) && !self.is_due(target) {
                return false;
            }
            let is_substitute = product.category().is_some()
                && self.anchors.iter().any(|anchor| anchor.product().category() == product.category());
            if is_substitute && !pairing.allows_same_category && limits.same_category_max.is_some() {
                return false;
            }
        }
        if self.is_blocked(target) || limits.disallowed_relations.contains(pairing.relation) {
            return false;
        }
        if let Some(beside) = self.paid(way.anchor) {
            let most = limits
                .price_proportion_max_percent
                .map_or(i128::MAX, |percent| i128::from(beside.minor_units()) * i128::from(percent));
            if beside.currency() != price.currency() || i128::from(price.minor_units()) * 100 > most {
                return false;
            }
        }
        !self.need_is_met(way)
    }

    fn live(&self, entry: &Arc<Entry>) -> impl Iterator<Item = &LiveOffer> {
        self.query.live.iter().filter(|live| is(entry, &live.product))
    }

    fn price(&self, entry: &Arc<Entry>) -> Option<Money> {
        dearest(self.live(entry).filter_map(|live| live.price)).or(entry.product().price())
    }

    fn paid(&self, entry: &Arc<Entry>) -> Option<Money> {
        let lines = self.query.cart.iter().chain(self.query.order.iter().flat_map(|order| &order.lines));
        let paid = lines.filter(|line| is(entry, &line.product)).filter_map(|line| line.unit_price);
        dearest(paid).or_else(|| self.price(entry))
    }

    fn in_stock(&self, entry: &Arc<Entry>) -> bool {
        let product = entry.product();
        let said: Vec<bool> = self.live(entry).filter_map(|live| live.in_stock).collect();
        if !said.is_empty() {
            return !said.contains(&false);
        }
        let ships = match product.availability() {
            Availability::InStock => true,
            Availability::Preorder => self.query.stage != Stage::OrderPlaced,
            Availability::OutOfStock | Availability::Discontinued => false,
        };
        ships && product.stock_quantity().is_none_or(|stock| stock >= self.limits.stock_min)
    }

    fn in_cart(&self, entry: &Arc<Entry>) -> bool {
        self.query.cart.iter().any(|line| is(entry, &line.product))
    }

    fn ordered(&self, entry: &Arc<Entry>) -> i64 {
        let lines = self.query.order.iter().flat_map(|order| &order.lines);
        lines.filter(|line| is(entry, &line.product)).map(|line| i64::from(line.quantity)).sum()
    }

    fn is_owned(&self, entry: &Arc<Entry>) -> bool {
        self.query.owned.iter().any(|id| is(entry, id)) || self.ordered(entry) > 0
    }

    fn is_held(&self, entry: &Arc<Entry>) -> bool {
        self.is_owned(entry) || self.in_cart(entry)
    }

    /// In milliseconds.
    fn runs_out(&self, entry: &Arc<Entry>) -> Option<i64> {
        let placed = self.query.order.as_ref()?.placed_at?;
        let days = i64::from(entry.product().days_of_supply()?) * self.ordered(entry);
        (days > 0).then(|| placed.as_ms() + days * 86_400_000)
    }

    fn is_due(&self, entry: &Arc<Entry>) -> bool {
        entry.product().kind() == Kind::Consumable
            && match self.runs_out(entry) {
                Some(out) => self.query.at.as_ms() >= out,
                None => self.query.stage == Stage::Replenish,
            }
    }

    fn is_blocked(&self, target: &Arc<Entry>) -> bool {
        self.rules.iter().any(|rule| {
            rule.parts().says == Says::Block
                && self.holds(rule)
                && self.anchors.iter().any(|anchor| rule.covers(Direction::Forward, anchor, target))
        })
    }

    /// Whether the shopper holds something else that a pairing would offer this anchor for the same need.
    fn need_is_met(&self, way: &Way<'a>) -> bool {
        let wanted = way.need();
        self.products.values().any(|held| {
            let serves = self.in_cart(held) || (self.is_owned(held) && !self.is_due(held));
            serves
                && held.product().id() != way.anchor.product().id()
                && self.pairings_of(way.anchor).into_iter().any(|(rule, direction)| {
                    rule.covers(direction, way.anchor, held) && need(rule.pairing().unwrap(), held) == wanted
                })
        })
    }

    fn score(&self, relation: Relation, target: &Arc<Entry>, anchor: &Arc<Entry>) -> f64 {
        let chance = prior(relation, self.query.stage);
        let mut odds = chance / (1.0 - chance);
        for rule in &self.rules {
            if let Says::Boost(boost) = rule.parts().says
                && self.holds(rule)
                && rule.covers(Direction::Forward, anchor, target)
            {
                odds = (odds * boost.factor()).clamp(1e-6, 1e6);
            }
        }
        odds / (1.0 + odds)
    }

    fn key(&self, way: &Way<'a>) -> f64 {
        let price = self.price(way.target).unwrap();
        let cost = way.target.product().unit_cost().filter(|cost| cost.currency() == price.currency());
        let value = match self.limits.objective {
            Objective::TakeRate => return way.score,
            Objective::Revenue => price.minor_units(),
            Objective::Margin => cost.map_or(0, |cost| price.minor_units() - cost.minor_units()).max(0),
        };
        way.score * value as f64
    }

    fn arranged(&self, ways: &[Way<'a>]) -> Vec<NaiveOffer> {
        let mut best: BTreeMap<&str, Way<'a>> = BTreeMap::new();
        for way in ways {
            let kept = best.entry(way.id()).or_insert_with(|| way.clone());
            if preferred(way, kept) == Ordering::Less {
                *kept = way.clone();
            }
        }
        let shown = best.into_values().filter(|way| {
            let above_floor = way.position() < usize::MAX || way.score >= self.limits.score_min;
            above_floor && !self.query.taken.contains(way.target.product().id())
        });
        let (mut pins, mut rest): (Vec<_>, Vec<_>) = shown.partition(|way| way.position() < usize::MAX);
        let by_key = |a: &Way<'_>, b: &Way<'_>| self.key(b).total_cmp(&self.key(a)).then(a.id().cmp(b.id()));
        let pinned = |way: &Way<'_>| (way.position(), way.rule.id().clone());
        pins.sort_by(|a, b| pinned(a).cmp(&pinned(b)).then_with(|| by_key(a, b)));
        rest.sort_by(by_key);
        let mut taken: Vec<Way<'a>> = Vec::new();
        let has_place = |way: &Way<'_>| way.position() <= self.limits.offers_max as usize;
        let (pins, beyond): (Vec<_>, Vec<_>) = pins.into_iter().partition(has_place);
        let pins: Vec<_> = pins.into_iter().filter(|way| self.takes_room(way, &mut taken)).collect();
        let rest: Vec<_> = rest.into_iter().filter(|way| self.takes_room(way, &mut taken)).collect();
        // What nobody will see takes no room from pins that the answer has no place for.
        let mut list = placed(pins, rest);
        if list.len() < self.limits.offers_max as usize {
            list.extend(beyond.into_iter().filter(|way| self.takes_room(way, &mut taken)));
        }
        let max = self.limits.offers_max.min(self.query.results_max.unwrap_or(u32::MAX)) as usize;
        list.iter().take(max).map(|way| self.offer(way, ways)).collect()
    }

    /// Takes room for the way, if the caps leave any.
    fn takes_room(&self, way: &Way<'a>, taken: &mut Vec<Way<'a>>) -> bool {
        let beside_anchor = |way: &Way<'_>| {
            let category = way.target.product().category();
            category.is_some() && self.anchors.iter().any(|anchor| anchor.product().category() == category)
        };
        let of_need = taken.iter().filter(|other| other.need() == way.need()).count();
        let category = way.target.product().category();
        let of_category = taken.iter().filter(|other| other.target.product().category() == category).count();
        let beside = taken.iter().filter(|other| beside_anchor(other)).count();
        let over = |count: usize, max: Option<u32>| max.is_some_and(|max| count >= max as usize);
        let full = over(of_need, self.limits.per_need_max)
            || (category.is_some() && over(of_category, self.limits.per_category_max))
            || (beside_anchor(way) && over(beside, self.limits.same_category_max));
        if !full {
            taken.push(way.clone());
        }
        !full
    }

    fn offer(&self, way: &Way<'a>, ways: &[Way<'a>]) -> NaiveOffer {
        let beside = ways.iter().filter(|other| other.id() == way.id());
        let anchors: BTreeSet<_> = beside.map(|other| other.anchor.product().id().to_string()).collect();
        NaiveOffer {
            product: way.id().to_owned(),
            rule: way.rule.id().to_string(),
            need: way.need(),
            relation: way.pairing().relation,
            score: way.score,
            anchors: anchors.into_iter().collect(),
            price: self.price(way.target).unwrap(),
        }
    }
}

/// Pins where they belong, as far as there is enough to reach there.
fn placed<'a>(pins: Vec<Way<'a>>, rest: Vec<Way<'a>>) -> Vec<Way<'a>> {
    let mut places: BTreeMap<usize, Way<'a>> = BTreeMap::new();
    let mut without = Vec::new();
    for pin in pins {
        match places.entry(pin.position()) {
            btree_map::Entry::Vacant(place) => _ = place.insert(pin),
            btree_map::Entry::Occupied(_) => without.push(pin),
        }
    }
    for pin in without {
        let free = (pin.position()..).find(|place| !places.contains_key(place)).unwrap();
        places.insert(free, pin);
    }
    let mut rest = rest.into_iter();
    let mut list = Vec::new();
    loop {
        if let Some(pin) = places.remove(&(list.len() + 1)) {
            list.push(pin);
        } else if let Some(way) = rest.next() {
            list.push(way);
        } else {
            break;
        }
    }
    list.extend(places.into_values());
    list
}

fn preferred(a: &Way<'_>, b: &Way<'_>) -> Ordering {
    let place = |way: &Way<'_>| (way.rule.id().clone(), way.anchor.product().id().clone(), way.direction);
    a.position().cmp(&b.position()).then(b.score.total_cmp(&a.score)).then_with(|| place(a).cmp(&place(b)))
}

fn need(pairing: &Pairing, target: &Arc<Entry>) -> String {
    let product = target.product();
    let leaf = product.category().map(|category| category.leaf().to_owned());
    pairing.need.as_ref().map(|need| need.to_string()).or(leaf).unwrap_or_else(|| product.title().to_owned())
}

fn dearest(prices: impl Iterator<Item = Money>) -> Option<Money> {
    prices.max_by_key(|price| (price.currency(), price.minor_units()))
}

fn is(entry: &Arc<Entry>, id: &ProductId) -> bool {
    entry.product().id() == id
}
