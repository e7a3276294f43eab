//! Subjects: what a conversation is about, and what an offer may go with.

use sidecart_catalog::{Entry, ProductId, TermId};

use crate::{query::Query, snapshot::Snapshot};

use super::{Meant, Mention, MentionRole, SURE_MIN, State};

/// Products of a category that are looked at to see whether it has but one family.
const CATEGORY_LOOKS_MAX: usize = 64;
/// Products asked about together of which one may be the offer.
const TOGETHER_MAX: usize = 3;

/// Products by what the customer means with them.
#[derive(Default)]
pub(super) struct Subjects {
    /// What an offer goes with.
    pub(super) anchors: Vec<ProductId>,
    /// What is asked about: what an offer goes with, or the offer itself.
    pub(super) named: Vec<ProductId>,
    /// What the customer has.
    pub(super) owned: Vec<ProductId>,
}

/// One way after another to take what the conversation is about: most likely first.
pub(super) fn subjects<'m>(
    snapshot: &Snapshot,
    query: &Query,
    state: &'m State,
    meant: impl Fn(&'m Mention) -> &'m Meant,
) -> Vec<Subjects> {
    let catalog = snapshot.catalog();
    let page: Vec<ProductId> = query.anchors.clone();
    let lines = query.cart.iter().map(|line| &line.product).chain(query.ordered().map(|line| &line.product));
    let before: Vec<ProductId> = page.iter().chain(lines).cloned().collect();
    let beside = |meant: &Meant| one_of(snapshot, meant, &before);
    let (owned, named) = in_focus(state, &before, |mention| beside(meant(mention)));
    let held: Vec<ProductId> = state.owned.iter().filter_map(beside).collect();
    let is_elsewhere = |product: &ProductId| {
        let family = catalog.get(product.as_str()).map(|entry| entry.family());
        !before.iter().any(|other| catalog.get(other.as_str()).map(|entry| entry.family()) == family)
    };
    let asked: Vec<ProductId> = named.iter().filter(|product| is_elsewhere(product)).cloned().collect();
    // Who asks about what they look at means that, whatever they have besides.
    let looks_at_it = !page.is_empty() && named.iter().any(|product| !is_elsewhere(product));
    // "which SD card": what is named so is what they want, not what it is to go with.
    let is_wanted = |product: &ProductId| {
        let path = catalog.get(product.as_str()).and_then(|entry| entry.product().category());
        state.wanted_categories().any(|wanted| path == Some(wanted))
    };
    let base = if owned.is_empty() || looks_at_it { page } else { owned.clone() };
    let has_lines = !query.cart.is_empty() || query.order.is_some();
    let subject = |anchors: &[ProductId], named: &[ProductId]| Subjects {
        anchors: anchors.to_vec(),
        named: named.to_vec(),
        owned: held.clone(),
    };
    let is_named_now =
        state.last.iter().flat_map(|last| &last.mentions).any(|mention| state.focus.contains(mention));
    if !is_named_now {
        // What was named before may be meant still; else it is what they have before them.
        let of_before = [asked.as_slice(), &base];
        let all = of_before.into_iter().filter(|anchors| !anchors.is_empty() || has_lines);
        return all.map(|anchors| subject(anchors, &[])).collect();
    }
    let mut tries = Vec::new();
    // What is asked about may be what goes with what they have, or look at.
    if !asked.is_empty() && (!base.is_empty() || has_lines) {
        tries.push(subject(&base, &asked));
    }
    // Or one of what is asked about goes with the others.
    if (2..=TOGETHER_MAX).contains(&asked.len()) {
        for nth in (0..asked.len()).rev() {
            let mut others = asked.clone();
            let one = others.remove(nth);
            others.retain(|other| !is_wanted(other));
            tries.push(subject(&others, &[one]));
        }
    }
    if !asked.is_empty() {
        let others: Vec<ProductId> = asked.iter().filter(|product| !is_wanted(product)).cloned().collect();
        tries.push(subject(if others.is_empty() { &asked } else { &others }, &[]));
    } else if !base.is_empty() || has_lines {
        tries.push(subject(&base, &[]));
        if looks_at_it && !owned.is_empty() {
            tries.push(subject(&owned, &[]));
        }
    }
    tries
}

/// Products that the conversation is about: what the customer has, and what they ask about or want.
fn in_focus<'m>(
    state: &'m State,
    before: &[ProductId],
    product: impl Fn(&'m Mention) -> Option<ProductId>,
) -> (Vec<ProductId>, Vec<ProductId>) {
    let (mut owned, mut named) = (Vec::new(), Vec::new());
    for mention in &state.focus {
        let is_vague = matches!(mention.meant, Meant::Category(_)) || mention.confidence < SURE_MIN;
        let Some(product) = product(mention) else { continue };
        // What is vague gives way to what the customer has before them.
        if is_vague && !before.is_empty() && !before.contains(&product) {
            continue;
        }
        match mention.role {
            MentionRole::Owns => owned.push(product),
            MentionRole::AskedAbout | MentionRole::Wants => named.push(product),
            MentionRole::Rejected | MentionRole::Returning => {}
        }
    }
    (owned, named)
}

/// The product that is meant: the one the customer has before them if that can be meant, else the first variant; of a
/// category only if it has but one family.
fn one_of(snapshot: &Snapshot, meant: &Meant, before: &[ProductId]) -> Option<ProductId> {
    let catalog = snapshot.catalog();
    let of_family = |family: &str| {
        before
            .iter()
            .find(|id| catalog.get(id.as_str()).is_some_and(|entry| entry.product().family_name() == family))
            .cloned()
    };
    match meant {
        Meant::Product(id) => catalog.get(id.as_str()).map(|_| id.clone()),
        Meant::Family { family, first } => {
            of_family(family).or_else(|| catalog.get(first.as_str()).map(|_| first.clone()))
        }
        Meant::Category(path) => {
            let term = TermId::of_path(path);
            let is_within = |entry: &Entry| entry.has(term);
            let here =
                before.iter().find(|id| catalog.get(id.as_str()).is_some_and(|entry| is_within(entry)));
            here.cloned().or_else(|| {
                let mut within = catalog.list(None, Some(path)).take(CATEGORY_LOOKS_MAX);
                let first = within.next()?;
                within.all(|entry| entry.family() == first.family()).then(|| first.product().id().clone())
            })
        }
    }
}
