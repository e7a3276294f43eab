//! The occasion: what the state of a conversation calls for, before any product is looked at.
//!
//! Defaults err on silence: an offer needs a reason, holding back needs none.

use crate::answer::{Verdict, Why};

use super::{Calls, Conversation, Decline, Matter, QuestionKind, Sentiment, State};

/// Turns without an offer after one was shown.
const TURNS_AFTER_SHOWN: u32 = 1;
/// Turns without an offer after one was declined.
const TURNS_AFTER_NO_THANKS: u32 = 3;
/// Turns without an offer after one was put off.
const TURNS_AFTER_LATER: u32 = 5;

/// Turns without an offer after something was told to be amiss, which one more question does not mend.
const TURNS_AFTER_TROUBLE: u32 = 2;

/// Why no offer is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) verdict: Verdict,
    pub(crate) why: Why,
    /// After how many more turns of the customer to ask again.
    pub(crate) retry_after_turns: Option<u32>,
}

impl Silence {
    pub(crate) const fn never(why: Why) -> Self {
        Self { verdict: Verdict::Never, why, retry_after_turns: None }
    }

    pub(crate) const fn hold(why: Why) -> Self {
        Self { verdict: Verdict::Hold, why, retry_after_turns: Some(1) }
    }
}

/// Whether an offer may be made now.
///
/// # Errors
/// Why not.
pub(crate) fn occasion(conversation: &Conversation) -> Result<(), Silence> {
    let Conversation { state, question, sentiment, open_issue, .. } = conversation;
    forbidden(state, *question, *open_issue)?;
    let Some(last) = &state.last else { return Err(Silence::hold(Why::NothingAsked)) };
    // The caller's label stands in the place of what was read.
    let calls = question.map_or(last.calls, calls_of);
    if settled_now(state) {
        return Err(Silence::hold(Why::JustSettled));
    }
    if *sentiment == Some(Sentiment::Negative) {
        return Err(Silence::hold(Why::Trouble));
    }
    if sentiment.is_none() && *open_issue != Some(false) {
        mending(state)?;
    }
    resting(state, calls)?;
    match calls {
        Calls::Offer | Calls::OfferByMerchant | Calls::MoreOffers => Ok(()),
        Calls::Patience => Err(Silence::hold(Why::StillExplaining)),
        // The caller, who hears the tone, may say that all is well.
        Calls::Care if sentiment.is_some() && is_about_product(last.question) => Ok(()),
        Calls::Care => Err(Silence::hold(Why::Trouble)),
        Calls::Service => Err(Silence::hold(Why::ServiceMatter)),
        Calls::Decision => Err(Silence::hold(Why::Deciding)),
        Calls::Unread => Err(Silence::hold(Why::LanguageUnread)),
        Calls::Nothing => Err(Silence::hold(Why::NothingAsked)),
    }
}

/// What forbids an offer as long as it lasts.
fn forbidden(state: &State, question: Option<QuestionKind>, open_issue: Option<bool>) -> Result<(), Silence> {
    let labelled = match question {
        Some(QuestionKind::HumanRequest) => Some(Why::HumanRequested),
        Some(QuestionKind::Cancel) => Some(Why::CancellationOpen),
        Some(QuestionKind::ReturnOrRefund) => Some(Why::RefundOpen),
        Some(QuestionKind::Complaint) => Some(Why::ComplaintOpen),
        _ => None,
    };
    if let Some(why) = labelled {
        return Err(Silence::never(why));
    }
    let matter = state.matter.filter(|matter| open_issue != Some(false) || stays_open(*matter, question));
    if let Some(matter) = matter {
        return Err(Silence::never(match matter {
            Matter::OptedOut => Why::OptedOut,
            Matter::HumanRequested => Why::HumanRequested,
            Matter::Safety => Why::Safety,
            Matter::Privacy => Why::Privacy,
            Matter::Cancellation => Why::CancellationOpen,
            Matter::ReturnOrRefund => Why::RefundOpen,
            Matter::Complaint => Why::ComplaintOpen,
            Matter::Merchant => Why::MerchantForbids,
        }));
    }
    if open_issue == Some(true) || state.issue_open && open_issue.is_none() {
        return Err(Silence::never(Why::IssueOpen));
    }
    if state.is_refused() {
        return Err(Silence::never(Why::Refused));
    }
    Ok(())
}

/// Whether a matter that was read stays open where the caller says that no issue is. Who labels the last turn as well has
/// read it, and knows better than the lexicons; what the customer or the merchant forbids for good is no issue.
const fn stays_open(matter: Matter, question: Option<QuestionKind>) -> bool {
    match matter {
        Matter::Cancellation | Matter::ReturnOrRefund | Matter::Complaint => false,
        Matter::HumanRequested | Matter::Safety | Matter::Privacy => question.is_none(),
        Matter::OptedOut | Matter::Merchant => true,
    }
}

/// Whether something was settled in the last turn, or since.
fn settled_now(state: &State) -> bool {
    state.settled_in.is_some_and(|turn| turn == state.turns)
}

/// The rest that follows trouble, as long as nobody says that it is over.
fn mending(state: &State) -> Result<(), Silence> {
    let since = state.troubled_in.filter(|since| *since < state.turns);
    match since.and_then(|since| (since + TURNS_AFTER_TROUBLE).checked_sub(state.turns)) {
        Some(left) => {
            Err(Silence { verdict: Verdict::Hold, why: Why::Trouble, retry_after_turns: Some(left + 1) })
        }
        None => Ok(()),
    }
}

/// The rest that follows an offer, unless another is asked for in a later turn.
fn resting(state: &State, calls: Calls) -> Result<(), Silence> {
    let hold = |why, since: u32, turns: u32| match (since + turns).checked_sub(state.turns) {
        Some(left) if calls != Calls::MoreOffers || since == state.turns => {
            Err(Silence { verdict: Verdict::Hold, why, retry_after_turns: Some(left + 1) })
        }
        _ => Ok(()),
    };
    if let Some((since, how)) = state.declined_after {
        let turns = match how {
            Decline::NoThanks => TURNS_AFTER_NO_THANKS,
            Decline::Later => TURNS_AFTER_LATER,
            // A cheaper one, or something else, is an answer to these.
            Decline::TooExpensive | Decline::HaveOne => 0,
        };
        hold(Why::JustDeclined, since, turns)?;
    }
    state.shown_after.map_or(Ok(()), |since| hold(Why::JustOffered, since, TURNS_AFTER_SHOWN))
}

const fn calls_of(question: QuestionKind) -> Calls {
    match question {
        QuestionKind::Compatibility
        | QuestionKind::UseCase
        | QuestionKind::Specification
        | QuestionKind::HowTo => Calls::Offer,
        QuestionKind::PriceOrDeal | QuestionKind::Availability | QuestionKind::Comparison => Calls::Decision,
        QuestionKind::OrderStatus | QuestionKind::Account => Calls::Service,
        _ => Calls::Nothing,
    }
}

fn is_about_product(question: QuestionKind) -> bool {
    calls_of(question) == Calls::Offer
}
