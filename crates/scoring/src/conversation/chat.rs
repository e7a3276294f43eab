//! A chat: the one thing worth offering in a conversation, or why nothing is.

use sidecart_catalog::{Entry, ProductId};

use crate::{
    answer::{Decision, Offer, TraceEntry, Verdict, Why},
    explain::explanation,
    query::Query,
    recommend::decide,
    routes::Routes,
    setting::{Setting, unknown},
    snapshot::Snapshot,
    stop::Stop,
    trace::{self, Kept, Untraced},
};

use super::{
    Asked, Chat, Conversation, Meant, Mention, MentionRole, QuestionKind, Readiness, SURE_MIN, Sentiment,
    State, Thing, Understood,
    answers::{is_answered_by, is_of_kind},
    lexicon::Lexicon,
    occasion::{Silence, occasion},
    subjects::{Subjects, subjects},
};

/// Variants of a family that are taken for what is named.
const VARIANTS_MAX: usize = 64;

/// What is kept of why candidates were stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps<'a> {
    Nothing,
    /// Of each candidate, by product id.
    Trace,
    /// Of these products, candidates or not, in this order.
    Only(&'a [ProductId]),
}

/// The decision for a query with a conversation, with what is kept of why candidates were stopped.
pub(crate) fn converse(
    snapshot: &Snapshot,
    query: &Query,
    conversation: &Conversation,
    keeps: Keeps<'_>,
) -> (Decision, Vec<TraceEntry>) {
    let mut understood = understood(conversation);
    let silent =
        |silence: Silence, understood: Understood| silent(snapshot, query, silence, understood, keeps);
    if let Err(silence) = occasion(conversation) {
        return silent(silence, understood);
    }
    let state = &conversation.state;
    let tries = subjects(snapshot, query, state, |mention| &mention.meant);
    if state.focus.iter().any(is_unsure) {
        let others = subjects(snapshot, query, state, other_reading);
        let first = |tries: &[Subjects]| first_offer(snapshot, query, conversation, tries);
        let differ = first(&tries) != first(&others);
        understood.offers_differ = Some(differ);
        if differ {
            return silent(Silence::hold(Why::AmbiguousProduct), understood);
        }
    }
    let mut answer = None;
    for subjects in &tries {
        let next = offer(snapshot, query, conversation, subjects, keeps);
        let is_done = is_offer(&next.0);
        // That something was stopped says more than that there was nothing.
        if is_done || answer.as_ref().is_none_or(|(first, _): &(Decision, _)| first.why == Why::NoEvidence) {
            answer = Some(next);
        }
        if is_done {
            break;
        }
    }
    let Some((mut decision, said)) = answer else {
        return silent(Silence::hold(Why::ProductUnclear), understood);
    };
    if decision.verdict == Verdict::Hold {
        understood.retry_after_turns = Some(1);
    }
    decision.understood = Some(Box::new(understood));
    (decision, said)
}

/// The decision that nothing is offered, and why.
fn silent(
    snapshot: &Snapshot,
    query: &Query,
    silence: Silence,
    mut understood: Understood,
    keeps: Keeps<'_>,
) -> (Decision, Vec<TraceEntry>) {
    let Silence { verdict, why, retry_after_turns } = silence;
    understood.retry_after_turns = retry_after_turns;
    let said = match keeps {
        Keeps::Only(products) => {
            products.iter().map(|product| trace::entry(product, &Stop::Silent(why), None, None)).collect()
        }
        Keeps::Nothing | Keeps::Trace => Vec::new(),
    };
    let unknown = unknown(snapshot.catalog(), query);
    let understood = Some(Box::new(understood));
    (Decision { verdict, why, offers: Vec::new(), unknown, understood }, said)
}

/// What is offered first, taking the conversation in these ways one after another.
fn first_offer(
    snapshot: &Snapshot,
    query: &Query,
    conversation: &Conversation,
    tries: &[Subjects],
) -> Option<ProductId> {
    let decisions = tries.iter().map(|it| offer(snapshot, query, conversation, it, Keeps::Nothing).0);
    let offer = decisions.filter(is_offer).find_map(|decision| decision.offers.into_iter().next())?;
    Some(offer.target.product().id().clone())
}

/// What a mention is taken for where the likeliest reading of one that is not sure is wrong.
fn other_reading(mention: &Mention) -> &Meant {
    let other = mention.runner_up.as_ref().filter(|_| is_unsure(mention));
    other.map_or(&mention.meant, |(other, _)| other)
}

fn is_offer(decision: &Decision) -> bool {
    decision.verdict == Verdict::Offer
}

fn is_unsure(mention: &Mention) -> bool {
    mention.confidence < SURE_MIN && mention.runner_up.is_some()
}

/// What was understood of the last turn, under the caller's labels.
fn understood(conversation: &Conversation) -> Understood {
    let last = conversation.state.last.as_deref();
    Understood {
        mentions: last.map_or_else(Vec::new, |last| last.mentions.clone()),
        question: conversation.question.or(last.map(|last| last.question)).unwrap_or(QuestionKind::Other),
        readiness: last.map_or(Readiness::Browsing, |last| last.readiness),
        sentiment: conversation.sentiment.or(last.map(|last| last.sentiment)).unwrap_or(Sentiment::Neutral),
        offers_differ: None,
        retry_after_turns: None,
        evidence: last.map_or_else(Vec::new, |last| last.evidence.clone()),
    }
}

/// The categories that the last turn names, and those of the products asked about, without those that the customer has
/// before them.
fn kinds(snapshot: &Snapshot, state: &State, subjects: &Subjects) -> Vec<Box<str>> {
    let catalog = snapshot.catalog();
    let paths = |products: &[ProductId]| {
        let entries = products.iter().filter_map(|id| catalog.get(id.as_str()));
        entries.filter_map(|entry| entry.product().category()).collect::<Vec<_>>()
    };
    let (anchors, named) = (paths(&subjects.anchors), paths(&subjects.named));
    let mentions = state.last.iter().flat_map(|last| &last.mentions);
    let welcome =
        mentions.filter(|mention| !matches!(mention.role, MentionRole::Rejected | MentionRole::Returning));
    let kinds = welcome.filter_map(|mention| match &mention.meant {
        Meant::Category(path) => Some(path.leaf()),
        Meant::Product(_) | Meant::Family { .. } => None,
    });
    let wanted = state.wanted_categories().map(|path| path.leaf());
    let kinds = kinds.chain(named.iter().map(|path| path.leaf())).chain(wanted);
    let is_here = |kind: &str| anchors.iter().any(|path| is_of_kind(Some(path), kind));
    kinds.filter(|kind| !is_here(kind)).map(Into::into).collect()
}

/// The offer for one way to take the conversation.
fn offer(
    snapshot: &Snapshot,
    query: &Query,
    conversation: &Conversation,
    subjects: &Subjects,
    keeps: Keeps<'_>,
) -> (Decision, Vec<TraceEntry>) {
    let state = &conversation.state;
    let mut asked = query.clone();
    asked.conversation = None;
    asked.anchors.clone_from(&subjects.anchors);
    asked.owned.extend(subjects.owned.iter().cloned());
    let have = state.declined.iter().filter(|(_, how)| *how == super::Decline::HaveOne);
    asked.owned.extend(have.map(|(product, _)| product.clone()));
    let kinds = kinds(snapshot, state, subjects);
    // What the customer has before them may be asked about by the name of its kind.
    let is_elsewhere = |wanted: &Thing| match wanted {
        Thing::Named(Meant::Category(path)) => kinds.iter().any(|kind| **kind == *path.leaf()),
        Thing::Named(_) => false,
        Thing::Topic(topic) => !is_answered_by(snapshot, *topic, &subjects.anchors),
    };
    let wanted = state.last.iter().flat_map(|last| &last.wanted).filter(|wanted| is_elsewhere(wanted));
    let wanted = wanted.cloned().collect();
    let chat = Chat {
        asked: state.last.as_ref().map_or_else(Asked::default, |last| last.asked.clone()),
        named: variants(snapshot, &subjects.named),
        wanted,
        kinds,
        unwanted: state.unwanted.clone(),
        shown: state.shown.clone(),
        declined: state.declined.clone(),
    };
    let lexicon = Lexicon::get();
    let last = state.last.as_ref().and_then(|last| last.language);
    let language =
        conversation.language.as_deref().and_then(|tag| lexicon.language(tag)).or(last).unwrap_or(0);
    let setting = Setting::in_chat(snapshot, &asked, &chat, &lexicon.languages[language]);
    let routes = Routes::new(&setting);
    let (mut decision, entries) = match keeps {
        Keeps::Nothing => (decide(&setting, &routes, &mut Untraced), Vec::new()),
        Keeps::Trace => {
            let mut kept = Kept::all();
            (decide(&setting, &routes, &mut kept), kept.into_entries())
        }
        Keeps::Only(products) => {
            let mut kept = Kept::only(products);
            let decision = decide(&setting, &routes, &mut kept);
            let entries = kept.into_entries();
            let said = products.iter().map(|product| explanation(&setting, &routes, &entries, product));
            (decision, said.collect())
        }
    };
    // What was asked about and is not the answer does not make something else one, but for what serves in its place.
    let is_answer = |offer: &Offer| {
        let is_named = chat.named.contains(offer.target.product().id());
        is_named || serves_instead(snapshot, &chat, &subjects.named, &offer.target)
    };
    if !subjects.named.is_empty() && !decision.offers.first().is_some_and(is_answer) {
        decision.verdict = Verdict::Hold;
        decision.why = Why::AllGated;
        decision.offers.clear();
    }
    decision.unknown = unknown(snapshot.catalog(), query);
    (decision, entries)
}

/// Whether it serves in the place of what was asked about and does not fit: what was shown already is no such thing.
fn serves_instead(snapshot: &Snapshot, chat: &Chat, named: &[ProductId], target: &Entry) -> bool {
    let leaf = |id: &ProductId| snapshot.catalog().get(id.as_str()).and_then(|entry| entry.leaf());
    !chat.shown.iter().any(|shown| chat.named.contains(shown))
        && target.leaf().is_some()
        && named.iter().any(|id| leaf(id) == target.leaf())
}

/// The products with all variants of their families, as far as they are in their order of ids.
fn variants(snapshot: &Snapshot, products: &[ProductId]) -> Vec<ProductId> {
    let catalog = snapshot.catalog();
    let of = |id: &ProductId| {
        let family = catalog.get(id.as_str()).map(|entry| entry.family());
        let listed =
            family.and_then(|family| catalog.postings(family)).into_iter().flat_map(|list| list.iter());
        let siblings = listed.take(VARIANTS_MAX).filter_map(|index| catalog.entry(index));
        siblings.map(|entry| entry.product().id().clone()).chain([id.clone()]).collect::<Vec<_>>()
    };
    products.iter().flat_map(of).collect()
}
