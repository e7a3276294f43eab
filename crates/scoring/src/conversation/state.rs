//! State: where a conversation stands, folded step by step. Small, and bounded whatever is said.

use sidecart_catalog::{CategoryPath, ProductId};

use super::{
    Calls, Decline, MENTIONS_MAX, Matter, Meant, Mention, MentionRole, Pointer, QuestionKind, Reply,
    SURE_MIN, Sentiment, Step, Thing, Turn, read::is_sure_product,
};

/// Products remembered of each sort, latest kept.
const REMEMBERED_MAX: usize = 64;
/// Declines without a reason after which no more is offered.
const REFUSALS_MAX: u32 = 2;

/// Words told that no phrase knows, about no product, from which on they may be a complaint.
const STORY_WORDS_MIN: usize = 4;
/// Words told that no phrase knows, from which on they are what the assistant is sorry for.
const COMPLAINT_WORDS_MIN: usize = 2;

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The last turn of the customer.
    pub(crate) last: Option<Box<Turn>>,
    /// Whether the assistant asked something since.
    pub(crate) is_asked_back: bool,
    /// Turns of the customer so far.
    pub(crate) turns: u32,
    /// What forbids offers until it is settled.
    pub(crate) matter: Option<Matter>,
    /// Whether the caller says that an issue is open.
    pub(crate) issue_open: bool,
    /// In which turn something was last told to be amiss.
    pub(crate) troubled_in: Option<u32>,
    /// In which turn something open was settled.
    pub(crate) settled_in: Option<u32>,
    /// Offers that were shown, latest last.
    pub(crate) shown: Vec<ProductId>,
    /// After which turn the last was shown.
    pub(crate) shown_after: Option<u32>,
    /// Offers that were declined, and how.
    pub(crate) declined: Vec<(ProductId, Decline)>,
    /// After which turn the last was declined, and how.
    pub(crate) declined_after: Option<(u32, Decline)>,
    /// Declines without a reason.
    pub(crate) refusals: u32,
    /// What the customer says they have, or bought in the conversation.
    pub(crate) owned: Vec<Meant>,
    /// What the customer does not want, gives back or has already, until they ask for it.
    pub(crate) unwanted: Vec<Thing>,
    /// What the conversation is about: named last, without what was rejected.
    pub(crate) focus: Vec<Mention>,
    /// What was named together last, by whoever, in its order.
    pub(crate) listed: Vec<Meant>,
}

impl State {
    /// The state after one more step.
    #[must_use]
    pub fn after(mut self, step: Step) -> Self {
        match step {
            Step::Customer(turn) => self.hear(turn),
            Step::Assistant(reply) => self.listen(reply),
            Step::Shown(product) => {
                self.shown_after = Some(self.turns);
                self.listed = vec![Meant::Product(product.clone())];
                remember(&mut self.shown, product);
            }
            Step::Declined(product, how) => self.decline(product, how),
            Step::Bought(product) => remember(&mut self.owned, Meant::Product(product)),
            Step::IssueOpened => self.issue_open = true,
            Step::IssueClosed => {
                self.issue_open = false;
                self.settle();
            }
            Step::OptedOut => self.matter = Some(Matter::OptedOut),
        }
        self
    }

    /// Categories of which the customer wants one now.
    pub(crate) fn wanted_categories(&self) -> impl Iterator<Item = &CategoryPath> {
        self.last.iter().flat_map(|last| &last.wanted).filter_map(|thing| match thing {
            Thing::Named(Meant::Category(path)) => Some(path),
            Thing::Named(_) | Thing::Topic(_) => None,
        })
    }

    /// Products that the caller said something became of, and those that the customer has.
    pub(crate) fn products_told(&self) -> impl Iterator<Item = &ProductId> {
        let owned = self.owned.iter().filter_map(|meant| match meant {
            Meant::Product(product) => Some(product),
            Meant::Family { .. } | Meant::Category(_) => None,
        });
        self.shown.iter().chain(self.declined.iter().map(|(product, _)| product)).chain(owned)
    }

    /// Whether so many offers were refused that no more are made.
    pub(crate) fn is_refused(&self) -> bool {
        self.refusals >= REFUSALS_MAX
    }

    /// What the assistant says: what it names may be pointed to, and what it is sorry for, or sets about, is amiss.
    fn listen(&mut self, reply: Reply) {
        self.is_asked_back = reply.asks;
        let last = self.last.as_deref().filter(|last| !last.is_settled);
        match last.map(|last| (last.calls, last.told_unknown)) {
            // What was told, and not understood, was a complaint.
            Some((Calls::Nothing | Calls::Patience, COMPLAINT_WORDS_MIN..)) if reply.is_sorry => {
                self.matter = self.matter.or(Some(Matter::Complaint));
            }
            Some((Calls::Nothing | Calls::Patience, 1..) | (Calls::Care | Calls::Service, _))
                if reply.is_sorry || reply.is_helping =>
            {
                self.troubled_in = Some(self.turns);
            }
            _ => {}
        }
        let sure = reply.mentions.into_iter().filter(|mention| mention.confidence >= SURE_MIN);
        let named = sure.map(|mention| mention.meant).take(MENTIONS_MAX);
        let (kinds, named): (Vec<Meant>, Vec<Meant>) =
            named.partition(|meant| matches!(meant, Meant::Category(_)));
        // "the Uno, simple and compact": a category beside products is none of those listed.
        let named = if named.is_empty() { kinds } else { named };
        // Who answers about what the customer named together leaves it in the customer's order.
        let same = self.listed.iter().filter(|meant| named.contains(meant)).count();
        let is_of_the_same = same > 1 || same == named.len();
        if !named.is_empty() && !is_of_the_same {
            self.listed = named;
        }
    }

    fn decline(&mut self, product: ProductId, how: Decline) {
        self.declined_after = Some((self.turns, how));
        let is_new = !self.declined.iter().any(|(declined, _)| *declined == product);
        self.refusals += u32::from(is_new && how == Decline::NoThanks);
        // How it was declined the caller knows better than what was typed.
        self.declined.retain(|(declined, _)| *declined != product);
        remember(&mut self.declined, (product, how));
    }

    /// What was shown right before a turn, and of which nothing became yet.
    fn just_shown(&self) -> Option<&ProductId> {
        let shown = self.shown.last().filter(|_| self.shown_after == Some(self.turns))?;
        let is_told = self.declined.iter().any(|(declined, _)| declined == shown)
            || self.owned.contains(&Meant::Product(shown.clone()));
        (!is_told).then_some(shown)
    }

    /// Who is asked back, and names what they mean, still asks what they asked before.
    fn resume(&self, turn: &mut Turn) {
        let names = !turn.mentions.is_empty() || turn.pointer.is_some();
        let asks_itself = turn.question != QuestionKind::Other || !turn.wanted.is_empty();
        let is_open = matches!(turn.calls, Calls::Nothing | Calls::Offer) && turn.refusal.is_none();
        let last = self.last.as_deref().filter(|_| self.is_asked_back && names && is_open && !asks_itself);
        if let Some(last) = last.filter(|last| matches!(last.calls, Calls::Offer | Calls::MoreOffers)) {
            (turn.calls, turn.question) = (last.calls, last.question);
            turn.wanted.clone_from(&last.wanted);
            turn.asked.join(&last.asked);
        }
    }

    fn hear(&mut self, mut turn: Box<Turn>) {
        self.resume(&mut turn);
        self.is_asked_back = false;
        if let (Some(how), Some(shown)) = (turn.refusal, self.just_shown().cloned())
            // Who names what they have speaks of that, not of what was shown.
            && (how != Decline::HaveOne || turn.mentions.is_empty() && turn.unwanted.is_empty())
        {
            self.decline(shown, how);
        }
        // Who found it too expensive, and asks for one of a kind by its price, asks for a cheaper one.
        let is_dear = self.declined.last().is_some_and(|(_, how)| *how == Decline::TooExpensive);
        if is_dear && turn.question == QuestionKind::PriceOrDeal && !turn.wanted.is_empty() {
            turn.calls = Calls::MoreOffers;
        }
        self.turns += 1;
        if turn.is_settled
            && turn.matter.is_none()
            && self.matter.is_some_and(|matter| !matches!(matter, Matter::OptedOut | Matter::Merchant))
        {
            self.settle();
        }
        // What is open stays open, and the graver of two stays: an opt-out outlasts a complaint.
        self.matter = match (self.matter, turn.matter) {
            (Some(open), Some(new)) => Some(open.min(new)),
            (open, new) => open.or(new),
        };
        let is_story = turn.calls == Calls::Nothing
            && turn.sentiment != Sentiment::Positive
            && turn.told_unknown >= STORY_WORDS_MIN
            && !turn.mentions.iter().any(is_sure_product);
        if turn.is_troubled || is_story {
            self.troubled_in = Some(self.turns);
        } else if turn.is_settled {
            self.troubled_in = None;
        }
        for mention in &turn.mentions {
            if mention.role == MentionRole::Owns {
                remember(&mut self.owned, mention.meant.clone());
            }
        }
        self.note_unwanted(&turn);
        self.refocus(&turn);
        self.last = Some(turn);
    }

    /// What is not to be offered after a turn.
    fn note_unwanted(&mut self, turn: &Turn) {
        let is_asked_for = |thing: &Thing| match thing {
            Thing::Named(meant) => turn.mentions.iter().any(|mention| {
                mention.meant == *meant
                    && matches!(mention.role, MentionRole::AskedAbout | MentionRole::Wants)
            }),
            Thing::Topic(topic) => turn.asked.topics.contains(topic),
        };
        self.unwanted.retain(|thing| !is_asked_for(thing));
        for thing in turn.unwanted.iter().filter(|thing| !is_asked_for(thing)) {
            remember(&mut self.unwanted, thing.clone());
        }
    }

    /// What the conversation is about after a turn: what it names, or points to among what was named before.
    fn refocus(&mut self, turn: &Turn) {
        let is_meant =
            |mention: &&Mention| !matches!(mention.role, MentionRole::Rejected | MentionRole::Returning);
        let is_kind = |mention: &Mention| matches!(mention.meant, Meant::Category(_));
        let all: Vec<Mention> = turn.mentions.iter().filter(is_meant).cloned().collect();
        let (kinds, named): (Vec<Mention>, Vec<Mention>) = all.into_iter().partition(is_kind);
        let rejected = |meant: &Meant| {
            turn.mentions.iter().any(|mention| !is_meant(&mention) && mention.meant == *meant)
        };
        self.focus.retain(|mention| !rejected(&mention.meant));
        self.owned.retain(|meant| {
            !turn
                .mentions
                .iter()
                .any(|mention| mention.role == MentionRole::Returning && mention.meant == *meant)
        });
        let pointed = match turn.pointer {
            Some(Pointer::First) => self.listed.first(),
            Some(Pointer::Second) => self.listed.get(1),
            Some(Pointer::Last) => self.listed.last(),
            Some(Pointer::It) | None => None,
        };
        let role = MentionRole::AskedAbout;
        let pointed = pointed.cloned().map(|meant| Mention {
            span: 0..0,
            meant,
            confidence: 1.0,
            runner_up: None,
            role,
        });
        if !named.is_empty() {
            self.listed = named.iter().map(|mention| mention.meant.clone()).collect();
            // "which SD card for the second one": what is named may go with what is pointed to.
            self.focus = pointed.into_iter().chain(named).collect();
        } else if let Some(pointed) = pointed {
            self.focus = vec![pointed];
        } else if self.focus.iter().all(is_kind) && !kinds.is_empty() {
            // Beside a product named before, a kind of product is what is wanted for that one.
            self.focus = kinds;
        }
    }

    /// What was open is settled; an opt-out is for good.
    fn settle(&mut self) {
        if self.matter != Some(Matter::OptedOut) {
            self.matter = None;
        }
        self.troubled_in = None;
        self.settled_in = Some(self.turns);
    }
}

/// Adds to a list that keeps the latest.
fn remember<T: PartialEq>(list: &mut Vec<T>, item: T) {
    list.retain(|other| *other != item);
    if list.len() == REMEMBERED_MAX {
        list.remove(0);
    }
    list.push(item);
}
