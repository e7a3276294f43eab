//! Routes: which pairings lead away from which anchors, and which needs are met already.

use sidecart_catalog::{Entry, Product, ProductId};
use sidecart_rules::{Direction, MatchClause, Pairing, Pointer, Rule, Selector};

use crate::{
    holdings::Holding,
    recommend::{LOOKS_MAX, ROUTES_MAX},
    setting::{Anchor, Setting},
    stop::Stop,
};

/// One pairing read from one anchor.
#[derive(Clone, Copy)]
pub(crate) struct Route<'a> {
    /// Place of the anchor in the setting.
    pub(crate) anchor: usize,
    pub(crate) rule: &'a Rule,
    pub(crate) pairing: &'a Pairing,
    pub(crate) direction: Direction,
}

/// A need of an anchor, and what meets it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Met<'a> {
    anchor: usize,
    need: &'a str,
    by: &'a ProductId,
}

/// The routes of one answer.
pub(crate) struct Routes<'a> {
    /// Those whose pairing holds here and now: by anchor id, rule id and direction.
    pub(crate) open: Vec<Route<'a>>,
    /// Ascending.
    met: Vec<Met<'a>>,
}

impl<'a> Route<'a> {
    /// The route that a pointer opens from an anchor; none for a rule that is no pairing.
    pub(crate) fn new(anchor: usize, pointer: &'a Pointer) -> Option<Self> {
        let rule = &*pointer.rule;
        Some(Self { anchor, rule, pairing: rule.pairing()?, direction: pointer.direction })
    }

    /// The selector of the side that is offered.
    pub(crate) fn targets(&self) -> &'a Selector {
        self.rule.selectors(self.direction).1
    }

    /// The match clauses, read in the route's direction.
    pub(crate) fn clauses(&self) -> &'a [MatchClause] {
        self.rule.matches(self.direction)
    }

    /// The first match clause that does not hold between a target and the anchor.
    pub(crate) fn misfit(&self, target: &Entry, anchor: &Entry) -> Option<&'a MatchClause> {
        self.clauses().iter().find(|clause| !clause.holds(target.product(), anchor.product()))
    }

    /// The job a product does on this route: as the pairing says, else its leaf category, else its title.
    pub(crate) fn need(&self, product: &'a Product) -> &'a str {
        let leaf = || product.category().map(|category| category.leaf());
        self.pairing.need.as_deref().or_else(leaf).unwrap_or(product.title())
    }

    /// Whether the pairing itself has a say here and now.
    ///
    /// # Errors
    /// The first gate of the rule that stops everything on the route.
    pub(crate) fn admit(&self, setting: &Setting<'a>) -> Result<(), Stop<'a>> {
        let (query, rule) = (setting.query, self.rule);
        let Anchor { entry, quantity, .. } = setting.anchors[self.anchor];
        if rule.parts().disabled {
            return Err(Stop::RuleDisabled(rule.id()));
        }
        if !rule.holds_in(query.stage, query.surface) {
            return Err(Stop::RuleStage { rule: rule.id(), stage: query.stage, surface: query.surface });
        }
        if !rule.holds_at(query.at) {
            return Err(Stop::RuleWindow { rule, at: query.at });
        }
        let min = self.pairing.min_anchor_quantity;
        if quantity < u64::from(min) {
            return Err(Stop::MinQuantity { anchor: entry.product().id(), quantity, min });
        }
        Ok(())
    }
}

impl<'a> Routes<'a> {
    /// All routes from the anchors, up to [`ROUTES_MAX`] pairings looked at.
    pub(crate) fn new(setting: &Setting<'a>) -> Self {
        let open = all(setting).take(ROUTES_MAX).filter(|route| route.admit(setting).is_ok()).collect();
        let mut routes = Self { open, met: Vec::new() };
        routes.met = met(setting, &routes.open);
        routes
    }

    /// What meets an anchor's need already.
    pub(crate) fn met(&self, anchor: usize, need: &str) -> Option<&'a ProductId> {
        let at = self.met.partition_point(|met| (met.anchor, met.need) < (anchor, need));
        self.met.get(at).filter(|met| met.anchor == anchor && met.need == need).map(|met| met.by)
    }
}

/// Every pairing beside every anchor that its anchor side selects, whether or not it holds here and now.
pub(crate) fn all<'s, 'a>(setting: &'s Setting<'a>) -> impl Iterator<Item = Route<'a>> + use<'s, 'a> {
    let rules = setting.snapshot.rules();
    setting.anchors.iter().enumerate().flat_map(move |(at, anchor)| {
        rules.pairings_from(anchor.entry).filter_map(move |pointer| Route::new(at, pointer))
    })
}

/// The needs that what the shopper holds meets: it is what an open route would have offered for them.
///
/// An anchor never meets a need of its own. At most [`LOOKS_MAX`] holdings are looked at.
fn met<'a>(setting: &Setting<'a>, open: &[Route<'a>]) -> Vec<Met<'a>> {
    let (stage, at) = (setting.query.stage, setting.query.at);
    let meets = |route: &Route<'a>, holding: &Holding<'a>| {
        let (held, anchor) = (holding.entry, setting.anchors[route.anchor].entry);
        let fits = held.own() != anchor.own() && route.misfit(held, anchor).is_none();
        let product = held.product();
        (fits && holding.serves(stage, at)).then(|| Met {
            anchor: route.anchor,
            need: route.need(product),
            by: product.id(),
        })
    };
    let pairs = open.iter().flat_map(|route| {
        let held = setting.holdings.selected(route.targets());
        held.map(move |holding| (route, holding))
    });
    let found = pairs.take(LOOKS_MAX).filter_map(|(route, holding)| meets(route, holding));
    let mut met: Vec<Met<'a>> = found.collect();
    met.sort_unstable();
    met.dedup();
    met
}
