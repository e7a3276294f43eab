//! Choosing what to lease: due follow-ups by how soon they close, each asked what it would offer.

use std::{collections::HashSet, sync::Arc};

use rapidhash::fast::GlobalState;
use sidecart_catalog::{ShopperId, Timestamp};
use sidecart_rules::{FollowUpKind, FollowUpKinds, FollowUpTimes, Policy, Surface};

use super::{
    FollowUps,
    ask::{offers, timely_from},
    plan::{Entry, Lane, Plan, Span},
};
use crate::{answer::Decision, learn::parallel, orders::RecordedOrder, snapshot::Snapshot};

/// Most entries of the index that are looked at for one call, besides four for each follow-up wanted.
const LOOKS_MAX: usize = 2_000;
/// How long a follow-up without an offer, or to a shopper who opted out, is not looked at again.
const AGAIN_MS: i64 = 24 * 60 * 60_000;
/// Fewer follow-ups than this are asked on one thread.
const PARALLEL_MIN: usize = 64;
const KINDS: [FollowUpKind; 4] = [
    FollowUpKind::BeforeShip,
    FollowUpKind::BeforeArrival,
    FollowUpKind::AfterDelivery,
    FollowUpKind::Refill,
];

/// What is wanted of those that are due.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The moment to choose for.
    pub at: Timestamp,
    /// Until when they would be leased.
    pub until: Timestamp,
    /// Of which kinds.
    pub kinds: FollowUpKinds,
    /// Through what the shopper would be reached.
    pub surface: Surface,
    /// How many at most.
    pub limit: usize,
    /// How many threads may ask.
    pub threads: usize,
}

/// A follow-up that is due and has something to offer.
#[derive(Debug, Clone)]
pub struct Due {
    /// Which.
    pub plan: Plan,
    /// When it can be sent.
    pub span: Span,
    /// What it offers.
    pub decision: Decision,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Chosen {
    /// Those to lease, best first.
    pub due: Vec<Due>,
    /// Those that are not to be looked at before a moment.
    pub put_off: Vec<(Plan, Timestamp)>,
    /// Those that can never be sent as things are.
    pub over: Vec<Plan>,
    /// Whether others may be due that were not looked at.
    pub is_more: bool,
}

/// Why a follow-up is not asked.
enum Pass {
    Until(Timestamp),
    Over,
    Unopened,
}

/// Chooses follow-ups to lease under the policy that counts where none is named. `quiet_until` says, of an order, until when
/// it is no hour to write to its shopper; `None`: it is one.
pub fn choose(
    snapshot: &Snapshot,
    wanted: &Wanted,
    mut quiet_until: impl FnMut(&RecordedOrder) -> Option<Timestamp>,
) -> Chosen {
    let policy = snapshot.policies().default_policy();
    let times = policy.follow_ups().times();
    let mut candidates = Candidates::new(snapshot.follow_ups(), wanted, &times);
    let (mut chosen, mut shoppers) = (Chosen::default(), HashSet::<ShopperId, GlobalState>::default());
    // Others of a shopper who may get one: their turn comes should that one have nothing to offer.
    let mut others: Vec<(Plan, Span)> = Vec::new();
    let mut looks = LOOKS_MAX + 4 * wanted.limit;
    while chosen.due.len() < wanted.limit {
        let room = wanted.limit - chosen.due.len();
        let (mut asked, mut waiting) = (Vec::with_capacity(room), std::mem::take(&mut others).into_iter());
        while asked.len() < room {
            let next = waiting.next().or_else(|| if looks > 0 { candidates.next(&mut looks) } else { None });
            let Some((plan, span)) = next else { break };
            let pass = blocked(snapshot, &plan, span, wanted, &times)
                .or_else(|| quiet_until(&plan.order).map(Pass::Until));
            match pass {
                None if plan.shopper().is_some_and(|shopper| shoppers.insert(shopper.clone())) => {
                    asked.push((plan, span));
                }
                None => others.push((plan, span)),
                Some(Pass::Until(until)) => chosen.put_off.push((plan, until)),
                Some(Pass::Over) => chosen.over.push(plan),
                Some(Pass::Unopened) => {}
            }
        }
        others.extend(waiting);
        if asked.is_empty() {
            break;
        }
        for (plan, span, decision) in ask_all(snapshot, asked, wanted, &policy) {
            if decision.offers.is_empty() {
                if let Some(shopper) = plan.shopper() {
                    shoppers.remove(shopper);
                }
                chosen.put_off.push((plan, wanted.at.plus_ms(AGAIN_MS)));
            } else {
                let span = Span { opens: opening(snapshot, &plan, span), ..span };
                chosen.due.push(Due { plan, span, decision });
            }
        }
    }
    let is_served = |plan: &Plan| plan.shopper().is_some_and(|shopper| shoppers.contains(shopper));
    let served = others.into_iter().filter(|(plan, _)| is_served(plan));
    chosen.put_off.extend(served.map(|(plan, _)| (plan, wanted.until)));
    chosen.is_more = candidates.is_more();
    let score = |due: &Due| due.decision.offers.first().map_or(0.0, |offer| offer.score);
    chosen.due.sort_by(|a, b| {
        let by_score = score(b).total_cmp(&score(a));
        by_score.then_with(|| a.plan.order.id().cmp(b.plan.order.id())).then(a.plan.kind.cmp(&b.plan.kind))
    });
    chosen
}

/// Why a follow-up that is looked at is not sent now.
fn blocked(
    snapshot: &Snapshot,
    plan: &Plan,
    span: Span,
    wanted: &Wanted,
    times: &FollowUpTimes,
) -> Option<Pass> {
    let (follow_ups, at) = (snapshot.follow_ups(), wanted.at);
    if span.closes <= at || span.closes <= span.opens {
        return Some(Pass::Over);
    }
    if span.opens > at {
        return Some(Pass::Unopened);
    }
    let shopper = plan.shopper()?;
    if follow_ups.has_opted_out(shopper.as_str()) {
        return Some(Pass::Until(at.plus_ms(AGAIN_MS)));
    }
    let contact = follow_ups.contacts.get(shopper).copied().unwrap_or_default();
    if let Some(until) = contact.leased_until(at) {
        return Some(Pass::Until(until));
    }
    let quiet = contact.sent_at.map(|sent| sent.plus_ms(times.quiet)).filter(|until| *until > at);
    if let Some(until) = quiet {
        return Some(Pass::Until(until));
    }
    if is_filled(snapshot, plan) {
        return Some(Pass::Over);
    }
    let timely = opening(snapshot, plan, span);
    (timely > at).then_some(Pass::Until(timely))
}

/// From when a follow-up is to be sent: when its window opens, or later within it, where orders tell when it is timely.
pub fn opening(snapshot: &Snapshot, plan: &Plan, span: Span) -> Timestamp {
    let timely = timely_from(snapshot, plan).filter(|timely| *timely < span.closes);
    timely.map_or(span.opens, |timely| timely.max(span.opens))
}

/// Whether something bought later fills the need of a refill: a variant, or another of its leaf category.
pub fn is_filled(snapshot: &Snapshot, plan: &Plan) -> bool {
    let (Some(product), Some(shopper)) = (&plan.product, plan.shopper()) else { return false };
    let Some(entry) = snapshot.catalog().get(product.as_str()) else { return true };
    let newest_first = snapshot.orders().of_shopper(shopper.as_str()).rev();
    let later = newest_first.take_while(|order| order.id() != plan.order.id());
    let mut bought = later.flat_map(|order| order.bought().map(|(product, _)| product));
    bought.any(|other| {
        let other = snapshot.catalog().get(other.as_str());
        other.is_some_and(|other| {
            other.family() == entry.family() || (entry.leaf().is_some() && other.leaf() == entry.leaf())
        })
    })
}

/// What each would offer, in the order given.
fn ask_all(
    snapshot: &Snapshot,
    asked: Vec<(Plan, Span)>,
    wanted: &Wanted,
    policy: &Arc<Policy>,
) -> Vec<(Plan, Span, Decision)> {
    let threads = if asked.len() < PARALLEL_MIN { 1 } else { wanted.threads };
    let decisions = parallel::map(
        asked.len(),
        threads,
        || (),
        |(), at| offers(snapshot, &asked[at].0, wanted.at, wanted.surface, policy),
    );
    asked.into_iter().zip(decisions).map(|((plan, span), decision)| (plan, span, decision)).collect()
}

/// Follow-ups that may be due, those that close first before others.
struct Candidates<'a> {
    follow_ups: &'a FollowUps,
    times: &'a FollowUpTimes,
    streams: Vec<Stream<'a>>,
}

struct Stream<'a> {
    entries: Box<dyn Iterator<Item = &'a Entry> + 'a>,
    next: Option<(Plan, Span)>,
}

impl<'a> Candidates<'a> {
    fn new(follow_ups: &'a FollowUps, wanted: &Wanted, times: &'a FollowUpTimes) -> Self {
        let at = wanted.at;
        let is_wanted = |kind: FollowUpKind| wanted.kinds.contains(kind) && !times.disabled.contains(kind);
        let waiting = KINDS.into_iter().filter(|kind| is_wanted(*kind)).map(|kind| {
            let first = Entry::bound(Lane::Waiting, kind, Timestamp::from_ms(i64::MIN));
            follow_ups.index.range(first..Entry::bound(Lane::Waiting, kind, at.plus_ms(1)))
        });
        let open = Lane::OPEN.into_iter().filter_map(|lane| {
            let kind = lane.kind().filter(|kind| is_wanted(*kind))?;
            let (after, last) = lane.open_at(at, times)?;
            let (first, end) = (after.plus_ms(1), last.plus_ms(1));
            (first < end).then(|| {
                let (first, end) = (Entry::bound(lane, kind, first), Entry::bound(lane, kind, end));
                follow_ups.index.range(first..end)
            })
        });
        let streams =
            waiting.chain(open).map(|entries| Stream { entries: Box::new(entries), next: None }).collect();
        let mut candidates = Self { follow_ups, times, streams };
        for stream in 0..candidates.streams.len() {
            candidates.advance(stream);
        }
        candidates
    }

    fn advance(&mut self, stream: usize) {
        let Self { follow_ups, times, streams } = self;
        let stream = &mut streams[stream];
        stream.next = stream.entries.next().and_then(|entry| {
            let plan = entry.plan()?;
            // What no terms know a window for is over as soon as it is looked at.
            let over = Span { opens: Timestamp::from_ms(i64::MIN), closes: Timestamp::from_ms(i64::MIN) };
            let span = match entry.lane {
                Lane::Waiting => follow_ups.span(&plan, times),
                lane => lane.span(entry.at, plan.placed_at(), times),
            };
            Some((plan, span.unwrap_or(over)))
        });
    }

    fn next(&mut self, looks: &mut usize) -> Option<(Plan, Span)> {
        let soonest = self.streams.iter().enumerate().filter_map(|(at, stream)| {
            let (plan, span) = stream.next.as_ref()?;
            Some(((span.closes, plan.order.id(), plan.kind), at))
        });
        let at = soonest.min()?.1;
        *looks = looks.saturating_sub(1);
        let found = self.streams[at].next.take();
        self.advance(at);
        found
    }

    fn is_more(&self) -> bool {
        self.streams.iter().any(|stream| stream.next.is_some())
    }
}
