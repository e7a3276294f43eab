//! Candidates: the products that routes and what was learned lead to, each with all that leads there.

use std::sync::Arc;

use sidecart_catalog::{Catalog, Entry, Postings, ProductId, Term, TermId, Values};
use sidecart_rules::{MatchClause, MatchOp, SCAN_MAX, Selector};

use crate::{
    lead::Learned,
    learned::learned as learned_of,
    recommend::{CANDIDATES_MAX, LOOKS_MAX},
    routes::{Route, Routes},
    setting::Setting,
    stop::Stop,
    trace::Trace,
};

/// Most terms of either list of a selector that are sieved by.
const SIEVE_MAX: usize = 4;

/// A product with what leads to it.
pub(crate) struct Pair<'a> {
    pub(crate) target: &'a Arc<Entry>,
    pub(crate) by: By,
    /// The match clause that does not hold. Such pairs are kept for a trace only.
    pub(crate) misfit: Option<&'a MatchClause>,
}

/// What leads to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// The open route of this place.
    Route(usize),
    /// What was learned at this place.
    Learned(usize),
}

/// Lists of products among which everything that a route leads to can be found.
#[derive(Clone, Copy)]
enum Driver<'a> {
    /// What is posted under each of these terms.
    Terms(&'a [Term]),
    /// What has each of these text values of the attribute.
    Values(&'a str, &'a [Box<str>]),
}

/// One list of a driver: the products posted under a term, and the one it names without being posted.
struct Listing<'a> {
    head: Option<u32>,
    posted: Option<&'a Postings>,
}

/// How much may still be looked at.
struct Budget {
    looks: usize,
    candidates: usize,
    is_cut: bool,
}

/// What the routes lead to.
pub(crate) struct Gathered<'a> {
    /// By product id, then routes in their order, then what was learned; each once.
    pub(crate) pairs: Vec<Pair<'a>>,
    /// What was learned.
    pub(crate) learned: Vec<Learned<'a>>,
    /// Whether there was more than is looked at.
    pub(crate) is_cut: bool,
    /// Whether anything is said for any product, be it too little to offer it.
    pub(crate) has_evidence: bool,
}

/// What all routes and what was learned lead to.
pub(crate) fn gather<'a, T: Trace>(
    setting: &Setting<'a>,
    routes: &Routes<'a>,
    trace: &mut T,
) -> Gathered<'a> {
    let mut pairs = Vec::new();
    let mut budget = Budget { looks: LOOKS_MAX, candidates: CANDIDATES_MAX, is_cut: false };
    for at in 0..routes.open.len() {
        scan(setting, routes, at, &mut budget, &mut pairs, trace);
    }
    let by_target = |a: &Pair<'_>, b: &Pair<'_>| {
        a.target.product().id().cmp(b.target.product().id()).then(a.by.cmp(&b.by))
    };
    pairs.sort_unstable_by(by_target);
    let is_led_to = |product: &ProductId| {
        let first = pairs.partition_point(|pair: &Pair<'_>| pair.target.product().id() < product);
        let mut same = pairs[first..].iter().take_while(|pair| pair.target.product().id() == product);
        // What is kept for a trace only must change nothing.
        same.any(|pair| pair.misfit.is_none())
    };
    let taught = learned_of(setting, is_led_to, |product| trace.wants(product));
    let is_said = |(_, taught): &(_, Learned<'_>)| taught.support > 0 || taught.provenance.is_some();
    let has_evidence = taught.is_floored
        || taught.list.iter().any(is_said)
        || pairs.iter().any(|pair: &Pair<'_>| pair.misfit.is_none());
    let mut learned = Vec::new();
    for (target, taught) in taught.list {
        pairs.push(Pair { target, by: By::Learned(learned.len()), misfit: None });
        learned.push(taught);
    }
    pairs.sort_unstable_by(by_target);
    pairs.dedup_by(|later, kept| later.by == kept.by && later.target.own() == kept.target.own());
    Gathered { pairs, learned, is_cut: budget.is_cut, has_evidence }
}

/// Adds what one route leads to, looking through the shortest lists in which all of it can be found.
fn scan<'a, T: Trace>(
    setting: &Setting<'a>,
    routes: &Routes<'a>,
    at: usize,
    budget: &mut Budget,
    pairs: &mut Vec<Pair<'a>>,
    trace: &mut T,
) {
    let catalog = setting.snapshot.catalog();
    let route = &routes.open[at];
    let anchor = setting.anchors[route.anchor].entry;
    let driver = driver(catalog, route, anchor);
    let sieve = Sieve::new(catalog, route.targets());
    for nth in 0..driver.len() {
        let listing = driver.listing(catalog, nth);
        for (seen, index) in listing.iter().enumerate() {
            if seen == SCAN_MAX || budget.looks == 0 || budget.candidates == 0 {
                budget.is_cut = true;
                let (rule, anchor) = (Some(route.rule.id()), Some(anchor.product().id()));
                if let Some(target) = catalog.entry(index) {
                    trace.note(target.product().id(), &Stop::ScanLimit(route.rule.id()), rule, anchor);
                }
                break;
            }
            budget.looks -= 1;
            if !sieve.passes(index) {
                continue;
            }
            let Some(target) = catalog.entry(index).filter(|target| route.targets().selects(target)) else {
                continue;
            };
            let misfit = route.misfit(target, anchor);
            if misfit.is_none() {
                budget.candidates -= 1;
            } else if !trace.wants(target.product().id()) {
                continue;
            }
            pairs.push(Pair { target, by: By::Route(at), misfit });
        }
    }
}

/// What a selector selects, as far as bitmaps tell: it lets through all that is selected, and little else, without
/// touching a product.
struct Sieve<'a> {
    any_of: [Option<&'a Postings>; SIEVE_MAX],
    /// Whether one of `any_of` must have it.
    needs_any: bool,
    all_of: [Option<&'a Postings>; SIEVE_MAX],
    /// Whether some term of `all_of` has no product.
    is_shut: bool,
}

impl<'a> Sieve<'a> {
    fn new(catalog: &'a Catalog, selector: &Selector) -> Self {
        let is_posted = |term: &Term| !matches!(term, Term::Product(_) | Term::Family(_));
        let list = |term: &Term| catalog.postings(term.id());
        let (any_of, all_of) = (selector.any_of(), selector.all_of());
        let needs_any = (1..=SIEVE_MAX).contains(&any_of.len()) && any_of.iter().all(is_posted);
        let posted = || all_of.iter().filter(|term| is_posted(term)).take(SIEVE_MAX);
        let mut sieve = Self {
            any_of: [None; SIEVE_MAX],
            needs_any,
            all_of: [None; SIEVE_MAX],
            is_shut: posted().any(|term| list(term).is_none()),
        };
        for (place, term) in sieve.any_of.iter_mut().zip(any_of.iter().filter(|_| needs_any)) {
            *place = list(term);
        }
        for (place, term) in sieve.all_of.iter_mut().zip(posted()) {
            *place = list(term);
        }
        sieve
    }

    fn passes(&self, index: u32) -> bool {
        let has = |list: &&Postings| list.contains(index);
        !self.is_shut
            && self.all_of.iter().flatten().all(has)
            && (!self.needs_any || self.any_of.iter().flatten().any(has))
    }
}

/// The driver with the fewest products; of equals the first in the order of the rule's own lists.
fn driver<'a>(catalog: &Catalog, route: &Route<'a>, anchor: &'a Entry) -> Driver<'a> {
    let selector = route.targets();
    let any_of = Some(selector.any_of()).filter(|terms| !terms.is_empty()).map(Driver::Terms);
    let all_of = selector.all_of().iter().map(|term| Driver::Terms(std::slice::from_ref(term)));
    let clauses = route.clauses().iter().filter_map(|clause| of_clause(catalog, clause, anchor));
    let drivers = any_of.into_iter().chain(all_of).chain(clauses);
    drivers.min_by_key(|driver| driver.cost(catalog)).unwrap_or(Driver::Terms(&[]))
}

/// Where everything that meets a clause can be found, if text values tell.
fn of_clause<'a>(catalog: &Catalog, clause: &'a MatchClause, anchor: &'a Entry) -> Option<Driver<'a>> {
    let name = clause.target_attribute();
    let values = anchor.product().attributes().get(clause.anchor_attribute());
    let text = values.map_or(&[][..], Values::text);
    let each = text.iter().map(|value| Driver::Values(name, std::slice::from_ref(value)));
    let cheapest = || each.min_by_key(|driver| driver.cost(catalog));
    match clause.op() {
        // A target must have every one of the anchor's values, so the rarest finds them all.
        MatchOp::Superset => Some(cheapest().unwrap_or(Driver::Values(name, &[]))),
        // Sides that are equal in numbers alone have no text value to be found by.
        MatchOp::Equal => cheapest(),
        // A target must have at least one of the anchor's values.
        MatchOp::Subset | MatchOp::Overlaps => Some(Driver::Values(name, text)),
        MatchOp::AtLeast | MatchOp::AtMost | MatchOp::Within(_) => None,
    }
}

impl<'a> Driver<'a> {
    fn len(self) -> usize {
        match self {
            Self::Terms(terms) => terms.len(),
            Self::Values(_, values) => values.len(),
        }
    }

    fn listing(self, catalog: &Catalog, nth: usize) -> Listing<'_> {
        match self {
            Self::Terms(terms) => {
                let term = &terms[nth];
                Listing { head: catalog.head(term), posted: catalog.postings(term.id()) }
            }
            Self::Values(name, values) => {
                Listing { head: None, posted: catalog.postings(TermId::of_attribute(name, &values[nth])) }
            }
        }
    }

    /// How many products are looked at with it.
    fn cost(self, catalog: &Catalog) -> usize {
        (0..self.len()).map(|nth| self.listing(catalog, nth).len()).sum()
    }
}

impl<'a> Listing<'a> {
    fn len(&self) -> usize {
        usize::from(self.head.is_some()) + self.posted.map_or(0, Postings::len)
    }

    fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.head.into_iter().chain(self.posted.into_iter().flat_map(Postings::iter))
    }
}
