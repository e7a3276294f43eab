//! The judge: asks the hard gates, then the policy, of one target on one route, in the published order.

use std::{cell::OnceCell, sync::Arc};

use sidecart_catalog::{Availability, Entry, Kind, Money};
use sidecart_rules::{Direction, MatchClause, Relation, RuleId, Stage};

use crate::{
    holdings::{Holding, is_due},
    lead::{AffinityKind, Lead},
    routes::Routes,
    setting::{Anchor, Setting},
    stop::Stop,
};

/// What orders must say at the least for a consumable to be offered beside another of its leaf category: bought
/// together twice as often as by chance.
const SAME_CATEGORY_LIFT: f32 = 2.0;

/// A target, with what holds for it on every lead.
pub(crate) struct Target<'s, 'a> {
    pub(crate) entry: &'a Arc<Entry>,
    /// The live price, else the catalog's.
    pub(crate) price: Option<Money>,
    /// Whether it can be put in the cart now.
    shelf: Result<(), Stop<'a>>,
    holding: Option<&'s Holding<'a>>,
    /// The first block that speaks against it; asked for when a route gets so far.
    block: OnceCell<Option<&'a RuleId>>,
}

impl<'s, 'a> Target<'s, 'a> {
    /// Looks up what holds for a target on every lead.
    pub(crate) fn new(setting: &'s Setting<'a>, entry: &'a Arc<Entry>) -> Self {
        let holding = setting.holdings.get(entry);
        let price = setting.price(entry);
        let shelf = match sellable(entry, price).and_then(|()| in_stock(setting, entry)) {
            Ok(()) if holding.is_some_and(|holding| holding.is_in_cart) => Err(Stop::InCart),
            shelf => shelf,
        };
        Self { entry, price, shelf, holding, block: OnceCell::new() }
    }

    fn block(&self, setting: &Setting<'a>) -> Option<&'a RuleId> {
        *self.block.get_or_init(|| {
            let entry: &'a Arc<Entry> = self.entry;
            let mut blocks = setting.snapshot.rules().blocks_on(entry).filter(|rule| setting.applies(rule));
            let anchors = &setting.anchors;
            let block = blocks.find(|rule| {
                anchors.iter().any(|anchor| rule.covers(Direction::Forward, anchor.entry, entry))
            });
            block.map(|rule| rule.id())
        })
    }

    /// Whether more of it is due, or, where the shopper does not have it, more of the anchor it refills.
    fn is_due(&self, setting: &Setting<'a>, anchor: &Anchor<'a>) -> bool {
        let about = self.holding.or_else(|| setting.holdings.get(anchor.entry));
        let used_up = about.and_then(|holding| holding.used_up);
        is_due(self.entry, used_up, setting.query.stage, setting.query.at)
    }
}

/// Asks every gate up to the score.
///
/// # Errors
/// The first gate that stops the target on this lead.
pub(crate) fn judge<'a>(
    setting: &Setting<'a>,
    routes: &Routes<'a>,
    lead: &Lead<'a>,
    target: &Target<'_, 'a>,
    misfit: Option<&'a MatchClause>,
) -> Result<(), Stop<'a>> {
    target.shelf?;
    let anchor = &setting.anchors[lead.anchor()];
    if !is_refill(setting, lead, target) {
        related(setting, lead, target)?;
    }
    if let Some(rule) = target.block(setting) {
        return Err(Stop::Blocked(rule));
    }
    same_currency(target, anchor)?;
    let (offered, beside) = (target.entry.product(), anchor.entry.product());
    if let Some(clause) = misfit {
        return Err(Stop::Match { clause, target: offered, anchor: beside });
    }
    if let Some(relation) = lead.relation().filter(|it| setting.limits.disallowed_relations.contains(*it)) {
        return Err(Stop::RelationDisallowed(relation));
    }
    let need = lead.need(offered);
    if let Some(by) = routes.met(lead.anchor(), need) {
        return Err(Stop::NeedMet { need, by });
    }
    in_proportion(setting, target, anchor)
}

/// Whether it is offered to be bought again, so that having it speaks for it and not against it.
fn is_refill<'a>(setting: &Setting<'a>, lead: &Lead<'a>, target: &Target<'_, 'a>) -> bool {
    match lead {
        Lead::Pairing(route) => {
            route.pairing.relation == Relation::Refill
                && target.is_due(setting, &setting.anchors[route.anchor])
        }
        Lead::Learned(learned) => learned.kind == AffinityKind::BoughtAgain,
    }
}

/// Whether it has a price and is still sold.
fn sellable<'a>(entry: &Entry, price: Option<Money>) -> Result<(), Stop<'a>> {
    if price.is_none() {
        return Err(Stop::NoPrice);
    }
    if entry.product().availability() == Availability::Discontinued {
        return Err(Stop::Discontinued);
    }
    Ok(())
}

/// Whether it can be bought now; the caller knows better than the catalog.
fn in_stock<'a>(setting: &Setting<'a>, entry: &Entry) -> Result<(), Stop<'a>> {
    let product = entry.product();
    match setting.live(product.id()).and_then(|live| live.in_stock) {
        Some(true) => return Ok(()),
        Some(false) => return Err(Stop::OutOfStockNow),
        None => {}
    }
    let min = setting.limits.stock_min;
    match (product.availability(), product.stock_quantity()) {
        (Availability::OutOfStock, _) => Err(Stop::OutOfStock),
        (Availability::Preorder, _) if setting.query.stage == Stage::OrderPlaced => Err(Stop::PreorderIsLate),
        (_, Some(stock)) if stock < min => Err(Stop::StockBelow { stock, min }),
        _ => Ok(()),
    }
}

/// Whether it stands too near to what the shopper looks at or has: a sibling, the thing itself, a substitute.
fn related<'a>(setting: &Setting<'a>, lead: &Lead<'a>, target: &Target<'_, 'a>) -> Result<(), Stop<'a>> {
    let entry = target.entry;
    if let Some(sibling) = setting.of_family(entry.family()) {
        return Err(same_family(setting, entry, sibling));
    }
    if let Some(holding) = target.holding.filter(|holding| holding.is_owned) {
        owned(setting, holding)?;
    }
    let Some(anchor) = entry.leaf().and_then(|leaf| setting.of_leaf(leaf)) else { return Ok(()) };
    let is_allowed = match lead {
        Lead::Pairing(route) => route.pairing.allows_same_category,
        // Two of a kind are bought together where they are used up. A durable one is bought instead of the other, and so
        // is what the same shoppers buy at other times.
        Lead::Learned(learned) => {
            learned.kind == AffinityKind::BoughtWith
                && entry.product().kind() == Kind::Consumable
                && learned.lift >= SAME_CATEGORY_LIFT
        }
    };
    if is_allowed || setting.limits.same_category_max.is_none() {
        return Ok(());
    }
    let category = anchor.entry.product().category();
    category
        .map_or(Ok(()), |category| Err(Stop::Substitute { category, anchor: anchor.entry.product().id() }))
}

fn same_family<'a>(setting: &Setting<'a>, entry: &Entry, sibling: &Anchor<'a>) -> Stop<'a> {
    let id = sibling.entry.product().id();
    if setting.is_anchor(entry) {
        return Stop::IsAnchor;
    }
    match setting.holdings.get(sibling.entry) {
        Some(holding) if holding.is_in_cart => Stop::SiblingInCart(id),
        _ => Stop::SiblingIsAnchor(id),
    }
}

fn owned<'a>(setting: &Setting<'a>, holding: &Holding<'a>) -> Result<(), Stop<'a>> {
    if is_due(holding.entry, holding.used_up, setting.query.stage, setting.query.at) {
        return Ok(());
    }
    let lasting = holding.used_up.filter(|_| holding.entry.product().kind() == Kind::Consumable);
    Err(lasting.map_or(Stop::Owned, Stop::OwnedUntil))
}

/// Whether both are priced in one currency, where the anchor has a price.
fn same_currency<'a>(target: &Target<'_, 'a>, anchor: &Anchor<'a>) -> Result<(), Stop<'a>> {
    let (Some(price), Some(beside)) = (target.price, anchor.price) else { return Ok(()) };
    let (anchor, currency) = (anchor.entry.product().id(), beside.currency());
    if price.currency() != currency {
        return Err(Stop::Currency { price, anchor, currency });
    }
    Ok(())
}

/// Whether it is cheap enough beside its anchor, where the anchor has a price.
fn in_proportion<'a>(
    setting: &Setting<'a>,
    target: &Target<'_, 'a>,
    anchor: &Anchor<'a>,
) -> Result<(), Stop<'a>> {
    let limit = setting.limits.price_proportion_max_percent;
    let (Some(max_percent), Some(price), Some(anchor_price)) = (limit, target.price, anchor.price) else {
        return Ok(());
    };
    let part = i128::from(price.minor_units()) * 100;
    let most = i128::from(anchor_price.minor_units()) * i128::from(max_percent);
    if part > most {
        let anchor = anchor.entry.product().id();
        return Err(Stop::PriceProportion { price, anchor, anchor_price, max_percent });
    }
    Ok(())
}
